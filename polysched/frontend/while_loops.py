"""Loops that count in a variable from around them, as loops that declare their own.

``while (n--)``, ``i = 0; while (i < n) { ...; i++; }`` and ``for (; i < n; i++)``
become ``for`` loops over a variable that begins at what theirs was set to in front of
them, or comes with, if nobody reads later what it is then::

    int i = 0;
    while (i < n) {              for (int i_1 = 0; i_1 < n; i_1++)
      x[i] = 0;          ==>       x[i_1] = 0;
      i++;
    }

A ``do`` loop that asks behind its body turns once in any case: its condition becomes
``i == START || i < END``.

Works on syntax, before names are looked up. Loops without such a form are left as they
are: they may be loops that data end.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pycparser import c_ast

from polysched.frontend.declarations import Scope, declares_integer
from polysched.frontend.iterators import advance, changed_names, is_invariant
from polysched.frontend.steps import steps_apart
from polysched.frontend.trees import STEP_OPS, names, parts, with_parts
from polysched.frontend.walking import renamed

_LOOPS = (c_ast.For, c_ast.While, c_ast.DoWhile)
Fresh = Callable[[str], str]


@dataclass(frozen=True, eq=False)
class Count:
    """A loop that counts.

    Attributes
    ----------
    name : str
        Its variable.
    cond : node
        Its condition, which steps the variable if nothing else does.
    step : node or None
        Behind the body.
    body : node
        Without the step.
    asks_behind : bool
        Whether the first turn is taken without asking.
    """

    name: str
    cond: Any
    step: Any | None
    body: Any
    asks_behind: bool = False


@dataclass(frozen=True, eq=False)
class _Start:
    """How the variable of a loop starts.

    Attributes
    ----------
    type, value : nodes
        Of its declaration, and what it begins with.
    setter : node or None
        An assignment that nothing else needs.
    """

    type: Any
    value: Any
    setter: Any | None


def with_for_loops(
    items: Sequence[Any], scope: Scope, is_dead: Callable[[str], bool], fresh: Fresh
) -> list[Any]:
    """The statements of a SCoP with `for` loops in place of others that count.

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
    return _Writer(items, scope, is_dead, fresh).block(items, is_top=True)


class _Writer:
    def __init__(
        self, items: Sequence[Any], scope: Scope, is_dead: Callable[[str], bool],
        fresh: Fresh,
    ) -> None:  # fmt: skip
        self._scope, self._is_dead, self._fresh = scope, is_dead, fresh
        every = [part for item in items for part in parts(item)]
        self._declarations = [p for p in every if isinstance(p, c_ast.Decl)]
        self._n_used = Counter(name for item in items for name in _used(item))

    def block(self, items: Sequence[Any], *, is_top: bool = False) -> list[Any]:
        """The statements of a block."""
        result: list[Any] = []
        for k, item in enumerate(items):
            count = counting(item)
            start = None if count is None else self._start(items, k, count, is_top)
            if count is None or start is None:
                result.append(with_parts(item, self._inner))
                continue
            if start.setter is not None:
                result = [made for made in result if made is not start.setter]
            result.append(self._loop(count, start, item.coord))
        return result

    def _inner(self, node: Any) -> Any | None:
        if isinstance(node, c_ast.Compound):
            return c_ast.Compound(self.block(node.block_items or ()), node.coord)
        return None

    def _start(
        self, items: Sequence[Any], k: int, count: Count, is_top: bool
    ) -> _Start | None:
        """How a loop's variable starts; None to leave the loop."""
        name = count.name
        own = [d for d in self._declarations if d.name == name]
        outer = self._scope.find(name)
        if own:
            type_ = own[0].type
        elif outer is not None and outer.node is not None and self._is_dead(name):
            type_ = outer.node.type
        else:
            return None
        if len(own) > 1 or not declares_integer(type_, self._scope):
            return None
        uses = [j for j, item in enumerate(items) if name in _used(item)]
        bare = [j for j in uses if _is_bare(items[j])]
        if sum(_used(items[j]).count(name) for j in uses) < self._n_used[name]:
            return None
        uses = [j for j in uses if j not in bare]
        place = uses.index(k)
        if not all(_sets(items[j], name) for j in uses[place + 1 : place + 2]):
            return None
        if place == 0:
            value = c_ast.ID(name, items[k].coord)
            return _Start(type_, value, None) if is_top and not own else None
        setter = items[uses[place - 1]]
        value = _value(setter, name)
        if value is None or not _sets(items[uses[0]], name):
            return None
        between = items[uses[place - 1] + 1 : k]
        changed = {n for item in between for n in changed_names(item)}
        if count.asks_behind and not is_invariant(value, changed_names(count.body)):
            return None
        stays = not between or is_invariant(value, changed)
        own_setter = setter if isinstance(setter, c_ast.Assignment) else None
        return _Start(type_, value, own_setter) if stays else None

    def _loop(self, count: Count, start: _Start, coord: Any) -> Any:
        type_, value = start.type, start.value
        own = self._fresh(count.name)

        def rename(node: Any) -> Any | None:
            if isinstance(node, c_ast.Compound):
                return c_ast.Compound(
                    [with_parts(i, rename) for i in node.block_items or ()], node.coord
                )
            if isinstance(node, c_ast.ID) and node.name == count.name:
                return c_ast.ID(own, node.coord)
            return None

        cond, step, body = (
            None if part is None else with_parts(part, rename)
            for part in (count.cond, count.step, count.body)
        )
        decl = c_ast.Decl(own, [], [], [], [], renamed(type_, own), value, None, coord)
        if count.asks_behind:
            is_first = c_ast.BinaryOp("==", c_ast.ID(own, coord), value, coord)
            cond = c_ast.BinaryOp("||", is_first, cond, count.cond.coord)
        header = c_ast.DeclList([decl], coord)
        body = with_parts(body, self._inner)
        return c_ast.For(header, cond, step, body, coord)


