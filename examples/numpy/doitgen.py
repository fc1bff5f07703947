"""doitgen.c by NumPy: the last index of A times a matrix."""

import numpy as np


def inputs(NR, NQ, NP):
    """Arrays as the C program fills them."""
    r, q = np.arange(NR)[:, None, None], np.arange(NQ)[:, None]
    p = np.arange(NP)
    return {
        "A": (2 * r + 3 * q + 5 * p + 1) % 16 / 16.0,
        "C4": (p[:, None] + 3 * p) % 14 / 14.0 - 0.25,
    }


def kernel(A, C4):
    """One matrix product over the first two indices together."""
    n_r, n_q, n_p = A.shape
    A = (A.reshape(-1, n_p) @ C4).reshape(n_r, n_q, n_p)
    return {"A": A, "sum": A[-1, -1]}
