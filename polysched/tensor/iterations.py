"""What loops run over: ranges, arrays, ``enumerate``, ``zip``, ``reversed``, tuples."""

from __future__ import annotations

import ast
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from polysched.tensor.arithmetic import BadOperation, constant
from polysched.tensor.expr import Expr, loads
from polysched.tensor.size import Size, as_size, floor_div
from polysched.tensor.subscripts import Slice, read_bound, read_step, subscript
from polysched.tensor.values import Lazy, Object, Readable, Value, is_array
from polysched.tensor.words import kind_of

if TYPE_CHECKING:
    from polysched.tensor.statements import Reader


@dataclass(frozen=True)
class Range:
    """The iterations of a loop.

    `rows` has the arrays that it runs over, None for the number of the iteration; it is
    empty for a loop over numbers.
    """

    start: Size
    stop: Size
    step: int = 1
    rows: tuple[Readable | None, ...] = ()


class IterationReader:
    """Reads what the loops of one function run over."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._emitter = reader.emitter

    def targets(self, target: ast.expr) -> list[str]:
        """Names of the loop's variables."""
        parts = target.elts if isinstance(target, ast.Tuple) else [target]
        if len(parts) > 1 and isinstance(parts[-1], ast.Tuple):  # i, (a, b)
            parts = [*parts[:-1], *parts[-1].elts]
        names = [p.id for p in parts if isinstance(p, ast.Name)]
        if len(names) != len(parts):
            self._reader.source.unsupported(
                target, "found a nested or starred loop variable",
                "loop over range(...) and subscript",
            )  # fmt: skip
        return names

    def read(self, node: ast.expr) -> Range | tuple[Value, ...]:
        """What the expression behind ``in`` runs over; a tuple is unrolled."""
        evaluator = self._reader.evaluator
        if isinstance(node, ast.Call) and {k.arg for k in node.keywords} <= {"strict"}:
            function = evaluator.evaluate(node.func)
            called = function.value if isinstance(function, Object) else None
            if called is range:
                return self._range(node)
            if called is reversed and len(node.args) == 1:
                return self._reversed(node.args[0])
            if called is enumerate and len(node.args) > 1:
                self._reader.source.unsupported(
                    node, "found enumerate with a start",
                    "count from 0, and add the start where the number is used",
                )  # fmt: skip
            if called is enumerate and len(node.args) == 1:
                found = self.read(node.args[0])
                if isinstance(found, tuple):
                    return tuple((constant(k), v) for k, v in enumerate(found))
                if not found.rows or found.rows[0] is None:
                    evaluator.reader.source.unsupported(
                        node, "found enumerate of a range or of another enumerate",
                        "loop over range(...)",
                    )  # fmt: skip
                return replace(found, rows=(None, *found.rows))
            if called is zip and node.args:
                return self._zip([self._rows(a) for a in node.args])
        value = evaluator.evaluate(node)
        if isinstance(value, tuple):
            return value
        rows = self._rows(node, value)
        return Range(as_size(0), rows.shape[0], 1, (rows,))

    def _reversed(self, node: ast.expr) -> Range | tuple[Value, ...]:
        """The iterations from the last to the first."""
        found = self.read(node)
        if isinstance(found, tuple):
            return found[::-1]
        if not found.rows:
            span = (found.stop - found.start) * (1 if found.step > 0 else -1)
            step = abs(found.step)
            turns = floor_div(span + (step - 1), step)
            last = found.start + (turns - 1) * found.step
            before = found.start - (1 if found.step > 0 else -1)
            return Range(last, before, -found.step)
        (rows, *others) = found.rows
        if rows is None or others:
            self._reader.source.unsupported(
                node, "found reversed of enumerate or zip",
                "loop over reversed(range(...)) and subscript",
            )  # fmt: skip
        whole = [Slice(None, None, -1)]
        return replace(found, rows=(subscript(self._emitter, rows, whole),))

    def _rows(self, node: ast.expr, value: Value | None = None) -> Readable:
        """An array that a loop runs over."""
        value = self._reader.evaluator.evaluate(node) if value is None else value
        if not is_array(value):
            self._reader.source.unsupported(
                node, f"found a loop over {kind_of(value)}", "loop over range(...)"
            )
        assert not isinstance(value, (Expr, Object, tuple))
        settled = self._emitter.settle(value)
        if isinstance(settled, Lazy) and loads(self._emitter.probe(settled)):
            return self._emitter.stored(settled, "rows")  # the loop may change them
        return settled

    def _zip(self, rows: list[Readable]) -> Range:
        for other in rows[1:]:
            self._emitter.require(
                other.shape[0], "==", rows[0].shape[0],
                "zip of arrays of different lengths", "take slices of equal lengths",
            )  # fmt: skip
        return Range(as_size(0), rows[0].shape[0], 1, tuple(rows))

    def _range(self, node: ast.Call) -> Range:
        evaluator, source = self._reader.evaluator, self._reader.source
        if node.keywords or not 1 <= len(node.args) <= 3:
            source.wrong(node, "range takes one to three numbers")
        before = self._emitter.node
        values: list[Size] = []
        step = 1
        for part in node.args:
            value = evaluator.evaluate(part)
            self._emitter.node = part
            try:
                if len(values) < 2:
                    values.append(read_bound(self._emitter, value))
                else:
                    step = read_step(value)
            except BadOperation as verdict:
                source.not_affine(part, verdict.message, verdict.hint)
        self._emitter.node = before
        if len(values) == 1:
            return Range(as_size(0), values[0], step)
        return Range(values[0], values[1], step)
