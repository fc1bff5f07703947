"""Every example: the interpreter agrees with the compiled program, at small sizes."""

import re
from pathlib import Path

import pytest

from polysched.testing import check_program

EXAMPLES = Path(__file__).parents[2] / "examples"
KERNELS = sorted((EXAMPLES / "polybench").glob("*.c"))
PROGRAMS = sorted((EXAMPLES / "programs").glob("*.c"))
SMALL = (5, 4, 6, 3, 7)

pytestmark = pytest.mark.cc


def size_macros(text):
    """Names of the macros that hold a kernel's sizes."""
    return re.findall(r"#ifndef (\w+)\n#define \1 PICK", text)


def assert_agreement(text, flags):
    report = check_program(text, flags=flags)
    assert not report.mismatches, "\n".join(str(m) for m in report.mismatches)
    assert report.n_scops >= 1
    assert report.n_executions >= 1


@pytest.mark.parametrize("sizes", ["small", "one"])
@pytest.mark.parametrize("path", KERNELS, ids=lambda p: p.stem)
def test_polybench_kernel(path, sizes):
    text = path.read_text()
    values = [1] * 5 if sizes == "one" else SMALL
    flags = [f"-D{n}={v}" for n, v in zip(size_macros(text), values, strict=False)]
    assert flags
    assert_agreement(text, flags)


@pytest.mark.parametrize("path", PROGRAMS, ids=lambda p: p.stem)
def test_further_program(path):
    assert_agreement(path.read_text(), ["-DTINY"])
