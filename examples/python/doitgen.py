"""A product of a box with a matrix, in place."""

import numpy as np

import polysched as ps

SIZES = {"nr": 120, "nq": 120, "np_": 150}


@ps.kernel
def kernel(A: ps.float64["R", "Q", "P"], C4: ps.float64["P", "P"]):
    row = np.zeros(A.shape[2])
    for r in range(A.shape[0]):
        for q in range(A.shape[1]):
            for p in range(A.shape[2]):
                row[p] = 0.0
            for s in range(A.shape[2]):
                for p in range(A.shape[2]):
                    row[p] += A[r, q, s] * C4[s, p]
            for p in range(A.shape[2]):
                A[r, q, p] = row[p]


def reference(A, C4):
    """The same by NumPy."""
    A[:] = A @ C4


def inputs(rng, nr, nq, np_):
    """Arguments of a call."""
    return rng.random((nr, nq, np_)), rng.random((np_, np_))
