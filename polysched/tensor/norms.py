"""``np.linalg.norm``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from polysched.tensor.arithmetic import BadOperation, c_function, constant, convert
from polysched.tensor.calls import MISSING, Call
from polysched.tensor.dtypes import divided
from polysched.tensor.expr import Expr, Op
from polysched.tensor.reductions import (
    accumulate,
    combine_greatest,
    combine_sum,
    keep_axes,
    then,
)
from polysched.tensor.values import Indices, Lazy, Object, Value


def _norm(call: Call) -> Value:
    given = call.bind("x", "ord", "axis", "keepdims", required=1)
    value, emitter = call.array(given[0]), call.emitter
    reduced = call.axes(given[2], len(value.shape))
    order = given[1].value if isinstance(given[1], Object) else given[1]
    dtype = divided(value.dtype)
    kind = _norm_kind(call, order, len(reduced), given[2] is MISSING)

    def term(indices: Indices) -> Expr:
        element = convert(value.at(indices), dtype)
        if kind == 2:
            return Op(dtype, False, "*", (element, element))
        return emitter.arithmetic.absolute(element)

    terms = Lazy(value.shape, dtype, term)
    combine = combine_sum if kind in (1, 2) else combine_greatest
    for k in reduced if combine is combine_greatest else ():
        emitter.require(value.shape[k], ">=", 1, f"{call.name} of no elements")
    start = constant(0, dtype, is_weak=False) if combine is combine_sum else None
    result = accumulate(emitter, terms, reduced, dtype, combine, start)
    if kind == 2:
        root = c_function("sqrt", dtype)
        result = then(emitter, result, lambda v: Op(dtype, False, root, (v,)))
    return keep_axes(call, result, value.shape, reduced, given[3])


def _norm_kind(call: Call, order: Any, n_axes: int, is_whole: bool) -> int | float:
    """1 or 2 for sums of magnitudes or squares, infinity for the greatest."""
    if order in ("<missing>", None) or (order == "fro" and n_axes == 2):
        return 2
    found = getattr(order, "value", order)
    if n_axes == 1 and found in (1, 2, np.inf):
        return int(found) if found != np.inf else np.inf
    raise BadOperation(
        f"{call.name} with this ord",
        'it takes 1, 2 and np.inf of vectors, "fro" of matrices',
    )


FUNCTIONS: dict[Any, Callable[[Call], Value]] = {np.linalg.norm: _norm}
