"""Horizontal diffusion with a limiter, from weather models."""

import numpy as np

import polysched as ps

SIZES = {"i": 192, "j": 192, "k": 80}


@ps.kernel
def kernel(
    in_field: ps.float64["I4", "J4", "K"],
    coeff: ps.float64["I", "J", "K"],
    out_field: ps.float64["I", "J", "K"],
):
    ni, nj, _ = out_field.shape
    lap = 4.0 * in_field[1 : ni + 3, 1 : nj + 3, :] - (
        in_field[2 : ni + 4, 1 : nj + 3, :]
        + in_field[0 : ni + 2, 1 : nj + 3, :]
        + in_field[1 : ni + 3, 2 : nj + 4, :]
        + in_field[1 : ni + 3, 0 : nj + 2, :]
    )
    res = lap[1:, 1 : nj + 1, :] - lap[:-1, 1 : nj + 1, :]
    step = in_field[2 : ni + 3, 2 : nj + 2, :] - in_field[1 : ni + 2, 2 : nj + 2, :]
    flx = np.where(res * step > 0.0, 0.0, res)
    res2 = lap[1 : ni + 1, 1:, :] - lap[1 : ni + 1, :-1, :]
    step2 = in_field[2 : ni + 2, 2 : nj + 3, :] - in_field[2 : ni + 2, 1 : nj + 2, :]
    fly = np.where(res2 * step2 > 0.0, 0.0, res2)
    out_field[:] = in_field[2 : ni + 2, 2 : nj + 2, :] - coeff * (
        flx[1:, :, :] - flx[:-1, :, :] + fly[:, 1:, :] - fly[:, :-1, :]
    )


reference = kernel.function


def inputs(rng, i, j, k):
    """Arguments of a call."""
    return rng.random((i + 4, j + 4, k)), rng.random((i, j, k)), np.zeros((i, j, k))
