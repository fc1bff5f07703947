"""Arrays and scalars that a SCoP accesses, with names, extents and lifetimes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pycparser import c_ast

from polysched.base import FrontendError
from polysched.frontend.assumptions import Assumptions
from polysched.frontend.declarations import (
    ArrayC,
    PointerC,
    ScalarC,
    Scope,
    StructC,
    Symbol,
    dimensions,
    element_type,
    is_indirect,
    table_dimensions,
)
from polysched.frontend.expressions import ExpressionReader, describe_type
from polysched.frontend.hints import type_hint
from polysched.frontend.literals import fold, integer
from polysched.frontend.naming import Names
from polysched.frontend.refusal import Refuser
from polysched.frontend.structures import (
    Layout,
    NoLayout,
    SizeChecker,
    find_members,
)
from polysched.frontend.survey import Survey
from polysched.frontend.thread_storage import check_storage
from polysched.frontend.trees import parts
from polysched.ir import Binary, Expr, Iter, Param, ScalarType, types


@dataclass(frozen=True)
class Loop:
    """A loop around a statement.

    Attributes
    ----------
    symbol : Symbol
        The iterator.
    name : str
        Its name in isl spaces.
    type : ScalarType
        Its C type.
    step : int
        What each iteration adds.
    """

    symbol: Symbol
    name: str
    type: ScalarType
    step: int

    @property
    def iterator(self) -> Iter:
        """The iterator as an expression."""
        return Iter(self.name, self.type)


@dataclass(eq=False)
class Object:
    """An accessed array or scalar.

    Attributes
    ----------
    symbol : Symbol
        Its declaration.
    name : str
        Its name in isl spaces.
    type : ScalarType
        Element type.
    extents : tuple of (Expr or None)
        As `ir.Array.extents`.
    loops : tuple of Loop
        Loops around its declaration, for one declared inside the SCoP.
    pitches : tuple of Expr
        As `ir.Array.pitches`.
    layout : Layout, optional
        Of an object of structures: the last subscript is that of the numbers in one.
    is_flattened : bool
        Whether C has several subscripts, and `pitches` make them one.
    in_rows : bool
        As `ir.Array.in_rows`.
    """

    symbol: Symbol
    name: str
    type: ScalarType
    extents: tuple[Expr | None, ...]
    loops: tuple[Loop, ...] = ()
    pitches: tuple[Expr, ...] = ()
    layout: Layout | None = None
    is_flattened: bool = False
    in_rows: bool = False

    @property
    def n_subscripts(self) -> int:
        """Subscripts that C has, before flat ones get their dimensions."""
        return len(self.extents) - self.n_inner

    @property
    def n_inner(self) -> int:
        """Subscripts behind those that C has: one in objects of structures."""
        return 0 if self.layout is None else 1

    @property
    def view(self) -> str:
        """As `ir.Array.view`."""
        is_plain = self.layout is None and not self.is_flattened
        if is_plain or self.symbol.storage == "scop":
            return ""
        address = "" if len(self.extents) > self.n_inner else "&"
        return f"(({self.type.name} *){address}{self.symbol.name})"

    @property
    def is_part(self) -> bool:
        """As `ir.Array.is_part`."""
        is_private = self.symbol.storage == "scop"
        return self.layout is not None and not self.layout.is_whole and not is_private

    def row_ends(self) -> dict[int, tuple[int, Expr | None]]:
        """For each subscript that must stay in its row, where that begins and ends.

        Whether rows behind pointers overlap is asked of what is touched of each.
        """
        if self.in_rows:
            return {}
        last = len(self.extents) - 1
        ends = {k: (0, self.extents[k]) for k in range(1, last + 1)}
        if self.layout is not None:
            ends[last] = self.layout.first, integer(self.layout.end)
        return ends

    @property
    def prefix(self) -> tuple[Expr, ...]:
        """Leading subscripts: iterators of the loops around the declaration."""
        return tuple(loop.iterator for loop in self.loops)


class Objects:
    """The accessed objects of one SCoP, entered when first met.

    Parameters
    ----------
    survey : Survey
        What the names mean.
    scope : Scope
        Names visible at the start of the SCoP.
    refuser : Refuser
        Says no at a node.
    assumptions : Assumptions
        Told of the types of parameters.
    sizes : SizeChecker
        Knows the size of structures.
    """

    def __init__(
        self, survey: Survey, scope: Scope, refuser: Refuser, assumptions: Assumptions,
        sizes: SizeChecker,
    ) -> None:  # fmt: skip
        self._sizes = sizes
        self._scope = scope
        self._survey = survey
        self._refuser = refuser
        self._assumptions = assumptions
        self._objects: dict[Symbol, tuple[Object, ...]] = {}
        self._loops: dict[Symbol, tuple[Loop, ...]] = {}
        reserved = {
            s.name for s in survey.symbols.values()
            if s is not None and s.kind == "object"
            and s not in survey.declared and s not in survey.iterators
        }  # fmt: skip
        self.names = Names(reserved | _names_in_types(survey))
        self._extents = _ExtentReader(refuser, scope, survey)
        self.parameters: dict[str, ScalarType] = self._extents.parameters
        self._symbols: dict[str, Symbol] = {}

    def declare(self, symbol: Symbol, loops: tuple[Loop, ...]) -> None:
        """Note the loops around a declaration inside the SCoP."""
        self._loops[symbol] = loops

    def all(self) -> list[Object]:
        """Every object met, in order of first use."""
        return [found for parts in self._objects.values() for found in parts]

    def find(self, symbol: Symbol, node: Any) -> Object:
        """The object of a symbol; refuses types that are not taken."""
        return self.parts(symbol, node)[0]

    def parts(self, symbol: Symbol, node: Any) -> tuple[Object, ...]:
        """The objects of a symbol: of structures one for each run of one type."""
        if symbol not in self._objects:
            self._objects[symbol] = self._enter(symbol, node)
        return self._objects[symbol]

    def parameter(self, symbol: Symbol) -> Param:
        """An integer that the SCoP never writes, as a parameter."""
        if symbol.name not in self._symbols:
            self._symbols[symbol.name] = symbol
            assert symbol.scalar_type is not None
            self._assumptions.know_type(symbol.name, symbol.scalar_type)
        return self._extents.parameter(symbol)

    def outer_value(self, node: Any) -> Expr | None:
        """What an integer in front of the SCoP is in terms of its parameters, if so."""
        try:
            return self._extents.extent(node)
        except FrontendError:
            return None

    def outer_number_type(self, name: str) -> ScalarType | None:
        """Type of the numbers that a name in front of the SCoP leads to, if so."""
        symbol = self._scope.find(name)
        bottom = None if symbol is None else element_type(symbol.ctype)
        return bottom.type if isinstance(bottom, ScalarC) else None

    def symbol_of(self, parameter: Param) -> Symbol:
        """The declaration behind a parameter."""
        return self._symbols[parameter.name]

    def held_of(self, name: str) -> str:
        """What a parameter stands for that C has under no name."""
        symbol = self._symbols.get(name) or self._scope.find(name)
        return "" if symbol is None else symbol.held

    def _enter(self, symbol: Symbol, node: Any) -> tuple[Object, ...]:
        element = element_type(symbol.ctype)
        if not isinstance(element, (ScalarC, StructC)):
            self._refuser.unsupported(
                node, f"{symbol.name!r} is {describe_type(symbol.ctype)}",
                hint=type_hint(describe_type(symbol.ctype)),
            )  # fmt: skip
        in_rows = is_indirect(symbol.ctype)
        if element.volatile or (in_rows and _has_volatile_pointers(symbol)):
            self._refuser.unsupported(
                node,
                f"{symbol.name!r} is volatile: its accesses may not be reordered",
                hint="copy it in front of the scop, or leave its loops outside",
            )
        check_storage(symbol, node, self._refuser)
        inside = symbol in self._survey.declared
        if in_rows and (inside or table_dimensions(symbol.ctype) is None):
            self._refuser.unsupported(
                node, f"{symbol.name!r} is {_indirect(symbol)}",
                hint="use a multi-dimensional array, or a flat one with a subscript "
                "like i*n + j; rows of numbers behind pointers, double **A, are taken "
                "where they are set in front of the scop",
            )  # fmt: skip
        name = self.names.array(symbol.name, keep=not inside)
        extents = self._read_extents(symbol, inside, node)
        loops = self._loops.get(symbol, ())
        if isinstance(element, ScalarC):
            plain = Object(symbol, name, element.type, extents, loops, in_rows=in_rows)
            return (plain,)
        if symbol.storage != "scop" and None in extents[1:]:
            self._refuser.unsupported(
                node, f"the length of the rows of {symbol.name!r}, which has "
                "structures, is not known: a size may change behind its declaration",
                hint="declare it with sizes that never change, const int width = n",
            )  # fmt: skip
        found: list[Object] = []
        for layout in self._layouts(symbol, element, node):
            pitches = () if inside else _pitches(extents, layout.n)
            whole = (*extents, integer(layout.n))
            if found:
                member = "_".join(next(iter(layout.places)))
                name = self.names.array(f"{symbol.name}_{member}", keep=False)
            part = Object(symbol, name, layout.type, whole, loops, pitches, layout)
            found.append(part)
        return tuple(found)

    def _layouts(
        self, symbol: Symbol, element: StructC, node: Any
    ) -> tuple[Layout, ...]:
        """Of a structure's members; of one that the SCoP declares as they fit."""
        reason = ""
        layouts: tuple[Layout, ...] = ()
        try:
            members = find_members(element, self._extents.constant)
            layouts = members.layouts()
        except NoLayout as verdict:
            reason = str(verdict)
        if not reason and symbol in self._survey.declared:
            return tuple(layout.alone() for layout in layouts)
        if not reason:
            if not element.spelling or not self._is_of_the_file(element):
                reason = "its type has no name, or is declared inside a function"
            elif not self._sizes.is_laid_out(element.spelling, members):
                reason = "its members are not at their natural places"
        if reason:
            self._refuser.unsupported(
                node, f"{symbol.name!r} is {describe_type(symbol.ctype)}: {reason}",
                hint="structures may hold numbers, and rows of them, and are declared "
                "in front of the function; of others, copy the members to variables "
                "in front of the scop",
            )  # fmt: skip
        return layouts

    def _is_of_the_file(self, element: StructC) -> bool:
        """Whether the file's outermost scope means this type by its name."""
        scope = self._scope
        while scope.parent is not None:
            scope = scope.parent
        named = scope.names.get(element.spelling)
        return named is not None and named.ctype is element

    def _read_extents(
        self, symbol: Symbol, inside: bool, node: Any
    ) -> tuple[Expr | None, ...]:
        found: list[Expr | None] = []
        rows = table_dimensions(symbol.ctype)
        declared = list(dimensions(symbol.ctype) if rows is None else rows)
        if declared and symbol.n_rows is not None:
            declared[0] = symbol.n_rows
        for extent in declared:
            if extent is None:
                found.append(None)
                continue
            try:
                found.append(self._extents.extent(extent))
            except FrontendError as error:
                if inside:
                    self._refuser.unsupported(
                        extent, f"the size of {symbol.name!r}, declared in the scop, "
                        f"is neither a constant nor a parameter: {error.message}",
                    )  # fmt: skip
                found.append(None)
        return tuple(found)


