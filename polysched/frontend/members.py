"""Pointers and sizes in structures, ``grid->ez`` and ``grid->nx``, as variables.

What a region never changes it may as well read once, in front: each such member becomes
a variable that generated code declares, and that is looked at as if the function did.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import reduce
from typing import Any

from pycparser import c_ast

from polysched.frontend.declarations import (
    ArrayC,
    CType,
    PointerC,
    ScalarC,
    Scope,
    StructC,
    Symbol,
)
from polysched.frontend.expressions import c_text
from polysched.frontend.iterators import changed_names
from polysched.frontend.trees import STEP_OPS, parts, with_parts

_CHANGES = STEP_OPS | {"&"}
_Path = tuple[str, tuple[str, ...]]


@dataclass(frozen=True)
class HeldMembers:
    """A region that reads variables in place of members.

    Attributes
    ----------
    items : tuple of nodes
        Its statements.
    symbols : tuple of Symbol
        The variables, each with its declaration.
    """

    items: tuple[Any, ...]
    symbols: tuple[Symbol, ...] = ()


@dataclass(frozen=True)
class HeldMember:
    """Where the member is that a variable stands for.

    Attributes
    ----------
    base : str
        The structure, or what points to it.
    text : str
        The member, as C has it.
    address : str
        C expression of its address, 0 where there is no structure.
    is_array : bool
        Whether it is in the structure, where others are pointers to elsewhere.
    """

    base: str
    text: str
    address: str
    is_array: bool


def held_member(symbol: Symbol) -> HeldMember | None:
    """The member that a symbol stands for; None for other symbols."""
    node = getattr(symbol.node, "init", None)
    path = _path(node) if symbol.held else None
    if path is None or not path[1]:
        return None
    text, base = c_text(node), path[0]
    address = f"({base} ? &{text} : 0)" if _is_pointed(node) else f"&{text}"
    return HeldMember(base, text, address, "&" in symbol.held)


def with_held_members(
    items: Sequence[Any], scope: Scope, fresh: Callable[[str], str]
) -> HeldMembers:
    """Put variables in place of pointers and integers that structures hold.

    The structure is a variable, or what one points to; nothing in the region changes
    that variable, or a member of that name in any structure, or copies a whole
    structure of its type. Pointers may be exchanged that one structure holds: whoever
    takes that out of the region has to do it behind.

    Parameters
    ----------
    items : sequence of nodes
        Statements of a region; they are not changed.
    scope : Scope
        Names visible at their start.
    fresh : callable
        Gives a name that nothing else has.
    """
    if not any(isinstance(p, c_ast.StructRef) for item in items for p in parts(item)):
        return HeldMembers(tuple(items))
    holder = _Holder(items, scope, fresh)
    return HeldMembers(tuple(map(holder.put, items)), tuple(holder.found.values()))


@dataclass(eq=False)
class _Holder:
    items: Sequence[Any]
    scope: Scope
    fresh: Callable[[str], str]
    found: dict[str, Symbol] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._changed = {n for item in self.items for n in changed_names(item)}
        self._written = {
            name for item in self.items for t in _targets(item) for name in _fields(t)
        }
        self._written -= self._exchanged()
        self._alone = set(_named_alone(self.items))
        bases = {n for item in self.items for t in _targets(item) for n in _base(t)}
        self._copied = [
            self._structure(name) for name in sorted(bases) if self._is_whole(name)
        ]

    def _exchanged(self) -> set[str]:
        """Names of members of one structure that are set to one another's values."""
        every = [part for item in self.items for part in parts(item)]
        plain = {
            id(part.lvalue): (_path(part.lvalue), _path(part.rvalue)) for part in every
            if isinstance(part, c_ast.Assignment) and part.op == "="
            and isinstance(part.lvalue, c_ast.StructRef)
        }  # fmt: skip
        found: dict[str, set[str]] = {}
        for part in every:
            if isinstance(part, c_ast.StructRef):
                for name in _fields(part):
                    found.setdefault(name, set()).add(c_text(part))
        lost = {
            name for item in self.items for target in _targets(item)
            for name in _fields(target) if None in plain.get(id(target), (None,))
        }  # fmt: skip
        names = {path[1][-1] for path, _ in plain.values() if path and path[1]}
        bases = {path[0] for path, _ in plain.values() if path and path[1]}
        one = {name for name in names - lost if len(found[name]) == 1}
        return one if len(bases) == 1 else set()

    def _is_whole(self, name: str) -> bool:
        """Whether the region assigns a whole structure that a name leads to."""
        targets = [t for item in self.items for t in _targets(item)]
        return any(name in _base(t) and not _has_member(t) for t in targets)

    def put(self, item: Any) -> Any:
        """A statement with the variables."""

        def change(node: Any) -> Any | None:
            if isinstance(node, c_ast.UnaryOp) and node.op == "sizeof":
                is_member = isinstance(node.expr, c_ast.StructRef)
                return self._size(node) if is_member else None
            if not isinstance(node, c_ast.StructRef):
                return None
            symbol = self._variable(node)
            return None if symbol is None else c_ast.ID(symbol.name, node.coord)

        return with_parts(item, change)

    def _size(self, node: Any) -> Any:
        """``sizeof g->u``: an array is larger than a pointer to it."""
        path = _path(node.expr)
        ctype = None if path is None else self._member(path)
        extents = []
        while isinstance(ctype, ArrayC):
            extents.append(ctype.extent)
            ctype = ctype.element
        if not extents or None in extents or not isinstance(ctype, ScalarC):
            return node
        type_ = _type_node(None, ctype, node.coord)
        name = c_ast.Typename(None, [], None, type_, node.coord)
        one: Any = c_ast.UnaryOp("sizeof", name, node.coord)
        return reduce(lambda n, e: c_ast.BinaryOp("*", e, n, node.coord), extents, one)

    def _variable(self, node: Any) -> Symbol | None:
        """The variable for a member; None to leave it as it is."""
        text = c_text(node)
        if text in self.found:
            return self.found[text]
        path = _path(node)
        ctype = None if path is None else self._type(node, path)
        if path is None or ctype is None:
            return None
        name = self.fresh("_".join((path[0], *path[1])))
        decl = _declaration(name, ctype, node)
        if decl is None:
            return None
        member = self._member(path)
        n_rows = None
        value = text
        if isinstance(member, ArrayC):
            value = f"&{text}[0]"
            n_rows = None if isinstance(member.element, PointerC) else member.extent
        base = f"{path[0]} ? {value} : 0" if _is_pointed(node) else value
        symbol = Symbol(
            name, "object", ctype, "local", node=decl, held=base, n_rows=n_rows
        )
        self.found[text] = symbol
        return symbol

    def _type(self, node: Any, path: _Path) -> CType | None:
        """Of a member that may be a variable."""
        name, fields = path
        symbol = self.scope.find(name)
        structure = self._structure(name)
        if symbol is None or structure is None or name in self._changed:
            return None
        if isinstance(symbol.ctype, PointerC) != _is_pointed(node):
            return None
        if set(fields) & self._written or any(structure is c for c in self._copied):
            return None
        ctype = self._member(path)
        if ctype is None or not (_is_taken(ctype) or self._is_named_alone(node, ctype)):
            return None
        return PointerC(ctype.element) if isinstance(ctype, ArrayC) else ctype

    def _is_named_alone(self, node: Any, ctype: CType) -> bool:
        """Whether it is a row of numbers that stands somewhere without a subscript."""
        is_row = isinstance(ctype, ArrayC) and isinstance(ctype.element, ScalarC)
        return is_row and c_text(node) in self._alone

    def _member(self, path: _Path) -> CType | None:
        """The type of a member; None of one that may change at any time."""
        ctype: CType | None = self._structure(path[0])
        for name in path[1]:
            if not isinstance(ctype, StructC) or ctype.volatile:
                return None
            ctype = dict(ctype.members).get(name)
        return ctype

    def _structure(self, name: str) -> StructC | None:
        """The structure that a variable is or points to."""
        symbol = self.scope.find(name)
        ctype = None if symbol is None or symbol.kind != "object" else symbol.ctype
        if isinstance(ctype, PointerC):
            ctype = ctype.target
        while isinstance(ctype, ArrayC):
            ctype = ctype.element
        return ctype if isinstance(ctype, StructC) else None


