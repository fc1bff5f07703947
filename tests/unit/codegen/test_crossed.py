"""Squares shared by sums along rows and columns: equal sums, in the same order."""

from __future__ import annotations

import re

import pytest

from tests.unit.codegen.test_registers import check, program, text_of

LOOPS = """
    for (int i = 0; i < ni; i++)
        for (int j = 0; j < nj; j++) {
            STATEMENT
        }
"""
BOTH = "x[i] += A[i][j] * B[0][j]; C[0][j] += A[i][j] * B[1][i];"


def squares(rows: int, lanes: int, ahead: int = 0) -> str:
    return (
        "merge(band=0); "
        f"squares(band=0, factors=[{rows}, 1], lanes={lanes}, ahead={ahead})"
    )


def printed(statement: str, tmp_path, ahead: int = 0) -> str:
    source = program(statement, loops=LOOPS)
    return text_of(source, squares(4, 4, ahead), tmp_path)


def test_an_element_is_loaded_once_for_both_sums(tmp_path) -> None:
    text = printed(BOTH, tmp_path)
    loads = re.findall(r"\*\(const ps_double4 \*\)&(A\[[^=;]*);", text)
    assert len(loads) == len(set(loads)) == 4
    lines = [line.strip() for line in text.splitlines()]
    first = lines.index("for (int t2 = 0; t2 < nj - 3; t2 += 4) {")
    square = lines[first : lines.index("}", first)]
    assert sum(line.startswith("d0 += ") for line in square) == 4
    assert sum(line.startswith("c0 += ") for line in square) == 4
    assert sum("ps_mix(" in line for line in square) == 8
    assert square[-1] == "*(ps_double4 *)&C[0][t2] = d0;"


@pytest.mark.cc
@pytest.mark.parametrize(
    ("type_name", "rows", "lanes"),
    [("double", 4, 4), ("double", 8, 4), ("double", 2, 2), ("float", 8, 8)],
)
def test_sums_both_ways_are_equal_at_every_edge(type_name, rows, lanes) -> None:
    check(program(BOTH, type_name, LOOPS), squares(rows, lanes, 4))


@pytest.mark.cc
@pytest.mark.parametrize(
    "statement",
    [
        "x[i] += A[i][j] * B[0][j]; C[0][i] -= B[i][j] - A[i][j];",
        "x[i] = A[i][j] - x[i]; C[0][j] = C[0][j] * A[i][j] + B[i][j] / (real)4;",
        "C[0][j] += A[i][j]; x[i] -= A[i][j] * alpha; B[0][j] -= A[i][j];",
    ],
)
def test_other_pairs_of_updates_are_equal(statement) -> None:
    check(program(statement, loops=LOOPS), squares(4, 4, 4))


def test_rows_further_on_are_asked_for_inside_of_the_array(tmp_path) -> None:
    text = printed(BOTH, tmp_path, ahead=8)
    assert "const int ahead0 = t1 < 13 ? 8 : 0;" in text  # of 24 rows
    pages, squares_ = text.split("for (int t2 = 0; t2 < nj; t2 += 512) {")[1].split(
        "for (int t2 = 0; t2 < nj - 3; t2 += 4) {"
    )
    for asking in (pages, squares_):
        assert asking.count("__builtin_prefetch(&A[t1 + ahead0") == 4
        assert "__builtin_prefetch(&A[t1 + ahead0 + 3][t2], 0, 2);" in asking
    assert "prefetch" not in printed(BOTH, tmp_path)


def test_nothing_is_asked_for_where_an_array_may_end_anywhere(tmp_path) -> None:
    source = program(BOTH, loops=LOOPS).replace(
        "static void run(int ni", "static void run(real (*A)[R], int ni"
    )
    source = source.replace("run(sizes", "run(A, sizes")
    text = text_of(source, squares(4, 4, 8), tmp_path)
    assert "ps_mix" in text
    assert "prefetch" not in text


@pytest.mark.parametrize(
    "statement",
    [
        "x[i] += A[i][j] * B[0][j]; C[i][j] += A[i][j];",  # moves both ways
        "x[i] = A[i][j]; C[0][j] += A[i][j];",  # keeps the last alone
        "x[i] += A[i][i] * B[0][j]; C[0][j] += A[i][j];",  # no row to read along
        "x[i] += A[i][j] > 1 ? A[i][j] : 0; C[0][j] += A[i][j];",  # no arithmetic
    ],
)
def test_what_squares_cannot_hold_keeps_its_loops(statement, tmp_path) -> None:
    assert "c0" not in printed(statement, tmp_path)


@pytest.mark.cc
def test_sums_along_columns_alone_run_in_squares_of_which_some_rows_are_asked_for(
    tmp_path,
) -> None:
    source = program("C[0][j] += A[i][j] * B[1][i];", loops=LOOPS)
    script = squares(4, 4, 8).replace("ahead=8", "ahead=8, asked=-1")
    text = text_of(source, script, tmp_path)
    asked = [line.strip() for line in text.splitlines() if "prefetch" in line]
    line = "__builtin_prefetch(&A[t1 + ahead0 + 3][t2], 0, 2);"
    assert asked == [line, line]  # of each page, of each square
    assert "ps_mix" not in text
    check(source, script)


def test_rows_shorter_than_a_page_have_no_loop_over_pages(tmp_path) -> None:
    source = program(BOTH, loops=LOOPS.replace("j < nj", "j < 16"))
    text = text_of(source, squares(4, 4, 8), tmp_path)
    assert text.count("__builtin_prefetch(&A[t1 + ahead0") == 4


def test_nothing_is_asked_for_where_the_place_moves_along_two_loops(tmp_path) -> None:
    source = program("C[0][j] += A[i][i + j]; x[i] -= A[i][i + j];", loops=LOOPS)
    assert "prefetch" not in text_of(source, squares(4, 4, 8), tmp_path)


def test_what_stays_along_the_loop_is_read_in_front_of_it(tmp_path) -> None:
    lines = [line.strip() for line in printed(BOTH, tmp_path).splitlines()]
    loop = lines.index("for (int t2 = 0; t2 < nj - 3; t2 += 4) {")
    still = [k for k, line in enumerate(lines) if "= B[1][t1" in line]
    assert len(still) == 4
    assert max(still) < loop
    assert lines.index("const double a4 = B[0][t2];") > loop
