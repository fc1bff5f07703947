"""2mm.c by NumPy: D := alpha A B C + beta D."""

import numpy as np


def inputs(NI, NJ, NK, NL):
    """Arrays as the C program fills them."""
    i, j, k, x = (np.arange(n) for n in (NI, NJ, NK, NL))
    return {
        "A": (2 * i[:, None] + 3 * k + 1) % 11 / 11.0,
        "B": (5 * k[:, None] + j + 2) % 13 / 13.0 - 0.3,
        "C": (j[:, None] + 6 * x + 3) % 17 / 17.0 - 0.4,
        "D": (4 * i[:, None] + x) % 7 / 7.0,
    }


def kernel(A, B, C, D):
    """Two matrix products."""
    tmp = (1.5 * A) @ B
    return {"tmp": tmp, "D": 1.2 * D + tmp @ C}
