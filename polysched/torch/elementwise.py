"""Operators that work element by element."""

from __future__ import annotations

from collections.abc import Callable
from math import sqrt

from polysched.torch.graph import Argument, Ref, Tensor
from polysched.torch.writer import (
    ADD,
    AND,
    ATOM,
    COMPARE,
    MUL,
    NEG,
    OR,
    POW,
    Kind,
    Value,
    Writer,
    constant,
    elementwise,
    numpy_name,
    promoted,
)

Handler = Callable[[Writer], Value]

_SQRT_HALF, _SQRT_2_BY_PI = sqrt(0.5), sqrt(2 / 3.141592653589793)
# a template with the level of each operand, and that of the whole; the operand is
# converted to the type of the result first
_CALLS = {
    "exp": "np.exp", "exp2": "np.exp2", "expm1": "np.expm1", "log": "np.log",
    "log2": "np.log2", "log10": "np.log10", "log1p": "np.log1p", "sqrt": "np.sqrt",
    "sin": "np.sin", "cos": "np.cos", "tan": "np.tan", "asin": "np.arcsin",
    "acos": "np.arccos", "atan": "np.arctan", "sinh": "np.sinh", "cosh": "np.cosh",
    "tanh": "np.tanh", "asinh": "np.arcsinh", "acosh": "np.arccosh",
    "atanh": "np.arctanh", "abs": "np.abs", "sign": "np.sign", "floor": "np.floor",
    "ceil": "np.ceil", "trunc": "np.trunc", "round": "np.round", "erf": "erf",
}  # fmt: skip
_FORMS: dict[str, tuple[str, int, int]] = {
    "neg": ("-{}", NEG, NEG),
    "reciprocal": ("1 / {}", NEG, MUL),
    "rsqrt": ("1 / np.sqrt({})", COMPARE, MUL),
    "sigmoid": ("1 / (1 + np.exp(-{}))", NEG, MUL),
    "relu": ("np.maximum({}, 0)", COMPARE, ATOM),
    "square": ("{} ** 2", ATOM, POW),
}
# forms that read their operand more than once: it gets a name before
_GELU = {
    "none": f"0.5 * {{0}} * (1 + erf({{0}} * {_SQRT_HALF!r}))",
    "tanh": f"0.5 * {{0}} * (1 + np.tanh({_SQRT_2_BY_PI!r} * ({{0}} + 0.044715 * "
    "{0} ** 3)))",
}
_BINARY = {
    "div.Tensor": ("{} / {}", MUL, MUL, NEG),
    "div.Scalar": ("{} / {}", MUL, MUL, NEG),
    "mul.Tensor": ("{} * {}", MUL, MUL, NEG),
    "mul.Scalar": ("{} * {}", MUL, MUL, NEG),
    "pow.Tensor_Tensor": ("{} ** {}", POW, ATOM, ATOM),
    "pow.Scalar": ("{} ** {}", POW, ATOM, ATOM),
    "maximum.default": ("np.maximum({}, {})", ATOM, COMPARE, COMPARE),
    "minimum.default": ("np.minimum({}, {})", ATOM, COMPARE, COMPARE),
    "atan2.default": ("np.arctan2({}, {})", ATOM, COMPARE, COMPARE),
    "fmod.Tensor": ("np.fmod({}, {})", ATOM, COMPARE, COMPARE),
    "fmod.Scalar": ("np.fmod({}, {})", ATOM, COMPARE, COMPARE),
    "remainder.Tensor": ("np.remainder({}, {})", ATOM, COMPARE, COMPARE),
    "remainder.Scalar": ("np.remainder({}, {})", ATOM, COMPARE, COMPARE),
    "bitwise_and.Tensor": ("{} & {}", AND, AND, ADD),
    "bitwise_or.Tensor": ("{} | {}", OR, OR, AND),
    "bitwise_xor.Tensor": ("{} ^ {}", OR, AND, AND),
    "bitwise_and.Scalar": ("{} & {}", AND, AND, ADD),
    "bitwise_or.Scalar": ("{} | {}", OR, OR, AND),
    "bitwise_xor.Scalar": ("{} ^ {}", OR, AND, AND),
}
_LOGICAL = {"logical_and": "&", "logical_or": "|", "logical_xor": "^"}
_COMPARISONS = {"eq": "==", "ne": "!=", "lt": "<", "le": "<=", "gt": ">", "ge": ">="}


def _call(name: str) -> Handler:
    return lambda w: _unary(w, name + "({})", COMPARE, ATOM)


def _form(form: str, inner: int, outer: int) -> Handler:
    return lambda w: _unary(w, form, inner, outer)


