"""What all functions of one kernel share while they are read."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from polysched.tensor.arithmetic import BadOperation
from polysched.tensor.ast_source import PythonSource
from polysched.tensor.cfunction import Returned
from polysched.tensor.dtypes import promote
from polysched.tensor.emitter import Emitter
from polysched.tensor.environment import Environment, Memory
from polysched.tensor.expr import Const, Expr, Load, Storage
from polysched.tensor.size import Size, as_size
from polysched.tensor.subscripts import subscript
from polysched.tensor.values import (
    Object,
    Pending,
    Readable,
    Value,
    View,
    place_of,
    variable,
    whole,
)

if TYPE_CHECKING:
    from polysched.tensor.library import Library
    from polysched.tensor.statements import Reader


class Session:
    """Statements, sources and results of one kernel.

    Attributes
    ----------
    emitter : Emitter
        Takes statements.
    memory : Memory
        What earlier attempts learnt.
    sources : dict
        Source of every function that is read, by function.
    captured : dict of str to str
        Constants of modules that were read.
    library : Library
        Functions that calls may name.
    results : Results
        What the kernel returns.
    stack : list of callable
        Functions that are being read.
    frames : list of Environment
        Their names.
    """

    def __init__(
        self, emitter: Emitter, memory: Memory,
        sources: dict[Callable[..., Any], PythonSource], library: Library,
    ) -> None:  # fmt: skip
        self.emitter = emitter
        self.memory = memory
        self.sources = sources
        self.captured: dict[str, str] = {}
        self.library = library
        self.results = Results()
        self.stack: list[Callable[..., Any]] = []
        self.frames: list[Environment] = []

    def source_of(self, function: Callable[..., Any]) -> PythonSource:
        """The source of a function, read once."""
        if function not in self.sources:
            self.sources[function] = PythonSource(function)
        return self.sources[function]

    def row(self, view: Readable, k: Size | int) -> Expr | Readable:
        """One row of an array, or one element of a vector."""
        found = subscript(self.emitter, view, [as_size(k)])
        return found if found.shape else found.at(())

    def literal_array(self, value: tuple[Any, ...]) -> View:
        """A list or tuple of numbers, nested or not, as an array."""
        shape, items = _flatten(value)
        dtype, _ = promote((e.dtype, True) for e in items)
        if not items:
            raise BadOperation("found an empty list or tuple as an array")
        place = self.emitter.new_array("literal", dtype, [as_size(n) for n in shape])
        for k, item in enumerate(items):
            indices = []
            for extent in reversed(shape):
                k, index = divmod(k, extent)
                indices.append(as_size(index))
            self.emitter.assign(place.at(tuple(reversed(indices))), item)
        return place


def _flatten(value: Any) -> tuple[tuple[int, ...], list[Expr]]:
    if isinstance(value, Expr):
        return (), [value]
    if not isinstance(value, tuple):
        raise BadOperation(
            "found a list or tuple of something else than numbers as an array",
            "write the numbers, or fill an array element by element",
        )
    parts = [_flatten(v) for v in value]
    shapes = {shape for shape, _ in parts}
    if len(shapes) > 1:
        raise BadOperation("the rows of a list or tuple have different lengths")
    inner = shapes.pop() if shapes else ()
    return (len(value), *inner), [e for _, items in parts for e in items]


class Results:
    """Turns what the kernel returns into result parameters.

    Attributes
    ----------
    n_ways : int
        How many times the end of the function is read beyond once, each time for
        other sizes: what it returns is then always copied.
    """

    def __init__(self) -> None:
        self.n_ways = 0
        self.returned: Returned | None = None
        self._made: list[Storage] = []
        self._next = 0

    def take(self, reader: Reader, value: Value) -> Value:
        """Note what ``return`` returns."""
        self._next = 0
        found = self._returned(reader, value)
        if self.returned is not None and found != self.returned:
            raise BadOperation("the function returns different kinds of values")
        self.returned = found
        return value

    def _returned(self, reader: Reader, value: Value) -> Returned:
        if isinstance(value, tuple):
            items = tuple(self._returned(reader, v) for v in value)
            return Returned("tuple", items=items)
        if isinstance(value, Object):
            if value.value is None:
                return Returned("none")
            if isinstance(value.value, str):
                return Returned("constant", value=value.value)
            raise BadOperation("cannot return this", "return arrays and numbers")
        if isinstance(value, Const) and value.is_weak:
            return Returned("constant", value=value.value)
        if isinstance(value, Pending) and not value.shape:
            return self._scalar(reader, value, is_weak=False)
        if isinstance(value, Expr):
            return self._scalar(reader, value, value.is_weak)
        return self._array(reader, value)

    def _scalar(self, reader: Reader, value: Expr | Pending, is_weak: bool) -> Returned:
        storage = self._storage(reader, "result", value.dtype, ())
        place = place_of(Load(storage.dtype, storage=storage))
        if isinstance(value, Pending):
            value.into(place)
        else:
            reader.emitter.assign(variable(storage), value)
        return Returned("scalar", storage.name, is_weak)

    def _array(self, reader: Reader, value: Readable | Pending) -> Returned:
        if isinstance(value, View) and value.is_whole and not self.n_ways:
            storage = value.storage
            if storage.kind == "argument":
                return Returned("argument", storage.name)
            if storage.kind in ("temporary", "result"):
                storage.kind = "result"
                return Returned("array", storage.name)
        storage = self._storage(reader, "result", value.dtype, value.shape)
        reader.emitter.write(whole(storage), value)
        return Returned("array", storage.name)

    def _storage(
        self, reader: Reader, hint: str, dtype: str, shape: tuple[Size, ...]
    ) -> Storage:
        if self._next == len(self._made):
            emitter = reader.emitter
            storage = Storage(
                emitter.names.new(hint), dtype, shape, "result", place=emitter.place
            )
            emitter.storages.append(storage)
            self._made.append(storage)
        storage = self._made[self._next]
        self._next += 1
        if storage.extents != shape or storage.dtype != dtype:
            raise BadOperation(
                "the function returns arrays of different shapes",
                "sizes have to read the same wherever the function ends, and whichever "
                "of two exchanged arrays is returned",
            )
        return storage
