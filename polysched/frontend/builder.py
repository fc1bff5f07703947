"""Walks the statements of a SCoP and collects them with their domains."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

import islpy as isl
from pycparser import c_ast

from polysched.base import check_time
from polysched.frontend.actions import (
    ActionReader,
    Surroundings,
)
from polysched.frontend.affine import Affine
from polysched.frontend.data_loops import DataLoops
from polysched.frontend.declarations import ScalarC, Symbol
from polysched.frontend.exact_values import NotAffine
from polysched.frontend.literals import fold, integer
from polysched.frontend.loops import Header, iterator_node, read_header
from polysched.frontend.nest import (
    Bounds,
    EndlessLoop,
    Entered,
    Nest,
    behind_first_turn,
    conjuncts,
    enter_loop,
    has_unsigned,
    not_equal_bound,
    passes_zero_only,
    within_types,
)
from polysched.frontend.objects import Loop
from polysched.frontend.purity import converted
from polysched.frontend.syntax import line_of
from polysched.frontend.tiles import is_unfit, may_advance
from polysched.frontend.trees import STEP_OPS
from polysched.frontend.ways import UnfitWayError
from polysched.frontend.wholes import WholeReader
from polysched.ir import (
    Action,
    Assign,
    Binary,
    Expr,
    Guard,
    Load,
    Unary,
    map_expr,
    types,
)


@dataclass(frozen=True, eq=False)
class Draft:
    """A statement before its accesses are known.

    Attributes
    ----------
    node : c_ast.Node
        Its syntax.
    nest : Nest
        Loops and domain.
    position : tuple of int
        As `ir.Statement.position`.
    body : tuple of Action
        What it does.
    """

    node: Any
    nest: Nest
    position: tuple[int, ...]
    body: tuple[Action, ...]


class Builder:
    """Collects drafts of statements in source order."""

    def __init__(self, around: Surroundings) -> None:
        self._around = around
        self._refuser = around.refuser
        self._survey = around.survey
        self._current: Any = None
        self._drafts: list[Draft] = []
        self._counters = [0]
        self._guard: Expr | None = None
        affine = self._affine(())
        self._actions = ActionReader(around, Nest((), affine.universe(), affine))
        self._data_loops = DataLoops(around.survey)
        self._wholes = WholeReader(around, self._data_loops, self._actions)

    def run(self, items: Sequence[Any]) -> list[Draft]:
        """Visit the statements of the SCoP."""
        self._visit_items(items)
        return self._drafts

    @property
    def _nest(self) -> Nest:
        return self._actions.nest

    @_nest.setter
    def _nest(self, nest: Nest) -> None:
        self._actions.nest = nest

    def _affine(self, loops: tuple[Loop, ...]) -> Affine:
        names = [loop.name for loop in loops]
        around = self._around
        expand, find = around.functions.expand, around.products.find
        return Affine(names, expand, self._require, find)

    def _require(self, bad: isl.Set, domain: isl.Set, expr: Expr, reason: str) -> None:
        self._around.require(bad, domain, expr, reason, self._current)

    def _visit(self, node: Any) -> None:
        check_time()
        self._current = node
        visit: Callable[[Any], None] | None = getattr(
            self, f"_visit_{type(node).__name__.lower()}", None
        )
        if visit is None:
            self._actions.refuse_statement(node)
        visit(node)

    def _visit_compound(self, node: Any) -> None:
        self._visit_items(node.block_items or ())

    def _visit_items(self, items: Sequence[Any]) -> None:
        for run in self._data_loops.runs(items):
            if run.is_one:
                self._visit_whole(run.items, run.locals)
            else:
                self._visit(run.items[0])

    def _visit_whole(
        self, items: Sequence[Any], own: Sequence[Symbol], why: NotAffine | None = None
    ) -> None:
        """Statements with loops that data end become one, with its own variables."""
        self._emit(*self._wholes.read(items, own, why))

    def _visit_while(self, node: Any, why: NotAffine | None = None) -> None:
        self._visit_whole((node,), self._data_loops.variables((node,)), why)

    _visit_dowhile = _visit_while

    def _visit_emptystatement(self, node: Any) -> None:
        pass

    def _visit_typedef(self, node: Any) -> None:
        pass

    def _visit_exprlist(self, node: Any) -> None:
        for item in node.exprs:
            self._visit(item)

    def _visit_pragma(self, node: Any) -> None:
        self._refuser.unsupported(node, f"found #pragma {node.string} inside a scop")

    def _visit_cast(self, node: Any) -> None:
        """``(void)x;`` does nothing."""
        if not isinstance(node.expr, (c_ast.Constant, c_ast.ID)):
            self._actions.refuse_statement(node)

    def _visit_decllist(self, node: Any) -> None:
        for item in node.decls:
            self._visit(item)

    def _visit_decl(self, node: Any) -> None:
        for assign in self._actions.declaration(node):
            self._emit(node, (assign,))

    def _visit_assignment(self, node: Any) -> None:
        for part, assign in self._actions.assignments(node):
            self._emit(part, (assign,))

    def _visit_unaryop(self, node: Any) -> None:
        if node.op not in STEP_OPS:
            self._actions.refuse_statement(node)
        self._visit_assignment(node)

    def _visit_for(self, node: Any) -> None:
        if self._data_loops.is_one(node):
            self._visit_while(node)
            return
        counter = iterator_node(node)
        symbol = self._survey.symbol(counter)
        if symbol is not None and not symbol.is_integer:
            self._refuse_iterator(counter, symbol.name)
        header = read_header(node, self._refuser, self._fold)
        loop = self._loop(node, header)
        self._check_flat(node, loop)
        self._check_tiles(node, loop)
        outer = self._nest
        holds = self._around.assumptions.holds
        try:
            inner = self._enter(header, loop)
        except NotAffine as verdict:
            self._around.assumptions.holds = holds
            self._wholes.check_bounds(node, verdict)
            self._visit_while(node, verdict)
            return
        self._counters.append(0)
        self._nest = inner
        self._visit(node.stmt)
        self._nest = outer
        self._counters.pop()
        self._counters[-1] += 1

    def _check_flat(self, node: Any, loop: Loop) -> None:
        """A loop that was one over a product turns as often as that says."""
        flat = self._around.flat_loops.get(loop.symbol.name)
        if flat is None:
            return
        product = self._actions.read(flat.product)
        if has_unsigned(product) or (loop.type.n_bytes < 8 and loop.type.kind != "int"):
            where = self._refuser.where(flat.product)
            raise UnfitWayError("its factors may wrap around", where=where)
        nest, zero = self._nest, integer(0)
        for factor in flat.factors:
            size = self._actions.read(factor)
            below = nest.affine.condition(Binary("<", size, zero), nest.domain)
            self._require(below, nest.domain, size, "a factor may be below zero")

    def _check_tiles(self, node: Any, loop: Loop) -> None:
        """A loop that was one over tiles needs tiles with elements."""
        size = self._around.tile_sizes.get(id(node.coord))
        if size is None:
            return
        value, nest = self._actions.read(size), self._nest
        where = self._refuser.where(size)
        if not may_advance(loop.type, value):
            raise UnfitWayError("the tile's end may wrap around", where=where)
        try:
            bad = nest.affine.condition(is_unfit(value), nest.domain)
        except NotAffine as verdict:
            raise UnfitWayError(verdict.reason, where=where) from None
        self._require(bad, nest.domain, value, "a tile may have no elements")

    def _fold(self, node: Any) -> int | None:
        return fold(self._actions.read(node))

    def _loop(self, node: Any, header: Header) -> Loop:
        symbol = self._survey.symbol(header.iterator)
        if symbol is None:
            self._refuser.wrong(
                header.iterator, f"{header.name!r} is not declared",
                hint=f"declare it in the loop: for (int {header.name} = ...)",
            )  # fmt: skip
        if not symbol.is_integer or symbol.scalar_type is None:
            self._refuse_iterator(header.iterator, header.name)
        if getattr(symbol.ctype, "volatile", False):
            self._refuser.unsupported(
                header.iterator, f"the loop iterator {header.name!r} is volatile"
            )
        if symbol in self._survey.writes:
            place = self._survey.writes[symbol][0]
            self._actions.refuse_changed_iterator(place, header.name)
        if any(loop.symbol is symbol for loop in self._nest.loops):
            self._refuser.unsupported(
                node, f"the iterator {header.name!r} is that of a loop around this one"
            )
        active = {loop.name for loop in self._nest.loops}
        name = self._around.objects.names.iterator(header.name, active)
        return Loop(symbol, name, symbol.scalar_type, header.step)

    def _refuse_iterator(self, node: Any, name: str) -> NoReturn:
        self._refuser.unsupported(
            node, f"the loop iterator {name!r} is not an integer",
            hint="count with an integer, and compute the other from it: "
            "double t = 0.5 * k;",
        )  # fmt: skip

    def _enter(self, header: Header, loop: Loop) -> Nest:
        start = converted(self._actions.read(header.start), loop.type)
        outer = self._nest
        loops = (*outer.loops, loop)
        affine = self._affine(loops)
        self._nest = Nest(loops, outer.domain, affine)
        condition = self._actions.read(header.condition)
        self._nest = outer
        try:
            condition = self._without_first_turn(condition, loop, start)
            condition = self._without_not_equal(condition, loop, start)
            bounds = Bounds(loop, start, condition)
            domain = enter_loop(outer, affine, bounds)
        except EndlessLoop as verdict:
            self._refuser.unsupported(
                header.condition,
                f"this loop has no last iteration: {verdict}",
                hint="the condition has to fail in the direction of the step: i < END "
                "with i++, i > END with i--",
            )
        headers = (*outer.headers, Entered(bounds, outer, domain))
        return Nest(loops, domain, affine, headers)

    def _without_first_turn(self, condition: Expr, loop: Loop, start: Expr) -> Expr:
        """``i == START || i < END`` as ``i < END``, where sizes let it turn so.

        Sizes for which it does not are left out, if that leaves any.
        """
        rest = behind_first_turn(condition, loop, start)
        if rest is None:
            return condition
        outer = self._nest
        first = map_expr(rest, lambda e: start if e == loop.iterator else None)
        bad = outer.domain.subtract(outer.affine.condition(first, outer.domain))
        return (
            rest if self._around.assumptions.exclude(bad, outer.domain) else condition
        )

    def _without_not_equal(self, condition: Expr, loop: Loop, start: Expr) -> Expr:
        """``i != END`` as ``i < END`` where the loop meets END going upwards."""
        end = not_equal_bound(condition, loop)
        if end is None or abs(loop.step) != 1 or passes_zero_only(condition, loop):
            return condition
        op, wrong = ("<", ">") if loop.step > 0 else (">", "<")
        outer = self._nest
        bad = outer.affine.condition(Binary(wrong, start, end), outer.domain)
        if not bad.is_empty():
            self._require(
                bad, outer.domain, condition, "the loop may start behind its end"
            )
        return Binary(op, loop.iterator, end)

    def _visit_if(self, node: Any) -> None:
        condition = self._actions.read(node.cond)
        nest = self._nest
        around = within_types(nest.domain, nest.loops, condition)
        try:
            holds = nest.affine.condition(condition, around)
        except NotAffine:
            self._visit_data_if(node, condition)
            return
        fails = around.subtract(holds).coalesce()
        for branch, domain in ((node.iftrue, holds), (node.iffalse, fails)):
            if branch is not None:
                self._nest = nest.within(domain)
                self._visit(branch)
        self._nest = nest

    def _visit_data_if(self, node: Any, condition: Expr) -> None:
        """A data-dependent ``if`` is one statement, unless it is around loops."""
        nest = self._nest
        if node.iffalse is None:
            condition = self._split_condition(condition)
        if self._data_loops.has_plain_loop(node):
            self._visit_guarded(node, condition)
        else:
            self._emit(node, (self._wholes.guard(node, condition),))
        self._nest = nest

    def _visit_guarded(self, node: Any, condition: Expr) -> None:
        """A data-dependent ``if`` around loops: its value is kept and asked inside."""
        outer = self._guard
        holds = self._keep(
            node, condition if outer is None else _both(outer, condition)
        )
        fails: Expr = Unary("!", holds)
        if outer is not None:
            fails = _both(outer, fails)
        for branch, guard in ((node.iftrue, holds), (node.iffalse, fails)):
            if branch is not None:
                self._guard = guard
                self._visit(branch)
        self._guard = outer

    def _keep(self, node: Any, condition: Expr) -> Load:
        """A variable of our own that holds the value of a condition."""
        symbol = Symbol("holds", "object", ScalarC(types.INT), "scop")
        self._survey.declared[symbol] = node
        objects = self._around.objects
        objects.declare(symbol, self._nest.loops)
        found = objects.find(symbol, node)
        kept = Load(found.name, found.prefix, found.type)
        value = Binary("!=", condition, integer(0))
        shown = c_ast.Assignment("=", c_ast.ID(found.name), node.cond, line_of(node))
        self._add(shown, (Assign(kept, "=", value),))
        return kept

    def _split_condition(self, condition: Expr) -> Expr:
        """Move the affine parts of a conjunction into the domain."""
        rest = [part for part in conjuncts(condition) if not self._restrict(part)]
        result = rest[0]
        for part in rest[1:]:
            result = Binary("&&", result, part)
        return result

    def _restrict(self, condition: Expr) -> bool:
        """Restrict the present domain by a condition, if it is affine.

        One beside data that leaves a single place out, as ``i != j``, stays with them:
        the domain would be in pieces.
        """
        nest = self._nest
        try:
            around = within_types(nest.domain, nest.loops, condition)
            holds = nest.affine.condition(condition, around)
        except NotAffine:
            return False
        is_unequal = isinstance(condition, Binary) and condition.op == "!="
        if is_unequal and holds.coalesce().n_basic_set() > nest.domain.n_basic_set():
            return False
        self._nest = nest.within(holds)
        return True

    def _emit(self, node: Any, body: tuple[Action, ...]) -> None:
        """A statement; one in an ``if`` that depends on data asks for its condition."""
        self._add(node, body if self._guard is None else (Guard(self._guard, body),))

    def _add(self, node: Any, body: tuple[Action, ...]) -> None:
        position = tuple(self._counters)
        self._counters[-1] += 1
        self._drafts.append(Draft(node, self._nest, position, body))


def _both(left: Expr, right: Expr) -> Expr:
    return Binary("&&", left, right)
