"""From a graph to the text of a Python function on NumPy arrays, one line a node."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from polysched.torch import axes, elementwise, products, reductions, windows
from polysched.torch.graph import Graph, Node, Tensor
from polysched.torch.writer import Kind, Value, Writer, numpy_name

Handler = Callable[[Writer], "Value | tuple[Value | None, ...]"]

_HANDLERS: dict[str, Handler] = {
    **elementwise.HANDLERS,
    **products.HANDLERS,
    **reductions.HANDLERS,
    **axes.HANDLERS,
    **windows.HANDLERS,
}
_PREFIX = "aten."
_BY_DATA = "subscripts that depend on data are not affine"
_RANDOM = "call module.eval() before, or pass random numbers as an argument"
_REASONS = {
    **dict.fromkeys(
        ("embedding", "index", "index_select", "index_put", "gather", "scatter",
         "topk", "sort", "nonzero"), _BY_DATA),
    **dict.fromkeys(("native_dropout", "rand", "randn", "bernoulli"), _RANDOM),
}  # fmt: skip
_HEAD = """import numpy as np
from polysched import bool_, float32, float64, int32, int64
from polysched.tensor import erf


def {name}({parameters}):
    \"\"\"Written from the graph of a PyTorch module.\"\"\"
"""
_LINE = 88  # characters


@dataclass(frozen=True)
class GraphSource:
    """A graph as the text of a Python module with one function.

    Attributes
    ----------
    text : str
        The module's text; its function has the graph's name.
    nodes : dict of int to Node
        The node that a line of the text computes, by line counted from 1.
    """

    text: str
    nodes: dict[int, Node]


def accepted_operators() -> tuple[str, ...]:
    """Names of the operators that are taken, sorted."""
    return tuple(sorted(name for name in _HANDLERS if name != "getitem"))


def write_source(graph: Graph) -> GraphSource:
    r"""Write a graph as a Python function on NumPy arrays.

    Parameters
    ----------
    graph : Graph
        Its operators are PyTorch's core ones, named as ``aten.add.Tensor``.

    Raises
    ------
    UnsupportedSyntaxError
        If an operator, or a use of one, is not taken; it names the node, the operator
        and the line of the user's module.

    Examples
    --------
    >>> from polysched.torch import Graph, Input, Node, Ref, Tensor
    >>> x, y = Tensor("float32", (4, 8)), Tensor("float32", (4,))
    >>> factors = {"self": Ref("x"), "other": Ref("x")}
    >>> square = Node("mul", "aten.mul.Tensor", factors, (x,))
    >>> total = {"self": Ref("mul"), "dim": (1,)}
    >>> total = Node("sum_1", "aten.sum.dim_IntList", total, (y,))
    >>> graph = Graph("energy", (Input("x", x),), (square, total), (Ref("sum_1"),))
    >>> print(*write_source(graph).text.splitlines()[7:], sep="\n")
        mul = x * x
        sum_1 = np.sum(mul, axis=1)
        return sum_1
    """
    writer = Writer(graph)
    for given in graph.inputs:
        writer.values[given.name] = Value(given.name, given.tensor)
    for node in graph.nodes:
        _write(writer, node)
    returned = _returned(writer, graph)
    return _assemble(graph, writer.lines, returned)


def _write(writer: Writer, node: Node) -> None:
    writer.node = node
    handler = _HANDLERS.get(node.operator.removeprefix(_PREFIX))
    if handler is None:
        writer.refuse("this operator is not taken", _hint(node.operator))
    writer.keep(node, handler(writer))


def _hint(operator: str) -> str:
    """What is taken, with the overloads of the operator first."""
    name = operator.removeprefix(_PREFIX).split(".")[0]
    near = [n for n in accepted_operators() if n.split(".")[0] == name]
    if near:
        return f"of {name} are taken: {', '.join(near)}"
    if name in _REASONS:
        return _REASONS[name]
    names = sorted({n.split(".")[0] for n in accepted_operators()})
    return f"taken are {', '.join(names)}"


def _returned(writer: Writer, graph: Graph) -> str:
    """What is returned: every result an array of its own."""
    parts: list[str] = []
    for ref in graph.outputs:
        value = writer.array(ref)
        is_fresh = value.kind is Kind.NAME and value.text not in parts
        is_given = any(value.text == i.name for i in graph.inputs)
        if value.tensor.shape and (is_given or not is_fresh):
            parts.append(f"{value.text}.copy()")
        else:
            parts.append(value.text)
    return ", ".join(parts)


def annotation(tensor: Tensor) -> str:
    """The type of a parameter, as its annotation states it."""
    if not tensor.shape:
        return "bool" if tensor.dtype == "bool" else f"np.{tensor.dtype}"
    return f"{numpy_name(tensor.dtype)}[{', '.join(map(str, tensor.shape))}]"


def _assemble(
    graph: Graph, lines: list[tuple[str, Node | None]], returned: str
) -> GraphSource:
    parameters = [f"{i.name}: {annotation(i.tensor)}" for i in graph.inputs]
    shown = ", ".join(parameters)
    if len(shown) + len(graph.name) + 7 > _LINE:
        shown = "\n    " + ",\n    ".join(parameters) + ",\n"
    text = _HEAD.format(name=graph.name, parameters=shown).splitlines()
    nodes: dict[int, Node] = {}
    last = ""
    for line, node in lines:
        said = node.where.text.strip() if node is not None and node.where else ""
        if said and said != last:
            text.append(f"    # {said}")
            last = said
        text.append(f"    {line}")
        if node is not None:
            nodes[len(text)] = node
    text.append(f"    return {returned}")
    return GraphSource("\n".join(text) + "\n", nodes)
