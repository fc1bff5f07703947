"""Steps that all branches of an ``if`` take, or its condition does, as one behind it.

``if (keep) *dst++ = a; else *dst++ = b;`` advances by one in any case. With the step
behind the branches the counter is one of the loops around (`inductions`), and the
place that is written is no matter of data::

    if (x[i] > 0) { y[k] = 1; k++; y[k] = 2; k++; }
    else { y[k] = 3; k += 2; }
                              ==>
    if (x[i] > 0) { y[k] = 1; y[k + 1] = 2; } else y[k] = 3;
    k += 2;

Works on syntax. Moved are steps by numbers, of integers of four bytes or more whose
address nobody takes; what else changes such a variable in a branch, a loop that does
too, or a jump keeps all where it stands.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from pycparser import c_ast

from polysched.frontend.declarations import ScalarC, read_type
from polysched.frontend.function_bodies import is_change
from polysched.frontend.iterators import changed_names
from polysched.frontend.loops import step_node
from polysched.frontend.own_variables import OwnVariables
from polysched.frontend.steps import steps_apart, steps_in
from polysched.frontend.syntax import line_of
from polysched.frontend.trees import STEP_OPS, names, parts, with_parts
from polysched.frontend.unrolled_turns import Before

_JUMPS = (
    c_ast.Break, c_ast.Continue, c_ast.Goto, c_ast.Label, c_ast.Return, c_ast.Case,
    c_ast.Default,
)  # fmt: skip
_LARGEST = 1 << 20  # that a variable is moved by; every type here has it


def with_steps_behind(items: Sequence[Any], before: Before) -> list[Any]:
    """The statements of a SCoP with steps behind branches that all take them.

    Parameters
    ----------
    items : sequence of nodes
        The statements; they are not changed.
    before : Before
        What is known about variables from outside.
    """
    if any(isinstance(p, c_ast.Typedef) for item in items for p in parts(item)):
        return list(items)  # types may mean something else
    return _Writer(items, before).block(items)


@dataclass(frozen=True)
class _Moved:
    """A statement without the steps of a variable, and these.

    Attributes
    ----------
    node : If
    steps : list of nodes
        In the order of the text; those of a branch stand for all branches.
    amount : int
        What they add.
    """

    node: Any
    steps: list[Any]
    amount: int


class _Writer:
    def __init__(self, items: Sequence[Any], before: Before) -> None:
        self._before = before
        self._own = OwnVariables(items, before)
        every = (part for item in items for part in parts(item))
        self._declared = [p for p in every if isinstance(p, c_ast.Decl) and p.name]

    def block(self, items: Sequence[Any]) -> list[Any]:
        """The statements of a block."""
        return [new for item in items for new in self._statements(item)]

    def _statements(self, item: Any) -> list[Any]:
        if not isinstance(item, c_ast.If):
            return [with_parts(item, self._inner)]
        then, other = (
            None if branch is None else with_parts(branch, self._inner)
            for branch in (item.iftrue, item.iffalse)
        )
        if then is not item.iftrue or other is not item.iffalse:
            item = c_ast.If(item.cond, then, other, item.coord)
        return self._apart(item)

    def _inner(self, node: Any) -> Any | None:
        """What stands in place of a block, or of a condition without one around."""
        match node:
            case c_ast.Compound():
                old = node.block_items or []
                made = self.block(old)
                is_same = len(old) == len(made) and all(
                    a is b for a, b in zip(old, made, strict=True)
                )
                return node if is_same else c_ast.Compound(made, node.coord)
            case c_ast.If():
                return _one(self._statements(node), node)
        return None

    def _apart(self, node: Any) -> list[Any]:
        """A condition whose branches are done already, and its steps behind it."""
        if any(isinstance(p, _JUMPS) for p in parts(node)):
            return [node]
        found, steps = node, []
        for name in dict.fromkeys(self._stepped(node)):
            moved = self._moved(found, name) if self._may_move(name) else None
            if moved is not None:
                found = moved.node
                steps.append(_step(name, moved))
        if not steps:
            return [node]
        if found.iftrue is None and found.iffalse is None:
            is_pure = not any(map(_may_matter, parts(found.cond)))
            return steps if is_pure else [node]
        if found.iftrue is None:
            fails = c_ast.UnaryOp("!", found.cond, found.cond.coord)
            found = c_ast.If(fails, found.iffalse, None, node.coord)
        return [found, *steps]

    def _stepped(self, node: Any) -> Iterator[str]:
        """Variables that a condition, or a branch outside of loops, moves."""
        steps = steps_in(node.cond, self._own.has)
        yield from (s.expr.name for s in steps if s is not None)
        yield from (n for b in (node.iftrue, node.iffalse) for n in _targets(b))

    def _may_move(self, name: str) -> bool:
        """Whether a variable is a counter that nothing but its name leads to."""
        types = [d.type for d in self._declared if d.name == name]
        outer = self._before.scope.find(name)
        kinds = [read_type(t, self._before.scope) for t in types]
        kinds += [] if outer is None else [outer.ctype]
        return bool(kinds) and self._own.has(name) and all(
            isinstance(k, ScalarC) and not k.type.is_float and not k.volatile
            and k.type.n_bytes >= 4
            for k in kinds
        )  # fmt: skip

    def _moved(self, node: Any, name: str) -> _Moved | None:
        """A condition without the steps of a variable that is no matter of it."""
        asked = _Shift(name, self._before)
        cond = asked.condition(node.cond)
        if cond is None:
            return None
        branches = []
        for branch in (node.iftrue, node.iffalse):
            shift = _Shift(name, self._before, asked.amount)
            made = [] if branch is None else shift.statements(branch)
            if made is None:
                return None
            branches.append((shift, made))
        (first, then), (second, other) = branches
        is_common = first.amount == second.amount
        if not is_common or not 0 < abs(first.amount) <= _LARGEST:
            return None
        steps = asked.steps + first.steps
        instead = _one(other, node) if other else None
        found = c_ast.If(cond, _block(then, node), instead, node.coord)
        return _Moved(found, steps, first.amount)


class _Shift:
    """Takes steps of a variable away; what follows them names it with their sum.

    Attributes
    ----------
    amount : int
        What the steps so far add.
    steps : list of nodes
        Those taken away.
    """

    def __init__(self, name: str, before: Before, amount: int = 0) -> None:
        self._name, self._before = name, before
        self.amount = amount
        self.steps: list[Any] = []

    def condition(self, cond: Any) -> Any | None:
        """A condition that may step the variable once; None if it does otherwise."""
        if self._name not in changed_names(cond):
            return cond
        found = steps_in(cond, lambda name: name == self._name)
        steps = [s for s in found if s is not None and s.expr.name == self._name]
        if len(steps) != 1 or Counter(names(cond))[self._name] != 1:
            return None
        (step,) = steps
        self._take(step)
        value = step.expr if step.op.startswith("p") else self._here(step.expr)
        return with_parts(cond, lambda part: value if part is step else None)

    def statements(self, node: Any) -> list[Any] | None:
        """What a statement of a branch becomes; None if it is not known by how much."""
        made: list[Any] = []
        for item in _split(node):
            inner = _inside(item)
            if inner is not None:
                block = [self.statements(part) for part in inner]
                if any(new is None for new in block):
                    return None
                flat = [new for news in block for new in news or ()]
                made += [c_ast.Compound(flat, item.coord)] if flat else []
            elif _target(item) == self._name and self._take(item):
                continue
            elif self._name in changed_names(item) or not self._may_shift(item):
                return None
            elif not isinstance(item, c_ast.EmptyStatement):
                made.append(with_parts(item, self._put))
        return made

    def _take(self, step: Any) -> bool:
        """Count a step, if it is by a number."""
        sign, amount = step_node(step, self._name)  # type: ignore[misc]
        if not isinstance(amount, int):
            amount = None if any(names(amount)) else self._before.fold(amount)
        if amount is None or abs(amount) > _LARGEST:
            return False
        self.amount += sign * amount
        self.steps.append(step)
        return True

    def _may_shift(self, item: Any) -> bool:
        """Whether the variable's name is nothing else there, such as a member's."""
        if not self.amount:
            return True
        designated = (p for p in parts(item) if isinstance(p, c_ast.NamedInitializer))
        return all(self._name not in names(p) for p in designated)

    def _put(self, node: Any) -> Any | None:
        is_it = isinstance(node, c_ast.ID) and node.name == self._name
        return self._here(node) if is_it else None

    def _here(self, node: Any) -> Any:
        """What the variable is after the steps so far."""
        if not self.amount:
            return node
        sign, amount = "+" if self.amount > 0 else "-", abs(self.amount)
        by = c_ast.Constant("int", str(amount), node.coord)
        return c_ast.BinaryOp(sign, node, by, node.coord)


def _targets(branch: Any) -> Iterator[str]:
    for item in _split(branch):
        for part in _inside(item) or ():
            yield from _targets(part)
        target = _target(item)
        if target:
            yield target


def _target(item: Any) -> str:
    """The variable that a statement moves by something; empty if it does not."""
    is_step = isinstance(item, c_ast.UnaryOp) and item.op in STEP_OPS
    if not is_step and not isinstance(item, c_ast.Assignment):
        return ""
    target = item.expr if is_step else item.lvalue
    is_plain = isinstance(target, c_ast.ID) and step_node(item, target.name)
    return str(target.name) if is_plain else ""


def _inside(item: Any) -> Sequence[Any] | None:
    """The statements of a block; None of other statements."""
    return item.block_items or () if isinstance(item, c_ast.Compound) else None


def _split(node: Any) -> list[Any]:
    """A statement as several, where commas or steps in it allow that."""
    if node is None:
        return []
    if isinstance(node, c_ast.ExprList):
        return [part for expr in node.exprs for part in _split(expr)]
    return steps_apart(node)


def _one(items: Sequence[Any], node: Any) -> Any:
    """Statements in the place of one."""
    return items[0] if len(items) == 1 else c_ast.Compound(list(items), node.coord)


def _block(items: Sequence[Any], node: Any) -> Any | None:
    """A block of statements, none of no statements."""
    if len(items) == 1 and isinstance(items[0], c_ast.Compound):
        return items[0]
    return c_ast.Compound(list(items), node.coord) if items else None


def _may_matter(part: Any) -> bool:
    """Whether a piece of a condition may do more than compute."""
    return is_change(part) or isinstance(part, c_ast.FuncCall)


def _step(name: str, moved: _Moved) -> Any:
    """The statement behind the branches; the user's own where one is enough."""
    if len(moved.steps) == 1:
        return moved.steps[0]
    place = line_of(moved.steps[0])
    by = c_ast.Constant("int", str(abs(moved.amount)), place)
    sign = "+=" if moved.amount > 0 else "-="
    return c_ast.Assignment(sign, c_ast.ID(name, place), by, place)
