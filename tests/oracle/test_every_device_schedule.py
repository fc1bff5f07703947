"""Every device schedule of every example gives the original's results, bit for bit.

The kernels run on the CPU's stand-in, which also reports races and wrong accesses. The
quick suite takes a slice; `make slow` takes all fifty programs at sizes that are no
multiples of blocks and tiles, at a prime, at size 1 and at size 0.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from polysched.space import SpaceOptions
from tests.oracle.device_sweep import sweep_device
from tests.oracle.sweep import POLYBENCH, PROGRAMS
from tests.oracle.test_every_schedule import REFUSE_ZERO, sizes_of

SLICE = {"gemm", "jacobi-1d", "durbin"}

pytestmark = [pytest.mark.cc, pytest.mark.timeout(600)]


def check(path: Path, flags: list[str], options: SpaceOptions) -> None:
    n_run, wrong = sweep_device(path, flags, options)
    assert wrong == []
    assert n_run >= 1


@pytest.mark.parametrize(
    "path",
    [p for p in POLYBENCH + PROGRAMS if p.stem in SLICE],
    ids=lambda p: p.stem,
)
def test_slice(path: Path) -> None:
    flags = ["-DTINY"] if path in PROGRAMS else sizes_of(path, 7)
    check(path, flags, SpaceOptions(seconds=8, limit=6))


@pytest.mark.parametrize("size", [0, 1])
def test_degenerate_sizes_of_gemm(size: int) -> None:
    path = next(p for p in POLYBENCH if p.stem == "gemm")
    check(path, sizes_of(path, size), SpaceOptions(seconds=8, limit=5))


@pytest.mark.slow
@pytest.mark.parametrize("path", POLYBENCH, ids=lambda p: p.stem)
@pytest.mark.parametrize("size", ["MINI", "13", "1", "0"])
def test_polybench(path: Path, size: str) -> None:
    if size == "0" and path.stem in REFUSE_ZERO:
        pytest.skip("the program itself refuses size 0")
    flags = sizes_of(path, int(size)) if size.isdigit() else [f"-D{size}"]
    check(path, flags, SpaceOptions(seconds=30, limit=16))


@pytest.mark.slow
@pytest.mark.parametrize("path", PROGRAMS, ids=lambda p: p.stem)
@pytest.mark.parametrize("size", ["TINY", "7", "1", "0"])
def test_programs(path: Path, size: str) -> None:
    flags = sizes_of(path, int(size)) if size.isdigit() else [f"-D{size}"]
    if size.isdigit() and not flags:
        pytest.skip("its sizes come from its input")
    check(path, flags, SpaceOptions(seconds=30, limit=16))
