"""Correlations of the columns of a table."""

import numpy as np

import polysched as ps

SIZES = {"m": 1000, "n": 1200}


@ps.kernel
def kernel(data: ps.float64["N", "M"]):
    n = data.shape[0]
    mean = np.mean(data, axis=0)
    deviation = np.sqrt(np.sum((data - mean) * (data - mean), axis=0) / n)
    deviation = np.where(deviation <= 0.1, 1.0, deviation)
    scaled = (data - mean) / (np.sqrt(float(n)) * deviation)
    return scaled.T @ scaled


reference = kernel.function


def inputs(rng, m, n):
    """Arguments of a call."""
    return (rng.random((n, m)),)
