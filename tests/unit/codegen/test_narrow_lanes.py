"""Vector loops of bytes have pragmas that leave gcc's judgement on."""

from __future__ import annotations

from pathlib import Path

import pytest

from polysched.codegen import print_openmp
from polysched.ir import ScheduleTree, Scop, original_tree
from polysched.testing import ScopBuilder
from polysched.transform import apply_script, parse_script
from tests.unit.codegen.handmade import check_equal

LANES = "vector(band=0.0, member=0)"
SHARED = "parallel(band=0.0, member=0); vector(band=0.0.0, member=0, lanes=8)"
FRAME = """#include <stdio.h>
static unsigned char x[40][64], y[40][64];
int main(void) {
  for (int i = 0; i < 40; i++)
    for (int j = 0; j < 64; j++) x[i][j] = i * 7 + j * j;
  @
  int sum = 0;
  for (int i = 0; i < 40; i++)
    for (int j = 0; j < 64; j++) sum = sum * 31 + y[i][j];
  printf("%d\\n", sum & 65535);
}
"""


def rows(type_: str) -> Scop:
    b = ScopBuilder("rows", [])
    b.array("x", f"{type_}[40][64]")
    b.array("y", f"{type_}[40][64]")
    points = "0 <= i < 40 and 1 <= j < 63"
    b.statement("i, j", points, "y[i][j] = x[i][j] + x[i][j - 1]", position=(0, 0, 0))
    return b.build()


def shaped(scop: Scop, script: str) -> ScheduleTree:
    return apply_script(original_tree(scop), parse_script(script))


@pytest.mark.parametrize(
    ("type_", "is_narrow"),
    [("unsigned char", True), ("short", True), ("int", False), ("double", False)],
)
def test_narrow_elements_have_the_macro(type_: str, is_narrow: bool) -> None:
    scop = rows(type_)
    lines = print_openmp(scop, shaped(scop, LANES)).splitlines()
    assert ("    ps_lanes()" in lines) is is_narrow
    assert ("#undef ps_lanes" in lines) is is_narrow
    assert ("    #pragma omp simd" in lines) is not is_narrow


def test_loops_that_threads_share_lose_the_lanes_alone() -> None:
    narrow, wide = rows("short"), rows("float")
    text = print_openmp(narrow, shaped(narrow, SHARED))
    assert "#pragma omp parallel for schedule(static)\n" in text
    assert "simd" not in text
    text = print_openmp(wide, shaped(wide, SHARED))
    assert "#pragma omp parallel for simd schedule(static) simdlen(8)\n" in text


@pytest.mark.cc
def test_the_text_compiles_and_computes_the_same(tmp_path: Path) -> None:
    scop = rows("unsigned char")
    original = """for (int i = 0; i < 40; i++)
      for (int j = 1; j < 63; j++) y[i][j] = x[i][j] + x[i][j - 1];"""
    trees = [shaped(scop, LANES), shaped(scop, SHARED)]
    check_equal(tmp_path, FRAME, original, scop, trees, [()])


@pytest.mark.cc
def test_bounds_that_are_choices_stand_before_the_loop(tmp_path: Path) -> None:
    # gcc ignored the pragma of `t <= min(62, t1 + 23)`, with a warning
    scop = rows("unsigned char")
    tree = shaped(scop, "tile(band=0.0, sizes=[24]); vector(band=0.0.0.0, member=0)")
    text = print_openmp(scop, tree)
    assert "const int end = ps_min(" in text
    assert " <= end; " in text
    original = """for (int i = 0; i < 40; i++)
      for (int j = 1; j < 63; j++) y[i][j] = x[i][j] + x[i][j - 1];"""
    check_equal(tmp_path, FRAME, original, scop, [tree], [()])
