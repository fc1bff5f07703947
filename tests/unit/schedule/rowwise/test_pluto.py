"""Pluto's rows on programs whose schedules are known."""

from __future__ import annotations

import pytest

from polysched.schedule.rowwise import Fusion, pluto
from polysched.testing import ScopBuilder
from tests.unit import scops
from tests.unit.schedule.programs import matmul, mvt, nest, two_products
from tests.unit.schedule.rowwise.solving import bands, solve
from tests.unit.schedule.solving import text, values


def test_jacobi_1d_is_time_skewed_and_the_second_statement_shifted() -> None:
    # (t, 2t + i) with the copy one step behind, as published for the imperfect nest
    solved = solve(scops.jacobi_1d(), pluto())
    assert text(solved) == "S0: 0 t 0 2t+i 0; S1: 0 t 0 2t+i+1 1"
    assert bands(solved) == [(2, True, (False, False))]


def test_jacobi_2d_is_one_permutable_band() -> None:
    solved = solve(scops.jacobi_2d(), pluto())
    assert text(solved) == "S0: 0 t 0 2t+i 0 2t+j 0; S1: 0 t 0 2t+i+1 0 2t+j+1 0"
    assert bands(solved) == [(3, True, (False, False, False))]


def test_gauss_seidel_is_skewed_by_one() -> None:
    # distances (1,0,0), (0,1,0), (0,0,1), (1,-1,0), (1,0,-1): after t, a row
    # a*t + b*i + c*j needs a >= b and a >= c, so t+i and t+j are the smallest
    solved = solve(scops.gauss_seidel(), pluto())
    assert text(solved) == "S0: 0 t 0 t+i 0 t+j 0"
    assert bands(solved) == [(3, True, (False, False, False))]


def test_parallel_loops_go_outside_of_a_reduction() -> None:
    solved = solve(matmul("k i j"), pluto())
    assert text(solved) == "S0: 0 i 0 j 0 k 0"
    assert bands(solved) == [(3, True, (True, True, False))]


def test_smart_separates_depths_and_max_does_not() -> None:
    assert text(solve(scops.gemm(), pluto())) == "S0: 0 i 0 j 0 0 0; S1: 1 i 0 j 0 k 0"
    fused = solve(scops.gemm(), pluto("max"))
    assert text(fused) == "S0: 0 i 0 j 0 0 0; S1: 0 i 0 j 0 k 1"
    assert bands(fused) == [(3, True, (True, True, False))]


def test_smart_fuses_the_products_of_2mm_behind_both_initialisations() -> None:
    solved = solve(two_products(), pluto())
    assert text(solved) == (
        "S0: 0 i 0 j 0 0 0; S1: 1 i 0 j 0 k 0; S2: 0 i 0 j 0 0 0; S3: 1 i 0 k 1 j 0"
    )


@pytest.mark.parametrize(
    ("fusion", "expected"),
    [
        ("smart", "S0: 0 i 0 j 0; S1: 0 i 0 j 0"),
        ("max", "S0: 0 i 0 j 0; S1: 0 i 0 j 0"),
        ("components", "S0: 0 i 0 j 0; S1: 1 i 0 j 0"),
        ("none", "S0: 0 i 0 j 0; S1: 1 i 0 j 0"),
    ],
)
def test_fusion_policy_decides_on_independent_products(
    fusion: Fusion, expected: str
) -> None:
    assert text(solve(mvt(), pluto(fusion))) == expected


def test_max_cuts_only_where_it_must() -> None:
    # the first pair cannot share a loop: S1 reads the last element first
    b = ScopBuilder("x", ["n"])
    for name in "XABCD":
        b.array(name, "double[n]")
    box = "0 <= i < n"
    b.statement("i", box, "A[i] = X[i]", position=(0, 0))
    b.statement("i", box, "B[i] = A[n - 1 - i]", position=(1, 0))
    b.statement("i", box, "C[i] = B[i]", position=(2, 0))
    b.statement("i", box, "D[i] = C[i]", position=(3, 0))
    program = b.build()
    assert text(solve(program, pluto("max"))) == (
        "S0: 0 i 0; S1: 1 i 0; S2: 1 i 1; S3: 1 i 2"
    )
    # in the middle first, which does not help S0 and S1
    assert text(solve(program, pluto())) == (
        "S0: 0 i 0; S1: 1 i 0; S2: 2 i 0; S3: 2 i 1"
    )


def test_shift_brings_producer_and_consumer_together() -> None:
    program = scops.scop(
        "x",
        nest("S0", "i", "r X[i]", "w A[i]"),
        nest("S1", "i", "r A[i + 2]", "w B[i]", position=(1, 0)),
    )
    solved = solve(program, pluto())
    assert text(solved) == "S0: 0 i 0; S1: 0 i+2 1"
    assert values(solved)["PROX w [S0, S1]"] == 0


def test_loop_that_counts_down_keeps_its_direction() -> None:
    program = scops.scop(
        "x",
        scops.statement(
            "S0",
            "[n] -> { S0[i, j] : 0 <= i < n and 0 <= j < n }",
            (0, 0, 0),
            "r [i, j] -> A[i + 1, j]",
            "w [i, j] -> A[i, j]",
            directions=(-1, 1),
        ),
    )
    assert text(solve(program, pluto())) == "S0: 0 j 0 -1i 0"


def test_distance_that_no_size_bounds_does_not_forbid_the_row() -> None:
    # lo may be negative or not: it is no size, and i - lo has no bound in sizes
    program = scops.scop(
        "x",
        scops.statement(
            "S0",
            "[lo, hi] -> { S0[i] : lo <= i < hi }",
            (0, 0),
            "r [i] -> A[0]",
            "w [i] -> A[0]",
        ),
        scops.statement(
            "S1",
            "[lo, hi] -> { S1[i, j] : lo <= i < hi and lo <= j < hi }",
            (1, 0, 0),
            "r [i, j] -> A[0]",
            "r [i, j] -> B[j]",
            "w [i, j] -> B[i]",
        ),
    )
    solved = solve(program, pluto())
    assert solved.given_up == ()
    assert len(solved.rows["S0"].linear) == 2