def _unary(w: Writer, form: str, inner: int, outer: int) -> Value:
    result = w.node.tensor
    text = w.operand(w.argument("self"), inner, result.dtype, result.shape)
    return elementwise(form.format(text), result, outer)


def _binary(form: str, outer: int, left: int, right: int) -> Handler:
    def handler(w: Writer) -> Value:
        result = w.node.tensor
        texts = [
            w.operand(w.argument(name), level, result.dtype, result.shape)
            for name, level in (("self", left), ("other", right), ("exponent", right))
            if w.has(name)
        ]
        return elementwise(form.format(*texts), result, outer)

    return handler


def _sum(sign: str) -> Handler:
    """``self + alpha * other``."""

    def handler(w: Writer) -> Value:
        result = w.node.tensor
        one = w.operand(w.argument("self"), ADD, result.dtype, result.shape)
        alpha = w.number("alpha", 1)
        level = MUL if alpha == 1 else NEG
        two = w.operand(w.argument("other"), level, result.dtype, result.shape)
        if alpha != 1:
            two = f"{constant(alpha, MUL)} * {two}"
        return elementwise(f"{one} {sign} {two}", result, ADD)

    return handler


def _reversed_difference(w: Writer) -> Value:
    result = w.node.tensor
    w.expect("alpha", 1)
    one = w.operand(w.argument("other"), ADD, result.dtype, result.shape)
    two = w.operand(w.argument("self"), MUL, result.dtype, result.shape)
    return elementwise(f"{one} - {two}", result, ADD)


def _divide_and_round(w: Writer) -> Value:
    result, mode = w.node.tensor, w.argument("rounding_mode")
    if mode is None:
        return _binary(*_BINARY["div.Tensor"])(w)
    one, two = (
        w.operand(w.argument(n), level, result.dtype, result.shape)
        for n, level in (("self", MUL), ("other", NEG))
    )
    if mode == "floor":
        return elementwise(f"{one} // {two}", result, MUL)
    if not result.dtype.startswith("float"):
        w.refuse(f"found rounding_mode={mode!r} of integers", "'floor' is taken")
    return elementwise(f"np.trunc({one} / {two})", result)


def _power(w: Writer) -> Value:
    exponent = w.number("exponent")
    if exponent == 0.5:
        return _unary(w, "np.sqrt({})", COMPARE, ATOM)
    shown = int(exponent) if exponent == int(exponent) else exponent
    return _unary(w, f"{{}} ** {constant(shown, NEG)}", ATOM, POW)


def _gelu(w: Writer) -> Value:
    form = _GELU[str(w.argument("approximate", "none"))]
    text = w.name(w.argument("self")).text
    return elementwise(form.format(text), w.node.tensor, MUL)


def _leaky_relu(w: Writer) -> Value:
    text, slope = w.name(w.argument("self")).text, w.number("negative_slope", 0.01)
    form = f"np.where({text} > 0, {text}, {constant(slope, MUL)} * {text})"
    return elementwise(form, w.node.tensor)


def _elu(w: Writer) -> Value:
    text = w.name(w.argument("self")).text
    alpha, scale = w.number("alpha", 1), w.number("scale", 1)
    inner = w.number("input_scale", 1)
    scaled = text if inner == 1 else f"{constant(inner, MUL)} * {text}"
    positive = text if scale == 1 else f"{constant(scale, MUL)} * {text}"
    negative = f"np.expm1({scaled})"
    if alpha * scale != 1:
        negative = f"{constant(alpha * scale, MUL)} * {negative}"
    return elementwise(f"np.where({text} > 0, {positive}, {negative})", w.node.tensor)


def _hard_tanh(w: Writer) -> Value:
    low, high = w.number("min_val", -1), w.number("max_val", 1)
    return _unary(w, f"np.clip({{}}, {constant(low)}, {constant(high)})", COMPARE, ATOM)


def _clamp(w: Writer) -> Value:
    result = w.node.tensor
    text = w.operand(w.argument("self"), COMPARE, result.dtype, result.shape)
    for name, function in (("min", "np.maximum"), ("max", "np.minimum")):
        if w.has(name):
            bound = w.operand(w.argument(name), COMPARE, result.dtype, result.shape)
            text = f"{function}({text}, {bound})"
    return elementwise(text, result)


def _where(w: Writer) -> Value:
    result = w.node.tensor
    test = w.operand(w.argument("condition"), COMPARE, "bool", result.shape)
    one, two = (
        w.operand(w.argument(n), COMPARE, result.dtype, result.shape)
        for n in ("self", "other")
    )
    return elementwise(f"np.where({test}, {one}, {two})", result)


