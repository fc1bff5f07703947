"""Products that sum: matrix products, outer products, einsum."""

from __future__ import annotations

import string
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from polysched.tensor.arithmetic import BadOperation, constant, convert
from polysched.tensor.broadcast import (
    ONE,
    broadcast,
    common_shape,
    elementwise,
    text_of,
)
from polysched.tensor.calls import MISSING, Call
from polysched.tensor.dtypes import promote
from polysched.tensor.emitter import Emitter
from polysched.tensor.expr import Expr, Load, Op, walk
from polysched.tensor.reductions import storages_of, sum_type
from polysched.tensor.size import Size, as_size, symbol
from polysched.tensor.ufuncs import cast_to
from polysched.tensor.values import (
    Indices,
    Object,
    Pending,
    Readable,
    Value,
    View,
    axis,
    remap,
)

_CHEAP = frozenset({"+", "-", "*", "neg", "cast"})


def _plain(emitter: Emitter, value: Readable) -> Readable:
    """The operand, in an array of its own if computing it often costs much."""
    if isinstance(value, View):
        return value
    parts = list(walk(emitter.probe(value)))
    n_elements = sum(1 for e in parts if isinstance(e, Load) and e.subscripts)
    ops = [e for e in parts if isinstance(e, Op)]
    if n_elements <= 1 and all(e.op in _CHEAP for e in ops):
        return value
    return emitter.stored(value, "factor")


def contract(
    emitter: Emitter, operands: Sequence[Readable], labels: Sequence[str], output: str
) -> Pending:
    """The sum of products of elements over all labels that are not in `output`.

    Parameters
    ----------
    operands : sequence of array
        Factors.
    labels : sequence of str
        One letter per axis of each factor; the same letter runs over the same index.
    output : str
        Letters of the result's axes.
    """
    operands = [_plain(emitter, o) for o in operands]
    sizes = _sizes(emitter, operands, labels)
    summed = [c for c in sizes if c not in output]
    dtype, _ = promote((o.dtype, False) for o in operands)

    def product(position: dict[str, Size]) -> Expr:
        factors = [
            convert(_element(o, text, position, sizes), dtype)
            for o, text in zip(operands, labels, strict=True)
        ]
        result = factors[0]
        for factor in factors[1:]:
            result = Op(
                dtype, False, "&&" if dtype == "bool" else "*", (result, factor)
            )
        return result

    def add_up(target: Load, outer: Indices) -> None:
        position = dict(zip(output, outer, strict=True))
        if not summed:
            emitter.assign(target, product(position))
            return
        emitter.assign(target, constant(0, dtype, is_weak=False))
        with emitter.loops([sizes[c] for c in summed]) as inner:
            position |= dict(zip(summed, inner, strict=True))
            op = "||" if dtype == "bool" else "+"
            total = Op(dtype, False, op, (target, product(position)))
            emitter.assign(target, total, is_unordered=True)

    def into(place: View) -> None:
        if summed and _is_symmetric(operands, labels, output, sizes):
            _fill_triangle(emitter, place, add_up)
            return
        with emitter.loops(place.shape) as outer:
            add_up(place.at(outer), outer)

    shape = tuple(sizes[c] for c in output)
    return Pending(shape, dtype, storages_of(emitter, *operands), into)


def _is_symmetric(
    operands: Sequence[Readable],
    labels: Sequence[str],
    output: str,
    sizes: dict[str, Size],
) -> bool:
    """Whether a matrix is its own transpose: of an array with itself, transposed.

    Exchanging the two indices exchanges the two factors.
    """
    if len(output) != 2 or len(operands) != 2 or sizes[output[0]] != sizes[output[1]]:
        return False
    row, column = output[0], output[1]
    here = {c: symbol(f"${k}") for k, c in enumerate(sizes)}
    there = here | {row: here[column], column: here[row]}
    one, two = (
        [_element(o, text, where, sizes) for where in (here, there)]
        for o, text in zip(operands, labels, strict=True)
    )
    return _is_same(one[0], two[1]) and _is_same(one[1], two[0])


def _is_same(one: Expr, two: Expr) -> bool:
    """Whether two expressions are the same element of an array."""
    return (
        isinstance(one, Load)
        and isinstance(two, Load)
        and one.storage is two.storage
        and one.subscripts == two.subscripts
    )


def _fill_triangle(
    emitter: Emitter, place: View, compute: Callable[[Load, Indices], None]
) -> None:
    """Compute one half of a symmetric matrix and its diagonal, and copy the other."""
    size, zero, one = place.shape[0], as_size(0), as_size(1)
    with (
        emitter.loop(zero, size) as row,
        emitter.loop(zero, row + one) as column,
    ):
        compute(place.at((row, column)), (row, column))
    with (
        emitter.loop(zero, size) as row,
        emitter.loop(row + one, size) as column,
    ):
        emitter.assign(place.at((row, column)), place.at((column, row)))


def _element(
    operand: Readable, labels: str, position: dict[str, Size], sizes: dict[str, Size]
) -> Expr:
    indices = tuple(
        Size() if extent == ONE and sizes[c] != ONE else position[c]
        for c, extent in zip(labels, operand.shape, strict=True)
    )
    return operand.at(indices)


