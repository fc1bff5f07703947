"""Sums of NumPy may be added up in any order, those of a function's own loops not."""

import numpy as np
import pytest

import polysched as ps

pytestmark = pytest.mark.cc


def dot(x: ps.float64["N"], y: ps.float64["N"]):
    return x @ y


def own(x: ps.float64["N"], y: ps.float64["N"]):
    total = 0.0
    for i in range(len(x)):
        total += x[i] * y[i]
    return total


def one_after_the_other(x, y):
    total = 0.0
    for a, b in zip(x, y, strict=True):
        total += a * b
    return total


@pytest.mark.parametrize(
    ("function", "fp", "is_free"),
    [
        (dot, "promised", True),
        (dot, "strict", False),
        (dot, "reassociate", True),
        (own, "promised", False),
        (own, "strict", False),
        (own, "reassociate", True),
    ],
)
def test_which_sums_run_in_lanes(function, fp, is_free):
    kernel = ps.kernel(fp=fp)(function)
    random = np.random.default_rng(3)
    x, y = random.normal(size=(2, 60_001)) * 10.0 ** random.integers(-3, 4, 60_001)
    result = kernel(x, y)
    assert ("reduction(+" in kernel.to_c(x, y)) == is_free
    bound = len(x) * 2.0**-52 * np.sum(np.abs(x * y))
    assert abs(result - one_after_the_other(x, y)) <= bound


def test_the_default_is_what_numpy_promises():
    assert ps.kernel(dot).options.fp == "promised"
    assert ps.kernel(dot).space(ps.float64[5000], ps.float64[5000]).fp == "promised"
