"""gemver.c by NumPy: two rank-one updates, then two products with a vector."""

import numpy as np


def inputs(N):
    """Arrays as the C program fills them."""
    i = np.arange(N)
    return {
        "A": (3 * i[:, None] + 7 * i) % 15 / 15.0,
        "u1": (i + 1) % 10 / 10.0,
        "v1": (3 * i + 2) % 12 / 12.0,
        "u2": (5 * i + 1) % 14 / 14.0,
        "v2": (2 * i + 5) % 18 / 18.0 - 0.5,
        "y": (4 * i + 3) % 9 / 9.0 - 0.4,
        "z": (7 * i) % 8 / 8.0,
    }


def kernel(A, u1, v1, u2, v2, y, z):
    """The sequence of four; x and w start at zero."""
    A = A + np.outer(u1, v1) + np.outer(u2, v2)
    x = 1.2 * (A.T @ y) + z
    return {"A": A, "x": x, "w": 1.5 * (A @ x)}
