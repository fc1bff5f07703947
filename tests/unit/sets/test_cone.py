"""Farkas cones and the lifting of large constants."""

from __future__ import annotations

import islpy as isl
import pytest

from polysched.sets import LIFTED_PREFIX, ConeRow, dependence_cone, lift_constants


def is_nonnegative(
    rows: tuple[ConeRow, ...], constant: int, size: int, *iterators
) -> bool:
    """Whether the form constant + size*n + source + sink lies in the cone."""
    source, sink = iterators
    for row in rows:
        value = (
            constant * row.constant
            + size * row.parameters
            + sum(c * w for c, w in zip(source, row.source, strict=True))
            + sum(c * w for c, w in zip(sink, row.sink, strict=True))
        )
        if value < 0 or (row.equality and value):
            return False
    return True


def test_cone_of_a_uniform_dependence_knows_the_distance() -> None:
    piece = isl.BasicMap("[n] -> { S[i] -> S[i + 2] : 0 <= i < n - 2 }")
    rows = dependence_cone(piece)
    assert is_nonnegative(rows, -2, 0, (-1,), (1,))  # i' - i - 2 >= 0
    assert not is_nonnegative(rows, -3, 0, (-1,), (1,))  # i' - i - 3 >= 0
    assert is_nonnegative(rows, 0, 1, (-1,), (0,))  # n - i >= 0
    assert not is_nonnegative(rows, 0, 0, (1,), (-1,))


def test_a_parameter_of_open_sign_has_no_weight() -> None:
    piece = isl.BasicMap("[n, o] -> { S[i] -> S[i + 1] : o <= i < o + n }")
    for row in dependence_cone(piece):
        assert row.parameters == 0 or not row.equality
    assert is_nonnegative(dependence_cone(piece), 0, 5, (0,), (0,))


@pytest.mark.parametrize("size", [100, 1000, 4000])
def test_lifting_contains_the_original(size: int) -> None:
    piece = isl.BasicMap(
        f"{{ S[i, j] -> T[i, j + 1] : 0 <= i < {size} and i <= j < {size - 1} }}"
    )
    (lifted,) = lift_constants([piece])
    names = [lifted.get_dim_name(isl.dim_type.param, k) for k in range(1)]
    assert names == [f"{LIFTED_PREFIX}{size - 1}"]
    at = isl.BasicMap(str(lifted)).fix_val(isl.dim_type.param, 0, isl.Val(size - 1))
    back = isl.Map.from_basic_map(at).project_out(isl.dim_type.param, 0, 1)
    assert isl.Map.from_basic_map(piece).is_subset(back)


def test_small_constants_stay() -> None:
    piece = isl.BasicMap("{ S[i] -> S[i + 1] : 0 <= i < 9 }")
    (lifted,) = lift_constants([piece])
    assert lifted.is_equal(piece)


def test_a_box_in_many_dimensions_has_few_rows() -> None:
    """As if each size were one of its own: sound, and not two rows for each corner."""
    names = ["i", "j", "k", "l", "m", "o"]
    box = " and ".join(f"0 <= {n} < 9" for n in names)
    here, later = ", ".join(names), ", ".join(["i + 1", *names[1:]])
    piece = isl.BasicMap(f"{{ S[{here}] -> S[{later}] : {box} }}")
    rows = dependence_cone(piece)
    assert len(rows) < 32
    assert all(len(row.by_parameter) == 0 for row in rows)
    stay, step = (0,) * 5, (-1, *(0,) * 5)
    assert is_nonnegative(rows, -1, 0, step, (1, *stay))  # i' - i - 1 >= 0
    assert not is_nonnegative(rows, -2, 0, step, (1, *stay))
    assert is_nonnegative(rows, 0, 1, step, (0, *stay))  # sizes - i >= 0
    assert not is_nonnegative(rows, 0, 0, step, (0, *stay))


def test_a_size_that_is_the_difference_of_others_is_told_by_them() -> None:
    """Where a window meets the end of a loop: 936 + 63 = 999, by whatever names."""
    pieces = [
        isl.BasicMap("{ S[i] -> S[i + 1] : 0 <= i <= 999 }"),
        isl.BasicMap("{ S[i] -> S[i'] : i = 936 and 0 <= i' <= 63 }"),
    ]
    lifted = lift_constants(pieces)
    names = [
        lifted[0].get_dim_name(isl.dim_type.param, k)
        for k in range(lifted[0].dim(isl.dim_type.param))
    ]
    assert names == [f"{LIFTED_PREFIX}936", f"{LIFTED_PREFIX}999"]
    for given, found in zip(pieces, lifted, strict=True):
        at = found.fix_val(isl.dim_type.param, 0, isl.Val(936))
        at = at.fix_val(isl.dim_type.param, 1, isl.Val(999))
        back = isl.Map.from_basic_map(at).project_out(isl.dim_type.param, 0, 2)
        assert back.is_equal(isl.Map.from_basic_map(given))