def _pitches(extents: Sequence[Expr | None], n: int) -> tuple[Expr, ...]:
    """Numbers per step of each subscript of an array of structures of `n` numbers."""
    if not extents:
        return ()
    found: list[Expr] = [integer(n)]
    for extent in reversed(extents[1:]):
        assert extent is not None  # C lets the outermost one be open only
        total = Binary("*", extent, found[0])
        value = fold(total)
        found.insert(0, total if value is None else integer(value))
    return tuple(found)


def _names_in_types(survey: Survey) -> set[str]:
    """Variables in the extents of what the SCoP accesses."""
    names: set[str] = set()
    for symbol in survey.symbols.values():
        if symbol is not None and symbol not in survey.declared:
            for extent in dimensions(symbol.ctype):
                names |= _identifiers(extent)
    return names


def _identifiers(node: Any) -> set[str]:
    if node is None:
        return set()
    found = {node.name} if isinstance(node, c_ast.ID) else set()
    return found.union(*(_identifiers(child) for _, child in node.children()))


def _has_volatile_pointers(symbol: Symbol) -> bool:
    """Whether pointers of its declaration may change at any time."""
    return any(
        isinstance(part, c_ast.PtrDecl) and {"volatile", "_Atomic"} & {*part.quals}
        for part in (parts(symbol.node) if symbol.node is not None else ())
    )


