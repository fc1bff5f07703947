"""What masks, joins and borders do not take: the reason, and the place."""

import numpy as np
import pytest

from polysched.base import FrontendError, UnsupportedSyntaxError
from polysched.tensor import ArrayType
from tests.unit.tensor.refused import assert_refused


def mask_and_array(a):
    a[a > 0] = a + 1


def mask_of_a_mean(a):
    a[a > 0] = np.mean(a[a > 0])


def mask_shape(a):
    a[a[1:] > 0] = 1


def mask_rank(a):
    a[np.zeros((3, 3)) > a[:3]] = 1


def join_shapes(a):
    a[:] = np.concatenate((np.ones((2, 3)), np.ones((2, 4))))[0, 0]


def join_ranks(a):
    a[:] = np.concatenate((a, np.ones((2, 4))))[0]


def pad_mode(a):
    a[0] = np.pad(a, 1, mode="mean")[0]


def pad_too_wide(a):
    a[0] = np.pad(a, 9, mode="reflect")[0]


def norm_order(a):
    a[0] = np.linalg.norm(a, 3)


def late_axis(a):
    a[0] = np.stack((a, a), axis=3)[0, 0]


CASES = [
    (mask_and_array, UnsupportedSyntaxError, "an array beside a mask", "a + 1"),
    (mask_of_a_mean, FrontendError, "found a mask as a subscript", "a[a > 0])"),
    (mask_shape, FrontendError, "the mask of shape (8,) does not fit", "a[a[1:] > 0]"),
    (mask_rank, FrontendError, "the mask of shape (3, 3) does not fit", "a[np.zeros"),
    (join_shapes, FrontendError, "cannot be joined along axis 0", "np.concatenate"),
    (join_ranks, FrontendError, "differ in their dimensions", "np.concatenate"),
    (pad_mode, FrontendError, "mode of np.pad is constant, edge", "np.pad"),
    (pad_too_wide, FrontendError, "np.pad of 9 elements by 9", "np.pad"),
    (norm_order, FrontendError, "np.linalg.norm with this ord", "np.linalg.norm"),
    (late_axis, FrontendError, "axis 3 of np.stack is out of bounds", "np.stack"),
]


@pytest.mark.parametrize(
    ("function", "kind", "message", "at"), CASES, ids=[c[0].__name__ for c in CASES]
)
def test_refusal(function, kind, message, at):
    assert_refused(function, {"a": ArrayType("float64", (9,))}, kind, message, at)


def exchanged_and_returned(b, c):
    for _ in range(len(b) - 2):
        b[0] = 1.0
        b, c = c, b
    v = b[2:]
    return v[::2]


def test_refusal_of_a_result_that_is_read_for_each_of_two_exchanged_arrays():
    square = ArrayType("float64", ("M", "M"))
    assert_refused(
        exchanged_and_returned, {"b": square, "c": square}, FrontendError,
        "returns arrays of different shapes", "return v[::2]",
    )  # fmt: skip
