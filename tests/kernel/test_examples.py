"""Each kernel of examples/python gives NumPy's results, under the schedule it gets."""

import importlib.util
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

EXAMPLES = Path(__file__).resolve().parents[2] / "examples" / "python"
LARGEST = 40  # enough work for the scheduled text to run
QUICK = ("jacobi_1d", "mlp", "trisolv")


def cases():
    for path in sorted(EXAMPLES.glob("*.py")):
        marks = () if path.stem in QUICK else (pytest.mark.slow,)
        yield pytest.param(path, id=path.stem, marks=(pytest.mark.cc, *marks))


def load(path):
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.kernel.options = replace(module.kernel.options, timeout=1.0)
    return module


def arrays(result, given):
    returned = result if isinstance(result, tuple) else (result,)
    return [v for v in (*returned, *given) if isinstance(v, np.ndarray)]


@pytest.mark.long
@pytest.mark.parametrize("path", list(cases()))
def test_results_are_numpys(path):
    example = load(path)
    sizes = {name: min(size, LARGEST) for name, size in example.SIZES.items()}
    ours, numpys = (example.inputs(np.random.default_rng(3), **sizes) for _ in range(2))
    found = arrays(example.kernel(*ours), ours)
    right = arrays(example.reference(*numpys), numpys)
    assert len(found) == len(right)
    for a, b in zip(found, right, strict=True):
        assert a.dtype == b.dtype
        tolerance = 1e-4 if a.dtype == np.float32 else 1e-10
        np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance)
