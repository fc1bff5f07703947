"""Graphs as NumPy functions: their text, their values, and the C made of them."""

from __future__ import annotations

import numpy as np
import pytest

from polysched.base import SourceLocation, UnsupportedSyntaxError
from polysched.kernel.signature import KernelSignature
from polysched.tensor import lower, read_function
from polysched.torch import accepted_operators, write_source
from polysched.torch.axes import refine
from polysched.torch.function import make_function
from polysched.torch.graph import Tensor
from polysched.torch.writer import constant, promoted
from tests.fuzz.tensor_runs import build_library, run
from tests.unit.torch import graphs


def body(graph):
    """The lines of the function that compute."""
    lines = write_source(graph).text.split('module."""\n')[1].splitlines()
    return [line.strip() for line in lines]


def arguments(graph, seed=3):
    random = np.random.default_rng(seed)
    found = {}
    for given in graph.inputs:
        values = random.normal(size=given.tensor.shape)
        is_truth = given.tensor.dtype == "bool"
        found[given.name] = (
            values > 0 if is_truth else values.astype(given.tensor.dtype)
        )
    return found


def run_both(graph, folder):
    """Results by NumPy and by C without a schedule, which have to agree."""
    source = write_source(graph)
    function = make_function(source.text, graph.name)
    given = arguments(graph)
    with np.errstate(all="ignore"):
        computed = function(**given)
    lowered = lower(read_function(function, KernelSignature(function).annotated))
    compiled = run(build_library([lowered], folder), lowered, given, {})
    computed = computed if isinstance(computed, tuple) else (computed,)
    compiled = compiled if isinstance(compiled, tuple) else (compiled,)
    for one, two in zip(computed, compiled, strict=True):
        assert one.dtype == two.dtype
        np.testing.assert_allclose(two, one, rtol=2e-5, atol=1e-6)
    return given, compiled


def test_one_line_stands_for_what_one_loop_computes():
    assert body(graphs.perceptron()) == [
        "# hidden = F.relu(self.first(x))",
        "relu = np.maximum(x @ w1.T + b1, 0)",
        "# return self.second(hidden).softmax(-1)",
        "linear_1 = relu @ w2.T + b2",
        "_softmax_top = np.max(linear_1, axis=1, keepdims=True)",
        "_softmax_exp = np.exp(linear_1 - _softmax_top)",
        "_softmax_total = np.sum(_softmax_exp, axis=1, keepdims=True)",
        "_softmax = _softmax_exp / _softmax_total",
        "return _softmax",
    ]


def test_lines_know_their_nodes():
    source = write_source(graphs.perceptron())
    lines = source.text.splitlines()
    of = {lines[k - 1].split()[0]: node.name for k, node in source.nodes.items()}
    assert of["relu"] == "relu"
    assert of["_softmax_exp"] == "_softmax"


@pytest.mark.cc
def test_perceptron(tmp_path):
    given, (found,) = run_both(graphs.perceptron(), tmp_path)
    hidden = np.maximum(given["x"] @ given["w1"].T + given["b1"], 0)
    scores = np.exp(hidden @ given["w2"].T + given["b2"])
    np.testing.assert_allclose(found, scores / scores.sum(1, keepdims=True), rtol=1e-5)


@pytest.mark.cc
def test_layer_norm(tmp_path):
    given, (found,) = run_both(graphs.normalised(), tmp_path)
    total = (given["x"] + 2 * given["y"]).reshape(8, 6).astype(float)
    gap = total - total.mean(1, keepdims=True)
    expected = gap / np.sqrt(total.var(1, keepdims=True) + 1e-5)
    expected = expected * given["w"] + given["b"]
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


def test_axes_that_become_one_are_written_through_a_finer_shape():
    assert body(graphs.normalised())[-3:] == [
        "view = np.empty((8, 6), np.float32)",
        "np.reshape(view, (2, 4, 6))[:] = norm_out",
        "return view",
    ]


