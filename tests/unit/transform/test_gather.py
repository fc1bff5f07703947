"""Products into a row get the loop over rows, too, where the row is private."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from polysched.analysis import (
    compute_dependences,
    find_violation,
    infer_liveness,
    privatize,
    set_band_flags,
)
from polysched.codegen import print_openmp
from polysched.frontend import parse_c
from polysched.ir import original_tree
from polysched.machine import Machine
from polysched.transform import apply_script, parse_script, print_script
from polysched.transform.arrange import merge_bands
from polysched.transform.band_view import view_band
from polysched.transform.contraction import hold_contraction
from polysched.transform.draft import Draft
from polysched.transform.gather import gather_contractions
from polysched.transform.held_sums import version_results
from polysched.transform.roles import find_contraction

pytestmark = pytest.mark.cc

CPU = replace(
    Machine.detect(calibrated=False).cpu, isa=("avx512f",), simd_bits=512, n_cores=2
)

ROWS = """\
static double sum[160];
double A[150][140][160], C[160][160];
void f(void) {
#pragma scop
  for (int r = 0; r < 150; r++)
    for (int q = 0; q < 140; q++) {
      for (int p = 0; p < 160; p++) {
        sum[p] = 0.0;
        for (int s = 0; s < 160; s++)
          sum[p] += A[r][q][s] * C[s][p];
      }
      for (int p = 0; p < 160; p++)
        A[r][q][p] = sum[p];
    }
#pragma endscop
}
"""


def _gather(directory: Path, text: str) -> tuple[Draft, Draft]:
    file = directory / "program.c"
    file.write_text(text)
    scop = privatize(infer_liveness(parse_c(str(file)).scops[0]))
    deps = compute_dependences(scop)
    tree = set_band_flags(original_tree(scop), deps)
    before = merge_bands(Draft(tree, deps))
    after = gather_contractions(before, scop, CPU)
    found = [
        find_contraction(view_band(after, scop, p)) for p in after.innermost_paths()
    ]
    assert any(found) == (after is not before)
    return before, after


BLOCKS = """\
double Q[640][64], K[640][64], S[32][48], O[640][640];
void f(void) {
#pragma scop
  for (int ib = 0; ib < 640; ib += 32)
    for (int jb = 0; jb < 640; jb += 48) {
      for (int i = 0; i < 32; i++)
        for (int j = 0; j < 48 && jb + j < 640; j++) {
          double s = 0.0;
          for (int c = 0; c < 64; c++)
            s += Q[ib + i][c] * K[jb + j][c];
          S[i][j] = 0.5 * s;
        }
      for (int i = 0; i < 32; i++)
        for (int j = 0; j < 48 && jb + j < 640; j++)
          O[ib + i][jb + j] = S[i][j] * S[i][0];
    }
#pragma endscop
}
"""


def test_in_blocks_no_loop_of_points_stays_around(tmp_path: Path) -> None:
    before, after = _gather(tmp_path, BLOCKS)
    steps = print_script(after.steps[len(before.steps) :])
    assert "member=0, statements=[0, 1, 2]" in steps
    assert find_violation(after.tree, after.deps) is None
    alone = BLOCKS.replace("ib += 32", "ib += 640").replace("i < 32", "i < 640")
    alone = alone.replace("S[32]", "S[640]")
    before, after = _gather(tmp_path, alone)
    assert "member=0, statements=[0, 1, 2]" in print_script(after.steps)


def test_a_product_into_a_private_row_becomes_one_into_rows(tmp_path: Path) -> None:
    before, after = _gather(tmp_path, ROWS)
    steps = print_script(after.steps[len(before.steps) :])
    assert steps.startswith("distribute(band=0, member=1, statements=[0, 1, 2])")
    assert find_violation(after.tree, after.deps) is None
    script = parse_script(print_script(after.steps))
    merged = apply_script(before.tree, script[len(before.steps) :], before.deps)
    assert merged.text == after.tree.text


def test_rows_that_somebody_else_reads_stay_together(tmp_path: Path) -> None:
    before, after = _gather(tmp_path, ROWS.replace("static double sum", "double sum"))
    assert after is before


WINDOWS = """\
double image[64][64][8], weights[5][5][8][16], bias[16], out[60][60][16];
void f(void) {
#pragma scop
  for (int i = 0; i < 60; i++)
    for (int j = 0; j < 60; j++) {
      for (int f = 0; f < 16; f++)
        out[i][j][f] = bias[f];
      for (int p = 0; p < 5; p++)
        for (int q = 0; q < 5; q++)
          for (int c = 0; c < 8; c++)
            for (int f = 0; f < 16; f++)
              out[i][j][f] += image[i + p][j + q][c] * weights[p][q][c][f];
    }
#pragma endscop
}
"""


def test_a_convolution_keeps_the_order_of_its_sum_and_gets_rows(tmp_path: Path) -> None:
    """Windows and channels are added up as they stand: their loops cannot be joined."""
    before, after = _gather(tmp_path, WINDOWS)
    steps = print_script(after.steps[len(before.steps) :])
    assert steps.startswith("distribute(band=0, member=1, statements=[0, 1])")
    assert "sink(" in steps
    assert find_violation(after.tree, after.deps) is None


FILTERS = """\
float x[8][22][52], f[20][8][3][3], y[20][20][50];
void conv(int n) {
#pragma scop
  for (int o = 0; o < 20; o++)
    for (int i = 0; i < 20; i++)
      for (int j = 0; j < n; j++) {
        float s = 0;
        for (int q = 0; q < 8; q++)
          for (int u = 0; u < 3; u++)
            for (int v = 0; v < 3; v++)
              s += x[q][i + u][j + v] * f[o][q][u][v];
        y[o][i][j] = s > 0 ? s : 0;
      }
#pragma endscop
}
"""


def test_filters_move_to_the_columns_where_they_share_a_row_of_the_picture(
    tmp_path: Path,
) -> None:
    before, after = _gather(tmp_path, FILTERS)
    steps = print_script(after.steps[len(before.steps) :])
    assert steps.startswith(
        "order(band=0, members=[1, 0, 2]); "
        "distribute(band=0, member=1, statements=[0, 1, 2]); tile("
    )
    assert find_violation(after.tree, after.deps) is None


def test_results_are_held_through_all_loops_of_their_sum(tmp_path: Path) -> None:
    _, after = _gather(tmp_path, FILTERS)
    scop = after.deps.scop
    assert scop is not None
    draft = version_results(after, scop)
    for path in draft.innermost_paths():
        draft = hold_contraction(draft, scop, path, CPU) or draft
    assert find_violation(draft.tree, draft.deps) is None
    text = print_openmp(scop, draft.tree, deps=draft.deps.validity)
    loops = r"for \(int t\d+ = 0; t\d+ <= 7; t\d+\+\+\)\s+" + (
        r"for \(int t\d+ = 0; t\d+ <= 2; t\d+\+\+\)\s+" * 2
    )
    full = re.findall(rf"c0 = [^;]+;\s+(?:[^;]+;\s+)*?{loops}\{{?([^}}]*)", text)
    assert full
    assert all("c0 +=" in body and "= c0;" not in body for body in full)
