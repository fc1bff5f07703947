"""Rows read along and turned in registers: equal sums, in the same order."""

from __future__ import annotations

import re

import pytest

from polysched.codegen.turned import turn_square
from tests.unit.codegen.test_registers import HELD, check, program, text_of

LOOPS = """
    for (int i = 0; i < ni; i++)
        for (int j = 0; j < nj; j++)
            STATEMENT
"""
SUM = "x[i] += alpha * A[i][j] * B[0][j];"


def held(rows: int, lanes: int) -> str:
    return f"merge(band=0); registers(band=0, factors=[{rows}, 1], lanes={lanes})"


@pytest.mark.parametrize("n", [2, 4, 8, 16])
def test_rows_of_a_square_become_its_columns(n: int) -> None:
    vectors = {f"r{k}": [(k, e) for e in range(n)] for k in range(n)}
    free = (f"r{k}" for k in range(n, 1000))

    def mix(one: str, other: str, elements) -> str:
        return f"{one} {other} {' '.join(map(str, elements))}"

    lines, columns = turn_square(list(vectors), mix, lambda: next(free))
    for name, text in lines:
        one, other, *places = text.split()
        both = vectors[one] + vectors[other]
        vectors[name] = [both[int(k)] for k in places]
    assert [vectors[c] for c in columns] == [
        [(k, e) for k in range(n)] for e in range(n)
    ]


def test_a_square_is_read_along_its_rows_and_added_in_order(tmp_path) -> None:
    text = text_of(program(SUM, loops=LOOPS), held(4, 4), tmp_path)
    assert "const ps_double4 r1 = *(const ps_double4 *)&A[t1 + 1][t2];" in text
    lines = [line.strip() for line in text.splitlines()]
    first = lines.index("for (int t2 = 0; t2 < nj - 3; t2 += 4) {")
    square = lines[first : lines.index("}", first)]
    assert sum("ps_mix(" in line for line in square) == 8
    updates = [line for line in square if line.startswith("c0 +=")]
    assert [line.rpartition(" ")[2] for line in updates] == ["a0;", "a1;", "a2;", "a3;"]
    assert lines.count("#undef ps_mix") == 1


@pytest.mark.cc
@pytest.mark.parametrize(
    ("type_name", "rows", "lanes"),
    [("double", 8, 4), ("double", 4, 2), ("float", 8, 8), ("float", 8, 4)],
)
def test_sums_of_rows_are_equal_at_every_edge(type_name, rows, lanes) -> None:
    check(program(SUM, type_name, LOOPS), held(rows, lanes))


@pytest.mark.cc
@pytest.mark.parametrize(
    "statement",
    [
        "x[i] = A[i][j] * B[i][j] - x[i];",
        "x[i] -= A[i][j] * B[j][i] + C[0][i];",
        "x[i] = x[i] * (real)0.5 - A[i][j] / (real)4;",
    ],
)
def test_far_rows_and_neighbours_meet_in_one_update(statement, tmp_path) -> None:
    source = program(statement, loops=LOOPS)
    assert "ps_mix" in text_of(source, held(4, 4), tmp_path)
    check(source, held(4, 4))


@pytest.mark.cc
def test_an_operand_that_is_transposed_is_turned_for_every_row(tmp_path) -> None:
    source = program("C[i][j] += A[i][k] * B[j][k];")
    assert "ps_mix" in text_of(source, HELD, tmp_path)
    check(source, HELD)


@pytest.mark.parametrize("element", ["A[i][i]", "A[i][0]"])
def test_rows_that_the_loop_does_not_run_along_stay_loops(element, tmp_path) -> None:
    source = program(f"x[i] += {element} * B[0][j];", loops=LOOPS)
    assert "ps_double4" not in text_of(source, held(4, 4), tmp_path)


@pytest.mark.cc
def test_rows_further_on_are_asked_for_and_sums_are_equal(tmp_path) -> None:
    script = held(8, 4).replace("lanes=4", "lanes=4, ahead=8, asked=-1")
    text = text_of(program(SUM, loops=LOOPS), script, tmp_path)
    assert "const int ahead0 = t1 < 9 ? 8 : 0;" in text  # of 24 rows
    asked = [line.strip() for line in text.splitlines() if "prefetch" in line]
    assert ["ahead0 + 3]" in asked[0], "ahead0 + 7]" in asked[1]] == [True, True]
    assert asked[:2] == asked[2:]  # of each page, of each square
    check(program(SUM, loops=LOOPS), script)


def test_types_of_squares_that_no_tile_turns_are_not_declared(tmp_path) -> None:
    """Where what moves with the lanes is packed, squares were tried in vain."""
    product = """
    for (int i = 0; i < ni; i++)
        for (int j = 0; j < 17; j++)
            for (int k = 0; k < nj; k++)
                x[i] += alpha * A[i][k] * B[j][k];
"""
    script = (
        "merge(band=0); merge(band=0); tile(band=0, sizes=[0, 32, 36]); "
        "registers(band=0.0.0, factors=[14, 16, 1], lanes=8); "
        "pack(band=0.0.0, statement=0, iterators=[2, 1], panel=16)"
    )
    source = program("", loops=product.replace("x[i] +=", "C[i][j] +="))
    text = text_of(source, script, tmp_path)
    declared = re.findall(r"typedef [^;]*? (ps_\w+) __attribute__", text)
    assert declared
    assert all(len(re.findall(rf"\b{name}\b", text)) > 1 for name in declared)
