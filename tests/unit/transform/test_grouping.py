"""Products of short integers: which terms are added up together, and what is copied."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from polysched.analysis import (
    compute_dependences,
    find_violation,
    prepare_scop,
    set_band_flags,
)
from polysched.codegen import print_openmp
from polysched.frontend import parse_c
from polysched.ir import original_tree
from polysched.transform import Pack, PlanShape, Registers
from polysched.transform.draft import Draft
from polysched.transform.plan import plan_script
from tests.unit.transform.test_plan import CPU

pytestmark = pytest.mark.cc

HELD = PlanShape(tile=True, jam=True, straighten=True, hold=True)
BYTES = replace(CPU, simd_bits=512, isa=("avx2", "avx512f", "avx512bw", "avx512_vnni"))
WORDS = replace(CPU, simd_bits=512, isa=("avx2", "avx512f", "avx512bw"))
NARROW = replace(CPU, simd_bits=256, isa=("avx2", "fma"))
OLD = replace(CPU, simd_bits=256, isa=("avx",))

PRODUCT = """
ROWS A[200][DEPTH]; LANES B[DEPTH][150]; int C[200][150];
void f(void) {
#pragma scop
  for (int i = 0; i < 200; i++)
    for (int j = 0; j < 150; j++)
      for (int k = 0; k < DEPTH; k++)
        C[i][j] += A[i][k] * B[k][j];
#pragma endscop
}
"""
LAYER = """
unsigned char in[18][18][32]; signed char w[3][3][32][48]; int out[16][16][48];
void f(void) {
#pragma scop
  for (int y = 0; y < 16; y++)
    for (int ky = 0; ky < 3; ky++)
      for (int kx = 0; kx < 3; kx++)
        for (int x = 0; x < 16; x++)
          for (int f = 0; f < 48; f++)
            for (int c = 0; c < 32; c++)
              out[y][x][f] += in[y + ky][x + kx][c] * w[ky][kx][c][f];
#pragma endscop
}
"""


def product(rows: str, lanes: str, depth: int = 128) -> str:
    text = PRODUCT.replace("ROWS", rows).replace("LANES", lanes)
    return text.replace("DEPTH", str(depth))


def planned(directory: Path, text: str, cpu=BYTES) -> Draft:
    file = directory / "program.c"
    file.write_text(text)
    scop = prepare_scop(parse_c(str(file)).scops[0])
    deps = compute_dependences(scop)
    tree = set_band_flags(original_tree(scop), deps)
    draft = plan_script(tree, scop, deps, cpu, HELD)
    assert find_violation(draft.tree, deps, scop) is None
    assert ("ps_dot" in print_openmp(scop, draft.tree)) == (terms(draft) > 1)
    return draft


def terms(draft: Draft) -> int:
    (held,) = (s for s in draft.steps if isinstance(s, Registers))
    return held.terms


def copies(draft: Draft) -> list[Pack]:
    return [s for s in draft.steps if isinstance(s, Pack)]


@pytest.mark.parametrize(
    ("rows", "lanes", "cpu", "expected"),
    [
        ("signed char", "signed char", BYTES, (4, 128)),
        ("signed char", "unsigned char", BYTES, (4, 0)),
        ("unsigned char", "signed char", BYTES, (4, 0)),
        ("unsigned char", "unsigned char", BYTES, (4, -128)),
        ("signed char", "signed char", WORDS, (2, 0)),
        ("signed char", "short", BYTES, (2, 0)),
        ("signed char", "signed char", NARROW, (2, 0)),
        ("signed char", "signed char", OLD, (1, 0)),
        ("int", "signed char", BYTES, (1, 0)),
        ("unsigned short", "short", BYTES, (1, 0)),
    ],
)
def test_terms_are_as_short_as_their_types_and_the_processor(
    rows, lanes, cpu, expected, tmp_path
) -> None:
    draft = planned(tmp_path, product(rows, lanes), cpu)
    assert terms(draft) == expected[0]
    assert {s.shift for s in copies(draft) if s.panel} == {expected[1]}


@pytest.mark.parametrize(("depth", "n"), [(128, 1), (126, 2)])
def test_rows_are_copied_where_their_last_group_is_not_full(depth, n, tmp_path) -> None:
    draft = planned(tmp_path, product("signed char", "signed char", depth))
    assert terms(draft) == 4
    assert len(copies(draft)) == n


def test_short_loops_have_no_groups(tmp_path) -> None:
    draft = planned(tmp_path, product("signed char", "signed char", 12))
    assert terms(draft) == 2
    draft = planned(tmp_path, product("signed char", "signed char", 6))
    assert terms(draft) == 1


def test_the_innermost_loop_begins_alike_for_all_elements(tmp_path) -> None:
    text = product("signed char", "signed char")
    text = text.replace("k < 128", "k <= i && k < 128")
    assert terms(planned(tmp_path, text)) == 1


def test_weights_are_copied_once_for_all_rows_of_an_image(tmp_path) -> None:
    (copy,) = copies(planned(tmp_path, LAYER))
    assert copy.band == (0,)
    assert copy.iterators[-2:] == (5, 4)
    assert copy.panel == 48  # columns that leave nothing over


def test_what_does_not_fit_the_second_cache_is_copied_inside(tmp_path) -> None:
    (copy,) = copies(planned(tmp_path, LAYER, replace(BYTES, l2_bytes=16 << 10)))
    assert copy.band != (0,)