def _sizes(
    emitter: Emitter, operands: Sequence[Readable], labels: Sequence[str]
) -> dict[str, Size]:
    found: dict[str, Size] = {}
    for operand, text in zip(operands, labels, strict=True):
        for letter, size in zip(text, operand.shape, strict=True):
            known = found.get(letter, ONE)
            if size not in (ONE, known) and known != ONE:
                shapes = " and ".join(text_of(o.shape) for o in operands)
                emitter.require(
                    known, "==", size, f"the shapes {shapes} do not fit: {known} and "
                    f"{size} elements are multiplied and summed",
                )  # fmt: skip
            found[letter] = known if known != ONE else size
    return found


def matmul(call: Call) -> Value:
    """``a @ b``."""
    one, two = (call.array(v) for v in call.bind("x1", "x2", required=2))
    return _matrix_product(call.emitter, one, two)


def _matrix_product(emitter: Emitter, one: Readable, two: Readable) -> Pending:
    _check_inner(emitter, one, two)
    if len(one.shape) <= 2 and len(two.shape) <= 2:
        left = "ik"[2 - len(one.shape) :]
        right = "kj"[: len(two.shape)]
        output = (left + right).replace("k", "")
        return contract(emitter, (one, two), (left, right), output)
    if 1 in (len(one.shape), len(two.shape)):
        letters = string.ascii_uppercase[: max(len(one.shape), len(two.shape)) - 2]
        left = "k" if len(one.shape) == 1 else letters + "ik"
        right = "k" if len(two.shape) == 1 else letters + "kj"
        output = letters + (left + right).replace("k", "").replace(letters, "")
        return contract(emitter, (one, two), (left, right), output)
    batch = common_shape(emitter, [one.shape[:-2], two.shape[:-2]])
    letters = string.ascii_uppercase[: len(batch)]
    one = broadcast(one, (*batch, *one.shape[-2:]))
    two = broadcast(two, (*batch, *two.shape[-2:]))
    return contract(
        emitter, (one, two), (letters + "ik", letters + "kj"), letters + "ij"
    )


def _check_inner(emitter: Emitter, one: Readable, two: Readable) -> None:
    """NumPy does not broadcast the axes that are summed."""
    left = one.shape[-1]
    right = two.shape[-2] if len(two.shape) > 1 else two.shape[0]
    emitter.require(
        left, "==", right, f"the shapes {text_of(one.shape)} and {text_of(two.shape)} "
        f"do not fit a matrix product: {left} is not {right}",
    )  # fmt: skip


def dot(call: Call) -> Value:
    """``np.dot(a, b)``."""
    values = [call.number(v) for v in call.bind("a", "b", required=2)]
    if any(isinstance(v, Expr) for v in values):
        return call.evaluator.reader.library_call(np.multiply, *values)
    one, two = (call.array(v) for v in values)
    if len(two.shape) > 2 or (len(one.shape) > 2 and len(two.shape) == 2):
        left = string.ascii_lowercase[: len(one.shape) - 1] + "z"
        right = string.ascii_uppercase[: len(two.shape) - 2] + "zy"
        _check_inner(call.emitter, one, two)
        output = (left + right).replace("z", "")
        return contract(call.emitter, (one, two), (left, right), output)
    return _matrix_product(call.emitter, one, two)


def outer(call: Call) -> Value:
    """``np.outer(a, b)``: element by element."""
    one, two = (call.array(v) for v in call.bind("a", "b", required=2))
    if len(one.shape) != 1 or len(two.shape) != 1:
        raise BadOperation("np.outer is taken for vectors only")
    left = remap(one, (one.shape[0], ONE), (axis(0),))
    right = remap(two, (ONE, two.shape[0]), (axis(1),))
    return call.evaluator.reader.library_call(np.multiply, left, right)


def inner(call: Call) -> Value:
    """``np.inner(a, b)``: over the last axes."""
    one, two = (call.array(v) for v in call.bind("a", "b", required=2))
    left = string.ascii_lowercase[: len(one.shape) - 1]
    right = string.ascii_uppercase[: len(two.shape) - 1]
    call.emitter.require(
        one.shape[-1], "==", two.shape[-1], f"the shapes {text_of(one.shape)} and "
        f"{text_of(two.shape)} do not fit {call.name}",
    )  # fmt: skip
    labels = (f"{left}z", f"{right}z")
    return contract(call.emitter, (one, two), labels, left + right)


def vdot(call: Call) -> Value:
    """``np.vdot(a, b)`` of vectors."""
    one, two = (call.array(v) for v in call.bind("a", "b", required=2))
    if len(one.shape) != 1 or len(two.shape) != 1:
        raise BadOperation(f"{call.name} is taken for vectors only", "use @ or einsum")
    return _matrix_product(call.emitter, one, two)


