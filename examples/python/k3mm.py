"""A B C D, three products."""

import polysched as ps

SIZES = {"ni": 700, "nj": 750, "nk": 800, "nl": 850, "nm": 900}


@ps.kernel
def kernel(
    A: ps.float64["I", "K"],
    B: ps.float64["K", "J"],
    C: ps.float64["J", "M"],
    D: ps.float64["M", "L"],
):
    return (A @ B) @ (C @ D)


reference = kernel.function


def inputs(rng, ni, nj, nk, nl, nm):
    """Arguments of a call."""
    return (
        rng.random((ni, nk)),
        rng.random((nk, nj)),
        rng.random((nj, nm)),
        rng.random((nm, nl)),
    )
