"""Which bands read across rows through shared memory on a device."""

from __future__ import annotations

from pathlib import Path

import pytest

from polysched.transform import Contract
from polysched.transform.device_plan import DevicePlanner
from polysched.transform.device_shapes import SHAPES
from tests.unit.codegen.cuda.programs import Prepared

LINES = next(shape for shape in SHAPES if shape.lines is not None)


def plan(tmp_path: Path, body: str, n: int = 1000) -> list[Contract]:
    """What the first shape with lines stages of a program in doubles."""
    given = Prepared.of(tmp_path, body, "double", n)
    (draft,) = DevicePlanner(given.scop, given.deps, (LINES,)).plan(given.tree)
    return [step for step in draft.steps if isinstance(step, Contract)]


@pytest.mark.parametrize(
    ("term", "n_terms"),
    [
        ("A[i][k] * X[k]", 64),
        ("A[k][i] * X[k]", 64),
        ("A[i][k] * B[k][i]", 32),  # two windows: as much memory
    ],
)
def test_a_sum_in_order_has_its_terms_copied_ahead(
    tmp_path: Path, term: str, n_terms: int
) -> None:
    body = f"""for (int i = 0; i < N; i++)
        for (int k = 0; k < N; k++)
          Z[i] += {term};"""
    (step,) = plan(tmp_path, body)
    assert (step.tile, step.threads, step.runs) == (
        (32, n_terms),
        (32,),
        (1,),
    )
    assert step.stages == 4


@pytest.mark.parametrize(
    "body",
    [
        # every thread reads the same elements: caches hand them out
        "for (int i = 0; i < N; i++) for (int k = 0; k < N; k++) Z[i] += X[k];",
        # too few terms
        "for (int i = 0; i < N; i++) for (int k = 0; k < 9; k++) Z[i] += A[i][k];",
        # more results than a device has threads, side by side
        """for (int b = 0; b < 3; b++)
             for (int i = 0; i < N; i++)
               for (int j = 0; j < N; j++)
                 C[i][j] += D[b][i][j];""",
        # rows to rows
        "for (int i = 0; i < N; i++) for (int j = 0; j < N; j++) C[i][j] = A[i][j];",
        # what the kernel writes is not copied
        "for (int i = 0; i < N; i++) for (int j = 0; j < i; j++) C[i][j] = C[j][i];",
    ],
)
def test_other_bands_stay_as_they_are(tmp_path: Path, body: str) -> None:
    assert plan(tmp_path, body) == []


@pytest.mark.parametrize("left", ["C[i][j]", "C[j][i]"])
def test_rows_become_columns_by_squares(tmp_path: Path, left: str) -> None:
    right = left.replace("C", "A")
    swapped = right.replace("i", "#").replace("j", "i").replace("#", "j")
    body = f"""for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++)
          {left} = {swapped};"""
    (step,) = plan(tmp_path, body)
    assert (step.tile, step.threads, step.stages) == ((32, 32), (8, 32), 1)
    assert step.runs == (2, 1)  # 16 bytes of a row


def test_short_sides_have_no_squares(tmp_path: Path) -> None:
    body = """for (int i = 0; i < N; i++)
        for (int j = 0; j < 8; j++)
          C[j][i] = A[i][j];"""
    assert plan(tmp_path, body) == []


def test_a_square_is_read_once_and_meets_no_bank_twice(tmp_path: Path) -> None:
    body = """for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++)
          C[j][i] = A[i][j];"""
    given = Prepared.of(tmp_path, body, "float", 1024)
    (draft,) = DevicePlanner(given.scop, given.deps, (LINES,)).plan(given.tree)
    text = given.print("; ".join(str(step) for step in draft.steps)).device
    kernel = text[text.index("__global__") : text.index('extern "C"')]
    assert "float A_tile[1][32][36];" in kernel
    assert kernel.count("__syncthreads()") == 1
    assert "C[" not in kernel[: kernel.index("multiply(0, 0);")]  # nothing to add to
    assert "for (int k0" not in kernel
