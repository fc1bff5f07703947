"""`continue`, leading `break`, `switch` and second iterators as loops and conditions.

Works on syntax, before names are looked up; what cannot be put so is left as it is, and
refused where it stands.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import count
from typing import Any

from pycparser import c_ast

from polysched.frontend.block_calls import BlockCalls
from polysched.frontend.chosen_pointers import with_choices_outside
from polysched.frontend.common_steps import with_steps_behind
from polysched.frontend.function_bodies import is_change
from polysched.frontend.iterators import (
    changed_names,
    is_invariant,
    with_one_iterator,
    with_step_behind,
)
from polysched.frontend.loops import iterator_node, step_node
from polysched.frontend.own_variables import OwnVariables
from polysched.frontend.refusal import Refuser
from polysched.frontend.row_pointers import with_rows_named
from polysched.frontend.steps import steps_apart
from polysched.frontend.syntax import line_of
from polysched.frontend.trees import parts, with_parts
from polysched.frontend.unrolled_turns import Before, with_turns_unrolled
from polysched.frontend.values_behind import with_values_behind
from polysched.frontend.walking import with_counters
from polysched.frontend.while_loops import with_for_loops

_LOOPS = (c_ast.For, c_ast.While, c_ast.DoWhile)
_OPPOSITES = {"<": ">=", ">=": "<", ">": "<=", "<=": ">", "==": "!=", "!=": "=="}


@dataclass(frozen=True)
class Structured:
    """Statements that jump less.

    Attributes
    ----------
    items : tuple of nodes
        The statements.
    breaks : tuple of nodes
        Conditions that stood at a `break` and have become part of a loop's condition.
    behind : tuple of nodes
        What is left to do behind the SCoP.
    """

    items: tuple[Any, ...]
    breaks: tuple[Any, ...]
    behind: tuple[Any, ...] = ()

    def is_at_break(self, node: Any) -> bool:
        """Whether a piece of syntax is part of a condition that stood at a `break`."""
        return any(part is node for top in self.breaks for part in parts(top))


def structured(items: Iterable[Any], before: Before, refuser: Refuser) -> Structured:
    """Statements that do the same and jump less, without calls that are loops.

    Parameters
    ----------
    items : iterable of nodes
        The statements of a SCoP; they are not changed.
    before : Before
        What is known about variables from outside.
    refuser : Refuser
        Says no to jumps that have no such form.
    """
    scope, is_dead = before.scope, before.is_dead
    items = list(items)
    names = {name for item in items for name in _names(item)}
    writer = _Structurer(refuser, names, items, before)
    items = [with_parts(item, _without_turns) for item in items]
    items = with_choices_outside(items, scope, is_dead)
    items = with_counters(items, scope, is_dead, writer.fresh_name)
    items = with_steps_behind(items, before)
    items = with_values_behind(items, scope, is_dead, writer.fresh_name)
    items = with_for_loops(items, scope, is_dead, writer.fresh_name)
    turned = with_turns_unrolled(items, before, writer.fresh_name)
    items = with_rows_named(turned.items, scope)
    # once more, as what continue skips is a branch now
    found = with_steps_behind(writer.statements(items), before)
    return Structured(tuple(found), tuple(writer.breaks), tuple(turned.behind))


def _without_turns(node: Any) -> Any | None:
    """The body of ``do ... while (0)``, as macros have it."""
    if not isinstance(node, c_ast.DoWhile) or getattr(node.cond, "value", "") != "0":
        return None
    if any(isinstance(p, (c_ast.Break, c_ast.Continue)) for p in parts(node.stmt)):
        return None
    return with_parts(node.stmt, _without_turns)


class _Structurer:
    def __init__(
        self, refuser: Refuser, names: set[str], items: list[Any], before: Before
    ) -> None:
        self._refuser = refuser
        self._names = names
        self._own = OwnVariables(items, before)
        self._calls = BlockCalls(before.scope, items, self.fresh_name)
        self.breaks: list[Any] = []

    def statements(self, items: Iterable[Any]) -> list[Any]:
        """The statements of a block, structured; steps stand apart."""
        expanded = [part for item in items for part in self._calls.expand(item)]
        return [self.statement(part) for item in expanded for part in self._apart(item)]

    def _apart(self, node: Any) -> list[Any]:
        """A statement without what commas and steps in it do."""
        if isinstance(node, c_ast.ExprList):
            return [part for expr in node.exprs for part in self._apart(expr)]
        return steps_apart(node, self._own.has)

    def statement(self, node: Any) -> Any:
        """The same statement, structured."""
        match node:
            case c_ast.Assignment() | c_ast.ExprList():
                apart = self._apart(node)
                return node if len(apart) == 1 else _block(apart, node)
            case c_ast.FuncCall():
                (same,) = self._calls.expand(node)
                return same
            case c_ast.Compound():
                return _block(self.statements(node.block_items or ()), node)
            case c_ast.If():
                other = None if node.iffalse is None else self.statement(node.iffalse)
                then = None if node.iftrue is None else self.statement(node.iftrue)
                return c_ast.If(node.cond, then, other, node.coord)
            case c_ast.For():
                return self._loop(node)
            case c_ast.While() | c_ast.DoWhile():
                items = self.statements(_items(node.stmt))
                body = _block(self._without_continue(items), node.stmt)
                return type(node)(node.cond, body, node.coord)
            case c_ast.Switch():
                return self.statement(self._choice(node))
            case _:
                return node

    def _loop(self, node: Any) -> Any:
        node = with_step_behind(node, self.fresh_name)
        items = self.statements(_items(node.stmt))
        cond = node.cond
        while items and cond is not None:
            leaves = _condition_to_leave(items[0])
            if leaves is None:
                break
            stays = _negated(leaves)
            self.breaks.append(stays)
            cond = c_ast.BinaryOp("&&", cond, stays, leaves.coord)
            del items[0]
        step, others = _steps(node)
        items = [*self._without_continue(items), *others]
        loop = c_ast.For(node.init, cond, step, _block(items, node.stmt), node.coord)
        return with_one_iterator(loop, self._refuser)

    def _without_continue(self, items: Sequence[Any]) -> list[Any]:
        """The statements of a loop's body; what a `continue` skips is in a branch."""
        for k, item in enumerate(items):
            if not _jumps(item, c_ast.Continue):
                continue
            rest = list(items[k + 1 :])
            if isinstance(item, c_ast.Continue):
                return list(items[:k])
            if isinstance(item, c_ast.If):
                return [*items[:k], *self._skip(item, rest)]
            if isinstance(item, c_ast.Compound):
                self._check_names(item, rest)
                inner = self._without_continue([*_items(item), *rest])
                return [*items[:k], _block(inner, item)]
        return list(items)

    def _skip(self, node: Any, rest: list[Any]) -> list[Any]:
        """A condition with a `continue` in a branch, and what follows it."""
        branches = [_items(node.iftrue), _items(node.iffalse)]
        falls = [_falls_through(b) for b in branches]
        if rest and all(falls):
            behind = _block(self._without_continue(rest), node)
            way = reduce(_either, _ways_to_continue(node))
            if is_invariant(way, changed_names(node)):
                goes_on: Any = c_ast.UnaryOp("!", way, node.coord)
                skipped = c_ast.If(goes_on, behind, None, node.coord)
                return [*self._skip(node, []), skipped]
            goes_on = c_ast.ID(self._flag(), line_of(node))
            skipped = c_ast.If(goes_on, behind, None, line_of(node))
            return [_declared(goes_on), *self._skip(_noted(node, goes_on), []), skipped]
        then, other = (
            self._without_continue([*_blocks(b, node), *rest] if f else b)
            for b, f in zip(branches, falls, strict=True)
        )
        if other and not then:
            fails = c_ast.UnaryOp("!", node.cond, node.cond.coord)
            return [c_ast.If(fails, _block(other, node), None, node.coord)]
        iffalse = _block(other, node) if other else None
        return [c_ast.If(node.cond, _block(then, node), iffalse, node.coord)]

    def _flag(self) -> str:
        """A name for a variable that says whether an iteration goes on."""
        return self.fresh_name("goes_on")

    def fresh_name(self, wanted: str) -> str:
        """A name that nothing else has."""
        names = (f"{wanted}_{k}" if k else wanted for k in count())
        name = next(n for n in names if n not in self._names)
        self._names.add(name)
        return name

    def _check_names(self, block: Any, rest: Sequence[Any]) -> None:
        """What follows a block must not mean the block's own names."""
        own = {item.name for item in _items(block) if isinstance(item, c_ast.Decl)}
        if any(_mentions(item, own) for item in rest):
            self._refuser.unsupported(
                _first(block, c_ast.Continue), "found a continue in a block whose "
                "names hide those that follow", hint="rename what the block declares",
            )  # fmt: skip

    def _choice(self, node: Any) -> Any:
        """A `switch` whose cases all end, as conditions one after the other."""
        if any(map(is_change, parts(node.cond))):
            self._refuser.unsupported(
                node.cond, "found a switch over a value that changes a variable",
                hint="change the variable in a statement of its own",
            )  # fmt: skip
        default: Any = None
        branches: list[tuple[Any, Any]] = []
        for labels, items in self._cases(node):
            body = _block(items, labels[0])
            if any(isinstance(label, c_ast.Default) for label in labels):
                default = body
                continue
            cond: Any = None
            for label in labels:
                is_it = c_ast.BinaryOp("==", node.cond, label.expr, label.coord)
                cond = is_it if cond is None else _either(cond, is_it)
            branches.append((cond, body))
        result = default or _block((), node)
        for cond, body in reversed(branches):
            result = c_ast.If(cond, body, result, cond.coord)
        return result

    def _cases(self, node: Any) -> list[tuple[list[Any], list[Any]]]:
        """Labels and statements of each group of cases, without the last `break`."""
        found: list[tuple[list[Any], list[Any]]] = []
        labels: list[Any] = []
        sections = _items(node.stmt)
        for k, section in enumerate(sections):
            if not isinstance(section, (c_ast.Case, c_ast.Default)):
                self._refuser.unsupported(
                    section, "found a statement in front of the cases of a switch"
                )
            labels.append(section)
            if not section.stmts:
                continue
            items = _flattened(section.stmts)
            ends = isinstance(items[-1], c_ast.Break)
            items = items[:-1] if ends else items
            if not ends and k + 1 < len(sections) and _falls_through(items):
                self._refuser.unsupported(
                    section, "found a case that goes on into the next one",
                    hint="end it with break",
                )  # fmt: skip
            found.append((labels, items))
            labels = []
            for item in items:
                if _jumps(item, c_ast.Break):
                    self._refuser.unsupported(
                        _first(item, c_ast.Break), "found a break inside a case",
                        hint="put it at the end of the case",
                    )  # fmt: skip
        if labels:
            found.append((labels, []))
        return found


