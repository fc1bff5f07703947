"""Kernels whose threads meet: time tiles of stencils, and orders that need a barrier.

What a barrier orders is proven on the tree; that it stands where it must, and that all
threads reach it, is seen when the text runs, by the stand-in's race detector.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from polysched.analysis import find_violation
from polysched.base import CodegenError, IllegalScheduleError
from polysched.codegen.cuda import print_cuda
from polysched.ir import ScheduleTree
from polysched.transform import apply_script, parse_script
from polysched.transform.bands import insert_mark
from tests.unit.codegen.cuda.programs import Prepared, outputs

ROWS = """for (int t = 0; t < 7; t++) {
    for (int i = 1; i < N - 1; i++)
      E[1][0][i] = (C[0][i - 1] + C[0][i] + C[0][i + 1]) / (T)2;
    for (int i = 1; i < N - 1; i++)
      C[0][i] = (E[1][0][i - 1] + E[1][0][i] + E[1][0][i + 1]) / (T)2;
  }"""
ROWS_BAND = (
    "[{ S0[t, i] -> [(t)]; S1[t, i] -> [(t)] }, "
    "{ S0[t, i] -> [(2t + i)]; S1[t, i] -> [(2t + i + 1)] }]"
)
ROWS_SCRIPT = (
    "tile(band=0, sizes=[3, 8]); order(band=0.0, members=[1, 0]); "
    "wavefront(band=0.0, members=2); "
    "distribute(band=0.0.0.0, member=1, statements=[0, 1]); "
    "threads(band=0.0.0.0.0.0.0, counts=[4], member=0); "
    "threads(band=0.0.0.0.0.1.0, counts=[4], member=0); "
    "grid(band=0.0.0, member=1, members=1)"
)
PLANES = """for (int t = 0; t < 5; t++) {
    for (int i = 1; i < N - 1; i++)
      for (int j = 1; j < N - 1; j++)
        E[1][i][j] = C[i - 1][j] + C[i + 1][j] + C[i][j - 1] + C[i][j + 1];
    for (int i = 1; i < N - 1; i++)
      for (int j = 1; j < N - 1; j++)
        C[i][j] = E[1][i][j] / (T)4;
  }"""
PLANES_BAND = (
    "[{ S0[t, i, j] -> [(t)]; S1[t, i, j] -> [(t)] }, "
    "{ S0[t, i, j] -> [(2t + i)]; S1[t, i, j] -> [(2t + i + 1)] }, "
    "{ S0[t, i, j] -> [(2t + j)]; S1[t, i, j] -> [(2t + j + 1)] }]"
)
PLANES_SCRIPT = (
    "tile(band=0, sizes=[2, 4, 8]); order(band=0.0, members=[1, 2, 0]); "
    "wavefront(band=0.0, members=3); "
    "distribute(band=0.0.0.0, member=1, statements=[0, 1]); "
    "threads(band=0.0.0.0.0.0.0, counts=[2, 8], member=0); "
    "threads(band=0.0.0.0.0.1.0, counts=[2, 8], member=0); "
    "grid(band=0.0.0, member=1, members=2)"
)
SWEEP = """for (int t = 0; t < 4; t++)
    for (int i = 1; i < N - 1; i++)
      for (int j = 1; j < N - 1; j++)
        C[i][j] = (C[i - 1][j] + C[i][j - 1] + C[i][j + 1] + C[i + 1][j]) / (T)4;"""
SWEEP_BAND = (
    "[{ S0[t, i, j] -> [(t)] }, { S0[t, i, j] -> [(t + i)] }, "
    "{ S0[t, i, j] -> [(t + j)] }]"
)
SWEEP_SCRIPT = (
    "tile(band=0, sizes=[2, 4, 8]); order(band=0.0, members=[1, 2, 0]); "
    "wavefront(band=0.0, members=3); wavefront(band=0.0.0.0, members=3); "
    "threads(band=0.0.0.0.0, counts=[2, 4], member=1); "
    "grid(band=0.0.0, member=1, members=2)"
)
# rows of a tile one after the other, each shared by all threads
COLUMNS = """for (int j = 0; j < N; j++)
    for (int i = 1; i < N; i++)
      C[i][j] += C[i - 1][j] * E[0][i][j];"""
COLUMNS_BAND = "[{ S0[j, i] -> [(j)] }, { S0[j, i] -> [(i)] }]"
COLUMNS_SCRIPT = (
    "tile(band=0, sizes=[8, 0]); order(band=0.0.0, members=[1, 0]); "
    "threads(band=0.0.0, counts=[4], member=1); grid(band=0.0, member=0, members=1)"
)
FIELDS = """for (int t = 0; t < 6; t++) {
    for (int j = 0; j < 23; j++)
      E[0][0][j] = A[0][t];
    for (int i = 1; i < N; i++)
      for (int j = 0; j < 23; j++)
        E[0][i][j] -= (C[i][j] - C[i - 1][j]) / (T)2;
    for (int i = 0; i < N; i++)
      for (int j = 1; j < 23; j++)
        E[1][i][j] -= (C[i][j] - C[i][j - 1]) / (T)2;
    for (int i = 0; i < N - 1; i++)
      for (int j = 0; j < 22; j++)
        C[i][j] -= (E[1][i][j + 1] - E[1][i][j] + E[0][i + 1][j] - E[0][i][j]) / (T)2;
  }"""
FIELDS_BAND = (
    "[{ S0[t, j] -> [(t)]; S1[t, i, j] -> [(t)]; S2[t, i, j] -> [(t)]; "
    "S3[t, i, j] -> [(t)] }, "
    "{ S0[t, j] -> [(t)]; S1[t, i, j] -> [(t + i)]; S2[t, i, j] -> [(t + i)]; "
    "S3[t, i, j] -> [(t + i + 1)] }, "
    "{ S0[t, j] -> [(t + j)]; S1[t, i, j] -> [(t + j)]; S2[t, i, j] -> [(t + j)]; "
    "S3[t, i, j] -> [(t + j + 1)] }]"
)
FIELDS_SCRIPT = (
    "tile(band=0, sizes=[4, 16, 32]); order(band=0.0, members=[1, 2, 0]); "
    "wavefront(band=0.0, members=3); "
    "distribute(band=0.0.0.0, member=1, statements=[0, 1, 2, 3]); "
    "threads(band=0.0.0.0.0.0.0, counts=[2, 8], member=0); "
    "threads(band=0.0.0.0.0.1.0, counts=[2, 8], member=0); "
    "threads(band=0.0.0.0.0.2.0, counts=[2, 8], member=0); "
    "threads(band=0.0.0.0.0.3.0, counts=[2, 8], member=0); "
    "grid(band=0.0.0, member=1, members=2)"
)
ALL = [
    (ROWS, ROWS_BAND, ROWS_SCRIPT),
    (PLANES, PLANES_BAND, PLANES_SCRIPT),
    (SWEEP, SWEEP_BAND, SWEEP_SCRIPT),
    (COLUMNS, COLUMNS_BAND, COLUMNS_SCRIPT),
]


@pytest.mark.long
@pytest.mark.cc
@pytest.mark.parametrize(("body", "band", "script"), ALL)
@pytest.mark.parametrize("n", [13, 22])
def test_results_equal(
    tmp_path: Path, body: str, band: str, script: str, n: int
) -> None:
    expected, found = outputs(tmp_path, body, script, n=n, band=band)
    assert found == expected


def with_rows(script: str, rows: int) -> str:
    """Threads that take so many neighbouring rows at once."""
    return script.replace("8], member=0)", f"8], member=0, run={rows})")


@pytest.mark.long
@pytest.mark.cc
@pytest.mark.parametrize(
    ("body", "band", "script", "n"),
    [
        (PLANES, PLANES_BAND, with_rows(PLANES_SCRIPT, 4), 13),  # one thread has all
        (FIELDS, FIELDS_BAND, with_rows(FIELDS_SCRIPT, 4), 24),
    ],
)
def test_rows_that_a_thread_takes_at_once(
    tmp_path: Path, body: str, band: str, script: str, n: int
) -> None:
    expected, found = outputs(tmp_path, body, script, n=n, band=band)
    assert found == expected


def test_what_rows_of_a_thread_read_is_loaded_once_and_before_they_store(
    tmp_path: Path,
) -> None:
    prepared = Prepared.of(tmp_path, PLANES).in_band(PLANES_BAND)
    text = prepared.print(with_rows(PLANES_SCRIPT, 4)).device
    run = text[text.index("const double C_run") :].partition("} else {")[0]
    loads = run.count(" = C[")
    assert loads == 14  # four points with four neighbours each: two are two points'
    assert run.rindex(" = C[") < run.index("E[")


@pytest.mark.cc
def test_blocks_are_counted_where_the_last_is_a_choice(tmp_path: Path) -> None:
    """The last tile's point is ``h == 0 ? 89 : 91`` here, and the first is not 0."""
    band = FIELDS_BAND.replace("t + j", "64 + t + j")
    expected, found = outputs(tmp_path, FIELDS, FIELDS_SCRIPT, n=31, band=band)
    assert found == expected


