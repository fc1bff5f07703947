"""Short loops of constant length are unrolled by the compiler."""

from __future__ import annotations

import pytest

from polysched.cost.peel import peel
from polysched.cost.read import read_nests
from polysched.ir import Scop, original_tree
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
