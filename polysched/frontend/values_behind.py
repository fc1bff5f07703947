"""Iterators that are read behind their loops, as constants that stand there.

Loops that compilers' manuals advise to unroll by hand leave a rest to another one::

    for (i = 0; i + 4 <= n; i += 4)      for (i = 0; i + 4 <= n; i += 4)
      ...                                  ...
    for (; i < n; i++)            ==>    int i_1 = 4 <= n ? ((n - 4) / 4 + 1) * 4 : 0;
      ...                                for (i = i_1; i < n; i++)
                                           ...

Works on syntax, before names are looked up. The value is that of C, unsigned numbers
that wrap around included: a condition that holds as the loop begins says that the
difference in it is not negative. Loops whose bounds change, or whose iterators other
blocks read, are left as they are.

Where data end a loop, nobody knows its last number before. What searches, and reads
where it ended, gets a variable of its own, as if it were declared there::

    for (j = 0; j < m; j++)              int j_1;
      if (key[j] >= x[i])                for (j_1 = 0; j_1 < m; j_1++)
        break;                    ==>      if (key[j_1] >= x[i])
    place[i] = j;                            break;
                                         place[i] = j_1;
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from pycparser import c_ast

from polysched.frontend.data_loops import find_break
from polysched.frontend.declarations import Scope, declares_integer
from polysched.frontend.iterators import advance, changed_names, is_invariant
from polysched.frontend.later_reads import LOOPS, Later, may_read, sets
from polysched.frontend.trees import copied, names, parts, with_parts
from polysched.frontend.walking import renamed
from polysched.frontend.while_loops import counting

_ENDS = (c_ast.Break, c_ast.Goto, c_ast.Return, c_ast.Label)
_UP, _DOWN = ("<", "<="), (">", ">=")
Fresh = Callable[[str], str]


def with_values_behind(
    items: Sequence[Any], scope: Scope, is_dead: Callable[[str], bool], fresh: Fresh
) -> list[Any]:
    """The statements of a SCoP, with constants in place of iterators behind loops.

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
    return _Writer(items, scope, is_dead, fresh).block(items, ())


def header_values(init: Any) -> dict[str, Any]:
    """What ``i = 0, j = n - 1`` or ``i = j = 0`` sets; nothing for anything else."""
    found: dict[str, Any] = {}
    for part in init.exprs if isinstance(init, c_ast.ExprList) else [init]:
        targets, value = [], part
        while isinstance(value, c_ast.Assignment) and value.op == "=":
            targets.append(value.lvalue)
            value = value.rvalue
        if not targets or not all(isinstance(t, c_ast.ID) for t in targets):
            return {}
        if any(t.name in found for t in targets):
            return {}
        found |= {t.name: value for t in reversed(targets)}
    is_plain = all(is_invariant(v, {*found}) for v in found.values())
    return found if is_plain else {}


