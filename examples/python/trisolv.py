"""x of L x = b, where L is a lower triangle."""

import numpy as np

import polysched as ps

SIZES = {"n": 4000}


@ps.kernel
def kernel(L: ps.float64["N", "N"], x: ps.float64["N"], b: ps.float64["N"]):
    for i in range(x.shape[0]):
        x[i] = b[i]
        for j in range(i):
            x[i] -= L[i, j] * x[j]
        x[i] /= L[i, i]


def reference(L, x, b):
    """The same by NumPy."""
    for i in range(x.shape[0]):
        x[i] = (b[i] - L[i, :i] @ x[:i]) / L[i, i]


def inputs(rng, n):
    """Arguments of a call."""
    return rng.random((n, n)) + n * np.eye(n), np.zeros(n), rng.random(n)
