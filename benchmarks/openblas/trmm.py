"""trmm.c by cblas_dtrmm."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
import library


def inputs(M, N):
    """Arrays as the C program fills them."""
    return library.filled("trmm", M=M, N=N)


def kernel(A, B):
    """B := 1.5 A' B, A lower triangular with a unit diagonal."""
    m, n = B.shape
    library.call(
        "dtrmm", library.ROWS, library.LEFT, library.LOWER, library.TRANSPOSED,
        library.UNIT, m, n, 1.5, A, m, B, n,
    )  # fmt: skip
    return {"B": B}
