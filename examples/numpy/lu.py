"""lu.c by NumPy."""

import numpy as np

BLOCK = 128


def inputs(N):
    """Arrays as the C program fills them."""
    i = np.arange(N)
    A = (1 + (3 * i[:, None] + 4 * i) % 11) / (12.0 * N)
    A[i, i] = 1.5 + i % 3
    return {"A": A}


def kernel(A):
    """Factors a block of columns, then updates the rest by matrix products."""
    A = A.copy()
    for start in range(0, len(A), BLOCK):
        rest = A[start:, start:]
        factor(rest[:, :BLOCK])
        update(rest, min(BLOCK, len(rest)), len(rest))
    return {"A": A}


def factor(panel):
    """LU of some columns in place: halves, so that most work is matrix products."""
    width = min(panel.shape)
    if width == 1:
        panel[1:, 0] /= panel[0, 0]
        return
    half = width // 2
    factor(panel[:, :half])
    update(panel, half, width)
    factor(panel[half:, half:width])


def update(block, done, width):
    """Columns from `done` on after the factors of the first ones."""
    lower = np.tril(block[:done, :done], -1) + np.eye(done)
    block[:done, done:width] = np.linalg.solve(lower, block[:done, done:width])
    block[done:, done:width] -= block[done:, :done] @ block[:done, done:width]
