"""What lanes over rows would gather is turned around once, where it is read again."""

from __future__ import annotations

from pathlib import Path

import pytest

from polysched.analysis import (
    compute_dependences,
    find_violation,
    prepare_scop,
    set_band_flags,
)
from polysched.cost import predict_seconds
from polysched.frontend import parse_c
from polysched.ir import original_tree
from polysched.machine import Machine
from polysched.transform import (
    Pack,
    PlanShape,
    apply_script,
    plan_script,
)
from polysched.transform.draft import Draft
from tests.unit.transform.test_plan import CPU

NEAREST = """for (int i = 0; i < n; i++) {
  float best = 1e30f; int which = -1;
  for (int k = 0; k < 40; k++) {
    float far = 0.0f;
    for (int d = 0; d < DEEP; d++) {
      float t = X[i][d] - C[k][d];
      far += t * t;
    }
    if (far < best) { best = far; which = k; }
  }
  label[i] = which;
}"""

FORCES = """for (int i = 0; i < n; i++) {
  Y[i][0] = 0.0f;
  for (int k = 0; k < 40; k++) {
    float t = 1.0f / sqrtf(X[i][0] - C[k][0]);
    Y[i][0] += t * C[k][1];
    Y[i][1] += t * C[k][2];
  }
}"""


def planned(
    directory: Path, deep: str = "12", body: str = NEAREST
) -> tuple[Draft, float, float]:
    """The script for rows; predicted seconds of it, and without its copies."""
    path = directory / "nearest.c"
    path.write_text(
        f"#include <math.h>\n#define DEEP {deep}\n"
        f"void f(int n, int m, float X[n][400], float C[40][400],"
        " float Y[n][400], int label[n])\n"
        f"{{\n#pragma scop\n{body}\n#pragma endscop\n}}\n"
    )
    scop = prepare_scop(parse_c(path).scops[0])
    deps = compute_dependences(scop)
    tree = set_band_flags(original_tree(scop), deps)
    draft = plan_script(tree, scop, deps, CPU, PlanShape(rows=True))
    assert find_violation(draft.tree, deps) is None
    plain = tuple(s for s in draft.steps if not isinstance(s, Pack))
    without = apply_script(tree, plain, deps)
    seconds = [
        predict_seconds(t, scop, deps, Machine(cpu=CPU), {"n": 100_000}) or 0.0
        for t in (draft.tree, without)
    ]
    return draft, seconds[0], seconds[1]


def test_a_block_that_all_centres_read_is_copied(tmp_path: Path) -> None:
    draft, seconds, without = planned(tmp_path)
    (step,) = (s for s in draft.steps if isinstance(s, Pack))
    assert step.iterators == (2, 0)
    assert seconds < 0.7 * without


@pytest.mark.parametrize(
    ("deep", "body"),
    [
        ("m", NEAREST),  # of any size
        ("400", NEAREST),  # too large for the first cache
        ("12", NEAREST.replace("k < 40", "k < 2")),  # hardly read again
        ("12", NEAREST.replace("X[i][d]", "C[0][d]")),  # no column
        ("12", NEAREST.replace("far += t * t;", "far += t * t; X[i][d] = far;")),
        ("12", FORCES),  # beside what lanes would scatter
    ],
    ids=["unknown", "large", "twice", "row", "changed", "beside"],
)
def test_other_columns_are_not(tmp_path: Path, deep: str, body: str) -> None:
    draft, _, _ = planned(tmp_path, deep, body)
    assert not any(isinstance(s, Pack) for s in draft.steps)
