"""The lexicon's known answers on the programs of the literature."""

from __future__ import annotations

import pytest

from polysched.analysis import compute_dependences, find_violation, loop_is_parallel
from polysched.base import Deadline, PolyschedError
from polysched.ir import Rows, Scop
from polysched.schedule import LEXICON, Recipe, Solved, find_objective, solve_recipe
from tests.unit import scops


def solve(program: Scop, objectives: str, shape: str = "unit") -> Solved:
    recipe = Recipe(tuple(objectives.split()), shape)
    return solve_recipe(program, compute_dependences(program), recipe, Deadline())


def matrix(rows: Rows) -> list[tuple[int, ...]]:
    return [r.coefficients for r in rows.linear]


def values(solved: Solved) -> dict[str, int | None]:
    return {stage.name: stage.value for stage in solved.stages}


def test_gauss_seidel_wavefront_is_2t_i_j_and_satisfies_everything() -> None:
    solved = solve(scops.gauss_seidel(), "SKEWPAR IP MIC", "upper")
    assert matrix(solved.rows["S0"])[0] == (2, 1, 1)
    assert values(solved)["SKEWPAR"] == -3
    assert values(solved)["IP"] == -1
    dependences = compute_dependences(scops.gauss_seidel())
    inner = solved.tree.bands()[-1][1]
    assert loop_is_parallel(inner, inner.band_n_member() - 1, dependences.validity)


@pytest.mark.parametrize("make", [scops.jacobi_1d, scops.gauss_seidel])
def test_outer_parallelism_is_not_claimed_where_there_is_none(make) -> None:
    # psi + delta <= 1 alone would claim it for jacobi-1d and Gauss-Seidel
    for shape in ("unit", "lower", "upper"):
        assert values(solve(make(), "OP MIC", shape))["OP"] == 0


def test_jacobi_1d_keeps_time_outside_and_both_sweeps_parallel() -> None:
    solved = solve(scops.jacobi_1d(), "OP IP MIC")
    assert values(solved)["IP"] == -2
    first, second = solved.rows["S0"], solved.rows["S1"]
    assert matrix(first)[0] == matrix(second)[0] == (1, 0)
    assert first.betas[0] == second.betas[0]
    assert first.betas[1] < second.betas[1]


def test_gemm_has_outer_and_inner_parallel_loops() -> None:
    solved = solve(scops.gemm(), "OP IP MIC")
    assert values(solved)["OP"] == -2
    assert values(solved)["IP"] == -2
    assert matrix(solved.rows["S1"])[-1] != (0, 1, 0)


def test_wide_band_for_jacobi_2d_is_the_time_skewed_one() -> None:
    solved = solve(scops.jacobi_2d(), "BAND PROX MIC", "lower")
    _, band = solved.tree.bands()[0]
    assert band.band_n_member() == 3
    assert band.band_get_permutable()
    assert matrix(solved.rows["S0"])[1] == (2, 1, 0)


def test_outer_band_leaves_the_vector_loop_unskewed() -> None:
    solved = solve(scops.jacobi_2d(), "VSKW OBAND PROX MIC", "lower")
    _, band = solved.tree.bands()[0]
    assert band.band_n_member() == 2
    for name in ("S0", "S1"):
        assert matrix(solved.rows[name]) == [(1, 0, 0), (2, 1, 0), (0, 0, 1)]


def test_fusion_brings_the_initialisation_into_the_loops_of_the_update() -> None:
    solved = solve(scops.gemm(), "DGF MIC")
    first, second = solved.rows["S0"], solved.rows["S1"]
    assert first.betas[:2] == second.betas[:2]
    assert values(solved)["DGF"] == 0


def test_independent_statements_are_separated() -> None:
    box = "0 <= i < n"
    program = scops.scop(
        "two",
        scops.statement("S0", f"[n] -> {{ S0[i] : {box} }}", (0, 0), "w [i] -> A[i]"),
        scops.statement("S1", f"[n] -> {{ S1[i] : {box} }}", (0, 1), "w [i] -> B[i]"),
    )
    rows = solve(program, "SIS MIC").rows
    assert rows["S0"].betas[0] != rows["S1"].betas[0]
    fused = solve(program, "MIC").rows
    assert fused["S0"].betas[0] == fused["S1"].betas[0]


@pytest.mark.parametrize("make", [scops.gemm, scops.jacobi_2d, scops.gauss_seidel])
@pytest.mark.parametrize("shape", ["unit", "lower", "upper"])
@pytest.mark.parametrize("objectives", ["MIC", "PERM MIC", "IP OP MIC", "SKEWPAR MIC"])
def test_every_solution_is_legal_and_has_full_rank(make, shape, objectives) -> None:
    program = make()
    solved = solve(program, objectives, shape)
    assert find_violation(solved.tree, compute_dependences(program), program) is None
    for s in program.statements:
        rows = [r for r in matrix(solved.rows[s.name]) if any(r)]
        assert abs(_determinant([list(r) for r in rows[: s.n_loops]])) == 1


def _determinant(m: list[list[int]]) -> int:
    if len(m) == 1:
        return m[0][0]
    return sum(
        (-1) ** k * m[0][k] * _determinant([r[:k] + r[k + 1 :] for r in m[1:]])
        for k in range(len(m))
    )


def test_downward_loop_keeps_counting_down() -> None:
    program = scops.scop(
        "down",
        scops.statement(
            "S0",
            "[n] -> { S0[i] : 0 <= i < n }",
            (0, 0),
            "r [i] -> A[i + 1]",
            "w [i] -> A[i]",
            directions=(-1,),
        ),
    )
    assert matrix(solve(program, "MIC").rows["S0"]) == [(-1,)]


def test_sizes_fixed_by_macros_give_the_same_schedule_as_symbolic_ones() -> None:
    symbolic = scops.gauss_seidel()
    box = "0 <= t < 500 and 0 < i < 1999 and 0 < j < 1999"
    fixed = scops.scop(
        "fixed",
        scops.statement(
            "S0",
            f"{{ S0[t, i, j] : {box} }}",
            (0, 0, 0, 0),
            *scops._five_points("A", "A"),
        ),
    )
    for objectives, shape in (("SKEWPAR IP MIC", "upper"), ("BAND PROX MIC", "lower")):
        one = solve(symbolic, objectives, shape).rows["S0"]
        other = solve(fixed, objectives, shape).rows["S0"]
        assert matrix(one) == matrix(other)


def test_unknown_objective_lists_the_lexicon() -> None:
    with pytest.raises(PolyschedError, match=r"no objective named 'XX'.*MIC"):
        find_objective("XX")
    assert {"OP", "IP", "SO", "DGF", "SIS", "PERM", "PROX", "SKEWPAR", "MIC"} <= set(
        LEXICON
    )
