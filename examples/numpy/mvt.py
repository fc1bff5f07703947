"""mvt.c by NumPy: x1 += A y_1 and x2 += A' y_2."""

import numpy as np


def inputs(N):
    """Arrays as the C program fills them."""
    i = np.arange(N)
    return {
        "A": (2 * i[:, None] + 9 * i) % 21 / 21.0 - 0.25,
        "x1": i % 10 / 10.0,
        "x2": (3 * i + 1) % 10 / 10.0,
        "y_1": (7 * i + 2) % 12 / 12.0,
        "y_2": (5 * i + 3) % 14 / 14.0 - 0.2,
    }


def kernel(A, x1, x2, y_1, y_2):
    """Two products of a matrix with a vector."""
    return {"x1": x1 + A @ y_1, "x2": x2 + A.T @ y_2}
