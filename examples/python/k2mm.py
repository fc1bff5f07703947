"""D = alpha A B C + beta D, two products."""

import polysched as ps

SIZES = {"ni": 800, "nj": 900, "nk": 1000, "nl": 850}


@ps.kernel
def kernel(
    alpha: float,
    beta: float,
    A: ps.float64["I", "K"],
    B: ps.float64["K", "J"],
    C: ps.float64["J", "L"],
    D: ps.float64["I", "L"],
):
    D[:] = alpha * A @ B @ C + beta * D


reference = kernel.function


def inputs(rng, ni, nj, nk, nl):
    """Arguments of a call."""
    return (
        1.5,
        1.2,
        rng.random((ni, nk)),
        rng.random((nk, nj)),
        rng.random((nj, nl)),
        rng.random((ni, nl)),
    )
