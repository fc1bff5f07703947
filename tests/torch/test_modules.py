"""Whole modules: one SCoP, scheduled, built, called, equal to PyTorch."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed")

import polysched as ps  # noqa: E402
from tests.torch.checking import assert_close  # noqa: E402
from tests.torch.modules import MODULES, trained  # noqa: E402

pytestmark = pytest.mark.cc
SECONDS = 2.0  # of the search for schedules


def leaves(value):
    return torch.utils._pytree.tree_leaves(value)


@pytest.mark.parametrize("name", MODULES)
def test_it_equals_pytorch(name):
    made, args = MODULES[name]
    module = trained(made())
    kernel = ps.from_torch(module, args, timeout=SECONDS)
    assert len(kernel.program.scops) == 1
    with torch.no_grad():
        expected, found = module(*args), kernel(*args)
    assert torch.utils._pytree.tree_structure(found) == (
        torch.utils._pytree.tree_structure(expected)
    )
    for one, two in zip(leaves(found), leaves(expected), strict=True):
        assert one.dtype == two.dtype
        assert_close(one, two)


def test_it_is_a_program_like_any_other():
    made, args = MODULES["normalised"]
    kernel = ps.from_torch(trained(made()), args, timeout=SECONDS)
    space = kernel.space()
    assert space.best.id in {s.id for s in space}
    assert str(kernel.explain()).startswith("schedule ")
    assert "void normalised(" in kernel.to_c()
    places = {s.where.line for s in kernel.scop.statements}
    lines = kernel.source.splitlines()
    assert any("np.mean" in lines[place - 1] for place in places)
    assert repr(kernel) == "<torch kernel normalised, 3 operators, 2 weights>"


def test_it_is_tuned(tmp_path):
    made, args = MODULES["reductions"]
    options = {"timeout": SECONDS, "budget": 2, "cache": tmp_path}
    kernel = ps.from_torch(made(), args, **options)
    tuned = kernel.tune()
    expected = tuned.best.id if tuned.best else "original"
    assert kernel.build().schedule == expected
    assert_close(kernel(*args)["mean"], args[0].mean((0, 2)))


def test_its_source_is_a_kernel_of_its_own(tmp_path):
    made, args = MODULES["perceptron"]
    module = trained(made())
    kernel = ps.from_torch(module, args, timeout=SECONDS)
    scope = {}
    exec(kernel.source, scope)
    arrays = [args[0].numpy(), *(v.detach().numpy() for v in module.parameters())]
    assert_close(scope["perceptron"](*arrays), module(*args))
    assert "# hidden = F.gelu(self.first(x))" in kernel.source


def test_a_graph_module_and_an_exported_program_are_taken():
    made, args = MODULES["convolution"]
    module = trained(made())
    expected = module(*args)
    traced = torch.fx.symbolic_trace(module)
    exported = torch.export.export(module, args)
    kernels = [
        ps.from_torch(traced, args, name="same", timeout=SECONDS),
        ps.from_torch(exported, name="same", timeout=SECONDS),
    ]
    for kernel in kernels:
        assert_close(kernel(*args), expected)
    sources = [k.source.split('"""')[2] for k in kernels]
    plain = [[x for x in s.splitlines() if "#" not in x] for s in sources]
    assert plain[0] == plain[1]


def test_sums_may_be_reordered_if_asked_for():
    made, args = MODULES["normalised"]
    module = trained(made())
    kernel = ps.from_torch(module, args, fp="reassociate", timeout=SECONDS)
    assert_close(kernel(*args), module(*args))
    assert np.isfinite(kernel(*args).numpy()).all()
