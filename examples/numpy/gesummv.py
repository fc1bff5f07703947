"""gesummv.c by NumPy: y := alpha A x + beta B x."""

import numpy as np


def inputs(N):
    """Arrays as the C program fills them."""
    i = np.arange(N)
    return {
        "A": (i[:, None] + 2 * i) % 13 / 13.0,
        "B": (4 * i[:, None] + 3 * i) % 17 / 17.0 - 0.3,
        "x": (3 * i + 1) % 11 / 11.0,
    }


def kernel(A, B, x):
    """Two products of a matrix with a vector."""
    tmp = A @ x
    return {"tmp": tmp, "y": 1.5 * tmp + 1.2 * (B @ x)}
