"""y = A x for a matrix of which each row lists its elements that are not zero."""

import numpy as np

import polysched as ps

SIZES = {"n": 200_000}
PER_ROW = 12


@ps.kernel
def kernel(
    y: ps.float64["N"],
    value: ps.float64["Z"],
    column: ps.int64["Z"],
    start: ps.int64["P"],
    x: ps.float64["M"],
):
    for i in range(len(y)):
        total = 0.0
        for k in range(start[i], start[i + 1]):
            total += value[k] * x[column[k]]
        y[i] = total


def reference(y, value, column, start, x):
    """The same by NumPy."""
    for i in range(len(y)):
        row = slice(start[i], start[i + 1])
        y[i] = value[row] @ x[column[row]]


def inputs(rng, n):
    """Arguments of a call; some rows have no element."""
    lengths = rng.integers(0, 2 * PER_ROW, n)
    start = np.concatenate([[0], np.cumsum(lengths)])
    column = rng.integers(0, n, start[-1])
    return np.zeros(n), rng.random(start[-1]), column, start, rng.random(n)
