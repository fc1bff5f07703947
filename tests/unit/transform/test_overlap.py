"""Overlapped tiles as a step: what it makes of a time loop, and what it refuses."""

from __future__ import annotations

from pathlib import Path

import pytest

from polysched.analysis import find_violation
from polysched.sets import list_sets
from polysched.transform import (
    DevicePlanner,
    OverlapSweeps,
    Step,
    overlap,
    print_script,
)
from tests.unit.codegen.cuda.test_overlap import HEAT, STAR, prepare, sweeps

STEP = "overlap(band=0, sweeps=3, tile=[8, 24], threads=[8], runs=[4])"


def read(text: str) -> OverlapSweeps:
    step = Step.parse(text)
    assert isinstance(step, OverlapSweeps)
    return step


def test_text_is_read_back() -> None:
    assert str(read(STEP)) == STEP


@pytest.mark.parametrize(
    ("steps", "launched", "left"), [(4, 3, 1), (6, 3, 3), (7, 6, 1), (8, 6, 2)]
)
def test_last_time_step_is_left(
    tmp_path: Path, steps: int, launched: int, left: int
) -> None:
    """It stores both arrays, which launches do not."""
    given = prepare(tmp_path, sweeps(STAR), 16, steps=steps)
    tree = read(STEP).apply(given.tree)
    root = tree.root.child(0)
    parts = [root.child(k).child(0).get_domain() for k in range(root.n_children())]
    points = [sum(s.count_val().to_python() for s in list_sets(p)) for p in parts]
    assert points == [launched * 2 * 14 * 14, left * 2 * 14 * 14]
    assert find_violation(tree, given.deps) is None


def test_launches_that_leave_out_a_value_are_illegal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Were the last time step launched, too, nobody would have stored B."""
    given = prepare(tmp_path, sweeps(STAR), 16, steps=6)
    monkeypatch.setattr(overlap, "_launched", lambda instances, _: instances)
    tree = read(STEP).apply(given.tree)
    violation = find_violation(tree, given.deps)
    assert violation is not None
    assert "stores its last sweep alone" in violation.reason
    assert violation.dependence.array == "B"


IN_PLACE = """for (int t = 0; t < STEPS; t++)
    for (int i = 1; i < N - 1; i++) for (int j = 1; j < N - 1; j++)
      A[i][j] = (A[i - 1][j] + A[i][j]) / 2;"""
OTHER = sweeps(STAR).replace("A[i][j] = ", "A[i][j] = B[i][j] - A[i][j] + ")
MOVED = sweeps(STAR).replace("B[i][j] = ", "B[i - 1][j] = ")
COUNTED = sweeps(STAR).replace("B[i][j] = ", "B[i][j] = t + ")
TRIANGLE = sweeps(STAR).replace("int j = 1", "int j = i")
ONCE_MORE = sweeps(STAR).replace("{", "{ if (t > 0) ")


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (IN_PLACE, "found 1 statements, expected 2 sweeps"),
        (OTHER, "S1 reads 'B' and 'A'"),
        (MOVED, "S0 does not write the element at its point"),
        (COUNTED, "S0 computes more than sums, products and quotients"),
        (TRIANGLE, "the instances of S0 are no box"),
        (ONCE_MORE, "the sweeps do not run equally often"),
    ],
)
def test_other_loops_are_refused(tmp_path: Path, body: str, expected: str) -> None:
    given = prepare(tmp_path, body, 16)
    reason = read(STEP).check(given.tree, given.deps)
    assert reason is not None
    assert expected in reason


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (STEP.replace("sweeps=3", "sweeps=4"), "expected an odd number from 3 on"),
        (STEP.replace("sweeps=3", "sweeps=5"), "4 points beside a tile along loop 1"),
        (STEP.replace("24", "26"), "found runs of 4 for a tile of 26 points"),
        (STEP.replace("24", "32"), "expected an even number more"),
        (STEP.replace("threads=[8]", "threads=[8, 8]"), "expected threads and runs"),
        (STEP.replace("runs=[4]", "runs=[3]"), "runs of (1, 2, 4)"),
        (STEP.replace("[8]", "[2048]"), "found 2048 threads"),
    ],
)
def test_other_shapes_are_refused(tmp_path: Path, text: str, expected: str) -> None:
    given = prepare(tmp_path, sweeps(STAR), 16, steps=9)
    reason = read(text).check(given.tree, given.deps)
    assert reason is not None
    assert expected in reason


def test_too_few_time_steps(tmp_path: Path) -> None:
    given = prepare(tmp_path, sweeps(STAR), 16, steps=3)
    reason = read(STEP).check(given.tree, given.deps)
    assert reason is not None
    assert "found too few time steps" in reason


def test_loops_over_space_are_counted(tmp_path: Path) -> None:
    given = prepare(tmp_path, sweeps(HEAT, 3), 12, dims=3)
    reason = read(STEP).check(given.tree, given.deps)
    assert reason is not None
    assert "one for each loop over space" in reason


def plan(folder: Path, value: str, dims: int, elem: str) -> list[str]:
    """Scripts that are proposed for a program."""
    given = prepare(folder, sweeps(value, dims), 384, elem, dims, steps=16)
    drafts = DevicePlanner(given.scop, given.deps).plan(given.tree, limit=12)
    for draft in drafts:
        assert find_violation(draft.tree, given.deps) is None
    return [print_script(draft.steps) for draft in drafts]


def test_planner_has_even_tiles(tmp_path: Path) -> None:
    """Extents of 384: six tiles of a row, two walks; runs are of 16 bytes."""
    scripts = [s for s in plan(tmp_path, HEAT, 3, "float") if "overlap" in s]
    shape = "tile=[192, 36, 64], threads=[21, 18], runs=[2, 4]"
    assert f"overlap(band=0, sweeps=3, {shape})" in scripts[0]
    assert len(scripts) == 2
    left = [step for step in scripts[0].split("; ") if step.startswith("launch")]
    assert [step.split(",")[0] for step in left] == [
        "launch(band=0.1.0.0.1.0",
        "launch(band=0.1.0.0.0.0",
    ]


@pytest.mark.long
def test_planner_has_shorter_runs_of_doubles(tmp_path: Path) -> None:
    scripts = [s for s in plan(tmp_path, STAR, 2, "double") if "overlap" in s]
    assert "sweeps=7" in scripts[0]
    assert "runs=[2]" in scripts[0]
    scripts = [s for s in plan(tmp_path, HEAT, 3, "double") if "overlap" in s]
    assert "tile=[192, 18, 64], threads=[12, 36], runs=[2, 2]" in scripts[0]


def test_planner_keeps_the_other_ways(tmp_path: Path) -> None:
    """A shape that overlaps comes once more without."""
    scripts = plan(tmp_path, STAR, 2, "float")
    overlapped = [k for k, s in enumerate(scripts) if "overlap" in s]
    assert len(overlapped) == 2
    assert "overlap" not in scripts[overlapped[0] + 1]
    alone = scripts[overlapped[0] + 1]
    assert alone.startswith("merge(band=0.0.1.0)")
