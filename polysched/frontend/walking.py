"""Pointers that walk, as pointers that stay and counters.

``*q++ = *p++;`` becomes ``*(q + q_at) = *(p + p_at); q_at++; p_at++;``, after which a
counter is like any other (`inductions`). A pointer that is set anew, ``p = a + i*w;``,
has another name from there to the end of its block, as if it were declared there.

Works on syntax. What has no such form is left as it is, and refused where it stands: a
pointer whose address is taken, that is read before it is set, or behind the SCoP.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from pycparser import c_ast

from polysched.frontend.declarations import PointerC, Scope
from polysched.frontend.loops import step_node
from polysched.frontend.trees import STEP_OPS, names, parts, with_parts

Fresh = Callable[[str], str]


@dataclass(eq=False)
class _Walk:
    """A pointer from where it is set to the end of the block, or in all of the SCoP.

    Attributes
    ----------
    setter : node or None
        Its declaration or assignment; None if it comes from outside.
    items : tuple of nodes
        The setter, and the statements behind it.
    mentions, steps : list of nodes
        Where it is named behind the setter, and where it is moved.
    """

    setter: Any | None
    items: tuple[Any, ...]
    mentions: list[Any] = field(default_factory=list)
    steps: list[Any] = field(default_factory=list)


def with_counters(
    items: Sequence[Any], scope: Scope, is_dead: Callable[[str], bool], fresh: Fresh
) -> list[Any]:
    """The statements of a SCoP with counters in place of pointers that walk.

    Parameters
    ----------
    items : sequence of nodes
        The statements; they are not changed.
    scope : Scope
        Names visible at the start of the SCoP.
    is_dead : callable
        Whether nobody reads a variable from outside behind the SCoP.
    fresh : callable
        Makes a name that nothing else has, from one that is wanted.
    """
    writer = _Writer(items, fresh)
    before: list[Any] = []
    for name, (type_, is_inner) in _pointers(items, scope).items():
        walks = _walks(items, name)
        if walks is not None and (is_inner or is_dead(name)):
            before += writer.note(name, walks, type_)
    return [*before, *writer.statements(items)]


class _Writer:
    """Knows what stands in place of pointers."""

    def __init__(self, items: Sequence[Any], fresh: Fresh) -> None:
        self._fresh = fresh
        self._alone = {id(s) for item in items for s in _statements(item)}
        self._places: dict[int, tuple[str, str | None]] = {}
        self._steps: dict[int, tuple[str, str]] = {}
        self._values: dict[int, tuple[Any, str, str | None]] = {}
        self._bare: set[str] = set()

    def note(self, name: str, walks: list[_Walk], type_: Any) -> list[Any]:
        """Note what happens to a pointer; what goes in front of the SCoP."""
        before: list[Any] = []
        moved = any(w.steps for w in walks)
        anew = [w.setter for w in walks if isinstance(w.setter, c_ast.Assignment)]
        if not moved and not anew:
            return []
        steps = [s for w in walks for s in w.steps if isinstance(s, c_ast.Assignment)]
        if any(id(s) not in self._alone for s in steps):
            return []
        for walk in walks:
            base = self._fresh(name) if anew and len(walks) > 1 else name
            counter = self._fresh(f"{name}_at") if walk.steps else None
            for mention in walk.mentions:
                self._places[id(mention)] = base, counter
            for step in walk.steps:
                assert counter is not None
                self._steps[id(step)] = base, counter
            if walk.setter is not None:
                own = getattr(walk.setter, "type", type_)
                self._values[id(walk.setter)] = own, base, counter
            elif counter is not None:
                before.append(_zero(counter, walk.items[0].coord))
        if walks[0].setter is not None:
            self._bare.add(name)
        return before

    def statements(self, items: Sequence[Any]) -> list[Any]:
        """Statements of a block, rewritten."""
        return [new for item in items for new in self._statement(item)]

    def _statement(self, item: Any) -> list[Any]:
        known = self._values.get(id(item))
        if isinstance(item, c_ast.Decl) and item.name in self._bare and not item.init:
            return []
        if known is None:
            return [with_parts(item, self._changed)]
        type_, base, counter = known
        value = item.init if isinstance(item, c_ast.Decl) else item.rvalue
        value = with_parts(value, self._changed)
        made = [_pointer(type_, base, value, item.coord)]
        return made if counter is None else [*made, _zero(counter, item.coord)]

    def _changed(self, node: Any) -> Any | None:
        if isinstance(node, c_ast.Compound):
            return c_ast.Compound(self.statements(node.block_items or ()), node.coord)
        if id(node) in self._steps:
            return self._step(node, *self._steps[id(node)])
        if id(node) in self._places:
            return _place(*self._places[id(node)], node.coord)
        return None

    def _step(self, node: Any, base: str, counter: str) -> Any:
        """What moves the counter; the place where it is not a statement of its own."""
        at = c_ast.ID(counter, node.coord)
        if isinstance(node, c_ast.UnaryOp):
            step = c_ast.UnaryOp(node.op, at, node.coord)
            if id(node) in self._alone:
                return step
            return c_ast.BinaryOp("+", c_ast.ID(base, node.coord), step, node.coord)
        sign, amount = step_node(node, node.lvalue.name)  # type: ignore[misc]
        amount = with_parts(amount, self._changed)
        return c_ast.Assignment("+=" if sign > 0 else "-=", at, amount, node.coord)


def _pointers(items: Sequence[Any], scope: Scope) -> dict[str, tuple[Any, bool]]:
    """Pointers that are moved or set: a declaration's type, whether it is inside."""
    every = [part for item in items for part in parts(item)]
    found = {}
    for name in dict.fromkeys(n for p in every if (n := _moved(p) or _set(p))):
        inner = [p for p in every if isinstance(p, c_ast.Decl) and p.name == name]
        outer = scope.find(name)
        types = [d.type for d in inner]
        if not inner and outer is not None and isinstance(outer.ctype, PointerC):
            is_own = outer.storage in {"local", "parameter"}
            types = [outer.node.type] if is_own and outer.node is not None else []
        if types and all(isinstance(t, c_ast.PtrDecl) for t in types):
            found[name] = types[0], bool(inner)
    return found