def einsum(call: Call) -> Value:
    """``np.einsum("ij,jk->ik", a, b)``."""
    if call.keywords:
        raise BadOperation("np.einsum with keywords is not supported")
    text = call.args[0] if call.args else None
    if not isinstance(text, Object) or not isinstance(text.value, str):
        raise BadOperation("np.einsum needs its subscripts as a string first")
    arrays = [call.array(v) for v in call.args[1:]]
    inputs, output = _read_subscripts(text.value, [len(a.shape) for a in arrays])
    return contract(call.emitter, arrays, inputs, output)


def _read_subscripts(text: str, ranks: Sequence[int]) -> tuple[list[str], str]:
    text = text.replace(" ", "")
    if "." in text:
        raise BadOperation("np.einsum with '...' is not supported", "name every axis")
    left, arrow, output = text.partition("->")
    inputs = left.split(",")
    if len(inputs) != len(ranks):
        raise BadOperation(f"{text!r} names {len(inputs)} arrays, found {len(ranks)}")
    for letters, rank in zip(inputs, ranks, strict=True):
        if len(letters) != rank or not letters.isalpha():
            raise BadOperation(
                f"{letters!r} in {text!r} does not name the axes of an array of {rank} "
                "dimensions"
            )
    every = "".join(inputs)
    if not arrow:
        output = "".join(sorted(c for c in set(every) if every.count(c) == 1))
    if len(set(output)) != len(output) or not set(output) <= set(every):
        raise BadOperation(
            f"the result of {text!r} has an axis twice or an unknown one"
        )
    return inputs, output


def trace(call: Call) -> Value:
    """``np.trace(a)`` of a matrix."""
    array = call.array(call.bind("a", required=1)[0])
    if len(array.shape) != 2:
        raise BadOperation("np.trace is taken for matrices only")
    dtype = sum_type(array.dtype)
    wide: Any = elementwise(call.emitter, cast_to(dtype), array)
    return contract(call.emitter, (wide,), ("ii",), "")


def diagonal(call: Call) -> Value:
    """``np.diag(a)`` of a matrix: a view of its diagonal."""
    array = call.array(call.bind("v", required=1)[0])
    if len(array.shape) != 2:
        raise BadOperation("np.diag is taken for matrices only")
    call.emitter.require(
        array.shape[0],
        "==",
        array.shape[1],
        "np.diag is taken for square matrices only",
    )
    return remap(array, (array.shape[0],), (axis(0), axis(0)))


def ufunc_outer(ufunc: np.ufunc) -> Callable[[Call], Value]:
    """``np.add.outer(a, b)`` and its kin, of arrays of any number of axes."""

    def handler(call: Call) -> Value:
        one, two = (call.array(v) for v in call.bind("A", "B", required=2))
        n, m = len(one.shape), len(two.shape)
        ones = (ONE,) * m
        left = remap(one, (*one.shape, *ones), tuple(axis(k) for k in range(n)))
        right = remap(two, two.shape, tuple(axis(k) for k in range(m)))
        return call.evaluator.reader.library_call(ufunc, left, right)

    return handler


def tensordot(call: Call) -> Value:
    """``np.tensordot(a, b, axes)`` for a number of axes, or a list of them for each."""
    first, second, given = call.bind("a", "b", "axes", required=2)
    one, two = call.array(first), call.array(second)
    n, m = len(one.shape), len(two.shape)
    if isinstance(given, tuple) and len(given) == 2:
        left, right = (
            [
                call.axes(v, rank)[0]
                for v in (part if isinstance(part, tuple) else (part,))
            ]
            for part, rank in zip(given, (n, m), strict=True)
        )
    else:
        count = 2 if given is MISSING else call.integer(given, "axes")
        left, right = list(range(n - count, n)), list(range(count))
    if len(left) != len(right) or len(left) > min(n, m):
        raise BadOperation(f"the axes of {call.name} do not fit the arrays")
    letters = list(string.ascii_lowercase[:n])
    others = list(string.ascii_uppercase[:m])
    for k, j in zip(left, right, strict=True):
        call.emitter.require(
            one.shape[k], "==", two.shape[j], f"the shapes {text_of(one.shape)} and "
            f"{text_of(two.shape)} do not fit {call.name}",
        )  # fmt: skip
        others[j] = letters[k]
    output = [c for k, c in enumerate(letters) if k not in left]
    output += [c for j, c in enumerate(others) if j not in right]
    labels = ("".join(letters), "".join(others))
    return contract(call.emitter, (one, two), labels, "".join(output))


FUNCTIONS: dict[Any, Callable[[Call], Value]] = {
    np.matmul: matmul,
    np.dot: dot,
    np.outer: outer,
    np.inner: inner,
    np.vdot: vdot,
    np.einsum: einsum,
    np.tensordot: tensordot,
    np.add.outer: ufunc_outer(np.add),
    np.subtract.outer: ufunc_outer(np.subtract),
    np.multiply.outer: ufunc_outer(np.multiply),
    np.divide.outer: ufunc_outer(np.divide),
    np.maximum.outer: ufunc_outer(np.maximum),
    np.minimum.outer: ufunc_outer(np.minimum),
    np.trace: trace,
    np.diag: diagonal,
    np.diagonal: diagonal,
}
METHODS: dict[str, Callable[[Call], Value]] = {
    "dot": dot,
    "trace": trace,
    "diagonal": diagonal,
}
