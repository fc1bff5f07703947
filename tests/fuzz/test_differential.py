"""Random programs: compiled original = interpreter = every schedule of a small space.

The slice below runs in CI. `make fuzz` runs the same with fresh seeds and larger
programs and spaces, and keeps what it finds: POLYSCHED_FUZZ_PROGRAMS says how many
programs, POLYSCHED_FUZZ_SEED from which seed on, POLYSCHED_FUZZ_LARGE=1 how large, and
POLYSCHED_FUZZ_KEEP=1 writes each failing program, made smaller, to tests/fuzz/cases.

Program number s comes from seed s and has a function f<s>, which every failure names.
"""

import os
import warnings
from dataclasses import replace
from pathlib import Path

import pytest

from polysched.testing import (
    CheckOptions,
    Shape,
    SmallSpaces,
    check_program,
    program_text,
    random_unit,
    shrink,
    simple_schedules,
)

CASES = Path(__file__).parent / "cases"
BATCH = 100  # programs in one C file
FIRST = int(os.environ.get("POLYSCHED_FUZZ_SEED", "100"))
N_PROGRAMS = int(os.environ.get("POLYSCHED_FUZZ_PROGRAMS", "100"))
KEEP = os.environ.get("POLYSCHED_FUZZ_KEEP") == "1"
LARGE = os.environ.get("POLYSCHED_FUZZ_LARGE") == "1"
MAX_LEFT_OUT = 0.1  # part of all programs that may be refused or take too long

ODD = Shape(max_statements=4 if LARGE else 3)
REGULAR = Shape(
    max_statements=4 if LARGE else 2,
    stencils=0.6,
    private_arrays=0.1,
    oddity=0.1,
    run_time_sizes=0.9,
)
JUMPING = replace(ODD, max_statements=3, oddity=0.2, jumps=0.6)
SPACES = SmallSpaces(limit=12, n_recipes=8) if LARGE else SmallSpaces(4, 1, 3)
# in CI most proofs are complete within this; the comparison does not need them
OPTIONS = CheckOptions() if LARGE else CheckOptions(proof_operations=100_000)
DEVICE_SPACES = (
    SmallSpaces(limit=8, n_recipes=4, target="cuda")
    if LARGE
    else SmallSpaces(3, 1, 2, target="cuda")
)
ON_DEVICE = replace(OPTIONS, target="cuda")
N_ON_DEVICE = N_PROGRAMS if LARGE else N_PROGRAMS // 20

pytestmark = [pytest.mark.cc, pytest.mark.timeout(3600 if LARGE else 900)]


def make_unit(seed):
    shape = REGULAR if seed % 2 else JUMPING if seed % 5 == 4 else ODD
    return random_unit(seed, shape, name=f"f{seed}")


def check(units):
    return check_program(program_text(units), SPACES, OPTIONS)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(FIRST, FIRST + N_PROGRAMS, BATCH))
def test_random_programs_agree_under_all_schedules(seed):
    last = min(seed + BATCH, FIRST + N_PROGRAMS)
    units = [make_unit(s) for s in range(seed, last)]
    report = check(units)
    failures = [m for m in report.mismatches if m.stage != "frontend"]
    if failures and KEEP:
        keep([u for u in units if any(u.name == m.scop for m in failures)])
    assert not failures, "\n".join(str(m) for m in failures)
    left_out = report.n_refused + report.n_unanalysed
    assert left_out <= max(1, MAX_LEFT_OUT * len(units)), report
    assert report.n_unprinted <= MAX_LEFT_OUT * report.n_trees, report
    assert report.n_executions >= len(units) - left_out
    assert report.n_trees >= 3 * len(units)
    if not LARGE:
        assert_varied(report.kinds)


def assert_varied(kinds):
    """The schedules of one batch are of every kind."""
    few, some, many = 2, 8, 20
    for name, least in {
        "unit": some, "lower": some, "upper": few, "isl": some, "feautrier": some,
        "tile": many, "wavefront": some, "order": many, "jam": few, "separate": some,
        "merge": few, "skew": few, "parallel": many, "vector": many,
    }.items():  # fmt: skip
        assert kinds[name] >= least, (name, kinds)
    assert sum(">" in kind for kind in kinds) >= 8, kinds  # lists of objectives


@pytest.mark.long
def test_random_programs_agree_on_a_device():
    """Kernels run on the CPU's stand-in, which also reports races."""
    units = [make_unit(s) for s in range(FIRST, FIRST + N_ON_DEVICE)]
    report = check_program(program_text(units), DEVICE_SPACES, ON_DEVICE)
    failures = [m for m in report.mismatches if m.stage != "frontend"]
    assert not failures, "\n".join(str(m) for m in failures)
    left_out = report.n_refused + report.n_unanalysed
    assert left_out <= max(1, MAX_LEFT_OUT * len(units)), report
    assert report.n_trees >= len(units)
    assert set(report.kinds) >= {"launch", "single"}


@pytest.mark.long
def test_sizes_that_no_bound_names_are_printed_for_a_device():
    """Lengths of copies are functions of an array's own sizes."""
    unit = random_unit(9130059, replace(REGULAR, max_statements=4), name="f9130059")
    spaces = SmallSpaces(limit=8, n_recipes=4, target="cuda")
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        report = check_program(program_text([unit]), spaces, ON_DEVICE)
    assert not report.mismatches
    assert not [w for w in found if "code builder fails" in str(w.message)]


@pytest.mark.long
def test_stencils_agree_under_every_kind_of_schedule():
    text = (CASES.parent / "stencils.c").read_text()
    report = check_program(text, SmallSpaces(limit=6))
    assert not report.mismatches, "\n".join(str(m) for m in report.mismatches)
    assert report.n_executions == 4
    assert report.n_trees >= 10
    assert set(report.kinds) >= {"tile", "wavefront", "skew", "straighten", "upper"}


@pytest.mark.long
@pytest.mark.parametrize("path", sorted(CASES.glob("*.c")), ids=lambda p: p.stem)
@pytest.mark.parametrize(
    "schedules",
    [simple_schedules, SmallSpaces(4, 1, 2)],
    ids=["simple", "space"],
)
def test_program_that_once_failed(path, schedules):
    options = CheckOptions(max_operations=20_000_000)
    report = check_program(path.read_text(), schedules, options)
    assert not report.mismatches, "\n".join(str(m) for m in report.mismatches)
    assert report.n_scops
    assert report.n_trees


def stages(unit):
    return {m.stage for m in check([unit]).mismatches}


def keep(units):
    """Write smaller versions of failing programs to the case directory."""
    for unit in units:
        expected = stages(unit)
        small = shrink(unit, lambda u, e=expected: bool(stages(u) & e), max_tries=60)
        what = ", ".join(sorted(expected)) or "its batch, but not alone"
        text = f"/* kept by the fuzzer, failed in: {what} */\n" + program_text([small])
        (CASES / f"seed_{unit.seed}.c").write_text(text)
