"""atax.c by NumPy: y := A' (A x)."""

import numpy as np


def inputs(M, N):
    """Arrays as the C program fills them."""
    i, j = np.arange(M)[:, None], np.arange(N)
    return {"A": (4 * i + 3 * j) % 25 / 25.0 - 0.4, "x": 1.0 + j % 8 / 8.0}


def kernel(A, x):
    """Two products of a matrix with a vector."""
    tmp = A @ x
    return {"tmp": tmp, "y": A.T @ tmp}