class _Writer:
    def __init__(
        self, items: Sequence[Any], scope: Scope, is_dead: Callable[[str], bool],
        fresh: Fresh,
    ) -> None:  # fmt: skip
        self._scope, self._is_dead, self._fresh = scope, is_dead, fresh
        every = (part for item in items for part in parts(item))
        self._declarations = [p for p in every if isinstance(p, c_ast.Decl)]

    def block(self, items: Sequence[Any], later: Later) -> list[Any]:
        """The statements of a block; `later` may run behind it, each first of all."""
        left, result = list(items), []
        here = frozenset(i.name for i in items if isinstance(i, c_ast.Decl))
        while left:
            item = self._without_value(left.pop(0), left)
            item = self._with_own_header(item, left, later)
            behind = self._value_behind(item, left, later)
            if behind is not None:
                constant, left = behind
                left.insert(0, constant)
            own = None
            if _counted(item) not in here:
                own = self._own_search(item, left, later)
            if own is not None:
                declared, item, left = own
                result.append(declared)
            rest = c_ast.Compound(list(left), item.coord)
            result.append(self._inside(item, (rest, *later)))
        return result

    def _inside(self, node: Any, later: Later) -> Any:
        if isinstance(node, LOOPS):
            later = (node, *later)

        def change(part: Any) -> Any | None:
            if part is not node and isinstance(part, LOOPS):
                return self._inside(self._with_own_header(part, [], later), later)
            if isinstance(part, c_ast.Compound):
                return c_ast.Compound(
                    self.block(part.block_items or (), later), part.coord
                )
            return None

        return with_parts(node, change)

    def _without_value(self, item: Any, rest: list[Any]) -> Any:
        """A declaration without a value that nobody reads, of what counts later."""
        if not isinstance(item, c_ast.Decl) or item.init is None or not item.name:
            return item
        inside = [p for i in rest for p in parts(i) if isinstance(p, c_ast.For)]
        is_counter = any(sets(loop, item.name) for loop in inside)
        if not is_counter or not declares_integer(item.type, self._scope):
            return item
        if not is_invariant(item.init, set()):
            return item
        if may_read(c_ast.Compound(list(rest), item.coord), item.name):
            return item
        return c_ast.Decl(
            item.name, item.quals, item.align, item.storage, item.funcspec, item.type,
            None, item.bitsize, item.coord,
        )  # fmt: skip

    def _with_own_header(self, loop: Any, rest: list[Any], later: Later) -> Any:
        """A loop that sets several variables, as one that declares its own."""
        values = header_values(loop.init) if isinstance(loop, c_ast.For) else {}
        if len(values) < 2 or not changed_names(loop.stmt).isdisjoint(values):
            return loop
        behind = (c_ast.Compound(list(rest), loop.coord), *later)
        declared, own_loop = [], loop
        for name, value in values.items():
            type_ = self._type(name)
            is_own = any(d.name == name for d in self._declarations)
            if type_ is None or not (is_own or self._is_dead(name)):
                return loop
            if any(may_read(node, name) for node in behind):
                return loop
            own = c_ast.ID(self._fresh(name), loop.coord)
            declared.append(self._constant(type_, own, copied(value)))
            own_loop = _with_name(own_loop, name, own)
        header = c_ast.DeclList(declared, loop.coord)
        return c_ast.For(
            header, own_loop.cond, own_loop.next, own_loop.stmt, loop.coord
        )

    def _value_behind(
        self, loop: Any, rest: list[Any], later: Later
    ) -> tuple[Any, list[Any]] | None:
        """A constant to stand behind a loop, and what follows it, which reads it."""
        name = _counted(loop)
        if name is None:
            return None
        n_reading = next(
            (k for k, item in enumerate(rest) if sets(item, name)), len(rest)
        )
        if not any(may_read(item, name) for item in rest[:n_reading]):
            return None
        type_, value = self._type(name), _last_value(loop, name)
        if type_ is None or value is None:
            return None
        end = c_ast.ID(self._fresh(name), loop.coord)
        found: list[Any] = []
        for k, item in enumerate(rest):
            if k == n_reading:
                return self._constant(type_, end, value), found + rest[k:]
            if _is_counting(item, name):  # goes on from there: it sets the variable
                return self._constant(type_, end, value), [
                    *found, *_begun(item, name, end), *rest[k + 1 :]
                ]  # fmt: skip
            if name in changed_names(item):
                return None
            found.append(_with_name(item, name, end))
        is_own = any(d.name == name for d in self._declarations)
        if not is_own and not self._is_dead(name):
            return None
        if any(may_read(node, name) for node in later):
            return None
        return self._constant(type_, end, value), found

    def _own_search(
        self, loop: Any, rest: list[Any], later: Later
    ) -> tuple[Any, Any, list[Any]] | None:
        """A variable for a loop that data end, the loop, and what follows it."""
        name = _counted(loop)
        if name is None or not _ends_by_data(loop):
            return None
        is_own = any(d.name == name for d in self._declarations)
        if not is_own and not self._is_dead(name):
            return None
        n_reading = next(
            (k for k, item in enumerate(rest) if sets(item, name)), len(rest)
        )
        reading = rest[:n_reading]
        type_ = self._type(name)
        if type_ is None or not any(may_read(item, name) for item in reading):
            return None
        if any(name in changed_names(item) for item in reading):
            return None
        if n_reading == len(rest) and any(may_read(node, name) for node in later):
            return None
        own = c_ast.ID(self._fresh(name), loop.coord)
        found = [_with_name(item, name, own) for item in reading]
        declared = self._constant(type_, own, None)
        return declared, _with_name(loop, name, own), [*found, *rest[n_reading:]]

    def _type(self, name: str) -> Any | None:
        """Of an integer variable that one declaration declares."""
        own = [d for d in self._declarations if d.name == name]
        outer = self._scope.find(name)
        found = [*own, *([] if outer is None or outer.node is None else [outer.node])]
        if len(found) != 1:
            return None
        type_ = found[0].type
        return type_ if declares_integer(type_, self._scope) else None

    def _constant(self, type_: Any, end: Any, value: Any) -> Any:
        kind = renamed(type_, end.name)
        return c_ast.Decl(end.name, [], [], [], [], kind, value, None, end.coord)


