"""Statements as they are written: loops, places of values, arrays for intermediates."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from polysched.tensor.arithmetic import Arithmetic, BadOperation, convert
from polysched.tensor.ast_source import Place, PythonSource
from polysched.tensor.bounds import largest
from polysched.tensor.cfunction import Check, ElementRange
from polysched.tensor.dtypes import is_integer
from polysched.tensor.expr import Assign, Expr, For, Load, Node, Storage, loads
from polysched.tensor.facts import Facts, Loop
from polysched.tensor.names import Names
from polysched.tensor.size import Size, as_size, extreme, symbol
from polysched.tensor.values import (
    Indices,
    Lazy,
    Pending,
    Readable,
    View,
    place_of,
    variable,
    whole,
)


class Emitter:
    """Collects statements, arrays and conditions on sizes.

    Attributes
    ----------
    facts : Facts
        What is known where the next statement goes.
    arithmetic : Arithmetic
        Builds expressions.
    block : list of Node
        Where the next statement goes.
    storages : list of Storage
        Arrays and variables besides the arguments.
    checks : list of Check
        Conditions on sizes.
    written : set of str
        Arguments that the function is known to write.
    index_arrays : dict of str to Storage
        Arguments that it is relied on not to write.
    choosing : dict of str to None
        Those of them that choose elements, in the order of the text.
    ranges : dict
        What index arrays have to hold.
    source, node : PythonSource, ast.AST
        What is being read, for places and refusals.
    """

    def __init__(self, source: PythonSource, names: Names) -> None:
        self.facts = Facts()
        self.arithmetic = Arithmetic(self.facts)
        self.names = names
        self.block: list[Node] = []
        self.storages: list[Storage] = []
        self.checks: dict[str, Check] = {}
        self.written: frozenset[str] = frozenset()
        self.index_arrays: dict[str, Storage] = {}
        self.choosing: dict[str, None] = {}
        self.ranges: dict[tuple[str, ...], ElementRange] = {}
        self.source = source
        self.node: ast.AST = source.tree
        self.statement: ast.AST = source.tree

    @property
    def place(self) -> Place:
        """The Python statement that is being read."""
        return self.source.place(self.statement)

    @contextmanager
    def into_block(self, block: list[Node]) -> Iterator[None]:
        """Statements go to another block."""
        before, self.block = self.block, block
        yield
        self.block = before

    @contextmanager
    def loop(
        self, start: Size, stop: Size, step: int = 1, hint: str = "",
        is_written: bool = False,
    ) -> Iterator[Size]:  # fmt: skip
        """A loop around what is written inside; gives its iterator."""
        iterator = self.names.iterator(hint)
        node = For(self.place, iterator, start, stop, step, [], is_written)
        self.block.append(node)
        with (
            self.into_block(node.body),
            self.facts.inside_loop(Loop(iterator, start, stop, step)),
        ):
            yield symbol(iterator)
        self.names.release(iterator)

    @contextmanager
    def loops(self, shape: Sequence[Size]) -> Iterator[Indices]:
        """A nest of loops over all indices of a shape; none over one element."""
        if not shape:
            yield ()
        elif shape[0] == as_size(1):
            with self.loops(shape[1:]) as rest:
                yield (as_size(0), *rest)
        else:
            with (
                self.loop(as_size(0), shape[0]) as first,
                self.loops(shape[1:]) as rest,
            ):
                yield (first, *rest)

    def assign(self, target: Load, value: Expr, *, is_unordered: bool = False) -> None:
        """``target = value``, converted to the target's type."""
        value = convert(value, target.dtype, target.is_weak)
        self.block.append(Assign(self.place, target, value, is_unordered))

    def new_array(
        self, hint: str, dtype: str, shape: Sequence[Size], kind: str = "temporary"
    ) -> View:
        """A new array; inside loops that change its shape it has the largest."""
        extents = tuple(largest(s, self.facts.loops) for s in shape)
        if any(e.chosen for e in extents):
            raise BadOperation(
                "found an array whose length data say", "give it the largest length"
            )
        storage = Storage(self.names.new(hint), dtype, extents, kind, place=self.place)
        self.storages.append(storage)
        view = whole(storage)
        return View(storage, view.subscripts, tuple(shape))

    def new_variable(self, hint: str, dtype: str, is_weak: bool) -> Load:
        """A new scalar variable."""
        storage = Storage(self.names.new(hint), dtype, (), "local", is_weak, self.place)
        self.storages.append(storage)
        return variable(storage)

    def require(
        self, left: Size, op: str, right: Size | int, message: str, hint: str = ""
    ) -> None:
        """Demand a comparison: proven here, or checked at each call, or refused."""
        found = self.facts.condition_for(left, op, right)
        if found is True:
            return
        if found is False:
            self.source.wrong(self.node, message, hint)
        condition = found
        assert not isinstance(condition, bool)
        self.checks.setdefault(
            condition.python,
            Check(condition, message, self.source.where(self.node)),
        )

    def is_index_array(self, storage: Storage) -> bool:
        """Whether elements keep their value: from now on it is relied on."""
        is_kept = (
            storage.kind == "argument"
            and bool(storage.extents)
            and is_integer(storage.dtype)
            and storage.name not in self.written
        )
        if is_kept:
            self.index_arrays[storage.name] = storage
        return is_kept

    def require_elements(self, limit: ElementRange) -> None:
        """Demand something of all elements of an index array, checked at each call."""
        key = (limit.array, limit.kind, limit.limit.python)
        self.ranges.setdefault(key, limit)

    def extent(self, size: Size) -> Size:
        """How many elements an axis has: none where a slice ends before it begins."""
        if self.facts.is_certain(size, ">=", 0):
            return size
        return extreme("max", (as_size(0), size))

    def refuse(self, verdict: BadOperation) -> None:
        """Refuse the current node."""
        self.source.wrong(self.node, verdict.message, verdict.hint)

    def settle(self, value: Readable | Pending, hint: str = "tmp") -> Readable:
        """The value itself, or what was pending in an array of its own."""
        if not isinstance(value, Pending):
            return value
        if not value.shape:
            place = place_of(self.new_variable(hint, value.dtype, False))
            value.into(place)
            return place
        place = self.new_array(hint, value.dtype, value.shape)
        value.into(place)
        return place

    def stored(
        self, value: Readable | Pending, hint: str, kind: str = "temporary"
    ) -> View:
        """The value in an array of its own."""
        place = self.new_array(hint, value.dtype, value.shape, kind)
        if isinstance(value, Pending):
            value.into(place)
        else:
            self.fill(place, value)
        return place

    def fill(self, place: View, value: Readable | Expr) -> None:
        """Write a value of the same shape (or a number) to a place apart from it."""
        with self.loops(place.shape) as indices:
            element = value if isinstance(value, Expr) else value.at(indices)
            self.assign(place.at(indices), element)

    def write(self, place: View, value: Readable | Pending | Expr) -> None:
        """Write a value to a place of its shape; all is read before it is written."""
        if place.repeats:
            self.source.wrong(
                self.node, "found a write to a broadcast array, which is read-only",
                "write what np.broadcast_to was given, or a copy",
            )  # fmt: skip
        if isinstance(value, Pending):
            if value.dtype == place.dtype and place.storage not in value.reads:
                value.into(place)
                return
            value = self.settle(value)
        if not isinstance(value, Expr) and self._reads_late(place, value):
            value = self.stored(value, "tmp")
        elif isinstance(value, Expr) and place.shape and self._changes(place, value):
            copy = self.new_variable("tmp", value.dtype, value.is_weak)
            self.assign(copy, value)
            value = copy
        self.fill(place, value)

    def _changes(self, place: View, value: Expr) -> bool:
        return any(e.storage is place.storage for e in loads(value))

    def _reads_late(self, place: View, value: Readable) -> bool:
        """Whether an element may be read after it was written."""
        names = [self.names.iterator("") for _ in place.shape]
        loops = [
            Loop(name, as_size(0), size, 1)
            for name, size in zip(names, place.shape, strict=True)
        ]
        indices = tuple(symbol(n) for n in names)
        write = place.at(indices).subscripts
        reads = [
            e.subscripts
            for e in loads(value.at(indices))
            if e.storage is place.storage and e.subscripts != write
        ]
        found = any(self.facts.overlap(write, read, loops) for read in reads)
        for name in names:
            self.names.release(name)
        return found

    def probe(self, value: Lazy | View) -> Expr:
        """An element at symbolic indices, to see types and what is read."""
        return value.at(tuple(symbol(f"${k}") for k in range(len(value.shape))))
