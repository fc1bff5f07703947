"""Loops that a user has tiled by hand, by a parameter, as one loop.

``for (kk = 0; kk < n; kk += B) for (k = kk; k < kk + B && k < n; k++)`` runs k from 0
to below n, in order, if B is at least one: nothing stands between the two loops. With a
loop between them the order is another one, which no affine schedule has for all B.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from pycparser import c_ast

from polysched.frontend.data_loops import find_break
from polysched.frontend.declarations import Scope
from polysched.frontend.expressions import c_text
from polysched.frontend.inlined import only_value
from polysched.frontend.iterators import changed_names
from polysched.frontend.literals import integer
from polysched.frontend.loops import iterator_node, step_node
from polysched.frontend.trees import names, parts, with_parts
from polysched.ir import Binary, Expr, ScalarType, types

_PLAIN = (
    *(c_ast.ID, c_ast.Constant, c_ast.BinaryOp, c_ast.Cast, c_ast.UnaryOp),
    *(c_ast.Typename, c_ast.TypeDecl, c_ast.IdentifierType),
)


_LARGEST = integer(1 << 62, types.LONG)  # of unsigned sizes, whose ends may wrap around


@dataclass(eq=False)
class Untiled:
    """Statements in which such pairs are single loops.

    Attributes
    ----------
    items : tuple of nodes
        The statements.
    sizes : dict
        What the tile size of each was, by the identity of the place of the loop that is
        left, which copies of it keep.
    """

    items: tuple[Any, ...]
    sizes: dict[int, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class _Tiles:
    """A loop over tiles: its iterator, its header's parts."""

    name: str
    type: str
    start: Any
    end: str  # of the condition, behind the iterator
    size: Any


def with_untiled(
    items: Sequence[Any], scope: Scope, is_dead: Callable[[str], bool]
) -> Untiled:
    """Statements in which a loop over tiles and the one inside of it are one loop.

    Parameters
    ----------
    items : sequence of nodes
        The statements of a SCoP; they are not changed.
    scope : Scope
        Names visible at their start.
    is_dead : callable
        Whether nobody reads a variable from outside behind the SCoP.
    """
    found = Untiled(())
    owner = _Owner(items, scope, is_dead)

    def change(node: Any) -> Any | None:
        steps = isinstance(node, c_ast.For) and _steps_by_variable(node)
        tiles = _tiles(owner.own(node)) if steps else None
        inner = None if tiles is None else _only_loop(node.stmt, owner)
        if tiles is None or inner is None or not _fits(tiles, inner, scope):
            return None
        loop = _joined(node, tiles, inner, with_parts(inner.stmt, change))
        found.sizes[id(loop.coord)] = tiles.size
        return loop

    found.items = tuple(with_parts(item, change) for item in items)
    return found


def may_advance(type_: ScalarType, size: Expr) -> bool:
    """Whether an iterator of a type gets to the end of any tile, or C leaves it open.

    Sums of the two have the iterator's type then, and that wraps around at most beyond
    all tiles that `is_unfit` lets through.
    """
    if size.dtype.is_float or size.dtype.n_bytes > type_.n_bytes:
        return False
    is_signed = type_.kind == "int" and type_.n_bytes >= 4
    if size.dtype.kind == "uint" and size.dtype.n_bytes >= 4:
        is_signed = False
    return is_signed or (type_.kind, type_.n_bytes) == ("uint", 8)


def is_unfit(size: Expr) -> Expr:
    """The condition under which tiles have no elements, or an end that wraps around."""
    is_empty = Binary("<", size, integer(1))
    if size.dtype.kind != "uint" or size.dtype.n_bytes < 8:
        return is_empty
    return Binary("||", is_empty, Binary(">", size, _LARGEST))


