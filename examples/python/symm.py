"""C = alpha A B + beta C, where A is symmetric and its lower triangle is given."""

import numpy as np

import polysched as ps

SIZES = {"m": 600, "n": 700}


@ps.kernel
def kernel(
    alpha: float,
    beta: float,
    C: ps.float64["M", "N"],
    A: ps.float64["M", "M"],
    B: ps.float64["M", "N"],
):
    for i in range(C.shape[0]):
        for k in range(i):
            for j in range(C.shape[1]):
                C[k, j] += alpha * B[i, j] * A[i, k]
        for j in range(C.shape[1]):
            total = 0.0
            for k in range(i):
                total += B[k, j] * A[i, k]
            C[i, j] = beta * C[i, j] + alpha * B[i, j] * A[i, i] + alpha * total


def reference(alpha, beta, C, A, B):
    """The same by NumPy."""
    for i in range(C.shape[0]):
        total = A[i, :i] @ B[:i]
        C[:i] += alpha * np.outer(A[i, :i], B[i])
        C[i] = beta * C[i] + alpha * B[i] * A[i, i] + alpha * total


def inputs(rng, m, n):
    """Arguments of a call."""
    return 1.5, 1.2, rng.random((m, n)), rng.random((m, m)), rng.random((m, n))
