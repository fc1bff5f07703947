"""The known answers of the literature, program by program."""

from __future__ import annotations

import pytest

from polysched.analysis import compute_dependences, find_violation
from polysched.base import Deadline
from polysched.ilp import Linear, choose_given_up
from polysched.ir import Scop
from polysched.schedule import (
    LEXICON,
    ModelOptions,
    ScheduleModel,
    find_objective,
    rows_to_tree,
    stride_weights,
)
from tests.unit import scops
from tests.unit.schedule.programs import fdtd_2d, matmul, mvt, syrk, two_products
from tests.unit.schedule.solving import (
    is_parallel,
    matrix,
    rank,
    solve,
    text,
    values,
)


@pytest.mark.parametrize(
    ("program", "weights"),
    [
        (matmul("i j k"), [(43, 7, 20)]),
        (syrk(), [(43, 16, 11)]),
        (mvt(), [(16, 11), (7, 20)]),
    ],
    ids=["gemm", "syrk", "mvt"],
)
def test_stride_weights(program: Scop, weights: list[tuple[int, ...]]) -> None:
    assert [stride_weights(s) for s in program.statements] == weights


@pytest.mark.parametrize("objectives", ["SO MIC", "OP IP SO MIC"])
def test_gemm_runs_i_k_j(objectives: str) -> None:
    solved = solve(matmul("i j k"), objectives)
    assert text(solved) == "S0: 0 i 0 k 0 j 0"
    dependences = compute_dependences(matmul("i j k"))
    claimed = [
        is_parallel(matmul("i j k"), dependences, solved.rows, "S0", k)
        for k in range(3)
    ]
    assert claimed == [True, False, True]


def test_syrk_keeps_the_accumulation_innermost() -> None:
    assert text(solve(syrk(), "SO MIC")) == "S0: 0 i 0 j 0 k 0"


def test_syrk_unit_rows_do_not_hide_the_accumulation_behind_a_skew() -> None:
    # skewed rows would: (i, j + k, k) makes k "parallel"
    solved = solve(syrk(), "OP IP SO MIC")
    assert matrix(solved.rows["S0"])[2] != (0, 0, 1)
    assert values(solved)["IP"] == -1


def test_2mm_has_both_products_in_i_k_j_and_all_outer_loops_parallel() -> None:
    solved = solve(two_products(), "OP IP SO MIC")
    assert values(solved)["OP"] == -4
    for name in ("S1", "S3"):
        assert matrix(solved.rows[name]) == [(1, 0, 0), (0, 0, 1), (0, 1, 0)]
    first, second = solved.rows["S1"].betas[0], solved.rows["S3"].betas[0]
    assert solved.rows["S0"].betas[0] == first < second


def test_2mm_fuses_each_initialisation_with_its_product() -> None:
    solved = solve(two_products(), "SO DGF OP MIC")
    betas = {name: rows.betas for name, rows in solved.rows.items()}
    assert betas["S0"][0] == betas["S1"][0]
    assert betas["S2"][0] == betas["S3"][0]


def test_mvt_is_outer_parallel_or_has_unit_strides() -> None:
    parallel, strided = solve(mvt(), "OP SO MIC"), solve(mvt(), "SO OP MIC")
    assert text(parallel) == "S0: 0 i 0 j 0; S1: 0 i 0 j 0"
    assert text(strided) == "S0: 0 i 0 j 0; S1: 0 j 0 i 0"
    assert (values(parallel)["OP"], values(strided)["OP"]) == (-2, -1)


@pytest.mark.parametrize("shape", ["unit", "lower", "upper"])
@pytest.mark.parametrize(
    "program",
    [scops.jacobi_1d(), scops.gauss_seidel(), fdtd_2d()],
    ids=lambda p: p.name,
)
def test_stencils_have_no_outer_parallel_loop(program: Scop, shape: str) -> None:
    assert values(solve(program, "OP MIC", shape))["OP"] == 0


def test_fdtd_2d_keeps_time_outside_and_hz_behind_both_electric_fields() -> None:
    solved = solve(fdtd_2d(), "OP IP MIC")
    assert values(solved)["IP"] == -3
    rows = solved.rows
    assert {matrix(r)[0] for r in rows.values()} == {(1, 0, 0)}
    assert rows["S2"].betas[:2] > max(rows["S0"].betas[:2], rows["S1"].betas[:2])


def test_jacobi_1d_runs_one_sweep_behind_the_other() -> None:
    solved = solve(scops.jacobi_1d(), "OP IP MIC")
    assert (values(solved)["OP"], values(solved)["IP"]) == (0, -2)
    assert text(solved) == "S0: 0 t 0 i 0; S1: 0 t 1 i 0"


@pytest.mark.parametrize(
    ("program", "shape"),
    [
        (scops.gemm(), "unit"),
        (scops.jacobi_1d(), "lower"),
        (scops.jacobi_1d(), "upper"),
    ],
    ids=["gemm-unit", "jacobi-lower", "jacobi-upper"],
)
@pytest.mark.parametrize("name", list(LEXICON))
def test_every_objective_alone_gives_a_legal_schedule_and_true_claims(
    name: str, shape: str, program: Scop
) -> None:
    dependences = compute_dependences(program)
    objective = find_objective(name)
    options = ModelOptions(shape=shape, bands=objective.bands)
    model = ScheduleModel(program, dependences, options=options)
    psi = {
        (s.name, level): model.parallel(s.name, level)
        for s in program.statements
        for level in range(s.n_loops)
    }
    forms = [*objective.forms(model), ("claims", Linear.total(list(psi.values()), -1))]
    soft = model.soft_groups
    without = frozenset(choose_given_up(model.problem, soft, Deadline()))
    solution = model.problem.lexmin(forms, Deadline(), without=without)
    rows = model.read_rows(solution.values)
    tree = rows_to_tree(program, dependences, rows)
    assert find_violation(tree, dependences) is None
    for s in program.statements:
        assert rank(rows[s.name], s.n_loops) == s.n_loops
    for (statement, level), claim in psi.items():
        if solution.values[claim]:
            assert is_parallel(program, dependences, rows, statement, level)
