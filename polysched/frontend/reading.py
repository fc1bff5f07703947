"""Expressions inside a SCoP: names become iterators, parameters and array elements."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, NoReturn

from pycparser import c_ast

from polysched.frontend.cfunctions import call_name
from polysched.frontend.declarations import (
    ArrayC,
    PointerC,
    Scope,
    StructC,
    Symbol,
    element_type,
)
from polysched.frontend.expressions import ExpressionReader, c_text
from polysched.frontend.hints import ROWS_STAY, member_hint
from polysched.frontend.literals import integer
from polysched.frontend.naming import is_free_for_isl
from polysched.frontend.objects import Loop, Object, Objects
from polysched.frontend.pointers import Place, PlaceReader
from polysched.frontend.purity import Functions
from polysched.frontend.refusal import Refuser
from polysched.frontend.structures import Dim, Path
from polysched.frontend.survey import Survey
from polysched.ir import Binary, Call, Expr, Load, Local, types

MAX_COPIED = 256  # numbers of a structure that is copied as a whole


class ScopReader(ExpressionReader):
    """Reads expressions at a place inside a SCoP.

    Attributes
    ----------
    loops : tuple of Loop
        Loops around the place; set by whoever walks the SCoP.
    bound : dict of Symbol to Expr
        Integers declared inside the SCoP with an affine value that never change: they
        stand for that value.
    locals : dict of Symbol to Local
        Variables that live within one statement; set by whoever reads it.
    places : dict of Symbol to Place
        Pointers declared inside the SCoP, and the elements that they point to.
    initial : dict of Expr to Expr
        Scalars declared inside the SCoP that never change, and what they are set to.
    held : dict of str to node
        Arrays that places of pointers are read from, and such a pointer's declaration.
    """

    def __init__(
        self, refuser: Refuser, scope: Scope, survey: Survey, objects: Objects,
        functions: Functions,
    ) -> None:  # fmt: skip
        super().__init__(refuser, scope)
        self._survey = survey
        self._objects = objects
        self._functions = functions
        self.loops: tuple[Loop, ...] = ()
        self.bound: dict[Symbol, Expr] = {}
        self.locals: dict[Symbol, Local] = {}
        self.places: dict[Symbol, Place] = {}
        self.initial: dict[Expr, Expr] = {}
        self.held: dict[str, Any] = {}

    def symbol(self, node: Any) -> Symbol:
        """What a name means; refuses names that are not declared."""
        symbol = self._survey.symbol(node)
        if symbol is None:
            self.refuser.wrong(
                node, f"{node.name!r} is not declared",
                hint="a macro is given with -D, a header's directory with -I",
            )  # fmt: skip
        return symbol

    def named(self, node: Any) -> Symbol | None:
        return self._survey.symbol(node)

    def read_identifier(self, node: Any) -> Expr:
        if node.name in _KEYWORD_VALUES and self._survey.symbol(node) is None:
            return integer(_KEYWORD_VALUES[node.name], types.BOOL)
        symbol = self.symbol(node)
        if symbol in self.bound:
            return self.bound[symbol]
        if symbol in self.locals:
            return self.locals[symbol]
        for loop in self.loops:
            if loop.symbol is symbol:
                return loop.iterator
        if symbol.value is not None:
            return integer(symbol.value, symbol.scalar_type or types.INT)
        if symbol in self._survey.iterators:
            self.refuser.unsupported(
                node, f"the loop iterator {node.name!r} is read outside its loop",
                hint="declare it in the loop header, or compute the value from the "
                "loop's bounds",
            )  # fmt: skip
        if self.is_parameter(symbol):
            if not is_free_for_isl(symbol.name):
                self.refuser.unsupported(
                    node, f"the parameter is named {symbol.name!r}, a word of isl's "
                    "notation", hint="rename the variable",
                )  # fmt: skip
            return self._objects.parameter(symbol)
        return self._scalar(node, symbol)

    def is_parameter(self, symbol: Symbol) -> bool:
        """Whether it is an integer from outside that the SCoP never writes."""
        return (
            symbol.kind == "object"
            and symbol.is_integer
            and symbol not in self._survey.declared
            and not self._survey.is_written(symbol)
            and not getattr(symbol.ctype, "volatile", False)
        )

    def _scalar(self, node: Any, symbol: Symbol) -> Expr:
        if symbol.kind == "function":
            self.refuser.unsupported(
                node, f"found the function {node.name!r} as a value"
            )
        found = self._objects.find(symbol, node)
        if found.extents:
            self.refuser.unsupported(
                node, f"the array {node.name!r} is used without a subscript",
                hint="pointer arithmetic is not taken; write an element, A[i]",
            )  # fmt: skip
        return Load(found.name, found.prefix, found.type)

    def read_element(self, node: Any, base: Any, subscripts: list[Any]) -> Expr:
        base, place = self._start(base)
        symbol = self.symbol(base if place is None else place.base)
        n_fixed = 0 if place is None else len(place.subscripts) - 1
        found = self._objects.find(symbol, base)
        if found.layout is not None:
            self.refuser.unsupported(
                node, f"{base.name!r} holds structures; one is used as a value",
                hint="values are numbers; whole structures are copied by = only",
            )  # fmt: skip
        if n_fixed + len(subscripts) != len(found.extents):
            n = len(found.extents) - n_fixed
            what = f"an array with {n} subscripts" if n else "a scalar"
            self.refuser.unsupported(
                node, f"{base.name!r} is {what} and is used with {len(subscripts)}",
                hint=ROWS_STAY if found.in_rows else "",
            )  # fmt: skip
        values = tuple(self._subscript(s) for s in subscripts)
        inner = values if place is None else place.element(values)
        return Load(found.name, (*found.prefix, *inner), found.type)

    def _subscript(self, node: Any) -> Expr:
        value = self.read(node)
        if value.dtype.is_float:
            self.refuser.wrong(node, "a subscript must be an integer")
        return value

    def read_member(self, node: Any, subscripts: list[Any]) -> Expr:
        parts, values, member = self._structure(node)
        path, given = member.path, [*member.subscripts]
        given += [(len(path), s) for s in subscripts]
        found = next((o for o in parts if o.layout and path in o.layout.places), None)
        place = found.layout.places[path] if found and found.layout else None
        if (
            not found
            or not place
            or [d.depth for d in place.dims] != [depth for depth, _ in given]
        ):
            self._refuse_pointer_member(node, parts[0], path)
            self.refuser.unsupported(
                node, f"{'.'.join(path)!r} names no number in {parts[0].symbol.name!r}",
                hint="members that are numbers, and elements of those that are rows "
                "of numbers, are taken",
            )  # fmt: skip
        moves = self._moves(given)
        inner = _moved(place.first, place.dims, moves)
        return Load(found.name, (*values, inner), found.type)

    def _moves(self, given: Iterable[tuple[int, Any]]) -> list[Expr]:
        return [self._subscript(node) for _, node in given]

    def _refuse_pointer_member(
        self, node: Any, part: Object, path: tuple[str, ...]
    ) -> None:
        """Refuse a member that is a pointer to elsewhere."""
        type_: Any = element_type(part.symbol.ctype)
        depth = 0
        for name in path:
            depth += 1
            type_ = dict(getattr(type_, "members", ())).get(name)
            while isinstance(type_, ArrayC):
                type_ = type_.element
            if isinstance(type_, PointerC):
                break
        if isinstance(type_, PointerC):
            pointer = _named_part(node, depth)
            self.refuser.unsupported(
                node, f"{c_text(pointer)} is a pointer that a structure holds",
                hint=member_hint(
                    pointer, "**" if isinstance(type_.target, PointerC) else "*"
                ),
            )  # fmt: skip

    def numbers(self, node: Any, written: bool = False) -> tuple[Load, ...]:
        """The numbers in a structure that is named as a whole; none if it is none.

        Refuses one that is written and has members besides, which would stay.
        """
        if not isinstance(node, (c_ast.ID, c_ast.ArrayRef, c_ast.StructRef)) and not (
            isinstance(node, c_ast.UnaryOp) and node.op == "*"
        ):
            return ()
        base = _member_of(node).base
        if not isinstance(base, c_ast.ID) or not isinstance(
            element_type(self.symbol(base).ctype), StructC
        ):
            return ()
        parts, values, member = self._structure(node)
        path = member.path
        layout = parts[0].layout
        inside = layout.others if layout else ()
        others = [o for o in inside if o[: len(path)] == path != o]
        if written and others and parts[0].symbol.storage != "scop":
            self.refuser.unsupported(
                node, f"member {'.'.join(others[0])!r} of {base.name!r} is no number "
                "that could be copied", hint="copy structures member by member",
            )  # fmt: skip
        moves = self._moves(member.subscripts)
        depths = [depth for depth, _ in member.subscripts]
        found = [
            (part, place)
            for part in parts
            if part.layout is not None
            for place in part.layout.inside(path)
            if [d.depth for d in place.given(len(path))] == depths
        ]
        numbers = [
            (part, place, k)
            for part, place in found
            for _, k in islice(place.numbers(len(path)), MAX_COPIED + 1)
        ]
        if len(numbers) > MAX_COPIED:
            self.refuser.unsupported(
                node, f"a structure of more than {MAX_COPIED} numbers is copied",
                hint="copy the rows in it by loops",
            )  # fmt: skip
        return tuple(
            Load(
                part.name,
                (*values, _moved(k, place.given(len(path)), moves)),
                part.type,
            )
            for part, place, k in numbers
        )

    def _structure(
        self, node: Any
    ) -> tuple[tuple[Object, ...], tuple[Expr, ...], _MemberOf]:
        """A structure's objects and subscripts, and a member of it."""
        member = _member_of(node)
        base, place = self._start(member.base)
        symbol = self.symbol(base if place is None else place.base)
        found = self._objects.find(symbol, base)
        values = tuple(self._subscript(s) for s in member.outer)
        if place is not None:
            values = place.element(values)
        if found.layout is None or len(values) != len(found.extents) - 1:
            self.refuser.unsupported(node, f"{base.name!r} is not used as a structure")
        parts = self._objects.parts(symbol, base)
        return parts, (*found.prefix, *values), member

    def place(self, node: Any) -> Place | None:
        """The element that an address expression of a known form points to."""
        return PlaceReader(self.read, self.symbol, self.places).place(node)

    def _start(self, base: Any) -> tuple[Any, Place | None]:
        """The name that is subscripted, and its place where it is no whole array."""
        if isinstance(base, c_ast.ID):
            return base, self.places.get(self.symbol(base))
        place = self.place(base) if isinstance(base, c_ast.BinaryOp) else None
        if place is None:
            self._refuse_base(base)
        return place.base, place

    def _refuse_base(self, base: Any) -> NoReturn:
        if isinstance(base, c_ast.Cast):
            self.refuser.unsupported(
                base, "found a pointer that is cast to another type",
                hint="convert it in front of the scop, double *x = (double *)p;, and "
                "use x",
            )  # fmt: skip
        if isinstance(base, c_ast.StructRef):
            self.refuser.unsupported(
                base, f"member {base.field.name!r} is an array of structures",
                hint="members that are numbers, and rows of them, are taken",
            )  # fmt: skip
        self.refuser.unsupported(
            base, "found pointer arithmetic",
            hint="write array elements as A[i][j] or A[i*n + j]",
        )  # fmt: skip

    def read_call(self, node: Any) -> Expr:
        symbol = self._survey.symbol(node.name)
        if symbol is not None and symbol.kind == "object":
            self.refuser.unsupported(
                node, f"found a call through the pointer {symbol.name!r}",
                hint="what it points to is not known: call a function by its name",
            )  # fmt: skip
        type_ = self._functions.return_type(node)
        arguments = node.args.exprs if node.args else ()
        args = tuple(self.read(a) for a in arguments)
        name = node.name.name
        work, is_own = (
            self._functions.count_operations(name),
            self._functions.is_own(name),
        )
        call = Call(call_name(name), args, type_, work, is_own)
        return self._functions.expand_small(call) or call


