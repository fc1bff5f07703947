"""Corners of Python and NumPy in which a wrong reading would go unnoticed."""

import math

import numpy as np
import pytest

import polysched as ps
from polysched.tensor import float32, float64, int32, int64

pytestmark = pytest.mark.cc


def root(x: float64["N"], a: float):
    g = a
    for _ in range(6):
        g = 0.5 * (g + a / g)
    x[:] = g


def in_a_branch(x: float64["N"], a: float, flag: bool):
    t = a
    if flag:
        t = 2.0
    x[:] = t + a


def counted_down(x: int64["N"], k: int):
    n = k
    while n > 0:
        n -= 1
        x[0] += n * k


def paths(z: float64["P", "T"], a: float, out: float64["P"]):
    for p in range(z.shape[0]):
        s, t = a, a
        for k in range(z.shape[1]):
            s *= math.exp(z[p, k])
            t -= s
        out[p] = s + t + a


def helped(x: float64["N"], a: float):
    x[:] = settle(a, 3) - settle(a, 2)


def settle(a, k):
    for _ in range(k):
        a = math.sqrt(a + 1.0)
    return a


def in_numbers(x: float64["N"], k: int):
    for i in range(len(x)):
        if i not in (0, 2):
            x[i] = 7
    if k in (1, 3):
        x[0] += 5


def in_data(a: int64["N"], x: float64["N"]):
    for i in range(len(x)):
        x[i] = 1 if a[i] in (0, 2, 5) else 0


def equal_shapes(x: float64["N"], y: float64["M"]):
    if x.shape == y.shape:
        x += 1
    if x.shape != y.shape:
        y += 2
    return (len(x), 4) == (len(y), 4)


def equal_places(x: float64["N", "N"]):
    for i in range(x.shape[0]):
        for j in range(x.shape[1]):
            x[i, j] = 5 if (i, j) == (0, 0) else 1
            if (i, j) != (1, 2):
                x[i, j] += 0.5


def equal_to_a_tuple(x: float64[3]):
    return x == (1, 2, 3)


def one_of_two(x: float64["N"], k: int):
    n = k or 3
    m = k and 9
    for i in range(len(x)):
        x[i] = (x[i] or 2.0) * n + (x[i] and 0.5) + m


def no_number(x: float64["N"], a=None):
    x += a or 4


def repeated(x: float64["N"]):
    w = 3 * [1.0]
    for v in w:
        x += v


def diagonals(n: int):
    return np.eye(n, k=1), np.eye(n, n + 2, k=-2), np.eye(n)


def beside_large(a: int32["N"], k: int, o: int64["N"]):
    for i in range(len(a)):
        o[i] = 1 if a[i] < k else 0
    return a == k, k > a


def least_number(a: int32["N"]):
    return (a + -2147483648) > 0


def large_numbers(x: int64["N"]):
    c = np.int64(2000000000)
    x += c + c
    x += c * c


def short_number(x: float32["N"]):
    c = np.float32(0.1)
    d = np.float64(0.1)
    return x * (c == 0.1) + x * (c == d) + x * (c < d)


def seen_later(x: float64["N"]):
    b = np.broadcast_to(x, (2, len(x)))
    x[0] = 99
    return b.sum(axis=0)


rng = np.random.default_rng(5)
LONG = 2**32
CASES = [
    (root, (rng.random(4), 2.0)),
    (in_a_branch, (rng.random(4), 3.0, True)),
    (in_a_branch, (rng.random(4), 3.0, False)),
    (counted_down, (np.zeros(5, int), 13)),
    (paths, (rng.random((3, 2)), 2.0, rng.random(3))),
    (helped, (rng.random(4), 2.0)),
    (in_numbers, (rng.random(4), 3)),
    (in_numbers, (rng.random(4), 2)),
    (in_data, (np.arange(-1, 7), rng.random(8))),
    (equal_shapes, (rng.random(4), rng.random(4))),
    (equal_shapes, (rng.random(4), rng.random(5))),
    (equal_places, (rng.random((4, 4)),)),
    (equal_to_a_tuple, (np.array([1.0, 3.0, 3.0]),)),
    (one_of_two, (np.array([0.0, 1.5, -0.0, np.nan]), 5)),
    (one_of_two, (np.array([0.0, 1.5, -0.0, np.nan]), 0)),
    (no_number, (rng.random(3),)),
    (repeated, (rng.random(3),)),
    (diagonals, (3,)),
    (beside_large, (np.arange(4, dtype=np.int32), LONG, np.zeros(4, int))),
    (beside_large, (np.arange(4, dtype=np.int32), -LONG, np.zeros(4, int))),
    (least_number, (np.arange(-3, 3, dtype=np.int32),)),
    (large_numbers, (np.arange(4),)),
    (short_number, (rng.random(4).astype("f4"),)),
    (seen_later, (rng.random(4),)),
]


