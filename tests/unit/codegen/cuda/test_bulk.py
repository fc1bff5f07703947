"""Bulk copies of rows: equal results at all edges, and every mistake is found."""

from __future__ import annotations

from pathlib import Path

import pytest

from polysched.codegen.cuda import join_device
from tests.unit.codegen.cuda.programs import (
    Prepared,
    compile_host,
    outputs,
    run_device,
)
from tests.unit.codegen.cuda.test_tensor import TENSOR
from tests.unit.codegen.cuda.test_tiled import DIAGONAL, MERGE, PRODUCT, SQUARE


def contract(tile: str, threads: str, runs: str, stages: int) -> str:
    return 2 * MERGE + (
        f"contract(band=0, tile=[{tile}], threads=[{threads}], runs=[{runs}], "
        f"stages={stages}, bulk=true)"
    )


ROWS = contract("16,128,8", "2,32", "1,4", 3)
CASES = [
    (SQUARE, 128, ROWS, "whole"),
    (SQUARE, 132, ROWS, "edges"),
    (PRODUCT, 260, contract("64,256,8", "2,64", "1,4", 4), "edges"),
    (SQUARE, 128, contract("16,128,16", "1,32", "1,4", 1), "whole"),
    (DIAGONAL, 132, contract("16,128,8", "4,32", "1,4", 2), "fence"),
    (SQUARE, 20, ROWS, "edges"),
]


@pytest.mark.long
@pytest.mark.cc
@pytest.mark.parametrize(("body", "n", "script", "kind"), CASES)
def test_results_equal(
    tmp_path: Path, body: str, n: int, script: str, kind: str
) -> None:
    kernel = Prepared.of(tmp_path, body, "float", n).print(script).device
    _, _, kernel = kernel.partition("static __global__")
    assert "ps_bulk_copy(" in kernel or n < 128
    assert ("ps_phase_expect(&filled[stage], 0);" in kernel) == (kind != "whole")
    assert ("ps_bulk_fence" in kernel) == (kind == "fence")
    expected, found = outputs(tmp_path, body, script, "float", n)
    assert found == expected


@pytest.mark.cc
def test_tensor_cores_take_rows_copied_in_bulk(tmp_path: Path) -> None:
    script = TENSOR.replace("32,32,8", "32,64,8").replace("16,16", "16,32")
    script = script.replace("tensor=true", "tensor=true, bulk=true")
    text = Prepared.of(tmp_path, SQUARE, "double", 64, "reassociate").print(script)
    assert "ps_bulk_copy(\n" in text.device
    expected, found = outputs(tmp_path, SQUARE, script, "double", 64, "reassociate")
    assert float(found) == pytest.approx(float(expected), rel=1e-12)


@pytest.mark.parametrize(
    ("n", "script"),
    [
        (131, ROWS),  # rows begin anywhere
        (128, contract("16,64,8", "2,32", "1,2", 3)),  # rows are short
        (128, contract("16,128,8", "2,8", "1,4", 3)),  # no whole warp
    ],
)
def test_other_copies_go_piece_by_piece(tmp_path: Path, n: int, script: str) -> None:
    given = Prepared.of(tmp_path, SQUARE, "float", n)
    usual = given.print(script.replace(", bulk=true", ""))
    assert given.print(script).device == usual.device


def test_a_pipeline_asks_for_rows_and_takes_them_back(tmp_path: Path) -> None:
    given = Prepared.of(tmp_path, SQUARE, "float", 128)
    usual = ROWS.replace(", bulk=true", "")
    step = "; pipeline(band=0.0.0.0.0, stages=3"
    assert given.print(f"{usual}{step}, bulk=true)").device == given.print(ROWS).device
    assert given.print(f"{ROWS}{step})").device == given.print(usual).device


FAULTS = [  # text of a kernel, its replacement, what is found
    ("      ps_bulk_fence();\n", "", "unfenced-copy"),
    ("    ps_phase_wait(&filled[s % 2], s / 2 % 2);\n", "", "unfinished-copy"),
    ("s / 2 % 2)", "1 - s / 2 % 2)", "unfinished-copy phase-stuck"),
    ("&filled[s % 2], s /", "&filled[(s + 1) % 2], s /", "unfinished-copy phase-stuck"),
    ("[stage], 4096)", "[stage], 3584)", "wrong-bytes"),
    ("[stage], 4096)", "[stage], 4112)", "phase-stuck"),
    ("[stage], 0)", "[stage], 16)", "phase-stuck"),
    ("if (thread == 0)\n        ps_phase_expect(&filled[stage], 4",
     "if (thread < 2)\n        ps_phase_expect(&filled[stage], 4", "phase-overflow"),
    ("if (ps_elect(thread))", "if (thread % 32 < 2)",
     "wrong-bytes unfinished-copy unfenced-copy"),
    ("512, &filled", "1024, &filled", "wrong-bytes unfinished-copy race unfenced-copy"),
    ("    __syncthreads();\n    if (s + 1", "    if (s + 1", "race unfinished-copy"),
    ("ps_phase_begin(&filled[s]);\n  __syncthreads();", "ps_phase_begin(&filled[s]);",
     "race uninitialised"),
]  # fmt: skip


@pytest.fixture(scope="module")
def diagonal(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A folder with a host object, and text with whole tiles behind partial ones."""
    folder = tmp_path_factory.mktemp("diagonal")
    body, n, script, _ = CASES[4]
    given = Prepared.of(folder, body, "float", n)
    text = given.print(script)
    compile_host(folder, given, text, n)
    return folder, text.device


@pytest.mark.cc
@pytest.mark.parametrize(("old", "new", "found"), FAULTS)
def test_planted_faults_are_found(
    diagonal: tuple[Path, str], old: str, new: str, found: str
) -> None:
    folder, device = diagonal
    assert device.count(old) == 1, old
    assert run_device(folder, device.replace(old, new), 1) in found.split()


def test_files_of_several_scops_have_the_functions_once(tmp_path: Path) -> None:
    given = Prepared.of(tmp_path, SQUARE, "float", 128)
    texts = [given.print(s).device for s in (ROWS, ROWS.replace(", bulk=true", ""))]
    for order in (texts, texts[::-1]):
        joined = join_device(order)
        assert joined.count("void ps_bulk_copy(") == 1
        assert joined.index("void ps_bulk_copy(") < joined.index("__global__")
        assert joined.count("#include <cuda_pipeline.h>") == 1
        assert joined.count("static __global__") == 2
