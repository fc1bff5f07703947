"""Flat arrays with products of sizes in bounds and subscripts, for all sizes."""

import numpy as np
import pytest

import polysched as ps
from polysched.base import FrontendError
from polysched.tensor import read_function

pytestmark = pytest.mark.cc
V = ps.float64["N"]


def all_of_them(y: V, x: V, h: int, w: int):
    for p in range(h * w):
        y[p] = 2.0 * x[p]


def backwards(y: V, x: V, h: int, w: int):
    n = h * w
    for p in range(n - 1, -1, -2):
        y[p] = x[n - 1 - p]


def five_points(y: V, x: V, h: int, w: int):
    for i in range(1, h - 1):
        for j in range(1, w - 1):
            around = x[(i - 1) * w + j] + x[(i + 1) * w + j]
            y[i * w + j] = around + x[i * w + j - 1] + x[i * w + j + 1]


def rows_and_all(y: V, x: V, h: int, w: int):
    for p in range(h * w):
        y[p] = 2.0 * x[p]
    for i in range(h):
        for j in range(w):
            y[i * w + j] += x[i * w + j] * i


def transposed(y: V, x: V, h: int, w: int):
    for i in range(h):
        for j in range(w):
            y[j * h + i] = x[i * w + w - 1 - j]


def rows(y: V, x: V, h: int, w: int):
    for i in range(h):
        row = x[i * w : (i + 1) * w]
        y[i * w : i * w + w] = row * row.sum()


def between_products(y: V, x: V, h: int, w: int):
    for i in range(h):
        for p in range(i * w, (i + 1) * w):
            y[p] = x[p] + i


def left_early(y: V, x: V, h: int, w: int):
    for i in range(h):
        for j in range(w):
            if x[i * w + j] > 0.9:
                break
            y[i * w + j] = 1.0


def planes(y: V, x: ps.float64["C", "H", "W"], h: int, w: int):
    c, height, width = x.shape
    for k in range(c):
        for i in range(height):
            for j in range(width):
                y[(k * height + i) * width + j] = x[k, i, j] + h * w


FUNCTIONS = [
    all_of_them, backwards, five_points, rows_and_all, transposed, rows,
    between_products, left_early, planes,
]  # fmt: skip
SIZES = [(40, 33, 4), (0, 0, 0), (1, 1, 0), (2, 3, 1), (7, 5, 0), (0, 5, 1), (5, 0, 2)]


def arguments(function, h, w, more):
    random = np.random.default_rng(h)
    x = random.random(h * w + more)
    if function is planes:
        x = x[: h * w].reshape(1, h, w)
    return [np.zeros(h * w + more), x, h, w]


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda f: f.__name__)
def test_all_sizes(function):
    kernel = ps.kernel(function, timeout=1.0)
    for sizes in SIZES:
        ours, expected = arguments(function, *sizes), arguments(function, *sizes)
        kernel(*ours)
        function(*expected)
        np.testing.assert_allclose(ours[0], expected[0], rtol=1e-12)


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda f: f.__name__)
def test_an_array_that_is_too_short_is_refused(function):
    y, x, h, w = arguments(function, 7, 5, 0)
    with pytest.raises((IndexError, ValueError)):
        ps.kernel(function, timeout=1.0)(y[:-1].copy(), x, h, w)
    assert not y.any()


@pytest.mark.parametrize(("h", "w"), [(-2, -3), (2**33, 2**31), (2**32, 2**32)])
def test_negative_and_huge_factors_are_refused(h, w):
    kernel = ps.kernel(all_of_them, timeout=1.0)
    with pytest.raises((IndexError, ValueError), match=r"negative factor|outside"):
        kernel(np.zeros(6), np.zeros(6), h, w)


def test_rows_get_their_dimensions_back():
    scop = ps.kernel(transposed).scop()
    assert {len(a.extents) for a in scop.arrays} == {2}


def two_iterators(x: V):
    for i in range(3):
        for j in range(3):
            x[i * j] = 1.0


def chosen_row(x: V, k: ps.int64["M"], w: int):
    for i in range(len(k)):
        x[k[i] * w] = 1.0


def negative_start(x: V, w: int):
    for i in range(-1, 3):
        x[i * w + 1] = 1.0


@pytest.mark.parametrize("function", [two_iterators, chosen_row, negative_start])
def test_other_products_are_refused(function):
    kinds = {"x": V, "k": ps.int64["M"], "w": ps.tensor.parse_annotation(int)}
    names = function.__code__.co_varnames[: function.__code__.co_argcount]
    with pytest.raises(FrontendError, match="is not affine"):
        read_function(function, {name: kinds[name] for name in names})
