"""Short loops of constant length are unrolled by the compiler."""

from __future__ import annotations

from dataclasses import replace

import pytest

from polysched.analysis import compute_dependences, set_band_flags
from polysched.cost.peel import peel
from polysched.cost.read import read_nests
from polysched.ir import Scop, original_tree, types
from polysched.testing import ScopBuilder
from polysched.transform import Unroll, apply_script
from tests.unit import scops


def sums(bounds: str) -> Scop:
    box = f"[n] -> {{ S0[b, j, k] : 0 <= b < n and 0 <= j < 6 and {bounds} }}"
    sides = "r [b, j, k] -> A[b, k]", "r [b, j, k] -> B[b, k, j]"
    terms = "r [b, j, k] -> C[b, j]", "w [b, j, k] -> C[b, j]"
    return scops.scop("sums", scops.statement("S0", box, (0, 0, 0, 0), *sides, *terms))


@pytest.mark.parametrize(
    ("bounds", "unrolled"),
    [
        ("0 <= k < 6", True),
        ("0 <= k < 60", False),
        ("0 <= k < n", False),
        ("0 <= k <= j", False),
    ],
)
def test_the_loop_around_a_short_one_is_the_innermost(
    bounds: str, unrolled: bool
) -> None:
    scop = sums(bounds)
    (nest,) = read_nests(original_tree(scop), scop)
    assert [m.unrolled for m in nest.members] == [False, False, unrolled]
    assert nest.inner == (1 if unrolled else 2)


def test_terms_of_one_element_wait_for_each_other() -> None:
    """Six copies of the body are one chain."""
    scop = sums("0 <= k < 6")
    (nest,) = read_nests(original_tree(scop), scop)
    assert (nest.copies, nest.chains) == (6, 1)


def test_loops_that_are_unrolled_already_are_left_alone() -> None:
    scop = sums("0 <= k < 6")
    (nest,) = read_nests(original_tree(scop), scop)
    assert peel(nest.members, scop, "S0") is nest.members


def window(n_rows: int, n_columns: int, read: str, *, n_pictures: int = 1) -> Scop:
    """Sums of windows of pictures."""
    sides = f"0 <= j < {n_rows} and 0 <= i < {n_columns}"
    box = f"{{ S0[y, x, j, i] : 0 <= y < 900 and 0 <= x < 900 and {sides} }}"
    terms = (f"r [y, x, j, i] -> A{k}[{read}]" for k in range(n_pictures))
    sums = "r [y, x, j, i] -> C[y, x]", "w [y, x, j, i] -> C[y, x]"
    return scops.scop("window", scops.statement("S0", box, (0,) * 5, *terms, *sums))


@pytest.mark.parametrize(
    ("n_rows", "n_columns", "read", "n_unrolled"),
    [
        (9, 9, "y + j, x + i", 2),  # lanes along x
        (9, 9, "x + i, y + j", 1),  # x goes from row to row
        (60, 9, "y + j, x + i", 1),  # too long
    ],
)
def test_loops_over_a_window_are_unrolled_where_lanes_lie_around_them(
    n_rows: int, n_columns: int, read: str, n_unrolled: int
) -> None:
    scop = window(n_rows, n_columns, read)
    (nest,) = read_nests(original_tree(scop), scop)
    assert sum(m.unrolled for m in nest.members) == n_unrolled


def test_lanes_run_over_one_more_short_loop_that_stays() -> None:
    """gcc puts a loop in lanes whose iterations do not wait, with one loop in it."""
    scop = window(16, 16, "y + j, x + i", n_pictures=2)
    (nest,) = read_nests(original_tree(scop), scop)
    assert sum(m.unrolled for m in nest.members) == 1
    deps = compute_dependences(scop)
    tree = set_band_flags(original_tree(scop), deps)
    (nest,) = read_nests(tree, scop, deps)
    assert sum(m.unrolled for m in nest.members) == 2
    assert nest.is_vectorizable


@pytest.mark.parametrize(("n_rows", "spills"), [(2, False), (9, True)])
def test_long_sums_of_integers_leave_registers(n_rows: int, spills: bool) -> None:
    """Compilers load all terms of an unrolled sum of integers first."""
    scop = window(n_rows, 9, "y + j, x + i")
    shorter = tuple(replace(a, type=types.SHORT) for a in scop.arrays)
    (nest,) = read_nests(original_tree(scop), replace(scop, arrays=shorter))
    assert (nest.n_spilled > 0) is spills
    (nest,) = read_nests(original_tree(scop), scop)
    assert nest.n_spilled == 0  # floating point is added in order


@pytest.mark.parametrize(
    ("border", "asks"),
    [("true", False), ("1 <= j + k < 500", True), ("1 <= i + k < 500", False)],
)
def test_copies_of_some_iterations_have_no_lanes(border: str, asks: bool) -> None:
    """A border that cuts taps off asks in every lane; outside of the loop it may."""
    b = ScopBuilder("taps")
    b.array("A", "double[500][503]")
    b.array("B", "double[500][500]")
    b.array("w", "double[3]")
    box = f"0 <= i < 500 and 0 <= j < 500 and 0 <= k < 3 and {border}"
    update = "B[i][j] += w[k] * A[i][j + k]"
    b.statement("i, j, k", box, update, position=(0, 0, 0, 0))
    scop = b.build()
    deps = compute_dependences(scop)
    tree = set_band_flags(original_tree(scop), deps)
    path = read_nests(tree, scop, deps)[0].members[-1].path
    (nest,) = read_nests(apply_script(tree, (Unroll(path),), deps), scop, deps)
    assert nest.copies == 3
    assert nest.is_scalar == asks