def _items(node: Any) -> list[Any]:
    """A statement as a list of statements."""
    if node is None:
        return []
    if isinstance(node, c_ast.Compound):
        return list(node.block_items or ())
    return [node]


def _flattened(items: Sequence[Any]) -> list[Any]:
    """The statements of a case; braces around all but its `break` are taken off."""
    block, *behind = items
    is_all = not behind or (len(behind) == 1 and isinstance(behind[0], c_ast.Break))
    if isinstance(block, c_ast.Compound) and is_all and _items(block):
        return [*_items(block), *behind]
    return list(items)


def _blocks(items: Sequence[Any], node: Any) -> list[Any]:
    """A block of some statements, none of no statements."""
    return [_block(items, node)] if items else []


def _block(items: Iterable[Any], node: Any) -> Any:
    return c_ast.Compound(list(items), node.coord)


def _either(left: Any, right: Any) -> Any:
    return c_ast.BinaryOp("||", left, right, left.coord)


def _negated(cond: Any) -> Any:
    """A condition on integers that holds where the other does not."""
    if isinstance(cond, c_ast.BinaryOp) and cond.op in _OPPOSITES:
        return c_ast.BinaryOp(_OPPOSITES[cond.op], cond.left, cond.right, cond.coord)
    return c_ast.UnaryOp("!", cond, cond.coord)


