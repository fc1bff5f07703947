"""Overlapped tiles: several sweeps of a stencil in one launch.

Every block computes for itself what it needs of the sweeps before the last. What it
takes for granted, that no sweep writes around the grid, that the array it stores to is
not the one it reads, that nobody misses what is not stored, is tried out here.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

import islpy as isl
import pytest

from polysched.analysis import Sweeps
from polysched.base import CodegenError
from polysched.codegen.cuda import print_cuda
from polysched.ir import ScheduleTree
from polysched.transform import apply_script, parse_script
from tests.unit.codegen.cuda.programs import Prepared, compile_host, run_device

PROGRAM = """\
#include <stdio.h>
#define STEPS {steps}
typedef {elem} T;
static T A{extents}, B{extents}, w = (T)0.75;
static void kernel(int n, int steps)
{{
#pragma scop
  {body}
#pragma endscop
}}
int main(void)
{{
  T *a = (T *){first_a}, *b = (T *){first_b};
  int total = sizeof(A) / sizeof(T);
  double sum = 0;
  for (int e = 0; e < total; e++) {{
    a[e] = (T)(e * 7919 % 1013) / (T)16;
    b[e] = (T)(e * 3571 % 997) / (T)8;
  }}
  kernel(N, STEPS);
  for (int e = 0; e < total; e++)
    sum += a[e] * (1 + e * 31 % 17) + b[e] * (1 + e * 13 % 19);
  printf("%.17g\\n", sum);
  return 0;
}}
"""
STAR = (
    "(T)0.2 * ({0}[i][j] + {0}[i][j - 1] + {0}[i][j + 1] + {0}[i + 1][j] "
    "+ {0}[i - 1][j])"
)
BOX = (
    "(T)0.1 * ({0}[i - 1][j - 1] + {0}[i - 1][j] + {0}[i - 1][j + 1] + {0}[i][j - 1] "
    "+ 2 * {0}[i][j] + {0}[i][j + 1] + {0}[i + 1][j - 1] + {0}[i + 1][j] "
    "+ {0}[i + 1][j + 1])"
)
WIDE = (
    "(T)0.5 * {0}[i][j] + (T)0.1 * ({0}[i - 2][j] + {0}[i + 2][j] + {0}[i][j - 2] "
    "- {0}[i][j + 1])"
)
LEANING = "(T)0.5 * {0}[i][j] + (T)0.25 * ({0}[i - 1][j + 1] - {0}[i][j - 1])"
ALONG = "{0}[i][j] - (T)0.5 * {0}[i][j + 1]"
ACROSS = "w * {0}[i - 1][j] - {0}[i + 1][j] / 3"
HEAT = (
    "(T)0.125 * ({0}[i + 1][j][k] - 2 * {0}[i][j][k] + {0}[i - 1][j][k]) "
    "+ (T)0.125 * ({0}[i][j + 1][k] - 2 * {0}[i][j][k] + {0}[i][j - 1][k]) "
    "+ (T)0.125 * ({0}[i][j][k + 1] - 2 * {0}[i][j][k] + {0}[i][j][k - 1]) "
    "+ {0}[i][j][k]"
)


def sweeps(value: str, dims: int = 2, r: int = 1, size: str = "N") -> str:
    """A loop over time with two sweeps."""
    loops, at = "", ""
    for name in "ijk"[:dims]:
        loops += f"for (int {name} = {r}; {name} < {size} - {r}; {name}++) "
        at += f"[{name}]"
    steps = "STEPS" if size == "N" else "steps"
    return (
        f"for (int t = 0; t < {steps}; t++) {{ {loops} B{at} = {value.format('A')}; "
        f"{loops} A{at} = {value.format('B')}; }}"
    )


def prepare(
    folder: Path, body: str, n: int, elem: str = "float", dims: int = 2, steps: int = 5
) -> Prepared:
    """A program with two arrays."""
    text = PROGRAM.format(
        steps=steps, elem=elem, body=body, extents="[N]" * dims,
        first_a="A", first_b="B",
    )  # fmt: skip
    return Prepared.of_text(folder, text, n)


def launch_rest(dims: int = 2) -> str:
    """Steps that launch the sweeps that are left, one by one."""
    tile = "[4,32]" if dims == 2 else "[2,4,32]"
    return "; ".join(
        f"launch(band=0.1.0.0.{k}.0, tile={tile}, threads={tile})" for k in (1, 0)
    )


def run_both(folder: Path, given: Prepared, script: str, n: int) -> tuple[str, str]:
    """What the original prints, and what the program with device code does."""
    text = given.print(script)
    compile_host(folder, given, text, n)
    flags = ["-O1", "-ffp-contract=off", "-w", f"-DN={n}"]
    program = folder / "program.c"
    subprocess.run(["gcc", *flags, program, "-o", folder / "original"], check=True)
    expected = subprocess.run(
        [folder / "original"], capture_output=True, text=True, check=True
    )
    return expected.stdout, run_device(folder, text.device, seed=n)


TWO = "overlap(band=0, sweeps=3, tile=[{},{}], threads=[{}], runs=[{}]); "


@pytest.mark.long
@pytest.mark.cc
@pytest.mark.parametrize("elem", ["float", "double"])
@pytest.mark.parametrize("n", [32, 37])
@pytest.mark.parametrize(
    ("value", "r", "shape"),
    [
        (STAR, 1, (8, 24, 8, 4)),
        (STAR, 1, (16, 8, 8, 2)),
        (BOX, 1, (8, 10, 16, 1)),
        (WIDE, 2, (16, 16, 8, 4)),
        (LEANING, 1, (7, 24, 8, 4)),
        (ALONG, 1, (8, 24, 8, 4)),
        (ACROSS, 1, (8, 24, 8, 4)),
    ],
)
def test_results_equal(
    tmp_path: Path, elem: str, n: int, value: str, r: int, shape: tuple[int, ...]
) -> None:
    """Rows that are aligned and rows that are not; both arrays, edges and all."""
    given = prepare(tmp_path, sweeps(value, r=r), n, elem)
    script = TWO.format(*shape) + launch_rest()
    expected, found = run_both(tmp_path, given, script, n)
    assert found == expected


@pytest.mark.long
@pytest.mark.cc
@pytest.mark.parametrize("runs", ["1,4", "2,2"])
@pytest.mark.parametrize("elem", ["float", "double"])
def test_three_dimensions(tmp_path: Path, elem: str, runs: str) -> None:
    """Rows of rows: neighbours in two directions."""
    n = 18
    given = prepare(tmp_path, sweeps(HEAT, 3), n, elem, 3)
    first, last = map(int, runs.split(","))
    script = (
        f"overlap(band=0, sweeps=3, tile=[8,6,8], threads=[{12 // first},{16 // last}],"
        f" runs=[{runs}]); "
    )
    expected, found = run_both(tmp_path, given, script + launch_rest(3), n)
    assert found == expected


@pytest.mark.long
@pytest.mark.cc
def test_shared_memory_that_is_asked_for(tmp_path: Path) -> None:
    """More than a kernel may declare: 73 KB."""
    n = 20
    given = prepare(tmp_path, sweeps(HEAT, 3), n, "double", 3)
    script = "overlap(band=0, sweeps=3, tile=[8,26,40], threads=[16,24], runs=[2,2]); "
    text = given.print(script + launch_rest(3)).device
    assert "extern __shared__" in text
    assert " 73728));" in text
    expected, found = run_both(tmp_path, given, script + launch_rest(3), n)
    assert found == expected


@pytest.mark.long
@pytest.mark.cc
@pytest.mark.parametrize("steps", [4, 7])
def test_sizes_known_at_run_time(tmp_path: Path, steps: int) -> None:
    """Bounds and numbers of steps are parameters, so that there may be no launch."""
    n = 32
    given = prepare(tmp_path, sweeps(STAR, size="n"), n, steps=steps)
    script = TWO.format(8, 24, 8, 4) + launch_rest()
    expected, found = run_both(tmp_path, given, script, n)
    assert found == expected


@pytest.mark.cc
def test_one_barrier_in_a_step_is_needed(tmp_path: Path) -> None:
    """Without it, and with one slot in shared memory for two, threads race."""
    n = 32
    given = prepare(tmp_path, sweeps(STAR), n)
    text = given.print(TWO.format(8, 24, 8, 4) + launch_rest())
    compile_host(tmp_path, given, text, n)
    head, *steps = text.device.split("    __syncthreads();\n    turn")
    assert len(steps) == 2
    broken = "    turn".join([head, *steps])
    assert "race" in run_device(tmp_path, broken, seed=n)
    broken = text.device.replace("(turn + 1) % 2", "0")
    assert "race" in run_device(tmp_path, broken, seed=n)


def test_steps_wait_for_nothing_else(tmp_path: Path) -> None:
    """One barrier per step of the walk, one behind the zeros; rows as vectors."""
    given = prepare(tmp_path, sweeps(STAR), 64, steps=9)
    text = given.print(
        "overlap(band=0, sweeps=7, tile=[16,48], threads=[16], runs=[4]); "
        + launch_rest()
    )
    kernel, *_ = text.device.split("ps_kernel_1(")
    assert kernel.count("__syncthreads") == 2
    assert kernel.count("const float4 v0 = *(const float4 *)&A[64 * row + p1];") == 1
    assert "float held[7][3][4] = {};" in kernel
    assert "near[2][7][2][16]" in kernel
    assert text.device.count("PS_LAUNCH(ps_kernel_") == 4


def test_rows_behind_their_source(tmp_path: Path) -> None:
    """What neighbours have computed in the same step is not read: one row more."""
    given = prepare(tmp_path, sweeps(BOX), 32)
    text = given.print(TWO.format(8, 10, 16, 1) + launch_rest())
    assert "const int row = s - 6;" in text.device
    assert "near[4][3][1][16]" in text.device


@pytest.mark.parametrize(
    ("mark", "expected"),
    [
        ("overlap:3:8,30:1,8:1,4", "3 sweeps read 3 points beside a tile"),
        ("overlap:5:8,20:1,8:1,4", "sweep 3 of a launch is not one statement"),
        ("overlap:2:8,24:1,8:1,4", "a launch of even sweeps"),
        ("overlap:3:8,8,24:1,4,8:1,4,4", "other loops than their points"),
    ],
)
def test_marks_are_checked(tmp_path: Path, mark: str, expected: str) -> None:
    """What the step refuses is refused where it is printed, too."""
    given = prepare(tmp_path, sweeps(STAR), 32)
    script = parse_script(TWO.format(8, 24, 8, 4) + launch_rest())
    tree = apply_script(given.tree, script, given.deps)
    text = tree.text.replace("overlap:3:8,24:1,8:1,4", mark)
    assert text != tree.text
    wrong = ScheduleTree(isl.Schedule(text))
    with pytest.raises(CodegenError, match=expected):
        print_cuda(given.scop, wrong, deps=given.deps.validity)


def test_every_launch_has_every_sweep(tmp_path: Path) -> None:
    """A launch of the time steps that are left would have two sweeps of three."""
    given = prepare(tmp_path, sweeps(STAR), 32)
    script = parse_script(TWO.format(8, 24, 8, 4) + launch_rest())
    text = apply_script(given.tree, script, given.deps).text
    assert "0 <= t <= 2" in text
    text = text.replace("0 <= t <= 2", "0 <= t <= 3").replace("3 <= t <= 4", "t = 4")
    wrong = ScheduleTree(isl.Schedule(text))
    with pytest.raises(CodegenError, match="sweep 2 of a launch is not whole"):
        print_cuda(given.scop, wrong, deps=given.deps.validity)


@pytest.mark.parametrize("radius", [(0, 1), (1, 0)])
def test_blocks_compute_what_they_need(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, radius: tuple[int, int]
) -> None:
    """By the dependences, whatever the loads are taken to read."""
    given = prepare(tmp_path, sweeps(STAR), 32)
    script = parse_script(TWO.format(8, 24, 8, 4) + launch_rest())
    tree = apply_script(given.tree, script, given.deps)
    monkeypatch.setattr(Sweeps, "radius", radius)
    with pytest.raises(CodegenError, match="blocks do not compute all that they need"):
        print_cuda(given.scop, tree, deps=given.deps.validity)


def test_too_many_rows_for_registers(tmp_path: Path) -> None:
    """Rows of all sweeps are in a thread's registers."""
    given = prepare(tmp_path, sweeps(STAR), 200, steps=40)
    script = "overlap(band=0, sweeps=21, tile=[64,64], threads=[32], runs=[4]); "
    with pytest.raises(CodegenError, match="21 sweeps of 4 points take more"):
        given.print(script + launch_rest())
