"""Walks the file, declares names, and finds where each SCoP stands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from pycparser import c_ast

from polysched.base import FrontendError
from polysched.frontend.declarations import (
    ScalarC,
    Scope,
    StructC,
    Symbol,
    enum_tag,
    read_type,
)
from polysched.frontend.expressions import ConstantReader
from polysched.frontend.lasting_sizes import LastingSizes
from polysched.frontend.literals import fold, wrap
from polysched.frontend.members import with_held_members
from polysched.frontend.naming import FreshNames
from polysched.frontend.null_checks import NullChecks
from polysched.frontend.pointer_values import PointerValues
from polysched.frontend.refusal import Refuser
from polysched.frontend.trees import parts
from polysched.ir import ScalarType, Storage, types


@dataclass(frozen=True)
class PathStep:
    """A place in a list of statements, or a loop around it.

    Attributes
    ----------
    items : tuple of nodes
        The statements of a block; empty for a loop.
    index : int
        Which of them holds (or ends) the SCoP.
    loop : node, optional
        The loop statement.
    """

    items: tuple[Any, ...]
    index: int
    loop: Any | None = None


@dataclass(frozen=True)
class ScopSite:
    """A SCoP's statements and its surroundings.

    Attributes
    ----------
    function : FuncDef
        The function around it.
    scope : Scope
        Names visible at its start.
    items : tuple of nodes
        Its statements.
    start, end : int
        Lines of the pragmas.
    path : tuple of PathStep
        From the function's body to the SCoP.
    pointers : PointerValues
        What the file sets its pointers to.
    """

    function: Any
    scope: Scope
    items: tuple[Any, ...]
    start: int
    end: int
    path: tuple[PathStep, ...]
    pointers: PointerValues


@dataclass
class FileNames:
    """What the walk over a file found."""

    scope: Scope
    sites: list[ScopSite] = field(default_factory=list)
    unpaired: list[Any] = field(default_factory=list)
    has_main: bool = False


class Declarer:
    """Enters declarations into scopes."""

    def __init__(self, refuser: Refuser) -> None:
        self.refuser = refuser

    def declare(self, node: Any, scope: Scope, storage: Storage) -> Symbol | None:
        """Enter a declaration or type definition; tags alone declare nothing."""
        self._declare_enums(node.type, scope)
        if isinstance(node, c_ast.Typedef):
            ctype = read_type(node.type, scope)
            if isinstance(ctype, StructC) and not ctype.spelling:
                ctype = replace(ctype, spelling=node.name)
            return scope.declare(Symbol(node.name, "typedef", ctype, node=node))
        if not node.name:
            read_type(node.type, scope)  # enters the structures that it defines
            return None
        if isinstance(node.type, c_ast.FuncDecl):
            returned = read_type(node.type.type, scope)
            known = scope.find(node.name)
            symbol = Symbol(node.name, "function", returned, node=node)
            if known is not None and known.kind == "function":
                symbol.function = known.function
            return scope.declare(symbol)
        if "static" in node.storage and storage in {"local", "scop"}:
            storage = "static"
        if "extern" in node.storage:
            storage = "global"
        ctype = read_type(node.type, scope)
        symbol = Symbol(node.name, "object", ctype, storage, node)
        if isinstance(ctype, ScalarC) and ctype.const:
            symbol.value = self.start_value(symbol, scope)
        return scope.declare(symbol)

    def fold_constant(self, node: Any, scope: Scope) -> int | None:
        """The value of a constant expression, or None."""
        try:
            return fold(ConstantReader(self.refuser, scope).read(node))
        except FrontendError:
            return None

    def start_value(self, symbol: Symbol, scope: Scope) -> int | None:
        """The value of an integer's initialiser, if that is a constant."""
        ctype, node = symbol.ctype, symbol.node
        if not isinstance(ctype, ScalarC) or not isinstance(node, c_ast.Decl):
            return None
        if node.init is None:
            return None
        if ctype.type.is_float or ctype.volatile:
            return None
        return wrap(self.fold_constant(node.init, scope), ctype.type)

    def _declare_enums(self, node: Any, scope: Scope) -> None:
        """Enter the constants of enumerations inside a type."""
        while isinstance(
            node, (c_ast.ArrayDecl, c_ast.PtrDecl, c_ast.TypeDecl, c_ast.FuncDecl)
        ):
            node = node.type
        if isinstance(node, (c_ast.Struct, c_ast.Union)):
            for member in node.decls or ():
                if hasattr(member, "type"):
                    self._declare_enums(member.type, scope)
        if not isinstance(node, c_ast.Enum) or node.values is None:
            return
        following: int | None = 0
        known: list[Symbol] = []
        for item in node.values.enumerators:
            if item.value is not None:
                following = self.fold_constant(item.value, scope)
            ctype = ScalarC(types.INT if _fits_int(following) else types.LONG)
            symbol = Symbol(item.name, "enum", ctype, "global", item, following)
            known.append(scope.declare(symbol))
            following = None if following is None else following + 1
        own = ScalarC(_enumeration([s.value for s in known if s.value is not None]))
        scope.declare(Symbol(enum_tag(node), "tag", own, "global", node))
        for symbol in known:
            if not _fits_int(symbol.value):
                symbol.ctype = own


def _fits_int(value: int | None) -> bool:
    return value is None or -(1 << 31) <= value < 1 << 31