def _is_taken(ctype: CType) -> bool:
    """Whether a variable may stand for a member.

    For a pointer to numbers or structures, an integer, an array of structures, of rows
    of numbers or of pointers to them. One row of numbers is part of its structure.
    """
    if isinstance(ctype, ScalarC):
        return not ctype.volatile and not ctype.type.is_float
    if isinstance(ctype, ArrayC):
        element: CType = ctype
        while isinstance(element, ArrayC):
            element = element.element
        if isinstance(element, StructC):
            return bool(element.spelling) and not element.volatile
        if isinstance(ctype.element, PointerC):  # rows
            row = ctype.element.target
            return isinstance(row, ScalarC) and not row.volatile
        is_row = not isinstance(ctype.element, ArrayC)
        return isinstance(element, ScalarC) and not element.volatile and not is_row
    if not isinstance(ctype, PointerC):
        return False
    target = ctype.target
    if isinstance(target, PointerC):  # rows
        target = target.target
    while isinstance(target, ArrayC):
        target = target.element
    if isinstance(target, ScalarC):
        return not target.volatile
    return isinstance(target, StructC) and bool(target.spelling)


def _path(node: Any) -> _Path | None:
    """A variable and names of members, where only the first is reached by a pointer."""
    fields: list[str] = []
    while isinstance(node, c_ast.StructRef):
        fields.insert(0, str(node.field.name))
        if node.type == "->" and not isinstance(node.name, c_ast.ID):
            return None
        node = node.name
    return (str(node.name), tuple(fields)) if isinstance(node, c_ast.ID) else None


