"""Arrays made of parts of others: joined, padded, repeated, spread over a grid."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from polysched.tensor.arithmetic import (
    BadOperation,
    constant,
    convert,
    index,
    select,
)
from polysched.tensor.broadcast import ONE, broadcast, text_of
from polysched.tensor.calls import MISSING, Call
from polysched.tensor.creation import read_shape
from polysched.tensor.dtypes import promote
from polysched.tensor.expr import Const, Expr
from polysched.tensor.reductions import storages_of
from polysched.tensor.size import Size, as_size, floor_div
from polysched.tensor.values import (
    Indices,
    Lazy,
    Object,
    Pending,
    Readable,
    Value,
    View,
    axes,
    axis,
    remap,
    with_axis,
)

_MAX_COPIES = 64  # of what np.tile repeats: each is a loop nest


def join(call: Call, parts: Sequence[Readable], along: int) -> Pending:
    """Arrays one behind the other along an axis."""
    emitter, first = call.emitter, parts[0]
    if len({len(p.shape) for p in parts}) != 1:
        raise BadOperation(f"the parts of {call.name} differ in their dimensions")
    for other in parts[1:]:
        for k, (one, two) in enumerate(zip(first.shape, other.shape, strict=True)):
            if k != along:
                emitter.require(
                    one, "==", two, f"the shapes {text_of(first.shape)} and "
                    f"{text_of(other.shape)} cannot be joined along axis {along}",
                )  # fmt: skip
    dtype, _ = promote((p.dtype, False) for p in parts)
    starts = [as_size(0)]
    for part in parts:
        emitter.require(
            part.shape[along], ">=", 0, f"a part of {call.name} ends before it begins"
        )
        starts.append(starts[-1] + part.shape[along])

    def into(place: View) -> None:
        for start, part in zip(starts, parts, strict=False):
            with emitter.loops(part.shape) as at:
                to = (*at[:along], at[along] + start, *at[along + 1 :])
                emitter.assign(place.at(to), convert(part.at(at), dtype))

    shape = (*first.shape[:along], starts[-1], *first.shape[along + 1 :])
    return Pending(shape, dtype, storages_of(emitter, *parts), into)


def _parts(call: Call, given: Value) -> list[Readable]:
    if not isinstance(given, tuple) or not given:
        raise BadOperation(f"{call.name} needs a tuple or list of arrays")
    return [call.array(v, "a part") for v in given]


def _concatenate(call: Call) -> Value:
    given, where = call.bind("arrays", "axis", required=1)
    parts = _parts(call, given)
    along = 0 if where is MISSING else _one_axis(call, where, len(parts[0].shape))
    return join(call, parts, along)


def _one_axis(call: Call, where: Value, rank: int) -> int:
    if isinstance(where, Object):
        raise BadOperation(f"axis of {call.name} has to be a constant integer")
    return call.axes(where, rank)[0]


def _stack(call: Call) -> Value:
    given, where = call.bind("arrays", "axis", required=1)
    parts = _parts(call, given)
    rank = len(parts[0].shape) + 1
    along = 0 if where is MISSING else _one_axis(call, where, rank)
    return join(call, [with_axis(p, along) for p in parts], along)


def _horizontal(call: Call) -> Value:
    parts = _parts(call, call.bind("tup", required=1)[0])
    return join(call, parts, min(1, len(parts[0].shape) - 1))


def _vertical(call: Call) -> Value:
    parts = _parts(call, call.bind("tup", required=1)[0])
    rows = [with_axis(p, 0) if len(p.shape) == 1 else p for p in parts]
    return join(call, rows, 0)


def _columns(call: Call) -> Value:
    parts = _parts(call, call.bind("tup", required=1)[0])
    columns = [with_axis(p, 1) if len(p.shape) == 1 else p for p in parts]
    return join(call, columns, 1)


def _tile(call: Call) -> Value:
    given, reps = call.bind("A", "reps", required=2)
    array: Readable = call.array(given)
    items = reps if isinstance(reps, tuple) else (reps,)
    counts = [call.integer(v, "reps") for v in items]
    while len(array.shape) < len(counts):
        array = with_axis(array, 0)
    counts = [1] * (len(array.shape) - len(counts)) + counts
    if not all(0 < c <= _MAX_COPIES for c in counts):
        raise BadOperation(f"{call.name} takes from 1 to {_MAX_COPIES} repetitions")
    for along, count in enumerate(counts):
        if count > 1:
            array = call.emitter.settle(join(call, [array] * count, along))
    return Lazy(array.shape, array.dtype, array.at)


def _repeat(call: Call) -> Value:
    given, repeats, where = call.bind("a", "repeats", "axis", required=2)
    array, count = call.array(given), call.integer(repeats, "repeats")
    if where is MISSING and len(array.shape) > 1:
        raise BadOperation(f"{call.name} needs an axis here")
    along = 0 if where is MISSING else _one_axis(call, where, len(array.shape))
    if count < 1:
        raise BadOperation(f"{call.name} takes a positive number of repeats")
    indices = list(axes(len(array.shape)))
    indices[along] = floor_div(axis(along), count, is_plain=True)
    shape = list(array.shape)
    shape[along] = shape[along] * count
    view = remap(array, shape, tuple(indices))
    return Lazy(view.shape, view.dtype, view.at)


def _difference(call: Call) -> Value:
    names = ("a", "n", "axis", "prepend", "append")
    given, times, where, *ends = call.bind(*names, required=1)
    value: Readable = call.array(given)
    if any(e is not MISSING for e in ends):
        value = _with_ends(call, value, ends)
    along = len(value.shape) - 1
    if where is not MISSING:
        along = _one_axis(call, where, len(value.shape))
    if value.dtype == "bool":
        raise BadOperation(f"{call.name} of truth values", "use .astype(...)")
    for _ in range(1 if times is MISSING else call.integer(times, "n")):
        call.emitter.require(
            value.shape[along], ">=", 1, f"{call.name} of no elements is not supported"
        )
        shape = [s - int(k == along) for k, s in enumerate(value.shape)]
        here = axes(len(shape))
        later = tuple(i + int(k == along) for k, i in enumerate(here))
        found: Any = call.evaluator.reader.library_call(
            np.subtract, remap(value, shape, later), remap(value, shape, here)
        )
        value = found
    return value


def _with_ends(call: Call, value: Readable, ends: Sequence[Value]) -> Readable:
    """A vector with numbers or vectors before and behind it."""
    if len(value.shape) != 1:
        raise BadOperation(f"{call.name} with prepend or append takes vectors only")
    parts: list[Readable] = []
    for end in (ends[0], None, ends[1]):
        if end is MISSING:
            continue
        found = value if end is None else call.number(end)
        if isinstance(found, Expr):
            number = convert(call.evaluator.reader.kept(found), found.dtype)
            dtype, _ = promote([(value.dtype, False), (number.dtype, found.is_weak)])
            parts.append(_single(convert(number, dtype)))
        else:
            parts.append(found)
    return call.emitter.settle(join(call, parts, 0))


def _single(value: Expr) -> Lazy:
    """An array of one element."""
    return Lazy((ONE,), value.dtype, lambda _: value)


def _triangle(is_upper: bool) -> Callable[[Call], Value]:
    def handler(call: Call) -> Value:
        given, offset = call.bind("m", "k", required=1)
        array = call.array(given)
        if len(array.shape) < 2:
            raise BadOperation(f"{call.name} is taken for matrices only")
        shift = 0 if offset is MISSING else call.integer(offset, "k")
        arithmetic = call.emitter.arithmetic
        zero = constant(0, array.dtype, is_weak=False)

        def element(at: Indices) -> Expr:
            row, column = index(at[-2] + shift), index(at[-1])
            kept = arithmetic.compare(">=" if is_upper else "<=", column, row)
            return select(kept, array.at(at), zero)

        return Lazy(array.shape, array.dtype, element)

    return handler


def _linspace(call: Call) -> Value:
    names = ("start", "stop", "num", "endpoint")
    first, last, number, endpoint = call.bind(*names, required=2)
    (count,) = (as_size(50),) if number is MISSING else read_shape(number)
    is_closed = endpoint is MISSING or call.flag(endpoint, "endpoint")
    arithmetic, kept = call.emitter.arithmetic, call.evaluator.reader.kept
    ends = [convert(_scalar(call, v), "float64") for v in (first, last)]
    start, stop = (e if isinstance(e, Const) else kept(e) for e in ends)
    call.emitter.require(count, ">=", 2, f"{call.name} of fewer than two numbers")
    gaps = convert(index(count - int(is_closed)), "float64")
    span = arithmetic.binary("-", stop, start)
    step = kept(arithmetic.binary("/", span, gaps))

    def element(at: Indices) -> Expr:
        moved = arithmetic.binary("*", convert(index(at[0]), "float64"), step)
        value = arithmetic.binary("+", moved, start)
        if not is_closed:
            return value
        is_last = arithmetic.compare("==", index(at[0]), index(count - 1))
        return select(is_last, stop, value)

    return Lazy((count,), "float64", element)


def _scalar(call: Call, value: Value) -> Expr:
    found = call.number(value)
    if isinstance(found, Expr):
        return found
    raise BadOperation(f"{call.name} takes numbers here, found an array")


def _grid(call: Call) -> Value:
    keywords = dict(call.keywords)
    order = keywords.pop("indexing", Object("xy"))
    if keywords or not isinstance(order, Object) or order.value not in ("xy", "ij"):
        raise BadOperation(f'{call.name} takes indexing="xy" or "ij" only')
    vectors = [call.array(v) for v in call.args]
    if any(len(v.shape) != 1 for v in vectors):
        raise BadOperation(f"{call.name} is taken for vectors only")
    n = len(vectors)
    places = list(range(n))
    if order.value == "xy" and n > 1:
        places[:2] = [1, 0]
    shape = [vectors[places[k]].shape[0] for k in range(n)]
    found = []
    for vector, place in zip(vectors, places, strict=True):
        ones = [vector.shape[0] if k == place else ONE for k in range(n)]
        view = broadcast(remap(vector, ones, (axis(place),)), shape)
        found.append(Lazy(view.shape, view.dtype, view.at))
    return tuple(found)


def _kron(call: Call) -> Value:
    one, two = (call.array(v) for v in call.bind("a", "b", required=2))
    if len(one.shape) != len(two.shape):
        raise BadOperation(f"{call.name} of arrays with different dimensions")
    sizes = [s.constant for s in two.shape if s.is_constant]
    if len(sizes) != len(two.shape):
        raise BadOperation(
            f"the shape {text_of(two.shape)} of the second factor has to be constant",
            "the position i * size + j is not affine otherwise",
        )
    dtype, _ = promote((v.dtype, False) for v in (one, two))
    emitter, n = call.emitter, len(sizes)

    def into(place: View) -> None:
        with emitter.loops((*one.shape, *two.shape)) as at:
            to = tuple(i * s + j for i, s, j in zip(at[:n], sizes, at[n:], strict=True))
            left, right = (convert(v, dtype) for v in (one.at(at[:n]), two.at(at[n:])))
            value = emitter.arithmetic.binary("*", left, right, True)
            emitter.assign(place.at(to), value)

    shape = tuple(s * c for s, c in zip(one.shape, sizes, strict=True))
    return Pending(shape, dtype, storages_of(emitter, one, two), into)


def _convolution(is_flipped: bool, default: str) -> Callable[[Call], Value]:
    """Sums of products of two vectors that slide along each other."""

    def handler(call: Call) -> Value:
        first, second, given = call.bind("a", "v", "mode", required=2)
        mode = default if given is MISSING else getattr(given, "value", None)
        if mode not in ("valid", "same", "full"):
            raise BadOperation(f"mode of {call.name} is valid, same or full")
        one, two = call.array(first), call.array(second)
        if len(one.shape) != 1 or len(two.shape) != 1:
            raise BadOperation(f"{call.name} takes two vectors")
        (n,), (m,), emitter = one.shape, two.shape, call.emitter
        emitter.require(m, ">=", 1, f"{call.name} with an empty array")
        if mode != "full":
            emitter.require(
                n, ">=", m, f"the second array of {call.name} is the longer one",
                "exchange them",
            )  # fmt: skip
        last = m - 1
        weights = two if is_flipped else remap(two, two.shape, (last - axis(0),))
        if mode == "valid":
            return _slide(call, one, weights, (n - last,), last)
        whole = emitter.settle(_slide(call, one, weights, (n + last,), None))
        if mode == "full":
            return whole
        return remap(whole, (n,), (axis(0) + floor_div(last, 2),))

    return handler


def _slide(
    call: Call, one: Readable, two: Readable, shape: Indices, last: Size | None
) -> Pending:
    """out[i + k] += one[i] * two[k]; with `last`, where all of `two` fits only."""
    dtype, _ = promote((v.dtype, False) for v in (one, two))
    emitter = call.emitter
    product = emitter.arithmetic.binary

    def add(target: Any, i: Size, k: Size) -> None:
        left, right = (convert(v, dtype) for v in (one.at((i,)), two.at((k,))))
        term = product("*", left, right, True)
        emitter.assign(target, product("+", target, term, True))

    def into(place: View) -> None:
        zero = constant(0, dtype, is_weak=False)
        with emitter.loops(shape) as at:
            emitter.assign(place.at(at), zero)
            if last is not None:
                with emitter.loops(two.shape) as along:
                    add(place.at(at), at[0] + last - along[0], along[0])
        if last is None:
            with emitter.loops((*one.shape, *two.shape)) as at:
                add(place.at((at[0] + at[1],)), at[0], at[1])

    return Pending(shape, dtype, storages_of(emitter, one, two), into)


FUNCTIONS: dict[Any, Callable[[Call], Value]] = {
    np.concatenate: _concatenate,
    np.stack: _stack,
    np.hstack: _horizontal,
    np.vstack: _vertical,
    np.column_stack: _columns,
    np.tile: _tile,
    np.repeat: _repeat,
    np.diff: _difference,
    np.triu: _triangle(True),
    np.tril: _triangle(False),
    np.linspace: _linspace,
    np.meshgrid: _grid,
    np.kron: _kron,
    np.convolve: _convolution(True, "full"),
    np.correlate: _convolution(False, "valid"),
}
METHODS: dict[str, Callable[[Call], Value]] = {"repeat": _repeat}
