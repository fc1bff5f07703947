"""Products of numbers of two bytes in tensor cores, on the stand-in."""

from __future__ import annotations

from pathlib import Path

import pytest

from polysched.analysis import find_violation
from polysched.base import CodegenError, IllegalScheduleError
from polysched.codegen.cuda import join_device
from polysched.codegen.cuda.tensor import TensorPrinter
from polysched.transform import apply_script, parse_script
from tests.unit.codegen.cuda.programs import (
    FRAME,
    Prepared,
    compile_host,
    run_device,
)
from tests.unit.codegen.cuda.test_tensor import MERGE, contract

HALVES = (
    (FRAME % ("_Float16", "@body"))
    .replace("C[N][N], ", "")
    .replace(", E[3][N][N], W[N][N];", ";\nstatic float C[N][N], E[3][N][N];")
    .replace("T *Z", "float *Z")
    .replace("(N + 5)", "(N + 8)")
)
PRODUCT = """for (int i = 0; i < N; i++)
    for (int j = 0; j < N; j++)
      for (int k = 0; k < %s; k++)
        C[i][j] += (float)%s * (float)%s;"""
SQUARE = PRODUCT % ("N", "A[i][k]", "B[k][j]")
BATCH = """for (int b = 0; b < 3; b++)
    for (int i = 0; i < N; i++)
      for (int j = 0; j < N; j++)
        for (int k = 0; k < N; k++)
          E[b][i][j] += (float)D[b][i][k] * (float)B[k][j];"""
POINTERS = """for (int i = 0; i < n; i++)
    for (int j = 0; j < n; j++)
      for (int k = 0; k < m; k++)
        Z[i * n + j] += (float)X[i * m + k] * (float)Y[k * n + j];"""
TENSOR = contract("32,32,16", "2,2", "16,16", 1)
PLAIN = 2 * MERGE + "launch(band=0, tile=[8,32], threads=[8,32])"
# every number has few bits: sums are exact in any order
CASES = [
    (SQUARE, 32, contract("32,32,16", "2,2", "16,16", 3)),
    (SQUARE, 64, contract("32,64,32", "2,1", "16,64", 2)),
    (
        PRODUCT % ("N", "A[k][i]", "B[k][j]"),
        64,
        contract("64,32,16", "2,1", "32,32", 1),
    ),
    (
        PRODUCT % ("N", "A[i][k]", "B[j][k]"),
        64,
        contract("32,64,16", "1,2", "32,32", 2),
    ),
    (PRODUCT % ("N", "A[k][i]", "B[j][k]"), 32, TENSOR),
    (PRODUCT % ("N", "B[k][j]", "A[i][k]"), 32, TENSOR),
    (SQUARE.replace("C[i][j]", "C[j][i]"), 32, TENSOR),
    # windows that begin at an odd place; edges along results and terms; few terms
    (PRODUCT % ("16", "A[i][k + 3]", "B[k + 1][j]"), 32, TENSOR),
    (SQUARE, 21, TENSOR),
    (SQUARE, 40, TENSOR),
    (SQUARE, 37, TENSOR),
    (PRODUCT % ("5", "A[i][k]", "B[k][j]"), 35, TENSOR),
    (PRODUCT % ("2", "A[k][i]", "B[j][k]"), 33, TENSOR),
    (SQUARE.replace("j < N", "j <= i").replace("B[k][j]", "A[j][k]"), 45, TENSOR),
    ((PRODUCT % ("N", "A[k][i]", "B[j][k]")).replace("+=", "-="), 37, TENSOR),
    (SQUARE.replace("+=", "-="), 37, TENSOR),
    (SQUARE.replace("+=", "= C[i][j] -"), 37, TENSOR),
    (BATCH, 21, contract("1,32,32,16", "1,2,2", "1,16,16", 1, 3)),
    # sizes that are known when the program runs: rows of pieces of 16 bytes, or not
    (POINTERS, 21, contract("32,32,16", "2,2", "16,16", 3)),
    (POINTERS, 32, contract("32,32,16", "2,2", "16,16", 2)),
    (POINTERS, 40, TENSOR),
]


def prepared(
    folder: Path, body: str, n: int, fp: str = "reassociate", kind: str = "_Float16"
) -> Prepared:
    text = HALVES.replace("@body", body).replace("_Float16", kind)
    return Prepared.of_text(folder, text, n, fp)


def results(folder: Path, given: Prepared, n: int, *scripts: str) -> list[float]:
    found = []
    for script in scripts:
        text = given.print(script)
        compile_host(folder, given, text, n)
        found.append(float(run_device(folder, text.device, n)))
    return found


@pytest.mark.long
@pytest.mark.cc
@pytest.mark.parametrize(("body", "n", "script"), CASES)
def test_sums_are_those_of_plain_threads(
    tmp_path: Path, body: str, n: int, script: str
) -> None:
    plain = PLAIN
    if body == BATCH:
        plain = MERGE + PLAIN.replace("8,32", "1,8,32")
    given = prepared(tmp_path, body, n)
    found, expected = results(tmp_path, given, n, script, plain)
    assert found == expected != 0


