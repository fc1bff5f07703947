"""Products that sum: matrix products, linear layers, einsum, attention."""

from __future__ import annotations

from collections.abc import Callable
from math import sqrt

from polysched.torch.graph import Ref
from polysched.torch.writer import (
    ADD,
    COMPARE,
    MUL,
    NEG,
    Value,
    Writer,
    constant,
    elementwise,
)

Handler = Callable[[Writer], Value]


def _product(one: str, two: str) -> Handler:
    def handler(w: Writer) -> Value:
        left, right = (w.array(w.argument(n)) for n in (one, two))
        return elementwise(f"{left.text} @ {right.text}", w.node.tensor, MUL)

    return handler


def _sum_and_product(one: str, two: str) -> Handler:
    """``beta * self + alpha * (one @ two)``."""

    def handler(w: Writer) -> Value:
        result = w.node.tensor
        left, right = (w.array(w.argument(n)) for n in (one, two))
        text = f"{left.text} @ {right.text}"
        alpha, beta = w.number("alpha", 1), w.number("beta", 1)
        if alpha != 1:
            text = f"{constant(alpha, MUL)} * ({text})"
        if beta == 0:
            return elementwise(text, result, MUL)
        level = ADD + 1 if beta == 1 else NEG
        added = w.operand(w.argument("self"), level, result.dtype, result.shape)
        if beta != 1:
            added = f"{constant(beta, MUL)} * {added}"
        return elementwise(f"{text} + {added}", result, ADD)

    return handler


def _linear(w: Writer) -> Value:
    given, weight = (w.array(w.argument(n)) for n in ("input", "weight"))
    text = f"{given.text} @ {weight.text}.T"
    if len(weight.tensor.shape) == 1:
        text = f"{given.text} @ {weight.text}"
    if not w.has("bias"):
        return elementwise(text, w.node.tensor, MUL)
    bias = w.operand(w.argument("bias"), MUL)
    return elementwise(f"{text} + {bias}", w.node.tensor, ADD)


def _einsum(w: Writer) -> Value:
    tensors = w.argument("tensors")
    assert isinstance(tensors, tuple)
    equation = str(w.argument("equation")).replace(" ", "")
    if "." in equation:
        w.refuse(f"found {equation!r}", "equations that name every axis are taken")
    parts = ", ".join(w.array(t).text for t in tensors)
    return elementwise(f"np.einsum({equation!r}, {parts})", w.node.tensor)


def _attention(w: Writer) -> Value:
    """Scaled dot-product attention; a row that is masked as a whole gives zeros."""
    w.expect("dropout_p", 0.0)
    w.expect("enable_gqa", False)
    query, key, value = (w.array(w.argument(n)) for n in ("query", "key", "value"))
    rank = len(key.tensor.shape)
    scale = w.argument("scale")
    factor = 1 / sqrt(query.tensor.shape[-1]) if scale is None else w.number("scale")
    scores, top, exps, total, weights = (
        w.new_name(n) for n in ("scores", "top", "exp", "total", "weights")
    )
    swapped = f"np.swapaxes({key.text}, {rank - 2}, {rank - 1})"
    score = f"{constant(factor, MUL)} * ({query.text} @ {swapped})"
    w.line(f"{scores} = {_masked(w, score)}")
    w.line(f"{top} = np.max({scores}, axis=-1, keepdims=True)")
    exponentials, divisor = f"np.exp({scores} - {top})", total
    if w.has("attn_mask"):
        exponentials = f"np.where({top} > -np.inf, {exponentials}, 0)"
        divisor = f"np.where({total} > 0, {total}, 1)"
    w.line(f"{exps} = {exponentials}")
    w.line(f"{total} = np.sum({exps}, axis=-1, keepdims=True)")
    w.line(f"{weights} = {exps} / {divisor}")
    return elementwise(f"{weights} @ {value.text}", w.node.tensor, MUL)


def _masked(w: Writer, score: str) -> str:
    """The scores with what is masked at minus infinity."""
    mask = w.argument("attn_mask")
    query, key = (w.array(w.argument(n)).tensor for n in ("query", "key"))
    shape = (*query.shape[:-1], key.shape[-2])
    if w.argument("is_causal", False):
        n_rows, n_columns = shape[-2:]
        test = f"np.arange({n_rows})[:, None] >= np.arange({n_columns})"
        return f"np.where({test}, {score}, -np.inf)"
    if not isinstance(mask, Ref):
        return score
    tensor = w.tensor(mask)
    if tensor is not None and tensor.dtype == "bool":
        return f"np.where({w.operand(mask, COMPARE, shape=shape)}, {score}, -np.inf)"
    return f"{score} + {w.operand(mask, MUL, w.node.tensor.dtype, shape)}"


HANDLERS: dict[str, Handler] = {
    "mm.default": _product("self", "mat2"),
    "bmm.default": _product("self", "mat2"),
    "mv.default": _product("self", "vec"),
    "dot.default": _product("self", "tensor"),
    "matmul.default": _product("self", "other"),
    "addmm.default": _sum_and_product("mat1", "mat2"),
    "addmv.default": _sum_and_product("mat", "vec"),
    "baddbmm.default": _sum_and_product("batch1", "batch2"),
    "linear.default": _linear,
    "einsum.default": _einsum,
    "scaled_dot_product_attention.default": _attention,
}