@pytest.mark.long
@pytest.mark.cc
def test_parameters_are_no_numbers_to_the_kernel(tmp_path: Path) -> None:
    body = ROWS.replace("N", "n")
    band = f"[n] -> {ROWS_BAND}"
    expected, found = outputs(tmp_path, body, ROWS_SCRIPT, n=19, band=band)
    assert found == expected


def test_a_barrier_stands_behind_every_part(tmp_path: Path) -> None:
    prepared = Prepared.of(tmp_path, ROWS).in_band(ROWS_BAND)
    text = prepared.print(ROWS_SCRIPT).device
    kernel = text[text.index("__global__") : text.index("extern")]
    assert re.findall(r"__syncthreads|E\[[^=]* = |C\[[^=]* = ", kernel)[1::2] == [
        "__syncthreads"
    ] * kernel.count("__syncthreads")
    # what other threads write is no secret to the compiler
    assert "double *C" in kernel
    assert "__restrict__ C" not in kernel


def test_behind_the_last_part_nobody_waits(tmp_path: Path) -> None:
    body = """for (int i = 0; i < N; i++) {
    C[0][i] = A[0][i];
    C[1][i] = A[1][i];
  }"""
    band = "[{ S0[i] -> [(i)]; S1[i] -> [(i)] }]"
    script = (
        "tile(band=0, sizes=[8]); distribute(band=0.0.0, member=0, statements=[0, 1]); "
        "threads(band=0.0.0.0.0, counts=[4], member=0); "
        "threads(band=0.0.0.1.0, counts=[4], member=0); "
        "grid(band=0.0, member=0, members=1)"
    )
    text = Prepared.of(tmp_path, body).in_band(band).print(script).device
    assert text.count("__syncthreads") == 1