class _Owner:
    """Makes variables that do nothing but count loops variables of these loops."""

    def __init__(
        self, items: Sequence[Any], scope: Scope, is_dead: Callable[[str], bool]
    ) -> None:
        self._items, self._scope, self._is_dead = items, scope, is_dead

    def own(self, loop: Any) -> Any:
        """A loop that declares its variable, if that is the same."""
        variable = iterator_node(loop)
        symbol = self._scope.find(getattr(variable, "name", ""))
        if not isinstance(variable, c_ast.ID) or symbol is None or symbol.node is None:
            return loop
        if not self._is_dead(variable.name) or self._is_used_outside(variable.name):
            return loop
        value, type_ = loop.init.rvalue, symbol.node.type
        decl = c_ast.Decl(
            variable.name, [], [], [], [], type_, value, None, variable.coord
        )  # fmt: skip
        init = c_ast.DeclList([decl], loop.init.coord)
        return c_ast.For(init, loop.cond, loop.next, loop.stmt, loop.coord)

    def _is_used_outside(self, name: str) -> bool:
        """Whether a variable is used, or declared, but in loops that begin with it."""

        def without(node: Any) -> Any | None:
            counts = isinstance(node, c_ast.For) and _is(iterator_node(node), name)
            starts = counts and isinstance(node.init, c_ast.Assignment)
            if starts and node.init.op == "=" and name not in names(node.init.rvalue):
                return c_ast.EmptyStatement(node.coord)
            return None

        rest = [with_parts(item, without) for item in self._items]
        found = (getattr(part, "name", None) for r in rest for part in parts(r))
        every = (p for item in self._items for p in parts(item))
        hides = any(isinstance(p, c_ast.Decl) and p.name == name for p in every)
        return hides or name in found


def _joined(outer: Any, tiles: _Tiles, inner: Any, body: Any) -> Any:
    """The inner loop, from where the first tile starts to where the last one ends."""
    (decl,) = inner.init.decls
    start = with_parts(decl, lambda n: tiles.start if n is decl.init else None)
    variable = c_ast.ID(decl.name, inner.cond.coord)
    cond = c_ast.BinaryOp(
        outer.cond.op, variable, outer.cond.right, outer.cond.coord
    )  # fmt: skip
    items = [_mention(tiles.size), body]
    return c_ast.For(
        c_ast.DeclList([start], inner.init.coord), cond, inner.next,
        c_ast.Compound(items, inner.stmt.coord), outer.coord,
    )  # fmt: skip


def _mention(name: Any) -> Any:
    """``(void)B;``, so that the name means here what it does in the text."""
    void = c_ast.IdentifierType(["void"], name.coord)
    bare = c_ast.TypeDecl(None, [], None, void, name.coord)
    to_type = c_ast.Typename(None, [], None, bare, name.coord)
    return c_ast.Cast(to_type, name, name.coord)


def _steps_by_variable(loop: Any) -> bool:
    name = getattr(iterator_node(loop), "name", "")
    return isinstance(_advance(loop, name), c_ast.ID)


def _tiles(loop: Any) -> _Tiles | None:
    """The header of a loop that advances by a variable."""
    decl = _declared(loop)
    size = None if decl is None else _advance(loop, decl.name)
    if decl is None or loop.coord is None or not isinstance(size, c_ast.ID):
        return None
    end = _behind(loop.cond, decl.name)
    fixed = [decl.init, loop.cond, size]
    if end is None or not all(isinstance(p, _PLAIN) for f in fixed for p in parts(f)):
        return None
    used = {n for f in fixed for n in names(f)}
    own = {p.name for p in parts(loop.stmt) if isinstance(p, c_ast.Decl)}
    changed = {n for f in (loop.stmt, *fixed) for n in changed_names(f)}
    if (changed | own) & used or decl.name in {*names(decl.init), size.name}:
        return None
    return _Tiles(decl.name, c_text(decl.type.type), decl.init, end, size)


def _only_loop(body: Any, owner: _Owner) -> Any | None:
    """The loop that is all of a body, with the end of its tile put where it is read."""
    items = (body.block_items or []) if isinstance(body, c_ast.Compound) else [body]
    *decls, loop = items or [None]
    if not isinstance(loop, c_ast.For) or len(decls) > 1:
        return None
    loop = owner.own(loop)
    for decl in decls:
        if not isinstance(decl, c_ast.Decl) or decl.init is None:
            return None
        if decl.name in {*names(loop.stmt), *names(loop.init), *names(decl.init)}:
            return None
        if not isinstance(decl.type, c_ast.TypeDecl):
            return None
        if _declared(loop) is None or c_text(decl.type.type) != _type(loop):
            return None
        loop = _put(loop, decl)
    return loop


def _put(loop: Any, decl: Any) -> Any:
    """A loop with what a variable in front of it holds."""
    return with_parts(loop, lambda n: decl.init if _is(n, decl.name) else None)


