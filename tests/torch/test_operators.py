"""Every operator, as NumPy and as C without a schedule, gives PyTorch's values."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed")

import torch.nn.functional as F  # noqa: E402, N812
from torch import nn  # noqa: E402

from tests.torch.checking import Wrapped, check_unscheduled  # noqa: E402
from tests.torch.modules import sample, trained  # noqa: E402

pytestmark = pytest.mark.cc

ANY = [
    "exp",
    "sin",
    "cos",
    "tanh",
    "sigmoid",
    "abs",
    "neg",
    "floor",
    "ceil",
    "trunc",
    "round",
    "sign",
    "erf",
    "expm1",
    "relu",
    "exp2",
    "square",
    "sinh",
    "cosh",
    "atan",
    "isnan",
    "isinf",
    "logical_not",
    "asinh",
]
POSITIVE = "log sqrt rsqrt log2 log10 log1p reciprocal".split()  # noqa: SIM905
SMALL = "asin acos atanh tan".split()  # noqa: SIM905
ACTIVATIONS = [
    "gelu",
    "silu",
    "elu",
    "selu",
    "leaky_relu",
    "hardswish",
    "hardsigmoid",
    "hardtanh",
    "softplus",
    "mish",
    "celu",
    "relu6",
    "logsigmoid",
    "softsign",
    "tanhshrink",
    "softshrink",
    "hardshrink",
]
X, Y = sample(2, 5, 8), sample(2, 5, 8).flip(1)
IMAGE = sample(2, 4, 10, 12)
WHOLE = torch.arange(-6, 6).reshape(3, 4)
SHORT = torch.arange(6, dtype=torch.int32).reshape(2, 3)
MASK = torch.tensor([[1, 0, 0, 0, 0]] * 3 + [[0] * 5] + [[1] * 5], dtype=torch.bool)


def changed_copy(x):
    y = x.clone()
    y[:, 0] = 1.0
    y += 1
    y[1, :, 2:4] *= 2
    return y.relu_()


FUNCTIONS = {
    "anywhere": (lambda x: tuple(getattr(torch, n)(x) for n in ANY), (X,)),
    "positive": (lambda x: tuple(getattr(torch, n)(x) for n in POSITIVE),
        (X.abs() + 0.1,)),
    "small": (lambda x: tuple(getattr(torch, n)(x) for n in SMALL), (X.tanh() * 0.9,)),
    "activations": (lambda x: tuple(getattr(F, n)(x) for n in ACTIVATIONS), (X,)),
    "tanh_gelu": (lambda x: F.gelu(x, approximate="tanh"), (X,)),
    "factors": (lambda a, b: (torch.add(a, b, alpha=2.5), torch.sub(a, b, alpha=-2)),
        (X, Y)),
    "precedence": (
        lambda a, b: (
            (a - b) - (a - (b + a)) * (-(a + b)) / (a * (b / (a * a + 1))) ** 2,
            1 - a - (b - a) - (a - (b - a)),
            -(a**2) * (-a) ** 3 / (-1.5 + b) - -2 * a,
        ),
        (X, Y),
    ),
    "divisions": (
        lambda a, b: (a // b, torch.div(a, b, rounding_mode="trunc"), a % b,
            torch.fmod(a, b)),
        (X, Y),
    ),
    "powers": (
        lambda a, b: (a**2, a**3, (a * a) ** 0.5, (a * a + 1) ** -1.5, 2.0**b,
            (a * a + 0.1) ** b),
        (X, Y),
    ),
    "extremes": (
        lambda a, b: (
            torch.maximum(a, b), torch.minimum(a, b), a.clamp(-0.5, 0.5),
            a.clamp(min=0),
            b.clamp(max=0.1), torch.clamp(a, min=b), torch.atan2(a, b),
        ),
        (X, Y),
    ),
    "choices": (
        lambda a, b: (
            torch.where(a > b, a, b * 2), torch.where(a <= 0, 0.0, b),
            a.masked_fill(b > 0, -1.0),
        ),
        (X, Y),
    ),
    "truth": (
        lambda a, b: (
            (a > b) & (a < 1) | (b >= 0) ^ (a != b), (a > 0).float(), (b == a).int(),
            ~(a > 0), torch.logical_and(a > 0, b > 0), torch.logical_xor(a, b),
            torch.logical_or(a > 1, b > 1),
        ),
        (X, Y),
    ),
    "integers": (
        lambda i: (
            i / 2, i + 1, i * 2.5, i // 3, i % 3, i.float().exp(), i.sum(), i > 2,
            i & 3,
            torch.sqrt(i), -i, i.abs(), i**2, i > 2.5, i.clamp(-2, 2), ~i,
        ),
        (WHOLE,),
    ),
    "mixed_integers": (
        lambda i, j: (i + j, i * 2, i.sum(1), i / j.clamp(min=1), i.long(), i < j,
            i | 4),
        (SHORT, WHOLE[:2, :3].contiguous()),
    ),
    "mixed_floats": (
        lambda a, b: (a + b, a * 2, b.double().exp(), a @ b.double().T),
        (sample(3, 4).double(), sample(3, 4)),
    ),
    "numbers": (
        lambda a, s: (a * s, s + 1, a.sum() * s, s.exp(), a.mean() * torch.tensor(2.0)),
        (sample(3, 4), torch.tensor(2.5)),
    ),
    "masks": (
        lambda a, m: (a.masked_fill(~m, 0.0), a * m, m.sum(), m.any(1), m.all(),
            m.float()),
        (sample(3, 4), sample(3, 4) > 0),
    ),
    "sums": (
        lambda x: (
            x.sum(), x.sum(1), x.sum((0, 2)), x.sum(-1, keepdim=True), x.mean(),
            x.mean((1, 2), keepdim=True), x.sum(dtype=torch.float64), x.prod(1),
            x.cumsum(1), x.cumprod(2),
        ),
        (X,),
    ),
    "greatest": (
        lambda x: (
            x.amax(1), x.amin((0, 1)), x.max(), x.min(), x.max(2).values, x.min(0)[0],
            x.amax((0, 1, 2), keepdim=True), x.argmax(1), x.argmin(2, keepdim=True),
            *x.max(1), *x.min(1, keepdim=True), x[0, 0].argmax(),
            x[0, 0].argmin(0, keepdim=True),
        ),
        (X,),
    ),
    "spreads": (
        lambda x: (
            x.var(1), x.var(), x.std(-1, keepdim=True), torch.var(x, (0, 1),
            correction=0),
            *torch.var_mean(x, 1),
        ),
        (X,),
    ),
    "norms": (
        lambda x: (
            x.norm(dim=1), x.norm(), torch.linalg.vector_norm(x, 1, dim=2),
            torch.linalg.vector_norm(x, float("inf"), dim=(0, 1), keepdim=True),
            F.normalize(x, dim=-1), F.rms_norm(x, (8,)),
            F.cosine_similarity(x, x + 1, dim=-1),
        ),
        (X,),
    ),
    "exponentials": (
        lambda x: (
            torch.logsumexp(x, 1), F.softmax(x, 1), F.log_softmax(x, -1), F.softmin(x,
            -1),
            F.softmax(x.transpose(0, 2), 0),
        ),
        (X,),
    ),
    "matrices": (
        lambda a, b: (
            a @ b, torch.addmm(a @ b, a, b, beta=0.5, alpha=2.0), a @ b[:, 0],
            torch.dot(a[0], b[:, 0]), torch.addmv(a[:, 0], a, b[:, 1]),
            torch.outer(a[0], b[0]), torch.mm(b.T, a.T),
        ),
        (sample(4, 5), sample(5, 3)),
    ),
    "batches": (
        lambda a, b: (
            torch.bmm(a, b), torch.baddbmm(a @ b, a, b), a @ b[0], a[:, None] @ b,
            torch.einsum("bij,bjk->bk", a, b), torch.einsum("bij,kl->bkil", a, b[0]),
            torch.tensordot(a, b, ([0, 2], [0, 1])),
        ),
        (sample(2, 4, 5), sample(2, 5, 3)),
    ),
    "linear": (
        lambda x, w, b: (F.linear(x, w, b), F.linear(x, w), F.linear(x[0, 0], w, b)),
        (X, sample(4, 8), sample(4)),
    ),
    "attention": (
        lambda x, m: (
            F.scaled_dot_product_attention(x, x, x),
            F.scaled_dot_product_attention(x, x, x, is_causal=True),
            F.scaled_dot_product_attention(x, x, x, attn_mask=m),
            F.scaled_dot_product_attention(x, x, x, attn_mask=m.float(), scale=0.3),
        ),
        (X, MASK),
    ),
    "reshaped": (
        lambda x: (
            x.permute(2, 0, 1) + 0, x.transpose(0, 1).reshape(10, 8) * 2, x.view(10,
            8) + 1,
            x.view(2, 5, 2, 4).sum(-1), x.flatten(), x.flatten(1)[:, ::2],
            x.reshape(4, 20),
            x.reshape(5, 16), x.mT, x.unflatten(2, (2, 4)), x.view(2, 5, 8, 1), x[0,
            0, :1].view(()),
            x.reshape(10, 2, 4) @ x.reshape(10, 4, 2), x.sum().view(1, 1),
        ),
        (X,),
    ),
    "sliced": (
        lambda x: (
            x[1], x[:, 1:4], x[..., ::2], x[:, -2:], x[0, 2, 3], x[:, :, None],
            x.select(1, 2),
            x.narrow(1, 1, 3), x.chunk(3, 1)[2], x.split([2, 3], 1)[0] + 1,
            x.unbind(1)[2],
            x[:, :100], x.flip(1), x.roll(2, 1), x.roll(-1, 2), x[:, :1].squeeze(),
        ),
        (X,),
    ),
    "joined": (
        lambda x: (
            x.unsqueeze(1).expand(2, 3, 5, 8) * 2, torch.cat([x, x * 2], 1),
            torch.stack([x, x + 1], -1), x.repeat(2, 1, 3), x.repeat(2, 1, 1, 1),
            x[0].expand(3, 5, 8), torch.hstack([x, x]), x.movedim(0, 2),
            torch.tile(x, (1, 2)), torch.cat([x, x.double()]), x[0, 0, 0].expand(2, 2),
        ),
        (X,),
    ),
    "made": (
        lambda x: (
            torch.zeros(3, 4) + 1, torch.ones_like(x), torch.full((2,), 3.5),
            torch.arange(5),
            torch.arange(5.0) * 2, x.new_zeros(2), torch.tril(x[0]), torch.triu(x[0],
            1),
        ),
        (X,),
    ),
    "changed": (changed_copy, (X,)),
    "same": (lambda x: (x, x.clone(), x.view(10, 8), x, {"a": x + 1, "b": None}), (X,)),
    "padded": (
        lambda x: (F.pad(x, (1, 2)), F.pad(x, (1, 0, 2, 1), value=3.0), F.pad(x, (0,
            0, 0, 0, 1, 1))),
        (X,),
    ),
    "maxima": (
        lambda x: (
            F.max_pool2d(x, 2), F.max_pool2d(x, 3, stride=2, padding=1),
            F.max_pool2d(x[0], 2),
            F.max_pool2d(x, (2, 3), dilation=(2, 1)), F.max_pool1d(x[0], 2),
        ),
        (IMAGE,),
    ),
    "averages": (
        lambda x: (
            F.avg_pool2d(x, 2), F.avg_pool2d(x, 3, stride=1, padding=1),
            F.avg_pool2d(x, 2, divisor_override=3), F.adaptive_avg_pool2d(x, 1),
            F.adaptive_avg_pool2d(x, (5, 4)), F.avg_pool1d(x[0], 3),
        ),
        (IMAGE,),
    ),
    "larger": (
        lambda x: (F.interpolate(x, scale_factor=2), F.interpolate(x, size=(30, 24))),
        (IMAGE,),
    ),
    "shuffled": (lambda x: F.pixel_shuffle(x, 2), (IMAGE,)),
}  # fmt: skip
LAYERS = {
    "conv": (nn.Conv2d(4, 6, 3), (IMAGE,)),
    "conv_strided": (nn.Conv2d(4, 6, 3, padding=1, stride=2), (IMAGE,)),
    "conv_dilated": (nn.Conv2d(4, 6, (1, 5), dilation=2, bias=False), (IMAGE,)),
    "conv_pointwise": (nn.Conv2d(4, 6, 1), (IMAGE,)),
    "conv_grouped": (nn.Conv2d(4, 6, 3, groups=2, padding=2), (IMAGE,)),
    "conv_depthwise": (nn.Conv2d(4, 4, 3, groups=4, padding=1), (IMAGE,)),
    "conv_multiplied": (nn.Conv2d(4, 8, 3, groups=4), (IMAGE,)),
    "conv_1d": (nn.Conv1d(4, 6, 3, padding="same"), (sample(2, 4, 10),)),
    "conv_3d": (nn.Conv3d(2, 3, 2), (sample(1, 2, 4, 5, 6),)),
    "batch_norm": (nn.BatchNorm2d(4), (IMAGE,)),
    "batch_norm_1d": (nn.BatchNorm1d(8, affine=False), (sample(3, 8),)),
    "group_norm": (nn.GroupNorm(2, 4), (IMAGE,)),
    "instance_norm": (nn.InstanceNorm2d(4, affine=True), (IMAGE,)),
    "layer_norm": (nn.LayerNorm((5, 8)), (X,)),
    "layer_norm_plain": (nn.LayerNorm(8, elementwise_affine=False), (X,)),
    "heads": (nn.MultiheadAttention(8, 2, batch_first=True), (X, X, X)),
    "encoder": (nn.TransformerEncoderLayer(8, 2, 16, batch_first=True,
        norm_first=True), (X,)),
    "recurrent": (nn.LSTM(8, 3, batch_first=True), (X,)),
    "gated": (nn.GRU(8, 3), (X,)),
}  # fmt: skip


@pytest.mark.parametrize("name", FUNCTIONS)
def test_function(name, tmp_path):
    function, args = FUNCTIONS[name]
    check_unscheduled(Wrapped(function), args, tmp_path)


@pytest.mark.parametrize("name", LAYERS)
def test_layer(name, tmp_path):
    layer, args = LAYERS[name]
    check_unscheduled(trained(layer), args, tmp_path)
