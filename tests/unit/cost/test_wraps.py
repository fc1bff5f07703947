"""Remainders in subscripts: a neighbour inside, no lanes where the border is within."""

from __future__ import annotations

from pathlib import Path

import pytest

from polysched.analysis import compute_dependences, references, set_band_flags
from polysched.cost import predict_seconds
from polysched.cost.read import read_nests
from polysched.frontend import parse_c
from polysched.ir import ScheduleTree, Scop, original_tree
from polysched.transform import apply_script, parse_script
from tests.unit.cost.test_model import MACHINE

RING = """
void f(float y[400][400], float x[400][400]) {{
#pragma scop
    for (int i = 0; i < 400; i++)
        for (int j = 0; j < 400; j++)
            y[i][j] = {read};
#pragma endscop
}}
"""
LANES = "vector(band=0, member=1)"
PAIRS = "interleave(band=0, member=1, period=2); vector(band=0.0, member=0)"
APART = "split(band=0, member=1, cuts=[399]); vector(band=0.0.0.0, member=0)"


def ring(read: str, script: str, directory: Path) -> tuple[Scop, ScheduleTree]:
    path = directory / "ring.c"
    path.write_text(RING.format(read=read))
    scop = parse_c(path).scops[0]
    deps = compute_dependences(scop)
    tree = set_band_flags(original_tree(scop), deps)
    return scop, apply_script(tree, parse_script(script), deps)


@pytest.mark.parametrize(
    ("read", "script", "wraps"),
    [
        ("x[i][(j + 1) % 400]", LANES, 1),
        ("x[(i + 1) % 400][(j + 399) % 400]", LANES, 1),
        ("x[(i + 1) % 400][j]", LANES, 0),  # once for a row
        ("x[(i + 1) % 400][j]", f"order(band=0, members=[1, 0]); {LANES}", 1),
        ("x[i][j]", LANES, 0),
        ("x[i][(j + 1) % 400]", APART, 0),
        ("x[i][j / 2]", LANES, 1),
        ("x[i / 2][j]", LANES, 0),
        ("x[i][j / 2]", PAIRS, 0),
        ("x[i][j / 3]", PAIRS, 1),
    ],
)
def test_remainders_that_a_loop_leaves_open(
    read: str, script: str, wraps: int, tmp_path: Path
) -> None:
    scop, tree = ring(read, f"merge(band=0); {script}", tmp_path)
    (nest,) = read_nests(tree, scop, compute_dependences(scop))
    assert nest.n_wraps == wraps
    assert nest.is_vectorizable == (not wraps)


def test_the_border_apart_is_faster(tmp_path: Path) -> None:
    read = "x[i][(j + 1) % 400]"
    found = []
    for script in (LANES, APART):
        scop, tree = ring(read, f"merge(band=0); {script}", tmp_path)
        found.append(predict_seconds(tree, scop, None, MACHINE))
    assert found[0] > 2 * found[1]


def test_a_long_remainder_steps_as_what_is_divided(tmp_path: Path) -> None:
    """And a short one is its mean, as a rounded quotient is."""
    for read, row in (
        ("x[i][(j + 1) % 400]", (0, 1)),
        ("x[i][(j + 1) % 3]", (0, 0)),
        ("x[i][j / 2]", (0, 0.5)),
        ("x[i][j / 100]", (0, 0)),
    ):
        scop, _ = ring(read, "merge(band=0)", tmp_path)
        (found,) = (r for r in references(scop)["S0"] if not r.is_write)
        assert found.rows[1] == row, read
