"""The lower triangle of C = alpha A A^T + beta C."""

import polysched as ps

SIZES = {"n": 1000, "m": 1200}


@ps.kernel
def kernel(alpha: float, beta: float, C: ps.float64["N", "N"], A: ps.float64["N", "M"]):
    for i in range(A.shape[0]):
        for j in range(i + 1):
            C[i, j] *= beta
        for k in range(A.shape[1]):
            for j in range(i + 1):
                C[i, j] += alpha * A[i, k] * A[j, k]


def reference(alpha, beta, C, A):
    """The same by NumPy."""
    for i in range(A.shape[0]):
        C[i, : i + 1] *= beta
        C[i, : i + 1] += alpha * (A[: i + 1] @ A[i])


def inputs(rng, n, m):
    """Arguments of a call."""
    return 1.5, 1.2, rng.random((n, n)), rng.random((n, m))
