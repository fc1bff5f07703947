"""What the function around a SCoP does with the variables that this uses."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property, reduce
from typing import Any

from pycparser import c_ast

from polysched.frontend.allocations import allocated_size, is_scratch
from polysched.frontend.declarations import PointerC, ScalarC, Scope, Symbol
from polysched.frontend.iterators import changed_names
from polysched.frontend.liveness import (
    count_mentions,
    find_start,
    has_escaped,
    is_mentioned_after,
    is_read_after,
)
from polysched.frontend.objects import Object
from polysched.frontend.purity import Functions
from polysched.frontend.scoping import Declarer, ScopSite
from polysched.frontend.trees import copied, names, parts, with_parts
from polysched.ir import Binary, Expr


class Outside:
    """Looks at a function, the SCoP in it, and the rest of the file.

    Parameters
    ----------
    site : ScopSite
        Where the SCoP stands.
    functions : Functions
        Of the file.
    n_words : mapping of str to int
        How often the file, preprocessed, has each name.
    declarer : Declarer
        Folds constants.
    """

    def __init__(
        self, site: ScopSite, functions: Functions, n_words: Mapping[str, int],
        declarer: Declarer,
    ) -> None:  # fmt: skip
        self._site, self._functions, self._n_words = site, functions, n_words
        self._declarer = declarer

    @property
    def scope(self) -> Scope:
        """Names visible at the start of the SCoP."""
        return self._site.scope

    def fold(self, node: Any) -> int | None:
        """The value of a constant expression, or None."""
        return self._declarer.fold_constant(node, self.scope)

    def find_start(self, name: str) -> Any | None:
        """What a variable surely is at the start of the SCoP, as an expression."""
        return find_start(self._site, name)

    def is_own(self, name: str) -> bool:
        """Whether a variable from outside changes by assignments only."""
        symbol = self._site.scope.find(name)
        is_near = symbol is not None and symbol.storage in {"local", "parameter"}
        return is_near and not has_escaped(self._site.function, name, False)

    def is_dead(self, name: str) -> bool:
        """Whether nobody reads a variable from outside behind the SCoP."""
        symbol = self._site.scope.find(name)
        if symbol is None or symbol.storage not in {"local", "parameter"}:
            return False
        if symbol.held:
            return False  # it is somebody's member
        return not has_escaped(self._site.function, name, False) and not (
            is_read_after(self._site, name)
        )

    def moved(self, items: Sequence[Any]) -> frozenset[str]:
        """Names from around that the user's text changes and nothing in ours does."""
        changed = {name for item in self._site.items for name in changed_names(item)}
        ours = {name for item in items for name in changed_names(item)}
        return frozenset(changed - ours)

    @cached_property
    def called(self) -> tuple[str, ...]:
        """Functions of the file that nothing but its text mentions."""
        every = (p for item in self._site.items for p in parts(item))
        called = (p.name for p in every if isinstance(p, c_ast.FuncCall))
        found = dict.fromkeys(n.name for n in called if isinstance(n, c_ast.ID))
        return tuple(
            name for name in found
            if self._functions.is_static(name)
            and self._n_words[name] == self._mentions[name] + 1
        )  # fmt: skip

    def with_members(self, node: Any) -> Any:
        """A statement with members of structures in place of what stands for them."""

        def put(part: Any) -> Any | None:
            if not isinstance(part, c_ast.ID):
                return None
            found = self._site.scope.find(part.name)
            if found is None or not found.held or found.node is None:
                return None
            return copied(found.node.init)

        return with_parts(node, put)

    def is_live(self, found: Object) -> bool:
        """Whether somebody may read an array or a variable behind the SCoP."""
        symbol = found.symbol
        if symbol.storage in {"global", "static"} or found.in_rows:
            return True  # whoever the table belongs to
        if isinstance(symbol.ctype, PointerC):
            is_near = symbol.storage == "local" and not symbol.held
            return not (is_near and is_scratch(self._site, symbol.name))
        is_scalar = isinstance(symbol.ctype, ScalarC)
        if symbol.storage == "parameter" and not is_scalar:
            return True
        if has_escaped(self._site.function, symbol.name, not is_scalar):
            return True
        if is_scalar:
            return is_read_after(self._site, symbol.name)
        return is_mentioned_after(self._site, symbol.name)

    def allocated(
        self, found: Object, symbolic: set[str], value_of: Callable[[Any], Expr | None]
    ) -> Expr | None:
        """How many numbers a pointer's memory has, if parameters say so."""
        factors = allocated_size(self._site, found.symbol.name)
        size = [f for f in factors if getattr(f, "op", "") == "sizeof"]
        others = [f for f in factors if f not in size]
        if len(size) != 1 or not self._is_size_of(size[0], found):
            return None
        used = {name for f in others for name in names(f)}
        if not others or not used <= symbolic:
            return None
        values = [value_of(factor) for factor in others]
        known = [value for value in values if value is not None]
        if len(known) < len(values):
            return None
        return reduce(lambda a, b: Binary("*", a, b), known)

    def _is_size_of(self, node: Any, found: Object) -> bool:
        """Whether a size is that of what a pointer leads to."""
        match node.expr:
            case c_ast.UnaryOp(op="*", expr=c_ast.ID(name=name)):
                return bool(name == found.symbol.name)
        return self.fold(node) == found.type.n_bytes

    def is_confined(self, symbol: Symbol) -> bool:
        """Whether a static object belongs to the SCoP alone."""
        words = getattr(symbol.node, "storage", None) or ()
        inside = self._mentions[symbol.name]
        return "static" in words and self._n_words[symbol.name] == inside + 1

    @cached_property
    def _mentions(self) -> Mapping[str, int]:
        """How often the SCoP uses each name."""
        return count_mentions(self._site.items)
