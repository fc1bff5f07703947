"""Rows with negative coefficients and parametric shifts, and only when asked for."""

from __future__ import annotations

import pytest

from polysched.ir import Scop
from polysched.schedule.rowwise import pluto
from polysched.testing import ScopBuilder
from tests.unit import scops
from tests.unit.schedule.programs import nest, single
from tests.unit.schedule.rowwise.solving import bands, loops, solve


def mirrored(size: str) -> Scop:
    """A consumer that reads its producer's array from the far end."""
    parameters = [] if size.isdigit() else [size]
    b = ScopBuilder("mirrored", parameters)
    for name in "ABC":
        b.array(name, f"double[{size}]")
    box = f"0 <= i < {size}"
    b.statement("i", box, "B[i] = A[i]", position=(0, 0))
    b.statement("i", box, f"C[i] = B[{size} - 1 - i]", position=(1, 0))
    return b.build()


def test_consumer_of_the_mirrored_array_is_reversed_and_fused() -> None:
    program = mirrored("n")
    # isl's constant for n - 1 - i, against i
    fused = (("S0", (1,), "", 1), ("S1", (-1,), "1n", 0))
    solved = solve(program, pluto("max", negative=True))
    assert loops(solved.tree) == (fused, ())
    assert bands(solved) == [(1, True, (True,))]


def test_without_negative_rows_the_mirrored_pair_is_cut() -> None:
    solved = solve(mirrored("n"), pluto("max"))
    assert [r.linear[0].coefficients for r in solved.rows.values()] == [(1,), (1,)]
    assert [r.betas[0] for r in solved.rows.values()] == [0, 1]


def test_size_that_is_a_number_is_a_number_in_the_shift() -> None:
    solved = solve(mirrored("500"), pluto("max", negative=True))
    assert "lifted" not in solved.tree.text
    assert [r.linear[0].coefficients for r in solved.rows.values()] == [(1,), (-1,)]
    assert [r.linear[0].constant for r in solved.rows.values()] == [0, 499]


def test_reversed_row_makes_unbounded_distances_permutable() -> None:
    # distances (1, 0), (1, -1), (1, -2), ...: only -j has none that is negative
    program = single("i j", "r A[i - 1, k] : k >= j", "w A[i, j]")
    assert bands(solve(program, pluto())) == [
        (1, True, (False,)), (1, True, (True,)),
    ]  # fmt: skip
    solved = solve(program, pluto(negative=True))
    assert [r.coefficients for r in solved.rows["S0"].linear] == [(1, 0), (0, -1)]
    assert bands(solved) == [(2, True, (False, False))]


@pytest.mark.parametrize("negative", [False, True])
def test_nothing_is_reversed_without_need(negative: bool) -> None:
    program = scops.scop(
        "x",
        nest("S0", "i j", "r A[i, j]", "w B[i, j]"),
        nest("S1", "i j", "r B[i, j]", "w C[j, i]", position=(1, 0, 0)),
    )
    solved = solve(program, pluto("max", negative=negative))
    for rows in solved.rows.values():
        assert [r.coefficients for r in rows.linear] == [(1, 0), (0, 1)]
        assert not any(r.parameters or r.constant for r in rows.linear)
