"""Walks the statements of a SCoP and collects them with their domains."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, NoReturn

import islpy as isl
from pycparser import c_ast

from polysched.frontend.affine import Affine, NotAffine
from polysched.frontend.assumptions import Assumptions
from polysched.frontend.declarations import ScalarC, Symbol
from polysched.frontend.literals import fold, integer
from polysched.frontend.loops import read_header
from polysched.frontend.nest import (
    Bounds,
    EndlessLoop,
    Nest,
    conjuncts,
    enter_loop,
    not_equal_bound,
)
from polysched.frontend.objects import Loop, Objects
from polysched.frontend.purity import Functions, converted
from polysched.frontend.reading import ScopReader
from polysched.frontend.refusal import Refuser
from polysched.frontend.survey import Survey
from polysched.ir import Action, Assign, Binary, Expr, Guard, Load, walk

_ASSIGN_OPS = frozenset(
    {"=", "+=", "-=", "*=", "/=", "%=", "&=", "|=", "^=", "<<=", ">>="}
)
_LOOP_KINDS = (c_ast.For, c_ast.While, c_ast.DoWhile)


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


@dataclass
class Surroundings:
    """What a builder needs to know of the file."""

    refuser: Refuser
    survey: Survey
    objects: Objects
    functions: Functions
    reader: ScopReader
    assumptions: Assumptions = field(default_factory=Assumptions)


class Builder:
    """Collects drafts of statements in source order."""

    def __init__(self, around: Surroundings) -> None:
        self._around = around
        self._refuser = around.refuser
        self._survey = around.survey
        self._reader = around.reader
        self.drafts: list[Draft] = []
        self._counters = [0]
        affine = self._affine(())
        self._nest = Nest((), affine.universe(), affine)

    def run(self, items: Sequence[Any]) -> list[Draft]:
        """Visit the statements of the SCoP."""
        for item in items:
            self._visit(item)
        return self.drafts

    def _affine(self, loops: tuple[Loop, ...]) -> Affine:
        return Affine(
            [loop.name for loop in loops], self._around.functions.expand, self._require
        )

    def _require(self, bad: isl.Set, expr: Expr, reason: str) -> None:
        """Assume the parameters such that `bad` is empty, or refuse."""
        if not self._around.assumptions.exclude(bad):
            self._refuser.not_affine(
                self._node(expr), f"this cannot be modelled exactly: {reason}"
            )

    def _node(self, expr: Expr) -> Any:
        """The best syntax node for an expression."""
        for part in walk(expr):
            node = self._reader.node_of(part)
            if node is not None:
                return node
        return self._current

    def _visit(self, node: Any) -> None:
        self._current = node
        visit: Callable[[Any], None] | None = getattr(
            self, f"_visit_{type(node).__name__.lower()}", None
        )
        if visit is None:
            self._refuse_statement(node)
        visit(node)

    def _visit_compound(self, node: Any) -> None:
        for item in node.block_items or ():
            self._visit(item)

    def _visit_emptystatement(self, node: Any) -> None:
        pass

    def _visit_exprlist(self, node: Any) -> None:
        for item in node.exprs:
            self._visit(item)

    def _visit_pragma(self, node: Any) -> None:
        self._refuser.unsupported(node, f"found #pragma {node.string} inside a scop")

    def _visit_cast(self, node: Any) -> None:
        """``(void)x;`` does nothing."""
        if not isinstance(node.expr, (c_ast.Constant, c_ast.ID)):
            self._refuse_statement(node)

    def _visit_decllist(self, node: Any) -> None:
        for item in node.decls:
            self._visit(item)

    def _visit_decl(self, node: Any) -> None:
        for assign in self._declaration(node):
            self._emit(node, (assign,))

    def _declaration(self, node: Any) -> list[Assign]:
        """Enter a declaration; the assignments that its initialiser makes."""
        symbol = self._survey.symbol(node)
        if symbol is None or symbol.kind != "object":
            return []
        if symbol.storage != "scop":
            self._refuser.unsupported(
                node, f"found a {symbol.storage} declaration inside the scop",
                hint="declare it in front of the scop",
            )  # fmt: skip
        self._around.objects.declare(symbol, self._nest.loops)
        if node.init is None:
            return []
        if self._bind(symbol, node):
            return []
        if isinstance(node.init, c_ast.InitList):
            return self._initialise_array(symbol, node)
        target = self._target(c_ast.ID(node.name, node.coord), symbol)
        return [Assign(target, "=", self._reader.read(node.init))]

    def _bind(self, symbol: Symbol, node: Any) -> bool:
        """Let an integer that never changes stand for its affine initial value."""
        ctype = symbol.ctype
        if not isinstance(ctype, ScalarC) or ctype.type.is_float or ctype.volatile:
            return False
        if symbol in self._survey.writes or symbol in self._survey.iterators:
            return False
        value = converted(self._read(node.init), ctype.type)
        try:
            self._nest.affine.value(value, self._nest.domain)
        except NotAffine:
            return False
        self._reader.bound[symbol] = value
        return True

    def _initialise_array(self, symbol: Symbol, node: Any) -> list[Assign]:
        found = self._around.objects.find(symbol, node)
        extent = found.extents[0] if len(found.extents) == 1 else None
        size = None if extent is None else fold(extent)
        values = node.init.exprs
        simple = not any(
            isinstance(v, (c_ast.NamedInitializer, c_ast.InitList)) for v in values
        )
        if size is None or not simple or len(values) != size:
            self._refuser.unsupported(
                node, f"found an initialiser of {symbol.name!r} that does not name "
                "every element", hint="assign the elements in a loop",
            )  # fmt: skip
        return [
            Assign(
                Load(found.name, (*found.prefix, integer(k)), found.type), "=",
                self._read(value),
            )
            for k, value in enumerate(values)
        ]  # fmt: skip

    def _visit_assignment(self, node: Any) -> None:
        for part, assign in self._assignments(node):
            self._emit(part, (assign,))

    def _visit_unaryop(self, node: Any) -> None:
        if node.op not in {"p++", "++", "p--", "--"}:
            self._refuse_statement(node)
        for part, assign in self._assignments(node):
            self._emit(part, (assign,))

    def _assignments(self, node: Any) -> list[tuple[Any, Assign]]:
        """The assignments that ``a = b = e`` or ``x++`` makes, in order."""
        if isinstance(node, c_ast.UnaryOp):
            target = self._target(node.expr)
            op = "+=" if "+" in node.op else "-="
            return [(node, Assign(target, op, integer(1)))]
        if node.op not in _ASSIGN_OPS:
            self._refuser.unsupported(node, f"found the operator {node.op!r}")
        earlier: list[tuple[Any, Assign]] = []
        if isinstance(node.rvalue, c_ast.Assignment):
            earlier = self._assignments(node.rvalue)
            value: Expr = earlier[-1][1].target
        else:
            value = self._read(node.rvalue)
        return [*earlier, (node, Assign(self._target(node.lvalue), node.op, value))]

    def _target(self, node: Any, symbol: Symbol | None = None) -> Load:
        """What is assigned to."""
        if symbol is None and isinstance(node, c_ast.ID):
            symbol = self._reader.symbol(node)
        if symbol is not None:
            return self._scalar_target(node, symbol)
        target = self._read(node)
        if not isinstance(target, Load):
            self._refuser.unsupported(
                node, "this cannot be assigned to in a scop",
                hint="assign to scalars and array elements",
            )  # fmt: skip
        return target

    def _scalar_target(self, node: Any, symbol: Symbol) -> Load:
        if symbol in self._survey.iterators:
            self._refuser.unsupported(
                node, f"the loop iterator {symbol.name!r} is changed inside the scop",
                hint="loops advance by a constant step in their header only",
            )  # fmt: skip
        found = self._around.objects.find(symbol, node)
        if found.extents:
            self._refuser.unsupported(
                node, f"the pointer or array {symbol.name!r} is assigned to",
                hint="assign to its elements; pointers stay fixed inside a scop",
            )  # fmt: skip
        return Load(found.name, found.prefix, found.type)

    def _read(self, node: Any) -> Expr:
        self._reader.loops = self._nest.loops
        return self._reader.read(node)

    def _visit_for(self, node: Any) -> None:
        header = read_header(node, self._refuser, self._fold)
        symbol = self._survey.symbol(header.iterator)
        if symbol is None:
            self._refuser.wrong(header.iterator, f"{header.name!r} is not declared")
        if not symbol.is_integer or symbol.scalar_type is None:
            self._refuser.unsupported(
                header.iterator, f"the loop iterator {header.name!r} is not an integer"
            )
        if symbol in self._survey.writes:
            self._refuser.unsupported(
                self._survey.writes[symbol][0],
                f"the loop iterator {header.name!r} is changed inside the scop",
                hint="loops advance by a constant step in their header only",
            )
        if any(loop.symbol is symbol for loop in self._nest.loops):
            self._refuser.unsupported(
                node, f"the iterator {header.name!r} is that of a loop around this one"
            )
        start = self._read(header.start)
        active = {loop.name for loop in self._nest.loops}
        name = self._around.objects.names.iterator(header.name, active)
        loop = Loop(symbol, name, symbol.scalar_type, header.step)
        outer = self._nest
        inner = self._enter(node, header, loop, start)
        self._counters.append(0)
        self._nest = inner
        self._visit(node.stmt)
        self._nest = outer
        self._counters.pop()
        self._counters[-1] += 1

    def _fold(self, node: Any) -> int | None:
        return fold(self._read(node))

    def _enter(self, node: Any, header: Any, loop: Loop, start: Expr) -> Nest:
        outer = self._nest
        loops = (*outer.loops, loop)
        affine = self._affine(loops)
        self._nest = Nest(loops, outer.domain, affine)
        condition = self._read(header.condition)
        self._nest = outer
        condition = self._without_not_equal(condition, loop, start, affine)
        try:
            domain = enter_loop(outer, affine, Bounds(loop, start, condition))
        except NotAffine as verdict:
            self._refuse_not_affine("the bounds of this loop are not affine", verdict)
        except EndlessLoop as verdict:
            self._refuser.unsupported(
                header.condition, f"this loop has no last iteration: {verdict}"
            )
        return Nest(loops, domain, affine)

    def _without_not_equal(
        self, condition: Expr, loop: Loop, start: Expr, affine: Affine
    ) -> Expr:
        """``i != END`` as ``i < END`` where the loop meets END going upwards."""
        end = not_equal_bound(condition, loop)
        if end is None or abs(loop.step) != 1:
            return condition
        op, wrong = ("<", ">") if loop.step > 0 else (">", "<")
        outer = self._nest
        try:
            bad = outer.affine.condition(Binary(wrong, start, end), outer.domain)
        except NotAffine as verdict:
            self._refuse_not_affine("the bounds of this loop are not affine", verdict)
        if not bad.is_empty():
            self._require(bad, condition, "the loop starts behind its end")
        return Binary(op, loop.iterator, end)

    def _visit_if(self, node: Any) -> None:
        condition = self._read(node.cond)
        nest = self._nest
        try:
            holds = nest.affine.condition(condition, nest.domain)
        except NotAffine as verdict:
            self._visit_data_if(node, condition, verdict)
            return
        fails = nest.domain.subtract(holds).coalesce()
        for branch, domain in ((node.iftrue, holds), (node.iffalse, fails)):
            if branch is not None:
                self._nest = nest.within(domain)
                self._visit(branch)
        self._nest = nest

    def _visit_data_if(self, node: Any, condition: Expr, verdict: NotAffine) -> None:
        """A data-dependent ``if`` is one statement."""
        loop = _find(node, _LOOP_KINDS)
        if loop is not None:
            self._refuser.not_affine(
                self._node(verdict.expr),
                f"the condition of an if around a loop is not affine: {verdict.reason}",
                hint="conditions on data are taken around assignments only",
            )
        nest = self._nest
        if node.iffalse is None:
            condition = self._split_condition(condition)
        action = self._guard(node, condition)
        self._emit(node, (action,))
        self._nest = nest

    def _split_condition(self, condition: Expr) -> Expr:
        """Move the affine parts of a conjunction into the domain."""
        rest: list[Expr] = []
        for part in conjuncts(condition):
            try:
                domain = self._nest.affine.condition(part, self._nest.domain)
            except NotAffine:
                rest.append(part)
            else:
                self._nest = self._nest.within(domain)
        result = rest[0]
        for part in rest[1:]:
            result = Binary("&&", result, part)
        return result

    def _guard(self, node: Any, condition: Expr) -> Guard:
        then = self._actions(node.iftrue)
        other = self._actions(node.iffalse) if node.iffalse is not None else ()
        return Guard(condition, then, other)

    def _actions(self, node: Any) -> tuple[Action, ...]:
        """The actions of a branch of a data-dependent ``if``."""
        if isinstance(node, c_ast.Compound):
            return tuple(
                a for item in node.block_items or () for a in self._actions(item)
            )
        if isinstance(node, c_ast.EmptyStatement):
            return ()
        if isinstance(node, c_ast.If):
            return (self._guard(node, self._read(node.cond)),)
        if isinstance(node, c_ast.Decl):
            return tuple(self._declaration(node))
        is_step = isinstance(node, c_ast.UnaryOp) and node.op in _STEP_OPS
        if isinstance(node, c_ast.Assignment) or is_step:
            return tuple(assign for _, assign in self._assignments(node))
        self._refuse_statement(node)

    def _emit(self, node: Any, body: tuple[Action, ...]) -> None:
        position = tuple(self._counters)
        self._counters[-1] += 1
        self.drafts.append(Draft(node, self._nest, position, body))

    def _refuse_not_affine(self, message: str, verdict: NotAffine) -> NoReturn:
        self._refuser.not_affine(
            self._node(verdict.expr), f"{message}: {verdict.reason}",
            hint="affine are sums of iterators, parameters and constants, multiples "
            "of them, and / and % by constants",
        )  # fmt: skip

    def _refuse_statement(self, node: Any) -> NoReturn:
        kind = type(node).__name__
        if kind == "FuncCall":
            name = getattr(node.name, "name", "a function")
            found = f"a call of {name!r} as a statement"
            if name == "__asm__statement":
                found = "inline assembly"
        else:
            found = _STATEMENT_REFUSALS.get(kind, f"a statement of kind {kind}")
        self._refuser.unsupported(
            node, f"found {found} inside the scop",
            hint="a scop holds for loops, if/else and assignments",
        )  # fmt: skip


def _find(node: Any, kinds: tuple[type, ...]) -> Any | None:
    """The first node of some kinds below a node."""
    if isinstance(node, kinds):
        return node
    for _, child in node.children():
        found = _find(child, kinds)
        if found is not None:
            return found
    return None


_STEP_OPS = frozenset({"p++", "++", "p--", "--"})
_STATEMENT_REFUSALS = {
    "While": "a while loop", "DoWhile": "a do-while loop", "Goto": "a goto",
    "Label": "a label", "Break": "a break", "Continue": "a continue",
    "Return": "a return", "Switch": "a switch", "BinaryOp": "an expression statement",
    "ID": "an expression statement", "TernaryOp": "an expression statement",
    "ArrayRef": "an expression statement", "StaticAssert": "a static assertion",
}  # fmt: skip
