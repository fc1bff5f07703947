"""A clipped combination of integer tables."""

import numpy as np

import polysched as ps

SIZES = {"m": 2000, "n": 2000}


@ps.kernel
def kernel(x: ps.int64["M", "N"], y: ps.int64["M", "N"], a: int, b: int, c: int):
    return np.minimum(np.maximum(x, 2), 10) * a + y * b + c


reference = kernel.function


def inputs(rng, m, n):
    """Arguments of a call."""
    x, y = rng.integers(0, 1000, (2, m, n))
    return x.copy(), y.copy(), 4, 3, 9
