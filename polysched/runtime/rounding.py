"""How far floating point results may differ when only rounding does."""

from __future__ import annotations

from collections.abc import Mapping

import islpy as isl

from polysched.analysis import find_reductions
from polysched.ir import Scop
from polysched.ir.types import BFLOAT, DOUBLE, FLOAT, HALF
from polysched.sets import list_maps, n_dims, read_set

_EPSILONS = {HALF: 2.0**-10, BFLOAT: 2.0**-7, FLOAT: 2.0**-23, DOUBLE: 2.0**-52}
_SAFETY = 16.0
_LARGEST = {HALF: 2e-2, BFLOAT: 1e-1, FLOAT: 1e-2, DOUBLE: 1e-6}
_UNKNOWN_LENGTH = 1 << 20
_TF32_ERROR = 2.0**-10  # of a product: each factor to the nearest of 11 bits
_TF32_SAFETY = 4.0
_LARGEST_TF32 = 5e-2


def rounding_bounds(
    scop: Scop, parameters: Mapping[str, int], *, is_tf32: bool = False
) -> dict[str, float]:
    """For each array the largest difference that rounding explains.

    Parameters
    ----------
    scop : Scop
        Its chains of updates decide.
    parameters : mapping of str to int
        Values of the parameters in the run; missing ones make a chain long.
    is_tf32 : bool
        Whether factors of float products may have been rounded to 10 bits of mantissa.

    Returns
    -------
    dict of str to float
        Relative to the largest magnitude in the array. Each update of a cell rounds at
        most a few times, whether fused or not and in whatever order, and the updates
        of all statements may feed each other: 16 x epsilon x (sum over statements of
        the updates per cell), at most 1e-2 for float and 1e-6 for double, 2e-2 for
        `_Float16` and 1e-1 for `__bf16` (some twenty and a dozen of their units).
        This is the usual first-order bound for sums; programs that amplify errors more
        (an ill-conditioned solve) may exceed it, and then are reported as different.
        Integers are not listed: they must be equal. With rounded factors a product is
        off by 2^-10 of itself, and a sum of products by less of the largest one unless
        nearly all terms cancel in every sum: floats get 4 x 2^-10 for each statement
        that accumulates, as one may feed the next, at most 5e-2.
    """
    length = sum(_updates_per_cell(m, parameters) for m in list_maps(scop.may_writes))
    bounds = {}
    for array in scop.arrays:
        if array.type.is_float:
            bound = _SAFETY * _EPSILONS[array.type] * max(1, length)
            bound = min(bound, _LARGEST[array.type])
            if is_tf32 and array.type == FLOAT:
                bound = min(bound + _tf32_bound(scop), _LARGEST_TF32)
            bounds[array.name] = bound
    return bounds


def _tf32_bound(scop: Scop) -> float:
    """What rounded factors add to the bound of an array of floats."""
    names = {r.statement for r in find_reductions(scop) if r.target.type == FLOAT}
    return _TF32_SAFETY * _TF32_ERROR * len(names)


def _updates_per_cell(writes: isl.Map, parameters: Mapping[str, int]) -> int:
    """An upper bound on how many instances write one cell: a box around them."""
    fixed = writes.intersect_params(fix_parameters(parameters))
    if fixed.is_empty():
        return 0
    distances = fixed.apply_range(fixed.reverse()).deltas()
    total = 1
    for k in range(n_dims(distances)):
        largest = distances.dim_max_val(k)
        if not largest.is_int():
            return _UNKNOWN_LENGTH
        total *= 1 + int(largest.to_python())
    return min(total, _UNKNOWN_LENGTH)


def fix_parameters(values: Mapping[str, int]) -> isl.Set:
    """The one point of the parameter space that `values` describes."""
    names = ", ".join(values)
    fixed = " and ".join(f"{name} = {value}" for name, value in values.items())
    return read_set(f"[{names}] -> {{ : {fixed or 'true'} }}")
