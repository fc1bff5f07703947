"""Runs an imported module as a NumPy function, and as C without any schedule."""

from __future__ import annotations

import numpy as np
import torch

from polysched.kernel.signature import KernelSignature
from polysched.tensor import lower, read_function
from polysched.torch.export import export
from polysched.torch.function import make_function
from polysched.torch.module import as_argument, type_of_output
from polysched.torch.source import write_source
from tests.fuzz.tensor_runs import build_library, run

RELATIVE, ABSOLUTE = 3e-5, 3e-6


class Wrapped(torch.nn.Module):
    """A function as a module."""

    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, *args):
        return self.function(*args)


def check_unscheduled(module, args, folder):
    """The NumPy function, and its C text as it is, give what the module gives."""
    imported = export(module, args, None, "module")
    graph = imported.graph
    text = write_source(graph).text
    function = make_function(text, graph.name)
    held = {k: v.detach().numpy() for k, v in imported.weights.items()}
    given = dict(zip((i.name for i in imported.given), args, strict=True))
    arrays = {
        i.name: as_argument(
            i.tensor, held[i.name] if i.name in held else given[i.name].numpy()
        )
        for i in graph.inputs
    }
    with torch.no_grad(), np.errstate(all="ignore"):
        leaves = torch.utils._pytree.tree_leaves(module(*args))
        computed = as_tuple(function(**arrays))
    expected = [v for v in leaves if isinstance(v, torch.Tensor)]
    lowered = lower(read_function(function, KernelSignature(function).annotated))
    library = build_library([lowered], folder)
    compiled = as_tuple(run(library, lowered, arrays, {}))
    assert len(expected) == len(computed) == len(compiled)
    for k, want in enumerate(expected):
        assert type_of_output(graph, k).shape == tuple(want.shape)
        assert_close(computed[k], want, f"result {k} by NumPy")
        assert np.asarray(compiled[k]).dtype == want.numpy().dtype, text
        assert_close(compiled[k], want, f"result {k} by C")


def assert_close(found, expected, what=""):
    """Equal but for the order of sums."""
    want = expected.detach().numpy()
    found = np.asarray(found)
    assert found.shape == want.shape, what
    np.testing.assert_allclose(
        found.astype(want.dtype), want, RELATIVE, ABSOLUTE, err_msg=what
    )


def as_tuple(value):
    return value if isinstance(value, tuple) else (value,)
