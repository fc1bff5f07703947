"""Kernels with loops that data end are scheduled, and compute what NumPy computes."""

from types import FunctionType

import numpy as np
import pytest

import polysched as ps
from polysched.base import PolyschedError
from tests.unit.tensor import ended

pytestmark = pytest.mark.cc
TYPES = {
    "a": ps.float64["N", "M"], "p": ps.int64["N", "M"], "u": ps.int64["N"],
    "x": ps.float64["N"], "y": ps.float64["N"], "s": float, "i": int,
}  # fmt: skip
FUNCTIONS = [
    ended.escape_counts, ended.escape_with_break, ended.until_negative,
    ended.loops_in_a_branch, ended.collatz, ended.kepler, ended.counting_in_strides,
]  # fmt: skip


def kernel_of(function, **options):
    made = FunctionType(function.__code__, function.__globals__, function.__name__)
    code = function.__code__
    names = code.co_varnames[: code.co_argcount]
    made.__annotations__.update({n: TYPES[n] for n in names})
    return ps.kernel(made, timeout=2.0, **options), names


def arguments(names, n, m):
    random = np.random.default_rng(n)
    made = {
        "a": random.normal(size=(n, m)), "p": np.zeros((n, m), dtype=np.int64),
        "u": random.integers(1, 99, n), "x": random.normal(size=n) * 2,
        "y": random.normal(size=n), "s": 0.5, "i": 5,
    }  # fmt: skip
    return [made[name] for name in names]


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda f: f.__name__)
def test_all_sizes(function):
    kernel, names = kernel_of(function)
    for n, m in ((301, 17), (0, 0), (1, 1), (2, 3), (3, 2), (7, 5)):
        ours, theirs = arguments(names, n, m), arguments(names, n, m)
        assert kernel(*ours) == function(*theirs)
        for one, two in zip(ours, theirs, strict=True):
            np.testing.assert_allclose(one, two, rtol=1e-12, atol=1e-12)


def test_the_loop_and_its_variables_are_one_statement():
    kernel, names = kernel_of(ended.until_negative)
    (statement,) = kernel.scop().statements
    assert statement.iterators == ("i",)
    assert "double s = 0.0;" in kernel.to_c(*arguments(names, 5, 5))


def test_loops_that_data_end_are_not_measured():
    kernel, names = kernel_of(ended.collatz, tune=True)
    arrays = arguments(names, 5, 5)
    with pytest.raises(PolyschedError, match="data say how often loops of collatz"):
        kernel.tune(*arrays)
    assert kernel.build(*arrays).schedule != "original"
