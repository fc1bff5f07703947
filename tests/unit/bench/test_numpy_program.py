"""NumPy beside an example computes what the C file computes, or is told wrong."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from polysched.base import MismatchError, RunError
from polysched.bench.build import Builder, Setting
from polysched.bench.numpy_program import NumpyProgram, find_sidecar, read_sizes
from polysched.runtime import RunOptions, Toolchain
from polysched.workflow import parse, prepare_scop
from tests.unit.bench.toys import write_suite

pytestmark = pytest.mark.cc

EXAMPLES = Path(__file__).parents[3] / "examples"
SIDECARS = sorted((EXAMPLES / "numpy").glob("*.py"))
SETTING = Setting(Toolchain(cflags=("-O1",)), RunOptions())


def _compare(path, directory, flags=()):
    program = parse(str(path), flags=flags)
    scop = prepare_scop(program.scops[0])
    builder = Builder(program, scop, directory, SETTING)
    sidecar = find_sidecar(str(path))
    assert sidecar is not None
    numpy = NumpyProgram(sidecar, program, scop, directory, RunOptions())
    return numpy.check(builder.oracle, 30.0)


@pytest.mark.parametrize("sidecar", SIDECARS, ids=lambda p: p.stem)
def test_examples_agree_with_their_c_files(sidecar, tmp_path):
    path = EXAMPLES / "polybench" / f"{sidecar.stem}.c"
    comparison, note = _compare(path, tmp_path, ("-DMINI",))
    assert comparison.n_values > 0
    assert note == ""


def test_a_wrong_sidecar_is_a_mismatch(tmp_path):
    suite = write_suite(tmp_path / "suite")
    sidecar = suite / "numpy" / "product.py"
    good = sidecar.read_text()
    sidecar.write_text(good.replace("A @ x", "A @ x + 1e-3"))
    with pytest.raises(MismatchError, match=r"array y|y\["):
        _compare(suite / "product.c", tmp_path / "out")
    sidecar.write_text(good.replace('"y": A @ x', '"z": A @ x'))
    with pytest.raises(MismatchError, match="none of the arrays"):
        _compare(suite / "product.c", tmp_path / "out")
    sidecar.write_text(good.replace("A @ x", "(A @ x)[:5]"))
    with pytest.raises(MismatchError, match="smaller than expected"):
        _compare(suite / "product.c", tmp_path / "out")


def test_sizes_are_macros_of_the_c_file(tmp_path):
    suite = write_suite(tmp_path / "suite")
    program = parse(str(suite / "product.c"), flags=("-DSMALL",))
    assert read_sizes(program, ("N",)) == {"N": 30}
    with pytest.raises(RunError, match="expected as many integers"):
        read_sizes(program, ("N", "M"))


def test_what_is_no_sidecar_is_refused(tmp_path):
    suite = write_suite(tmp_path / "suite")
    assert find_sidecar(str(suite / "twice.c")) is None
    (suite / "numpy" / "product.py").write_text("x = 1\n")
    with pytest.raises(RunError, match="'inputs' and 'kernel'"):
        _compare(suite / "product.c", tmp_path / "out")
    shutil.rmtree(suite / "numpy")
    assert find_sidecar(str(suite / "product.c")) is None
