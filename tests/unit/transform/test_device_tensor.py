"""Products that the planner gives to tensor cores run there, and no others do."""

from __future__ import annotations

from pathlib import Path

import pytest

from polysched.analysis import FloatingPoint
from polysched.transform import Contract, DeviceShape, TensorShape, print_script
from polysched.transform.device_plan import DevicePlanner
from polysched.transform.device_shapes import PLAIN
from tests.unit.codegen.cuda.programs import FRAME, Prepared, outputs

SHAPE = DeviceShape(PLAIN, tensor=TensorShape(64, 32, 16, (2, 2), 2))
LOOPS = """for (int i = 0; i < N; i++)
    for (int j = 0; j < N; j++)
      for (int k = 0; k < N; k++)
        """
PRODUCT = LOOPS + "C[i][j] += A[i][k] * B[k][j];"
HALVES = LOOPS + "C[i][j] += (float)A[i][k] * (float)B[k][j];"


def planned(
    folder: Path,
    body: str,
    elem: str = "double",
    n: int = 37,
    fp: FloatingPoint = "tf32",
) -> tuple[Contract, ...]:
    given = Prepared.of(folder, body, elem, n, fp)
    (first,) = DevicePlanner(given.scop, given.deps, (SHAPE,)).plan(given.tree)
    return tuple(s for s in first.steps if isinstance(s, Contract))


@pytest.mark.parametrize(
    ("elem", "n", "tile", "threads", "runs"),
    [
        ("double", 200, (64, 32, 16), (2, 2), (32, 16)),
        ("float", 200, (64, 64, 16), (2, 2), (32, 32)),
        # no more than there is
        ("double", 20, (32, 32, 16), (1, 2), (32, 16)),
        ("float", 12, (16, 16, 16), (1, 1), (16, 16)),
        ("double", 7, (16, 16, 8), (1, 1), (16, 16)),
    ],
)
def test_tiles_are_no_larger_than_the_product(
    tmp_path: Path, elem: str, n: int, tile: object, threads: object, runs: object
) -> None:
    given = Prepared.of(tmp_path, PRODUCT, elem, n, "tf32")
    (first,) = DevicePlanner(given.scop, given.deps, (SHAPE,)).plan(given.tree)
    (step,) = (s for s in first.steps if isinstance(s, Contract))
    assert step.tensor
    assert (step.tile, step.threads, step.runs) == (tile, threads, runs)


@pytest.mark.parametrize(("n", "depth"), [(32, 16), (40, 8), (37, None)])
def test_scaled_factors_get_tiles_that_are_whole(
    tmp_path: Path, n: int, depth: int | None
) -> None:
    body = PRODUCT.replace("A[i][k]", "2.0 * A[i][k]")
    given = Prepared.of(tmp_path, body, "double", n, "tf32")
    drafts = DevicePlanner(given.scop, given.deps, (SHAPE,)).plan(given.tree)
    steps = [s for d in drafts for s in d.steps if isinstance(s, Contract) and s.tensor]
    assert [s.tile[-1] for s in steps] == ([depth] if depth else [])
    for draft in drafts:
        assert given.print(print_script(draft.steps)).device


@pytest.mark.parametrize(
    ("body", "elem", "fp"),
    [
        (PRODUCT, "double", "strict"),
        (PRODUCT, "float", "reassociate"),
        (PRODUCT, "int", "tf32"),
        (PRODUCT.replace("+=", "*="), "double", "tf32"),
        (LOOPS + "C[i][j] += A[i][k] + B[k][j];", "double", "tf32"),
        (LOOPS + "C[i][j] += A[i][k] * B[k][i];", "double", "tf32"),
        (LOOPS + "C[i][j] += A[i][k] * B[k][j] * A[i][j];", "double", "tf32"),
    ],
)
def test_other_contractions_are_left_alone(
    tmp_path: Path, body: str, elem: str, fp: FloatingPoint
) -> None:
    given = Prepared.of(tmp_path, body, elem, 37, fp)
    drafts = DevicePlanner(given.scop, given.deps, (SHAPE,)).plan(given.tree)
    assert "tensor=true" not in "".join(print_script(d.steps) for d in drafts)


@pytest.mark.long
@pytest.mark.cc
@pytest.mark.parametrize("elem", ["double", "float"])
@pytest.mark.parametrize(
    "body",
    [
        PRODUCT,
        LOOPS + "C[i][j] += A[k][i] * B[j][k];",
        LOOPS + "C[j][i] -= A[i][k] * B[k][j];",
        LOOPS.replace("j < N", "j <= i") + "C[i][j] += A[i][k] * A[j][k];",
    ],
)
def test_what_is_planned_runs(tmp_path: Path, body: str, elem: str) -> None:
    given = Prepared.of(tmp_path, body, elem, 37, "tf32")
    (first,) = DevicePlanner(given.scop, given.deps, (SHAPE,)).plan(given.tree)
    script = print_script(first.steps)
    assert "tensor=true" in script
    expected, found = outputs(tmp_path, body, script, elem, 37, "tf32")
    assert float(found) == float(expected)


@pytest.mark.cc
@pytest.mark.parametrize(
    ("body", "n", "fp", "tile"),
    [
        (HALVES, 200, "reassociate", (64, 64, 32)),
        (HALVES, 20, "reassociate", (32, 32, 32)),
        (HALVES, 7, "tf32", (16, 16, 16)),
        (HALVES, 200, "strict", None),
        (HALVES.replace("(float)A", "2 * (float)A"), 32, "tf32", None),
        (HALVES.replace("(float)A[i][k]", "C[k][k]"), 32, "tf32", None),
    ],
)
def test_factors_of_two_bytes_need_no_rounding(
    tmp_path: Path, body: str, n: int, fp: FloatingPoint, tile: object
) -> None:
    text = (FRAME % ("_Float16", body)).replace("C[N][N], ", "")
    text = text.replace("W[N][N];", "W[N][N];\nstatic float C[N][N];")
    given = Prepared.of_text(tmp_path, text, n, fp)
    drafts = DevicePlanner(given.scop, given.deps, (SHAPE,)).plan(given.tree)
    steps = [s for d in drafts for s in d.steps]
    found = [s for s in steps if isinstance(s, Contract) and s.tensor]
    assert [s.tile for s in found] == ([tile] if tile else [])
