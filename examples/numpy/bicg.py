"""bicg.c by NumPy: s := A' r and q := A p."""

import numpy as np


def inputs(M, N):
    """Arrays as the C program fills them."""
    i, j = np.arange(N), np.arange(M)
    return {
        "A": (6 * i[:, None] + 5 * j + 1) % 27 / 27.0 - 0.3,
        "p": (2 * j + 1) % 9 / 9.0,
        "r": (5 * i + 2) % 12 / 12.0,
    }


def kernel(A, p, r):
    """Two products of a matrix with a vector."""
    return {"s": A.T @ r, "q": A @ p}
