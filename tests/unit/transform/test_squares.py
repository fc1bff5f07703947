"""Squares of a band of two loops: which statements may share them."""

from __future__ import annotations

import pytest

from polysched.analysis import compute_dependences, find_violation, set_band_flags
from polysched.frontend import parse_c
from polysched.ir import original_tree
from polysched.transform import (
    Merge,
    PlanShape,
    Squares,
    Step,
    apply_script,
    plan_script,
)
from tests.unit.transform.test_plan import CPU

PROGRAM = """
double A[N][N], B[N + 1][N + 1], x[N], y[N], z[N], w[N];
void run(void) {
#pragma scop
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++) {
            BODY
        }
#pragma endscop
}
"""
BOTH = "x[i] += A[i][j] * y[j]; z[j] += A[i][j] * w[i];"
STEP = Squares((0,), (8, 1), 4)


def start(tmp_path, statement: str, n: int = 300):
    file = tmp_path / "program.c"
    text = PROGRAM.replace("N", str(n))
    file.write_text(text.replace("BODY", statement))
    (scop,) = parse_c(str(file)).scops
    deps = compute_dependences(scop)
    return scop, deps, set_band_flags(original_tree(scop), deps)


def test_the_step_is_read_back_and_marks_the_rows(tmp_path) -> None:
    step = Squares((0,), (8, 1), 4, ahead=8)
    assert str(step) == "squares(band=0, factors=[8, 1], lanes=4, ahead=8)"
    assert Step.parse(str(step)) == step
    assert str(STEP) == "squares(band=0, factors=[8, 1], lanes=4)"
    _, deps, tree = start(tmp_path, BOTH)
    tree = apply_script(tree, (Merge((0,)), step), deps)
    assert "squares:4:8" in tree.text


@pytest.mark.parametrize(
    "statement",
    [
        "x[i] += A[i][j] * y[j]; z[j] += A[i][j] * x[i];",  # needs sums of whole rows
        "x[i] += A[i][j] * y[j]; y[j] += A[i][j];",  # writes what is read
        "x[i] += A[i][j]; B[i][j] += B[i + 1][j] - B[i][j + 1];",  # both ways
    ],
)
def test_statements_that_meet_in_a_block_are_refused(statement, tmp_path) -> None:
    scop, deps, tree = start(tmp_path, statement)
    tree = apply_script(tree, (Merge((0,)),))
    assert "squares" in (STEP.check(tree, deps) or "")
    assert find_violation(STEP.apply(tree), deps, scop) is not None


@pytest.mark.parametrize(
    ("factors", "lanes", "reason"),
    [
        ((8, 2), 4, "rows alone"),
        ((8,), 4, "two band members"),
        ((8, 1), 1, "1 lanes"),
        ((6, 1), 4, "6 points for vectors of 4"),
    ],
)
def test_shapes_that_hold_no_squares_are_refused(
    factors, lanes, reason, tmp_path
) -> None:
    _, _, tree = start(tmp_path, BOTH)
    tree = apply_script(tree, (Merge((0,)),))
    assert reason in (Squares((0,), factors, lanes).find_misfit(tree) or "")


@pytest.mark.parametrize(
    ("statement", "n", "expected"),
    [
        (BOTH, 300, [((8, 1), 8, 0)]),
        (BOTH, 3000, [((8, 1), 8, 8)]),  # which no second cache holds
        (BOTH, 15, []),
        ("x[i] += A[i][j] * y[j]; B[i][j] = B[i][j] + A[i][j];", 300, []),
        ("x[j] += A[i][j] * y[j]; z[j] += A[i][j] * w[i];", 300, []),
    ],
)
def test_sums_both_ways_are_planned_in_squares(
    statement, n, expected, tmp_path
) -> None:
    scop, deps, tree = start(tmp_path, statement, n)
    script = plan_script(tree, scop, deps, CPU, PlanShape(jam=True)).steps
    assert find_violation(apply_script(tree, script, deps), deps, scop) is None
    found = [(s.factors, s.lanes, s.ahead) for s in script if isinstance(s, Squares)]
    assert found == expected
