"""Sizes for which skewed bounds leave `int` run the original."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from polysched.codegen import PrintOptions, print_openmp, splice
from polysched.codegen.int_range import MARGIN, MAX_INT
from polysched.frontend import parse_c
from polysched.ir import Program, ScheduleTree, Scop
from polysched.runtime import original_text

# the last five elements of n, of which the array has no more
LOOPS = """for (TYPE t = 0; t < T; t++)
    for (TYPE i = n - 5; i < n; i++) x[i - n + 5] = 3 * x[i - n + 5] + t;"""
PROGRAM = """#include <stdio.h>
#include <stdlib.h>
static unsigned x[5] = {1, 2, 3, 4, 5};
static int originals;
int main(int argc, char **argv) {
  TYPE T = argc > 1 ? atoi(argv[1]) : 0, n = argc > 2 ? atoi(argv[2]) : 0;
#pragma scop
  @
#pragma endscop
  printf("%u %u %u\\n%d\\n", x[0], x[2], x[4], originals);
}
""".replace("@", LOOPS)
DOMAIN = "[T, n] -> { S0[t, i] : 0 <= t < T and n - 5 <= i < n }"


def read(tmp_path: Path, type_: str = "int") -> tuple[Program, Scop]:
    path = tmp_path / "last.c"
    path.write_text(PROGRAM.replace("TYPE", type_))
    program = parse_c(path)
    return program, program.scops[0]


def printed(program: Program, scop: Scop, second: str) -> str:
    members = f"{{ S0[t, i] -> [(t)] }}, {{ S0[t, i] -> [({second})] }}"
    child = f'{{ schedule: "[{members}]" }}'
    tree = ScheduleTree.parse(f'{{ domain: "{DOMAIN}", child: {child} }}')
    counting = f"originals++;\n{original_text(program, scop)}"
    return print_openmp(scop, tree, PrintOptions(original_text=counting))


def asked(text: str) -> list[int]:
    """The largest size in the condition in front of the code, twice for two sizes."""
    (line,) = re.findall(r"^ *if \((.*<= \d{8,}.*)\) \{$", text, re.MULTILINE) or [""]
    return [int(number) for number in re.findall(r"\b[Tn] <= (\d{8,})", line)]


@pytest.mark.parametrize(
    ("row", "slope"),
    [
        ("i", 1),
        ("i + 1000", 1),  # a margin that no size comes into
        ("t + i", 2),
        ("2t + i", 3),
        ("4t + i", 5),
        ("t - i", 2),
    ],
)
def test_sizes_that_fit(tmp_path: Path, row: str, slope: int) -> None:
    text = printed(*read(tmp_path), row)
    if slope == 1:
        assert "originals" not in text
        return
    largest = (MAX_INT - MARGIN) // slope
    first, second = asked(text)
    assert first == second
    assert largest - 10 < first <= largest
    assert "T >= 0" in text  # below, there is nothing to do
    assert f"n >= {-first}" in text


@pytest.mark.parametrize("type_", ["unsigned", "long"])
def test_longer_types_are_not_asked(tmp_path: Path, type_: str) -> None:
    assert asked(printed(*read(tmp_path, type_), "2t + i")) == []


@pytest.mark.cc
def test_the_original_runs_where_bounds_leave_int(tmp_path: Path) -> None:
    if shutil.which("gcc") is None:
        pytest.skip("no gcc")
    program, scop = read(tmp_path)
    path = tmp_path / "skewed.c"
    path.write_bytes(splice(program, {scop.name: printed(program, scop, "2t + i")}))
    for source in ("last.c", "skewed.c"):
        options = ["-fsanitize=undefined", "-fno-sanitize-recover=all", "-w"]
        files = [tmp_path / source, "-o", tmp_path / source.removesuffix(".c")]
        subprocess.run(["gcc", *options, *files], check=True)
    for n, n_originals in (
        (20, 0),
        (-20, 0),
        (0, 0),
        (2147483600, 1),
        (-(2**31) + 9, 1),
    ):
        words = ["30", str(n)]
        plain, skewed = (
            subprocess.run(
                [tmp_path / name, *words], check=True, capture_output=True, text=True
            ).stdout.splitlines()
            for name in ("last", "skewed")
        )
        assert skewed[0] == plain[0]
        assert int(skewed[1]) == n_originals
