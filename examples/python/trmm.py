"""B = alpha A^T B, where A is a unit lower triangle."""

import polysched as ps

SIZES = {"m": 800, "n": 900}


@ps.kernel
def kernel(alpha: float, A: ps.float64["M", "M"], B: ps.float64["M", "N"]):
    for i in range(B.shape[0]):
        for j in range(B.shape[1]):
            for k in range(i + 1, B.shape[0]):
                B[i, j] += A[k, i] * B[k, j]
            B[i, j] *= alpha


def reference(alpha, A, B):
    """The same by NumPy."""
    for i in range(B.shape[0]):
        B[i] += A[i + 1 :, i] @ B[i + 1 :]
        B[i] *= alpha


def inputs(rng, m, n):
    """Arguments of a call."""
    return 1.5, rng.random((m, m)), rng.random((m, n))
