"""A scalar moves into the element it ends up in, unless somebody would notice."""

from __future__ import annotations

import numpy as np
import pytest

from polysched.analysis import coalesce_scalars, infer_liveness, privatize
from polysched.interp import interpret, random_inputs
from polysched.ir import Scop
from polysched.testing import ScopBuilder

UPDATE = "w -= A[i][k] * A[k][j]"


def factor(
    begin: str = "w = A[i][j]",
    store: str = "A[i][j] = w / A[j][j]",
    *,
    begin_when: str = "",
    update: str = UPDATE,
    scalar: str = "double",
    extra: str = "",
    before: str = "",
    behind: str = "",
) -> Scop:
    """The lower half of a factorisation, row by row, with a scalar for each element."""
    b = ScopBuilder("factor", ["n"])
    b.array("A", "double[n][n]")
    b.array("B", "double[n]")
    b.array("w", scalar, storage="local", live_out=False)
    box = "0 <= i < n and 0 <= j < i"
    if before:
        b.statement("i, j", box, before, position=(0, 0, 0))
    b.statement("i, j", f"{box}{begin_when}", begin, position=(0, 0, 1))
    b.statement(
        "i, j, k", f"{box} and 0 <= k < j", update, position=(0, 0, 2, 0)
    )  # fmt: skip
    if extra:
        b.statement("i, j", box, extra, position=(0, 0, 3))
    b.statement("i, j", box, store, position=(0, 0, 4))
    if behind:
        b.statement("i, j", box, behind, position=(0, 0, 5))
    return b.build()


def prepare(scop: Scop) -> Scop:
    return coalesce_scalars(privatize(infer_liveness(scop)))


def results(scop: Scop, like: Scop) -> dict[str, np.ndarray]:
    given = random_inputs(like, {"n": 7}, seed=5)
    names = {a.name for a in scop.arrays if not a.is_private}
    given = {k: v for k, v in given.items() if k in names}
    found = interpret(scop, None, {"n": 7}, given)
    return {k: v for k, v in found.items() if k in ("A", "B")}


def assert_same(before: Scop, after: Scop) -> None:
    expected, found = results(before, before), results(after, before)
    for name in ("A", "B"):
        np.testing.assert_array_equal(found[name], expected[name], err_msg=name)


def test_element_takes_the_place_of_the_scalar_and_copies_vanish() -> None:
    scop = factor()
    done = prepare(scop)
    assert [a.name for a in done.arrays] == ["A", "B"]
    assert [s.name for s in done.statements] == ["S1", "S2"]
    assert {a.array for s in done.statements for a in s.accesses} == {"A"}
    assert_same(scop, done)


def test_another_first_value_is_stored_first() -> None:
    scop = factor("w = B[i]", "A[i][j] = w")
    done = prepare(scop)
    assert [s.name for s in done.statements] == ["S0", "S1"]
    assert_same(scop, done)


def test_element_may_be_read_before_and_behind() -> None:
    """As tables are that others look up in the same iteration."""
    scop = factor("w = B[i]", behind="B[j] += A[i][j]", before="B[i] += A[i][j]")
    done = prepare(scop)
    assert not any(a.is_private for a in done.arrays)
    assert_same(scop, done)


@pytest.mark.parametrize(
    "scop",
    [
        factor(store="A[i][j] = w + A[i][j]"),
        factor(store="A[i][j] += w"),
        factor(update="w -= A[i][k] * A[i][j]"),
        factor(update="w -= A[k][k]", store="A[j][i] = w", extra="B[i] = A[j][i]"),
        factor(extra="A[i][j] = B[j]"),
        factor(extra="B[j] = w"),
        factor(scalar="float"),
    ],
    ids=["old-value", "adds", "update-reads", "read-between", "written-between",
         "stored-twice", "rounded"],
)  # fmt: skip
def test_scalar_stays_where_the_element_would_be_noticed(scop: Scop) -> None:
    done = prepare(scop)
    assert any(a.n_expanded for a in done.arrays)
    assert len(done.statements) == len(scop.statements)
    assert_same(scop, done)
