"""Every schedule of every example gives the original's results, bit for bit.

The quick suite takes a slice; `make slow` takes all fifty programs at sizes that are no
multiples of the tiles, at size 1 and at size 0.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from polysched.codegen.options import TileLoops
from polysched.space import SpaceOptions
from tests.oracle.sweep import POLYBENCH, PROGRAMS, size_names, sweep

SLICE = {"floyd-warshall", "gemm", "jacobi-1d", "symm", "advect", "rod"}
TYPES = {"REAL", "DATA", "TINY"}
REFUSE_ZERO = {
    "correlation",
    "durbin",
    "fdtd-2d",
    "matrix_chain",
    "moving_window",
}  # they stop with #error at size 0


def sizes_of(path: Path, value: int) -> list[str]:
    return [f"-D{name}={value}" for name in size_names(path) if name not in TYPES]


def check(
    path: Path,
    flags: list[str],
    options: SpaceOptions,
    *,
    tile_loops: TileLoops = "either",
) -> None:
    n_run, wrong = sweep(path, flags, options, tile_loops=tile_loops)
    assert wrong == []
    assert n_run >= 1


@pytest.mark.long
@pytest.mark.cc
@pytest.mark.parametrize(
    "path",
    [p for p in POLYBENCH + PROGRAMS if p.stem in SLICE],
    ids=lambda p: p.stem,
)
def test_slice(path: Path) -> None:
    flags = ["-DTINY"] if path in PROGRAMS else ["-DMINI"]
    check(path, flags, SpaceOptions(seconds=8, limit=8))


@pytest.mark.cc
@pytest.mark.parametrize("size", [0, 1])
def test_degenerate_sizes_of_gemm(size: int) -> None:
    path = next(p for p in POLYBENCH if p.stem == "gemm")
    check(path, sizes_of(path, size), SpaceOptions(seconds=8, limit=8))


@pytest.mark.cc
@pytest.mark.slow
@pytest.mark.parametrize("path", POLYBENCH, ids=lambda p: p.stem)
@pytest.mark.parametrize("size", ["MINI", "SMALL", "1", "0"])
def test_polybench(path: Path, size: str) -> None:
    if size == "0" and path.stem in REFUSE_ZERO:
        pytest.skip("the program itself refuses size 0")
    flags = sizes_of(path, int(size)) if size.isdigit() else [f"-D{size}"]
    check(path, flags, SpaceOptions(seconds=60, limit=60))


@pytest.mark.long
@pytest.mark.cc
@pytest.mark.parametrize(
    "path",
    [
        p
        if p.stem in {"cholesky", "jacobi-2d"}
        else pytest.param(p, marks=pytest.mark.slow)
        for p in POLYBENCH
    ],
    ids=lambda p: p.stem,
)
def test_tiles_by_number(path: Path) -> None:
    is_quick = path.stem in {"cholesky", "jacobi-2d"}
    options = SpaceOptions(seconds=20, limit=8 if is_quick else 40)
    check(path, ["-DMINI"], options, tile_loops="numbers")


@pytest.mark.cc
@pytest.mark.slow
@pytest.mark.parametrize("path", PROGRAMS, ids=lambda p: p.stem)
@pytest.mark.parametrize("size", ["TINY", "1", "0"])
def test_programs(path: Path, size: str) -> None:
    flags = sizes_of(path, int(size)) if size.isdigit() else [f"-D{size}"]
    if size.isdigit() and not flags:
        pytest.skip("its sizes come from its input")
    if size == "0" and path.stem in REFUSE_ZERO:
        pytest.skip("the program itself refuses size 0")
    check(path, flags, SpaceOptions(seconds=60, limit=60))
