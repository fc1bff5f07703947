"""Kernels of updates: what the step accepts, and which ones a plan has."""

from __future__ import annotations

from pathlib import Path

import pytest

from polysched.analysis import FloatingPoint
from polysched.base import IllegalScheduleError
from polysched.transform import (
    DevicePlanner,
    LaunchAtomic,
    apply_script,
    parse_script,
    print_script,
)
from tests.unit.codegen.cuda.programs import Prepared

KEYS = "for (int i = 0; i < n; i++) C[0][A[i][0]] += i;"
ROWS = """for (int i = 0; i < n; i++)
    for (int j = 0; j < m; j++)
      C[0][A[i][j]]++;"""
READ = """for (int i = 0; i < n; i++) {
    C[0][A[i][0]]++;
    B[i][0] = C[0][i];
  }"""
STEP = "launch_atomic(band=0, tile=[64], threads=[32], arrays=[C], copied=[C])"


def planned(
    folder: Path, body: str, fp: FloatingPoint = "strict"
) -> list[LaunchAtomic]:
    """The kernels of updates in the first script for a program."""
    given = Prepared.of(folder, body, "int", fp=fp)
    (first,) = DevicePlanner(given.scop, given.deps).plan(given.tree, limit=1)
    return [s for s in first.steps if isinstance(s, LaunchAtomic)]


def test_step_is_read_back() -> None:
    for text in (STEP, STEP.replace(", copied=[C]", "")):
        (step,) = parse_script(text)
        assert parse_script(print_script((step,))) == (step,)


@pytest.mark.parametrize(
    ("body", "old", "new", "reason"),
    [
        (KEYS, "[64]", "[63]", "found 32 threads for 63 values"),
        (KEYS, "tile=[64]", "tile=[8, 64]", "found 2 tile sizes, expected 1 to 1"),
        (KEYS, "arrays=[C]", "arrays=[C, C]", "one of them twice"),
        (KEYS, "copied=[C]", "copied=[B]", "copies of an array that is not updated"),
        (KEYS, "arrays=[C], copied=[C]", "arrays=[B]", "leaves their order open"),
        (ROWS, "tile=[64], threads=[32]", "tile=[2, 8], threads=[1, 8]", "no earlier"),
        (KEYS.replace("+=", "="), "", "", "each thread updates all of C"),
        (KEYS.replace("+=", "*="), "", "", "no device updates C in one go"),
        (READ, "", "", "each thread updates all of C"),
    ],
)
def test_misfits_are_named(
    tmp_path: Path, body: str, old: str, new: str, reason: str
) -> None:
    given = Prepared.of(tmp_path, body, "int")
    with pytest.raises(IllegalScheduleError, match=reason):
        apply_script(given.tree, parse_script(STEP.replace(old, new)), given.deps)


def test_a_block_has_a_key_for_each_element_of_its_copy(tmp_path: Path) -> None:
    (step,) = planned(tmp_path, KEYS)
    assert (step.arrays, step.copied, step.threads) == (("C",), ("C",), (128,))
    assert step.tile[0] >= 21 * 21
    assert step.tile[0] % 128 == 0


def test_rows_are_shared_whole(tmp_path: Path) -> None:
    (step,) = planned(tmp_path, ROWS)
    assert (step.tile[1], step.threads) == (0, (1, 128))


def test_extrema_and_what_does_not_fit_have_no_copies(tmp_path: Path) -> None:
    least = "for (int i = 0; i < n; i++) if (i < C[0][A[i][0]]) C[0][A[i][0]] = i;"
    (step,) = planned(tmp_path, least)
    assert (step.arrays, step.copied) == (("C",), ())
    (step,) = planned(tmp_path, KEYS.replace("C[0][", "Z["))  # of unknown length
    assert (step.arrays, step.copied) == (("Z",), ())


def test_floats_keep_their_order_unless_told_otherwise(tmp_path: Path) -> None:
    given = KEYS.replace("A[i][0]", "(int)A[i][0]").replace("i;", "0.5 * i;")
    for fp, n_steps in (("strict", 0), ("reassociate", 1)):
        prepared = Prepared.of(tmp_path, given, "double", fp=fp)  # type: ignore[arg-type]
        (first,) = DevicePlanner(prepared.scop, prepared.deps).plan(
            prepared.tree, limit=1
        )
        assert sum(isinstance(s, LaunchAtomic) for s in first.steps) == n_steps
