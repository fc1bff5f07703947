"""From a PyTorch module to a `Graph`, and the tensors that it holds."""

from __future__ import annotations

import keyword
import operator
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

from polysched.base import SourceLocation, UnsupportedSyntaxError
from polysched.torch.graph import Argument, Graph, Input, Node, Ref, Tensor, refs
from polysched.torch.tracing import (
    beginning_of,
    import_torch,
    name_of,
    place_of,
    trace,
)

DTYPES = ("float64", "float32", "int64", "int32", "bool")
_RESERVED = {"np", "erf", "bool_", "float32", "float64", "int32", "int64", "range",
             *keyword.kwlist, *keyword.softkwlist}  # fmt: skip
# parts of names that say how an operator is split up, not what it computes
_SHORTER = re.compile(
    r"^_*(native_)?|scaled_dot_product_(?=attention)|_with_indices|_legit(_no_training)?"
)


@dataclass(frozen=True, eq=False)
class Constant:
    """An argument or result that is no tensor: the same at every call.

    Attributes
    ----------
    value : object
        A number, string or None.
    """

    value: object


@dataclass(frozen=True, eq=False)
class Imported:
    """A module as a graph, with what a call needs beside it.

    Attributes
    ----------
    graph : Graph
        Its inputs are the call's tensors, then the module's.
    given : tuple of Input or Constant
        The call's flat arguments.
    weights : dict of str to torch.Tensor
        Tensors of the module by input name: the module's own, not copies.
    returned : tuple of int or Constant
        The call's flat results, as positions in the graph's outputs.
    in_spec, out_spec : TreeSpec
        How arguments and results are nested.
    """

    graph: Graph
    given: tuple[Input | Constant, ...]
    weights: Mapping[str, Any]
    returned: tuple[int | Constant, ...]
    in_spec: Any
    out_spec: Any


def export(
    module: Any, args: Sequence[Any], kwargs: Mapping[str, Any] | None, name: str
) -> Imported:
    """Trace a module and read what it computes.

    Parameters
    ----------
    module : torch.nn.Module, torch.fx.GraphModule, ExportedProgram or callable
        What is called with tensors.
    args, kwargs : sequence and mapping
        Arguments to trace with; an `ExportedProgram` has been traced already.
    name : str
        What the function is called; made of the module's class if it is empty.

    Raises
    ------
    FrontendError
        If PyTorch cannot trace it, or something in it is not taken.
    """
    torch = import_torch()
    named = _identifier(name or _snake_case(name_of(torch, module)), set())
    program = trace(torch, module, tuple(args), dict(kwargs or {}))
    return _Reader(torch, program, named, beginning_of(module)).read()


def _snake_case(name: str) -> str:
    split = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name)
    return split.lower()


def _identifier(name: str, taken: set[str]) -> str:
    """A Python name like the given one that means nothing else here."""
    base = re.sub(r"\W", "_", name) or "value"
    base = f"layer_{base}" if base[0].isdigit() else base
    found, k = base, 2
    while found in _RESERVED or found in taken:
        found, k = f"{base}_{k}", k + 1
    return found


