"""Bounds that multiply sizes are computed in `long`."""

from __future__ import annotations

import re
from pathlib import Path

import islpy as isl
import pytest

from polysched.codegen import print_openmp
from polysched.codegen.cuda import print_cuda
from polysched.frontend import parse_c
from polysched.ir import ScheduleTree, Scop, original_tree
from polysched.transform import apply_script, parse_script
from tests.unit.codegen.handmade import check_equal

LOOPS = """for (TYPE i = 0; i < m; i++)
    for (TYPE j = 0; j < n; j++) { y[i] += x[j] * 3; x[j] ^= y[i]; }"""
FRAME = """#include <stdio.h>
#include <stdlib.h>
static unsigned char x[400], y[400];
int main(int argc, char **argv) {
  TYPE m = argc > 1 ? atoi(argv[1]) : 0, n = argc > 2 ? atoi(argv[2]) : 0;
  for (int i = 0; i < 400; i++) { x[i] = i * 7; y[i] = i * i; }
  @
  unsigned sum = 0;
  for (int i = 0; i < 400; i++) sum = sum * 31 + x[i] + y[i] * 7u;
  printf("%u\\n", sum);
}
"""
WAVES = "merge(band=0); tile(band=0, sizes=[8, 64]); wavefront(band=0.0, members=2)"
SQUARES = WAVES.replace("8, 64", "64, 64")


SWEEPS = """for (int t = 0; t < m; t++)
    for (int i = 1; i < n - 1; i++)
      x[i] = x[i - 1] + x[i] + x[i + 1] + i % 5 - i * 3;"""


def loops(type_: str) -> str:
    return LOOPS.replace("TYPE", type_)


def read(type_: str, directory: Path, loops: str = LOOPS) -> Scop:
    path = directory / "waves.c"
    region = f"#pragma scop\n{loops}\n#pragma endscop"
    path.write_text(FRAME.replace("@", region).replace("TYPE", type_))
    (scop,) = parse_c(path).scops
    return scop


@pytest.mark.long
@pytest.mark.cc
@pytest.mark.parametrize("type_", ["int", "unsigned", "long"])
def test_waves_of_long_tiles_count_in_long(type_: str, tmp_path: Path) -> None:
    # 8 * m was negative for m = 300 million, and no iteration ran
    scop = read(type_, tmp_path)
    tree = apply_script(original_tree(scop), parse_script(WAVES))
    text = print_openmp(scop, tree)
    assert "for (long t1 = 0; " in text
    assert ("8 * (long)m" in text) is (type_ != "long")
    frame = FRAME.replace("TYPE", type_)
    sizes: list[tuple[int, ...]] = [
        (0, 0),
        (1, 1),
        (9, 3),
        (64, 65),
        (131, 67),
        (399, 400),
    ]
    check_equal(tmp_path, frame, loops(type_), scop, [tree], sizes)


@pytest.mark.cc
@pytest.mark.parametrize(("type_", "script"), [("int", SQUARES), ("short", WAVES)])
def test_others_count_in_int(type_: str, script: str, tmp_path: Path) -> None:
    scop = read(type_, tmp_path)
    tree = apply_script(original_tree(scop), parse_script(script))
    text = print_openmp(scop, tree)
    assert "for (int t1 = 0; " in text
    assert "long" not in text


@pytest.mark.cc
def test_subscripts_of_long_loops_are_long(tmp_path: Path) -> None:
    """As `int`, gcc gathered what lies behind each other; as a number i stays one."""
    scop = read("int", tmp_path, SWEEPS)
    front = "[{ S0[t, i] -> [(t)] }, { S0[t, i] -> [(2t + i)] }]"
    domain = scop.statement("S0").domain.to_union_set()
    root = isl.Schedule.from_domain(domain).get_root().child(0)
    root = root.insert_partial_schedule(isl.MultiUnionPwAff(front))
    skewed = ScheduleTree(root.get_schedule())
    tree = apply_script(skewed, parse_script(WAVES.split("; ", 1)[1]))
    text = print_openmp(scop, tree)
    assert "const long i = " in text
    assert "x[i - 1] + x[i] + x[i + 1] + (int)i % 5" in text
    frame = FRAME.replace("TYPE", "int")
    sizes = [(0, 0), (1, 3), (9, 3), (64, 65), (131, 67), (399, 400)]
    check_equal(tmp_path, frame, SWEEPS, scop, [tree], sizes)


DEVICE = (
    "merge(band=0); tile(band=0, sizes=[8, 64]); order(band=0.0, members=[1, 0]); "
    "wavefront(band=0.0, members=2); threads(band=0.0.0.0, counts=[64], member=1); "
    "grid(band=0.0.0, member=1, members=1)"
)


@pytest.mark.cc
@pytest.mark.parametrize("type_", ["int", "long"])
def test_launches_of_long_tiles_are_counted_in_long(type_: str, tmp_path: Path) -> None:
    scop = read(type_, tmp_path)
    tree = apply_script(original_tree(scop), parse_script(DEVICE))
    device = print_cuda(scop, tree).device
    products = set(re.findall(r"\b\d+L? \* [mn]\b", device))
    assert products
    assert all("L" in p for p in products) is (type_ == "int")
    assert "for (long c_1 = " in device or "for (long c1 = " in device
    assert "for (int " not in device
