"""Writes at places that an array chooses are NumPy's, and are checked at each call."""

import numpy as np
import pytest

import polysched as ps
from polysched.base import FrontendError
from polysched.tensor import read_function

pytestmark = pytest.mark.cc
N, M = ps.float64["N"], ps.float64["M"]
T, R = ps.float64["N", "C"], ps.float64["M", "C"]
K, K2 = ps.int64["M"], ps.int32["M"]


def put(x: N, v: M, k: K):
    x[k] = v


def put_one(x: N, k: K):
    x[k] = x[0] + 1


def put_itself(x: N, k: ps.int64["N"]):
    x[k] = x[::-1]


def put_part(x: N, v: M, k: K):
    x[k[2:]] = 2 * v[2:]


def put_rows(t: T, r: R, k: K):
    t[k] = r


def put_a_row(t: T, r: R, k: K):
    t[k] = r[0]


def put_columns(t: T, v: ps.float64["N"], k: ps.int64["C"]):
    t.T[k] = v


def count(x: N, k: K2):
    np.add.at(x, k, 1)


def add(x: N, v: M, k: K):
    np.add.at(x, k, v * 2 + 1)


def subtract_rows(t: T, r: R, k: K):
    np.subtract.at(t, k, r)


def scale(x: N, v: M, k: K):
    np.multiply.at(x, k, v)


def bins(k: K2):
    return np.bincount(k, minlength=9)


def weighted_bins(k: K, v: M):
    return np.bincount(k, minlength=9, weights=v * 2)


def highest(x: N, v: M, k: K):
    np.maximum.at(x, k, v)
    np.minimum.at(x, k[1:], v[1:] + 0.25)


def distances(x: N, v: M, k: K):
    for i in range(len(v)):
        x[abs(i - 2)] += v[abs(1 - i)]
    for i in range(abs(len(v) - 12)):
        x[0] += i * k[0]


FUNCTIONS = [
    put, put_one, put_itself, put_part, put_rows, put_a_row, put_columns, count, add,
    subtract_rows, scale, highest, distances, bins, weighted_bins,
]  # fmt: skip


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize("m", [8, 3, 2])
def test_results_are_numpys(function, m):
    rng = np.random.default_rng(4)
    n, c = 7, 3
    arrays = {"x": rng.random(n), "t": rng.random((n, c)), "r": rng.random((m, c))}
    length = {put_itself: n, put_columns: c}.get(function, m)
    arrays["v"] = rng.random(n if function is put_columns else m)
    arrays["k"] = rng.integers(0, min(c, 4), length)
    if function in (count, bins):
        arrays["k"] = arrays["k"].astype(np.int32)
    names = function.__annotations__
    kernel = ps.kernel(function, timeout=1.0)
    ours, numpys = ({s: arrays[s].copy() for s in names} for _ in range(2))
    found, expected = kernel(**ours), function(**numpys)
    if expected is not None:
        assert found.dtype == expected.dtype
        np.testing.assert_allclose(found, expected, rtol=1e-12)
    for name in names:
        np.testing.assert_allclose(ours[name], numpys[name], rtol=1e-12)


@pytest.mark.parametrize("wrong", [-1, 7])
def test_a_place_outside_is_an_index_error(wrong):
    x, v, k = np.zeros(7), np.ones(2), np.array([1, wrong])
    with pytest.raises(IndexError, match=f"'k' holds {wrong} at"):
        ps.kernel(put, timeout=1.0)(x, v, k)
    assert not x.any()


def test_no_place_changes_nothing():
    x = np.ones(7)
    ps.kernel(add, timeout=1.0)(x, np.zeros(0), np.zeros(0, dtype=np.int64))
    assert (x == 1).all()


def twice(x, k, v):
    x[k] += v


def floats_into_integers(h, k, v):
    np.add.at(h, k, v)


def several_dimensions(x, q, v):
    x[q] = v


def other_length(x, k, t):
    x[k] = t


def written_itself(k, v):
    k[0] = 1
    np.add.at(v, k, 1)


@pytest.mark.parametrize(
    ("function", "reason"),
    [
        (twice, r"found an array as a subscript[^~]*np\.add\.at"),
        (floats_into_integers, "cannot change int64 in place to float64"),
        (several_dimensions, "several dimensions as a subscript that is written"),
        (other_length, "cannot write the shape"),
        (written_itself, "is no index array|is written in the function"),
    ],
)
def test_what_is_not_taken_is_refused(function, reason):
    kinds = {
        "x": N, "v": M, "k": K, "h": ps.int64["N"], "q": ps.int64["M", "M"], "t": T,
    }  # fmt: skip
    names = function.__code__.co_varnames[: function.__code__.co_argcount]
    with pytest.raises(FrontendError, match=reason):
        read_function(function, {name: kinds[name] for name in names})
