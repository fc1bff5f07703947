"""The two products of a step of BiCG."""

import polysched as ps

SIZES = {"m": 4000, "n": 4400}


@ps.kernel
def kernel(A: ps.float64["N", "M"], p: ps.float64["M"], r: ps.float64["N"]):
    return r @ A, A @ p


reference = kernel.function


def inputs(rng, m, n):
    """Arguments of a call."""
    return rng.random((n, m)), rng.random(m), rng.random(n)
