"""The lower triangle of C = alpha (A B^T + B A^T) + beta C."""

import polysched as ps

SIZES = {"n": 800, "m": 900}


@ps.kernel
def kernel(
    alpha: float,
    beta: float,
    C: ps.float64["N", "N"],
    A: ps.float64["N", "M"],
    B: ps.float64["N", "M"],
):
    for i in range(A.shape[0]):
        for j in range(i + 1):
            C[i, j] *= beta
        for k in range(A.shape[1]):
            for j in range(i + 1):
                C[i, j] += A[j, k] * alpha * B[i, k] + B[j, k] * alpha * A[i, k]


def reference(alpha, beta, C, A, B):
    """The same by NumPy."""
    for i in range(A.shape[0]):
        C[i, : i + 1] *= beta
        C[i, : i + 1] += alpha * (A[: i + 1] @ B[i] + B[: i + 1] @ A[i])


def inputs(rng, n, m):
    """Arguments of a call."""
    return 1.5, 1.2, rng.random((n, n)), rng.random((n, m)), rng.random((n, m))