def _indirect(symbol: Symbol) -> str:
    """What an object is that holds pointers, or points to some."""
    if isinstance(symbol.ctype, ArrayC):
        return "an array of pointers"
    target = symbol.ctype.target if isinstance(symbol.ctype, PointerC) else None
    is_array = isinstance(target, ArrayC)
    return f"a pointer to {'an array of ' if is_array else ''}pointers"


class _ExtentReader(ExpressionReader):
    """Reads array extents over constants and parameters."""

    def __init__(self, refuser: Refuser, scope: Scope, survey: Survey) -> None:
        super().__init__(refuser, scope)
        self._survey = survey
        self.parameters: dict[str, ScalarType] = {}

    def extent(self, node: Any) -> Expr:
        """An extent; constants are folded."""
        expr = self.read(node)
        value = fold(expr)
        return expr if value is None else integer(value)

    def constant(self, node: Any) -> int | None:
        """An extent that is a constant."""
        try:
            return fold(self.read(node))
        except FrontendError:
            return None

    def parameter(self, symbol: Symbol) -> Param:
        """A parameter for an integer scalar."""
        type_ = symbol.scalar_type
        assert type_ is not None
        self.parameters.setdefault(symbol.name, type_)
        return Param(symbol.name, type_)

    def read_identifier(self, node: Any) -> Expr:
        symbol = self._survey.symbol(node) or self.scope.find(node.name)
        if symbol is not None and symbol.value is not None:
            return integer(symbol.value, symbol.scalar_type or types.INT)
        if symbol is None or not symbol.is_integer:
            self.refuser.unsupported(node, f"{node.name!r} is not an integer")
        if symbol in self._survey.declared or self._survey.is_written(symbol):
            self.refuser.unsupported(node, f"{node.name!r} changes in the scop")
        return self.parameter(symbol)

    def read_element(self, node: Any, base: Any, subscripts: list[Any]) -> Expr:
        self.refuser.unsupported(node, "an array element is not a parameter")

    def read_call(self, node: Any) -> Expr:
        self.refuser.unsupported(node, "a call is not a parameter")
