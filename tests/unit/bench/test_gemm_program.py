"""The yardstick of dense kernels: as many operations, at the speed of a product."""

from __future__ import annotations

from pathlib import Path

import pytest

from polysched.bench.build import Builder, Setting
from polysched.bench.gemm_program import count_dense_operations
from polysched.bench.peers import GEMM, Found, select_tools
from polysched.runtime import RunOptions, Toolchain
from polysched.workflow import parse, prepare_scop

pytestmark = pytest.mark.cc

POLYBENCH = Path(__file__).parents[3] / "examples" / "polybench"
SETTING = Setting(Toolchain(cflags=("-O1",)), RunOptions())
(PEER,), _ = select_tools([GEMM])


def _load(name, size="LARGE"):
    path = POLYBENCH / f"{name}.c"
    program = parse(str(path), flags=(f"-D{size}",))
    return program, prepare_scop(program.scops[0])


@pytest.mark.parametrize(
    ("kernel", "operations"),
    [
        ("gemm", 2 * 1000 * 1100 * 1200 + 1000 * 1100),
        ("syr2k", 4 * 1000 * 1200 * 1201 // 2),
        ("doitgen", 2 * 150 * 140 * 160 * 160),
    ],
)
def test_a_term_has_two_operations(kernel, operations):
    _, scop = _load(kernel)
    found = count_dense_operations(scop, {})
    assert found == pytest.approx(operations, rel=1e-3)


@pytest.mark.parametrize("kernel", ["mvt", "durbin", "jacobi-2d", "nussinov"])
def test_what_is_not_dense_has_no_yardstick(kernel):
    _, scop = _load(kernel)
    assert count_dense_operations(scop, {}) is None


def test_time_is_that_of_the_operations(tmp_path, monkeypatch):
    program, scop = _load("gemm", "SMALL")
    runner = Builder(program, scop, tmp_path, SETTING).build(Found(PEER, GEMM))
    operations = count_dense_operations(scop, {})
    side = round((operations / 2) ** (1 / 3))
    monkeypatch.setattr(
        "polysched.bench.gemm_program.run_sidecar",
        lambda _, sizes, *rest: 1.0 if sizes == {"N": side, "BYTES": 8} else 0.0,
    )
    assert runner.run(10.0) == pytest.approx(operations / (2 * side**3))
    monkeypatch.undo()
    assert runner.run(10.0) > 0
