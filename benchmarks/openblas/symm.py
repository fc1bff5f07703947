"""symm.c by cblas_dsymm."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
import library


def inputs(M, N):
    """Arrays as the C program fills them."""
    return library.filled("symm", M=M, N=N)


def kernel(A, B, C):
    """C := 1.5 A B + 1.2 C with the lower triangle of A given."""
    m, n = B.shape
    library.call(
        "dsymm", library.ROWS, library.LEFT, library.LOWER,
        m, n, 1.5, A, m, B, n, 1.2, C, n,
    )  # fmt: skip
    return {"C": C}