def convolve(x, w, b, groups, stride, padding, dilation):
    """The definition, element by element."""
    x = np.pad(x, [(0, 0), (0, 0), *((p, p) for p in padding)])
    n_out, n_in, height, width = w.shape
    rows = (x.shape[2] - dilation[0] * (height - 1) - 1) // stride[0] + 1
    columns = (x.shape[3] - dilation[1] * (width - 1) - 1) // stride[1] + 1
    found = np.zeros((len(x), n_out, rows, columns))
    for n, o, i, j in np.ndindex(found.shape):
        first = o // (n_out // groups) * n_in
        top, left = i * stride[0], j * stride[1]
        patch = x[n, first : first + n_in, top :: dilation[0], left :: dilation[1]]
        found[n, o, i, j] = b[o] + (patch[:, :height, :width] * w[o]).sum()
    return found


@pytest.mark.cc
@pytest.mark.parametrize(
    "sizes",
    [
        {}, {"groups": 2, "stride": (2, 1)}, {"groups": 4, "padding": (0, 2)},
        {"dilation": (2, 3), "padding": (2, 3)},
    ],
)  # fmt: skip
def test_convolution_and_pooling(sizes, tmp_path):
    given, (found, pooled) = run_both(graphs.convolved(**sizes), tmp_path)
    options = {"groups": 1, "stride": (1, 1), "padding": (1, 1), "dilation": (1, 1)}
    expected = convolve(given["x"], given["w"], given["b"], **(options | sizes))
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)
    n, c, rows, columns = pooled.shape
    cut = expected[:, :, : 2 * rows, : 2 * columns]
    windows = cut.reshape(n, c, rows, 2, columns, 2)
    np.testing.assert_allclose(pooled, windows.max((3, 5)), rtol=1e-4, atol=1e-5)


@pytest.mark.cc
def test_masked_attention(tmp_path):
    given, (found,) = run_both(graphs.attended(), tmp_path)
    scores = given["q"] @ given["k"].swapaxes(1, 2) / 2
    scores = np.where(given["m"], np.exp(scores), 0)
    weights = scores / scores.sum(-1, keepdims=True)
    np.testing.assert_allclose(found, weights @ given["v"], rtol=1e-4, atol=1e-5)


def elementwise(operator, **arguments):
    """The line of one elementwise node on x and y."""
    shape = graphs.tensor(3, 4)
    nodes = [graphs.node("value", operator, shape, **arguments)]
    return body(graphs.graph({"x": shape, "y": shape}, nodes, "value"))[0]


def test_parentheses_stand_where_they_are_needed():
    shape = graphs.tensor(3)
    nodes = [
        graphs.node("sub", "aten.sub.Tensor", shape, self="%x", other="%y"),
        graphs.node("sub_1", "aten.sub.Tensor", shape, self="%x", other="%sub"),
        graphs.node("neg", "aten.neg.default", shape, self="%sub_1"),
        graphs.node("pow_1", "aten.pow.Tensor_Scalar", shape, self="%neg", exponent=2),
    ]
    graph = graphs.graph({"x": shape, "y": shape}, nodes, "pow_1")
    assert body(graph)[0] == "pow_1 = (-(x - (x - y))) ** 2"


def test_factors_and_numbers():
    line = elementwise("aten.add.Tensor", self="%x", other="%y", alpha=-0.5)
    assert line == "value = x + -0.5 * y"
    line = elementwise("aten.clamp.default", self="%x", min=float("-inf"), max=6)
    assert line == "value = np.minimum(np.maximum(x, -np.inf), 6)"
    assert [constant(v) for v in (float("nan"), True, -3)] == ["np.nan", "True", "(-3)"]


def test_what_is_read_twice_has_a_line():
    shape = graphs.tensor(3)
    nodes = [
        graphs.node("exp", "aten.exp.default", shape, self="%x"),
        graphs.node("mul", "aten.mul.Tensor", shape, self="%exp", other="%exp"),
    ]
    assert body(graphs.graph({"x": shape}, nodes, "mul"))[:2] == [
        "exp = np.exp(x)", "mul = exp * exp",
    ]  # fmt: skip


