"""Copies for one part of a statement's instances leave the other parts alone."""

from __future__ import annotations

import pytest

from polysched.base import CodegenError
from tests.unit.codegen.test_registers import MERGED, PRODUCT, check, program, text_of

SPLIT = MERGED + "split(band=0, member=0, cuts=[5]); "
TAIL = (
    "tile(band=0.1.0, sizes=[0, 8, 4]); "
    "pack(band=0.1.0.0.0, statement=0, iterators=[2, 1])"
)
HEAD = (
    "; tile(band=0.0.0, sizes=[0, 4, 8]); "
    "pack(band=0.0.0.0.0, statement=0, iterators=[0, 2])"
)


@pytest.mark.cc
@pytest.mark.parametrize("script", [SPLIT + TAIL, SPLIT + TAIL + HEAD])
def test_parts_with_copies_give_equal_results(script: str) -> None:
    check(program(PRODUCT), script)


def test_a_part_without_a_copy_reads_the_array(tmp_path) -> None:
    text = text_of(program(PRODUCT), SPLIT + TAIL, tmp_path)
    lines = [line for line in text.splitlines() if "+=" in line and "C[" in line]
    assert len(lines) == 2
    assert [line.count("B_packed[") for line in lines] == [0, 1]
    assert lines[0].count("B[") == 1


def test_parts_may_have_different_copies(tmp_path) -> None:
    text = text_of(program(PRODUCT), SPLIT + TAIL + HEAD, tmp_path)
    lines = [line for line in text.splitlines() if "+=" in line and "C[" in line]
    assert [line.count("A_packed[") for line in lines] == [1, 0]
    assert [line.count("B_packed[") for line in lines] == [0, 1]


def test_copies_for_overlapping_parts_are_refused(tmp_path) -> None:
    inner = "split(band=0.1.0, member=1, cuts=[9]); "
    copies = (
        "pack(band=0.1.0.0.1.0, statement=0, iterators=[2, 1]); "
        "pack(band=0.1.0, statement=0, iterators=[0, 2])"
    )
    with pytest.raises(CodegenError, match="two overlapping parts of S0"):
        text_of(program(PRODUCT), SPLIT + inner + copies, tmp_path)