def flat(value):
    return value if isinstance(value, tuple) else (value,)


def named(value):
    return getattr(value, "__name__", "")


@pytest.mark.parametrize(("function", "given"), CASES, ids=named)
def test_results_are_pythons(function, given):
    ours, pythons = (
        [a.copy() if isinstance(a, np.ndarray) else a for a in given] for _ in range(2)
    )
    found = ps.kernel(function, timeout=1.0)(*ours)
    expected = function(*pythons)
    pairs = zip((*ours, *flat(found)), (*pythons, *flat(expected)), strict=True)
    for one, other in pairs:
        if other is not None:
            np.testing.assert_allclose(one, other, rtol=1e-14)


def list_of_any_length(x: float64["N"], k: int):
    w = np.array([1.0, 2.0] * k)
    x[0] = w[1]


def written_through(x: float64["N"]):
    b = np.broadcast_to(x, (2, len(x)))
    b[:] = 3


def truth_of_arrays(x: float64["N"], y: float64["N"]):
    return x.shape and (x, 1) == (y, 1)


REFUSED = [
    (list_of_any_length, (np.zeros(3), 2), "repeated by what is no constant"),
    (written_through, (np.zeros(3),), "read-only"),
    (truth_of_arrays, (np.zeros(3), np.zeros(3)), "one truth value is needed"),
]


@pytest.mark.parametrize(("function", "given", "words"), REFUSED)
def test_what_has_no_such_meaning_is_refused(function, given, words):
    with pytest.raises(ps.PolyschedError, match=words):
        ps.kernel(function, timeout=1.0)(*given)


def read(x: float64["N"]):
    x += 1


def write(x: float64["N"]):
    x += 2


def NAN(x: float64["N"]):
    x += 3


@pytest.mark.parametrize("function", [read, write, NAN], ids=named)
def test_kernels_may_be_called_as_functions_of_the_system(function):
    x = np.zeros(3)
    ps.kernel(function, timeout=1.0)(x)
    assert x.any()


def ends_before(x: float64["N"]):
    return x[3:1], x[5:-1:-1], x[-2:-4], x[2:2], x[-1:0]


def rows_of_one(x: float64["N"]):
    return x.reshape(1, -1) * 2, x.reshape(1, -1, 1), x.reshape(1, len(x))


@pytest.mark.parametrize("function", [ends_before, rows_of_one], ids=named)
def test_shapes_are_numpys(function):
    x = np.arange(7.0)
    for ours, numpys in zip(
        ps.kernel(function, timeout=1.0)(x), function(x), strict=True
    ):
        assert ours.shape == numpys.shape
        np.testing.assert_array_equal(ours, numpys)


def root_of_minus_one(x: float64["N"]):
    return x * math.sqrt(-1.0)


def whole_of_nothing(x: float64["N"]):
    return x + int(float("nan"))


def too_large(x: float64["N"]):
    return x + 10**400


def no_digits(x: float64["N"]):
    return x + float("abc")


@pytest.mark.parametrize(
    "function", [root_of_minus_one, whole_of_nothing, too_large, no_digits], ids=named
)
def test_what_python_cannot_compute_is_said(function):
    with pytest.raises(ps.PolyschedError, match="Python cannot compute"):
        ps.kernel(function, timeout=1.0)(np.zeros(3))
