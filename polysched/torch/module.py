"""`TorchKernel`: a PyTorch module that runs as one scheduled native function."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from polysched.base import FrontendError, PolyschedError
from polysched.kernel import (
    ArgumentTypeError,
    ArgumentValueError,
    Kernel,
    KernelOptions,
)
from polysched.tensor import CFunction, Returned, lower, read_function
from polysched.torch.export import Constant, Imported, export
from polysched.torch.function import make_function
from polysched.torch.graph import Graph, Input, Tensor
from polysched.torch.source import GraphSource, write_source
from polysched.torch.tracing import import_torch

if TYPE_CHECKING:
    from polysched.ir import Program, Scop
    from polysched.kernel.callable import Built
    from polysched.workflow import Explanation, ProgramSpace, Tuned


def from_torch(
    module: Any,
    example_args: Sequence[Any] = (),
    example_kwargs: Mapping[str, Any] | None = None,
    *,
    name: str = "",
    **options: Any,
) -> TorchKernel:
    """Make a PyTorch module one native function, which is scheduled as a whole.

    Parameters
    ----------
    module : torch.nn.Module, torch.fx.GraphModule, ExportedProgram or callable
        What is to run, in the mode that it is in: call ``module.eval()`` before.
    example_args, example_kwargs : sequence and mapping
        Arguments of a call; their shapes, types and numbers are those of every call.
        An `ExportedProgram` has its own.
    name : str
        What the function is called; made of the module's class by default.
    **options
        The fields of `KernelOptions`: tune, budget, policy, fp, machine, threads,
        timeout, cache, cc.

    Raises
    ------
    FrontendError
        If the module cannot be traced, or an operator in it is not taken: with the
        node, the operator and the line of the module.
    PolyschedError
        If PyTorch is not installed.
    """
    return TorchKernel(
        export(module, example_args, example_kwargs, name), KernelOptions(**options)
    )


class TorchKernel:
    """A PyTorch module as one native function; made by `from_torch`.

    Called like the module, with tensors on the CPU or NumPy arrays, it gives new
    tensors. Its weights are the module's own memory, read at each call. It computes no
    gradients.

    Parameters
    ----------
    imported : Imported
        The module's graph and tensors.
    options : KernelOptions
        How it is built and run.
    """

    def __init__(self, imported: Imported, options: KernelOptions) -> None:
        self._torch = import_torch()
        self._imported = imported
        self._written = write_source(imported.graph)
        name = imported.graph.name
        self.kernel = Kernel(make_function(self._written.text, name), options)
        _check_types(self.kernel, imported.graph, self._written)
        self._weights = [
            _Weight(i, imported.weights[i.name])
            for i in imported.graph.inputs
            if i.name in imported.weights
        ]
        pytree = self._torch.utils._pytree
        places = list(range(len(imported.given)))
        args, kwargs = pytree.tree_unflatten(places, imported.in_spec)
        self._keywords = list(kwargs)
        self._is_flat = list(args) == places
        graph = imported.graph
        self._dtypes = [
            getattr(self._torch, type_of_output(graph, k).dtype)
            for k in range(len(graph.outputs))
        ]

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        flat = self._flatten(args, kwargs)
        arrays = []
        for given, value in zip(self._imported.given, flat, strict=True):
            if isinstance(given, Input):
                arrays.append(self._to_array(given, value))
            else:
                self._check_constant(given, value)
        arrays += [weight.array() for weight in self._weights]
        return self._give(self.kernel(*arrays))

    def __repr__(self) -> str:
        graph = self.graph
        return (
            f"<torch kernel {graph.name}, {len(graph.nodes)} operators, "
            f"{len(self._weights)} weights>"
        )

    def _repr_html_(self) -> str:
        """The card of its kernel."""
        return self.kernel._repr_html_()

    @property
    def graph(self) -> Graph:
        """What was traced: operators on values, in order."""
        return self._imported.graph

    @property
    def source(self) -> str:
        """The Python module, with one function on NumPy arrays, that is compiled."""
        return self._written.text

    @property
    def program(self) -> Program:
        """The C program that the function becomes, read."""
        return self.kernel.program()

    @property
    def scop(self) -> Scop:
        """Its static control part: one for the whole module."""
        return self.kernel.scop()

    def build(self) -> Built:
        """Schedule and compile it, or find it on disk."""
        return self.kernel.build()

    def space(self) -> ProgramSpace:
        """Its legal schedules, ranked."""
        return self.kernel.space()

    def tune(self) -> Tuned:
        """Measure a few of its schedules; later calls use the best."""
        return self.kernel.tune()

    def explain(self, schedule: str | None = None) -> Explanation:
        """Why the schedule ranked first, or a named one, is what it is."""
        return self.kernel.explain(schedule=schedule)

    def to_c(self) -> str:
        """The C text that a call runs; builds it where that was not done."""
        return self.kernel.to_c()

    def _flatten(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Sequence[Any]:
        """The tensors and numbers of a call, in order."""
        if self._is_flat and not kwargs and len(args) == len(self._imported.given):
            return args
        pytree = self._torch.utils._pytree
        if set(self._keywords) == set(kwargs):
            kwargs = {k: kwargs[k] for k in self._keywords}
        flat, spec = pytree.tree_flatten((args, kwargs))
        if spec != self._imported.in_spec:
            raise ArgumentTypeError(
                f"{self.graph.name} was traced with other arguments: "
                f"{self._imported.in_spec}, found {spec}",
                hint="pass what the example arguments had, nested in the same way",
            )
        found: list[Any] = flat
        return found

    def _check_constant(self, given: Constant, value: object) -> None:
        """Refuse a number other than that of the trace."""
        if type(given.value) is not type(value) or given.value != value:
            raise ArgumentValueError(
                f"{self.graph.name} was traced with {given.value!r}, found {value!r}",
                hint="import the module once for each value",
            )

    def _to_array(self, given: Input, value: Any) -> Any:
        """A tensor's memory as an array, or its number."""
        if isinstance(value, self._torch.Tensor):
            value = self._unwrap(given, value)
        if not isinstance(value, (np.ndarray, np.generic)):
            raise ArgumentTypeError(
                f"argument {given.name!r} is of type {type(value).__name__!r}, "
                "expected a tensor"
            )
        return as_argument(given.tensor, value)

    def _unwrap(self, given: Input, value: Any) -> Any:
        if value.requires_grad and self._torch.is_grad_enabled():
            raise ArgumentValueError(
                f"argument {given.name!r} requires a gradient, which is not computed",
                hint="call under torch.no_grad(), or pass .detach()",
            )
        if value.device.type != "cpu":
            raise ArgumentValueError(
                f"argument {given.name!r} is on {value.device}, expected the CPU",
                hint="pass .cpu()",
            )
        if not value.is_contiguous():
            raise ArgumentValueError(
                f"argument {given.name!r} does not lie in memory in order (strides "
                f"{value.stride()} of shape {tuple(value.shape)})",
                hint="pass .contiguous()",
            )
        return value.detach().numpy()

    def _give(self, result: Any) -> Any:
        """Arrays as tensors on the same memory, nested as the module nests them."""
        results = result if isinstance(result, tuple) else (result,)
        tensors = [
            self._torch.from_numpy(r)
            if isinstance(r, np.ndarray)
            else self._torch.tensor(r, dtype=d)
            for r, d in zip(results, self._dtypes, strict=True)
        ]
        flat = [
            r.value if isinstance(r, Constant) else tensors[r]
            for r in self._imported.returned
        ]
        return self._torch.utils._pytree.tree_unflatten(flat, self._imported.out_spec)


