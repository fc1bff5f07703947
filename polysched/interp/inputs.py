"""Random inputs that keep computations finite."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from polysched.interp.memory import Values, infer_shapes, numpy_dtype
from polysched.ir import Scop


def random_inputs(
    scop: Scop, parameters: Mapping[str, int], seed: int
) -> dict[str, Values]:
    """Initial values for every array of a SCoP that is not private.

    Parameters
    ----------
    scop : Scop
        Its arrays.
    parameters : mapping of str to int
        A value for each parameter.
    seed : int
        Equal seeds give equal values.

    Returns
    -------
    dict of str to numpy array
        Floating values lie in [0.5, 1.5], safe to divide by and to take roots of; the
        diagonals of square matrices are raised by their size, so that factorisations
        stay regular. Integers lie in 1 .. 9.
    """
    rng = np.random.default_rng(seed)
    values: dict[str, Values] = {}
    for array in scop.arrays:
        shape = infer_shapes(scop, parameters)[array.name]
        if array.is_private or array.n_expanded:
            continue
        dtype = numpy_dtype(array.type)
        if not array.type.is_float:
            top = 2 if array.type.name == "_Bool" else 10
            values[array.name] = rng.integers(1, top, shape).astype(dtype)
            continue
        content = np.asarray(rng.uniform(0.5, 1.5, shape))
        if len(shape) >= 2 and shape[-1] == shape[-2]:
            diagonal = np.arange(shape[-1])
            content[..., diagonal, diagonal] += shape[-1]
        values[array.name] = content.astype(dtype)
    return values