def _steps(loop: Any) -> tuple[Any, list[Any]]:
    """The step of a loop's only iterator, and steps of variables from around it."""
    steps = loop.next.exprs if isinstance(loop.next, c_ast.ExprList) else []
    iterator = iterator_node(loop)
    if iterator is None or not steps:
        return loop.next, []
    own = [s for s in steps if step_node(s, iterator.name) is not None]
    others = [s for s in steps if all(s is not o for o in own)]
    apart = not any(_mentions(s, {iterator.name}) for s in others)
    if len(own) != 1 or not apart or not all(map(_is_step, others)):
        return loop.next, []
    return own[0], others


def _is_step(node: Any) -> bool:
    """Whether a node advances a variable."""
    target = getattr(node, "expr", None) or getattr(node, "lvalue", None)
    if not isinstance(target, c_ast.ID):
        return False
    return step_node(node, target.name) is not None


def _condition_to_leave(item: Any) -> Any | None:
    """The condition of ``if (...) break;``."""
    if not isinstance(item, c_ast.If) or item.iffalse is not None:
        return None
    branch = _items(item.iftrue)
    is_break = len(branch) == 1 and isinstance(branch[0], c_ast.Break)
    return item.cond if is_break else None


def _jumps(node: Any, kind: type) -> bool:
    """Whether a statement has a jump that belongs to the loop around it."""
    return _first(node, kind) is not None


