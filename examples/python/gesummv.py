"""y = alpha A x + beta B x."""

import polysched as ps

SIZES = {"n": 3600}


@ps.kernel
def kernel(
    alpha: float,
    beta: float,
    A: ps.float64["N", "N"],
    B: ps.float64["N", "N"],
    x: ps.float64["N"],
):
    return alpha * A @ x + beta * B @ x


reference = kernel.function


def inputs(rng, n):
    """Arguments of a call."""
    return 1.5, 1.2, rng.random((n, n)), rng.random((n, n)), rng.random(n)
