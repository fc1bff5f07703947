"""Every planted difference between two dumps is found and named."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from polysched.base import MismatchError
from polysched.runtime import (
    Dump,
    Segment,
    compare_dumps,
    compare_output,
    differing_values,
)

BOUNDS = {"A": 1e-12}


def segment(array: str, values: object, dtype: str = "f8", call: int = 1) -> Segment:
    data = np.array(values, dtype=dtype)
    rows = np.array([[2, 0, 3], [data.size - 2, 5, 1]], dtype=np.int64)
    return Segment(call, array, data, rows, is_cut=False)


def dump(*segments: Segment, n_calls: int = 1) -> Dump:
    return Dump(segments, {"n": 4}, n_calls)


WANT = dump(segment("A", [1, 2, 3, np.nan, -8]), segment("K", [1, 2, 3], "i4"))


def with_a(*values: float) -> Dump:
    return dump(segment("A", values), WANT.segments[1])


def test_equal_dumps_agree() -> None:
    found = compare_dumps(WANT, with_a(1, 2, 3, np.nan, -8), BOUNDS)
    assert (found.n_values, found.n_rounded, found.max_relative_error) == (8, 0, 0.0)
    assert found.n_nan == 1


def test_rounding_is_accepted_and_reported() -> None:
    found = compare_dumps(WANT, with_a(1 + 8e-13, 2, 3, np.nan, -8), BOUNDS)
    assert found.n_rounded == 1
    assert found.max_relative_error == pytest.approx(1e-13, rel=0.01)


def test_without_a_bound_rounding_is_a_mismatch() -> None:
    with pytest.raises(MismatchError, match="1 of 5 values differ"):
        compare_dumps(WANT, with_a(1 + 1e-15, 2, 3, np.nan, -8), {})


@pytest.mark.parametrize(
    ("found", "message"),
    [
        (with_a(1, 2, 3, np.nan, -7.9), r"A\[5\]\[3\] is -7.9, expected -8.0"),
        (with_a(1, 2, np.nan, np.nan, -8), r"A\[5\]\[1\] is nan, expected 3.0"),
        (with_a(1, 2, 3, 4, -8), r"A\[5\]\[2\] is 4.0, expected nan"),
        (with_a(np.inf, 2, 3, np.nan, -8), r"A\[0\]\[3\] is inf"),
        (with_a(-1, -2, -3, np.nan, 8), "4 of 5 values differ"),
        (with_a(1, 2, 3, np.nan), "other elements of array 'A'"),
        (dump(WANT.segments[0]), "1 arrays were dumped, expected 2"),
        (dump(*reversed(WANT.segments)), "array 'K' was dumped where 'A'"),
        (replace(WANT, n_calls=2), "ran 2 times, expected 1 times"),
        (
            dump(WANT.segments[0], segment("K", [1, 2, 4], "i4")),
            r"K\[5\]\[1\] is 4, expected 3",
        ),
    ],
)
def test_differences_are_named(found: Dump, message: str) -> None:
    with pytest.raises(MismatchError, match=message):
        compare_dumps(WANT, found, BOUNDS)


def test_equal_infinities_agree() -> None:
    want = dump(segment("A", [np.inf, -np.inf, 0.0]))
    assert compare_dumps(want, want, BOUNDS).n_rounded == 0
    with pytest.raises(MismatchError, match="expected inf"):
        compare_dumps(want, dump(segment("A", [-np.inf, -np.inf, 0.0])), BOUNDS)


def test_later_calls_are_named() -> None:
    want = dump(segment("A", [1, 2, 3], call=4), n_calls=5)
    with pytest.raises(MismatchError, match="after call 4"):
        compare_dumps(want, dump(segment("A", [1, 2, 4], call=4), n_calls=5), BOUNDS)


def test_unsteady_values_are_left_out() -> None:
    other = with_a(1, 7, 3, np.nan, -8)
    masks = differing_values(WANT, other)
    assert [int(m.sum()) for m in masks.values()] == [1]
    assert compare_dumps(WANT, other, BOUNDS, masks).n_values == 7


@pytest.mark.parametrize(
    "found", ["sum 1.25\nend", "sum 1.2500000001\nend", "sum 1.25e0\nend"]
)
def test_equal_output(found: str) -> None:
    compare_output("sum 1.25\nend", found)


@pytest.mark.parametrize(
    ("found", "message"),
    [
        ("sum 1.26\nend", "line 1 of the output is 'sum 1.26'"),
        ("sum nan\nend", "line 1"),
        ("sum 1.25\nEnd", "line 2"),
        ("sum 1.25", "1 lines of output, expected 2"),
        ("", "0 lines"),
    ],
)
def test_other_output(found: str, message: str) -> None:
    with pytest.raises(MismatchError, match=message):
        compare_output("sum 1.25\nend", found)
