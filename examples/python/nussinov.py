"""How many bases of a strand can be paired."""

import numpy as np

import polysched as ps

SIZES = {"n": 200}


@ps.kernel
def kernel(seq: ps.int32["N"], table: ps.int32["N", "N"]):
    n = seq.shape[0]
    for i in range(n - 1, -1, -1):
        for j in range(i + 1, n):
            table[i, j] = max(table[i, j], table[i, j - 1])
            table[i, j] = max(table[i, j], table[i + 1, j])
            if i < j - 1:
                pair = 1 if seq[i] + seq[j] == 3 else 0
                table[i, j] = max(table[i, j], table[i + 1, j - 1] + pair)
            else:
                table[i, j] = max(table[i, j], table[i + 1, j - 1])
            for k in range(i + 1, j):
                table[i, j] = max(table[i, j], table[i, k] + table[k + 1, j])


def reference(seq, table):
    """The same by NumPy's maxima of vectors."""
    n = seq.shape[0]
    for i in range(n - 1, -1, -1):
        for j in range(i + 1, n):
            pair = int(i < j - 1 and seq[i] + seq[j] == 3)
            best = max(table[i, j], table[i, j - 1], table[i + 1, j])
            best = max(best, table[i + 1, j - 1] + pair)
            if j > i + 1:
                split = table[i, i + 1 : j] + table[i + 2 : j + 1, j]
                best = max(best, split.max())
            table[i, j] = best


def inputs(rng, n):
    """Arguments of a call."""
    return rng.integers(0, 4, n, dtype=np.int32), np.zeros((n, n), np.int32)
