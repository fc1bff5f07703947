"""A matrix plus a sum over its diagonal."""

import numpy as np

import polysched as ps

SIZES = {"n": 3000}


@ps.kernel
def kernel(a: ps.float64["N", "N"]):
    trace = 0.0
    for i in range(a.shape[0]):
        trace += np.tanh(a[i, i])
    return a + trace


reference = kernel.function


def inputs(rng, n):
    """Arguments of a call."""
    return (rng.random((n, n)),)
