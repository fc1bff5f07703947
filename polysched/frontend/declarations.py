"""C types and symbols, as far as a SCoP needs them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from pycparser import c_ast

from polysched.frontend.cleaning import HALF_WORDS, OPAQUE
from polysched.ir import ScalarType, Storage, types


@dataclass(frozen=True)
class ScalarC:
    """An arithmetic type with its qualifiers."""

    type: ScalarType
    const: bool = False
    volatile: bool = False


@dataclass(frozen=True, eq=False)
class ArrayC:
    """An array type; `extent` is the C expression in brackets, if any."""

    element: CType
    extent: c_ast.Node | None


@dataclass(frozen=True, eq=False)
class PointerC:
    """A pointer type."""

    target: CType


@dataclass(frozen=True, eq=False)
class StructC:
    """A structure type with known members.

    Attributes
    ----------
    spelling : str
        How C names it, ``struct body`` or a typedef; empty if it cannot.
    members : tuple of (str, CType)
        In order of declaration.
    has_bits : bool
        Whether it has bit fields.
    volatile : bool
        As of `ScalarC`.
    """

    spelling: str
    members: tuple[tuple[str, CType], ...]
    has_bits: bool = False
    volatile: bool = False

    @property
    def what(self) -> str:
        """The type in words."""
        return self.spelling or "struct"


@dataclass(frozen=True)
class OtherC:
    """A type that a SCoP cannot use; `what` names it for messages."""

    what: str


CType = ScalarC | ArrayC | PointerC | StructC | OtherC


@dataclass(eq=False)
class Symbol:
    """A declared name.

    Attributes
    ----------
    name : str
        The C identifier.
    kind : {"object", "enum", "function", "typedef", "tag"}
        What it names.
    ctype : CType
        Its type; of a function, what it returns.
    storage : str
        As in `ir.Array.storage`.
    node : c_ast.Node, optional
        Its declaration, for places.
    value : int, optional
        Value of an enumeration constant or of a ``const`` with known value.
    function : c_ast.FuncDef, optional
        The definition of a function that has one.
    held : str
        The C expression that it stands for, where the program has no such variable.
    n_rows : c_ast.Node, optional
        How many elements a pointer leads to that stands for an array.
    """

    name: str
    kind: str
    ctype: CType
    storage: Storage = "global"
    node: c_ast.Node | None = None
    value: int | None = None
    function: c_ast.FuncDef | None = None
    held: str = ""
    n_rows: c_ast.Node | None = None

    @property
    def scalar_type(self) -> ScalarType | None:
        """The type of a scalar object."""
        return self.ctype.type if isinstance(self.ctype, ScalarC) else None

    @property
    def is_integer(self) -> bool:
        """Whether it is an integer scalar."""
        t = self.scalar_type
        return t is not None and not t.is_float

    @property
    def is_pointer(self) -> bool:
        """Whether it is a pointer variable (array parameters are)."""
        return isinstance(self.ctype, PointerC)


@dataclass(eq=False)
class Scope:
    """Names visible at a point; inner scopes hide outer ones."""

    parent: Scope | None = None
    names: dict[str, Symbol] = field(default_factory=dict)

    def find(self, name: str) -> Symbol | None:
        """The symbol that `name` means here."""
        scope: Scope | None = self
        while scope is not None:
            if name in scope.names:
                return scope.names[name]
            scope = scope.parent
        return None

    def declare(self, symbol: Symbol) -> Symbol:
        """Add a symbol to this scope."""
        self.names[symbol.name] = symbol
        return symbol

    def inner(self) -> Scope:
        """A new scope inside this one."""
        return Scope(self)

    def snapshot(self) -> Scope:
        """The names visible now, not changed by later declarations."""
        parent = self.parent.snapshot() if self.parent else None
        return Scope(parent, dict(self.names))

    def symbols(self) -> Iterator[Symbol]:
        """All visible symbols, hidden ones included."""
        scope: Scope | None = self
        while scope is not None:
            yield from scope.names.values()
            scope = scope.parent


_SPELLINGS = {
    "_Bool": types.BOOL, "char": types.CHAR, "char signed": types.SCHAR,
    "char unsigned": types.UCHAR, "short": types.SHORT, "short unsigned": types.USHORT,
    "int": types.INT, "int unsigned": types.UINT, "long": types.LONG,
    "long unsigned": types.ULONG, "long long": types.LLONG,
    "long long unsigned": types.ULLONG, "_Float16": types.HALF, "__bf16": types.BFLOAT,
    "float": types.FLOAT, "double": types.DOUBLE,
}  # fmt: skip


def scalar_from_words(words: list[str]) -> ScalarType | None:
    """The arithmetic type that type specifiers name, in any order."""
    kept = sorted(words)
    if "signed" in kept and "char" not in kept:
        kept.remove("signed")
    if len(kept) > 1 and "int" in kept and ("long" in kept or "short" in kept):
        kept.remove("int")
    if kept in ([], ["unsigned"]):
        kept = sorted([*kept, "int"])
    return _SPELLINGS.get(" ".join(kept))


def declares_integer(node: Any, scope: Scope) -> bool:
    """Whether a declarator is that of an integer variable, which is not volatile."""
    try:
        ctype = read_type(node, scope)
    except KeyError:
        return False
    if not isinstance(node, c_ast.TypeDecl) or not isinstance(ctype, ScalarC):
        return False
    return not ctype.type.is_float and not ctype.volatile


def read_type(node: Any, scope: Scope) -> CType:
    """The C type of a declarator; a structure that it defines is entered."""
    if isinstance(node, c_ast.ArrayDecl):
        return ArrayC(read_type(node.type, scope), node.dim)
    if isinstance(node, c_ast.PtrDecl):
        return PointerC(read_type(node.type, scope))
    if isinstance(node, c_ast.FuncDecl):
        return OtherC("function")
    if isinstance(node, (c_ast.TypeDecl, c_ast.Typename)):
        inner = read_type(node.type, scope)
        return _qualified(inner, set(node.quals or ()))
    if isinstance(node, c_ast.IdentifierType):
        return _named_type(list(node.names), scope)
    if isinstance(node, c_ast.Enum):
        known = scope.find(enum_tag(node))
        return ScalarC(types.UINT) if known is None else known.ctype
    if isinstance(node, c_ast.Struct):
        return _structure(node, scope)
    if isinstance(node, c_ast.Union):
        return OtherC(f"union {node.name or ''}".strip())
    return OtherC(type(node).__name__.lower())


def enum_tag(node: Any) -> str:
    """What an enumeration is called in its scope, also if it has no name."""
    return f"enum {node.name or id(node)}"


def _structure(node: Any, scope: Scope) -> CType:
    tag = f"struct {node.name}" if node.name else ""
    if node.decls is None:
        known = scope.find(tag)
        return known.ctype if known else OtherC(tag)
    members = [d for d in node.decls if isinstance(d, c_ast.Decl)]
    found = StructC(
        tag,
        tuple((d.name, read_type(d.type, scope)) for d in members),
        has_bits=any(d.bitsize is not None for d in members),
    )
    if tag:
        scope.declare(Symbol(tag, "tag", found, node=node))
    return found


def _qualified(inner: CType, quals: set[str]) -> CType:
    if not quals:
        return inner
    if isinstance(inner, ScalarC):
        return ScalarC(
            inner.type, inner.const or "const" in quals,
            inner.volatile or bool(quals & {"volatile", "_Atomic"}),
        )  # fmt: skip
    if isinstance(inner, ArrayC):
        return ArrayC(_qualified(inner.element, quals), inner.extent)
    if isinstance(inner, StructC) and quals & {"volatile", "_Atomic"}:
        return replace(inner, volatile=True)
    return inner


def _named_type(words: list[str], scope: Scope) -> CType:
    if len(words) == 1 and words[0] not in HALF_WORDS:
        symbol = scope.find(words[0])
        if symbol is not None and symbol.kind == "typedef":
            return symbol.ctype
    if OPAQUE in words:
        return OtherC("a type that is not known here")
    found = scalar_from_words(words)
    return ScalarC(found) if found else OtherC(" ".join(words))


def element_type(ctype: CType) -> CType:
    """The type at the bottom of pointers and arrays."""
    while isinstance(ctype, (ArrayC, PointerC)):
        ctype = ctype.element if isinstance(ctype, ArrayC) else ctype.target
    return ctype


def dimensions(ctype: CType) -> list[c_ast.Node | None]:
    """Extents of an object from the outside in; a pointer has an unknown one.

    A pointer to a pointer has no dimensions a SCoP could use: the list stops there.
    """
    found: list[c_ast.Node | None] = []
    while True:
        if isinstance(ctype, ArrayC):
            found.append(ctype.extent)
            ctype = ctype.element
        elif isinstance(ctype, PointerC) and not found:
            found.append(None)
            ctype = ctype.target
        else:
            return found


def table_dimensions(ctype: CType) -> list[c_ast.Node | None] | None:
    """Extents of rows of numbers behind pointers (``double **A``); None of others."""
    found: list[c_ast.Node | None] = []
    if not is_indirect(ctype):
        return None
    while isinstance(ctype, (ArrayC, PointerC)):
        is_array = isinstance(ctype, ArrayC)
        found.append(ctype.extent if isinstance(ctype, ArrayC) else None)
        ctype = ctype.element if isinstance(ctype, ArrayC) else ctype.target
    return None if is_array or not isinstance(ctype, ScalarC) else found


def is_indirect(ctype: CType) -> bool:
    """Whether the object holds pointers below its first level (``double **A``)."""
    first = True
    while isinstance(ctype, (ArrayC, PointerC)):
        if isinstance(ctype, PointerC) and not first:
            return True
        first = False
        ctype = ctype.element if isinstance(ctype, ArrayC) else ctype.target
    return False
