"""``np.pad``: an array with a border of constants, or of its own elements."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from polysched.tensor.arithmetic import BadOperation, constant, convert
from polysched.tensor.calls import MISSING, Call
from polysched.tensor.emitter import Emitter
from polysched.tensor.expr import Const, Expr
from polysched.tensor.reductions import storages_of
from polysched.tensor.size import Size, as_size
from polysched.tensor.values import Indices, Pending, Readable, Value, View

Source = Callable[[Size], Size]
_LEAST = {"edge": 1, "reflect": 1, "symmetric": 0, "wrap": 0}  # beside the border


@dataclass(frozen=True)
class _Stretch:
    """A part of an axis of the result: where it begins, what it repeats if anything."""

    start: Size
    extent: Size
    source: Source | None


def _pad(call: Call) -> Value:
    given, width, how, fill = call.bind(
        "array", "pad_width", "mode", "constant_values", required=2
    )
    array = call.array(given)
    mode = "constant" if how is MISSING else getattr(how, "value", None)
    if mode != "constant" and mode not in _LEAST:
        raise BadOperation(
            f"mode of {call.name} is constant, edge, reflect, symmetric or wrap"
        )
    value: Expr = constant(0) if fill is MISSING else _number(call, fill)
    if not isinstance(value, Const):
        value = call.evaluator.reader.kept(value)
    value = convert(value, array.dtype)
    widths = _widths(call, width, len(array.shape))
    for size in array.shape:
        call.emitter.require(
            size, ">=", 0, f"{call.name} of a slice that ends before it begins"
        )
    stretches = [
        _stretches(call, mode, size, *ends)
        for size, ends in zip(array.shape, widths, strict=True)
    ]
    shape = tuple(
        size + before + after
        for size, (before, after) in zip(array.shape, widths, strict=True)
    )
    writer = _Writer(call.emitter, array, value, stretches, shape)
    return Pending(shape, array.dtype, storages_of(call.emitter, array), writer.write)


def _number(call: Call, value: Value) -> Expr:
    found = call.number(value)
    if isinstance(found, Expr):
        return found
    raise BadOperation(f"constant_values of {call.name} has to be one number")


def _widths(call: Call, given: Value, rank: int) -> list[tuple[int, int]]:
    """Elements before and behind, per axis: n, (before, after), or a pair per axis."""
    items = given if isinstance(given, tuple) else (given,)
    if all(isinstance(i, tuple) for i in items):
        pairs = [tuple(call.integer(v, "pad_width") for v in i) for i in items]
        if len(pairs) == 1:
            pairs = pairs * rank
    else:
        pairs = [tuple(call.integer(v, "pad_width") for v in items)] * rank
    full = [p * 2 if len(p) == 1 else p for p in pairs]
    if len(full) != rank or any(len(p) != 2 or min(p) < 0 for p in full):
        raise BadOperation(f"pad_width of {call.name} does not fit {rank} dimensions")
    return [(p[0], p[1]) for p in full]


def _stretches(
    call: Call, mode: str, size: Size, before: int, after: int
) -> list[_Stretch]:
    if mode in _LEAST and max(before, after):
        least = 1 if mode == "edge" else max(before, after) + _LEAST[mode]
        call.emitter.require(
            size, ">=", least, f"{call.name} of {size} elements by {max(before, after)}"
        )
    sources: dict[str, tuple[Source, Source] | None] = {
        "constant": None,
        "edge": (lambda _: as_size(0), lambda _: size - 1),
        "reflect": (lambda i: -i + before, lambda i: size - 2 - i),
        "symmetric": (lambda i: -i + (before - 1), lambda i: size - 1 - i),
        "wrap": (lambda i: size - before + i, lambda i: i),
    }
    ends = sources[mode]
    first, last = ends or (None, None)
    found = [
        _Stretch(as_size(0), as_size(before), first),
        _Stretch(as_size(before), size, lambda i: i),
        _Stretch(size + before, as_size(after), last),
    ]
    return [s for s in found if s.extent != as_size(0)]


@dataclass(frozen=True)
class _Writer:
    """Writes every element once, row by row."""

    emitter: Emitter
    array: Readable
    fill: Expr
    stretches: list[list[_Stretch]]
    shape: tuple[Size, ...]

    def write(self, place: View) -> None:
        """All elements of a place."""
        self._rest(place, (), ())

    def _rest(self, place: View, to: Indices, source: Indices | None) -> None:
        k = len(to)
        if k == len(self.shape):
            value = self.fill if source is None else self.array.at(source)
            self.emitter.assign(place.at(to), value)
            return
        stretches = self.stretches[k]
        if source is None:
            stretches = [_Stretch(as_size(0), self.shape[k], None)]
        for part in stretches:
            with self.emitter.loops([part.extent]) as (i,):
                inner: Any = None
                if source is not None and part.source is not None:
                    inner = (*source, part.source(i))
                self._rest(place, (*to, part.start + i), inner)


FUNCTIONS: dict[Any, Callable[[Call], Value]] = {np.pad: _pad}
