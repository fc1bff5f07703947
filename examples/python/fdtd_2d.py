"""Electric and magnetic fields in a plane, step by step."""

import numpy as np

import polysched as ps

SIZES = {"steps": 60, "nx": 700, "ny": 800}


@ps.kernel
def kernel(
    ex: ps.float64["X", "Y"],
    ey: ps.float64["X", "Y"],
    hz: ps.float64["X", "Y"],
    source: ps.float64["T"],
):
    for t in range(source.shape[0]):
        ey[0, :] = source[t]
        ey[1:, :] -= 0.5 * (hz[1:, :] - hz[:-1, :])
        ex[:, 1:] -= 0.5 * (hz[:, 1:] - hz[:, :-1])
        hz[:-1, :-1] -= 0.7 * (ex[:-1, 1:] - ex[:-1, :-1] + ey[1:, :-1] - ey[:-1, :-1])


reference = kernel.function


def inputs(rng, steps, nx, ny):
    """Arguments of a call."""
    return (*rng.random((3, nx, ny)).copy(), np.arange(float(steps)))
