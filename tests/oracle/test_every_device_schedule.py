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
ADDED_UP = [
    p
    for p in POLYBENCH
    if p.stem in {"atax", "bicg", "correlation", "gemver", "gesummv", "mvt", "trisolv"}
]
IN_INTEGERS = {  # gramschmidt with as many loops and accesses, and sums in any order
    "#define REAL double": "#define REAL unsigned",
    "sqrt(nrm)": "2 * nrm + 3",
    "A[i][k] / R[k][k]": "A[i][k] * R[k][k]",
    "= 0.0;": "= 0;",
    "((3 * i + 5 * j) % 11 - 4.5) / (real)M + (i == j ? 2.0 : 0.0)": (
        "7919u * (i + 1) * (2 * j + 3) + i"
    ),
    "int rank = M < N ? M : N;": "int rank = N;",
}

pytestmark = [pytest.mark.cc, pytest.mark.timeout(600)]


def check(
    path: Path, flags: list[str], options: SpaceOptions, tolerance: float = 0.0
) -> None:
    n_run, wrong = sweep_device(path, flags, options, tolerance)
    assert wrong == []
    assert n_run >= 1


@pytest.mark.long
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
    if size == "0" and path.stem in REFUSE_ZERO:
        pytest.skip("the program itself refuses size 0")
    check(path, flags, SpaceOptions(seconds=30, limit=16))


@pytest.mark.slow
@pytest.mark.parametrize("path", ADDED_UP, ids=lambda p: p.stem)
@pytest.mark.parametrize("size", ["MINI", "1"])
def test_sums_in_any_order(path: Path, size: str) -> None:
    """Blocks, warps and threads share sums where their terms may come in any order."""
    flags = sizes_of(path, int(size)) if size.isdigit() else [f"-D{size}"]
    options = SpaceOptions(seconds=30, limit=24, fp="reassociate")
    check(path, flags, options, tolerance=1e-12)


@pytest.mark.slow
@pytest.mark.parametrize(("m", "n"), [(20, 30), (7, 13), (1, 9), (13, 7)])
def test_sums_of_dependent_columns_are_the_same(tmp_path: Path, m: int, n: int) -> None:
    """With N > M, R and Q end in rounding noise over itself, which no order repeats.

    Integers wrap around: whatever a schedule adds, leaves out or adds too early shows,
    and the order of a sum does not.
    """
    text = next(p for p in POLYBENCH if p.stem == "gramschmidt").read_text()
    for old, new in IN_INTEGERS.items():
        assert old in text
        text = text.replace(old, new)
    path = tmp_path / "gramschmidt.c"
    path.write_text(text)
    options = SpaceOptions(seconds=12, limit=16, fp="reassociate")
    check(path, [f"-DM={m}", f"-DN={n}"], options)