def _used(node: Any) -> list[str]:
    """Names that a statement mentions or declares."""
    declared = (p.name for p in parts(node) if isinstance(p, c_ast.Decl) and p.name)
    return [*names(node), *declared]


def _is_bare(item: Any) -> bool:
    return isinstance(item, c_ast.Decl) and item.init is None


def _sets(item: Any, name: str) -> bool:
    """Whether a statement sets a variable before it reads it."""
    if isinstance(item, c_ast.For) and isinstance(item.init, c_ast.Assignment):
        return _value(item.init, name) is not None
    return _value(item, name) is not None


def _value(item: Any, name: str) -> Any | None:
    """What a statement sets a variable to."""
    match item:
        case c_ast.Decl(init=value) if item.name == name and value is not None:
            return None if name in names(value) else value
        case c_ast.Assignment(op="=", lvalue=c_ast.ID()) if item.lvalue.name == name:
            return None if name in names(item.rvalue) else item.rvalue
    return None


def counting(node: Any) -> Count | None:
    """A loop that counts in a variable which it does not declare."""
    match node:
        case c_ast.While(cond=cond, stmt=body):
            return _stepping(cond, body) or _stepping_last(cond, body)
        case c_ast.DoWhile(cond=cond, stmt=body):
            count = _stepping_behind(cond, body) or _stepping_last(cond, body)
            if count is None or not is_invariant(count.cond, changed_names(count.body)):
                return None  # data end it
            return replace(count, asks_behind=True)
        case c_ast.For(init=None, cond=cond, next=None, stmt=body) if cond is not None:
            return _stepping(cond, body)
        case c_ast.For(init=None, cond=cond, next=step, stmt=body) if cond is not None:
            return _count(cond, step, body)
    return None


def _stepping(cond: Any, body: Any) -> Count | None:
    """A loop that steps in its condition."""
    step = cond.left if isinstance(cond, c_ast.BinaryOp) else cond
    if not isinstance(step, c_ast.UnaryOp) or step.op not in STEP_OPS:
        return None
    if not isinstance(step.expr, c_ast.ID) or step.expr.name in changed_names(body):
        return None
    name = str(step.expr.name)
    is_once = list(names(cond)).count(name) == 1
    return Count(name, cond, None, body) if is_once else None


def _stepping_behind(cond: Any, body: Any) -> Count | None:
    """A loop that steps in the condition behind its body, as one that then asks."""
    count = _stepping(cond, body)
    if count is None:
        return None
    step = cond.left if isinstance(cond, c_ast.BinaryOp) else cond
    here, one = c_ast.ID(count.name, step.coord), c_ast.Constant("int", "1", step.coord)
    if step.op.startswith("p"):
        here = c_ast.BinaryOp("-" if "++" in step.op else "+", here, one, step.coord)
    op, end = "!=", c_ast.Constant("int", "0", cond.coord)
    if isinstance(cond, c_ast.BinaryOp):
        op, end = cond.op, cond.right
    asked = c_ast.BinaryOp(op, here, end, cond.coord)
    following = c_ast.UnaryOp("p" + step.op[-2:], step.expr, step.coord)
    return Count(count.name, asked, following, body)


def _stepping_last(cond: Any, body: Any) -> Count | None:
    """A loop that steps at the end of its body, which nothing skips."""
    items = list(body.block_items or ()) if isinstance(body, c_ast.Compound) else [body]
    if not items or any(map(_continues, items)):
        return None
    items[-1:] = steps_apart(items[-1])
    return _count(cond, items[-1], c_ast.Compound(items[:-1], body.coord))


def _count(cond: Any, step: Any, body: Any) -> Count | None:
    """A loop over the variable that a step advances by a number."""
    target = getattr(step, "expr", None) or getattr(step, "lvalue", None)
    if not isinstance(target, c_ast.ID) or advance(step, target.name) is None:
        return None
    name = str(target.name)
    if isinstance(cond, c_ast.ID):  # i alone
        zero = c_ast.Constant("int", "0", cond.coord)
        cond = c_ast.BinaryOp("!=", cond, zero, cond.coord)
    if name not in names(cond) or name in changed_names(c_ast.If(cond, body, None)):
        return None
    return Count(name, cond, step, body)


def _continues(node: Any) -> bool:
    """Whether a statement has a `continue` of the loop around it."""
    if isinstance(node, c_ast.Continue):
        return True
    if isinstance(node, _LOOPS):
        return False
    return any(_continues(child) for _, child in node.children())
