"""Sums along rows get a vector of rows; what is none keeps its loops."""

from __future__ import annotations

import pytest

from polysched.analysis import compute_dependences, find_violation, set_band_flags
from polysched.frontend import parse_c
from polysched.ir import original_tree
from polysched.transform import PlanShape, Registers, apply_script, plan_script
from tests.unit.transform.test_plan import CPU

PROGRAM = """
TYPE A[ROWS][300], x[300], y[ROWS];
void run(void) {
#pragma scop
    for (int i = 0; i < ROWS; i++)
        for (int j = 0; j < 300; j++)
            STATEMENT
#pragma endscop
}
"""
SUM = "y[i] = y[i] + A[i][j] * x[j];"


def planned(tmp_path, statement: str, type_name="double", rows=300, ahead=0):
    file = tmp_path / "program.c"
    text = PROGRAM.replace("TYPE", type_name).replace("ROWS", str(rows))
    file.write_text(text.replace("STATEMENT", statement))
    (scop,) = parse_c(str(file)).scops
    deps = compute_dependences(scop)
    tree = set_band_flags(original_tree(scop), deps)
    script = plan_script(tree, scop, deps, CPU, PlanShape(jam=True)).steps
    assert find_violation(apply_script(tree, script, deps), deps, scop) is None
    found = [s for s in script if isinstance(s, Registers)]
    assert all(s.ahead == ahead for s in found)
    return [(s.factors, s.lanes) for s in found]


@pytest.mark.parametrize(("type_name", "lanes"), [("double", 8), ("float", 16)])
def test_rows_are_summed_side_by_side(type_name, lanes, tmp_path) -> None:
    assert planned(tmp_path, SUM, type_name) == [((16, 1), lanes)]


@pytest.mark.parametrize(
    "statement",
    [
        "y[j] = y[j] + A[i][j] * x[i];",  # along columns: lanes as they stand
        "y[i] = y[i] + A[i][i] * x[j];",  # no row to read along
        "y[i] = y[i] < A[i][j] ? A[i][j] : y[i];",  # no sum
        "y[0] = y[0] + A[i][j] * x[j];",  # rows wait for each other
    ],
)
def test_other_updates_have_no_squares_to_turn(statement, tmp_path) -> None:
    assert planned(tmp_path, statement) == []


def test_integers_and_few_rows_keep_their_loops(tmp_path) -> None:
    assert planned(tmp_path, SUM, "int") == []
    assert planned(tmp_path, SUM, rows=24) == []


def test_rows_of_what_no_second_cache_holds_are_asked_for_ahead(tmp_path) -> None:
    assert planned(tmp_path, SUM, rows=9000, ahead=16) == [((16, 1), 8)]
