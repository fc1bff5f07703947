"""The factors Q and R of A = Q R, column by column."""

import numpy as np

import polysched as ps

SIZES = {"m": 500, "n": 400}


@ps.kernel
def kernel(A: ps.float64["M", "N"], Q: ps.float64["M", "N"], R: ps.float64["N", "N"]):
    for k in range(A.shape[1]):
        norm = 0.0
        for i in range(A.shape[0]):
            norm += A[i, k] * A[i, k]
        R[k, k] = np.sqrt(norm)
        for i in range(A.shape[0]):
            Q[i, k] = A[i, k] / R[k, k]
        for j in range(k + 1, A.shape[1]):
            R[k, j] = 0.0
            for i in range(A.shape[0]):
                R[k, j] += Q[i, k] * A[i, j]
            for i in range(A.shape[0]):
                A[i, j] -= Q[i, k] * R[k, j]


def reference(A, Q, R):
    """The same by NumPy."""
    for k in range(A.shape[1]):
        R[k, k] = np.sqrt(A[:, k] @ A[:, k])
        Q[:, k] = A[:, k] / R[k, k]
        R[k, k + 1 :] = Q[:, k] @ A[:, k + 1 :]
        A[:, k + 1 :] -= np.outer(Q[:, k], R[k, k + 1 :])


def inputs(rng, m, n):
    """Arguments of a call."""
    A = rng.random((m, n)) + 10.0 * np.eye(m, n)
    return A, np.zeros((m, n)), np.zeros((n, n))
