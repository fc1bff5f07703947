"""Overlapped tiles in the model: what is moved, and how often kernels are launched."""

from __future__ import annotations

import pytest

from polysched.cost.device import kernel_work, predict_on_device
from polysched.cost.kernels import read_kernels
from polysched.machine import Gpu
from polysched.transform import apply_script, parse_script
from tests.unit.codegen.cuda.programs import Prepared
from tests.unit.codegen.cuda.test_overlap import STAR, prepare, sweeps

GPU = Gpu.named("h200")
LEFT = "; ".join(
    f"launch(band=0.1.0.0.{k}.0, tile=[4,256], threads=[1,256])" for k in (1, 0)
)
SHAPE = "overlap(band=0, sweeps={}, tile=[256,{}], threads=[128], runs=[4]); "
SWEEPS = "; ".join(
    f"merge(band=0.0.{k}.0); launch(band=0.0.{k}.0, tile=[4,256], threads=[1,256])"
    for k in (1, 0)
)


@pytest.fixture(scope="module")
def given(tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    """64 steps over 8192 x 8192 floats."""
    return prepare(tmp_path_factory.mktemp("overlap"), sweeps(STAR), 8192, steps=64)


def seconds(given: Prepared, script: str) -> float:
    tree = apply_script(given.tree, parse_script(script))
    found = predict_on_device(tree, given.scop, GPU)
    assert found is not None
    return found.kernel_seconds


def test_launches_are_counted_by_part(given: Prepared) -> None:
    """Nine pairs of seven sweeps, and the two sweeps of the last step."""
    tree = apply_script(given.tree, parse_script(SHAPE.format(7, 496) + LEFT))
    kernels = read_kernels(tree, given.scop)
    assert [k.n_launches for k in kernels] == [9, 9, 1, 1]


def test_memory_is_read_and_written_once(given: Prepared) -> None:
    """Whatever the number of sweeps; shared memory has what neighbours read."""
    tree = apply_script(given.tree, parse_script(SHAPE.format(7, 496) + LEFT))
    overlapped, _, single, _ = map(kernel_work, read_kernels(tree, given.scop))
    assert overlapped.memory_bytes == pytest.approx(single.memory_bytes, rel=0.01)
    assert overlapped.shared_bytes_per_block == 2 * 7 * 2 * 128 * 4
    assert overlapped.n_blocks == 32 * 17
    rows = 256 + 2 * 7
    assert overlapped.operations.fp32 == rows * 7 * 512 * 5


def test_more_sweeps_pay_until_others_decide(given: Prepared) -> None:
    """Memory, then issuing."""
    alone = seconds(given, SWEEPS)
    three = seconds(given, SHAPE.format(3, 504) + LEFT)
    seven = seconds(given, SHAPE.format(7, 496) + LEFT)
    assert 1.5 < alone / three < 3.5
    assert seven < three
