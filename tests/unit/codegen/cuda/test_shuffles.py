"""Warps that fold their sums by shuffles: right results, and every mistake is found."""

from __future__ import annotations

from pathlib import Path

import pytest

from polysched.base import CodegenError
from polysched.codegen.ctext import Text
from polysched.codegen.cuda.shuffles import check_together
from polysched.codegen.nodes import Block, Branch, Instance, Loop
from tests.unit.codegen.cuda.programs import (
    Prepared,
    compile_host,
    outputs,
    run_device,
)
from tests.unit.codegen.cuda.test_partial_sums import (
    DOT,
    JOIN,
    LAUNCHES,
    MAXIMUM,
    ROWS,
    TRIANGLE,
    share,
)

SHUFFLE = "__shfl_down_sync(0xffffffffu, C_sum_own, 16 >> c1)"
CASES = [
    (ROWS, JOIN + share("1, 0", "1, 64"), 1),
    (ROWS, JOIN + share("2, 8", "2, 8", "32, 1"), 1),
    (TRIANGLE, JOIN + share("1, 32", "1, 32", "32, 1"), 2),
    (DOT, share("0", "32"), 1),
    (MAXIMUM, JOIN + share("4, 256", "4, 256", "3, 8"), 1),
    (LAUNCHES, share("64", "64", "32, 1", band="0.0"), 2),
]


@pytest.mark.long
@pytest.mark.cc
@pytest.mark.parametrize(("body", "script", "n_folded"), CASES)
def test_integers_come_out_exactly(
    tmp_path: Path, body: str, script: str, n_folded: int
) -> None:
    text = Prepared.of(tmp_path, body, "int").print(script).device
    assert text.count("__shfl_down_sync") == n_folded
    expected, found = outputs(tmp_path, body, script, "int")
    assert found == expected


@pytest.mark.cc
@pytest.mark.parametrize("elem", ["float", "unsigned char"])
def test_types_of_other_sizes(tmp_path: Path, elem: str) -> None:
    script = JOIN + share("1, 0", "1, 32")
    expected, found = outputs(tmp_path, ROWS, script, elem, fp="reassociate")
    assert float(found) == pytest.approx(float(expected), rel=1e-5)


def test_one_warp_needs_no_shared_memory(tmp_path: Path) -> None:
    text = Prepared.of(tmp_path, DOT, "int").print(share("0", "32")).device
    assert "__shared__" not in text


@pytest.mark.parametrize("threads", ["1, 8", "1, 48", "8, 4"])
def test_no_whole_warps_share_memory(tmp_path: Path, threads: str) -> None:
    script = JOIN + share("8, 0", threads)
    text = Prepared.of(tmp_path, ROWS, "int").print(script).device
    assert "__shfl" not in text
    assert "C_sum_met" in text


FAULTS = [  # text of a kernel of two warps, its replacement, what is found
    ("0xffffffffu", "0x0000ffffu", "barrier-divergence"),
    (f"C_sum_own_next = {SHUFFLE}", f"if (t1 != 5) C_sum_own_next = {SHUFFLE}",
     "barrier-divergence"),
    ("c1 <= 4", "c1 <= (t1 < 32 ? 4 : 3) - (t1 == 40)", "barrier-divergence"),
    ("c1 <= 4", "c1 <= 3", "differs"),
    ("if (t1 % 32 == 0)\n        C_sum_met", "C_sum_met", "race"),
    ("C_sum_met[t1 / 32]", "C_sum_met[t1 / 16]", "out-of-bounds uninitialised race"),
]  # fmt: skip


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A folder with a host object, and the text of two warps for each sum."""
    folder = tmp_path_factory.mktemp("rows")
    given = Prepared.of(folder, ROWS, "int")
    text = given.print(CASES[0][1])
    compile_host(folder, given, text)
    return folder, text.device


@pytest.mark.long
@pytest.mark.cc
def test_planted_faults_are_found(rows: tuple[Path, str]) -> None:
    folder, device = rows
    right = run_device(folder, device, 0)
    for seed, (old, new, found) in enumerate(FAULTS):
        assert old in device, old
        said = run_device(folder, device.replace(old, new), seed)
        assert said != right, new
        assert said in found.split() or found == "differs", (new, said)


def test_lanes_that_do_not_come_together_are_refused() -> None:
    shuffle, other = Instance("S_pass", ()), Instance("S", ())
    for condition in ("t1 < 4", "b0 + 2 * t1 > n"):
        apart = Branch(Text(condition, 0), Block((shuffle,)))
        with pytest.raises(CodegenError, match="do not come to S_pass together"):
            check_together(Block((other, apart)), {"S_pass"}, "t1")
    loop = Loop("c0", Text("t1", 0), Text("c0 < n", 0), 1, 0, Block((shuffle,)))
    with pytest.raises(CodegenError, match="do not come to S_pass together"):
        check_together(Block((loop,)), {"S_pass"}, "t1")
    twice = Branch(Text("t0 < 4", 0), Block((shuffle,)), Block((shuffle,)))
    with pytest.raises(CodegenError, match="two copies of one shuffle"):
        check_together(Block((twice,)), {"S_pass"}, "t1")
    alone = Branch(Text("t1 < 4", 0), Block((other,)))
    rows = Branch(Text("t0 + b0 < n", 0), Block((shuffle, alone)))
    check_together(Block((rows,)), {"S_pass"}, "t1")
