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


def copied(
    tmp_path, loops: str, statement: str, type_name="double", rows=300, other=""
):
    """Steps for a copy between an array of rows and one of as many columns."""
    file = tmp_path / "copy.c"
    file.write_text(f"""
{other or type_name} A[{rows}][300];
{type_name} B[300][{rows}];
void run(void) {{
#pragma scop
    {loops}
            {statement}
#pragma endscop
}}
""")
    (scop,) = parse_c(str(file)).scops
    deps = compute_dependences(scop)
    tree = set_band_flags(original_tree(scop), deps)
    script = plan_script(tree, scop, deps, CPU, PlanShape(jam=True)).steps
    assert find_violation(apply_script(tree, script, deps), deps, scop) is None
    return [(s.factors, s.lanes) for s in script if isinstance(s, Registers)]


BY_ROWS = "for (int i = 0; i < {0}; i++) for (int j = 0; j < 300; j++)"
BY_COLUMNS = "for (int j = 0; j < 300; j++) for (int i = 0; i < {0}; i++)"
COPY = "B[j][i] = A[i][j];"


@pytest.mark.parametrize("loops", [BY_ROWS, BY_COLUMNS])
@pytest.mark.parametrize(("type_name", "lanes"), [("double", 8), ("float", 16)])
def test_transpositions_get_squares_in_either_order(
    loops, type_name, lanes, tmp_path
) -> None:
    found = copied(tmp_path, loops.format(300), COPY, type_name)
    assert found == [((lanes, lanes), lanes)]


@pytest.mark.parametrize(
    ("statement", "type_name", "rows"),
    [
        ("B[j][i] = A[i][j];", "short", 300),  # printed squares have 4 or 8 bytes
        ("B[j][i] = A[i][j];", "double", 6),  # no square is full
        ("B[j][i] = A[i][2 * j % 300];", "double", 300),  # no neighbours
        ("A[i][j] = 2 * A[i][j];", "double", 300),  # nothing to turn
        ("A[i][j] = A[j][i];", "double", 300),  # in place
    ],
)
def test_other_copies_have_no_squares(statement, type_name, rows, tmp_path) -> None:
    assert copied(tmp_path, BY_ROWS.format(rows), statement, type_name, rows) == []


def test_elements_of_two_types_have_no_squares(tmp_path) -> None:
    loops = BY_ROWS.format(300)
    assert copied(tmp_path, loops, COPY, "double", other="float") == []


def test_what_lies_in_memory_keeps_its_tiles(tmp_path) -> None:
    rows = CPU.l3_bytes // (4 * 2 * 8 * 300)
    for n, found in ((rows, [((8, 8), 8)]), (2 * rows, [])):
        assert copied(tmp_path, BY_ROWS.format(n), COPY, rows=n) == found
