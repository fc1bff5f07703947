"""Two products with one matrix, once as it is and once transposed."""

import polysched as ps

SIZES = {"n": 4000}


@ps.kernel
def kernel(
    x1: ps.float64["N"],
    x2: ps.float64["N"],
    y1: ps.float64["N"],
    y2: ps.float64["N"],
    A: ps.float64["N", "N"],
):
    x1 += A @ y1
    x2 += y2 @ A


def reference(x1, x2, y1, y2, A):
    """The same by NumPy."""
    x1 += A @ y1
    x2 += y2 @ A


def inputs(rng, n):
    """Arguments of a call."""
    return *rng.random((4, n)), rng.random((n, n))
