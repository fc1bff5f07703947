"""What names mean at a point of a function: locals, then the module around it."""

from __future__ import annotations

import ast
import builtins
import inspect
import types
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from polysched.tensor.arithmetic import constant
from polysched.tensor.ast_source import PythonSource
from polysched.tensor.dtypes import DTYPES
from polysched.tensor.expr import Storage
from polysched.tensor.values import Object, Value, View

Key = tuple[Any, ...]
_EMPTY_CELL = types.CellType()


@dataclass(eq=False)
class Pin:
    """Storage that a name keeps through a loop or branch that assigns to it.

    Attributes
    ----------
    key : tuple
        The loop or branch and the name.
    view : View, optional
        The storage; None until the first assignment.
    dtype, is_weak : str, bool
        Type of a scalar.
    """

    key: Key
    view: View | None = None
    dtype: str = ""
    is_weak: bool = False


@dataclass(eq=False)
class Memory:
    """What reading found out too late; reading starts again and knows it.

    Attributes
    ----------
    types : dict
        Types that scalars of loops and branches widen to.
    orders : dict
        Loops that exchange arrays: the names' exchange.
    kept : set
        Arrays that a loop or branch assigns and that outlive it.
    shared : dict
        Those among them that may mean other names' arrays: which.
    written : set of str
        Arrays of integers that were taken for index arrays and are written.
    flattened : set of str
        Arguments that are vectors in C, as they are reshaped.
    """

    types: dict[Key, tuple[str, bool]] = field(default_factory=dict)
    exchanges: dict[Key, dict[str, str]] = field(default_factory=dict)
    kept: set[Key] = field(default_factory=set)
    shared: dict[Key, set[str]] = field(default_factory=dict)
    written: set[str] = field(default_factory=set)
    flattened: set[str] = field(default_factory=set)


LAST_NUMBER = "a loop counts with it, whose last number is not kept"


class Restart(Exception):  # noqa: N818  control flow inside the room
    """Something was learnt that earlier text depends on."""


class Environment:
    """Names of one function.

    Attributes
    ----------
    values : dict of str to Value
        Local names that are bound.
    missing : dict of str to str
        Why a local name has no value here.
    pins : dict of str to Pin
        Names that keep their storage at this point.
    captured : dict of str to str
        Constants of the module that were read, by text.
    """

    def __init__(
        self, source: PythonSource, memory: Memory, captured: dict[str, str],
        frames: Sequence[Environment],
    ) -> None:  # fmt: skip
        self._frames = frames
        self.source = source
        self.memory = memory
        self.captured = captured
        self.values: dict[str, Value] = {}
        self.missing: dict[str, str] = {}
        self.pins: dict[str, Pin] = {}
        function = inspect.unwrap(source.function)
        code = function.__code__
        self._locals = set(code.co_varnames) | set(code.co_cellvars)
        self._outer = dict(function.__globals__)
        cells = function.__closure__ or ()
        for name, cell in zip(code.co_freevars, cells, strict=True):
            if cell != _EMPTY_CELL:
                self._outer[name] = cell.cell_contents

    def read(self, node: ast.Name) -> Value:
        """The value of a name."""
        name = node.id
        if name in self.values:
            return self.values[name]
        if name in self._locals:
            reason = self.missing.get(name, "it is not assigned before")
            hint = f"assign {name} before"
            if reason == LAST_NUMBER:
                hint = f"let another name have the number: last = {name}, in the loop"
            self.source.wrong(node, f"{name!r} has no value here: {reason}", hint)
        if name in self._outer:
            value = self._outer[name]
        elif hasattr(builtins, name):
            value = getattr(builtins, name)
        else:
            self.source.wrong(node, f"the name {name!r} is not defined")
        return self._constant(node, name, value)

    def _constant(self, node: ast.AST, name: str, value: Any) -> Value:
        if isinstance(value, np.ndarray):
            self.source.unsupported(
                node, f"{name!r} is an array of the module around the function",
                "pass it as an argument",
            )  # fmt: skip
        found = python_value(value)
        if found is None:
            self.source.unsupported(
                node, f"{name!r} is a {type(value).__name__} of the module around the "
                "function, which may change",
                "make it a tuple, which cannot, or pass an array as an argument",
            )  # fmt: skip
        if not isinstance(found, Object):
            self.captured[name] = repr(value)
        return found

    def attribute(self, node: ast.Attribute, base: Any) -> Value:
        """An attribute of a module or class."""
        text = ast.unparse(node)
        if not isinstance(base, (types.ModuleType, type, np.ufunc)):
            self.source.unsupported(
                node, f"found {text}, an attribute of a {type(base).__name__}",
                "attributes of modules and arrays are taken",
            )  # fmt: skip
        if not hasattr(base, node.attr):
            self.source.wrong(node, f"{text} does not exist")
        return self._constant(node, text, getattr(base, node.attr))

    def default(self, node: ast.AST, name: str, value: Any) -> Value:
        """The default of a parameter."""
        return self._constant(node, f"default of {name}", value)

    def check_write(self, node: ast.AST, storage: Storage) -> None:
        """A write to an array that stands for others, or others for it, is refused."""
        if storage.copied_from:
            self.source.unsupported(
                node, "the array that is changed here may be one of several",
                f"{storage.name} stands for " + ", ".join(sorted(storage.copied_from))
                + ": assign a new array instead of changing it",
            )  # fmt: skip
        for frame in {self, *self._frames}:
            for name, value in frame.values.items():
                if any(storage.name in s.copied_from for s in _storages(value)):
                    self.source.unsupported(
                        node, f"the array that is changed here may be that of {name!r}",
                        f"copy where {name} is assigned, with .copy()",
                    )  # fmt: skip

    def holders(self, storage: Storage) -> list[str]:
        """Names whose array lies in a storage, those of callers included."""
        found = [n for n, v in self.values.items() if storage in _storages(v)]
        for frame in self._frames:
            if frame is not self:
                found += [n for n, v in frame.values.items() if storage in _storages(v)]
        return found


def _storages(value: Value) -> list[Storage]:
    """Arrays that a value lies in."""
    if isinstance(value, tuple):
        return [s for v in value for s in _storages(v)]
    return [value.storage] if isinstance(value, View) else []


def python_value(value: Any) -> Value | None:
    """A Python object as a value; None if it may change behind the kernel's back."""
    if isinstance(value, (bool, int, float)) and not isinstance(value, np.generic):
        return constant(value)
    if isinstance(value, np.bool_):
        return constant(bool(value), "bool", is_weak=False)
    if isinstance(value, np.generic):
        name = value.dtype.name
        if name not in DTYPES:
            return None
        return constant(value.item(), name, is_weak=False)
    if isinstance(value, tuple):
        items = [python_value(v) for v in value]
        return None if None in items else tuple(items)
    if value is None or value is Ellipsis or isinstance(value, (str, type, np.dtype)):
        return Object(value)
    if isinstance(value, types.ModuleType) or callable(value):
        return Object(value)
    return None


def python_function(value: Any) -> Callable[..., Any] | None:
    """The Python function behind a callable, through decorators that keep it."""
    if isinstance(value, (types.FunctionType, types.MethodType)) or hasattr(
        value, "__wrapped__"
    ):
        found = inspect.unwrap(value)
        return found if isinstance(found, types.FunctionType) else None
    return None