def _fits(tiles: _Tiles, loop: Any, scope: Scope) -> bool:
    """Whether a loop runs over one tile, and uses nothing else of the tiles' loop."""
    decl = _declared(loop)
    step = None if decl is None else _advance(loop, decl.name)
    if decl is None or getattr(step, "value", step) not in (1, "1"):
        return False
    if _type(loop) != tiles.type or not _is(decl.init, tiles.name):
        return False
    if tiles.name in set(names(loop.stmt)) or decl.name in changed_names(loop.stmt):
        return False
    ends = list(_bounds(loop.cond, decl.name, tiles.type, scope))
    of_tile = [e for e in ends if e in _tile_ends(tiles)]
    others = [e for e in ends if e not in of_tile]
    return len(of_tile) == 1 and others == [tiles.end] and not find_break(loop.stmt)


def _tile_ends(tiles: _Tiles) -> set[str]:
    """How the end of a tile may be written; the last element only beside another."""
    size = c_text(tiles.size)
    sums = (f"{tiles.name} + {size}", f"{size} + {tiles.name}")
    if tiles.end.startswith("<="):
        return {f"< {s}" for s in sums} | {f"<= ({s}) - 1" for s in sums}
    return {f"< {s}" for s in sums}


def _bounds(cond: Any, name: str, type_: str, scope: Scope) -> Iterator[str]:
    """All that an iterator has to be below."""
    if isinstance(cond, c_ast.BinaryOp) and cond.op == "&&":
        yield from _bounds(cond.left, name, type_, scope)
        yield from _bounds(cond.right, name, type_, scope)
        return
    end = _behind(cond, name)
    if end is None:
        yield ""
        return
    for value in _least(cond.right, type_, scope) or (cond.right,):
        yield f"{cond.op} {c_text(value)}"


def _least(node: Any, type_: str, scope: Scope) -> tuple[Any, Any] | None:
    """The two values of which an expression is the lesser."""
    if isinstance(node, c_ast.FuncCall):
        node = _returned(node, type_, scope)
    cond = getattr(node, "cond", None)
    if not isinstance(node, c_ast.TernaryOp) or not isinstance(cond, c_ast.BinaryOp):
        return None
    op, left, right = cond.op, cond.left, cond.right
    if op in {">", ">="}:
        left, right = right, left
    elif op not in {"<", "<="}:
        return None
    is_less = c_text(left) == c_text(node.iftrue)
    return (left, right) if is_less and c_text(right) == c_text(node.iffalse) else None


def _returned(call: Any, type_: str, scope: Scope) -> Any | None:
    """What a call of a function on numbers of one type returns."""
    symbol = scope.find(getattr(call.name, "name", ""))
    function: Any = None if symbol is None else symbol.function
    value = None if function is None else only_value(function)
    if value is None or not call.args or function.decl.type.args is None:
        return None
    arguments, declared = call.args.exprs, function.decl.type.args.params
    types = [function.decl.type.type, *(p.type for p in declared)]
    plain = [c_text(t.type) for t in types if isinstance(t, c_ast.TypeDecl)]
    if plain != [type_] * (len(arguments) + 1):
        return None
    given = dict(zip((p.name for p in declared), arguments, strict=True))
    return with_parts(value, lambda n: given.get(getattr(n, "name", "")))


def _behind(cond: Any, name: str) -> str | None:
    """The comparison of an iterator with its end, as text."""
    if not isinstance(cond, c_ast.BinaryOp) or cond.op not in {"<", "<="}:
        return None
    if not _is(cond.left, name) or name in set(names(cond.right)):
        return None
    return f"{cond.op} {c_text(cond.right)}"


def _declared(loop: Any) -> Any | None:
    """The variable that a loop's header declares, with a start value."""
    decl = iterator_node(loop)
    if not isinstance(decl, c_ast.Decl) or decl.init is None or loop.cond is None:
        return None
    return decl if isinstance(decl.type, c_ast.TypeDecl) else None


def _advance(loop: Any, name: str) -> Any | None:
    """What a loop adds to its iterator."""
    step = None if loop.next is None else step_node(loop.next, name)
    return step[1] if step is not None and step[0] == 1 else None


def _type(loop: Any) -> str:
    decl: Any = iterator_node(loop)
    return c_text(decl.type.type)


def _is(node: Any, name: str) -> bool:
    return isinstance(node, c_ast.ID) and node.name == name