def test_what_broadcasting_repeats_has_a_line():
    row, whole = graphs.tensor(4), graphs.tensor(3, 4)
    nodes = [
        graphs.node("exp", "aten.exp.default", row, self="%x"),
        graphs.node("mul", "aten.mul.Tensor", whole, self="%exp", other="%y"),
    ]
    graph = graphs.graph({"x": row, "y": whole}, nodes, "mul")
    assert body(graph)[:2] == ["exp = np.exp(x)", "mul = exp * y"]


def test_results_are_arrays_of_their_own():
    shape = graphs.tensor(3)
    nodes = [graphs.node("exp", "aten.exp.default", shape, self="%x")]
    graph = graphs.graph({"x": shape}, nodes, "exp", "exp", "x")
    assert body(graph)[-1] == "return exp, exp.copy(), x.copy()"


def test_types_combine_as_in_pytorch():
    long, number = Tensor("int64", (3,)), Tensor("float64")
    assert promoted([long, 2.5]) == "float32"
    assert promoted([long, number]) == "float64"
    assert promoted([Tensor("float32", (2,)), number]) == "float32"
    assert promoted([Tensor("int32", (2,)), long]) == "int64"
    assert promoted([Tensor("int32", (2,)), 7]) == "int32"
    assert promoted([Tensor("bool", (2,)), 7]) == "int64"


def test_the_coarsest_common_shape():
    assert refine((2, 3, 4), (6, 4)) == (2, 3, 4)
    assert refine((5, 1, 2), (10,)) == (5, 1, 2)
    assert refine((6,), (2, 1, 3)) == (2, 1, 3)
    assert refine((6, 4), (4, 6)) is None


REFUSED = {
    "unknown": ("aten.sort.default", {"self": "%x"}, "this operator is not taken"),
    "by_data": ("aten.gather.default", {"self": "%x"}, "depend on data are not affine"),
    "overload": ("aten.round.decimals", {"self": "%x"},
        "of round are taken: round.default"),
    "rounding": (
        "aten.div.Tensor_mode",
        {"self": "%i", "other": "%i", "rounding_mode": "trunc"},
        "'floor' is taken",
    ),
    "bounds": ("aten.arange.start_step", {"start": 0, "end": 2.5}, "whole numbers"),
    "correction": ("aten.var.correction", {"self": "%x", "correction": 0.5}, "0.5"),
    "order": ("aten.linalg_vector_norm.default", {"self": "%x", "ord": 3}, "order 3"),
    "pad": ("aten.constant_pad_nd.default", {"self": "%x", "pad": [-1, 0]}, "negative"),
    "shifts": ("aten.roll.default", {"self": "%x", "shifts": [1, 1], "dims": [0, 1]},
        "one"),
    "operand": ("aten.mul.Tensor", {"self": "%x", "other": "text"},
        "numbers are taken"),
    "size": ("aten.slice.Tensor", {"self": "%x", "dim": "text"}, "known integers"),
    "factor": ("aten.sub.Tensor", {"self": "%x", "other": 1, "alpha": "%i"},
        "a number"),
    "einsum": (
        "aten.einsum.default", {"equation": "...->", "tensors": ["%x"]}, "every axis"
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_it_is_refused(name):
    operator, arguments, text = REFUSED[name]
    where = SourceLocation("model.py", 7, 0, "return f(x)")
    shape = graphs.tensor(3, 4)
    whole = graphs.tensor(3, 4, dtype="int64")
    result = whole if name == "rounding" else shape
    nodes = [graphs.node("value", operator, result, where=where, **arguments)]
    graph = graphs.graph({"x": shape, "i": whole}, nodes, "value")
    with pytest.raises(UnsupportedSyntaxError) as refusal:
        write_source(graph)
    told = str(refusal.value)
    assert told.startswith(f"model.py:7: node 'value', {operator}: ")
    assert "return f(x)" in told
    assert text in told


def test_operators_are_listed():
    names = accepted_operators()
    assert list(names) == sorted(names)
    assert {"add.Tensor", "convolution.default", "_softmax.default"} <= set(names)
