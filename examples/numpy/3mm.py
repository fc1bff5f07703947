"""3mm.c by NumPy: G := (A B) (C D)."""

import numpy as np


def inputs(NI, NJ, NK, NL, NM):
    """Arrays as the C program fills them."""
    i, j, k, x, m = (np.arange(n) for n in (NI, NJ, NK, NL, NM))
    return {
        "A": (i[:, None] + 2 * k + 1) % 9 / 9.0,
        "B": (3 * k[:, None] + j + 2) % 11 / 11.0 - 0.3,
        "C": (j[:, None] + 5 * m + 3) % 13 / 13.0,
        "D": (7 * m[:, None] + 2 * x + 4) % 15 / 15.0 - 0.35,
    }


def kernel(A, B, C, D):
    """Three matrix products."""
    E, F = A @ B, C @ D
    return {"E": E, "F": F, "G": E @ F}
