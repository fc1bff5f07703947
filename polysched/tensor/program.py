"""From a Python function and argument types to a C function."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import Any

from polysched.base import FrontendError
from polysched.tensor.argument import (
    C_TYPES,
    KNOWN_DTYPES,
    ArgType,
    ArrayType,
    ConstantArg,
    ScalarArg,
)
from polysched.tensor.ast_source import PythonSource
from polysched.tensor.cfunction import (
    CFunction,
    Check,
    CParameter,
    ElementRange,
    Returned,
    SizeExpr,
)
from polysched.tensor.dtypes import is_narrow
from polysched.tensor.emitter import Emitter
from polysched.tensor.environment import Memory, Restart, python_value
from polysched.tensor.expr import (
    Assign,
    Index,
    Node,
    Storage,
    expressions_of,
    loads,
    walk_nodes,
)
from polysched.tensor.flat import count
from polysched.tensor.library import Library
from polysched.tensor.names import Names
from polysched.tensor.print_c import array_declarator, print_file
from polysched.tensor.session import Session
from polysched.tensor.size import Size, as_size, symbol
from polysched.tensor.statements import Reader
from polysched.tensor.values import Value, variable, whole

_MAX_ATTEMPTS = 200


@dataclass(frozen=True, eq=False)
class TensorProgram:
    """A Python function read for one signature: statements over arrays.

    Attributes
    ----------
    name : str
        The function's name.
    source : PythonSource
        Its source.
    types : dict of str to ArgType
        Types of its parameters.
    parameters : tuple of CParameter
        Sizes and scalars, in order.
    arrays : tuple of Storage
        Argument arrays, results and temporaries, in order.
    variables : tuple of Storage
        Scalar variables.
    body : list of Node
        Statements.
    returns : Returned
        What is given back.
    checks : tuple of Check
        Conditions on sizes.
    sources : tuple of str
        What went into it, as text.
    ranges : tuple of ElementRange
        What index arrays have to hold.
    index_arrays : tuple of str
        Their names.
    """

    name: str
    source: PythonSource
    types: Mapping[str, ArgType]
    parameters: tuple[CParameter, ...]
    arrays: tuple[Storage, ...]
    variables: tuple[Storage, ...]
    body: list[Node]
    returns: Returned
    checks: tuple[Check, ...]
    sources: tuple[str, ...]
    argument_of: Mapping[str, str] = field(default_factory=dict)
    ranges: tuple[ElementRange, ...] = ()
    index_arrays: tuple[str, ...] = ()


def read_function(
    function: Callable[..., Any], types: Mapping[str, ArgType]
) -> TensorProgram:
    """Read a Python function for one signature.

    Parameters
    ----------
    function : callable
        A Python function, decorated or not.
    types : mapping of str to ArgType
        The type of every parameter without a default; a parameter with a default that
        is left out is a constant.

    Raises
    ------
    FrontendError
        If the function, or a construct in it, is not taken; the message has place,
        reason and hint.
    """
    function = inspect.unwrap(function)
    sources: dict[Callable[..., Any], PythonSource] = {}
    source = PythonSource(function)
    sources[function] = source
    _check_parameters(source)
    memory = Memory()
    library = Library()
    for _ in range(_MAX_ATTEMPTS):
        with suppress(Restart):
            return _Reading(function, types, sources, memory, library).run()
    source.unsupported(source.tree, "the names of the function change their types "
                       "without end", "use one name for one thing")  # fmt: skip


def _check_parameters(source: PythonSource) -> None:
    arguments = source.tree.args
    for extra in (arguments.vararg, arguments.kwarg):
        if extra is not None:
            source.unsupported(
                extra, f"found *{extra.arg}: a variable number of parameters",
                "write the parameters one by one",
            )  # fmt: skip


class _Reading:
    """One attempt to read a function."""

    def __init__(
        self, function: Callable[..., Any], types: Mapping[str, ArgType],
        sources: dict[Callable[..., Any], PythonSource], memory: Memory,
        library: Library,
    ) -> None:  # fmt: skip
        self._function = function
        self._types = types
        self._source = sources[function]
        code = function.__code__
        self._names = Names((*code.co_varnames, *code.co_names))
        self._emitter = Emitter(self._source, self._names)
        self._emitter.written = frozenset(memory.written)
        self._memory = memory
        self._session = Session(self._emitter, memory, sources, library)
        self._sizes: list[CParameter] = []
        self._scalars: list[CParameter] = []
        self._arrays: list[Storage] = []
        self._argument_of: dict[str, str] = {}

    def run(self) -> TensorProgram:
        """Read it."""
        name = self._names.function(self._function.__name__)
        arguments = self._bind()
        session = self._session
        reader = Reader(session, self._source)
        session.stack.append(self._function)
        session.frames.append(reader.environment)
        reader.run(arguments)
        emitter = self._emitter
        made = [s for s in emitter.storages if s.kind != "local"]
        order = {"result": 0, "temporary": 1}
        made.sort(key=lambda s: order[s.kind])
        body = emitter.block
        self._check_body(body)
        self._check_index_arrays(body)
        captured = [f"{k} = {v}" for k, v in sorted(session.captured.items())]
        texts = [s.text for s in session.sources.values()]
        return TensorProgram(
            name, self._source, dict(self._types),
            (*self._sizes, *self._scalars), (*self._arrays, *made),
            tuple(s for s in emitter.storages if s.kind == "local"), body,
            session.results.returned or Returned("none"),
            tuple(emitter.checks.values()), (*texts, *captured), self._argument_of,
            tuple(emitter.ranges.values()), tuple(emitter.choosing),
        )  # fmt: skip

    def _check_body(self, body: list[Node]) -> None:
        if not any(
            isinstance(n, Assign) and n.target.storage.kind != "local"
            for n in walk_nodes(body)
        ):
            self._source.wrong(
                self._source.tree, "the function computes nothing: it assigns to no "
                "element and returns no array", "write to an argument, or return",
            )  # fmt: skip

    def _check_index_arrays(self, body: list[Node]) -> None:
        """Read again if an array was taken for an index array and is written."""
        written = {n.target.storage.name for n in walk_nodes(body)
                   if isinstance(n, Assign)}  # fmt: skip
        if not written.isdisjoint(self._emitter.index_arrays):
            self._memory.written |= written & set(self._emitter.index_arrays)
            raise Restart

    def _bind(self) -> dict[str, Value]:
        arguments: dict[str, Value] = {}
        signature = inspect.signature(self._function)
        unknown = set(self._types) - set(signature.parameters)
        if unknown:
            raise FrontendError(
                f"{self._function.__name__} has no parameter {sorted(unknown)[0]!r}"
            )
        for size in self._size_names():
            self._add_size(size)
        for name, parameter in signature.parameters.items():
            type_: ArgType
            if name in self._types:
                type_ = self._types[name]
            elif parameter.default is not parameter.empty:
                type_ = ConstantArg(parameter.default)
            else:
                self._source.wrong(
                    self._node_of(name), f"the type of {name!r} is not known",
                    'annotate it, e.g. with float64["N", "M"], or call the kernel',
                )  # fmt: skip
            arguments[name] = self._argument(name, type_)
        return arguments

    def _node_of(self, name: str) -> Any:
        args = self._source.tree.args
        every = [*args.posonlyargs, *args.args, *args.kwonlyargs]
        return next((a for a in every if a.arg == name), self._source.tree)

    def _size_names(self) -> list[str]:
        found: dict[str, None] = {}
        for type_ in self._types.values():
            if isinstance(type_, ArrayType):
                found.update((s, None) for s in type_.shape if isinstance(s, str))
        return list(found)

    def _add_size(self, name: str) -> None:
        c_name = self._names.parameter(name)
        self._sizes.append(CParameter(c_name, "size", "int64", "long", name))
        self._emitter.facts.add_parameter(c_name, is_size=True)
        self._argument_of[name] = c_name

    def _argument(self, name: str, type_: ArgType) -> Value:
        if isinstance(type_, ConstantArg):
            value = python_value(type_.value)
            if value is None:
                self._source.unsupported(
                    self._node_of(name), f"the parameter {name!r} is a "
                    f"{type(type_.value).__name__}", "pass arrays and numbers",
                )  # fmt: skip
            return value
        if isinstance(type_, ScalarArg):
            return self._scalar(name, type_)
        if type_.dtype not in C_TYPES:
            self._source.unsupported(
                self._node_of(name), f"arrays of {type_.dtype} are not supported",
                f"use {KNOWN_DTYPES}",
            )  # fmt: skip
        if not type_.shape:
            self._source.unsupported(
                self._node_of(name), f"{name!r} is an array without dimensions",
                "pass a number",
            )  # fmt: skip
        c_name = self._names.parameter(name)
        shape = tuple(self._extent(s) for s in type_.shape)
        storage = Storage(c_name, type_.dtype, shape, "argument")
        if c_name in self._memory.flattened:
            total = count(self._emitter, shape)
            assert total is not None
            storage.extents, storage.shape = (total,), shape
        self._arrays.append(storage)
        self._argument_of[c_name] = name
        return whole(storage)

    def _extent(self, size: int | str) -> Size:
        return (
            as_size(size) if isinstance(size, int) else symbol(self._argument_of[size])
        )

    def _scalar(self, name: str, type_: ScalarArg) -> Value:
        c_name = self._names.parameter(name)
        c_type = "int" if type_.dtype in ("bool", "int32") else C_TYPES[type_.dtype]
        self._scalars.append(CParameter(c_name, "scalar", type_.dtype, c_type, name))
        if type_.dtype in ("int64", "int32", "bool"):
            self._emitter.facts.add_parameter(c_name, is_size=False)
            same = next((p for p in self._sizes if p.source == name), None)
            if same is not None:
                return self._size_argument(same, c_name, type_)
            if type_.dtype != "int32" or type_.is_weak:
                dtype = "bool" if type_.dtype == "bool" else "int64"
                return Index(dtype, type_.is_weak, symbol(c_name))
            return Index("int32", False, symbol(c_name))
        is_weak = type_.is_weak and not is_narrow(type_.dtype)
        storage = Storage(c_name, type_.dtype, (), "local", is_weak, is_fixed=True)
        return variable(storage)

    def _size_argument(self, size: CParameter, c_name: str, type_: ScalarArg) -> Index:
        """An argument that states a size of an array once more."""
        node = self._node_of(size.source)
        condition = f"{c_name} == {size.name}"
        self._emitter.checks[condition] = Check(
            SizeExpr(condition, condition),
            f"the argument {size.source} is not the size {size.source} of the arrays",
            self._source.where(node),
        )
        return Index("int64", type_.is_weak, symbol(size.name))


def lower(program: TensorProgram) -> CFunction:
    """Print a program as C."""
    reads, writes = _used(program.body)
    arrays = []
    for storage in program.arrays:
        role = storage.kind
        if role == "argument":
            role = _role(storage, reads, writes)
        arrays.append(
            CParameter(
                storage.name, "array", storage.dtype, C_TYPES[storage.dtype],
                program.argument_of.get(storage.name, ""), role,  # type: ignore[arg-type]
                tuple(_extent_expr(e) for e in storage.shape or storage.extents),
                storage.place.where if storage.place else None, bool(storage.shape),
            )
        )  # fmt: skip
    declared = [f"{p.c_type} {p.name}" for p in program.parameters]
    declared += [array_declarator(s) for s in program.arrays]
    where = program.source.where(program.source.tree)
    origin = f"{program.source.tree.name} of {PurePath(where.file).name}:{where.line}"
    text, lines = print_file(
        program.name, declared, program.variables, program.body, origin
    )
    return CFunction(
        program.name, text, (*program.parameters, *arrays), program.returns, lines,
        program.checks, program.sources, program.ranges,
        program.index_arrays,
    )  # fmt: skip


def _used(body: list[Node]) -> tuple[set[int], set[int]]:
    reads: set[int] = set()
    writes: set[int] = set()
    for node in walk_nodes(body):
        if isinstance(node, Assign):
            writes.add(id(node.target.storage))
        reads |= {id(e.storage) for x in expressions_of(node) for e in loads(x)}
    return reads, writes


def _role(storage: Storage, reads: set[int], writes: set[int]) -> str:
    if id(storage) not in writes:
        return "input"
    return "inout" if id(storage) in reads else "output"


def _extent_expr(size: Size) -> SizeExpr:
    if size.is_constant:
        return SizeExpr(str(max(0, size.constant)), str(max(0, size.constant)))
    python, c = size.to_text("python"), size.to_text("c")
    if len(size.terms) == 1 and not size.constant and c.isidentifier():
        return SizeExpr(python, c)
    return SizeExpr(f"max(0, {python})", f"({c} > 0 ? {c} : 0)")
