"""Hand-made graphs, as the tracer would give them; PyTorch is not needed."""

from __future__ import annotations

from polysched.base import SourceLocation
from polysched.torch import Graph, Input, Node, Ref, Tensor


def tensor(*shape, dtype="float32"):
    return Tensor(dtype, shape)


def node(name, operator, result, *, where=None, **arguments):
    """A node; texts that begin with % name values."""
    results = result if isinstance(result, tuple) else (result,)
    given = {k: _argument(v) for k, v in arguments.items()}
    return Node(name, operator, given, results, where)


def _argument(value):
    if isinstance(value, str) and value.startswith("%"):
        return Ref(value[1:])
    if isinstance(value, (list, tuple)):
        return tuple(_argument(v) for v in value)
    return value


def graph(inputs, nodes, *outputs, name="graph"):
    given = tuple(Input(n, t) for n, t in inputs.items())
    return Graph(name, given, tuple(nodes), tuple(Ref(o) for o in outputs))


def perceptron():
    first = SourceLocation("model.py", 12, 0, "hidden = F.relu(self.first(x))")
    second = SourceLocation("model.py", 13, 0, "return self.second(hidden).softmax(-1)")
    inputs = {
        "x": tensor(5, 8), "w1": tensor(6, 8), "b1": tensor(6), "w2": tensor(3, 6),
        "b2": tensor(3),
    }  # fmt: skip
    nodes = [
        node("linear", "aten.linear.default", tensor(5, 6), input="%x", weight="%w1",
             bias="%b1", where=first),
        node("relu", "aten.relu.default", tensor(5, 6), self="%linear", where=first),
        node("linear_1", "aten.linear.default", tensor(5, 3), input="%relu",
            weight="%w2",
             bias="%b2", where=second),
        node("_softmax", "aten._softmax.default", tensor(5, 3), self="%linear_1",
            dim=-1,
             half_to_float=False, where=second),
    ]  # fmt: skip
    return graph(inputs, nodes, "_softmax", name="perceptron")


def normalised():
    shape = (2, 4, 6)
    one = tensor(2, 4, 1)
    nodes = [
        node("add", "aten.add.Tensor", tensor(*shape), self="%x", other="%y", alpha=2),
        node("norm", "aten.native_layer_norm.default", (tensor(*shape), one, one),
             input="%add", normalized_shape=[6], weight="%w", bias="%b", eps=1e-5),
        node("getitem", "getitem", tensor(*shape), of="%norm", index=0),
        node("view", "aten.view.default", tensor(8, 6), self="%getitem", size=[8, 6]),
    ]  # fmt: skip
    inputs = {"x": tensor(*shape), "y": tensor(*shape), "w": tensor(6), "b": tensor(6)}
    return graph(inputs, nodes, "view", name="normalised")


def convolved(groups=1, stride=(1, 1), padding=(1, 1), dilation=(1, 1)):
    rows = (7 + 2 * padding[0] - 2 * dilation[0] - 1) // stride[0] + 1
    columns = (9 + 2 * padding[1] - dilation[1] - 1) // stride[1] + 1
    result = tensor(2, 4, rows, columns)
    pooled = tensor(2, 4, rows // 2, columns // 2)
    nodes = [
        node("convolution", "aten.convolution.default", result, input="%x", weight="%w",
             bias="%b", stride=stride, padding=padding, dilation=dilation,
             transposed=False, output_padding=(0, 0), groups=groups),
        node("pool", "aten.max_pool2d_with_indices.default",
             (pooled, tensor(*pooled.shape, dtype="int64")), self="%convolution",
             kernel_size=[2, 2]),
        node("getitem", "getitem", pooled, of="%pool", index=0),
    ]  # fmt: skip
    inputs = {
        "x": tensor(2, 4, 7, 9), "w": tensor(4, 4 // groups, 3, 2), "b": tensor(4),
    }  # fmt: skip
    return graph(inputs, nodes, "convolution", "getitem", name="convolved")


def attended():
    inputs = {
        "q": tensor(2, 5, 4), "k": tensor(2, 6, 4), "v": tensor(2, 6, 3),
        "m": tensor(5, 6, dtype="bool"),
    }  # fmt: skip
    nodes = [
        node("attention", "aten.scaled_dot_product_attention.default", tensor(2, 5, 3),
             query="%q", key="%k", value="%v", attn_mask="%m"),
    ]  # fmt: skip
    return graph(inputs, nodes, "attention", name="attended")
