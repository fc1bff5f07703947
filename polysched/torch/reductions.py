"""Sums, means, extremes over axes, and what is made of them: softmax and norms."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from polysched.torch.graph import Tensor
from polysched.torch.writer import (
    ADD,
    ATOM,
    COMPARE,
    MUL,
    Value,
    Writer,
    cast,
    constant,
    elementwise,
    join,
    view,
)

Handler = Callable[[Writer], "Value | tuple[Value | None, ...]"]

_BATCH_AXES = 2  # images and channels come before the axes of an image


def _reduce(w: Writer, function: str, name: str = "dim", extra: str = "") -> Value:
    """The operand reduced over the axes that an argument names."""
    value = w.array(w.argument("self"))
    dtype = w.node.tensor.dtype
    is_converted = dtype != value.tensor.dtype and "bool" not in (
        dtype, value.tensor.dtype,
    )  # fmt: skip
    text = cast(value, dtype).text if is_converted else value.text
    axes = w.axes(name, len(value.tensor.shape))
    if not value.tensor.shape:
        return elementwise(text, w.node.tensor)
    keepdims = w.argument("keepdim", False) is True
    chosen = _axes_text(axes, value.tensor, keepdims)
    return elementwise(f"{function}({text}{chosen}{extra})", w.node.tensor)


def _axes_text(axes: Sequence[int], tensor: Tensor, keepdims: bool) -> str:
    text = f", axis={axes[0]}" if len(axes) == 1 else f", axis=({join(axes)})"
    if len(axes) == len(tensor.shape) and not keepdims:
        return ""
    return f"{text}, keepdims=True" if keepdims else text


def _reduction(function: str) -> Handler:
    return lambda w: _named(w, _reduce(w, function))


def _named(w: Writer, value: Value) -> Value:
    """A line of its own: nothing is reduced inside another reduction."""
    w.line(f"{w.node.name} = {value.text}")
    return Value(w.node.name, value.tensor)


def _extreme(function: str, position: str) -> Handler:
    """``max.dim`` and ``min.dim``: values, and positions where they are read."""

    def handler(w: Writer) -> tuple[Value | None, ...]:
        value = w.name(w.argument("self"))
        found = _reduce(w, function)
        name = w.new_name("values")
        w.line(f"{name} = {found.text}")
        place = _place(w, position, value, w.node.results[1]) if w.reads(1) else None
        return (Value(name, found.tensor), place)

    return handler


def _position(function: str) -> Handler:
    """``argmax`` and ``argmin``."""

    def handler(w: Writer) -> Value:
        value = w.array(w.argument("self"))
        if w.has("dim") or len(value.tensor.shape) == 1:
            return _place(w, function, value, w.node.tensor)
        w.refuse("found no axis", "one axis is taken")

    return handler


def _place(w: Writer, function: str, value: Value, tensor: Tensor) -> Value:
    """The first position of an extreme along one axis."""
    axis, name = w.axis("dim", len(value.tensor.shape)), w.new_name("place")
    w.line(f"{name} = {function}({value.text}, axis={axis})")
    if w.argument("keepdim", False) is True:
        if len(tensor.shape) == 1:
            return elementwise(f"np.full((1,), {name}, np.int64)", tensor)
        return view(f"{name}[{', '.join([':'] * axis + ['None'])}]", tensor)
    return Value(name, tensor)


def _correction(w: Writer) -> int:
    """What is taken from the number of elements by which a variance divides."""
    correction = w.number("correction", 1) if w.has("correction") else 1
    if correction != int(correction):
        w.refuse(f"found correction={correction}", "whole numbers are taken")
    return int(correction)


def _variance(w: Writer) -> Value:
    return _named(w, _reduce(w, "np.var", extra=f", ddof={_correction(w)}"))


def _variance_and_mean(w: Writer) -> tuple[Value, Value]:
    value = w.array(w.argument("self"))
    axes = w.axes("dim", len(value.tensor.shape))
    chosen = _axes_text(axes, value.tensor, w.argument("keepdim", False) is True)
    correction = _correction(w)
    spread, mean = w.new_name("variance"), w.new_name("mean")
    w.line(f"{spread} = np.var({value.text}{chosen}, ddof={correction})")
    w.line(f"{mean} = np.mean({value.text}{chosen})")
    return (Value(spread, w.node.results[0]), Value(mean, w.node.results[1]))


def _norm(w: Writer) -> Value:
    order = w.number("ord", 2)
    value = w.name(w.argument("self"))
    axes = w.axes("dim", len(value.tensor.shape))
    chosen = _axes_text(axes, value.tensor, w.argument("keepdim", False) is True)
    forms = {
        1: f"np.sum(np.abs({value.text}){chosen})",
        2: f"np.sqrt(np.sum({value.text} * {value.text}{chosen}))",
        float("inf"): f"np.max(np.abs({value.text}){chosen})",
    }
    if order not in forms:
        w.refuse(f"found the norm of order {order}", "orders 1, 2 and inf are taken")
    return _named(w, elementwise(forms[order], w.node.tensor))


def _cumulative(function: str) -> Handler:
    def handler(w: Writer) -> Value:
        value = w.array(w.argument("self"))
        axis = w.axis("dim", len(value.tensor.shape))
        dtype = w.node.tensor.dtype
        text = value.text if value.tensor.dtype == dtype else cast(value, dtype).text
        return _named(w, elementwise(f"{function}({text}, axis={axis})", w.node.tensor))

    return handler


def _softmax(w: Writer) -> Value:
    value = w.name(w.argument("self"))
    w.expect("half_to_float", False)
    axis = w.axis("dim", len(value.tensor.shape))
    top, exps = w.new_name("top"), w.new_name("exp")
    w.line(f"{top} = np.max({value.text}, axis={axis}, keepdims=True)")
    w.line(f"{exps} = np.exp({value.text} - {top})")
    total = w.new_name("total")
    w.line(f"{total} = np.sum({exps}, axis={axis}, keepdims=True)")
    return elementwise(f"{exps} / {total}", w.node.tensor, MUL)


def _log_softmax(w: Writer) -> Value:
    value = w.name(w.argument("self"))
    w.expect("half_to_float", False)
    axis = w.axis("dim", len(value.tensor.shape))
    top, total = w.new_name("top"), w.new_name("total")
    gap = f"{value.text} - {top}"
    w.line(f"{top} = np.max({value.text}, axis={axis}, keepdims=True)")
    w.line(f"{total} = np.sum(np.exp({gap}), axis={axis}, keepdims=True)")
    return elementwise(f"{gap} - np.log({total})", w.node.tensor, ADD)


def _normalised(w: Writer, text: str, axes: Sequence[int], tensor: Tensor) -> str:
    """An array less its mean, divided by its deviation, over some axes."""
    mean, scale = w.new_name("mean"), w.new_name("scale")
    chosen = _axes_text(axes, tensor, True)
    spread = w.new_name("variance")
    w.line(f"{mean} = np.mean({text}{chosen})")
    w.line(f"{spread} = np.mean(({text} - {mean}) ** 2{chosen})")
    w.line(f"{scale} = 1 / np.sqrt({spread} + {constant(w.number('eps'))})")
    return f"({text} - {mean}) * {scale}"


def _layer_norm(w: Writer) -> tuple[Value | None, ...]:
    value = w.name(w.argument("input"))
    rank = len(value.tensor.shape)
    axes = range(rank - len(w.integers("normalized_shape")), rank)
    text, level = _normalised(w, value.text, axes, value.tensor), MUL
    if w.has("weight"):
        text += f" * {w.operand(w.argument('weight'), ATOM)}"
    if w.has("bias"):
        text, level = f"{text} + {w.operand(w.argument('bias'), MUL)}", ADD
    return (_result(w, elementwise(text, value.tensor, level)), None, None)


def _result(w: Writer, value: Value) -> Value:
    """The first of several results, on a line of its own."""
    name = w.new_name("out")
    w.line(f"{name} = {value.text}")
    return Value(name, value.tensor)


def _batch_norm(w: Writer) -> tuple[Value | None, ...]:
    """With statistics that are given: a factor and a shift for each channel."""
    value = w.name(w.argument("input"))
    spread = w.operand(w.argument("running_var"), ADD)
    mean = w.operand(w.argument("running_mean"), MUL)
    factor, shift = w.new_name("factor"), w.new_name("shift")
    weight = w.operand(w.argument("weight"), MUL) if w.has("weight") else "1"
    eps = constant(w.number("eps"))
    w.line(f"{factor} = {weight} / np.sqrt({spread} + {eps})")
    bias = w.operand(w.argument("bias"), ADD) + " " if w.has("bias") else ""
    w.line(f"{shift} = {bias}-{' ' if bias else ''}{mean} * {factor}")
    tail = per_channel(value.tensor)
    text = f"{value.text} * {factor}{tail} + {shift}{tail}"
    return (_result(w, elementwise(text, value.tensor, ADD)), None, None)


def _batch_statistics(w: Writer) -> tuple[Value | None, ...]:
    """Batch normalisation with the mean and variance of the batch itself."""
    value = w.name(w.argument("input"))
    rank = len(value.tensor.shape)
    axes = [k for k in range(rank) if k != 1]
    text, level, tail = (
        _normalised(w, value.text, axes, value.tensor),
        MUL,
        per_channel(value.tensor),
    )
    if w.has("weight"):
        text += f" * {w.operand(w.argument('weight'), ATOM)}{tail}"
    if w.has("bias"):
        text, level = f"{text} + {w.operand(w.argument('bias'), ATOM)}{tail}", ADD
    return (_result(w, elementwise(text, value.tensor, level)), None, None)


def per_channel(tensor: Tensor) -> str:
    """The subscript that lays a vector along the second axis of a tensor."""
    n_inner = len(tensor.shape) - _BATCH_AXES
    return f"[:, {', '.join(['None'] * n_inner)}]" if n_inner > 0 else ""


def _group_norm(w: Writer) -> tuple[Value | None, ...]:
    value = w.name(w.argument("input"))
    n, c, *inner = value.tensor.shape
    groups = w.integer("group")
    split = (n, groups, c // groups, *inner)
    grouped, name = w.new_name("grouped"), w.new_name("out")
    w.line(f"{grouped} = np.reshape({value.text}, {split})")
    axes = range(2, len(split))
    text = _normalised(w, grouped, axes, Tensor(value.tensor.dtype, split))
    inner_ones = ", ".join(["1"] * len(inner))
    for argument, sign in (("weight", "*"), ("bias", "+")):
        if w.has(argument):
            vector = w.operand(w.argument(argument), COMPARE)
            shape = f"({groups}, {c // groups}, {inner_ones})"
            text += f" {sign} np.reshape({vector}, {shape})"
    w.line(f"{name} = np.empty({value.tensor.shape}, np.{value.tensor.dtype})")
    w.line(f"np.reshape({name}, {split})[:] = {text}")
    return (Value(name, value.tensor), None, None)


HANDLERS: dict[str, Handler] = {
    **{
        f"{name}.{overload}": _reduction(function)
        for name, function in (
            ("sum", "np.sum"), ("mean", "np.mean"), ("amax", "np.max"),
            ("amin", "np.min"), ("prod", "np.prod"), ("any", "np.any"),
            ("all", "np.all"), ("max", "np.max"), ("min", "np.min"),
        )
        for overload in ("default", "dim", "dims", "dim_int", "dim_IntList")
        if not (name in ("max", "min") and overload == "dim")
    },
    "max.dim": _extreme("np.max", "np.argmax"),
    "min.dim": _extreme("np.min", "np.argmin"),
    "argmax.default": _position("np.argmax"),
    "argmin.default": _position("np.argmin"),
    "var.correction": _variance,
    "var_mean.correction": _variance_and_mean,
    "linalg_vector_norm.default": _norm,
    "cumsum.default": _cumulative("np.cumsum"),
    "cumprod.default": _cumulative("np.cumprod"),
    "_softmax.default": _softmax,
    "_log_softmax.default": _log_softmax,
    "native_layer_norm.default": _layer_norm,
    "native_group_norm.default": _group_norm,
    "_native_batch_norm_legit_no_training.default": _batch_norm,
    "_native_batch_norm_legit.no_stats": _batch_statistics,
}  # fmt: skip
