"""A comparison around a look-up keeps it inside of its array: calls demand no more."""

import numpy as np
import pytest

import polysched as ps
from polysched.tensor import int32, int64

pytestmark = pytest.mark.cc


def below(weight, value, best):
    for i in range(len(weight)):
        for c in range(best.shape[1]):
            best[i + 1, c] = best[i, c]
            if weight[i] <= c:
                best[i + 1, c] = max(best[i, c], best[i, c - weight[i]] + value[i])


def otherwise(weight, value, best):
    for i in range(len(weight)):
        w = weight[i]
        for c in range(best.shape[1]):
            if c < w:
                best[i + 1, c] = best[i, c]
            else:
                best[i + 1, c] = max(best[i, c], best[i, c - w] + value[i])


def left_out(weight, value, best):
    for i in range(len(weight)):
        for c in range(best.shape[1]):
            best[i + 1, c] = best[i, c]
            if weight[i] > c:
                continue
            best[i + 1, c] = max(best[i, c], best[i, c - weight[i]] + value[i])


def chosen(weight, value, best):
    for i in range(len(weight)):
        for c in range(best.shape[1]):
            best[i + 1, c] = (
                max(best[i, c], best[i, c - weight[i]] + value[i])
                if not weight[i] > c
                else best[i, c]
            )


def within_condition(weight, value, best):
    for i in range(len(weight)):
        for c in range(best.shape[1]):
            best[i + 1, c] = best[i, c]
            if c >= weight[i] and best[i, c - weight[i]] + value[i] > best[i, c]:
                best[i + 1, c] = best[i, c - weight[i]] + value[i]


def too_weak(weight, value, best):
    for i in range(len(weight)):
        for c in range(best.shape[1]):
            best[i + 1, c] = best[i, c]
            if weight[i] <= c + 1:
                best[i + 1, c] = max(best[i, c], best[i, c - weight[i]] + value[i])


def both_sides(weight, value, best):
    for i in range(len(weight)):
        for c in range(best.shape[1]):
            best[i + 1, c] = best[i, c]
            taken = np.where(weight[i] <= c, best[i, c - weight[i]] + value[i], 0)
            best[i + 1, c] = max(best[i, c], taken)


def short_sum(weight, value, best):
    for i in range(len(weight)):
        for c in range(best.shape[1]):
            best[i + 1, c] = best[i, c]
            if weight[i] + 2147483647 <= c + 2147483647:
                best[i + 1, c] = max(best[i, c], best[i, c - weight[i]] + value[i])


def build(function, type_=int64):
    types = {"weight": type_["N"], "value": int64["N"], "best": int64["M", "C"]}
    function.__annotations__.update(types)
    return ps.kernel(function, timeout=1.0)


def arguments(type_="int64"):
    weight = np.array([3, 90, 1, 4, 1, 5, 0, 2], dtype=type_)
    return weight, np.arange(8) * 7 % 5 + 1, np.zeros((9, 11), dtype=np.int64)


@pytest.mark.parametrize("type_", [int64, int32], ids=["int64", "int32"])
@pytest.mark.parametrize(
    "function", [below, otherwise, left_out, chosen, within_condition]
)
def test_knapsack_has_weights_beyond_its_capacity(function, type_):
    weight, value, best = arguments(type_.name)
    expected = best.copy()
    function(weight, value, expected)
    build(function, type_)(weight, value, best)
    np.testing.assert_array_equal(best, expected)


@pytest.mark.parametrize("function", [too_weak, both_sides])
def test_what_no_comparison_keeps_inside_is_demanded(function):
    weight, value, best = arguments()
    with pytest.raises(IndexError, match=r"'weight' holds .* expected at most 0"):
        build(function)(weight, value, best)
    assert not best.any()


def test_a_comparison_of_what_may_have_wrapped_says_nothing():
    weight, value, best = arguments("int32")
    with pytest.raises(IndexError, match=r"'weight' holds .* expected at most 0"):
        build(short_sum, int32)(weight, value, best)


def test_other_demands_stay():
    weight, value, best = arguments()
    weight[2] = -1
    with pytest.raises(IndexError, match=r"'weight' holds -1 at \[2\]"):
        build(below)(weight, value, best)


def kept(x: int64["N"], y: int64["N"], h: int64["M"]):
    for i in range(len(x)):
        if x[i] + y[i] >= 0 and x[i] + y[i] < len(h):
            h[x[i] + y[i]] += 1


def test_nothing_is_demanded_of_a_place_that_is_asked_for():
    """Not even of the sum of two elements, which no range of one array says."""
    rng = np.random.default_rng(4)
    x, y = rng.integers(-40, 40, (2, 300))
    h = np.zeros(23, dtype=np.int64)
    ps.kernel(kept, timeout=1.0)(x, y, h)
    places = x + y
    inside = places[(places >= 0) & (places < 23)]
    np.testing.assert_array_equal(h, np.bincount(inside, minlength=23))