def load_by(way: str, patch: pytest.MonkeyPatch) -> None:
    """Have lanes load their factors in another way than the best."""
    for better in {"squares": [], "pairs": ["squares"]}.get(way, ["squares", "pairs"]):
        patch.setattr(TensorPrinter, f"_has_{better}", lambda *_: False)


@pytest.mark.long
@pytest.mark.cc
@pytest.mark.parametrize("way", ["squares", "pairs", "elements"])
@pytest.mark.parametrize("op", ["+=", "-="])
def test_factors_are_loaded_in_three_ways(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str, op: str
) -> None:
    load_by(way, monkeypatch)
    for left, right in [("[i][k]", "[k][j]"), ("[k][i]", "[j][k]")]:
        body = (PRODUCT % ("N", f"A{left}", f"B{right}")).replace("+=", op)
        given = prepared(tmp_path, body, 37)
        text = given.print(TENSOR).device
        assert ("ps_load_square(B_part" in text) == (
            way == "squares" and right[1] == "j"
        )
        assert ("inside.y" in text.split("multiply = ")[1]) == (
            way == "pairs" or (op == "-=" and way == "squares" and left[1] == "i")
        )
        found, expected = results(tmp_path, given, 37, TENSOR, PLAIN)
        assert found == expected != 0


@pytest.mark.long
@pytest.mark.cc
@pytest.mark.parametrize(
    ("way", "right", "wrong"),
    [
        ("squares", "ps_load_square(A_part", "ps_load_turned(A_part"),
        ("squares", "ps_load_turned(B_part", "ps_load_square(B_part"),
        ("squares", "(lane / 8 % 2) + lane % 8;\n", "(lane / 16) + lane % 8;\n"),
        ("squares", "16 * t1 + 8 * (lane / 16)", "16 * t1 + 8 * (lane / 8 % 2)"),
        ("squares", "n + 8 * (lane / 8 % 2)", "n + 8 * (lane / 16)"),
        ("squares", "B_part[0][e]", "B_part[0][1 - e]"),
        ("pairs", "A_part[r0][e] = inside.x", "A_part[r0][e] = inside.y"),
        ("pairs", "lane / 4 + 8 * (e / 2 % 2)", "lane / 4 + 8 * (e / 4)"),
        ("elements", " % 4) + e % 2 + 8 * (e / 2", " % 4) + (1 - e % 2) + 8 * (e / 2"),
        ("elements", "B_part[r1][e / 4][e % 4] =", "B_part[r1][e / 4][3 - e % 4] ="),
    ],
)
def test_an_element_in_a_wrong_place_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str, right: str, wrong: str
) -> None:
    load_by(way, monkeypatch)
    given = prepared(tmp_path, SQUARE, 32)
    text = given.print(TENSOR)
    compile_host(tmp_path, given, text, 32)
    expected = run_device(tmp_path, text.device, 32)
    assert right in text.device
    changed = text.device.replace(right, wrong, 1)
    assert run_device(tmp_path, changed, 32) != expected


@pytest.mark.cc
def test_terms_must_be_free_and_need_not_be_rounded(tmp_path: Path) -> None:
    strict = prepared(tmp_path, SQUARE, 32, "strict")
    with pytest.raises(IllegalScheduleError, match="may not be added in another order"):
        strict.print(TENSOR)
    given = prepared(tmp_path, SQUARE, 32)
    tree = apply_script(given.tree, parse_script(TENSOR), given.deps)
    assert find_violation(tree, given.deps) is None
    found = find_violation(tree, strict.deps)
    assert "tensor cores leave the order of terms open" in str(found)


@pytest.mark.cc
@pytest.mark.parametrize(
    ("body", "script", "message"),
    [
        (SQUARE, TENSOR.replace("32,16]", "32,8]"), "multiples of 16"),
        (SQUARE.replace("(float)A[i][k]", "2 * (float)A[i][k]"), TENSOR, "10 bits"),
        (SQUARE.replace("(float)A[i][k]", "E[0][i][k]"), TENSOR, "10 bits"),
    ],
)
def test_what_is_no_product_of_halves(
    tmp_path: Path, body: str, script: str, message: str
) -> None:
    with pytest.raises(IllegalScheduleError, match=message):
        prepared(tmp_path, body, 32).print(script)


@pytest.mark.cc
def test_scaled_halves_are_no_floats_to_round(tmp_path: Path) -> None:
    body = SQUARE.replace("(float)A[i][k]", "2 * (float)A[i][k]")
    with pytest.raises(CodegenError, match="products of two array elements"):
        prepared(tmp_path, body, 32, "tf32").print(TENSOR.replace("32,16]", "32,8]"))


@pytest.mark.cc
def test_definitions_stand_once_in_a_file(tmp_path: Path) -> None:
    device = prepared(tmp_path, SQUARE, 32).print(TENSOR).device
    joined = join_device([device, device.replace("ps_kernel", "ps_other")])
    assert joined.count("m16n8k16.row.col.f32.f16.f16.f32") == 1
    assert joined.count("#include <cuda_fp16.h>") == 1
    assert "ps_round" not in joined
