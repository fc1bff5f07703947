"""Loops that exchange pointers, as loops whose body stands once for each turn.

A loop around a sweep from one buffer into another, behind which these change places, is
unrolled until every pointer is back where it was::

    for (t = 0; t < n; t++) {            for (u = 0; 2*u < n; u++) {
      sweep(b, a);                         sweep(b, a);
      tmp = a; a = b; b = tmp;    ==>      if (2*u + 1 < n)
    }                                        sweep(a, b);
                                         }

so that pointers stay fixed. A variable that chooses the buffer, ``cur = 1 - cur;``, is
a number in each turn if it is known what it starts as. What follows in the block stands
once for each number of turns that may be left over. Variables that somebody reads
behind the SCoP are set by text of their own there. Works on syntax, where loops count
(`while_loops`); what has no such form is left as it is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from pycparser import c_ast

from polysched.frontend.declarations import ScalarC, Scope, read_type
from polysched.frontend.expressions import c_text
from polysched.frontend.iterators import with_step_behind
from polysched.frontend.trees import copied, names, parts, with_parts
from polysched.frontend.turn_bodies import (
    TurnBody,
    closed,
    flat_items,
    setting,
    step_target,
    value_name,
    value_number,
    with_names,
)
from polysched.frontend.turn_counts import Count, number, read_count
from polysched.frontend.walking import renamed

Fresh = Callable[[str], str]
_MAX_TURNS = 4
_SMALL = range(128)  # every type has these
_MAX_PARTS = 4000  # of all copies of what follows a loop
_SUFFIX = re.compile(r"(_\d+)+$")  # of names that are new already


class Before(Protocol):
    """What is known about variables from outside."""

    @property
    def scope(self) -> Scope:
        """Names visible at the start of the SCoP."""

    def is_dead(self, name: str) -> bool:
        """Whether nobody reads a variable from outside behind the SCoP."""

    def is_own(self, name: str) -> bool:
        """Whether a variable from outside changes by assignments only."""

    def find_start(self, name: str) -> Any | None:
        """The expression that a variable is at the start of the SCoP, if known."""

    def fold(self, node: Any) -> int | None:
        """The value of a constant expression, or None."""


@dataclass(eq=False)
class Exchanged:
    """Statements whose pointers stay fixed.

    Attributes
    ----------
    items : list of nodes
        The statements.
    behind : list of nodes
        What sets variables from outside to what they are behind the SCoP.
    """

    items: list[Any]
    behind: list[Any] = field(default_factory=list)


def with_turns_unrolled(
    items: Sequence[Any], before: Before, fresh: Fresh
) -> Exchanged:  # fmt: skip
    """The statements of a SCoP with loops unrolled that exchange pointers.

    Parameters
    ----------
    items : sequence of nodes
        The statements; they are not changed.
    before : Before
        What is known about variables from outside.
    fresh : callable
        Makes a name that nothing else has, from one that is wanted.
    """
    writer = _Writer(items, before, fresh)
    return Exchanged(writer.block(items, {}, is_top=True), writer.behind)


@dataclass(frozen=True, eq=False)
class _Exchange:
    """A loop whose iterations leave pointers in each other's places.

    Attributes
    ----------
    loop : For
    count : Count
        Its header.
    body : TurnBody
    after : dict of str to str
        For each pointer, the one whose place it takes in an iteration; for each value
        of a number, the one that it is next.
    values : dict of str to int
        What numbers are after so many steps.
    spare : set of str
        Other pointers from outside of the loop that it sets.
    """

    loop: Any
    count: Count
    body: TurnBody
    after: dict[str, str]
    values: dict[str, int]
    spare: set[str]

    @property
    def variables(self) -> set[str]:
        """What the loop changes, but for its own."""
        return {n for n in self.after if not value_number(n)} | self.spare

    @property
    def numbers(self) -> set[str]:
        """Those that are numbers."""
        return {n for n in self.values if not value_number(n)}

    @property
    def turns(self) -> list[dict[str, str | int]]:
        """What each is in iteration 0, 1 and so on, until all are back."""
        found = [{name: name for name in self.after}]
        while True:
            last = found[-1]
            following = {name: last[self.after[name]] for name in self.after}
            if following == found[0]:
                break
            found.append(following)
        return [{n: self.values.get(v, v) for n, v in turn.items()} for turn in found]

    def last(self) -> Any:
        """What is left of the loop for its variables."""
        block = c_ast.Compound([copied(s) for s in self.body.setters])
        count = self.count
        if len(self.turns) == 2 and not self.spare and count.turns is not None:
            runs = with_names(count.cond, {}, count.name, count.start)
            odd = _remainder(count.turns, 2)
            return c_ast.If(c_ast.BinaryOp("&&", runs, odd), block, None)
        loop = self.loop
        return c_ast.For(copied(loop.init), copied(loop.cond), copied(loop.next), block)


class _Writer:
    def __init__(self, items: Sequence[Any], before: Before, fresh: Fresh) -> None:
        self._before, self._fresh = before, fresh
        self._n_parts = 0
        every = [part for item in items for part in parts(item)]
        self._steps = [name for p in every if (name := step_target(p))]
        self._changed = [n for p in every for n in _changed(p)]
        self._declared = {p.name for p in every if isinstance(p, c_ast.Decl)}
        self.behind: list[Any] = []

    def block(
        self, items: Sequence[Any], own: Mapping[str, Any], *, is_top: bool = False
    ) -> list[Any]:
        """The statements of a block; `own` are variables that it has declared."""
        own = dict(own)
        for k, item in enumerate(items):
            if isinstance(item, c_ast.Decl):
                own[item.name] = item
            if not isinstance(item, c_ast.For):
                continue
            found = self._exchange(item, own, is_top)
            rest = items[k + 1 :]
            following = None if found is None else self._following(found, rest)
            if found is None or following is None:
                continue
            outside = found.variables - own.keys()
            if not all(map(self._before.is_dead, outside)):
                if found.count.depends_on & {*self._changed, *self._declared}:
                    continue
                self.behind.append(found.last())
            first = [self._inner(part) for part in items[:k]]
            return [*first, self._unrolled(found), *following(own, is_top)]
        return [self._inner(item) for item in items]

    def _inner(self, item: Any) -> Any:
        """A statement whose blocks are rewritten."""

        def put(node: Any) -> Any | None:
            if not isinstance(node, c_ast.Compound):
                return None
            return c_ast.Compound(self.block(node.block_items or (), {}), node.coord)

        return with_parts(item, put)

    def _following(
        self, found: _Exchange, rest: Sequence[Any]
    ) -> Callable[[Mapping[str, Any], bool], list[Any]] | None:
        """What writes the statements behind a loop; None where there is no form."""
        every = [part for item in rest for part in parts(item)]
        declared = {p.name for p in every if isinstance(p, c_ast.Decl)}
        used = declared | {name for item in rest for name in names(item)}
        if used & found.spare or (found.count.name in used and not found.count.is_own):
            return None
        if not used & found.variables:
            return lambda own, is_top: self.block(rest, own, is_top=is_top)
        n_turns = len(found.turns)
        self._n_parts += n_turns * len(every)
        if found.count.turns is None or self._n_parts > _MAX_PARTS:
            return None
        if any(isinstance(item, c_ast.Decl) for item in rest):
            return None  # somebody may read it behind the SCoP
        if declared & {*found.after, *found.count.depends_on}:
            return None
        if found.numbers & {n for p in every for n in _changed(p)}:
            return None

        def branches(own: Mapping[str, Any], is_top: bool) -> list[Any]:
            made: Any = None
            for k, turn in enumerate(found.turns):
                variant = [with_names(item, turn) for item in rest]
                kept = len(self.behind)
                inner = c_ast.Compound(self.block(variant, own, is_top=is_top))
                if k:
                    del self.behind[kept:]  # it has other names
                cond = _equals(_remainder(found.count.turns, n_turns), k)
                made = inner if made is None else c_ast.If(cond, inner, made)
            return [made]

        return branches

    def _exchange(
        self, loop: Any, own: Mapping[str, Any], is_top: bool
    ) -> _Exchange | None:
        """What a loop exchanges, if it is variables of its block or from outside."""
        items = flat_items(loop.stmt)
        if not any(setting(item) or step_target(item) for item in items):
            return None
        loop = with_step_behind(loop, self._fresh)
        items = flat_items(loop.stmt)
        before = self._before
        count = read_count(loop, before.scope, before.is_dead)
        if count is None:
            return None
        cycles = self._cycles(items, own, is_top)
        body = TurnBody(items, {name: len(found) for name, found in cycles.items()})
        if body.others is None:
            return None
        outside = {
            n: v for n, v in body.held.items()
            if n not in body.declared and n not in cycles
        }  # fmt: skip
        after = closed(outside)
        spare = outside.keys() - after.keys()
        values: dict[str, int] = {}
        for name, found in cycles.items():
            step = value_number(body.held[name])
            for k, value in enumerate(found):
                after[value_name(name, k)] = value_name(name, (k + step) % len(found))
                values[value_name(name, k)] = value
        pointers = after.keys() - values.keys()
        if not self._are_alike(pointers, spare, own, is_top):
            return None
        declared = {
            p.name for item in items for p in parts(item) if isinstance(p, c_ast.Decl)
        }
        used = {count.name, *count.depends_on}
        if used & {*outside, *cycles, *declared} or spare & body.read_first:
            return None
        made = _Exchange(loop, count, body, after, values, spare)
        is_one = len(set(after.values())) == len(after) > 0
        return made if is_one and 1 < len(made.turns) <= _MAX_TURNS else None

    def _are_alike(
        self, pointers: set[str], spare: set[str], own: Mapping[str, Any], is_top: bool
    ) -> bool:
        """Whether a block may exchange these; spare ones are set to one of them."""
        types = [self._type(name, own, is_top) for name in sorted({*pointers, *spare})]
        if None in types:
            return False
        found = {_bare(self._type(name, own, is_top)) for name in pointers}
        return len(found) <= 1

    def _type(self, name: str, own: Mapping[str, Any], is_top: bool) -> Any | None:
        """The type of a pointer that a block may set."""
        if name in own:
            return None if own[name].storage else _pointer_type(own[name].type)
        found = self._before.scope.find(name) if is_top else None
        if found is None or found.kind != "object" or found.node is None:
            return None
        return _pointer_type(found.node.type)

    def _cycles(
        self, items: Sequence[Any], own: Mapping[str, Any], is_top: bool
    ) -> dict[str, list[int]]:
        """The values of numbers that a loop's body changes without other variables."""
        found: dict[str, list[int]] = {}
        for item in items:
            name = step_target(item)
            if not name or name in found:
                continue
            n_steps = sum(step_target(other) == name for other in items)
            if self._changed.count(name) != n_steps:
                continue
            same = {c_text(i) for i in items if step_target(i) == name}
            values = self._cycle(item, name, self._start(name, own, is_top))
            if values is not None and len(same) == 1:
                found[name] = values
        return found

    def _start(self, name: str, own: Mapping[str, Any], is_top: bool) -> Any | None:
        """The expression that an integer begins with, if that is known."""
        found = self._before.scope.find(name) if is_top else None
        declared = own.get(name, None if found is None else found.node)
        if declared is None or getattr(declared, "storage", None):
            return None
        type_ = read_type(declared.type, self._before.scope)
        if not isinstance(type_, ScalarC) or type_.type.is_float or type_.volatile:
            return None
        return declared.init if name in own else self._before.find_start(name)

    def _cycle(self, item: Any, name: str, start: Any | None) -> list[int] | None:
        """The values that a number takes until it is what it was."""
        if start is None:
            return None
        value = item.rvalue
        if item.op != "=":
            value = c_ast.BinaryOp(item.op[:-1], item.lvalue, value, item.coord)
        first = self._before.fold(start)
        found: list[int] = []
        last = first
        while last is not None and last in _SMALL and len(found) < _MAX_TURNS:
            found.append(last)
            last = self._before.fold(with_names(value, {name: last}))
            if last == first:
                return found
        return None

    def _unrolled(self, found: _Exchange) -> Any:
        """The loop over whole rounds, with each iteration of one in the one before."""
        count, coord = found.count, found.loop.coord
        name = self._fresh(_SUFFIX.sub("", count.name))
        turns = found.turns
        inner: Any = None
        for k in reversed(range(len(turns))):
            here = count.place(name, len(turns), k)
            items = [
                with_names(item, turns[k], count.name, here)
                for item in found.body.others or ()
            ]
            body = [self._inner(item) for item in items]
            body += [] if inner is None else [inner]
            inner = c_ast.Compound(body, coord)
            cond = with_names(count.cond, {}, count.name, here)
            if k:
                inner = c_ast.If(cond, inner, None, coord)
        start = c_ast.Decl(
            name, [], [], [], [], renamed(count.type, name), number(0, coord), None,
            coord,
        )  # fmt: skip
        step = c_ast.UnaryOp("p++", c_ast.ID(name, coord), coord)
        return c_ast.For(c_ast.DeclList([start], coord), cond, step, inner, coord)


def _changed(node: Any) -> set[str]:
    """The variable that a node itself assigns to or steps."""
    target = getattr(node, "lvalue", None)
    if isinstance(node, c_ast.UnaryOp) and node.op in {"++", "--", "p++", "p--"}:
        target = node.expr
    return {target.name} if isinstance(target, c_ast.ID) else set()


def _pointer_type(type_: Any) -> Any | None:
    """The type of a pointer; a parameter that is written as an array is one."""
    if isinstance(type_, c_ast.ArrayDecl):
        return c_ast.PtrDecl([], type_.type, type_.coord)
    return type_ if isinstance(type_, c_ast.PtrDecl) else None


def _bare(type_: Any) -> str:
    """A pointer's type as text, whatever is declared."""
    return c_text(c_ast.Typename(None, [], None, renamed(type_, "")))


def _remainder(value: Any, n: int) -> Any:
    return c_ast.BinaryOp("%", copied(value), number(n, value.coord), value.coord)


def _equals(value: Any, k: int) -> Any:
    return c_ast.BinaryOp("==", value, number(k, value.coord), value.coord)
