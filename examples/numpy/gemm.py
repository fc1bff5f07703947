"""gemm.c by NumPy: C := beta C + alpha A B."""

import numpy as np


def inputs(NI, NJ, NK):
    """Arrays as the C program fills them."""
    i, k, j = np.arange(NI)[:, None], np.arange(NK), np.arange(NJ)
    return {
        "A": (3 * i + 5 * k + 1) % 17 / 17.0,
        "B": (7 * k[:, None] + 2 * j + 3) % 19 / 19.0 - 0.25,
        "C": (i + 4 * j) % 13 / 13.0,
    }


def kernel(A, B, C):
    """The matrix product."""
    return {"C": 1.2 * C + (1.5 * A) @ B}
