"""lu.c by LAPACK's dgetrf, which looks for pivots and finds them on the diagonal."""

import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent))
import library


def inputs(N):
    """Arrays as the C program fills them, column by column."""
    arrays = library.filled("lu", N=N)
    return {"A": np.asfortranarray(arrays["A"])}


def kernel(A):
    """In place, by columns as LAPACK has them."""
    rows = np.zeros(len(A), dtype=np.int64)
    library.factor("dgetrf", len(A), len(A), A, len(A), rows)
    return {"A": A}
