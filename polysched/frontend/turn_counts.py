"""Headers of loops that are unrolled: what their variable is, turn by turn."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pycparser import c_ast

from polysched.frontend.declarations import Scope
from polysched.frontend.iterators import changed_names, is_invariant
from polysched.frontend.loops import iterator_node, step_node
from polysched.frontend.trees import copied, names


@dataclass(frozen=True, eq=False)
class Count:
    """The header of a loop that counts by a constant up or down to what stays.

    Attributes
    ----------
    type : node
        The declarator's type of its variable.
    name : str
    start, cond : nodes
    step : int
        Not zero.
    is_own : bool
        Whether it declares the variable.
    """

    type: Any
    name: str
    start: Any
    cond: Any
    step: int
    is_own: bool

    @property
    def depends_on(self) -> set[str]:
        """The variables that say how often the loop turns."""
        return {*names(self.start), *names(self.cond)} - {self.name}

    @property
    def turns(self) -> Any | None:
        """How often the loop turns, if at all; None if that is no single quotient."""
        cond = self.cond
        if not isinstance(cond, c_ast.BinaryOp) or not _is_name(cond.left, self.name):
            return None
        first, last = copied(self.start), copied(cond.right)
        if cond.op not in {"<", "<=", ">", ">="}:
            return None
        ends = (last, first) if self.step > 0 else (first, last)
        more = abs(self.step) - 1 + ("=" in cond.op)
        apart = plus(plus(ends[0], -1, ends[1]), 1, number(more, cond.coord))
        if abs(self.step) == 1:
            return apart
        size = number(abs(self.step), cond.coord)
        return c_ast.BinaryOp("/", apart, size, cond.coord)

    def place(self, round_name: str, n_turns: int, turn: int) -> Any:
        """What the variable is in one turn of a round, of which others are counted."""
        coord = self.type.coord
        place: Any = c_ast.ID(round_name, coord)
        if n_turns * abs(self.step) != 1:
            size = number(n_turns * abs(self.step), coord)
            place = c_ast.BinaryOp("*", size, place, coord)
        first, offset = literal(self.start), turn * self.step
        if first is None:
            place = plus(copied(self.start), self.step, place)
            return plus(place, offset, number(abs(offset), coord))
        if self.step > 0:
            return plus(place, first + offset, number(abs(first + offset), coord))
        return c_ast.BinaryOp("-", number(first + offset, coord), place, coord)


def read_count(
    loop: Any, scope: Scope, is_dead: Callable[[str], bool]
) -> Count | None:  # fmt: skip
    """The header of a loop, if it is one that may be unrolled.

    Parameters
    ----------
    loop : For
    scope : Scope
        Where a variable is declared that the loop does not declare.
    is_dead : callable
        Whether nobody reads such a variable later.
    """
    iterator = iterator_node(loop)
    if iterator is None or loop.cond is None or loop.next is None:
        return None
    name = iterator.name
    is_own = isinstance(iterator, c_ast.Decl)
    start = iterator.init if is_own else loop.init.rvalue
    amount = step_node(loop.next, name)
    if amount is None or start is None:
        return None
    if not is_own and (loop.init.op != "=" or not is_dead(name)):
        return None
    size = amount[1] if isinstance(amount[1], int) else literal(amount[1])
    changed = changed_names(loop.stmt)
    if not size or name in changed or not is_invariant(start, changed):
        return None
    step = amount[0] * size
    if not all(_ends(c, name, step, changed) for c in _conditions(loop.cond)):
        return None
    symbol = None if is_own else scope.find(name)
    declared = iterator if is_own else getattr(symbol, "node", None)
    if declared is None or not isinstance(declared.type, c_ast.TypeDecl):
        return None
    return Count(declared.type, name, start, loop.cond, step, is_own)


def literal(node: Any) -> int | None:
    """The value of a plain literal."""
    try:
        return int(node.value) if isinstance(node, c_ast.Constant) else None
    except ValueError:
        return None


def number(value: int, coord: Any) -> Any:
    """A literal."""
    found = c_ast.Constant("int", str(abs(value)), coord)
    return found if value >= 0 else c_ast.UnaryOp("-", found, coord)


def plus(left: Any, sign: int, right: Any) -> Any:
    """A sum, or a difference where `sign` is below zero."""
    if not sign or literal(right) == 0:
        return left
    return c_ast.BinaryOp("+" if sign > 0 else "-", left, right, left.coord)


def _ends(cond: Any, name: str, step: int, changed: set[str]) -> bool:
    """Whether a condition, once it is false, stays false."""
    if not isinstance(cond, c_ast.BinaryOp):
        return False
    up, down = {"<", "<="}, {">", ">="}
    ahead, behind = (up, down) if step > 0 else (down, up)
    if _is_name(cond.left, name):
        return cond.op in ahead and is_invariant(cond.right, {*changed, name})
    if _is_name(cond.right, name):
        return cond.op in behind and is_invariant(cond.left, {*changed, name})
    return False


def _conditions(cond: Any) -> list[Any]:
    if isinstance(cond, c_ast.BinaryOp) and cond.op == "&&":
        return [*_conditions(cond.left), *_conditions(cond.right)]
    return [cond]


def _is_name(node: Any, name: str) -> bool:
    return isinstance(node, c_ast.ID) and node.name == name
