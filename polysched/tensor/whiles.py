"""``while`` loops: those that count are ``for`` loops, data end the others."""

from __future__ import annotations

import ast
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from polysched.tensor.arithmetic import BadOperation, constant, index, logical_not
from polysched.tensor.binding import pin_key
from polysched.tensor.environment import Restart
from polysched.tensor.exits import is_left
from polysched.tensor.expr import Break, Const, Expr, If, While
from polysched.tensor.iterations import Range
from polysched.tensor.liveness import assigned_names, read_names
from polysched.tensor.loops import LoopReader, Tails, is_same
from polysched.tensor.size import Size, as_size, extreme, floor_div
from polysched.tensor.subscripts import read_bound
from polysched.tensor.values import Value, View

if TYPE_CHECKING:
    from polysched.tensor.statements import Reader

_STEPS = {ast.Add: 1, ast.Sub: -1}
_ENDS = {ast.Lt: (1, 0), ast.LtE: (1, 1), ast.Gt: (-1, 0), ast.GtE: (-1, -1)}
_COUNTS = ("len", "min", "max")
_PURE = (
    *(ast.Name, ast.Attribute, ast.Constant, ast.BinOp, ast.UnaryOp, ast.Subscript),
    *(ast.Tuple, ast.operator, ast.unaryop, ast.expr_context),
)


@dataclass(frozen=True)
class _Count:
    """A loop that advances a name by a constant at the end of its body.

    Attributes
    ----------
    name : str
        What counts.
    end : ast.expr
        What it is compared with, which the loop does not change.
    beyond, step : int
        What is added to `end` for the first number that is not counted; the advance.
    body : list of ast.stmt
        Without the advance.
    """

    name: str
    end: ast.expr
    beyond: int
    step: int
    body: list[ast.stmt]


class WhileReader:
    """Reads the ``while`` loops of one function."""

    def __init__(self, reader: Reader, loops: LoopReader) -> None:
        self._reader = reader
        self._loops = loops
        self._emitter = reader.emitter
        self._memory = reader.session.memory

    def read(self, node: ast.While) -> Tails | None:
        """Read a loop; gives what the rest of the function has to tell apart."""
        count = _counting(node)
        trip = None if count is None else self._trip(node, count)
        if count is None or trip is None:
            self._repeat(node)
            return None
        environment = self._reader.environment
        tails = self._loops.run(node, [count.name], trip, count.body)
        environment.values[count.name] = index(_last(trip))
        environment.missing.pop(count.name, None)
        return tails

    def _trip(self, node: ast.While, count: _Count) -> Range | None:
        """From where to where a loop counts; None if that is not affine."""
        reader = self._reader
        value = reader.environment.values.get(count.name)
        if not isinstance(value, Expr) or value.dtype != "int64":
            return None
        is_later = count.name in reader.liveness.after[node]
        if is_later and is_left(node.body):
            return None
        try:
            start = read_bound(self._emitter, value)
            end = read_bound(self._emitter, reader.evaluator.evaluate(count.end))
        except BadOperation:
            return None
        is_plain = value.is_weak and not (start.chosen or end.chosen)
        if is_later and not is_plain:
            return None
        return Range(start, end + count.beyond, count.step)

    def _repeat(self, node: ast.While) -> None:
        """A loop that data end."""
        reader, environment = self._reader, self._reader.environment
        emitter, place = self._emitter, self._emitter.place
        assigned = assigned_names(node.body)
        lasting = assigned & (reader.liveness.head[node] | reader.liveness.after[node])
        pinned = self._loops.pin(node, lasting)
        entry = dict(environment.values)
        arrays = [
            n for n in sorted(lasting)
            if isinstance(entry.get(n), View) and n not in environment.pins
        ]  # fmt: skip
        loop = While(place, constant(True), [])
        reader.depth += 1
        with emitter.into_block(loop.body):
            condition = reader.evaluator.condition(node.test)
            if not isinstance(condition, Const) or condition.value:
                loop = self._with_body(node, loop, condition)
        reader.depth -= 1
        if not isinstance(condition, Const) or condition.value:
            emitter.block.append(loop)
            self._loops.check_places(node, loop)
        self._check_arrays(node, arrays, entry)
        own = set(assigned) - environment.pins.keys()
        self._loops.leave(entry, own, set(arrays))
        for name in pinned:
            environment.pins.pop(name)

    def _with_body(self, node: ast.While, loop: While, condition: Expr) -> While:
        """The loop with what it repeats behind the statements of its condition."""
        reader, emitter = self._reader, self._emitter
        if isinstance(condition, Const) and not is_left(node.body):
            reader.source.unsupported(
                node, "found a while loop that nothing ends", "leave it with break"
            )
        has_statements = bool(loop.body)
        if has_statements:
            leaves = If(loop.place, logical_not(condition), [Break(loop.place)])
            loop.body.append(leaves)
        with emitter.facts.where(condition):
            reader.block(node.body)
        return loop if has_statements else replace(loop, condition=condition)

    def _check_arrays(
        self, node: ast.While, arrays: list[str], entry: dict[str, Value]
    ) -> None:
        """Arrays that names mean at the loop's end have to be those of its start."""
        values = self._reader.environment.values
        changed = [n for n in arrays if not is_same(values.get(n), entry[n])]
        for name in changed:
            if any(is_same(values.get(name), entry[n]) for n in arrays):
                self._reader.source.unsupported(
                    node, "found a loop that exchanges arrays as often as data say",
                    "copy instead of exchanging",
                )  # fmt: skip
            self._memory.kept.add(pin_key(self._reader.path, node, name))
        if changed:
            raise Restart