class _Reader:
    """Reads one exported program."""

    def __init__(
        self, torch: Any, program: Any, name: str, begin: SourceLocation | None
    ) -> None:
        self._torch = torch
        self._begin = begin
        self._program = program
        self._name = name
        self._signature = program.graph_signature
        self._names: dict[str, str] = {}
        self._taken = {name}

    def read(self) -> Imported:
        """The program as a graph."""
        placeholders = {
            n.name: n for n in self._program.graph.nodes if n.op == "placeholder"
        }
        given, weights = self._inputs(placeholders)
        nodes = tuple(
            self._node(n)
            for n in self._program.graph.nodes
            if n.op not in ("placeholder", "output") and not _is_assertion(n)
        )
        outputs, returned = self._outputs()
        used = {r.name for r in outputs}
        graph = Graph(self._name, (), nodes, outputs)
        used |= _read(graph)
        held = {i: t for i, t in weights if i.name in used}
        inputs = (*(g for g in given if isinstance(g, Input)), *held)
        spec = self._program.call_spec
        return Imported(
            Graph(self._name, inputs, nodes, outputs), given,
            {i.name: t for i, t in held.items()}, returned, spec.in_spec, spec.out_spec,
        )  # fmt: skip

    def _inputs(
        self, placeholders: Mapping[str, Any]
    ) -> tuple[tuple[Input | Constant, ...], list[tuple[Input, Any]]]:
        """Arguments of a call, and the module's tensors."""
        kinds = self._torch.export.graph_signature.InputKind
        held = {**self._program.state_dict, **self._program.constants}
        given: list[Input | Constant] = []
        weights: list[tuple[Input, Any]] = []
        for spec in self._signature.input_specs:
            argument = spec.arg
            if spec.kind == kinds.USER_INPUT:
                if not hasattr(argument, "name") or not _is_tensor(
                    self._torch, placeholders[argument.name]
                ):
                    given.append(self._constant(argument))
                    continue
                given.append(self._input(placeholders[argument.name], argument.name))
            elif spec.kind in (kinds.PARAMETER, kinds.BUFFER, kinds.CONSTANT_TENSOR):
                node = placeholders[argument.name]
                weights.append((self._input(node, spec.target), held[spec.target]))
        return tuple(given), weights

    def _constant(self, argument: Any) -> Constant:
        if not hasattr(argument, "value"):
            self._refuse("a size or number that may change", str(argument))
        return Constant(argument.value)

    def _input(self, node: Any, name: str) -> Input:
        tensor = self._tensor(node, node.meta["val"], node.name)
        found = self._rename(node.name, name)
        return Input(found, tensor)

    def _rename(self, name: str, like: str) -> str:
        found = _identifier(like, self._taken)
        self._taken.add(found)
        self._names[name] = found
        return found

    def _outputs(self) -> tuple[tuple[Ref, ...], tuple[int | Constant, ...]]:
        kinds = self._torch.export.graph_signature.OutputKind
        refs: list[Ref] = []
        returned: list[int | Constant] = []
        for spec in self._signature.output_specs:
            if spec.kind != kinds.USER_OUTPUT:
                hint = "call module.eval() before"
                if spec.kind == kinds.USER_INPUT_MUTATION:
                    hint = "let it change a copy, made by .clone(), and return that"
                raise UnsupportedSyntaxError(
                    f"the module changes {spec.target!r} in place", hint=hint
                )
            if hasattr(spec.arg, "name") and spec.arg.name in self._names:
                returned.append(len(refs))
                refs.append(Ref(self._names[spec.arg.name]))
            else:
                returned.append(self._constant(spec.arg))
        if not refs:
            self._refuse("no tensor", "the result")
        return tuple(refs), tuple(returned)

    def _node(self, node: Any) -> Node:
        where = place_of(self._torch, node.stack_trace or "") or self._begin
        value = node.meta.get("val")
        values = value if isinstance(value, (tuple, list)) else (value,)
        name = self._rename(node.name, _SHORTER.sub("", node.name))
        results = tuple(self._result(node, v, where) for v in values)
        target = node.target
        if target is operator.getitem:
            of, index = node.args
            arguments: dict[str, Argument] = {"of": Ref(self._names[of.name]),
                                              "index": index}  # fmt: skip
            return Node(name, "getitem", arguments, results, where)
        if node.op != "call_function" or not hasattr(target, "_schema"):
            raise UnsupportedSyntaxError(
                f"node {node.name!r} calls {target}, which is no ATen operator",
                where=where, hint="modules of ATen operators are taken",
            )  # fmt: skip
        names = [a.name for a in target._schema.arguments]
        passed = dict(zip(names, node.args, strict=False)) | dict(node.kwargs)
        arguments = {k: self._argument(node, v, where) for k, v in passed.items()}
        return Node(name, str(target), arguments, results, where)

    def _result(self, node: Any, value: Any, where: SourceLocation | None) -> Tensor:
        if value is None:  # a result that nobody asked for
            return Tensor("float32", (0,))
        return self._tensor(node, value, node.name, where)

    def _argument(
        self, node: Any, value: Any, where: SourceLocation | None
    ) -> Argument:
        torch = self._torch
        if isinstance(value, torch.fx.Node):
            return Ref(self._names[value.name])
        if isinstance(value, (list, tuple)):
            return tuple(self._argument(node, v, where) for v in value)
        if isinstance(value, torch.dtype):
            return _dtype_name(value)
        if value is None or isinstance(value, (bool, int, float, str)):
            return value
        if isinstance(value, (torch.device, torch.layout, torch.memory_format)):
            return str(value)
        raise UnsupportedSyntaxError(
            f"node {node.name!r}, {node.target}: found the argument {value!r}",
            where=where, hint="tensors, numbers and sizes that are known are taken",
        )  # fmt: skip

    def _tensor(
        self, node: Any, value: Any, name: str, where: SourceLocation | None = None
    ) -> Tensor:
        """The type of a traced value."""
        what = f"node {name!r}" + (
            f", {node.target}" if node.op == "call_function" else ""
        )
        if not isinstance(value, self._torch.Tensor):
            raise UnsupportedSyntaxError(
                f"{what}: gives {type(value).__name__}, which is no tensor",
                where=where, hint="what depends on values of tensors is not taken",
            )  # fmt: skip
        if not all(isinstance(n, int) for n in value.shape):
            raise UnsupportedSyntaxError(
                f"{what}: the shape {tuple(map(str, value.shape))} is not known",
                where=where, hint="export without dynamic_shapes",
            )  # fmt: skip
        dtype = _dtype_name(value.dtype)
        if dtype not in DTYPES:
            raise UnsupportedSyntaxError(
                f"{what}: found a tensor of {dtype}", where=where,
                hint=f"{', '.join(DTYPES)} are taken",
            )  # fmt: skip
        if value.device.type not in ("cpu", "meta"):
            raise UnsupportedSyntaxError(
                f"{what}: found a tensor on {value.device}", where=where,
                hint="move the module and its inputs to the CPU",
            )  # fmt: skip
        return Tensor(dtype, tuple(int(n) for n in value.shape))

    def _refuse(self, found: str, name: str) -> NoReturn:
        raise UnsupportedSyntaxError(
            f"found {found} as {name}",
            hint="tensors are taken, and constants that are the same at every call",
        )


def _is_assertion(node: Any) -> bool:
    """A check of types that tracing has made already."""
    return str(node.target).startswith("aten._assert_tensor_metadata")


def _is_tensor(torch: Any, node: Any) -> bool:
    return isinstance(node.meta.get("val"), torch.Tensor)


def _read(graph: Graph) -> set[str]:
    """Names of all values that nodes read."""
    return {r.name for n in graph.nodes for a in n.arguments.values() for r in refs(a)}


def _dtype_name(dtype: Any) -> str:
    return str(dtype).removeprefix("torch.")
