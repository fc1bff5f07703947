"""Loops over the halves of a range that do the same become one, and no others."""

from __future__ import annotations

import numpy as np
import pytest

from polysched.analysis import prepare_scop
from polysched.analysis.join_loops import join_loops
from polysched.interp import interpret, random_inputs
from polysched.ir import Scop
from polysched.testing import ScopBuilder

UPDATE = "A[i][j] -= A[i][k] * A[k][j]"
LEFT = "0 <= i < n and 0 <= j < i and 0 <= k < j"
RIGHT = "0 <= i < n and i <= j < n and 0 <= k < i"


def rows_of_lu(
    left: str = LEFT,
    right: str = RIGHT,
    second: str = UPDATE,
    *,
    directions: tuple[int, ...] = (1, 1, 1),
    behind: str = "",
) -> Scop:
    """Updates left of the diagonal and a division, then updates of the rest."""
    b = ScopBuilder("lu", ["n"])
    b.array("A", "double[n][n]")
    b.array("x", "double[n]")
    b.statement("i, j, k", left, UPDATE, position=(0, 0, 0, 0), directions=directions)
    b.statement("i, j", "0 <= i < n and 0 <= j < i", "A[i][j] /= A[j][j] + 9",
                position=(0, 0, 1), directions=directions[:2])  # fmt: skip
    b.statement("i, j, k", right, second, position=(0, 1, 0, 0), directions=directions)
    if behind:
        box = "0 <= i < n and i <= j < n"
        b.statement("i, j", box, behind, position=(0, 1, 1), directions=directions[:2])
    return b.build()


def results(scop: Scop) -> dict[str, np.ndarray]:
    size = {"n": 9}
    return interpret(scop, None, size, random_inputs(scop, size, seed=5))


def test_updates_left_and_right_of_the_diagonal_are_one_statement() -> None:
    scop = rows_of_lu()
    joined = join_loops(scop)
    assert [s.name for s in joined.statements] == ["S0", "S1"]
    update = joined.statements[0]
    expected = "0 <= i < n and 0 <= j < n and 0 <= k < i and k < j"
    whole = rows_of_lu(left=expected).statements[0]
    context = scop.context
    assert update.domain.intersect_params(context).is_equal(
        whole.domain.intersect_params(context)
    )
    for found, wanted in zip(update.accesses, whole.accesses, strict=True):
        assert found.relation.intersect_params(context).is_equal(
            wanted.relation.intersect_params(context)
        )
    before, after = results(scop), results(joined)
    assert np.array_equal(before["A"], after["A"])


def test_statements_that_only_the_second_loop_has_are_kept() -> None:
    left = "0 <= i < n and 0 <= j < i and 0 <= k < j"
    b = ScopBuilder("lu", ["n"])
    b.array("A", "double[n][n]")
    b.statement("i, j, k", left, UPDATE, position=(0, 0, 0, 0))
    b.statement("i, j, k", RIGHT, UPDATE, position=(0, 1, 0, 0))
    b.statement("i, j", "0 <= i < n and i <= j < n", "A[i][j] *= 3", position=(0, 1, 1))
    scop = b.build()
    joined = join_loops(scop)
    assert [s.position for s in joined.statements] == [(0, 0, 0, 0), (0, 0, 1)]
    assert np.array_equal(results(scop)["A"], results(joined)["A"])


def test_what_is_scheduled_has_loops_joined() -> None:
    assert len(prepare_scop(rows_of_lu()).statements) == 2


@pytest.mark.parametrize(
    "scop",
    [
        rows_of_lu(right=RIGHT.replace("i <= j", "i - 1 <= j")),  # both have j = i - 1
        rows_of_lu(right=RIGHT.replace("i <= j", "i < j")),  # with a hole
        rows_of_lu(right=RIGHT.replace("k < i", "k <= i")),  # other terms
        rows_of_lu(left=RIGHT, right=LEFT),  # the other way round
        rows_of_lu(directions=(1, -1, 1)),
        rows_of_lu(second=UPDATE.replace("-=", "+=")),
        rows_of_lu(behind="A[i][j] *= 3"),  # both have something of their own
    ],
)
def test_other_loops_stay_apart(scop: Scop) -> None:
    assert join_loops(scop).statements == scop.statements
