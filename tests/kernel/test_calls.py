"""Calls: the results are NumPy's, whatever the way in which arguments are given."""

import numpy as np
import pytest

import polysched as ps
from tests.kernel import kernels

pytestmark = pytest.mark.cc
RNG = np.random.default_rng(1)


def test_vectors():
    x, y = RNG.random((2, 1000))
    expected = y + 2.5 * x
    assert kernels.axpy(2.5, x, y) is None
    np.testing.assert_allclose(y, expected, rtol=1e-15)


def test_one_build_serves_all_sizes():
    kernels.axpy(1.0, np.ones(4), np.ones(4))
    for n in (0, 1, 2, 7, 63, 1001):
        x, y = RNG.random((2, n))
        expected = y + 3.0 * x
        kernels.axpy(3.0, x, y)
        np.testing.assert_allclose(y, expected, rtol=1e-15)
    assert repr(kernels.axpy).endswith("1 built>")


@pytest.mark.long
def test_product_of_matrices():
    C, A, B = RNG.random((50, 70)), RNG.random((50, 30)), RNG.random((30, 70))
    expected = 0.5 * C + 1.5 * A @ B
    kernels.gemm(1.5, 0.5, C, A, B)
    np.testing.assert_allclose(C, expected, rtol=1e-12)


@pytest.mark.long
def test_time_loop():
    A = RNG.random((40, 40))
    B, A2 = A.copy(), A.copy()
    for _ in range(5):
        inner = A2[1:-1, 1:-1] + A2[1:-1, :-2] + A2[1:-1, 2:]
        A2[1:-1, 1:-1] = 0.2 * (inner + A2[2:, 1:-1] + A2[:-2, 1:-1])
    kernels.jacobi(5, A, B)
    np.testing.assert_allclose(A, A2, rtol=1e-13)


def test_factorisation():
    A = RNG.random((30, 30))
    A = A @ A.T + 30 * np.eye(30)
    expected = np.linalg.cholesky(A)
    kernels.cholesky(A)
    np.testing.assert_allclose(np.tril(A), expected, rtol=1e-12)


def test_keywords_and_order():
    x, y = np.ones(5), np.zeros(5)
    kernels.axpy(y=y, a=2.0, x=x)
    np.testing.assert_array_equal(y, 2.0)


def test_python_says_what_is_missing():
    with pytest.raises(TypeError, match="missing a required argument: 'y'"):
        kernels.axpy(1.0, np.ones(3))
    with pytest.raises(TypeError, match="too many positional arguments"):
        kernels.axpy(1.0, np.ones(3), np.ones(3), 4)


@pytest.mark.parametrize(
    "a", [2, np.float64(2), np.float32(2), np.int8(2), np.array(2.0)], ids=repr
)
def test_numbers_are_converted(a):
    x, y = np.ones(5), np.zeros(5)
    kernels.axpy(a, x, y)
    np.testing.assert_array_equal(y, 2.0)


def test_types_from_the_call():
    for dtype in (np.float64, np.int32):
        x = np.arange(10, dtype=dtype)
        y = np.zeros_like(x)
        kernels.negate(x, y)
        np.testing.assert_array_equal(y, -x)
    assert repr(kernels.negate).endswith("2 built>")


def test_numbers_of_another_signature_do_not_mix():
    @ps.kernel
    def times(a, x, y):
        for i in range(len(x)):
            y[i] = a * x[i]

    x, y = np.ones(3, np.float32), np.zeros(3, np.float64)
    tenth = 0.1
    times(np.float64(tenth), x, y)
    assert y[0] == tenth
    times(tenth, x, y)
    assert y[0] == np.float32(tenth)
    times(np.float64(tenth), x, y)
    assert y[0] == tenth


def test_integers_wrap_as_numpys():
    x, y = np.full(4, 2**31 - 1, np.int32), np.zeros(4, np.int64)
    kernels.histogram(3, x, y)
    with np.errstate(over="ignore"):
        np.testing.assert_array_equal(y, x * np.int32(3))


def test_memory_maps_and_other_views_on_plain_memory(tmp_path):
    x = np.memmap(tmp_path / "x", dtype=np.float64, shape=(8,), mode="w+")
    x[:] = 1.0
    y = np.zeros(20)
    kernels.axpy(2.0, x, y[4:12])
    np.testing.assert_array_equal(y[4:12], 2.0)
    assert y[3] == y[12] == 0.0


def test_read_only_arrays_may_be_read():
    x, y = np.ones(5), np.zeros(5)
    x.flags.writeable = False
    kernels.axpy(1.0, x, y)
    np.testing.assert_array_equal(y, 1.0)


@pytest.mark.long
def test_one_array_may_be_read_under_two_names():
    A = RNG.random((20, 20))
    C = np.zeros((20, 20))
    kernels.gemm(1.0, 0.0, C, A, A)
    np.testing.assert_allclose(C, A @ A, rtol=1e-12)


def test_names_that_mean_something_else_in_c():
    y = np.zeros((70, 80))
    kernels.fill(60, y)
    assert (y[:60] == 60.0).all()
    assert (y[60:] == 0.0).all()
    with pytest.raises(IndexError, match="I = 71"):
        kernels.fill(71, y)
    with pytest.raises(ValueError, match=r"'I' is .*, too large for a number of iter"):
        kernels.fill(2**50, y)
    assert kernels.fill.space(60, y).best


def test_masks_are_arguments(tmp_path):
    def choose(x: ps.float64["N", "M"], m: ps.bool_["N", "M"], any_: ps.bool_["N"]):
        x[m] = -x[m]
        for i in range(x.shape[0]):
            any_[i] = np.any(m[i])

    kernel = ps.kernel(cache=tmp_path)(choose)
    x = np.arange(12.0).reshape(3, 4)
    m = np.zeros((3, 4), dtype=bool)
    m[0, 1] = m[2] = True
    found, expected = np.ones(3, dtype=bool), x.copy()
    expected[m] *= -1
    kernel(x, m, found)
    np.testing.assert_array_equal(x, expected)
    np.testing.assert_array_equal(found, [True, False, True])
    with pytest.raises(TypeError, match="'m' is an array of int64, expected bool"):
        kernel(x, m.astype(np.int64), found)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"fp": "stict"}, "fp is 'stict', expected one of 'strict'"),
        ({"threads": 0}, "threads is 0, expected at least 1"),
        ({"budget": 0}, "budget is 0"),
        ({"timeout": float("nan")}, "timeout is nan"),
    ],
)
def test_options_that_mean_nothing_are_refused_before_a_call(options, words):
    with pytest.raises(ps.PolyschedError, match=words):
        ps.kernel(**options)


def test_an_unknown_policy_is_no_reason_to_keep_the_order(tmp_path):
    def twice(x: ps.float64["N"]):
        return 2 * x

    with pytest.raises(ps.PolyschedError, match="nosuch"):
        ps.kernel(twice, policy="nosuch", cache=tmp_path)(np.ones(3))
