"""symm.c by NumPy: C := alpha A B + beta C with the lower triangle of A given."""

import numpy as np


def inputs(M, N):
    """Arrays as the C program fills them."""
    i, k, j = np.arange(M)[:, None], np.arange(M), np.arange(N)
    lower = (3 * i + 2 * k + 1) % 15 / 15.0 - 0.3
    return {
        "A": np.where(k <= i, lower, -100.0),
        "B": (i + 4 * j + 2) % 13 / 13.0,
        "C": (5 * i + 3 * j) % 11 / 11.0,
    }


def kernel(A, B, C):
    """The symmetric matrix is made first, then multiplied."""
    whole = np.tril(A) + np.tril(A, -1).T
    return {"C": 1.2 * C + (1.5 * whole) @ B}