def _is_pointed(node: Any) -> bool:
    while isinstance(node.name, c_ast.StructRef):
        node = node.name
    return bool(node.type == "->")


def _named_alone(items: Sequence[Any]) -> Iterator[str]:
    """Members without a subscript, ``memset(g->v, 0, n)``."""
    every = [part for item in items for part in parts(item)]
    inner = {
        id(part.expr if isinstance(part, c_ast.UnaryOp) else part.name)
        for part in every
        if isinstance(part, (c_ast.ArrayRef, c_ast.StructRef))
        or (isinstance(part, c_ast.UnaryOp) and part.op == "sizeof")
    }
    for part in every:
        if isinstance(part, c_ast.StructRef) and id(part) not in inner:
            yield c_text(part)


def _targets(item: Any) -> Iterator[Any]:
    """What a statement changes or takes the address of."""
    for part in parts(item):
        if isinstance(part, c_ast.Assignment):
            yield part.lvalue
        elif isinstance(part, c_ast.UnaryOp) and part.op in _CHANGES:
            yield part.expr


def _fields(target: Any) -> Iterator[str]:
    """Names of the members on the way to what is changed; it is no element of one."""
    node = target
    while isinstance(node, c_ast.StructRef):
        yield str(node.field.name)
        node = node.name


def _has_member(target: Any) -> bool:
    return any(isinstance(p, c_ast.StructRef) for p in _spine(target))


def _spine(target: Any) -> Iterator[Any]:
    """A changed place and what it is reached through, without subscripts."""
    node = target
    while isinstance(node, (c_ast.StructRef, c_ast.ArrayRef, c_ast.UnaryOp)):
        yield node
        node = node.expr if isinstance(node, c_ast.UnaryOp) else node.name
    yield node


def _base(target: Any) -> set[str]:
    """The variable that a changed place is reached from."""
    *_, node = _spine(target)
    return {str(node.name)} if isinstance(node, c_ast.ID) else set()


def _declaration(name: str, ctype: CType, member: Any) -> Any | None:
    """``double *name = grid->ez;`` as syntax."""
    coord = member.coord
    type_ = _type_node(name, ctype, coord)
    if type_ is None:
        return None
    return c_ast.Decl(name, [], [], [], [], type_, member, None, coord)


def _type_node(name: str | None, ctype: CType, coord: Any) -> Any | None:
    match ctype:
        case PointerC(target=target):
            inner = _type_node(name, target, coord)
            return None if inner is None else c_ast.PtrDecl([], inner, coord)
        case ArrayC(element=element, extent=extent):
            inner = _type_node(name, element, coord)
            return None if inner is None else c_ast.ArrayDecl(inner, extent, [], coord)
        case ScalarC(type=type_):
            words, quals = type_.name.split(), ["const"] if ctype.const else []
            names: Any = c_ast.IdentifierType(words, coord)
            return c_ast.TypeDecl(name, quals, None, names, coord)
        case StructC(spelling=spelling) if spelling.startswith("struct "):
            names = c_ast.Struct(spelling.removeprefix("struct "), None, coord)
            return c_ast.TypeDecl(name, [], None, names, coord)
        case StructC(spelling=spelling) if spelling:
            names = c_ast.IdentifierType([spelling], coord)
            return c_ast.TypeDecl(name, [], None, names, coord)
    return None
