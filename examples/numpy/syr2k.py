"""syr2k.c by NumPy: the whole product, of which the lower triangle is asked for."""

import numpy as np


def inputs(M, N):
    """Arrays as the C program fills them."""
    i, k, j = np.arange(N)[:, None], np.arange(M), np.arange(N)
    return {
        "A": (2 * i + 5 * k + 1) % 14 / 14.0 - 0.25,
        "B": (3 * i + k + 2) % 16 / 16.0,
        "C": (i + j) % 12 / 12.0,
    }


def kernel(A, B, C):
    """One product; the other is its transpose."""
    half = (1.5 * A) @ B.T
    return {"C": 1.2 * C + half + half.T}
