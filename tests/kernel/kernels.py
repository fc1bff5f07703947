"""Small kernels of the tests; annotations are values, not texts, on purpose."""

import numpy as np

import polysched as ps

SCALE = 0.2

quick = ps.kernel(timeout=2.0)


@quick
def axpy(a: float, x: ps.float64["N"], y: ps.float64["N"]):
    for i in range(len(x)):
        y[i] = y[i] + a * x[i]


@quick
def gemm(
    alpha: float,
    beta: float,
    C: ps.float64["N", "M"],
    A: ps.float64["N", "K"],
    B: ps.float64["K", "M"],
):
    for i in range(C.shape[0]):
        for j in range(C.shape[1]):
            C[i, j] *= beta
        for k in range(A.shape[1]):
            for j in range(C.shape[1]):
                C[i, j] += alpha * A[i, k] * B[k, j]


@quick
def jacobi(steps: int, A: ps.float64["N", "N"], B: ps.float64["N", "N"]):
    n = A.shape[0]
    for _t in range(steps):
        for i in range(1, n - 1):
            for j in range(1, n - 1):
                B[i, j] = SCALE * (
                    A[i, j] + A[i, j - 1] + A[i, j + 1] + A[i + 1, j] + A[i - 1, j]
                )
        for i in range(1, n - 1):
            for j in range(1, n - 1):
                A[i, j] = B[i, j]


@quick
def cholesky(A: ps.float64["N", "N"]):
    for i in range(A.shape[0]):
        for j in range(i):
            for k in range(j):
                A[i, j] -= A[i, k] * A[j, k]
            A[i, j] /= A[j, j]
        for k in range(i):
            A[i, i] -= A[i, k] * A[i, k]
        A[i, i] = np.sqrt(A[i, i])


@quick
def shift(k: int, x: ps.float64["N"], y: ps.float64["N"]):
    for i in range(len(x)):
        y[i] = x[i + k]


@quick
def negate(x, y):
    for i in range(len(x)):
        y[i] = -x[i]


@quick
def histogram(limit: np.int32, x: ps.int32["N"], y: ps.int64["N"]):
    for i in range(len(x)):
        y[i] += x[i] * limit


@quick
def fill(I: int, y1: ps.float64["complex", "E"]):  # noqa: E741
    """Names that mean something else in C or sympy."""
    for i in range(I):
        for j in range(y1.shape[1]):
            y1[i, j] = 1.0 * I
