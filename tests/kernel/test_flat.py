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


M, W = ps.float64["H", "W"], ps.float64["W", "H"]
T = ps.float64["B", "H", "W"]


def vector_as_matrix(y: M, x: V):
    z = x.reshape(y.shape)
    z[1:, :-1] += y[:-1, 1:]
    y += z


def vectors_as_matrices(y: V, x: V, h: int, w: int):
    a, b = x.reshape(h, w), y.reshape((h, w))
    for i in range(h):
        for j in range(w):
            b[i, j] = a[i, j] + a[i, -1] + a[h - 1 - i, j]
    a[:, 0] = 7
    y += x


def transposed_matrix(y: V, x: V, h: int, w: int):
    y.reshape(h, w)[:] = x.reshape(w, h).T


def matrix_as_vector(y: V, x: M):
    y[:] = x.reshape(-1) * 2
    for p in range(len(y)):
        y[p] += x.ravel()[p]
    x += 1


def changed_as_a_vector(x: M, y: V):
    z = x.ravel()
    for p in range(z.shape[0]):
        z[p] = 2.0 * z[p]
    x[:, 0] = 3
    y[0] = z.sum() + x.flatten()[1]


def joined_axes(x: T, y: ps.float64["B"]):
    b, h, w = x.shape
    z = x.reshape(b, h * w)
    z -= z.mean(axis=1)[:, None]
    y[:] = (z * z).sum(axis=1)


def other_shape(x: M, y: W):
    y[:] = x.reshape(y.shape)


def returned(x: M, y: V):
    y[:] = x.reshape(-1) @ x.reshape(-1)
    return x, x.ravel()


RESHAPED = [
    vector_as_matrix, vectors_as_matrices, transposed_matrix, matrix_as_vector,
    changed_as_a_vector, joined_axes, other_shape, returned,
]  # fmt: skip


def reshaped_arguments(function, b, h, w):
    random = np.random.default_rng(w)
    sizes = {"B": b, "H": h, "W": w, "N": h * w}
    given = []
    for name, kind in function.__annotations__.items():
        shape = () if kind is int else [sizes[s] for s in kind.shape]
        given.append(random.random(shape) if shape else {"h": h, "w": w}[name])
    return given


@pytest.mark.long
@pytest.mark.parametrize("function", RESHAPED, ids=lambda f: f.__name__)
def test_other_shapes(function):
    kernel = ps.kernel(function, timeout=1.0)
    for sizes in [(4, 40, 33), (1, 1, 2), (2, 2, 3), (3, 3, 2), (2, 7, 7)]:
        ours = reshaped_arguments(function, *sizes)
        expected = reshaped_arguments(function, *sizes)
        found, wanted = kernel(*ours), function(*expected)
        for one, two in zip(ours, expected, strict=True):
            np.testing.assert_allclose(one, two, rtol=1e-12, atol=1e-13)
        if wanted is not None:
            assert found[0] is ours[0]
            np.testing.assert_array_equal(found[1], wanted[1])


def test_other_shapes_have_as_many_elements():
    kernel = ps.kernel(vectors_as_matrices, timeout=1.0)
    with pytest.raises(ValueError, match="cannot reshape"):
        kernel(np.zeros(6), np.zeros(6), 2, 2)


def divided(y: V, x: V, h: int, w: int):
    a = x.reshape(h, w)
    for i in range(h):
        a[i // 2, 0] = y[i]


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


@pytest.mark.parametrize(
    "function", [two_iterators, chosen_row, negative_start, divided]
)
def test_other_products_are_refused(function):
    number = ps.tensor.parse_annotation(int)
    kinds = {"x": V, "y": V, "k": ps.int64["M"], "w": number, "h": number}
    names = function.__code__.co_varnames[: function.__code__.co_argcount]
    with pytest.raises(FrontendError, match="is not affine"):
        read_function(function, {name: kinds[name] for name in names})