def _moved(node: Any) -> str | None:
    """The variable that a node moves by some elements."""
    is_step = isinstance(node, c_ast.UnaryOp) and node.op in STEP_OPS
    if not is_step and not isinstance(node, c_ast.Assignment):
        return None
    target = node.expr if is_step else node.lvalue
    step = step_node(node, target.name) if isinstance(target, c_ast.ID) else None
    if step is None or (not is_step and target.name in names(step[1])):
        return None
    return str(target.name)


def _set(node: Any) -> str | None:
    """The variable that a node sets anew."""
    if not isinstance(node, c_ast.Assignment) or node.op != "=":
        return None
    if not isinstance(node.lvalue, c_ast.ID) or node.lvalue.name in names(node.rvalue):
        return None
    return str(node.lvalue.name)


def _walks(items: Sequence[Any], name: str) -> list[_Walk] | None:
    """Where a pointer is set, and what is done with it; None if that is not clear."""
    walks = list(_setters(items, name)) or [_Walk(None, tuple(items))]
    for walk in walks:
        every = [p for i in walk.items if i is not walk.setter for p in parts(i)]
        walk.mentions += [p for p in every if _is_name(p, name)]
        walk.steps += [p for p in every if _moved(p) == name]
    covered = Counter(id(m) for w in walks for m in w.mentions)
    covered.update(id(getattr(w.setter, "lvalue", None)) for w in walks)
    every = [p for item in items for p in parts(item)]
    if any(covered[id(p)] != 1 for p in every if _is_name(p, name)):
        return None
    return walks if all(_may_stay(p, name) for p in every) else None


def _setters(items: Sequence[Any], name: str) -> Iterator[_Walk]:
    """The statements of blocks that set a pointer, each with what follows it."""
    starts = [k for k, item in enumerate(items) if _is_setter(item, name)]
    for start, end in pairwise([*starts, len(items)]):
        yield _Walk(items[start], tuple(items[start:end]))
    for item in items:
        for block in _blocks(item):
            yield from _setters(block.block_items or (), name)


def _blocks(node: Any) -> Iterator[Any]:
    """The outermost blocks in a statement."""
    if isinstance(node, c_ast.Compound):
        yield node
        return
    for _, child in node.children():
        yield from _blocks(child)


def _is_setter(item: Any, name: str) -> bool:
    if isinstance(item, c_ast.Decl):
        is_set = item.name == name and item.init is not None
        return is_set and name not in names(item.init)
    return _set(item) == name


def _is_name(node: Any, name: str) -> bool:
    return isinstance(node, c_ast.ID) and node.name == name


def _may_stay(node: Any, name: str) -> bool:
    """Whether a node does to a pointer no more than move, set or read it."""
    if isinstance(node, c_ast.UnaryOp) and _is_name(node.expr, name):
        return node.op not in {"&", "sizeof"}
    if isinstance(node, c_ast.Assignment) and _is_name(node.lvalue, name):
        return name in {_moved(node), _set(node)}
    return True


def _statements(node: Any) -> Iterator[Any]:
    """Nodes in the places of statements; steps of loops are among them."""
    match node:
        case c_ast.Compound():
            inside = node.block_items or ()
        case c_ast.If():
            inside = (node.iftrue, node.iffalse)
        case c_ast.For():
            inside = (node.next, node.stmt)
        case c_ast.While() | c_ast.DoWhile() | c_ast.Switch():
            inside = (node.stmt,)
        case c_ast.ExprList():
            inside = node.exprs
        case c_ast.Case() | c_ast.Default():
            inside = node.stmts
        case _:
            yield node
            return
    for part in inside:
        if part is not None:
            yield from _statements(part)


def _place(base: str, counter: str | None, coord: Any) -> Any:
    """Where a pointer points to."""
    start = c_ast.ID(base, coord)
    if counter is None:
        return start
    return c_ast.BinaryOp("+", start, c_ast.ID(counter, coord), coord)


def _zero(counter: str, coord: Any) -> Any:
    """The declaration ``long counter = 0;``."""
    kind = c_ast.IdentifierType(["long"], coord)
    type_ = c_ast.TypeDecl(counter, [], None, kind, coord)
    zero = c_ast.Constant("int", "0", coord)
    return c_ast.Decl(counter, [], [], [], [], type_, zero, None, coord)


def _pointer(type_: Any, name: str, value: Any, coord: Any) -> Any:
    """The declaration of a pointer with a value, under a name."""
    return c_ast.Decl(name, [], [], [], [], renamed(type_, name), value, None, coord)


def renamed(type_: Any, name: str) -> Any:
    """A type as it declares a name, without the qualifiers of the variable itself."""
    if isinstance(type_, c_ast.TypeDecl):
        return c_ast.TypeDecl(name, [], type_.align, type_.type, type_.coord)
    return c_ast.PtrDecl([], _named(type_.type, name), type_.coord)


def _named(type_: Any, name: str) -> Any:
    if isinstance(type_, c_ast.TypeDecl):
        quals = type_.quals
        return c_ast.TypeDecl(name, quals, type_.align, type_.type, type_.coord)
    return type(type_)(
        **{
            slot: _named(type_.type, name) if slot == "type" else getattr(type_, slot)
            for slot in type_.__slots__ if slot != "__weakref__"
        }
    )  # fmt: skip
