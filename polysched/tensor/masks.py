"""Assignments under a mask: ``x[x > 0] = 1``, ``x[m] += y[m]``."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

import numpy as np

from polysched.tensor.arithmetic import convert, select, truth
from polysched.tensor.broadcast import ONE, broadcast, elementwise, operand, text_of
from polysched.tensor.expr import Expr
from polysched.tensor.values import Object, Readable, Value, View, axis, is_array, remap

if TYPE_CHECKING:
    from polysched.tensor.statements import Reader

_ELEMENTWISE = (
    *(ast.Add, ast.Sub, ast.Mult, ast.Div, ast.FloorDiv, ast.Mod, ast.Pow),
    *(ast.BitAnd, ast.BitOr, ast.BitXor, ast.LShift, ast.RShift),
)


class MaskReader:
    """Reads assignments whose subscript is an array of truth values.

    NumPy gathers the chosen elements, computes with them and scatters the result; here
    every element is computed with and the chosen ones are taken, which is the same
    where each operand is a number or is chosen by the same mask.
    """

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._emitter = reader.emitter
        self._n_names = 0

    def read(
        self, target: ast.Subscript, value: ast.expr, op: ast.operator | None
    ) -> bool:
        """Whether it is one; then it is read, otherwise nothing has happened."""
        mask = self._mask(target.slice)
        if mask is None:
            return False
        evaluator, emitter = self._reader.evaluator, self._emitter
        base = evaluator.evaluate(target.value)
        if not isinstance(base, View):
            self._reader.source.wrong(target, "cannot assign under a mask here")
        evaluator.environment.check_write(target, base.storage)
        self._check(target, mask, base)
        kept = dict(evaluator.environment.values)
        found = evaluator.evaluate(self._spread(target, value, mask))
        if op is not None:
            found = evaluator.binary(op, base, found)
        number = operand(emitter, evaluator.number(found))
        for name in set(evaluator.environment.values) - set(kept):
            del evaluator.environment.values[name]
        emitter.node = target
        self._write(target, base, mask, number)
        return True

    def _mask(self, node: ast.expr) -> Readable | None:
        """The subscript as a mask; None where it is something else."""
        if not self._may_be_mask(node):
            return None
        found = self._reader.evaluator.evaluate(node)
        if not is_array(found) or getattr(found, "dtype", "") != "bool":
            return None
        value = operand(self._emitter, found)  # type: ignore[arg-type]
        assert not isinstance(value, Expr)
        return value

    def _may_be_mask(self, node: ast.expr) -> bool:
        """Whether it could be one, by its form; reading such forms has no effect."""
        if isinstance(node, ast.Call):
            function = self._reader.evaluator.evaluate(node.func)
            return isinstance(function, Object) and isinstance(function.value, np.ufunc)
        if isinstance(node, ast.UnaryOp):
            return isinstance(node.op, ast.Invert)
        if isinstance(node, ast.BinOp):
            return isinstance(node.op, (ast.BitAnd, ast.BitOr, ast.BitXor))
        return isinstance(node, (ast.Compare, ast.Name))

    def _check(self, node: ast.AST, mask: Readable, array: Readable) -> None:
        """A mask is as long as the axes that it chooses from."""
        message = (
            f"the mask of shape {text_of(mask.shape)} does not fit an array of shape "
            f"{text_of(array.shape)}"
        )
        if len(mask.shape) > len(array.shape):
            self._reader.source.wrong(node, message)
        for one, two in zip(mask.shape, array.shape, strict=False):
            self._emitter.require(one, "==", two, message)

    def _spread(
        self, target: ast.Subscript, node: ast.expr, mask: Readable
    ) -> ast.expr:
        """The right side with ``y[mask]`` as y, and other operands as numbers."""
        if isinstance(node, ast.BinOp) and isinstance(node.op, _ELEMENTWISE):
            left, right = (
                self._spread(target, n, mask) for n in (node.left, node.right)
            )
            return ast.copy_location(ast.BinOp(left, node.op, right), node)
        if isinstance(node, ast.UnaryOp):
            inner = self._spread(target, node.operand, mask)
            return ast.copy_location(ast.UnaryOp(node.op, inner), node)
        if isinstance(node, ast.Call) and self._is_ufunc(node):
            args = [self._spread(target, n, mask) for n in node.args]
            return ast.copy_location(ast.Call(node.func, args, []), node)
        evaluator = self._reader.evaluator
        if isinstance(node, ast.Subscript) and _is_same(node.slice, target.slice):
            found = evaluator.evaluate(node.value)
            if isinstance(found, (tuple, Object, Expr)):
                self._reader.source.wrong(node, "found a mask on what is no array")
            array = operand(self._emitter, found)
            assert not isinstance(array, Expr)
            self._check(node, mask, array)
            return self._named(node, array)
        found = evaluator.evaluate(node)
        if is_array(found):
            self._reader.source.unsupported(
                node, "found an array beside a mask",
                "what is assigned under a mask is made of numbers, and of arrays with "
                "the same mask: x[m] = y[m] + 1",
            )  # fmt: skip
        return self._named(node, found)

    def _is_ufunc(self, node: ast.Call) -> bool:
        return not node.keywords and self._may_be_mask(node)

    def _named(self, node: ast.expr, value: Value) -> ast.expr:
        """A name for a value that is evaluated already."""
        self._n_names += 1
        name = f"{self._n_names} under a mask"
        self._reader.environment.values[name] = value
        return ast.copy_location(ast.Name(name, ast.Load()), node)

    def _write(self, node: ast.AST, base: View, mask: Readable, number: Any) -> None:
        self._reader.check_cast(node, number.dtype, base.dtype, in_place=False)
        rank = len(mask.shape)
        full = (*mask.shape, *(ONE,) * (len(base.shape) - rank))
        wide = remap(mask, full, tuple(axis(k) for k in range(rank)))
        if not isinstance(number, Expr):
            number = broadcast(number, base.shape)

        def choose(chosen: Expr, new: Expr, old: Expr) -> Expr:
            return select(truth(chosen), convert(new, base.dtype), old)

        result: Any = elementwise(self._emitter, choose, wide, number, base)
        self._emitter.write(base, result)


def _is_same(one: ast.expr, two: ast.expr) -> bool:
    return ast.dump(one) == ast.dump(two)