def _first(node: Any, kind: type) -> Any | None:
    if isinstance(node, kind):
        return node
    own = (*_LOOPS, c_ast.Switch) if kind is c_ast.Break else _LOOPS
    if isinstance(node, own):
        return None
    for _, child in node.children():
        found = _first(child, kind)
        if found is not None:
            return found
    return None


def _ways_to_continue(node: Any) -> list[Any]:
    """The conditions under which a statement comes to a `continue`."""
    match node:
        case c_ast.Continue():
            return [c_ast.Constant("int", "1", node.coord)]
        case c_ast.Compound():
            return [way for item in _items(node) for way in _ways_to_continue(item)]
        case c_ast.If():
            fails = c_ast.UnaryOp("!", node.cond, node.cond.coord)
            branches = ((node.cond, node.iftrue), (fails, node.iffalse))
            return [
                c_ast.BinaryOp("&&", cond, way, node.coord)
                for cond, branch in branches
                for way in _ways_to_continue(branch)
            ]
    return []


def _declared(flag: Any) -> Any:
    """A declaration ``int flag = 1;``."""
    kind = c_ast.IdentifierType(["int"], flag.coord)
    type_ = c_ast.TypeDecl(flag.name, [], None, kind, flag.coord)
    one = c_ast.Constant("int", "1", flag.coord)
    return c_ast.Decl(flag.name, [], [], [], [], type_, one, None, flag.coord)


def _noted(node: Any, flag: Any) -> Any:
    """A statement that takes a note in front of each `continue`."""
    match node:
        case c_ast.Continue():
            none = c_ast.Constant("int", "0", flag.coord)
            name = c_ast.ID(flag.name, flag.coord)
            note = c_ast.Assignment("=", name, none, line_of(node))
            return _block([note, node], node)
        case c_ast.Compound():
            return _block([_noted(item, flag) for item in _items(node)], node)
        case c_ast.If():
            then, other = (
                None if branch is None else _noted(branch, flag)
                for branch in (node.iftrue, node.iffalse)
            )
            return c_ast.If(node.cond, then, other, node.coord)
    return node


def _names(node: Any) -> Iterator[str]:
    """Every name in a piece of syntax."""
    for part in parts(node):
        if isinstance(part, (c_ast.ID, c_ast.Decl)) and part.name:
            yield part.name


def _falls_through(items: Sequence[Any]) -> bool:
    """Whether the end of some statements may be reached."""
    for item in items:
        if isinstance(item, (c_ast.Continue, c_ast.Break)):
            return False
        if isinstance(item, c_ast.Compound) and not _falls_through(_items(item)):
            return False
        if isinstance(item, c_ast.If):
            branches = (_items(item.iftrue), _items(item.iffalse))
            if not any(map(_falls_through, branches)):
                return False
    return True


def _mentions(node: Any, names: set[str]) -> bool:
    if isinstance(node, c_ast.ID):
        return node.name in names
    return any(_mentions(child, names) for _, child in node.children())
