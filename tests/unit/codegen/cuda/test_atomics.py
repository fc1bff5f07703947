"""Updates in one go: what they compute, and what happens without."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from polysched.base import CodegenError
from polysched.codegen import PrintOptions
from polysched.codegen.cuda import print_cuda
from polysched.transform import parse_script
from tests.unit.codegen.cuda.programs import (
    Prepared,
    compile_host,
    outputs,
    run_device,
)

KEYS = "for (int i = 0; i < n; i++) C[0][A[i][0]] += 3 * i;"
ROWS = """for (int i = 0; i < n; i++)
    for (int j = 0; j < m; j++)
      if (A[i][j] != 2) C[1][A[i][j]] -= B[j][i];"""
TWO = """for (int i = 0; i < n; i++) {
    C[0][A[i][0]] += B[0][i];
    C[0][A[i][1]] -= B[0][i];
  }"""
LEAST = """for (int i = 0; i < n; i++)
    for (int j = 0; j < m; j++)
      C[2][A[i][j]] = C[2][A[i][j]] < i - j ? C[2][A[i][j]] : i - j;"""
IN_A_LOOP = """for (int t = 0; t < 3; t++) {
    for (int i = 0; i < n; i++)
      C[t][A[i][t]] += i;
    for (int i = 0; i < n; i++)
      A[i][t + 1] = (A[i][t] + C[t][i]) & 7;
  }"""
COPIED = ", copied=[C]"


def step(tile: str, threads: str, copied: str = "", band: str = "0") -> str:
    return (
        f"launch_atomic(band={band}, tile=[{tile}], threads=[{threads}], "
        f"arrays=[C]{copied})"
    )


@pytest.mark.long
@pytest.mark.cc
@pytest.mark.parametrize("copied", ["", COPIED])
@pytest.mark.parametrize(
    ("body", "tile", "threads", "elem"),
    [
        (KEYS, "8", "4", "int"),
        (ROWS, "5, 0", "1, 32", "long"),
        (TWO, "16", "16", "unsigned long long"),
    ],
)
def test_sums(
    tmp_path: Path, body: str, tile: str, threads: str, elem: str, copied: str
) -> None:
    expected, found = outputs(tmp_path, body, step(tile, threads, copied), elem)
    assert found == expected


@pytest.mark.cc
@pytest.mark.parametrize("elem", ["int", "long"])
def test_minima(tmp_path: Path, elem: str) -> None:
    expected, found = outputs(tmp_path, LEAST, step("3, 0", "1, 8"), elem)
    assert found == expected


@pytest.mark.cc
def test_kernels_in_a_loop_of_the_host(tmp_path: Path) -> None:
    script = "launch(band=0.0.1.0, tile=[8], threads=[8]); " + step(
        "8", "8", COPIED, "0.0.0.0"
    )
    expected, found = outputs(tmp_path, IN_A_LOOP, script, "int")
    assert found == expected


@pytest.mark.cc
@pytest.mark.parametrize("copied", ["", COPIED])
def test_updates_in_several_steps_are_found(tmp_path: Path, copied: str) -> None:
    """Neither the stand-in nor these tests take any kernel."""
    given = Prepared.of(tmp_path, KEYS, "int")
    text = given.print(step("8", "4", copied))
    compile_host(tmp_path, given, text)
    plain = re.sub(r"atomicAdd\(&(.*\]), (.*)\);", r"\1 += \2;", text.device)
    assert plain != text.device
    assert run_device(tmp_path, plain, 3) in ("race", "block-race")


@pytest.mark.cc
def test_copies_need_their_barriers(tmp_path: Path) -> None:
    given = Prepared.of(tmp_path, KEYS, "int")
    text = given.print(step("8", "4", COPIED))
    compile_host(tmp_path, given, text)
    parts = text.device.split("__syncthreads();")
    assert len(parts) == 3
    for one in (0, 1):
        kept = "__syncthreads();" if one else ";"
        other = ";" if one else "__syncthreads();"
        device = parts[0] + kept + parts[1] + other + parts[2]
        assert run_device(tmp_path, device, 3) in ("race", "uninitialised")


def test_a_tree_that_claims_too_much_is_not_printed(tmp_path: Path) -> None:
    """What else is in the kernel would read a block's copy."""
    given = Prepared.of(
        tmp_path,
        """for (int i = 0; i < n; i++) {
    C[0][A[i][0]] += i;
    B[i][0] = C[1][i];
  }""",
        "int",
    )
    (launch,) = parse_script(step("8", "8"))
    tree = launch.apply(given.tree)
    with pytest.raises(CodegenError, match="not only updates of C"):
        print_cuda(given.scop, tree, PrintOptions(original_text=""))
