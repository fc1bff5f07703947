"""Expressions inside a SCoP: names become iterators, parameters and array elements."""

from __future__ import annotations

from typing import Any, NoReturn

from pycparser import c_ast

from polysched.frontend.cfunctions import call_name
from polysched.frontend.declarations import (
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
from polysched.frontend.structures import Path
from polysched.frontend.survey import Survey
from polysched.ir import Binary, Call, Expr, Load, Local, types


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

    def read_identifier(self, node: Any) -> Expr:
        if node.name in _KEYWORD_VALUES and self._survey.symbol(node) is None:
            return integer(_KEYWORD_VALUES[node.name], types.BOOL)
        symbol = self.symbol(node)
        if symbol in self.locals:
            return self.locals[symbol]
        for loop in self.loops:
            if loop.symbol is symbol:
                return loop.iterator
        if symbol in self.bound:
            return self.bound[symbol]
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
        parts, values, path = self._structure(node)
        found = next((o for o in parts if o.layout and path in o.layout.places), None)
        member = found.layout.places[path] if found and found.layout else None
        if not found or not member or len(subscripts) != (member[1] is not None):
            self._refuse_pointer_member(node, parts[0], path)
            self.refuser.unsupported(
                node, f"{'.'.join(path)!r} names no number in {parts[0].symbol.name!r}",
                hint="members that are numbers, and elements of those that are rows "
                "of numbers, are taken",
            )  # fmt: skip
        inner: Expr = integer(member[0])
        if subscripts:
            inner = Binary("+", self._subscript(subscripts[0]), inner)
        return Load(found.name, (*values, inner), found.type)

    def _refuse_pointer_member(
        self, node: Any, part: Object, path: tuple[str, ...]
    ) -> None:
        """Refuse a member that is a pointer to elsewhere."""
        type_: Any = element_type(part.symbol.ctype)
        for name in path:
            type_ = dict(getattr(type_, "members", ())).get(name)
        if isinstance(type_, PointerC):
            pointer = node.name if isinstance(node, c_ast.ArrayRef) else node
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
        base = _member_of(node)[2]
        if not isinstance(base, c_ast.ID) or not isinstance(
            element_type(self.symbol(base).ctype), StructC
        ):
            return ()
        parts, values, path = self._structure(node)
        layout = parts[0].layout
        inside = layout.others if layout else ()
        others = [o for o in inside if o[: len(path)] == path != o]
        if written and others and parts[0].symbol.storage != "scop":
            self.refuser.unsupported(
                node, f"member {'.'.join(others[0])!r} of {base.name!r} is no number "
                "that could be copied", hint="copy structures member by member",
            )  # fmt: skip
        return tuple(
            Load(found.name, (*values, integer(k)), found.type)
            for found in parts
            if found.layout is not None
            for k in found.layout.numbers(path)
        )

    def _structure(
        self, node: Any
    ) -> tuple[tuple[Object, ...], tuple[Expr, ...], Path]:
        """A structure's objects and subscripts, and the names of a member of it."""
        path, subscripts, base = _member_of(node)
        base, place = self._start(base)
        symbol = self.symbol(base if place is None else place.base)
        found = self._objects.find(symbol, base)
        values = tuple(self._subscript(s) for s in subscripts)
        if place is not None:
            values = place.element(values)
        if found.layout is None or len(values) != len(found.extents) - 1:
            self.refuser.unsupported(node, f"{base.name!r} is not used as a structure")
        parts = self._objects.parts(symbol, base)
        return parts, (*found.prefix, *values), path

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


def _member_of(node: Any) -> tuple[Path, list[Any], Any]:
    """Names of a member, subscripts of its structure, and what is subscripted."""
    path: list[str] = []
    subscripts: list[Any] = []
    while isinstance(node, c_ast.StructRef):
        path.insert(0, node.field.name)
        if node.type == "->":
            subscripts.insert(0, c_ast.Constant("int", "0", node.coord))
        node = node.name
        if subscripts:
            break
    while True:
        if isinstance(node, c_ast.ArrayRef):
            subscripts.insert(0, node.subscript)
            node = node.name
        elif isinstance(node, c_ast.UnaryOp) and node.op == "*":
            subscripts.insert(0, c_ast.Constant("int", "0", node.coord))
            node = node.expr
        else:
            return tuple(path), subscripts, node


_KEYWORD_VALUES = {"true": 1, "false": 0}
