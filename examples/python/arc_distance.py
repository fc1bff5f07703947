"""Distances between points on a sphere."""

import numpy as np

import polysched as ps

SIZES = {"n": 1000000}


@ps.kernel
def kernel(
    theta1: ps.float64["N"],
    phi1: ps.float64["N"],
    theta2: ps.float64["N"],
    phi2: ps.float64["N"],
):
    a = (
        np.sin((theta2 - theta1) / 2) ** 2
        + np.cos(theta1) * np.cos(theta2) * np.sin((phi2 - phi1) / 2) ** 2
    )
    return 2 * np.arctan2(np.sqrt(a), np.sqrt(1 - a))


reference = kernel.function


def inputs(rng, n):
    """Arguments of a call."""
    return tuple(rng.random((4, n)))
