"""``if``: decided while reading, affine, or dependent on data."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from typing import TYPE_CHECKING

from polysched.tensor.arithmetic import logical_not
from polysched.tensor.binding import pin_key
from polysched.tensor.environment import Pin, Restart
from polysched.tensor.expr import (
    Const,
    Expr,
    For,
    If,
    Node,
    is_affine,
    is_ended_by_data,
)
from polysched.tensor.liveness import assigned_names, certain_names
from polysched.tensor.values import Value, View

if TYPE_CHECKING:
    from polysched.tensor.statements import Reader


class BranchReader:
    """Reads the branches of one function."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._emitter = reader.emitter
        self._memory = reader.session.memory
        self._conditions: dict[ast.If, Expr] = {}

    def read(self, node: ast.If, rest: Sequence[ast.stmt]) -> Value | None:
        """Read a branch; gives what it returns if it is decided and returns."""
        reader = self._reader
        condition = reader.evaluator.condition(node.test)
        if isinstance(condition, Const):
            return reader.block(node.body if condition.value else node.orelse)
        self._conditions[node] = condition
        self._read_both(node, condition)
        return None

    def behind(self, node: ast.If) -> AbstractContextManager[None]:
        """What holds behind a branch that leaves the loop."""
        condition = self._conditions.get(node)
        for body, holds in ((node.body, False), (node.orelse, True)):
            if condition is not None and body and isinstance(body[-1], ast.Break):
                return self._emitter.facts.where(condition, holds)
        return nullcontext()

    def _read_both(self, node: ast.If, condition: Expr) -> None:
        reader, environment = self._reader, self._reader.environment
        assigned = assigned_names([*node.body, *node.orelse])
        lasting = assigned & reader.liveness.after[node]
        certain = certain_names(node.body) & certain_names(node.orelse)
        pinned = self._pin(node, lasting, certain)
        entry = dict(environment.values)
        missing = dict(environment.missing)
        reader.depth += 1
        blocks, ends = [], []
        for body, holds in ((node.body, True), (node.orelse, False)):
            nodes: list[Node] = []
            environment.values = dict(entry)
            environment.missing = dict(missing)
            with (
                self._emitter.into_block(nodes),
                self._emitter.facts.where(condition, holds),
            ):
                reader.block(body)
            blocks.append(nodes)
            ends.append(environment.values)
        reader.depth -= 1
        self._merge(node, lasting, entry, ends)
        for name in assigned - pinned:
            if name not in entry or name not in lasting:
                environment.values.pop(name, None)
                environment.missing[name] = "it is assigned in a branch only"
        for name in pinned:
            pin = environment.pins.pop(name)
            if name not in environment.values and pin.view is not None:
                environment.values[name] = ends[0][name]
        self._emitter.statement = node
        self._emit(condition, blocks[0], blocks[1])

    def _pin(
        self, node: ast.If, lasting: frozenset[str], certain: frozenset[str]
    ) -> set[str]:
        environment, binder = self._reader.environment, self._reader.binder
        pinned = set()
        for name in sorted(lasting):
            if name in environment.pins:
                continue
            pin = Pin(pin_key(self._reader.path, node, name))
            value = environment.values.get(name)
            if isinstance(value, Expr) or (
                isinstance(value, View) and pin.key in self._memory.kept
            ):
                binder.open(name, pin, value)
            elif isinstance(value, View) or name not in certain:
                continue
            environment.pins[name] = pin
            pinned.add(name)
        return pinned

    def _merge(
        self, node: ast.If, lasting: frozenset[str], entry: dict[str, Value],
        ends: list[dict[str, Value]],
    ) -> None:  # fmt: skip
        """What both branches leave; arrays that differ get storage next time."""
        environment = self._reader.environment
        environment.values = dict(entry)
        again = False
        for name in sorted(lasting):
            if name in environment.pins:
                if name in ends[0]:
                    environment.values[name] = ends[0][name]
                continue
            first, second = ends[0].get(name), ends[1].get(name)
            if name in entry and not (
                _is_same(first, entry[name]) and _is_same(second, entry[name])
            ):
                if not isinstance(entry[name], View):
                    self._reader.source.unsupported(
                        node, f"{name!r} becomes another constant in a branch and is "
                        "used behind it", "use numbers or arrays",
                    )  # fmt: skip
                self._memory.kept.add(pin_key(self._reader.path, node, name))
                again = True
        if again:
            raise Restart

    def _emit(self, condition: Expr, then: list[Node], other: list[Node]) -> None:
        emitter = self._emitter
        has_loops = any(_holds_loop(n) for n in [*then, *other])
        if is_affine(condition) or not has_loops:
            if then:
                emitter.block.append(If(emitter.place, condition, then, other))
            elif other:
                emitter.block.append(If(emitter.place, logical_not(condition), other))
            return
        test = emitter.new_variable("test", "bool", False)
        emitter.assign(test, condition)
        emitter.block.extend(push_guard(then, test))
        emitter.block.extend(push_guard(other, logical_not(test)))


def _holds_loop(node: Node) -> bool:
    if isinstance(node, If):
        return any(_holds_loop(n) for n in [*node.body, *node.orelse])
    return isinstance(node, For) and not is_ended_by_data(node)


def push_guard(nodes: Sequence[Node], test: Expr) -> list[Node]:
    """The statements with a condition around each run of assignments."""
    result: list[Node] = []
    for node in nodes:
        if isinstance(node, For) and not is_ended_by_data(node):
            body = push_guard(node.body, test)
            result.append(replace(node, body=body))
        elif isinstance(node, If) and is_affine(node.condition):
            body, orelse = push_guard(node.body, test), push_guard(node.orelse, test)
            result.append(If(node.place, node.condition, body, orelse))
        else:
            last = result[-1] if result else None
            if isinstance(last, If) and last.condition is test:
                last.body.append(node)
            else:
                result.append(If(node.place, test, [node]))
    return result


def _is_same(one: Value | None, two: Value | None) -> bool:
    if isinstance(one, View) and isinstance(two, View):
        return (
            one.storage is two.storage
            and one.subscripts == two.subscripts
            and one.shape == two.shape
        )
    return one is two
