"""Contractions in tensor cores: equal sums on the stand-in, and what is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from polysched.analysis import FloatingPoint, find_violation
from polysched.base import CodegenError, IllegalScheduleError
from polysched.codegen.cuda import join_device
from polysched.transform import apply_script, parse_script
from tests.unit.codegen.cuda.programs import (
    FRAME,
    Prepared,
    compile_host,
    outputs,
    run_device,
)

Floats = npt.NDArray[np.float64]
MERGE = "merge(band=0); "
PRODUCT = """for (int i = 0; i < N; i++)
    for (int j = 0; j < N; j++)
      for (int k = 0; k < %s; k++)
        C[i][j] += %s * %s;"""
BATCH = """for (int b = 0; b < 3; b++)
    for (int i = 0; i < N; i++)
      for (int j = 0; j < N; j++)
        for (int k = 0; k < N; k++)
          E[b][i][j] += D[b][i][k] * B[k][j];"""
SHARED = BATCH.replace("D[b][i][k]", "A[i][k]")
POINTERS = """for (int i = 0; i < n; i++)
    for (int j = 0; j < n; j++)
      for (int k = 0; k < m; k++)
        Z[i * n + j] += X[i * m + k] * Y[k * n + j];"""
SQUARE = PRODUCT % ("N", "A[i][k]", "B[k][j]")


def contract(tile: str, threads: str, runs: str, stages: int, n_merged: int = 2) -> str:
    return n_merged * MERGE + (
        f"contract(band=0, tile=[{tile}], threads=[{threads}], runs=[{runs}], "
        f"stages={stages}, tensor=true)"
    )


TENSOR = contract("32,32,8", "2,2", "16,16", 2)
# every number has few bits: products and sums are exact, also of rounded floats
CASES = [
    (SQUARE, 32, TENSOR),
    (SQUARE, 64, contract("32,64,16", "2,1", "16,64", 1)),
    (SQUARE, 48, contract("48,16,24", "1,1", "48,16", 3)),
    (PRODUCT % ("N", "A[k][i]", "B[k][j]"), 64, contract("64,32,8", "2,1", "32,32", 4)),
    (
        PRODUCT % ("N", "A[i][k]", "B[j][k]"),
        64,
        contract("32,64,16", "1,2", "32,32", 2),
    ),
    (PRODUCT % ("N", "A[k][i]", "B[j][k]"), 32, TENSOR),
    # the operand of the columns first
    (PRODUCT % ("N", "B[k][j]", "A[i][k]"), 32, TENSOR),
    # results by columns: no pairs of them lie side by side
    ((PRODUCT % ("N", "A[i][k]", "B[k][j]")).replace("C[i][j]", "C[j][i]"), 32, TENSOR),
    # rows of an odd length
    (SQUARE.replace("N;", "N - 1;"), 33, TENSOR),
    # windows that begin at an odd place, and results that do
    (PRODUCT % ("16", "A[i][k + 3]", "B[k + 1][j]"), 32, TENSOR),
    (SQUARE.replace("C[i][j]", "E[1][i][j + 1]").replace("N;", "N - 1;"), 33, TENSOR),
    (BATCH, 32, contract("1,32,32,8", "1,2,2", "1,16,16", 2, 3)),
    # several products of a warp, or of a block
    (SHARED, 32, contract("3,32,32,8", "1,1,2", "3,32,16", 2, 3)),
    (SHARED, 21, contract("3,32,32,8", "3,1,2", "1,32,16", 1, 3)),
    # edges: along results, along terms, no whole block, a term alone
    (SQUARE, 21, TENSOR),
    (SQUARE, 40, TENSOR),
    (SQUARE, 37, TENSOR),
    (PRODUCT % ("5", "A[i][k]", "B[k][j]"), 35, TENSOR),
    (
        PRODUCT % ("N", "A[k][i]", "B[j][k]"),
        33,
        contract("16,32,16", "1,2", "16,16", 3),
    ),
    (BATCH, 21, contract("1,32,32,8", "1,2,2", "1,16,16", 2, 3)),
    (SQUARE.replace("j < N", "j <= i").replace("B[k][j]", "A[j][k]"), 45, TENSOR),
    (SQUARE.replace("+=", "-="), 37, TENSOR),
    (SQUARE.replace("+=", "= C[i][j] +"), 37, TENSOR),
    (SQUARE.replace("+=", "= C[i][j] -"), 37, TENSOR),
    (SQUARE.replace("+=", "=").replace("[k][j];", "[k][j] + C[i][j];"), 21, TENSOR),
    (PRODUCT % ("N", "-A[i][k]", "B[k][j]"), 32, TENSOR),
    (PRODUCT % ("N", "B[k][j]", "(A[i][k] + A[i][k])"), 32, TENSOR),
    # sizes that are known when the program runs
    (POINTERS, 21, TENSOR),
    (POINTERS, 32, TENSOR),
]


@pytest.mark.cc
@pytest.mark.parametrize("elem", ["double", "float"])
@pytest.mark.parametrize(("body", "n", "script"), CASES)
def test_sums_are_equal(
    tmp_path: Path, body: str, n: int, script: str, elem: str
) -> None:
    fp: FloatingPoint = "tf32" if elem == "float" else "reassociate"
    expected, found = outputs(tmp_path, body, script, elem, n, fp)
    assert float(found) == float(expected)


@pytest.mark.cc
@pytest.mark.parametrize("elem", ["double", "float"])
def test_a_factor_may_be_scaled(tmp_path: Path, elem: str) -> None:
    """By numbers that are the same everywhere, where all terms are there."""
    body = SQUARE.replace("N;", "32;").replace("A[i][k]", "alpha * A[i][k]")
    text = (FRAME % (elem, body)).replace("#pragma scop", "T alpha = 3;\n#pragma scop")
    given = Prepared.of_text(tmp_path, text, 37, "tf32")
    printed = given.print(TENSOR)
    assert "alpha * A_tile[" in printed.device
    compile_host(tmp_path, given, printed, 37)
    found = float(run_device(tmp_path, printed.device, 37))
    plain = given.print(
        2 * MERGE + "launch(band=0, tile=[8,32], threads=[8,32])"
    ).device
    assert found == float(run_device(tmp_path, plain, 37))


@pytest.mark.parametrize(
    ("body", "n", "has_pairs"),
    [
        (SQUARE, 32, True),
        (SQUARE.replace("C[i][j]", "E[1][i][j + 2]").replace("N;", "N - 2;"), 34, True),
        (
            SQUARE.replace("C[i][j]", "E[1][i][j + 1]").replace("N;", "N - 2;"),
            34,
            False,
        ),
        (SQUARE.replace("N;", "N - 1;"), 33, False),  # rows of an odd length
        (SQUARE.replace("C[i][j]", "C[j][i]"), 32, False),
    ],
)
def test_pairs_of_results_are_aligned(
    tmp_path: Path, body: str, n: int, has_pairs: bool
) -> None:
    text = Prepared.of(tmp_path, body, "double", n, "reassociate").print(TENSOR).device
    assert text.count("double2") == (4 if has_pairs else 0)


def rounded(values: Floats) -> Floats:
    """The nearest numbers of 10 bits of mantissa, ties away from zero."""
    mantissa, exponent = np.frexp(values)
    digits = np.trunc(np.abs(mantissa) * 2**11 + 0.5) / 2**11
    return np.asarray(np.ldexp(np.copysign(digits, mantissa), exponent))


@pytest.mark.cc
def test_floats_lose_all_but_ten_bits(tmp_path: Path) -> None:
    n, digits = 32, "(T)(k * 7919 % 10007) / (T)10007"
    text = FRAME % ("float", SQUARE)
    text = text.replace("(T)(k * 7919 % 101) / (T)16", digits)
    assert digits in text
    given = Prepared.of_text(tmp_path, text, n, "tf32")
    printed = given.print(TENSOR)
    compile_host(tmp_path, given, printed, n)
    found = float(run_device(tmp_path, printed.device, n))

    def value(numbers: Floats) -> Floats:
        quotients = (numbers * 7919 % 10007).astype(np.float32) / np.float32(10007)
        return np.asarray(quotients, np.float64)

    i, j = np.mgrid[:n, : n + 5]
    left, right = value(i * (n + 5) + j)[:, :n], value(i + 3 * j).T[:n]
    i, j = np.mgrid[:n, :n]
    weights = [1 + (i * 31 + j * 17 + b) % 13 for b in range(3)]
    rest = sum(
        (w * (value(i - j + n) + value(b * i + j))).sum() for b, w in enumerate(weights)
    )
    exact, expected = (
        float((sum(weights) * (a @ b)).sum() + rest)
        for a, b in ((left, right), (rounded(left), rounded(right)))
    )
    assert found == pytest.approx(expected, rel=1e-7)
    assert found != pytest.approx(exact, rel=1e-6)


@pytest.mark.long
@pytest.mark.cc
@pytest.mark.parametrize(
    ("right", "wrong", "kind"),
    [
        ("lane % 4 + 4 * (e % 2)", "lane % 4 + 4 * (e / 2)", ""),
        ("+ 8 * n", "+ 8 * (1 - n)", ""),
        ("lane / 4 + 8 * (e % 2)", "lane / 4 + 8 * (e / 2)", ""),
        ("+ 2 * (lane % 4)", "+ 2 * (lane % 4) - 1", "out-of-bounds"),
        ("ps_multiply(held", "if (lane < 31) ps_multiply(held", "barrier-divergence"),
        ("16 * t0 + lane", "16 * t0 + 16 + lane", "out-of-bounds"),
    ],
)
def test_planted_errors_are_found(
    tmp_path: Path, right: str, wrong: str, kind: str
) -> None:
    given = Prepared.of(tmp_path, SQUARE, "double", 32, "reassociate")
    text = given.print(TENSOR)
    compile_host(tmp_path, given, text, 32)
    expected = float(run_device(tmp_path, text.device, 32))
    assert right in text.device
    found = run_device(tmp_path, text.device.replace(right, wrong), 32)
    if kind:
        assert found == kind
    else:
        assert float(found) != expected


@pytest.mark.parametrize(
    ("elem", "fp", "words", "reason"),
    [
        ("double", "strict", "may not be added in another order", "order of terms"),
        ("float", "strict", "may not be added in another order", "order of terms"),
        ("float", "reassociate", "may not be rounded to 10 bits", "round factors"),
        ("int", "tf32", "no numbers of type int", ""),
    ],
)
def test_leave_is_needed_to_reorder_and_to_round(
    tmp_path: Path, elem: str, fp: FloatingPoint, words: str, reason: str
) -> None:
    given = Prepared.of(tmp_path, SQUARE, elem, 32, fp)
    with pytest.raises(IllegalScheduleError, match=words):
        given.print(TENSOR)
    violation = find_violation(
        apply_script(given.tree, parse_script(TENSOR)), given.deps
    )
    if reason:
        assert violation is not None
        assert reason in violation.reason


@pytest.mark.parametrize(
    ("body", "n", "words"),
    [
        # a factor that is not zero where there is no term: it may be infinite
        (SQUARE.replace("k = 0", "k = i + 1"), 32, "whole tiles of terms"),
        (
            PRODUCT % ("20", "(A[i][k] + A[i][k])", "B[k][j]"),
            32,
            "whole tiles of terms",
        ),
        (PRODUCT % ("N", "A[i][k]", "A[i][k]"), 32, "a row and a column"),
        (PRODUCT % ("N", "A[i][k]", "B[k][i]"), 32, "a row and a column"),
        (PRODUCT % ("N", "2", "B[k][j]"), 32, "products of two"),
        (PRODUCT % ("N", "B[k][j]", "(A[i][k] + k)"), 32, "products of two"),
        (PRODUCT % ("N", "A[i][k]", "(B[k][j] * A[i][k])"), 32, "products of two"),
        (PRODUCT % ("N", "(A[i][k] + 2)", "B[k][j]"), 32, "of one type"),
        (SQUARE.replace("+=", "*="), 32, "products of two"),
    ],
)
def test_other_forms_are_refused(tmp_path: Path, body: str, n: int, words: str) -> None:
    given = Prepared.of(tmp_path, body, "double", n, "reassociate")
    with pytest.raises(CodegenError, match=words):
        given.print(TENSOR)


def test_shapes_are_whole_squares(tmp_path: Path) -> None:
    given = Prepared.of(tmp_path, SQUARE, "double", 48, "reassociate")
    with pytest.raises(IllegalScheduleError, match="multiples of 16, 8"):
        given.print(contract("48,24,8", "1,1", "48,24", 2))


def test_files_of_several_regions_define_products_once(tmp_path: Path) -> None:
    texts = [
        Prepared.of(tmp_path, SQUARE, elem, 32, "tf32").print(TENSOR).device
        for elem in ("double", "float", "double")
    ]
    joined = join_device(texts)
    assert joined.count("void ps_multiply(") == 2
    assert joined.count("f32.tf32.tf32.f32") == joined.count("cvt.rna.tf32") == 1
