"""``np.round`` and Python's ``round``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from polysched.tensor.arithmetic import BadOperation, c_function, constant
from polysched.tensor.broadcast import elementwise
from polysched.tensor.calls import MISSING, Call
from polysched.tensor.dtypes import is_float
from polysched.tensor.expr import Const, Expr, Op
from polysched.tensor.ufuncs import rounding_call, strong
from polysched.tensor.values import Value


def _round(call: Call) -> Value:
    values = call.bind("a", "decimals", required=1)
    decimals = 0 if values[1] is MISSING else call.integer(values[1], "decimals")
    number, binary = call.number(values[0]), call.emitter.arithmetic.binary
    if decimals == 0 or not is_float(number.dtype):
        if decimals < 0:
            raise BadOperation(f"{call.name} of integers to {decimals} decimals")
        return elementwise(call.emitter, rounding_call("rint"), number)
    scale = constant(10.0 ** abs(decimals))
    there, back = ("*", "/") if decimals > 0 else ("/", "*")

    def rounded(value: Expr) -> Expr:
        moved = rounding_call("rint")(binary(there, strong(value), scale))
        return binary(back, moved, scale)

    return elementwise(call.emitter, rounded, number)


def _python_round(call: Call) -> Value:
    """Python's round of a number: an integer without digits."""
    value, digits = call.bind("number", "ndigits", required=1)
    number = call.number(value)
    if not isinstance(number, Expr):
        raise BadOperation(f"{call.name} takes a number, found an array")
    if not is_float(number.dtype):
        raise BadOperation(f"{call.name} of an integer", "leave it out")
    if digits is not MISSING:
        raise BadOperation(f"{call.name} with digits", "use np.round")
    if isinstance(number, Const):
        return constant(round(number.value))
    rint = c_function("rint", number.dtype)
    whole = Op(number.dtype, number.is_weak, rint, (number,))
    return Op("int64", True, "cast", (whole,))


FUNCTIONS: dict[Any, Callable[[Call], Value]] = {
    np.round: _round,
    np.around: _round,
    round: _python_round,
}
METHODS: dict[str, Callable[[Call], Value]] = {"round": _round}
