"""What a call takes and gives, and what it refuses."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed")

from torch import nn  # noqa: E402

import polysched as ps  # noqa: E402
from tests.torch.checking import assert_close  # noqa: E402
from tests.torch.modules import sample  # noqa: E402

pytestmark = pytest.mark.cc
X = sample(4, 6)


class Scaled(nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(6))
        self.gain = nn.Parameter(torch.tensor(2.0))
        self.register_buffer("mask", torch.arange(6) % 2 == 0)

    def forward(self, x):
        return torch.where(self.mask, x * self.weight, 0.0) * self.gain


@pytest.fixture(scope="module")
def scaled():
    module = Scaled()
    return module, ps.from_torch(module, (X,), timeout=2.0)


def nested(pair, *, factor, options):
    return {
        "sum": pair[0] + factor * pair[1],
        "count": 3,
        "options": [pair[0] * options["k"]],
    }


@pytest.fixture(scope="module")
def nest():
    return ps.from_torch(
        nested, ([X, X + 1],), {"factor": 2.0, "options": {"k": X}}, timeout=2.0
    )


def test_weights_are_read_at_each_call(scaled):
    module, kernel = scaled
    assert_close(kernel(X), module(X))
    with torch.no_grad():
        module.weight.mul_(3)
        module.gain.fill_(-1.5)
        module.mask.logical_not_()
    assert_close(kernel(X), module(X))
    module.weight.data = torch.full((6,), 0.5)
    assert_close(kernel(X), module(X))


def test_weights_that_do_not_lie_in_order_are_read_at_each_call():
    module = nn.Linear(6, 4)
    module.weight = nn.Parameter(sample(6, 4).T)
    kernel = ps.from_torch(module, (X,), timeout=2.0)
    assert_close(kernel(X), module(X))
    with torch.no_grad():
        module.weight.mul_(-2)
    assert_close(kernel(X), module(X))


def test_arrays_of_numpy_are_taken_and_tensors_given(scaled):
    module, kernel = scaled
    result = kernel(X.numpy())
    assert isinstance(result, torch.Tensor)
    assert_close(result, module(X))


def test_results_are_new(scaled):
    _, kernel = scaled
    one, two = kernel(X), kernel(X)
    one.zero_()
    assert two.abs().sum() > 0


def test_arguments_and_results_are_nested(nest):
    found = nest([X, X + 1], factor=2.0, options={"k": X})
    expected = nested([X, X + 1], factor=2.0, options={"k": X})
    assert found["count"] == 3
    assert_close(found["sum"], expected["sum"])
    assert_close(found["options"][0], expected["options"][0])


def test_truth_values_and_numbers_are_taken():
    def choose(mask, scale, x):
        return torch.where(mask, x * scale, x), (x > 0).any(), x.sum()

    args = (X > 0, torch.tensor(3.0, dtype=torch.float64), X)
    kernel = ps.from_torch(choose, args, timeout=2.0)
    for one, two in zip(kernel(*args), choose(*args), strict=True):
        assert one.dtype == two.dtype
        assert_close(one, two)


REFUSED = {
    "shape": (lambda k: k(X[:2]), ps.ArgumentValueError, "has the size 2, expected 4"),
    "dtype": (lambda k: k(X.double()), ps.ArgumentTypeError, "float64, "
              "expected float32"),
    "order": (lambda k: k(sample(6, 4).T), ps.ArgumentValueError,
        "does not lie in memory"),
    "device": (lambda k: k(X.to("meta")), ps.ArgumentValueError, "expected the CPU"),
    "gradient": (
        lambda k: k(X.clone().requires_grad_()),
        ps.ArgumentValueError,
        "requires a gradient",
    ),
    "kind": (lambda k: k([1.0]), ps.ArgumentTypeError, "'list', expected a tensor"),
    "plain": (lambda k: k(3.0), ps.ArgumentTypeError, "'float', expected a tensor"),
    "pair": (lambda k: k((X, X)), ps.ArgumentTypeError, "'tuple', expected a tensor"),
    "number": (lambda k: k(X, X), ps.ArgumentTypeError,
        "was traced with other arguments"),
    "keyword": (lambda k: k(X, y=1), ps.ArgumentTypeError, "was traced with other"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_does_not_fit_is_refused(scaled, name):
    call, error, text = REFUSED[name]
    with pytest.raises(error, match=text):
        call(scaled[1])


def test_a_gradient_that_nobody_asks_for_is_no_reason(scaled):
    module, kernel = scaled
    with torch.no_grad():
        assert_close(kernel(X.clone().requires_grad_()), module(X))


def test_a_number_of_the_trace_cannot_change(nest):
    with pytest.raises(ps.ArgumentValueError, match=r"2\.0, found 2\.5"):
        nest([X, X], factor=2.5, options={"k": X})


def test_results_are_arrays_of_their_own():
    kernel = ps.from_torch(lambda x: (x, x.T, x + 1), (X,), name="same", timeout=2.0)
    same, turned, more = kernel(X)
    assert same.data_ptr() != X.data_ptr()
    assert_close(turned, X.T)
    assert np.array_equal(more.numpy(), (X + 1).numpy())


def test_it_shows_itself(scaled):
    _, kernel = scaled
    assert "def scaled" in kernel._repr_html_()
