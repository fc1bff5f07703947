"""Loops over all elements of an array as loops over its rows and columns.

``for (p = 0; p < h * w; p++)`` fits an array whose rows of w elements other loops walk
through only if it does the same: ``p`` is ``i * w + j``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from pycparser import c_ast

from polysched.frontend.declarations import Scope
from polysched.frontend.iterators import changed_names
from polysched.frontend.later_reads import loops_with_later, may_read
from polysched.frontend.loops import step_node
from polysched.frontend.trees import names, parts, with_parts
from polysched.frontend.walking import renamed


@dataclass(frozen=True, eq=False)
class FlatLoop:
    """A loop that was one over a product.

    Attributes
    ----------
    product : node
        Where it ended.
    factors : tuple of nodes
        Of the product; none may be below zero.
    """

    product: Any
    factors: tuple[Any, ...]


@dataclass(eq=False)
class Nested:
    """Statements in which such loops are nests.

    Attributes
    ----------
    items : tuple of nodes
        The statements.
    loops : dict
        What each nest was, by the name of its outermost iterator, which nothing else
        has; the nodes of a nest inside of another are copied.
    counters : list of str
        Variables from outside that counted in such loops.
    """

    items: tuple[Any, ...]
    loops: dict[str, FlatLoop] = field(default_factory=dict)
    counters: list[str] = field(default_factory=list)


def with_nests(
    items: Sequence[Any],
    fresh_name: Callable[[str], str],
    scope: Scope,
    is_dead: Callable[[str], bool],
) -> Nested:
    """Statements in which loops from 0 to below a product of variables are nests.

    Parameters
    ----------
    items : sequence of nodes
        The statements of a SCoP; they are not changed.
    fresh_name : callable
        Makes a name that nothing else has.
    scope : Scope
        Names visible at the start of the SCoP.
    is_dead : callable
        Whether nobody reads a variable from outside behind the SCoP.
    """
    found = Nested(())
    headers = _own_headers(items, scope, is_dead)

    def change(node: Any) -> Any | None:
        if not isinstance(node, c_ast.For):
            return None
        loop = node
        if id(node) in headers:
            loop = c_ast.For(
                headers[id(node)], node.cond, node.next, node.stmt, node.coord
            )
        flat = _flat(loop)
        if flat is None:
            return None
        if loop is not node:
            found.counters.append(loop.init.decls[0].name)
        nest = _nest(loop, flat, with_parts(node.stmt, change), fresh_name)
        found.loops[nest.init.decls[0].name] = flat
        return nest

    found.items = tuple(with_parts(item, change) for item in items)
    return found


def _own_headers(
    items: Sequence[Any], scope: Scope, is_dead: Callable[[str], bool]
) -> dict[int, Any]:
    """What loops over variables from outside may declare instead, by their identity.

    Nobody reads such a variable behind the loop.
    """
    found = {}
    declared = {p.name for i in items for p in parts(i) if isinstance(p, c_ast.Decl)}
    for loop, later in loops_with_later(items):
        name = str(getattr(getattr(loop.init, "lvalue", None), "name", ""))
        outer = scope.find(name)
        if outer is None or outer.node is None or loop.init.op != "=":
            continue
        is_read = not is_dead(name) or any(may_read(n, name) for n in later)
        if name in declared or is_read:
            continue
        type_ = outer.node.type
        if isinstance(type_, c_ast.TypeDecl):
            at = loop.init.coord
            type_, start = renamed(type_, name), loop.init.rvalue
            decl = c_ast.Decl(name, [], [], [], [], type_, start, None, at)
            found[id(loop)] = c_ast.DeclList([decl], at)
    return found


def _flat(loop: Any) -> FlatLoop | None:
    """What a loop is over, if that is a product."""
    if not isinstance(loop.init, c_ast.DeclList) or len(loop.init.decls) != 1:
        return None
    (decl,) = loop.init.decls
    cond, step = (
        loop.cond,
        None if loop.next is None else step_node(loop.next, decl.name),
    )
    if getattr(decl.init, "value", None) != "0" or step is None:
        return None
    if step[0] != 1 or getattr(step[1], "value", step[1]) not in (1, "1"):
        return None
    if not isinstance(cond, c_ast.BinaryOp) or cond.op != "<":
        return None
    if not isinstance(cond.left, c_ast.ID) or cond.left.name != decl.name:
        return None
    factors = tuple(_factors(cond.right))
    own = {p.name for p in parts(loop.stmt) if isinstance(p, c_ast.Decl)}
    kept = {decl.name, *(n for f in factors for n in names(f))}
    if len(factors) < 2 or own & kept or kept & changed_names(loop.stmt):
        return None
    plain = all(isinstance(f, (c_ast.ID, c_ast.Cast)) for f in factors)
    return FlatLoop(cond.right, factors) if plain else None


def _factors(node: Any) -> list[Any]:
    if isinstance(node, c_ast.BinaryOp) and node.op == "*":
        return [*_factors(node.left), *_factors(node.right)]
    return [node]


def _nest(
    loop: Any, flat: FlatLoop, body: Any, fresh_name: Callable[[str], str]
) -> Any:
    """The loops over the factors, around the body with a sum for the variable."""
    (decl,) = loop.init.decls
    own = [fresh_name(decl.name) for _ in flat.factors]
    place: Any = c_ast.ID(own[0], loop.coord)
    for name, factor in zip(own[1:], flat.factors[1:], strict=True):
        rows = c_ast.BinaryOp("*", place, factor, loop.coord)
        place = c_ast.BinaryOp("+", rows, c_ast.ID(name, loop.coord), loop.coord)

    def put(node: Any) -> Any | None:
        is_it = isinstance(node, c_ast.ID) and node.name == decl.name
        return with_parts(place, _copied) if is_it else None

    nest = with_parts(body, put)
    for name, factor in reversed(list(zip(own, flat.factors, strict=True))):
        type_ = renamed(decl.type, name)
        start = c_ast.Decl(name, [], [], [], [], type_, decl.init, None, decl.coord)
        variable = c_ast.ID(name, loop.coord)
        nest = c_ast.For(
            c_ast.DeclList([start], decl.coord),
            c_ast.BinaryOp("<", variable, factor, loop.cond.coord),
            c_ast.UnaryOp("p++", variable, loop.coord),
            nest,
            loop.coord,
        )
    return nest


def _copied(node: Any) -> Any | None:
    return c_ast.ID(node.name, node.coord) if isinstance(node, c_ast.ID) else None
