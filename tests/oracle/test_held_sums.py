"""Convolutions whose results stay in registers through all loops of their sums."""

from __future__ import annotations

from dataclasses import replace

import pytest

from polysched.analysis import set_band_flags
from polysched.ir import Scop, original_tree
from polysched.machine import Machine
from polysched.testing import Candidate, Candidates, check_program, prepare
from polysched.transform.arrange import merge_bands
from polysched.transform.contraction import hold_contraction
from polysched.transform.draft import Draft
from polysched.transform.gather import gather_contractions
from polysched.transform.held_sums import version_results

pytestmark = pytest.mark.cc

CPU = replace(
    Machine.detect(calibrated=False).cpu, isa=("avx512f",), simd_bits=256, n_cores=2
)
PROGRAM = """
#include <stdio.h>
static TYPE x[6][40][72], f[40][6][3][3], y[40][38][70];
static void run(int k, int c, int h, int w) {
#pragma scop
  for (int o = 0; o < k; o++)
    for (int i = 0; i < h; i++)
      for (int j = 0; j < w; j++) {
        TYPE s = o;
        for (int q = 0; q < c; q++)
          for (int u = 0; u < 3; u++)
            for (int v = 0; v < 3; v++)
              s += x[q][i + u][j + v] * f[o][q][u][v];
        y[o][i][j] = s > 0 ? s : s / 4;
      }
#pragma endscop
}
int main(void) {
  static const int sizes[][4] = {
    {40, 6, 3, 70}, {7, 1, 2, 33}, {1, 2, 1, 64}, {13, 0, 2, 5}, {0, 1, 1, 9},
    {26, 3, 2, 0}, {27, 2, 1, 31}, {5, 5, 1, 1},
  };
  for (int n = 0; n < 8; n++) {
    for (int q = 0; q < 6; q++)
      for (int i = 0; i < 40; i++)
        for (int j = 0; j < 72; j++)
          x[q][i][j] = (q * 7 + i * 3 + j * 5) % 23 / (TYPE)7 - 1;
    for (int o = 0; o < 40; o++)
      for (int q = 0; q < 6 * 9; q++)
        f[o][q / 9][q / 3 % 3][q % 3] = (o * 5 + q) % 11 / (TYPE)9 - 0.5f;
    run(sizes[n][0], sizes[n][1], sizes[n][2], sizes[n][3]);
  }
  return 0;
}
"""


def held(scop: Scop) -> Candidates:
    scop, deps = prepare(scop)
    tree = set_band_flags(original_tree(scop), deps)
    draft = gather_contractions(merge_bands(Draft(tree, deps)), scop, CPU)
    draft = version_results(draft, scop)
    for path in draft.innermost_paths():
        draft = hold_contraction(draft, scop, path, CPU) or draft
    names = [type(step).__name__ for step in draft.steps]
    assert names.count("Version") == 2
    assert "Registers" in names
    return Candidates(scop, deps, (Candidate(draft.tree, "held"),))


@pytest.mark.long
@pytest.mark.parametrize("type_name", ["float", "double"])
def test_results_are_equal_at_every_edge(type_name: str) -> None:
    report = check_program(PROGRAM.replace("TYPE", type_name), held)
    assert not report.mismatches, "\n".join(str(m) for m in report.mismatches)
    assert report.n_unprinted == 0
    assert report.n_trees == 1
