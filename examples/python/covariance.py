"""Covariances of the columns of a table."""

import numpy as np

import polysched as ps

SIZES = {"m": 1000, "n": 1200}


@ps.kernel
def kernel(data: ps.float64["N", "M"]):
    centred = data - np.mean(data, axis=0)
    return centred.T @ centred / (data.shape[0] - 1.0)


reference = kernel.function


def inputs(rng, m, n):
    """Arguments of a call."""
    return (rng.random((n, m)),)