def _counted(loop: Any) -> str | None:
    """The variable that a ``for`` loop sets first, if it declares none."""
    init = loop.init if isinstance(loop, c_ast.For) else None
    if not isinstance(init, c_ast.Assignment) or init.op != "=":
        return None
    return init.lvalue.name if isinstance(init.lvalue, c_ast.ID) else None


def _ends_by_data(loop: Any) -> bool:
    """Whether a loop has a ``break``, or asks for elements before each turn."""
    asked = () if loop.cond is None else parts(loop.cond)
    return find_break(loop.stmt) is not None or any(
        isinstance(part, c_ast.ArrayRef) for part in asked
    )


def _last_value(loop: Any, name: str) -> Any | None:
    """What a loop leaves in its iterator; None unless it counts to a bound."""
    cond, start = loop.cond, loop.init.rvalue
    step = None if loop.next is None else advance(loop.next, name)
    changed = changed_names(loop.stmt)
    if step is None or name in changed or not isinstance(cond, c_ast.BinaryOp):
        return None
    if any(isinstance(part, _ENDS) for part in parts(loop.stmt)):
        return None
    if name not in names(cond.left) or name in names(cond.right):
        return None
    if cond.op not in (_UP if step > 0 else _DOWN):
        return None
    for node in (start, cond.right, _with_name(cond.left, name, _number(0, cond))):
        if name in names(node) or not is_invariant(node, changed):
            return None
    if not _is_offset(cond.left):
        return None
    coord = loop.coord

    def binary(op: str, left: Any, right: Any) -> Any:
        return c_ast.BinaryOp(op, left, right, coord)

    first, bound = _with_name(cond.left, name, start), copied(cond.right)
    ends = (bound, first) if step > 0 else (first, bound)
    distance = binary("-", *ends)
    turns = distance if cond.op in ("<=", ">=") else binary("-", distance, _one(loop))
    width = abs(step)
    if width != 1:
        turns = binary("/", turns, _number(width, loop))
    turns = binary("+", turns, _one(loop))
    moved = turns if width == 1 else binary("*", turns, _number(width, loop))
    value = binary("+" if step > 0 else "-", copied(start), moved)
    begins = _with_name(copied(cond), name, start)
    return c_ast.TernaryOp(begins, value, copied(start), coord)


def _is_offset(node: Any) -> bool:
    """Whether an expression is an iterator, or that plus or minus something."""
    if isinstance(node, c_ast.ID):
        return True
    return isinstance(node, c_ast.BinaryOp) and (
        (node.op in ("+", "-") and isinstance(node.left, c_ast.ID))
        or (node.op == "+" and isinstance(node.right, c_ast.ID))
    )


def _number(value: int, at: Any) -> Any:
    return c_ast.Constant("int", str(value), at.coord)


def _one(at: Any) -> Any:
    return _number(1, at)


def _with_name(node: Any, name: str, value: Any) -> Any:
    """A copy of its own that has a value in place of a variable."""

    def change(part: Any) -> Any | None:
        is_it = isinstance(part, c_ast.ID) and part.name == name
        return copied(value) if is_it else None

    return copied(node, change)


def _is_counting(item: Any, name: str) -> bool:
    """Whether a loop goes on counting in a variable that it does not set."""
    if isinstance(item, c_ast.For) and item.init is None and item.next is not None:
        return advance(item.next, name) is not None
    count = counting(item)
    return count is not None and count.name == name


def _begun(item: Any, name: str, value: Any) -> Iterator[Any]:
    """A loop that counts on, with where it begins."""
    set_ = c_ast.Assignment("=", c_ast.ID(name, item.coord), value, item.coord)
    if isinstance(item, c_ast.For):
        yield c_ast.For(set_, item.cond, item.next, item.stmt, item.coord)
        return
    yield set_
    yield item
