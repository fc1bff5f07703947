"""``for`` loops: over ranges and arrays, and what names mean around them."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from polysched.tensor.arithmetic import (
    index,
    logical,
    logical_not,
)
from polysched.tensor.binding import pin_key
from polysched.tensor.chosen import is_by_data
from polysched.tensor.environment import LAST_NUMBER, Pin, Restart
from polysched.tensor.exits import is_left
from polysched.tensor.expr import (
    Assign,
    Expr,
    For,
    If,
    Node,
    is_ended_by_data,
    walk_nodes,
)
from polysched.tensor.iterations import IterationReader, Range
from polysched.tensor.liveness import assigned_names
from polysched.tensor.size import Size, as_size, floor_div
from polysched.tensor.values import Value, View
from polysched.tensor.words import kind_of

if TYPE_CHECKING:
    from polysched.tensor.statements import Reader

_MAX_COPIES = 4
_MAX_UNROLLED = 64


@dataclass(frozen=True)
class Tails:
    """A loop behind which names mean other arrays for other trip counts."""

    trip: Range
    bindings: list[dict[str, Value]]


class LoopReader:
    """Reads the loops of one function."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._emitter = reader.emitter
        self._memory = reader.session.memory
        self._iterations = IterationReader(reader)
        self.running: list[str] = []

    def read(self, node: ast.For) -> Tails | None:
        """Read a loop; gives what the rest of the function has to tell apart."""
        names = self._iterations.targets(node.target)
        found = self._iterations.read(node.iter)
        if isinstance(found, tuple):
            self._unroll(node, names, found)
            return None
        return self.run(node, names, found, node.body)

    def _unroll(
        self, node: ast.For, names: list[str], items: tuple[Value, ...]
    ) -> None:
        source = self._reader.source
        if len(items) > _MAX_UNROLLED:
            source.unsupported(
                node.iter, f"found a loop over {len(items)} constants",
                "make them an array: np.array([...])",
            )  # fmt: skip
        if is_left(node.body):
            source.unsupported(
                node.iter, "found a loop over constants that break may end",
                "loop over range(...), or make the constants an array: np.array([...])",
            )  # fmt: skip
        for item in items:
            parts: list[Any] = [item]
            if isinstance(node.target, ast.Tuple):
                parts = list(item) if isinstance(item, tuple) else []
                if parts and isinstance(node.target.elts[-1], ast.Tuple):
                    last = parts.pop()
                    parts += last if isinstance(last, tuple) else [last]
            if len(parts) != len(names):
                source.wrong(node.target, f"cannot unpack {kind_of(item)}")
            for name, part in zip(names, parts, strict=True):
                self._reader.binder.bind(name, part)
            if self._reader.block(node.body) is not None:
                source.unsupported(node, "found a return inside a loop")

    def run(
        self, node: ast.For | ast.While, names: list[str], trip: Range,
        body: list[ast.stmt],
    ) -> Tails | None:  # fmt: skip
        """Read a loop whose iterations are known.

        Parameters
        ----------
        node : ast.For or ast.While
            The loop.
        names, trip : list of str, Range
            Its variables, and what they are in its iterations.
        body : list of ast.stmt
            What it repeats.
        """
        reader, environment = self._reader, self._reader.environment
        assigned = assigned_names(body)
        lasting = reader.liveness.head[node] | reader.liveness.after[node]
        pinned = self.pin(node, assigned & lasting)
        entry = dict(environment.values)
        arrays = [
            n for n in sorted(assigned & lasting)
            if isinstance(entry.get(n), View) and n not in environment.pins
        ]  # fmt: skip
        exchange = self._memory.exchanges.get((reader.path, node), {})
        n_copies = _order(exchange)
        ends = (trip.start, trip.stop)
        by_data = is_left(body) or any(is_by_data(self._emitter, e) for e in ends)
        if n_copies > 1 and by_data:
            reader.source.unsupported(
                node, "found a loop that exchanges arrays as often as data say",
                "copy instead of exchanging",
            )  # fmt: skip
        self._emit(node, names, trip, n_copies, body)
        if n_copies == 1:
            self._check_arrays(node, arrays, entry)
        elif any(not is_same(environment.values[n], entry[n]) for n in arrays):
            reader.source.unsupported(node, "the loop exchanges arrays in a way that "
                                      "does not repeat")  # fmt: skip
        own = assigned - environment.pins.keys()
        self.leave(entry, {*own, *names}, set(arrays))
        counted = entry.keys() & {*names} - environment.values.keys()
        environment.missing |= dict.fromkeys(counted, LAST_NUMBER)
        for name in pinned:
            environment.pins.pop(name)
        if n_copies == 1 or not set(exchange) & reader.liveness.after[node]:
            return None
        return Tails(trip, _bindings(exchange, entry, n_copies))

    def pin(self, node: ast.AST, names: frozenset[str]) -> set[str]:
        """Give names that outlive an iteration storage of their own."""
        environment = self._reader.environment
        pinned = set()
        for name in sorted(names):
            value = environment.values.get(name)
            key = pin_key(self._reader.path, node, name)
            if name in environment.pins or value is None:
                continue
            if isinstance(value, Expr) or (
                isinstance(value, View) and key in self._memory.kept
            ):
                pin = Pin(key)
                self._reader.binder.open(name, pin, value)
                environment.pins[name] = pin
                pinned.add(name)
        return pinned

    def _emit(
        self, node: ast.For | ast.While, names: list[str], trip: Range, n_copies: int,
        body: list[ast.stmt],
    ) -> None:  # fmt: skip
        reader, emitter = self._reader, self._emitter
        hint = names[0] if not trip.rows or trip.rows[0] is None else ""
        self.running += names
        reader.depth += 1
        step = trip.step * n_copies
        with emitter.loop(trip.start, trip.stop, step, hint, is_written=True) as first:
            self._body(node, names, trip, first, body)
            for k in range(1, n_copies):
                position = first + k * trip.step
                op = "<" if trip.step > 0 else ">"
                test = emitter.arithmetic.compare(op, index(position), index(trip.stop))
                guard = If(emitter.place, test, [])
                emitter.block.append(guard)
                with emitter.into_block(guard.body), emitter.facts.where(test):
                    self._body(node, names, trip, position, body)
        reader.depth -= 1
        if is_ended_by_data(emitter.block[-1]):
            self.check_places(node, emitter.block[-1])
        del self.running[-len(names) :]

    def check_places(self, node: ast.stmt, loop: Node) -> None:
        """Refuse a loop that data end, with none around it, that writes all over.

        Nothing in it would be scheduled.
        """
        inner = {n.iterator for n in walk_nodes([loop]) if isinstance(n, For)}
        for part in walk_nodes([loop]) if not self._emitter.facts.loops else ():
            if isinstance(part, Assign) and not inner.isdisjoint(
                s for k in part.target.subscripts for s in k.symbols()
            ):
                self._reader.source.unsupported(
                    node, f"found a loop that data end with no loop around it: it "
                    f"writes {part.target.storage.name} element by element, in order",
                    "make what it repeats a kernel, and write the loop around its "
                    "calls in Python",
                )  # fmt: skip

    def _body(
        self, node: ast.For | ast.While, names: list[str], trip: Range, position: Size,
        body: list[ast.stmt],
    ) -> None:  # fmt: skip
        reader = self._reader
        values: list[Value] = []
        for rows in trip.rows or (None,):
            value: Value = index(position)
            if rows is not None:
                value = reader.session.row(rows, position)
            if isinstance(value, Expr):
                value = reader.binder.lasting(names[-1], value)
            values.append(value)
        target = node.target if isinstance(node, ast.For) else node.test
        if not isinstance(target, ast.Tuple) and len(values) > 1:
            values = [tuple(values)]
        if len(values) != len(names):
            reader.source.wrong(
                target, f"found {len(values)} values for {len(names)} names"
            )
        for name, value in zip(names, values, strict=True):
            reader.environment.values[name] = value
            reader.environment.missing.pop(name, None)
        reader.block(body)

    def _check_arrays(
        self, node: ast.For | ast.While, arrays: list[str], entry: dict[str, Value]
    ) -> None:
        """Arrays that names mean at the loop's end have to be those of its start."""
        reader, values = self._reader, self._reader.environment.values
        changed = [n for n in arrays if not is_same(values.get(n), entry[n])]
        if not changed:
            return
        sources = {
            n: next((m for m in arrays if is_same(values.get(n), entry[m])), "")
            for n in changed
        }
        if sorted(sources.values()) == changed:
            if _order(sources) > _MAX_COPIES:
                reader.source.unsupported(
                    node, "the loop exchanges too many arrays in turn"
                )
            self._memory.exchanges[reader.path, node] = sources
        else:
            for name in changed:
                self._memory.kept.add(pin_key(reader.path, node, name))
        raise Restart

    def leave(self, entry: dict[str, Value], names: set[str], kept: set[str]) -> None:
        """Forget what only the loop's iterations know."""
        environment = self._reader.environment
        for name in names - kept:
            environment.values.pop(name, None)
            environment.missing[name] = (
                "it is assigned inside a loop only, which may not run"
            )
        for name in kept:
            environment.values[name] = entry[name]

    def read_tails(
        self, node: ast.For | ast.While, tails: Tails, rest: Sequence[ast.stmt]
    ) -> Value | None:
        """Read the statements behind a loop once for each meaning of the names."""
        reader, emitter = self._reader, self._emitter
        if reader.depth or reader.path:
            reader.source.unsupported(
                node, "the loop exchanges arrays that are used behind it, in a "
                "loop, a branch or an inlined function", "copy instead of exchanging",
            )  # fmt: skip
        n = len(tails.bindings)
        start, stop = tails.trip.start, tails.trip.stop
        span = stop - start if tails.trip.step > 0 else start - stop
        step = abs(tails.trip.step)
        count = span if step == 1 else floor_div(span + (step - 1), step)
        runs = emitter.arithmetic.compare(">", index(span), index(as_size(0)))
        before = dict(reader.environment.values)
        reader.session.results.n_ways += 1
        returned: Value | None = None
        others: Expr | None = None
        for k in [*range(1, n), 0]:
            with emitter.facts.where(runs):
                rest_of = emitter.arithmetic.binary(
                    "%", index(count), index(as_size(n))
                )
            test = logical(
                "&&", runs,
                emitter.arithmetic.compare("==", rest_of, index(as_size(k))),
            ) if k else logical_not(others)  # type: ignore[arg-type]  # fmt: skip
            others = test if others is None else logical("||", others, test)
            branch = If(emitter.place, test, [])
            emitter.block.append(branch)
            reader.environment.values = {**before, **tails.bindings[k]}
            with emitter.into_block(branch.body), emitter.facts.where(test):
                returned = reader.block(rest)
        return returned


def is_same(one: Value | None, two: Value | None) -> bool:
    """Whether two values are one and the same array, or object."""
    if isinstance(one, View) and isinstance(two, View):
        return (
            one.storage is two.storage
            and one.subscripts == two.subscripts
            and one.shape == two.shape
        )
    return one is two


def _order(exchange: dict[str, str]) -> int:
    """After how many turns the exchange is none."""
    now = dict(exchange)
    n = 1
    while any(k != v for k, v in now.items()):
        now = {k: exchange[v] for k, v in now.items()}
        n += 1
    return n


def _bindings(
    exchange: dict[str, str], entry: dict[str, Value], n: int
) -> list[dict[str, Value]]:
    """What the names mean after 0, 1, ... turns."""
    result = []
    now = {k: k for k in exchange}
    for _ in range(n):
        result.append({k: entry[v] for k, v in now.items()})
        now = {k: now[exchange[k]] for k in exchange}
    return result
