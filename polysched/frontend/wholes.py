"""Statements with loops that data end, read as the actions of one statement."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NoReturn

from pycparser import c_ast

from polysched.frontend.actions import ActionReader, Surroundings
from polysched.frontend.data_loops import DataLoops
from polysched.frontend.declarations import PointerC, Symbol
from polysched.frontend.exact_values import NotAffine
from polysched.frontend.hints import LOOP_IN_FUNCTION, is_over_levels, levels_hint
from polysched.frontend.syntax import line_of
from polysched.ir import (
    Action,
    Assign,
    Call,
    Element,
    Expr,
    Guard,
    Iter,
    Let,
    Load,
    Local,
    action_expressions,
    assignments,
    walk,
    walk_actions,
)

AFFINE_HINT = (
    "affine are sums of iterators, parameters and constants, multiples of them, and "
    "/ and % by constants; numbers that stay may be variables in front of the scop"
)


class WholeReader:
    """Reads what becomes one statement, at the present place of an `ActionReader`.

    Parameters
    ----------
    around : Surroundings
        What the readers of the SCoP share.
    data_loops : DataLoops
        Knows the loops that data end.
    actions : ActionReader
        Reads the pieces.
    """

    def __init__(
        self, around: Surroundings, data_loops: DataLoops, actions: ActionReader
    ) -> None:
        self._around = around
        self._refuser = around.refuser
        self._data_loops = data_loops
        self._actions = actions

    def read(
        self, items: Sequence[Any], own: Sequence[Symbol], why: NotAffine | None
    ) -> tuple[Any, tuple[Action, ...]]:
        """Statements as one: its syntax, and what it does.

        Parameters
        ----------
        items : sequence of nodes
            The statements.
        own : sequence of Symbol
            Variables that nothing else uses.
        why : NotAffine, optional
            What is not affine in the header of a loop that looked like a plain one.
        """
        first = items[0]
        whole = first if len(items) == 1 else c_ast.Compound(items, line_of(first))
        self._enter(own)
        body = self._actions.actions(whole)
        self._leave()
        assert _declares_its_variables(body), "a variable has no declaration"
        self._check_targets(whole, body, why)
        return whole, body

    def guard(self, node: Any, condition: Expr) -> Guard:
        """A data-dependent ``if``, perhaps with loops that data end."""
        is_plain = not self._data_loops.holds_one(node)
        self._enter(() if is_plain else self._data_loops.variables((node,)))
        guard = self._actions.guard(node, condition)
        self._leave()
        assert _declares_its_variables((guard,)), "a variable has no declaration"
        if not is_plain:
            self._check_targets(node, (guard,), None)
        return guard

    def check_bounds(self, node: Any, why: NotAffine) -> None:
        """Refuse a loop that ends at one number, which could be a parameter."""
        parts = walk(why.expr)
        if not any(isinstance(e, (Iter, Element, Local, Call)) for e in parts):
            self._refuse_bounds(node, why)

    def _enter(self, own: Iterable[Symbol]) -> None:
        self._around.reader.locals = {symbol: self._local(symbol) for symbol in own}

    def _leave(self) -> None:
        self._around.reader.locals = {}

    def _local(self, symbol: Symbol) -> Local:
        if isinstance(symbol.ctype, PointerC):
            self._refuser.unsupported(
                symbol.node, f"found a pointer, {symbol.name!r}, declared in a loop "
                "that data end, or as its variable",
                hint="count with an integer, and subscript the array with it",
            )  # fmt: skip
        if symbol.scalar_type is None or symbol.storage == "static":
            self._refuser.unsupported(
                symbol.node, f"{symbol.name!r}, declared in a loop that data end, is "
                "no plain scalar", hint="declare it in front of the scop",
            )  # fmt: skip
        if getattr(symbol.ctype, "volatile", False):
            self._refuser.unsupported(symbol.node, f"{symbol.name!r} is volatile")
        active = {loop.name for loop in self._actions.nest.loops}
        name = self._around.objects.names.local(symbol.name, active)
        return Local(name, symbol.scalar_type)

    def _check_targets(
        self, node: Any, body: tuple[Action, ...], why: NotAffine | None
    ) -> None:
        """A loop that data end writes to known places, or in rows of its iteration."""
        for action in body:
            for assign in assignments(action):
                if not self._has_place(assign.target):
                    self._refuse(node, assign, why)

    def _has_place(self, target: Load) -> bool:
        """Whether places are known, or there are loops around to be scheduled."""
        return bool(self._actions.nest.loops) or not target.is_chosen_by_data

    def _refuse(self, node: Any, assign: Assign, why: NotAffine | None) -> NoReturn:
        if why is not None:
            self._refuse_bounds(node, why)
        loop = self._data_loops.first(node)
        place, words = self._data_loops.cause(loop or node)
        line = self._changed_at(place)
        hint = "what stays the same may be copied to variables in front of the scop"
        if isinstance(loop, (c_ast.While, c_ast.DoWhile)):
            hint = "put the pragmas around what it repeats"
        if line is not None:
            words = f"{place.name!r} changes inside the scop, at line {line}; {words}"
            if isinstance(loop, c_ast.For):
                hint = (
                    f"a variable of the scop may begin with it: int k = {place.name};"
                )
        elif is_over_levels(loop):
            hint = levels_hint(loop)
        self._refuser.not_affine(
            place, f"{words} writes {assign.target.array!r} at places that change as "
            "it turns",
            hint=f"a scop may begin inside of such a loop: {hint}",
        )  # fmt: skip

    def _changed_at(self, place: Any) -> int | None:
        """The line that changes a variable of the region's bounds."""
        survey = self._around.survey
        symbol = survey.symbol(place) if isinstance(place, c_ast.ID) else None
        changes = survey.writes.get(symbol) if symbol is not None else None
        return changes[0].coord.line if changes else None

    def _refuse_bounds(self, node: Any, why: NotAffine) -> NoReturn:
        place, reason = self._around.node_of(why.expr, None), self._around.reason(why)
        if not self._around.is_at_break(place):
            self._refuser.not_affine(
                place or node, f"the bounds of this loop are not affine: {reason}",
                hint=AFFINE_HINT,
            )  # fmt: skip
        self._refuser.not_affine(
            place, "the condition of this break is not one on iterators and "
            f"parameters: {reason}",
            hint=f"loops end where that is known beforehand; {LOOP_IN_FUNCTION}",
        )  # fmt: skip


def _declares_its_variables(body: tuple[Action, ...]) -> bool:
    """Whether what is printed declares all that it names: C has others of the name."""
    inside = [a for action in body for a in walk_actions(action)]
    declared = {a.local for a in inside if isinstance(a, Let) and a.is_new}
    tops = [e for action in body for e in action_expressions(action)]
    return {e for t in tops for e in walk(t) if isinstance(e, Local)} <= declared
