"""Copies of private arrays, which lie in storage for a few values of a loop."""

from __future__ import annotations

import pytest

from polysched.codegen import measure_code
from polysched.frontend import parse_c
from tests.unit.codegen.test_registers import check, program, scripted, text_of

ROWS = """
    for (int k = 0; k < nk; k++) {
        real c[R];
        for (int i = 0; i < ni; i++)
            c[i] = alpha * A[i][k];
        for (int i = 0; i < ni; i++)
            for (int j = 0; j < nj; j++)
                C[i][j] += c[i] * B[k][j];
    }
"""
APART = (
    "merge(band=0.0.1.0); tile(band=0, sizes=[4]); "
    "distribute(band=0.0.0, member=0, statements=[0, 1]); merge(band=0.0.0.1.0); "
    "order(band=0.0.0.1.0, members=[1, 2, 0]); tile(band=0.0.0.1.0, sizes=[4, 0, 0]); "
    "registers(band=0.0.0.1.0.0.0, factors=[2, 8, 1], lanes=4); "
)
INSIDE = APART + "pack(band=0.0.0.1.0.0.0, statement=1, iterators=[0, 1])"


def test_a_copy_reads_where_the_rows_of_a_tile_lie(tmp_path) -> None:
    text = text_of(program("", loops=ROWS), INSIDE, tmp_path)
    assert "double c[4][24];" in text
    assert "c_packed[t3 - t1][t4 - t2] = c[t3 - t1][t4];" in text


@pytest.mark.long
@pytest.mark.cc
def test_copies_of_private_rows_give_equal_results() -> None:
    check(program("", loops=ROWS), INSIDE)


SQUARES = """
    for (int k = 0; k < nk; k++) {
        real c[4];
        for (int i = 0; i < 4; i++)
            c[i] = alpha * A[i][k];
        for (int j = 0; j < 4; j++)
            for (int i = 0; i < 4; i++)
                C[k][j] += c[i] * B[i][j];
    }
"""
DISTRIBUTED = (
    "merge(band=0.0.1.0); distribute(band=0, member=0, statements=[0, 1]); "
    "merge(band=0.1.0); tile(band=0.1.0, sizes=[4, 4, 4]); "
    "registers(band=0.1.0.0.0, factors=[4, 4, 1], lanes=4); "
    "pack(band=0.1.0.0.0, statement=1, iterators=[0, 2])"
)


def test_a_copy_of_what_another_part_computes_is_measured(tmp_path) -> None:
    """Storage that two parts of a schedule have is made outside of both."""
    file = tmp_path / "program.c"
    file.write_text(program("", loops=SQUARES))
    (scop,) = parse_c(str(file)).scops
    found = scripted(DISTRIBUTED)(scop)
    parts = found.listed[0].tree.parts()
    first, second = (measure_code(found.scop, part) for part in parts)
    assert second.n_loops > first.n_loops > 1


@pytest.mark.long
@pytest.mark.cc
def test_copies_of_what_another_part_computes_give_equal_results() -> None:
    check(program("", loops=SQUARES), DISTRIBUTED)
