"""cholesky.c by LAPACK's dpotrf."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
import library


def inputs(N):
    """Arrays as the C program fills them."""
    return library.filled("cholesky", N=N)


def kernel(A):
    """In place; by columns the lower triangle is the upper one."""
    library.factor("dpotrf", "U", len(A), A, len(A))
    return {"A": A}