def _enumeration(values: Sequence[int]) -> ScalarType:
    """The type of an enumeration, and of its constants that are too large for `int`.

    As gcc and clang choose it.
    """
    if min(values, default=0) < 0:
        return types.INT if all(map(_fits_int, values)) else types.LONG
    return types.UINT if max(values, default=0) < 1 << 32 else types.ULONG


def read_names(ast: Any, refuser: Refuser) -> FileNames:
    """Declare everything in a file and find its SCoPs."""
    walker = _Walker(ast, refuser)
    for external in ast.ext:
        walker.external(external)
    return walker.found


class _Walker:
    """Declares names in order and collects SCoP sites."""

    def __init__(self, ast: Any, refuser: Refuser) -> None:
        self.found = FileNames(Scope())
        self.pointers = PointerValues(ast, self.found.scope)
        self.declarer = Declarer(refuser)
        words = (getattr(p, "name", None) for p in parts(ast))
        self._fresh = FreshNames(w for w in words if isinstance(w, str))
        self._defined = {
            e.decl.name: e for e in ast.ext if isinstance(e, c_ast.FuncDef)
        }

    def external(self, node: Any) -> None:
        scope = self.found.scope
        if isinstance(node, (c_ast.Decl, c_ast.Typedef)):
            self.declarer.declare(node, scope, "global")
        elif isinstance(node, c_ast.FuncDef):
            symbol = self.declarer.declare(node.decl, scope, "global")
            if symbol is not None:
                symbol.function = node
            self.found.has_main |= node.decl.name == "main"
            self._function(node, scope.inner())
        elif isinstance(node, c_ast.Pragma):
            self.found.unpaired.append(node)

    def _function(self, node: Any, scope: Scope) -> None:
        arguments = node.decl.type.args
        for parameter in arguments.params if arguments else ():
            if isinstance(parameter, c_ast.Decl):
                self._declare(node, parameter, scope, "parameter")
        for declared in node.param_decls or ():
            self._declare(node, declared, scope, "parameter")
        self._block(node, node.body.block_items or [], scope.inner(), ())

    def _declare(
        self, function: Any, node: Any, scope: Scope, storage: Storage
    ) -> None:
        """Enter a declaration of a function, with the extents that last."""
        symbol = self.declarer.declare(node, scope, storage)
        if symbol is not None:
            sizes = LastingSizes(function, self._defined)
            symbol.ctype = sizes.type_of(symbol.ctype, node, scope)
            if symbol.storage == "local" and symbol.value is None:
                start = self.declarer.start_value(symbol, scope)
                if start is not None and sizes.is_lasting(node, scope):
                    symbol.value = start

    def _block(
        self,
        function: Any,
        items: list[Any],
        scope: Scope,
        path: tuple[PathStep, ...],
    ) -> None:
        index = 0
        while index < len(items):
            item = items[index]
            if isinstance(item, c_ast.Pragma) and item.string == "scop":
                index = self._site(function, items, index, scope, path)
            elif isinstance(item, c_ast.Pragma):
                self.found.unpaired.append(item)
            else:
                step = PathStep(tuple(items), index)
                self._statement(function, item, scope, (*path, step))
            index += 1

    def _site(
        self, function: Any, items: list[Any], index: int, scope: Scope,
        path: tuple[PathStep, ...],
    ) -> int:  # fmt: skip
        """Record the SCoP that starts at `index`; where its end pragma stands."""
        end = next(
            (
                k
                for k in range(index + 1, len(items))
                if isinstance(items[k], c_ast.Pragma)
            ),
            None,
        )
        if end is None or items[end].string != "endscop":
            self.found.unpaired.append(items[index])
            return index
        held = with_held_members(items[index + 1 : end], scope, self._fresh.plain)
        for symbol in held.symbols:
            scope.declare(symbol)
        checks = NullChecks(held.items, scope, self._fresh.plain)
        inside = checks.put()
        for symbol in (*held.symbols, *checks.found.values()):
            scope.declare(symbol)  # as if the function declared it
            items.insert(index, symbol.node)
            index, end = index + 1, end + 1
        step = PathStep(tuple(items), end)
        self.found.sites.append(
            ScopSite(
                function, scope.snapshot(), inside, items[index].coord.line,
                items[end].coord.line, (*path, step), self.pointers,
            )
        )  # fmt: skip
        for item in inside:
            if isinstance(item, (c_ast.Decl, c_ast.Typedef)):
                self.declarer.declare(item, scope, "local")
        return end

    def _statement(
        self, function: Any, node: Any, scope: Scope, path: tuple[PathStep, ...]
    ) -> None:
        """Descend into a statement; loops join the path."""
        if isinstance(node, (c_ast.Decl, c_ast.Typedef)):
            self._declare(function, node, scope, "local")
        elif isinstance(node, c_ast.Compound):
            self._block(function, node.block_items or [], scope.inner(), path)
        elif isinstance(node, (c_ast.For, c_ast.While, c_ast.DoWhile)):
            inner = scope.inner()
            if isinstance(node, c_ast.For) and isinstance(node.init, c_ast.DeclList):
                for declaration in node.init.decls:
                    self.declarer.declare(declaration, inner, "local")
            step = PathStep((), 0, node)
            self._statement(function, node.stmt, inner, (*path, step))
        elif isinstance(node, c_ast.If):
            for branch in (node.iftrue, node.iffalse):
                if branch is not None:
                    self._statement(function, branch, scope, path)
        elif isinstance(node, (c_ast.Switch, c_ast.Label)):
            self._statement(function, node.stmt, scope, path)
        elif isinstance(node, (c_ast.Case, c_ast.Default)):
            self._block(function, node.stmts or [], scope, path)
