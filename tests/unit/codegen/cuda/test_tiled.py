"""Tiled contractions: equal to the original bit for bit, no fault on the way."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from polysched.base import CodegenError, IllegalScheduleError
from polysched.codegen import PrintOptions
from polysched.codegen.cuda import print_cuda
from polysched.cost.device import kernel_work
from polysched.cost.kernels import read_kernels
from polysched.transform import Contract, apply_script, parse_script
from polysched.transform.device_plan import DevicePlanner
from tests.unit.codegen.cuda.programs import (
    Prepared,
    compile_host,
    outputs,
    run_device,
)

PRODUCT = """for (int i = 0; i < N; i++)
    for (int j = 0; j < N; j++)
      for (int k = 0; k < M; k++)
        C[i][j] += A[i][k] * B[k][j];"""
TRIANGLE = """for (int i = 0; i < N; i++)
    for (int j = 0; j <= i; j++)
      for (int k = 0; k < M; k++)
        C[i][j] -= A[i][k] * A[j][k];"""
DIAGONAL = """for (int i = 0; i < N; i++)
    for (int j = 0; j < N; j++)
      for (int k = i + 1; k < N; k++)
        C[i][j] += A[k][i] * B[k][j];"""
BATCH = """for (int b = 0; b < 3; b++)
    for (int i = 0; i < N; i++)
      for (int j = 0; j < N; j++)
        for (int k = 0; k < M; k++)
          E[b][i][j] += D[b][i][k] * B[k][j];"""
WINDOW = """for (int b = 0; b < 2; b++)
    for (int i = 0; i < N - 3; i++)
      for (int j = 0; j < N - 3; j++)
        for (int k = 0; k < 3; k++)
          for (int r = 0; r < 3; r++)
            for (int s = 0; s < 3; s++)
              E[b][i][j] += D[k][i + r][j + s] * B[k + r][s + b];"""
POINTERS = """for (int i = 0; i < n; i++)
    for (int j = 0; j < n; j++)
      for (int k = 0; k < m; k++)
        Z[i * n + j] += X[i * m + k] * Y[k * n + j];"""
PANELS = """for (int k = 0; k < N / 8; k++)
    for (int i = 8 * k + 8; i < N; i++)
      for (int j = 8 * k + 8; j < N; j++)
        for (int l = 0; l < 8; l++)
          C[i][j] -= C[i][8 * k + l] * C[8 * k + l][j] / (T)64;"""
ROWS_OF_OWN = """for (int k = 1; k < N; k++) {
    T row[N];
    for (int i = 0; i < N; i++)
      row[i] = A[i][k] * 2;
    for (int i = 0; i < N; i++)
      for (int j = 0; j < N; j++)
        C[i][j] += row[i] * B[k][j];
  }"""
SQUARE = PRODUCT.replace("M", "N")
MATVEC = """for (int i = 0; i < N; i++)
    for (int k = 0; k < M; k++)
      Z[i] += A[i][k] * X[k];"""
LOOKED_UP = """for (int i = 0; i < N; i++)
    for (int k = 0; k < M; k++)
      Z[i] += A[i][k] * D[1][(int)B[k][0]][2];"""
COLUMNS = """for (int j = 0; j < N; j++)
    for (int k = j; k < N; k++)
      Z[j] = A[k][j] > Z[j] ? A[k][j] : Z[j];"""
TURNED = """for (int j = 0; j < N; j++)
    for (int i = 0; i < N; i++)
      C[j][i] = A[i][j] + B[j][0];"""
MIRRORED = """for (int j = 0; j < N; j++)
    for (int i = 0; i <= j; i++)
      C[j][i] += A[i][j] - A[j][i];"""
MERGE = "merge(band=0); "


def contract(tile: str, threads: str, runs: str, stages: int, band: str = "0") -> str:
    return (
        f"contract(band={band}, tile=[{tile}], threads=[{threads}], runs=[{runs}], "
        f"stages={stages})"
    )


CASES = [
    (PRODUCT, "float", 21, 2 * MERGE + contract("16,16,8", "4,4", "1,4", 3)),
    (PRODUCT, "double", 32, 2 * MERGE + contract("16,16,8", "4,4", "2,2", 1)),
    (TRIANGLE, "double", 21, 2 * MERGE + contract("8,16,8", "4,8", "1,2", 2)),
    (DIAGONAL, "float", 21, 2 * MERGE + contract("16,16,8", "4,4", "2,4", 3)),
    (BATCH, "float", 21, 3 * MERGE + contract("1,16,16,5", "1,4,4", "1,1,4", 4)),
    (
        WINDOW,
        "float",
        13,
        3 * MERGE + contract("1,8,16,2,3,3", "1,4,8", "1,1,2", 2),
    ),
    # the names n and m are the region's own, so the kernel needs others
    (POINTERS, "double", 21, 2 * MERGE + contract("16,16,8", "4,8", "1,2", 2)),
    (POINTERS, "double", 1, 2 * MERGE + contract("16,16,8", "4,8", "1,2", 3)),
    (POINTERS, "float", 24, 2 * MERGE + contract("16,16,8", "4,8", "1,2", 2)),
    # the array's first row is that of k = 1
    (ROWS_OF_OWN, "double", 21, "distribute(band=0, member=0, statements=[0, 1]); "
     "merge(band=0.1.0); merge(band=0.1.0); order(band=0.1.0, members=[1, 2, 0]); "
     + contract("16,16,8", "4,8", "1,2", 2, "0.1.0")
     + "; launch(band=0.0.0, tile=[8], threads=[8])"),
    # one thread per result, its row copied ahead
    (MATVEC, "float", 70, MERGE + contract("32,16", "32", "1", 4)),
    (MATVEC, "double", 33, MERGE + contract("32,32", "32", "1", 2)),
    (LOOKED_UP, "double", 33, MERGE + contract("32,16", "32", "1", 2)),
    (COLUMNS, "double", 45, MERGE + contract("16,8", "16", "1", 3)),
    # no terms: squares from rows to columns
    (TURNED, "float", 70, MERGE + contract("32,32", "8,32", "4,1", 1)),
    (TURNED, "double", 64, MERGE + contract("64,32", "8,32", "2,1", 1)),
    (MIRRORED, "double", 37, MERGE + contract("32,16", "8,16", "2,1", 1)),
    (PANELS, "double", 37, "merge(band=0.0); " + contract(
        "16,16,8", "4,8", "1,2", 2, "0.0")),
]  # fmt: skip


@pytest.mark.long
@pytest.mark.cc
@pytest.mark.parametrize(("body", "elem", "n", "script"), CASES)
def test_results_equal(
    tmp_path: Path, body: str, elem: str, n: int, script: str
) -> None:
    expected, found = outputs(tmp_path, body, script, elem, n)
    assert found == expected


@pytest.mark.cc
def test_rows_that_happen_to_be_aligned_are_copied_by_long_pieces(
    tmp_path: Path,
) -> None:
    """24 elements apart, where the others are 29: without the question, a fault."""
    given = Prepared.of(tmp_path, POINTERS, "float", 24)
    script = 2 * MERGE + contract("8,8,8", "4,8", "1,1", 2)
    text = given.print(script)
    asked = re.findall(r"if \(\(long\)(\w+) % 4 == 0\)", text.device)
    assert asked == ["m", "n"]
    compile_host(tmp_path, given, text, 24)
    expected = run_device(tmp_path, text.device, 24)
    for name, kind in (("n", expected), ("m", "misaligned")):
        claimed = text.device.replace(f"if ((long){name} % 4 == 0)", "if (1)")
        assert run_device(tmp_path, claimed, 24) == kind


def test_whole_tiles_have_no_guards(tmp_path: Path) -> None:
    prepared = Prepared.of(tmp_path, PRODUCT.replace("M", "N"), "float", 64)
    text = prepared.print(2 * MERGE + contract("32,32,16", "4,8", "1,4", 3)).device
    kernel = text[text.index("__global__") : text.index('extern "C"')]
    assert "?" not in kernel
    assert kernel.count("if (") == 2  # whether there is one more tile to copy
    assert "__pipeline_wait_prior(1);" in kernel


def test_rare_tiles_take_few_registers(tmp_path: Path) -> None:
    """At edges loops stay rolled; terms are asked what results do not say."""
    given = Prepared.of(tmp_path, TRIANGLE, "double", 21)
    text = given.print(2 * MERGE + contract("8,16,8", "4,8", "1,2", 2)).device
    _, _, rare = text.partition("} else {")
    assert rare.lstrip().startswith("#pragma unroll 1")
    _, _, multiply = text.partition("const auto multiply")
    (guard,) = (s for s in multiply.splitlines() if s.strip().startswith("if (q0 + k0"))
    assert "o0" not in guard
    assert "o1" not in guard


@pytest.mark.parametrize(
    ("term", "pitches"),
    [
        ("A[i][k] * B[k][j]", (20, 16)),  # the rows of A lie apart
        ("A[k][i] * B[k][j]", (16, 16)),  # threads read one row of each
        ("A[i][k] * A[j][k]", (20, 20)),
    ],
)
def test_rows_that_threads_read_side_by_side_are_padded(
    tmp_path: Path, term: str, pitches: tuple[int, int]
) -> None:
    body = SQUARE.replace("A[i][k] * B[k][j]", term)
    given = Prepared.of(tmp_path, body, "float", 64)
    script = parse_script(2 * MERGE + contract("16,16,16", "4,8", "1,2", 2))
    tree = apply_script(given.tree, script, given.deps)
    text = print_cuda(given.scop, tree).device
    found = re.findall(r"float \w+_tile\w*\[2\]\[16\]\[(\d+)\];", text)
    assert tuple(map(int, found)) == pitches
    (load,) = read_kernels(tree, given.scop)
    expected = kernel_work(load).shared_bytes_per_block
    assert expected == 2 * 16 * sum(pitches) * 4


@pytest.mark.parametrize(
    ("term", "threads"),
    [
        ("A[i][k] * B[k][j]", (8, 16)),
        ("A[i][k] * B[k][j] + B[i][k] * A[k][j]", (8, 32)),
    ],
)
def test_more_operands_get_more_threads(
    tmp_path: Path, term: str, threads: tuple[int, int]
) -> None:
    """64 doubles and the operands of two products do not fit 255 registers."""
    body = PRODUCT.replace("A[i][k] * B[k][j]", term)
    given = Prepared.of(tmp_path, body, "double", 1000)
    (first,) = DevicePlanner(given.scop, given.deps).plan(given.tree, limit=1)
    (step,) = (s for s in first.steps if isinstance(s, Contract))
    assert step.threads == threads


@pytest.mark.cc
def test_windows_behind_an_odd_one_begin_where_long_copies_may(tmp_path: Path) -> None:
    """39 floats in three stages, before a window that is copied by four floats."""
    body = SQUARE.replace("A[i][k] * B[k][j]", "X[i + k] * B[k][j]")
    script = 2 * MERGE + contract("8,128,32", "4,32", "1,4", 3)
    given = Prepared.of(tmp_path, body, "float", 32)
    device = given.print(script).device
    assert "X_tile)[39]" in device
    assert "reinterpret_cast<float (*)[32][128]>(ps_shared + 480)" in device
    expected, found = outputs(tmp_path, body, script, "float", 32)
    assert found == expected


def test_shared_memory_beyond_the_static_limit_is_asked_for(tmp_path: Path) -> None:
    prepared = Prepared.of(tmp_path, PRODUCT, "double", 300)
    text = prepared.print(2 * MERGE + contract("128,64,16", "16,16", "1,2", 4)).device
    assert "extern __shared__" in text
    assert "cudaFuncAttributeMaxDynamicSharedMemorySize" in text


@pytest.mark.parametrize(
    ("body", "script", "words"),
    [
        # a member inside moves the result
        (
            "for (int i = 0; i < N; i++) for (int j = 0; j < N; j++) "
            "for (int k = 0; k < N; k++) E[2][i][j] = E[2][i][j] + A[i][k];",
            2 * MERGE + contract("16,16,8", "4,8", "1,2", 2),
            "",
        ),
        (
            "for (int i = 0; i < N; i++) for (int j = 0; j < N; j++) "
            "for (int k = 0; k < N; k++) C[i][k] = A[i][j] + B[j][k] + C[i][k];",
            2 * MERGE + contract("16,16,8", "4,8", "1,2", 2),
            "dependence|order",
        ),
    ],
)
def test_what_no_register_holds_is_refused(
    tmp_path: Path, body: str, script: str, words: str
) -> None:
    prepared = Prepared.of(tmp_path, body)
    if not words:
        assert "held" in prepared.print(script).device
        return
    with pytest.raises((CodegenError, IllegalScheduleError), match=words):
        prepared.print(script)


def test_elements_written_in_the_same_kernel_are_not_copied(tmp_path: Path) -> None:
    body = """for (int i = 0; i < N; i++)
    for (int j = 0; j < N; j++)
      for (int k = 0; k < 1; k++)
        C[i][j] += C[i][j + k] * A[i][k];"""
    prepared = Prepared.of(tmp_path, body)
    with pytest.raises(CodegenError, match="reads what its kernel writes"):
        prepared.print(2 * MERGE + contract("16,16,1", "4,8", "1,2", 2))


def test_operands_that_are_read_once_are_not_copied_to_shared_memory(
    tmp_path: Path,
) -> None:
    body = """for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++)
          for (int k = 0; k < N; k++)
            Z[i * n + j] += B[k][j] * X[(i * n + j) * m + k];"""
    for text, staged in ((body, False), (SQUARE, True)):
        given = Prepared.of(tmp_path, text, "double", 64)
        (first,) = DevicePlanner(given.scop, given.deps).plan(given.tree, limit=1)
        assert any(isinstance(s, Contract) for s in first.steps) == staged


def test_tiles_that_shared_memory_cannot_hold_are_refused(tmp_path: Path) -> None:
    given = Prepared.of(tmp_path, SQUARE, "double", 512)
    with pytest.raises(CodegenError, match="a block shares 232448"):
        given.print(2 * MERGE + contract("128,128,64", "16,16", "1,2", 2))


def test_conditions_do_not_repeat_what_sizes_are_taken_for(tmp_path: Path) -> None:
    """That rows do not reach into the next is known, or that there is no row."""
    text = """
    void f(int n, int m, int k, int p, int q, double *restrict S, double *restrict T,
           const double *restrict V, const double *restrict W) {
    #pragma scop
      for (int j = 0; j < k; j++)
        for (int i = 0; i < j; i++)
          for (int l = j + 1; l < m; l++)
            T[j * p + i] += V[i * q + l] * V[j * q + l];
      for (int j = 0; j < n; j++)
        for (int i = 0; i < k; i++)
          for (int l = 0; l <= i; l++)
            S[j * p + i] += T[i * p + l] * W[j * q + l];
    #pragma endscop
    }"""
    given = Prepared.of_text(tmp_path, text, 21)
    (first,) = DevicePlanner(given.scop, given.deps).plan(given.tree, limit=1)
    assert sum(isinstance(s, Contract) for s in first.steps) == 2
    options = PrintOptions(original_text="")
    device = print_cuda(given.scop, first.tree, options, deps=None).device
    kernels, _ = device.split('extern "C"')
    assert not re.search(r"\b[pq] >= ", kernels)
