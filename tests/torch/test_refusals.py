"""What is not taken is refused with the node, the operator and the user's line."""

from __future__ import annotations

import re

import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed")

import torch.nn.functional as F  # noqa: E402, N812
from torch import nn  # noqa: E402

import polysched as ps  # noqa: E402
from tests.torch.modules import sample  # noqa: E402

X, IMAGE = sample(2, 5, 8), sample(1, 4, 9, 9)


def branch(x):
    if x.sum() > 0:
        return x
    return -x


CASES = {
    "topk": (lambda x: torch.topk(x, 2)[0], (X,), "aten.topk.default.*not taken"),
    "sort": (lambda x: torch.sort(x)[0], (X,), "subscripts that depend on data"),
    "positions": (lambda x: x.argmax(), (X,), "aten.argmax.default.*one axis"),
    "embedding": (
        lambda i, w: F.embedding(i, w),
        (torch.tensor([1, 2]), sample(4, 3)),
        "aten.embedding.default.*not taken",
    ),
    "by_index": (lambda x, i: x[i], (X, torch.tensor([1, 0])), "aten.index.Tensor"),
    "by_mask": (lambda x: x[x > 0], (X,), "is not known"),
    "branch": (branch, (X,), "torch.export cannot trace"),
    "item": (lambda x: x * x.sum().item(), (X,), "which is no tensor"),
    "half": (lambda x: x.half() * 2, (X,), "found a tensor of float16"),
    "half_given": (lambda x: x * 2, (X.half(),), "found a tensor of float16"),
    "complex": (lambda x: torch.fft.rfft(x).real, (X,), "complex64"),
    "dropout": (lambda x: F.dropout(x, 0.5, True), (X,), "module.eval()"),
    "random": (lambda x: x + torch.rand(8), (X,), "aten.rand.default"),
    "training": (nn.BatchNorm2d(4).train(), (IMAGE,),
        "changes 'running_mean' in place"),
    "changed": (lambda x: x.add_(1), (X,), "let it change a copy"),
    "transposed": (nn.ConvTranspose2d(4, 4, 2), (IMAGE,), "found transposed=True"),
    "ceil": (lambda x: F.max_pool2d(x, 2, ceil_mode=True), (IMAGE,),
        "found ceil_mode=True"),
    "places": (
        lambda x: F.max_pool2d(x, 2, return_indices=True)[1], (IMAGE,),
        "only the values are taken",
    ),
    "counted": (
        lambda x: F.avg_pool2d(x, 2, padding=1, count_include_pad=False), (IMAGE,),
        "found count_include_pad=False",
    ),
    "adaptive": (lambda x: F.adaptive_avg_pool2d(x, 2), (IMAGE,), "sizes that divide"),
    "upsampled": (lambda x: F.interpolate(x, size=(13, 13)), (IMAGE,), "whole factors"),
    "norm": (lambda x: torch.linalg.vector_norm(x, 3), (X,), "norm of order 3"),
    "overload": (
        lambda x: torch.round(x, decimals=2), (X,), "of round are taken: round.default"
    ),
    "ellipsis": (
        lambda x: torch.einsum("...i,...i->...", x, x), (X,), "name every axis"
    ),
    "solver": (lambda x: torch.linalg.inv(x), (sample(3, 3),), "is no ATen operator"),
    "nothing": (lambda x: 3, (X,), "found no tensor as the result"),
    "no_function": (3, (X,), "found an object of type 'int'"),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_it_is_refused(name):
    module, args, text = CASES[name]
    with pytest.raises(ps.PolyschedError) as refusal:
        ps.from_torch(module, args)
    told = " ".join(str(refusal.value).split())
    assert re.search(text, told), told


class Sorted(nn.Module):
    def forward(self, x):
        y = x * 2
        return torch.sort(y)[0]


def test_the_line_of_the_module_is_shown():
    with pytest.raises(ps.PolyschedError) as refusal:
        ps.from_torch(Sorted(), (X,))
    where = refusal.value.where
    assert where.file == __file__
    assert where.text == "return torch.sort(y)[0]"
    assert "node 'sort', aten.sort.default" in str(refusal.value)


def test_sizes_that_may_change_are_refused():
    class Twice(nn.Module):
        def forward(self, x):
            return x * 2

    sizes = {"x": {0: torch.export.Dim("batch")}}
    exported = torch.export.export(Twice(), (X,), dynamic_shapes=sizes)
    with pytest.raises(ps.PolyschedError, match="export without dynamic_shapes"):
        ps.from_torch(exported)
