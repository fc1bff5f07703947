"""What a loop makes of an integer, from what one iteration makes of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import islpy as isl

from polysched.frontend.exact_values import NotAffine
from polysched.frontend.literals import integer
from polysched.frontend.nest import Entered
from polysched.frontend.sums_of_integers import (
    Total,
    number,
    plus,
    times,
    total,
    written,
)
from polysched.ir import (
    Binary,
    Cast,
    Expr,
    Local,
    ScalarType,
    Select,
    map_expr,
    walk,
)
from polysched.ir.expr import MIRRORED

Exclude = Callable[[isl.Set, isl.Set], bool]
Known = Mapping[str, Expr | None]

START = "@"  # in front of the name of what a variable holds as an iteration begins


class Turns:
    """How often loops turn that might end before they start."""

    def __init__(self, exclude: Exclude) -> None:
        self._exclude = exclude
        self._bad: dict[Expr, tuple[isl.Set, isl.Set]] = {}

    def of(self, n: Total, header: Entered) -> Total | None:
        """A number of turns, zero where `n` is less; None if it is not affine."""
        outer, type_ = header.outer, header.bounds.loop.type
        size = written(n, type_)
        try:
            value = outer.affine.value(size, outer.domain)
        except NotAffine:
            return None
        bad = outer.domain.intersect(value.lt_set(outer.affine.constant(0)))
        if bad.is_empty():
            return n
        zero = integer(0, type_)
        turns = Select(Binary(">", size, zero), size, zero)
        self._bad[turns] = bad, outer.domain
        return {turns: 1}

    def assumed(self, value: Expr) -> Expr:
        """A value that is read, for sizes for which no loop ends before it starts."""

        def change(expr: Expr) -> Expr | None:
            if not isinstance(expr, Select) or expr not in self._bad:
                return None
            return expr.then if self._exclude(*self._bad[expr]) else None

        return map_expr(value, change)


class Counting:
    """What a loop makes of variables, from what one iteration makes of them."""

    def __init__(
        self, header: Entered, integers: Mapping[str, ScalarType], turns: Turns
    ) -> None:
        self._header = header
        self._integers = integers
        self._turns = turns
        loop = header.bounds.loop
        self._iterator, self._step = loop.iterator, loop.step
        self._first = header.bounds.start

    def follow(
        self, changed: Sequence[str], known: Known, ends: Known
    ) -> tuple[Known, Known]:
        """Values as an iteration begins, and behind the loop; None where not known."""
        starts: dict[str, Expr | None] = {}
        behind: dict[str, Expr | None] = dict.fromkeys(changed)
        todo = list(changed)
        while todo:
            left = []
            for name in todo:
                pair = self._values(name, known.get(name), ends[name], starts)
                if pair is None:
                    left.append(name)
                else:
                    starts[name], behind[name] = pair
            if len(left) == len(todo):
                break
            todo = left
        return {**dict.fromkeys(todo), **starts}, behind

    def _values(
        self, name: str, entry: Expr | None, end: Expr | None, starts: Known
    ) -> tuple[Expr, Expr | None] | None:
        """A variable's value as an iteration begins, and behind the loop."""
        if entry is None or end is None:
            return None
        type_ = self._integers[name]
        begin = Local(START + name, type_)
        grown = total(end)
        if grown.get(begin) == 1:
            change = plus(grown, {begin: 1}, -1)
            return self._counted(entry, change, type_)
        kept = _with_starts(end, starts)
        if _mentions_start(kept):
            return None
        return self._kept(entry, kept, type_)

    def _counted(
        self, entry: Expr, change: Total, type_: ScalarType
    ) -> tuple[Expr, Expr | None] | None:
        """Of a variable that advances by the same in every iteration."""
        parts = [e for e in change if e is not None]
        if any(_mentions_start(e) or self._iterator in walk(e) for e in parts):
            return None
        begin, count = total(entry), self._count(change, type_)
        n = self._n_iterations()
        all_ = None if n is None else self._product(change, n, type_)
        behind = None if all_ is None else written(plus(begin, all_), type_)
        return written(plus(begin, count), type_), behind

    def _count(self, change: Total, type_: ScalarType) -> Total:
        """What all earlier iterations have added."""
        sign, width = (1 if self._step > 0 else -1), abs(self._step)
        way = times(plus(total(self._iterator), total(self._first), -1), sign)
        amount = number(change)
        if amount is not None and amount % width == 0:
            return times(way, amount // width)
        return self._product(change, self._quotient(way, width), type_)

    def _quotient(self, a: Total, by: int) -> Total:
        if by == 1:
            return a
        type_ = self._iterator.type
        return {Binary("/", written(a, type_), integer(by, type_)): 1}

    def _product(self, a: Total, b: Total, type_: ScalarType) -> Total:
        for one, other in ((a, b), (b, a)):
            factor = number(one)
            if factor is not None:
                return times(other, factor)
        return {Binary("*", written(a, type_), written(b, type_)): 1}

    def _n_iterations(self) -> Total | None:
        """How often the loop turns; None if that is not known."""
        end = _end(self._header)
        if end is None:
            return None
        n = times(plus(end, total(self._first), -1), 1 if self._step > 0 else -1)
        size = number(n)
        if size is not None:
            return {None: max(0, -(-size // abs(self._step)))}
        width = abs(self._step)
        n = self._quotient(plus(n, {None: width - 1}), width)
        return self._turns.of(n, self._header)

    def _kept(
        self, entry: Expr, end: Expr, type_: ScalarType
    ) -> tuple[Expr, Expr | None]:
        """Of a variable that holds what the iteration before has put into it."""
        here = written(
            plus(total(self._iterator), {None: -self._step}), self._iterator.type
        )
        earlier = written(total(self._at(end, here)), type_)
        n = self._n_iterations()
        size = None if n is None else number(n)
        behind: Expr | None = None
        if size is not None:
            last = plus(total(self._first), {None: (size - 1) * self._step})
            at_last = self._at(end, written(last, self._iterator.type))
            behind = written(total(at_last), type_) if size else entry
        at_first = written(total(self._at(earlier, self._first)), type_)
        if total(at_first) == total(entry):
            return earlier, behind
        is_first = Binary("==", self._iterator, self._first)
        return Select(is_first, entry, earlier), behind

    def _at(self, value: Expr, place: Expr) -> Expr:
        """A value at another place of the iterator."""
        return map_expr(value, lambda e: place if e == self._iterator else None)


def _end(header: Entered) -> Total | None:
    """Where a loop ends, the first value of its iterator that it does not have."""
    condition, loop = header.bounds.condition, header.bounds.loop
    if not isinstance(condition, Binary):
        return None
    op, left, right = condition.op, condition.left, condition.right
    if _bare(right) == loop.iterator:
        op = MIRRORED.get(op, op)
        left, right = right, left
    if _bare(left) != loop.iterator or loop.iterator in walk(right):
        return None
    more, same = ("<", "<=") if loop.step > 0 else (">", ">=")
    if op not in {more, same}:
        return None
    beyond = 0 if op == more else (1 if loop.step > 0 else -1)
    return plus(total(right), {None: beyond} if beyond else {})


def _bare(expr: Expr) -> Expr:
    while isinstance(expr, Cast) and not expr.type.is_float:
        expr = expr.operand
    return expr


def _with_starts(value: Expr, starts: Known) -> Expr:
    def change(expr: Expr) -> Expr | None:
        if isinstance(expr, Local) and expr.name.startswith(START):
            return starts.get(expr.name[len(START) :])
        return None

    return map_expr(value, change)


def _mentions_start(value: Expr) -> bool:
    return any(isinstance(e, Local) for e in walk(value))
