"""Two updates of rank 1, and products with the result."""

import numpy as np

import polysched as ps

SIZES = {"n": 3600}


@ps.kernel
def kernel(
    alpha: float,
    beta: float,
    A: ps.float64["N", "N"],
    u1: ps.float64["N"],
    v1: ps.float64["N"],
    u2: ps.float64["N"],
    v2: ps.float64["N"],
    w: ps.float64["N"],
    x: ps.float64["N"],
    y: ps.float64["N"],
    z: ps.float64["N"],
):
    A += np.outer(u1, v1) + np.outer(u2, v2)
    x += beta * y @ A + z
    w += alpha * A @ x


reference = kernel.function


def inputs(rng, n):
    """Arguments of a call."""
    return 1.5, 1.2, rng.random((n, n)), *rng.random((8, n))
