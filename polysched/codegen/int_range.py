"""For which sizes bounds that are counted in `int` stay within it.

A bound of skewed loops, ``2 * steps + n``, leaves `int` before the sizes do. Each
expression of the code is given an interval that grows linearly with the largest size;
the sizes for which all of them fit are asked about when the code runs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import islpy as isl

from polysched.codegen.ast_expr import arguments
from polysched.ir import Scop
from polysched.ir.types import INT
from polysched.sets import ast_expr_kind, ast_node_kind, ast_operation, read_set

MARGIN = 100_000
"""What is added to sizes and taken from them without a question: tiles, rows, steps."""

MAX_INT = 2**31 - 1
_COMPARISONS = frozenset({"eq", "le", "lt", "ge", "gt", "and", "and_then", "or",
                          "or_else"})  # fmt: skip


@dataclass(frozen=True)
class Line:
    """A bound ``slope * size + rest`` for the largest size that there is."""

    slope: float
    rest: float

    def plus(self, other: Line) -> Line:
        """Their sum."""
        return Line(self.slope + other.slope, self.rest + other.rest)

    def times(self, factor: float) -> Line:
        """A multiple."""
        return Line(self.slope * factor, self.rest * factor)

    def lower(self, other: Line) -> Line:
        """One that lies below both."""
        return Line(min(self.slope, other.slope), min(self.rest, other.rest))

    def upper(self, other: Line) -> Line:
        """One that lies above both."""
        return Line(max(self.slope, other.slope), max(self.rest, other.rest))


@dataclass(frozen=True)
class Interval:
    """Values from a line to a line."""

    low: Line
    high: Line

    @classmethod
    def number(cls, value: int) -> Interval:
        """One value."""
        return cls(Line(0, value), Line(0, value))

    @property
    def is_number(self) -> bool:
        """Whether it is one value."""
        return self.low == self.high and self.low.slope == 0

    def plus(self, other: Interval) -> Interval:
        """Their sum."""
        return Interval(self.low.plus(other.low), self.high.plus(other.high))

    def times(self, factor: float) -> Interval:
        """A multiple."""
        ends = self.low.times(factor), self.high.times(factor)
        return Interval(*(ends if factor >= 0 else reversed(ends)))

    def hull(self, other: Interval) -> Interval:
        """Both."""
        return Interval(self.low.lower(other.low), self.high.upper(other.high))


def sizes_in_int(scop: Scop, root: isl.AstNode) -> isl.Set | None:
    """Sizes for which all that code computes in `int` fits; None where all do.

    Parameters
    ----------
    scop : Scop
        Has the parameters. Where a size below zero leaves nothing to do, none is among
        those that fit: the original has nothing to do either.
    root : isl.AstNode
        Loops that are counted in `int`.

    Notes
    -----
    Sizes within some `MARGIN` of the limits of `int` are not excluded where code only
    adds to them.
    """
    narrow = [p.name for p in scop.parameters if p.type.n_bytes == INT.n_bytes]
    some = scop.domain.params()
    positive = {
        name
        for name in narrow
        if some.intersect(read_set(f"[{name}] -> {{ : {name} < 0 }}")).is_empty()
    }
    reader = _Reader(
        {
            name: Interval(Line(0.0 if name in positive else -1.0, 0), Line(1.0, 0))
            for name in narrow
        }
    )
    reader.visit(root, {})
    limit = reader.limit
    if limit >= MAX_INT - 2 * MARGIN:
        return None
    found = read_set("{ : }")
    for name in narrow:
        if name in reader.used:
            low = 0 if name in positive else -limit
            text = f"[{name}] -> {{ : {low} <= {name} <= {limit} }}"
            found = found.intersect(read_set(text))
    return found


@dataclass
class _Reader:
    """Walks over isl's AST; iterators have intervals of their own."""

    sizes: Mapping[str, Interval]
    limit: int = MAX_INT
    used: set[str] = field(default_factory=set)

    def visit(self, node: isl.AstNode, known: Mapping[str, Interval]) -> None:
        """Take notice of all expressions in a piece of code."""
        kind = ast_node_kind(node)
        if kind == "for":
            iterator = str(node.for_get_iterator().get_id().get_name())
            inside = self._values(node, known)
            self.visit(node.for_get_body(), {**known, iterator: inside})
        elif kind == "if":
            self._read(node.if_get_cond(), known)
            self.visit(node.if_get_then_node(), known)
            if node.if_has_else_node():
                self.visit(node.if_get_else_node(), known)
        elif kind == "block":
            parts: list[isl.AstNode] = []
            node.block_get_children().foreach(parts.append)
            for part in parts:
                self.visit(part, known)
        elif kind == "mark":
            self.visit(node.mark_get_node(), known)
        else:
            for value in arguments(node.user_get_expr())[1:]:
                self._read(value, known)

    def _values(self, node: isl.AstNode, known: Mapping[str, Interval]) -> Interval:
        """Values of an iterator in its loop; it also takes one behind the last."""
        first = self._read(node.for_get_init(), known)
        if node.for_is_degenerate():
            return first
        last = self._read(node.for_get_cond().get_op_arg(1), known)
        step = Interval.number(int(str(node.for_get_inc().get_val())))
        values = Interval(first.low, last.high)
        self._note(values.plus(step))
        return values

    def _read(self, expr: isl.AstExpr, known: Mapping[str, Interval]) -> Interval:
        """The values of an expression."""
        kind = ast_expr_kind(expr)
        if kind == "int":
            return Interval.number(int(str(expr.get_val())))
        if kind == "id":
            name = str(expr.get_id().get_name())
            if name in known:
                return known[name]
            self.used.add(name)
            return self.sizes.get(name, Interval.number(0))
        found = self._result(ast_operation(expr), [
            self._read(a, known) for a in arguments(expr)
        ])  # fmt: skip
        self._note(found)
        return found

    def _result(self, op: str, parts: list[Interval]) -> Interval:
        """The values of an operation."""
        one, *others = parts
        if op == "add":
            return one.plus(others[0])
        if op == "sub":
            return one.plus(others[0].times(-1))
        if op == "minus":
            return one.times(-1)
        if op == "mul":
            number, other = (one, others[0]) if one.is_number else (others[0], one)
            assert number.is_number  # isl knows no other products
            return other.times(number.low.rest)
        if op in _COMPARISONS:
            return Interval.number(1)
        if op in ("cond", "select"):
            return others[0].hull(others[1])
        if op in ("min", "max"):
            return _least_or_most(op, parts)
        divisor = others[0].low.rest
        if op in ("pdiv_r", "zdiv_r"):
            return Interval(Line(0, -divisor), Line(0, divisor))
        shifted = Interval(Line(0, -divisor), Line(0, divisor))  # rounding, either way
        self._note(one.plus(shifted))
        return one.times(1 / divisor).plus(Interval(Line(0, -1), Line(0, 1)))

    def _note(self, found: Interval) -> None:
        """Let the limit come down until an interval fits."""
        for line in (found.low.times(-1), found.high):
            if line.slope > 1:
                fits = (MAX_INT - MARGIN - max(line.rest, 0)) / line.slope
                self.limit = min(self.limit, int(fits))


def _least_or_most(op: str, parts: list[Interval]) -> Interval:
    """Values of a minimum or maximum: one bound is that of any of its arguments."""
    hull = parts[0]
    for part in parts[1:]:
        hull = hull.hull(part)
    if op == "min":
        high = min((p.high for p in parts), key=lambda h: (h.slope, h.rest))
        return Interval(hull.low, high)
    low = max((p.low for p in parts), key=lambda h: (h.slope, h.rest))
    return Interval(low, hull.high)