def _counting(node: ast.While) -> _Count | None:
    """The loop as one that counts, by its form."""
    test, last = node.test, node.body[-1]
    if not isinstance(test, ast.Compare) or len(test.ops) != 1:
        return None
    kind, found = _ENDS.get(type(test.ops[0])), _moved(test.left)
    if kind is None or found is None:
        return None
    name, end, body = found[0], test.comparators[0], node.body[:-1]
    step = _step(last, name)
    changed = assigned_names(node.body)
    if step * kind[0] <= 0 or not _is_pure(end) or changed & read_names(end):
        return None
    if name in assigned_names(body) or any(map(_continues, body)):
        return None
    return _Count(name, end, kind[1] - found[1], step, body)


def _moved(node: ast.expr) -> tuple[str, int] | None:
    """The name in ``name``, ``name + 3`` or ``name - 3``, and what is added to it."""
    match node:
        case ast.Name(id=name):
            return name, 0
        case ast.BinOp(ast.Name(id=name), op, ast.Constant(value)):
            sign = _STEPS.get(type(op), 0)
            return (name, sign * value) if sign and type(value) is int else None
    return None


def _step(node: ast.stmt, name: str) -> int:
    """By how much a statement advances a name; 0 for another statement."""
    match node:
        case ast.AugAssign(ast.Name(id=target), op, ast.Constant(value)):
            pass
        case ast.Assign(
            [ast.Name(id=target)], ast.BinOp(ast.Name(id=left), op, ast.Constant(value))
        ) if left == target:
            pass
        case _:
            return 0
    sign = _STEPS.get(type(op), 0)
    return sign * value if target == name and type(value) is int else 0


def _is_pure(node: ast.expr) -> bool:
    """Whether reading an expression has no effect."""
    for part in ast.walk(node):
        if isinstance(part, ast.Call):
            if not isinstance(part.func, ast.Name) or part.func.id not in _COUNTS:
                return False
        elif not isinstance(part, _PURE):
            return False
    return True


def _continues(node: ast.stmt) -> bool:
    """Whether a statement has a ``continue`` of the loop around it."""
    if isinstance(node, (ast.For, ast.While)):
        return False
    parts = [n for n in ast.iter_child_nodes(node) if isinstance(n, ast.stmt)]
    return isinstance(node, ast.Continue) or any(map(_continues, parts))


def _last(trip: Range) -> Size:
    """What counts when the loop is over."""
    if trip.step in (1, -1):
        return extreme("max" if trip.step > 0 else "min", (trip.start, trip.stop))
    span = trip.stop - trip.start if trip.step > 0 else trip.start - trip.stop
    step = abs(trip.step)
    turns = extreme("max", (as_size(0), floor_div(span + (step - 1), step)))
    return trip.start + turns * trip.step
