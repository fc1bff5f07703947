"""Which updates add a product."""

from __future__ import annotations

from pathlib import Path

import pytest

from polysched.analysis import match_product
from polysched.ir import Load
from tests.unit.codegen.cuda.programs import Prepared

LOOPS = """for (int i = 0; i < N; i++)
    for (int j = 0; j < N; j++)
      for (int k = 0; k < N; k++)
        %s;"""


@pytest.mark.parametrize(
    ("text", "is_subtracted"),
    [
        ("C[i][j] += A[i][k] * B[k][j]", False),
        ("C[i][j] -= A[i][k] * B[k][j]", True),
        ("C[i][j] = C[i][j] + A[i][k] * B[k][j]", False),
        ("C[i][j] = C[i][j] - A[i][k] * B[k][j]", True),
        ("C[i][j] = A[i][k] * B[k][j] + C[i][j]", False),
    ],
)
def test_products_are_found(tmp_path: Path, text: str, is_subtracted: bool) -> None:
    (statement,) = Prepared.of(tmp_path, LOOPS % text).scop.statements
    found = match_product(statement.body[0])
    assert found is not None
    assert found.is_subtracted == is_subtracted
    assert isinstance(found.left, Load)
    assert (found.left.array, isinstance(found.right, Load)) == ("A", True)


@pytest.mark.parametrize(
    "text",
    [
        "C[i][j] *= A[i][k] * B[k][j]",
        "C[i][j] = A[i][k] * B[k][j] - C[i][j]",
        "C[i][j] = C[j][i] + A[i][k] * B[k][j]",
        "C[i][j] += A[i][k] + B[k][j]",
        "C[i][j] += (float)(A[i][k] * B[k][j])",
    ],
)
def test_other_updates_add_none(tmp_path: Path, text: str) -> None:
    (statement,) = Prepared.of(tmp_path, LOOPS % text).scop.statements
    assert match_product(statement.body[0]) is None
