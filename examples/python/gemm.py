"""C = alpha A B + beta C."""

import polysched as ps

SIZES = {"n": 1000, "m": 1100, "k": 1200}


@ps.kernel
def kernel(
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


def reference(alpha, beta, C, A, B):
    """The same by NumPy."""
    C *= beta
    C += alpha * A @ B


def inputs(rng, n, m, k):
    """Arguments of a call."""
    return 1.5, 1.2, rng.random((n, m)), rng.random((n, k)), rng.random((k, m))
