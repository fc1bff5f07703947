"""Steps that give bands to blocks and threads: what they accept."""

from __future__ import annotations

from pathlib import Path

import pytest

from polysched.base import IllegalScheduleError
from polysched.transform import apply_script, parse_script, print_script
from tests.unit.codegen.cuda.programs import Prepared

COLUMNS = """for (int j = 0; j < N; j++)
    for (int i = 1; i < N; i++)
      C[i][j] += C[i - 1][j];"""
BAND = "[{ S0[j, i] -> [(j)] }, { S0[j, i] -> [(i)] }]"


@pytest.mark.parametrize(
    "text",
    [
        "grid(band=0, member=0, members=1)",
        "threads(band=0, counts=[8], member=0)",
        "threads(band=0, counts=[8], member=0, run=4)",
    ],
)
def test_steps_are_read_back(text: str) -> None:
    assert print_script(parse_script(text)) == text


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("grid(band=0, member=2, members=1)", "found member 2"),
        ("grid(band=0, member=1, members=2)", "expected 1 to 1"),
        ("grid(band=0, member=1, members=1)", "grid loop leaves their order open"),
        (
            "grid(band=0, member=0, members=1); "
            "grid(band=0.0.0.0, member=0, members=1)",
            "inside of a kernel",
        ),
        ("threads(band=0, counts=[8], member=1)", "threads loop leaves their order"),
        ("threads(band=0, counts=[8, 8, 8])", "found 3 thread counts"),
        ("threads(band=0, counts=[0])", "found 0 threads"),
        ("threads(band=0, counts=[2048])", "at most 1024"),
        ("threads(band=0, counts=[8], member=3)", "found member 3"),
        ("threads(band=0, counts=[8], run=3)", "found runs of 3"),
        (
            "threads(band=0, counts=[8]); threads(band=0.0, counts=[8])",
            "threads share a band around",
        ),
    ],
)
def test_misfits_are_named(tmp_path: Path, script: str, reason: str) -> None:
    prepared = Prepared.of(tmp_path, COLUMNS).in_band(BAND)
    with pytest.raises(IllegalScheduleError, match=reason):
        apply_script(prepared.tree, parse_script(script), prepared.deps)
