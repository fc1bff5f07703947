"""The factors L and U of A = L U, in place."""

import numpy as np

import polysched as ps

SIZES = {"n": 1000}


@ps.kernel
def kernel(A: ps.float64["N", "N"]):
    for i in range(A.shape[0]):
        for j in range(i):
            for k in range(j):
                A[i, j] -= A[i, k] * A[k, j]
            A[i, j] /= A[j, j]
        for j in range(i, A.shape[0]):
            for k in range(i):
                A[i, j] -= A[i, k] * A[k, j]


def reference(A):
    """The same by NumPy's products of vectors."""
    for i in range(A.shape[0]):
        for j in range(i):
            A[i, j] -= A[i, :j] @ A[:j, j]
            A[i, j] /= A[j, j]
        for j in range(i, A.shape[0]):
            A[i, j] -= A[i, :i] @ A[:i, j]


def inputs(rng, n):
    """Arguments of a call."""
    return (rng.random((n, n)) + n * np.eye(n),)