def _comparison(op: str) -> Handler:
    def handler(w: Writer) -> Value:
        result = w.node.tensor
        given = [w.argument("self"), w.argument("other")]
        dtype = promoted(_types(w, given))
        one, two = (w.operand(v, COMPARE + 1, dtype, result.shape) for v in given)
        return elementwise(f"{one} {op} {two}", result, COMPARE)

    return handler


def _types(w: Writer, given: list[Argument]) -> list[Tensor | float | bool]:
    found: list[Tensor | float | bool] = []
    for argument in given:
        tensor = w.tensor(argument)
        if tensor is not None:
            found.append(tensor)
        elif isinstance(argument, (int, float)):
            found.append(argument)
    return found


def _logical(op: str) -> Handler:
    def handler(w: Writer) -> Value:
        result = w.node.tensor
        one, two = (
            w.operand(w.argument(n), ADD, "bool", result.shape)
            for n in ("self", "other")
        )
        return elementwise(f"{one} {op} {two}", result, AND if op == "&" else OR)

    return handler


def _logical_not(w: Writer) -> Value:
    text = w.operand(w.argument("self"), NEG, "bool", w.node.tensor.shape)
    return elementwise(f"~{text}", w.node.tensor, NEG)


def _classified(name: str) -> Handler:
    """``isnan`` and ``isinf``, whose operand keeps its type."""

    def handler(w: Writer) -> Value:
        text = w.operand(w.argument("self"), COMPARE, "", w.node.tensor.shape)
        return elementwise(f"np.{name}({text})", w.node.tensor)

    return handler


def _invert(w: Writer) -> Value:
    return _unary(w, "~{}", NEG, NEG)


def _converted(w: Writer) -> Value:
    """Another type, or the same values: they are never written again."""
    result, given = w.node.tensor, w.argument("self")
    assert isinstance(given, Ref)
    value = w.values[given.name]
    assert isinstance(value, Value)
    if value.tensor.dtype == result.dtype:
        return value if value.kind is Kind.NAME else w.array(given)
    text = w.operand(given, ATOM, result.dtype)
    return elementwise(text, result)


def _scalar(w: Writer) -> Value:
    """``scalar_tensor`` and ``full``."""
    result = w.node.tensor
    number = constant(w.number("s" if w.has("s") else "fill_value"))
    name = f"np.{numpy_name(result.dtype)}"
    if result.shape:
        text = f"np.full({result.shape}, {number}, {name})"
    else:
        text = f"{name}({number})"
    return Value(text, result, Kind.CONSTANT)


def _range(w: Writer) -> Value:
    bounds = w.number("start"), w.number("end"), w.number("step", 1)
    if not all(v == int(v) for v in bounds):
        w.refuse(f"found the bounds {bounds}", "whole numbers are taken")
    text = f"np.arange({', '.join(str(int(v)) for v in bounds)})"
    if w.node.tensor.dtype != "int64":
        text += f".astype(np.{w.node.tensor.dtype})"
    return Value(text, w.node.tensor, Kind.CONSTANT)


HANDLERS: dict[str, Handler] = {
    **{f"{n}.default": _call(c) for n, c in _CALLS.items()},
    **{f"{n}.default": _form(*f) for n, f in _FORMS.items()},
    **{n: _binary(*f) for n, f in _BINARY.items()},
    **{f"{n}.Tensor": _comparison(op) for n, op in _COMPARISONS.items()},
    **{f"{n}.Scalar": _comparison(op) for n, op in _COMPARISONS.items()},
    **{f"{n}.default": _logical(op) for n, op in _LOGICAL.items()},
    "add.Tensor": _sum("+"),
    "add.Scalar": _sum("+"),
    "sub.Tensor": _sum("-"),
    "sub.Scalar": _sum("-"),
    "rsub.Scalar": _reversed_difference,
    "div.Tensor_mode": _divide_and_round,
    "div.Scalar_mode": _divide_and_round,
    "pow.Tensor_Scalar": _power,
    "gelu.default": _gelu,
    "leaky_relu.default": _leaky_relu,
    "elu.default": _elu,
    "hardtanh.default": _hard_tanh,
    "clamp.default": _clamp,
    "clamp.Tensor": _clamp,
    "where.self": _where,
    "logical_not.default": _logical_not,
    "bitwise_not.default": _invert,
    "isnan.default": _classified("isnan"),
    "isinf.default": _classified("isinf"),
    "clone.default": _converted,
    "alias.default": _converted,
    "detach.default": _converted,
    "lift_fresh_copy.default": _converted,
    "_to_copy.default": _converted,
    "scalar_tensor.default": _scalar,
    "full.default": _scalar,
    "full_like.default": _scalar,
    "arange.start_step": _range,
}