@dataclass(frozen=True)
class _MemberOf:
    """A member of a structure as an expression names it.

    Attributes
    ----------
    base : node
        What is subscripted.
    outer : tuple of nodes
        Subscripts of the structure.
    path : tuple of str
        Names that lead from there to the member.
    subscripts : tuple of (int, node)
        Those behind so many of the names.
    """

    base: Any
    outer: tuple[Any, ...]
    path: Path
    subscripts: tuple[tuple[int, Any], ...]


def _member_of(node: Any) -> _MemberOf:
    steps: list[Any] = []
    while True:
        if isinstance(node, c_ast.StructRef):
            steps.append(str(node.field.name))
            if node.type == "->":
                steps.append(c_ast.Constant("int", "0", node.coord))
            node = node.name
        elif isinstance(node, c_ast.ArrayRef):
            steps.append(node.subscript)
            node = node.name
        elif isinstance(node, c_ast.UnaryOp) and node.op == "*":
            steps.append(c_ast.Constant("int", "0", node.coord))
            node = node.expr
        else:
            break
    path: list[str] = []
    subscripts: list[tuple[int, Any]] = []
    for step in reversed(steps):
        if isinstance(step, str):
            path.append(step)
        else:
            subscripts.append((len(path), step))
    outer = tuple(s for depth, s in subscripts if not depth)
    inner = tuple(s for s in subscripts if s[0])
    return _MemberOf(node, outer, tuple(path), inner)


def _named_part(node: Any, depth: int) -> Any:
    """The part of a member that ends with the name at a depth."""
    steps = len(_member_of(node).path) - depth
    while steps or not isinstance(node, c_ast.StructRef):
        steps -= isinstance(node, c_ast.StructRef)
        node = node.expr if isinstance(node, c_ast.UnaryOp) else node.name
    return node


def _moved(first: int, dims: Sequence[Dim], subscripts: Sequence[Expr]) -> Expr:
    """The position of an element of a member."""
    total: Expr = integer(first)
    for dim, subscript in zip(dims, subscripts, strict=True):
        move = subscript
        if dim.step != 1:
            move = Binary("*", subscript, integer(dim.step))
        total = Binary("+", move, total)
    return total


_KEYWORD_VALUES = {"true": 1, "false": 0}
