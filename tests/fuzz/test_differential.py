"""Random programs: compiled original = interpreter = every schedule of a small space.

The slice below runs in CI. `make fuzz` runs the same with other seeds and keeps what it
finds: POLYSCHED_FUZZ_PROGRAMS says how many, POLYSCHED_FUZZ_SEED from which seed on,
POLYSCHED_FUZZ_KEEP=1 writes each failing program, made smaller, to tests/fuzz/cases.
"""

import os
from pathlib import Path

import pytest

from polysched.testing import (
    check_program,
    program_text,
    random_unit,
    shrink,
    simple_schedules,
)

CASES = Path(__file__).parent / "cases"
BATCH = 20
FIRST = int(os.environ.get("POLYSCHED_FUZZ_SEED", "100"))
N_PROGRAMS = int(os.environ.get("POLYSCHED_FUZZ_PROGRAMS", "200"))
KEEP = os.environ.get("POLYSCHED_FUZZ_KEEP") == "1"
MAX_LEFT_OUT = 0.1  # part of all programs that may be refused or take too long

pytestmark = pytest.mark.cc


@pytest.mark.parametrize("seed", range(FIRST, FIRST + N_PROGRAMS, BATCH))
def test_random_programs_agree_under_all_schedules(seed):
    units = [random_unit(s, name=f"f{s}") for s in range(seed, seed + BATCH)]
    report = check_program(program_text(units), simple_schedules)
    failures = [m for m in report.mismatches if m.stage != "frontend"]
    if failures and KEEP:
        keep([u for u in units if any(u.name == m.scop for m in failures)])
    assert not failures, "\n".join(str(m) for m in failures)
    assert report.n_refused + report.n_unanalysed <= MAX_LEFT_OUT * BATCH, report
    assert report.n_unprinted <= MAX_LEFT_OUT * report.n_trees, report
    assert report.n_executions >= BATCH
    assert report.n_trees >= 3 * BATCH


@pytest.mark.parametrize("path", sorted(CASES.glob("*.c")), ids=lambda p: p.stem)
def test_program_that_once_failed(path):
    report = check_program(path.read_text(), simple_schedules)
    assert not report.mismatches, "\n".join(str(m) for m in report.mismatches)
    assert report.n_scops


def stages(unit):
    report = check_program(program_text([unit]), simple_schedules)
    return {m.stage for m in report.mismatches}


def keep(units):
    """Write smaller versions of failing programs to the case directory."""
    for unit in units:
        expected = stages(unit)
        small = shrink(unit, lambda u, e=expected: bool(stages(u) & e), max_tries=60)
        what = ", ".join(sorted(expected))
        text = f"/* kept by the fuzzer, failed in: {what} */\n" + program_text([small])
        (CASES / f"seed_{unit.seed}.c").write_text(text)
