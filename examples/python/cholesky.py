"""The factor L of A = L L^T, in the lower triangle of A."""

import numpy as np

import polysched as ps

SIZES = {"n": 1200}


@ps.kernel
def kernel(A: ps.float64["N", "N"]):
    for i in range(A.shape[0]):
        for j in range(i):
            for k in range(j):
                A[i, j] -= A[i, k] * A[j, k]
            A[i, j] /= A[j, j]
        for k in range(i):
            A[i, i] -= A[i, k] * A[i, k]
        A[i, i] = np.sqrt(A[i, i])


def reference(A):
    """The same by NumPy's products of vectors."""
    A[0, 0] = np.sqrt(A[0, 0])
    for i in range(1, A.shape[0]):
        for j in range(i):
            A[i, j] -= A[i, :j] @ A[j, :j]
            A[i, j] /= A[j, j]
        A[i, i] -= A[i, :i] @ A[i, :i]
        A[i, i] = np.sqrt(A[i, i])


def inputs(rng, n):
    """Arguments of a call."""
    A = rng.random((n, n))
    return (A @ A.T + n * np.eye(n),)
