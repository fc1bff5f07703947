"""Pointers that a condition chooses, as the two places where it holds and where not.

What follows a choice in its block goes into both branches of an `if`, where each
pointer is set to one place::

    double *from = t % 2 ? b : a;          if (t % 2) { double *from = b; ... }
    ...                             ==>    else { double *from = a; ... }

A second choice by the same condition is made already. Conditions are of numbers and
plain variables that nothing behind them in the block changes; other choices are left as
they are, and refused where they stand. Works on syntax.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pycparser import c_ast

from polysched.frontend.declarations import PointerC, Scope
from polysched.frontend.expressions import c_text
from polysched.frontend.function_bodies import is_change
from polysched.frontend.iterators import changed_names
from polysched.frontend.trees import copied, names, parts, with_init, with_parts

_MAX_PARTS = 4000  # of all copies
_PLAIN = (c_ast.ID, c_ast.Constant, c_ast.UnaryOp, c_ast.BinaryOp)


@dataclass(frozen=True)
class _Choice:
    """Pointers that are set in two ways.

    Attributes
    ----------
    cond : node
    then, other : list of nodes
        What sets them where it holds and where not.
    """

    cond: Any
    then: list[Any]
    other: list[Any]


def with_choices_outside(
    items: Sequence[Any], scope: Scope, is_dead: Callable[[str], bool]
) -> list[Any]:
    """The statements of a SCoP in which conditions choose between pointers set once.

    Parameters
    ----------
    items : sequence of nodes
        The statements; they are not changed.
    scope : Scope
        Names visible at the start of the SCoP.
    is_dead : callable
        Whether nobody reads a variable from outside behind the SCoP.
    """
    return _Writer(items, scope, is_dead).block(items, {})


class _Writer:
    def __init__(
        self, items: Sequence[Any], scope: Scope, is_dead: Callable[[str], bool]
    ) -> None:
        self._scope, self._is_dead = scope, is_dead
        self._n_parts = 0
        declared = (p for i in items for p in parts(i) if isinstance(p, c_ast.Decl))
        self._own = {d.name: isinstance(d.type, c_ast.PtrDecl) for d in declared}

    def block(self, items: Sequence[Any], known: Mapping[str, bool]) -> list[Any]:
        """The statements of a block; `known` are conditions that were asked before."""
        before: list[Any] = []
        for k, item in enumerate(items):
            rest = list(items[k + 1 :])
            choice = self._choice(item)
            if choice is None or not self._fits(choice, rest):
                before.append(self._inner(item))
                continue
            text = c_text(choice.cond)
            if text in known:
                chosen = choice.then if known[text] else choice.other
                return [*before, *self.block([*chosen, *rest], known)]
            twin = [copied(part) for part in rest]
            branches = (
                c_ast.Compound(self.block(ways, {**known, text: holds}), item.coord)
                for ways, holds in (
                    ([*choice.then, *rest], True),
                    ([*choice.other, *twin], False),
                )
            )
            return [*before, c_ast.If(choice.cond, *branches, item.coord)]
        return before

    def _inner(self, item: Any) -> Any:
        """A statement whose blocks are rewritten."""

        def put(node: Any) -> Any | None:
            if not isinstance(node, c_ast.Compound):
                return None
            return c_ast.Compound(self.block(node.block_items or (), {}), node.coord)

        return with_parts(item, put)

    def _fits(self, choice: _Choice, rest: Sequence[Any]) -> bool:
        """Whether what follows may stand in both branches."""
        changed = {n for i in (*choice.then, *rest) for n in changed_names(i)}
        changed |= {p.name for i in rest for p in parts(i) if isinstance(p, c_ast.Decl)}
        if not all(
            isinstance(p, _PLAIN) and not is_change(p) for p in parts(choice.cond)
        ):
            return False
        if any(
            isinstance(p, c_ast.UnaryOp) and p.op in "&*" for p in parts(choice.cond)
        ):
            return False
        if changed & set(names(choice.cond)):
            return False
        self._n_parts += sum(1 for item in rest for _ in parts(item))
        return self._n_parts <= _MAX_PARTS

    def _choice(self, item: Any) -> _Choice | None:
        match item:
            case c_ast.Decl(type=c_ast.PtrDecl(), init=c_ast.TernaryOp() as value):
                then = with_init(item, value.iftrue)
                other = with_init(copied(item), value.iffalse)
                return _Choice(value.cond, [then], [other])
            case c_ast.Assignment(rvalue=c_ast.TernaryOp() as value):
                if not self._sets_pointer(item):
                    return None
                ways = (
                    c_ast.Assignment("=", copied(item.lvalue), way, item.coord)
                    for way in (value.iftrue, value.iffalse)
                )
                return _Choice(value.cond, *([way] for way in ways))
            case c_ast.If():
                then, other = _flat(item.iftrue), _flat(item.iffalse)
                if not then or not all(map(self._sets_pointer, [*then, *other])):
                    return None
                targets = [{s.lvalue.name for s in way} for way in (then, other)]
                is_same = targets[0] == targets[1]
                return _Choice(item.cond, then, other) if is_same else None
        return None

    def _sets_pointer(self, item: Any) -> bool:
        """Whether a statement sets a pointer of the SCoP, or one that is dead."""
        if not isinstance(item, c_ast.Assignment) or item.op != "=":
            return False
        if not isinstance(item.lvalue, c_ast.ID):
            return False
        name = item.lvalue.name
        if name in self._own:
            return self._own[name]
        found = self._scope.find(name)
        is_pointer = found is not None and isinstance(found.ctype, PointerC)
        return is_pointer and self._is_dead(name)


def _flat(node: Any) -> list[Any]:
    """The statements of a branch, those between commas apart."""
    if node is None:
        return []
    is_block = isinstance(node, c_ast.Compound)
    items = list(node.block_items or ()) if is_block else [node]
    return [
        part
        for item in items
        for part in (item.exprs if isinstance(item, c_ast.ExprList) else [item])
    ]