class _Weight:
    """A tensor of the module, as an array on the same memory."""

    def __init__(self, given: Input, tensor: Any) -> None:
        self._given = given
        self._tensor = tensor
        self._address: int | None = None  # of the memory that the array is on
        self._array: Any = None

    def array(self) -> Any:
        """The array; made anew where the tensor has moved, or is no array as it is."""
        address = self._tensor.data_ptr()
        if address != self._address:
            plain = self._tensor.detach().cpu().contiguous()
            is_shared = plain.data_ptr() == address and bool(self._given.tensor.shape)
            self._address = address if is_shared else None
            self._array = as_argument(self._given.tensor, plain.numpy())
        return self._array


def as_argument(tensor: Tensor, array: Any) -> Any:
    """An array as the kernel takes it: a number where there are no axes."""
    return array if tensor.shape else array.item()


def type_of_output(graph: Graph, k: int) -> Tensor:
    """The type of a result of a graph."""
    name = graph.outputs[k].name
    for node in graph.nodes:
        if node.name == name:
            return node.tensor
    return next(i.tensor for i in graph.inputs if i.name == name)


def _check_types(kernel: Kernel, graph: Graph, written: GraphSource) -> None:
    """Read the function once: refusals name nodes, and results have the traced types.

    Raises
    ------
    FrontendError
        If the reader of Python functions refuses a line.
    PolyschedError
        If a result has another type than PyTorch gives it: a fault of ours.
    """
    try:
        types = dict(kernel.signature.annotated)
        function = lower(read_function(kernel.function, types))
    except FrontendError as error:
        line = error.where.line if error.where else 0
        node = written.nodes.get(line)
        if node is None:
            raise
        raise type(error)(
            f"node {node.name!r}, {node.operator}: {error.message}",
            where=node.where, hint=error.hint,
        ) from error  # fmt: skip
    returned = function.returns
    items = returned.items if returned.kind == "tuple" else (returned,)
    for k, item in enumerate(items):
        expected = type_of_output(graph, k)
        found = _type_of(function, item)
        if found != expected:
            raise PolyschedError(
                f"result {k} of {graph.name} would be {found}, expected {expected}",
                hint="this is a fault of polysched: please report the module",
            )


def _type_of(function: CFunction, item: Returned) -> Tensor:
    parameter = function.parameter(item.name)
    return Tensor(parameter.dtype, parameter.shape({}))
