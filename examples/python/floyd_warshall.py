"""Shortest paths between all nodes."""

import numpy as np

import polysched as ps

SIZES = {"n": 700}


@ps.kernel
def kernel(path: ps.float64["N", "N"]):
    n = path.shape[0]
    for k in range(n):
        for i in range(n):
            for j in range(n):
                path[i, j] = min(path[i, j], path[i, k] + path[k, j])


def reference(path):
    """The same by NumPy."""
    for k in range(path.shape[0]):
        path[:] = np.minimum(path, np.add.outer(path[:, k], path[k, :]))


def inputs(rng, n):
    """Arguments of a call."""
    return (rng.random((n, n)),)