def test_parts_without_a_barrier_between_are_refused(tmp_path: Path) -> None:
    """Threads that share both statements at once would race."""
    prepared = Prepared.of(tmp_path, ROWS).in_band(ROWS_BAND)
    script = (
        "tile(band=0, sizes=[3, 8]); order(band=0.0, members=[1, 0]); "
        "wavefront(band=0.0, members=2); "
        "threads(band=0.0.0.0, counts=[4], member=1); "
        "grid(band=0.0.0, member=1, members=1)"
    )
    with pytest.raises(IllegalScheduleError, match="must run before"):
        apply_script(prepared.tree, parse_script(script), prepared.deps)
    _is_refused(prepared, script, "must run before S1")


def test_time_is_no_loop_of_threads(tmp_path: Path) -> None:
    prepared = Prepared.of(tmp_path, SWEEP).in_band(SWEEP_BAND)
    script = (
        "tile(band=0, sizes=[2, 4, 8]); order(band=0.0, members=[1, 2, 0]); "
        "wavefront(band=0.0, members=3); "
        "threads(band=0.0.0.0, counts=[2, 4], member=0); "
        "grid(band=0.0.0, member=1, members=2)"
    )
    _is_refused(prepared, script, "the threads loop leaves their order open")


def test_blocks_that_depend_on_each_other_are_refused(tmp_path: Path) -> None:
    """A barrier orders the threads of one block only."""
    prepared = Prepared.of(tmp_path, ROWS).in_band(ROWS_BAND)
    script = (
        "tile(band=0, sizes=[3, 8]); "
        "distribute(band=0.0.0, member=1, statements=[0, 1]); "
        "threads(band=0.0.0.0.0.0, counts=[4], member=0); "
        "threads(band=0.0.0.0.1.0, counts=[4], member=0); "
        "grid(band=0.0, member=1, members=1)"
    )
    _is_refused(prepared, script, "the grid loop leaves their order open")


def _is_refused(prepared: Prepared, script: str, reason: str) -> None:
    """Both the proof of the tree and the printer's own see what is wrong."""
    tree = apply_script(prepared.tree, parse_script(script))  # unchecked
    assert reason in str(find_violation(tree, prepared.deps))
    with pytest.raises(CodegenError, match="depend on each other"):
        print_cuda(prepared.scop, tree, deps=prepared.deps.validity)


def test_what_every_thread_would_run_is_refused(tmp_path: Path) -> None:
    prepared = Prepared.of(tmp_path, ROWS).in_band(ROWS_BAND)
    script = ROWS_SCRIPT.replace(
        "threads(band=0.0.0.0.0.1.0, counts=[4], member=0); ", ""
    )
    tree = apply_script(prepared.tree, parse_script(script), prepared.deps)
    with pytest.raises(CodegenError, match=r"every thread of a block would run \{ S1"):
        print_cuda(prepared.scop, tree, deps=prepared.deps.validity)


def test_parts_share_out_one_block(tmp_path: Path) -> None:
    prepared = Prepared.of(tmp_path, ROWS).in_band(ROWS_BAND)
    script = ROWS_SCRIPT.replace("0.1.0, counts=[4]", "0.1.0, counts=[8]")
    tree = apply_script(prepared.tree, parse_script(script), prepared.deps)
    with pytest.raises(CodegenError, match="share out different blocks"):
        print_cuda(prepared.scop, tree, deps=prepared.deps.validity)


def test_a_mark_above_a_leaf_is_refused(tmp_path: Path) -> None:
    prepared = Prepared.of(tmp_path, ROWS).in_band(ROWS_BAND)
    script = ROWS_SCRIPT.replace(
        "threads(band=0.0.0.0.0.1.0, counts=[4], member=0); ", ""
    )
    tree = apply_script(prepared.tree, parse_script(script), prepared.deps)
    leaf = tree.bands()[-1][1].child(0)
    wrong = ScheduleTree(insert_mark(leaf, "threads:4").get_schedule())
    with pytest.raises(CodegenError, match="needs a band of as many members"):
        print_cuda(prepared.scop, wrong, deps=prepared.deps.validity)
