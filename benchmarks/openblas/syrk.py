"""syrk.c by cblas_dsyrk."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
import library


def inputs(M, N):
    """Arrays as the C program fills them."""
    return library.filled("syrk", M=M, N=N)


def kernel(A, C):
    """C := 1.5 A A' + 1.2 C, its lower triangle."""
    m, n = A.shape[1], len(A)
    library.call(
        "dsyrk", library.ROWS, library.LOWER, library.PLAIN,
        n, m, 1.5, A, m, 1.2, C, n,
    )  # fmt: skip
    return {"C": C}
