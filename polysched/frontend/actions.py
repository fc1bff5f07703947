"""Assignments, declarations and data-dependent conditions as actions."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NoReturn

import islpy as isl
from pycparser import c_ast

from polysched.frontend.assumptions import Assumptions
from polysched.frontend.declarations import (
    ArrayC,
    PointerC,
    ScalarC,
    StructC,
    Symbol,
    dimensions,
    element_type,
    is_indirect,
    read_type,
    table_dimensions,
)
from polysched.frontend.exact_values import NotAffine
from polysched.frontend.expressions import describe_type
from polysched.frontend.flat_loops import FlatLoop
from polysched.frontend.hints import (
    POINTER_MOVED,
    found_statement,
    pointer_hint,
    statement_hint,
)
from polysched.frontend.initialisers import read_initialiser
from polysched.frontend.literals import integer
from polysched.frontend.nest import Nest
from polysched.frontend.objects import Objects
from polysched.frontend.products import Products
from polysched.frontend.purity import Functions, converted
from polysched.frontend.reading import ScopReader
from polysched.frontend.refusal import Refuser
from polysched.frontend.survey import Survey
from polysched.frontend.trees import STEP_OPS
from polysched.ir import (
    Action,
    Assign,
    Call,
    Expr,
    Guard,
    Leave,
    Let,
    Load,
    Local,
    Repeat,
    map_expr,
    walk,
)

_ASSIGN_OPS = frozenset(
    {"=", "+=", "-=", "*=", "/=", "%=", "&=", "|=", "^=", "<<=", ">>="}
)
_INTEGER_ASSIGN_OPS = frozenset({"%=", "&=", "|=", "^=", "<<=", ">>="})


@dataclass
class Surroundings:
    """What the readers of one SCoP share."""

    refuser: Refuser
    survey: Survey
    objects: Objects
    functions: Functions
    reader: ScopReader
    assumptions: Assumptions
    is_at_break: Callable[[Any], bool]
    products: Products
    flat_loops: Mapping[str, FlatLoop]
    tile_sizes: Mapping[int, Any]

    def node_of(self, expr: Expr, otherwise: Any) -> Any:
        """The best syntax node for an expression."""
        for part in walk(expr):
            node = self.reader.node_of(part)
            if node is not None:
                return node
        return otherwise

    def reason(self, verdict: NotAffine) -> str:
        """Why an expression is not affine; names the line that changes a variable."""
        node = self.node_of(verdict.expr, None)
        if isinstance(verdict.expr, Load) and isinstance(node, c_ast.ID):
            symbol = self.survey.symbol(node)
            if symbol in self.survey.writes:
                line = self.survey.writes[symbol][0].coord.line
                return f"{symbol.name!r} changes inside the scop, at line {line}"
        return verdict.reason

    def require(
        self, bad: isl.Set, domain: isl.Set, expr: Expr, reason: str, otherwise: Any
    ) -> None:
        """Assume the parameters such that `bad` is empty, or refuse."""
        if not self.assumptions.exclude(bad, domain):
            self.refuser.not_affine(
                self.node_of(expr, otherwise),
                f"this cannot be modelled exactly: {reason}",
            )


class ActionReader:
    """Reads statements that compute something, at a place in a loop nest."""

    def __init__(self, around: Surroundings, nest: Nest) -> None:
        self._around = around
        self._refuser = around.refuser
        self._survey = around.survey
        self.nest = nest
        self._n_repeats = 0  # loops inside the present statement

    def read(self, node: Any) -> Expr:
        """An expression at the present place."""
        self._around.reader.loops = self.nest.loops
        return self._around.reader.read(node)

    def declaration(self, node: Any) -> list[Action]:
        """Enter a declaration; what its initialiser does."""
        symbol = self._survey.symbol(node)
        if symbol is None or symbol.kind != "object":
            return []
        if symbol.storage != "scop":
            self._refuser.unsupported(
                node, f"found a {symbol.storage} declaration inside the scop",
                hint="declare it in front of the scop",
            )  # fmt: skip
        if symbol.is_pointer:
            self._point(symbol, node)
            return []
        if node.init is not None and self._bind(symbol, node):
            return []
        local = self._around.reader.locals.get(symbol)
        if local is not None:
            value = None if node.init is None else self.read(node.init)
            return [Let(local, "=", value, True)]
        self._around.objects.declare(symbol, self.nest.loops)
        if node.init is None:
            return []
        if isinstance(node.init, c_ast.InitList):
            return [*self._initialise(symbol, node.init)]
        if isinstance(symbol.ctype, StructC):
            return [*self._copies(self._name(symbol, node), node.init)]
        target, value = self._scalar_target(node, symbol), self.read(node.init)
        if symbol.is_integer and symbol not in self._survey.writes:
            self._around.reader.initial[target] = converted(value, target.type)
        return [Assign(target, "=", value)]

    def _initialise(self, symbol: Symbol, init: Any) -> list[Assign | Let]:
        parts = self._around.objects.parts(symbol, init)
        return [*read_initialiser(parts, init, self._refuser, self.read)]

    def _name(self, symbol: Symbol, node: Any) -> Any:
        """A piece of syntax that names a symbol."""
        name = c_ast.ID(symbol.name, node.coord)
        self._survey.symbols[id(name)] = symbol
        return name

    def _point(self, symbol: Symbol, node: Any) -> None:
        """Let a pointer stand for the elements of an array from a place on."""
        reader = self._around.reader
        place = None if node.init is None else reader.place(node.init)
        if place is None:
            self._refuser.unsupported(
                node, f"the pointer {symbol.name!r} is not set to a place in an array",
                hint=pointer_hint(node.init),
            )  # fmt: skip
        initial = reader.initial
        subscripts = (map_expr(s, initial.get) for s in place.subscripts)
        place = replace(place, subscripts=tuple(subscripts))
        base = reader.symbol(place.base)
        if len(dimensions(symbol.ctype)) != 1 or not _same_elements(
            symbol, base, len(place.subscripts)
        ):
            self._refuser.unsupported(
                node, f"{symbol.name!r} is {describe_type(symbol.ctype)}, and points "
                f"into {base.name!r}, {describe_type(base.ctype)}",
                hint="pointers inside a scop run along the last subscript of an array",
            )  # fmt: skip
        if not all(self._is_fixed(s) or self._stays(s, node) for s in place.subscripts):
            self._refuser.not_affine(
                node, f"the place that {symbol.name!r} points to depends on data that "
                "a loop or a function computes",
                hint="it may depend on elements of arrays that the scop only reads",
            )  # fmt: skip
        reader.places[symbol] = place
        if symbol in self._survey.writes:
            places = self._survey.writes.setdefault(base, [])
            places.extend(self._survey.writes[symbol])

    def _bind(self, symbol: Symbol, node: Any) -> bool:
        """Let an integer that never changes stand for its initial value.

        That value must be affine or at least read no memory, as ``i*n + j`` does not.
        """
        ctype = symbol.ctype
        if not isinstance(ctype, ScalarC) or ctype.type.is_float or ctype.volatile:
            return False
        if symbol in self._survey.writes or symbol in self._survey.iterators:
            return False
        value = converted(self.read(node.init), ctype.type)
        if not self._is_fixed(value):
            return False
        self._around.reader.bound[symbol] = value
        return True

    def _is_fixed(self, value: Expr) -> bool:
        """Whether an integer is affine, or reads at least no memory."""
        try:
            self.nest.affine.value(value, self.nest.domain)
        except NotAffine:
            return not any(isinstance(e, (Load, Local, Call)) for e in walk(value))
        return True

    def _stays(self, value: Expr, node: Any) -> bool:
        """Whether a value stays as it is if the arrays that it reads do."""
        parts = list(walk(value))
        if any(isinstance(e, (Local, Call)) for e in parts):
            return False
        for load in parts:
            if isinstance(load, Load):
                self._around.reader.held.setdefault(load.array, node)
        return True

    def assignments(self, node: Any) -> list[tuple[Any, Assign | Let]]:
        """The assignments that ``a = b = e`` or ``x++`` makes, in order."""
        if isinstance(node, c_ast.UnaryOp):
            target = self._target(node.expr)
            op = "+=" if "+" in node.op else "-="
            return [(node, _change(target, op, integer(1)))]
        if node.op not in _ASSIGN_OPS:
            self._refuser.unsupported(node, f"found the operator {node.op!r}")
        self._check_pointer(node.lvalue)
        if node.op == "=" and (copies := self._copies(node.lvalue, node.rvalue)):
            return [(node, copy) for copy in copies]
        earlier: list[tuple[Any, Assign | Let]] = []
        if isinstance(node.rvalue, c_ast.Assignment):
            earlier = self.assignments(node.rvalue)
            value: Expr = _changed(earlier[-1][1])
        else:
            value = self.read(node.rvalue)
        target = self._target(node.lvalue)
        if node.op in _INTEGER_ASSIGN_OPS and (
            target.dtype.is_float or value.dtype.is_float
        ):
            self._refuser.wrong(node, f"{node.op!r} takes integers only")
        return [*earlier, (node, _change(target, node.op, value))]

    def _copies(self, target: Any, value: Any) -> list[Assign | Let]:
        """The assignments that copy a structure; none if the target is no structure.

        A compound literal ``(vec3){x, y, z}`` is a variable of its own first: it may
        read what the copy changes.
        """
        numbers = self._around.reader.numbers(target, written=True)
        if not numbers:
            return []
        earlier: list[Assign | Let] = []
        if isinstance(value, c_ast.CompoundLiteral):
            type_ = read_type(value.type, self._around.reader.scope)
            symbol = Symbol("literal", "object", type_, "scop")
            self._survey.declared[symbol] = value
            self._around.objects.declare(symbol, self.nest.loops)
            earlier = self._initialise(symbol, value.init)
            value = self._name(symbol, value)
        values = self._around.reader.numbers(value)
        types_ = [load.type for load in numbers]
        if types_ != [load.type for load in values]:
            self._refuser.unsupported(
                value, "found no structure that could be copied here",
                hint="copy structures member by member",
            )  # fmt: skip
        pairs = zip(numbers, values, strict=True)
        return [*earlier, *(Assign(n, "=", v) for n, v in pairs)]

    def _target(self, node: Any) -> Load | Local:
        """What is assigned to."""
        if isinstance(node, c_ast.ID):
            symbol = self._around.reader.symbol(node)
            if symbol in self._around.reader.locals:
                return self._around.reader.locals[symbol]
            return self._scalar_target(node, self._around.reader.symbol(node))
        target = self.read(node)
        if not isinstance(target, Load):
            self._refuser.unsupported(
                node, "this cannot be assigned to in a scop",
                hint="assign to scalars and array elements",
            )  # fmt: skip
        return target

    def _scalar_target(self, node: Any, symbol: Symbol) -> Load:
        if symbol in self._survey.iterators:
            self.refuse_changed_iterator(node, symbol.name)
        self._check_pointer(node)
        found = self._around.objects.find(symbol, node)
        return Load(found.name, found.prefix, found.type)

    def _check_pointer(self, target: Any) -> None:
        """Refuse an assignment to a pointer or to an array as a whole."""
        if not isinstance(target, c_ast.ID):
            return
        symbol = self._around.reader.symbol(target)
        if isinstance(symbol.ctype, (ArrayC, PointerC)):
            self._refuser.unsupported(
                target, f"the pointer or array {symbol.name!r} is assigned to",
                hint=POINTER_MOVED,
            )  # fmt: skip

    def refuse_changed_iterator(self, node: Any, name: str) -> NoReturn:
        """Refuse a statement that changes a loop iterator."""
        self._refuser.unsupported(
            node, f"the loop iterator {name!r} is changed inside the scop",
            hint="loops advance by a constant step in their header only",
        )  # fmt: skip

    def guard(self, node: Any, condition: Expr) -> Guard:
        """A data-dependent ``if`` around assignments."""
        then = self.actions(node.iftrue)
        other = self.actions(node.iffalse) if node.iffalse is not None else ()
        return Guard(condition, then, other)

    def actions(self, node: Any) -> tuple[Action, ...]:
        """What a piece of one statement does."""
        match node:
            case None | c_ast.EmptyStatement() | c_ast.Typedef():
                return ()
            case c_ast.Compound(block_items=items) | c_ast.DeclList(decls=items):
                return self._sequence(items)
            case c_ast.ExprList(exprs=items):
                return self._sequence(items)
            case c_ast.If():
                return (self.guard(node, self.read(node.cond)),)
            case c_ast.Decl():
                return tuple(self.declaration(node))
            case c_ast.For():
                return self._for(node)
            case c_ast.While() | c_ast.DoWhile():
                asks_first = isinstance(node, c_ast.While)
                body = self._turn(node.stmt)
                return (Repeat(self.read(node.cond), body, asks_first=asks_first),)
            case c_ast.Break() if self._n_repeats:
                return (Leave(),)
        is_step = isinstance(node, c_ast.UnaryOp) and node.op in STEP_OPS
        if isinstance(node, c_ast.Assignment) or is_step:
            return tuple(assign for _, assign in self.assignments(node))
        self.refuse_statement(node)

    def _turn(self, body: Any) -> tuple[Action, ...]:
        """The body of a loop inside a statement; a ``break`` in it is that loop's."""
        self._n_repeats += 1
        found = self.actions(body)
        self._n_repeats -= 1
        return found

    def _sequence(self, items: Sequence[Any] | None) -> tuple[Action, ...]:
        return tuple(a for item in items or () for a in self.actions(item))

    def _for(self, node: Any) -> tuple[Action, ...]:
        """A ``for`` loop inside a statement; several start values go in front."""
        start = self._start(node.init)
        cond = integer(1) if node.cond is None else self.read(node.cond)
        body, step = self._turn(node.stmt), self.actions(node.next)
        if len(start) > 1:
            return (*start, Repeat(cond, body, (), step))
        return (Repeat(cond, body, start, step),)

    def _start(self, init: Any) -> tuple[Action, ...]:
        """What a ``for`` loop does first; an iterator from outside is declared anew."""
        start = self.actions(init)
        own = self._survey.symbol(getattr(init, "lvalue", None))
        if own is None or own in self._survey.declared or len(start) != 1:
            return start
        (first,) = start
        return (replace(first, is_new=True),) if isinstance(first, Let) else start

    def refuse_statement(self, node: Any) -> NoReturn:
        """Refuse a statement of a kind that a SCoP does not hold."""
        name = getattr(getattr(node, "name", None), "name", "")
        is_defined = self._around.functions.is_own(name)
        self._refuser.unsupported(
            node, f"found {found_statement(node)} inside the scop",
            hint=statement_hint(node, is_defined),
        )  # fmt: skip


def _change(target: Load | Local, op: str, value: Expr) -> Assign | Let:
    if isinstance(target, Local):
        return Let(target, op, value)
    return Assign(target, op, value)


def _changed(action: Assign | Let) -> Expr:
    return action.local if isinstance(action, Let) else action.target


def _same_elements(pointer: Symbol, array: Symbol, n_subscripts: int) -> bool:
    """Whether a pointer leads to an element of an array, of the same type."""
    ours, theirs = element_type(pointer.ctype), element_type(array.ctype)
    rows = table_dimensions(array.ctype)
    if is_indirect(array.ctype) and (rows is None or len(rows) != n_subscripts):
        return False
    if isinstance(ours, StructC):
        return ours is theirs
    if not isinstance(ours, ScalarC) or not isinstance(theirs, ScalarC):
        return False
    return ours.type == theirs.type
