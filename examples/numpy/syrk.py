"""syrk.c by NumPy: the whole product, of which the lower triangle is asked for."""

import numpy as np


def inputs(M, N):
    """Arrays as the C program fills them."""
    i, k, j = np.arange(N)[:, None], np.arange(M), np.arange(N)
    return {
        "A": (4 * i + 3 * k + 1) % 17 / 17.0 - 0.3,
        "C": (i + j) % 10 / 10.0,
    }


def kernel(A, C):
    """A product of a matrix with itself, which BLAS halves by itself."""
    return {"C": 1.2 * C + 1.5 * (A @ A.T)}
