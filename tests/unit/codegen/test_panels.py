"""Packed copies in panels: where an element lies, and rows that fill no tile."""

from __future__ import annotations

import pytest

from tests.unit.codegen.test_registers import (
    LOOPS,
    MERGED,
    PRODUCT,
    check,
    program,
    text_of,
)

TILED = MERGED + (
    "tile(band=0, sizes=[0, 16, 4]); tile(band=0.0.0, sizes=[4, 0, 0]); "
    "parallel(band=0.0); registers(band=0.0.0.0.0.0, factors=[2, 8, 1], lanes=4); "
)
ROWS = "pack(band=0.0.0.0.0.0, statement=0, iterators=[2, 0], panel=2); "
PACK = "pack(band=0.0.0.0.0, statement=0, iterators=[2, 1], panel=%d)"
PANELS = TILED + ROWS + PACK % 8
LOWER = LOOPS.replace("j < nj", "j <= i")
UPPER = LOOPS.replace("int j = 0", "int j = i")


@pytest.mark.long
def test_a_panel_has_all_rows_side_by_side(tmp_path) -> None:
    text = text_of(program(PRODUCT), PANELS, tmp_path)
    assert "double B_packed[2][4][8] __attribute__((aligned(64)));" in text
    assert "double A_packed[2][4][2] __attribute__((aligned(64)));" in text
    assert "B_packed[(t3 - t1) / 8][t4 - t2][t5 - t3] = B[t4][t5];" in text
    assert "*(const ps_double4 *)&B_packed[(t5 - t1) / 8][t6 - t2][4];" in text


@pytest.mark.long
def test_a_wide_tile_of_unknown_columns_is_packed(tmp_path) -> None:
    wide = PANELS.replace("sizes=[0, 16, 4]", "sizes=[0, 1088, 4]")
    text = text_of(program(PRODUCT), wide, tmp_path)
    assert "double B_packed[136][4][8] __attribute__((aligned(64)));" in text


@pytest.mark.long
def test_the_panel_of_the_last_columns_is_no_matter_of_each_column(tmp_path) -> None:
    """isl has no loop over register tiles there, of which it would be a function."""
    text = text_of(program(PRODUCT), PANELS, tmp_path)
    assert "[t8 + nj % 8 - nj]" in text
    assert "% 8]" not in text


@pytest.mark.long
@pytest.mark.cc
@pytest.mark.parametrize("width", [3, 8, 16], ids="width{}".format)
def test_panels_of_any_width_give_equal_results(width: int) -> None:
    """Also where they and the register tiles begin in different places."""
    check(program(PRODUCT), TILED + ROWS + PACK % width)


@pytest.mark.long
def test_rows_of_a_triangle_are_held_as_a_whole(tmp_path) -> None:
    """As many together as the register tile has, and one that is left over alone."""
    text = text_of(program(PRODUCT, loops=UPPER), PANELS, tmp_path)
    assert "double row0[16] = {0};" in text
    assert "row0[t8 + 8 * t7 - t5 - 8 * top0] = C[t7][t8];" in text
    assert "ps_double4 c3 = *(ps_double4 *)&row0[12];" in text
    assert "const double a1 = A_packed[(t4 - t3) / 2][t6 - t2][top0 - t4 + 1];" in text
    assert "double row0[8] = {0};" in text
    assert "ps_double4 c1 = *(ps_double4 *)&row0[4];" in text


@pytest.mark.long
@pytest.mark.cc
@pytest.mark.parametrize(
    ("loops", "type_name", "rows"),
    [(LOWER, "double", 2), (UPPER, "float", 6)],
    ids=["lower", "upper"],
)
def test_triangles_are_equal_at_every_edge(
    loops: str, type_name: str, rows: int
) -> None:
    """Of six rows that are not whole three are held together, then one."""
    script = PANELS.replace("factors=[2,", f"factors=[{rows},")
    script = script.replace("sizes=[4, 0, 0]", f"sizes=[{2 * rows}, 0, 0]")
    check(program(PRODUCT, type_name, loops), script)


@pytest.mark.long
@pytest.mark.cc
def test_lanes_that_read_more_than_a_panel_are_not_padded(tmp_path) -> None:
    """Outside of its row nothing may be read from an array of the program."""
    statement = "C[i][j] += A[i][k] * B[k][j] + x[j];"
    text = text_of(program(statement, loops=UPPER), PANELS, tmp_path)
    assert "row0" not in text
    check(program(statement, loops=UPPER), PANELS)


@pytest.mark.cc
@pytest.mark.parametrize("chunk", ["", ", chunk=3"])
def test_tiles_begun_with_the_last_give_equal_results(chunk: str) -> None:
    """Where a size is zero, none is begun."""
    shared = f"parallel(band=0.0, dynamic=true, backwards=true{chunk})"
    script = f"tile(band=0, sizes=[4]); {shared}"
    loops = LOOPS.replace("j < nj", "j <= i && j < nj")
    check(program(PRODUCT, loops=loops), script)


@pytest.mark.long
@pytest.mark.cc
def test_columns_are_turned_in_blocks(tmp_path) -> None:
    """Eight elements of each line that is read are used before the next line."""
    deep = TILED.replace("sizes=[0, 16, 4]", "sizes=[0, 16, 20]") + PACK % 8
    statement = "C[i][j] += A[i][k] * B[j][k];"
    lines = text_of(program(statement), deep, tmp_path).splitlines()
    copied = next(k for k, line in enumerate(lines) if "] = B[" in line)
    blocks, lane, depth = (line.split()[2] for line in lines[copied - 3 : copied])
    assert f"{blocks} += 8)" in lines[copied - 3]
    assert f"= B[{lane}][{depth}];" in lines[copied]
    check(program(statement), deep)
