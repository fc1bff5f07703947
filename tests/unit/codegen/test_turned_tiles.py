"""Transpositions in register tiles: squares loaded along rows, stored along columns."""

from __future__ import annotations

import pytest

from tests.unit.codegen.test_registers import check, program, text_of

LOOPS = """
    for (int j = 0; j < nj; j++)
        for (int i = 0; i < ni; i++)
            STATEMENT
"""
COPY = "C[j][i] = A[i][j];"


def turned(rows: int, width: int, lanes: int) -> str:
    return f"merge(band=0); registers(band=0, factors=[{rows}, {width}], lanes={lanes})"


def test_a_square_is_loaded_along_rows_and_stored_along_columns(tmp_path) -> None:
    text = text_of(program(COPY, loops=LOOPS), turned(4, 4, 4), tmp_path)
    lines = [line.strip() for line in text.splitlines()]
    assert "const ps_double4 r1 = *(const ps_double4 *)&A[t2 + 1][t1];" in lines
    first = next(k for k, line in enumerate(lines) if "&A[t2][t1]" in line)
    store = next(k for k, line in enumerate(lines) if "&C[t1][t2] =" in line)
    square = lines[first:store]
    assert sum("&A[" in line for line in square) == 4
    assert sum("ps_mix(" in line for line in square) == 8
    assert any(line.startswith("*(ps_double4 *)&C[t1 + 3][t2]") for line in lines)


@pytest.mark.cc
@pytest.mark.parametrize(
    ("type_name", "rows", "width", "lanes"),
    [
        ("double", 4, 4, 4), ("double", 2, 4, 2), ("double", 8, 4, 4),
        ("float", 8, 8, 8), ("float", 4, 8, 4), ("int", 4, 4, 4), ("long", 4, 4, 4),
    ],
)  # fmt: skip
def test_copies_are_equal_at_every_edge(type_name, rows, width, lanes) -> None:
    check(program(COPY, type_name, LOOPS), turned(rows, width, lanes))


@pytest.mark.long
@pytest.mark.cc
@pytest.mark.parametrize(
    "statement",
    [
        "C[j][i] += A[i][j];",
        "C[j][i] = C[j][i] * (real)0.5 - A[i][j] * x[i];",
        "C[j][i] = alpha * A[i][j] + B[j][i];",
        "C[j][i] = A[i][j] + B[i][j];",
        "C[j][i] = A[i][j] * B[j][0];",
        "C[j][i] = A[i][j] > B[i][j] ? A[i][j] : B[i][j];",
    ],
)
def test_what_is_turned_meets_other_operands(statement, tmp_path) -> None:
    source = program(statement, loops=LOOPS)
    assert "ps_mix" in text_of(source, turned(4, 4, 4), tmp_path)
    check(source, turned(4, 4, 4))


@pytest.mark.cc
@pytest.mark.parametrize(
    "statement",
    [
        "C[j][i] = A[i][i];",
        "C[j][i] = A[i][0];",
        "C[j][i] = A[i][nj - 1 - j];",
    ],
)
def test_other_rows_stay_loops(statement, tmp_path) -> None:
    source = program(statement, loops=LOOPS)
    assert "ps_mix" not in text_of(source, turned(4, 4, 4), tmp_path)
    check(source, turned(4, 4, 4))


@pytest.mark.cc
def test_short_elements_stay_loops(tmp_path) -> None:
    source = program(COPY, "short", LOOPS)
    assert "ps_mix" not in text_of(source, turned(8, 8, 8), tmp_path)
    check(source, turned(8, 8, 8))
