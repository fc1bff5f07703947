"""A scalar that one statement reads is computed there, unless that differs."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from polysched.analysis import infer_liveness, privatize, substitute_scalars
from polysched.interp import interpret, random_inputs
from polysched.ir import Const, Iter, Load, Scop, Select, types
from polysched.testing import ScopBuilder

SIZE = {"n": 9}


def smooth(
    begin: str = "w = A[i - 1] + A[i]",
    store: str = "B[i] = w * A[i]",
    *,
    between: str = "",
    scalar: str = "double",
    guard: str | None = None,
    box: str = "1 <= i < n",
) -> Scop:
    """A row from its neighbours, with a scalar for each element."""
    b = ScopBuilder("smooth", ["n"])
    b.array("A", "double[n]")
    b.array("B", "double[n]")
    b.array("short", "short[n]")
    b.array("w", scalar, storage="local", live_out=False)
    b.statement("i", "1 <= i < n", begin, position=(0, 0))
    if between:
        b.statement("i", "1 <= i < n", between, position=(0, 1))
    b.statement("i", box, store, position=(0, 2), guard=guard)
    return b.build()


def react(
    term: str = "U[i] * V[i]",
    *,
    into: tuple[str, str] = ("U2", "V2"),
    comes_round: bool = True,
) -> Scop:
    """Time steps of two fields, which have a term in common."""
    b = ScopBuilder("react", ["n"])
    for name in ("U", "V", "U2", "V2"):
        b.array(name, "double[n]")
    b.array("w", "double", storage="local", live_out=False)
    box = "0 <= t < 3 and 1 <= i < n"
    b.statement("t, i", box, f"w = {term}", position=(0, 0, 0))
    b.statement("t, i", box, f"{into[0]}[i] = U[i] - w", position=(0, 0, 1))
    b.statement("t, i", box, f"{into[1]}[i] = V[i - 1] + w", position=(0, 0, 2))
    if comes_round:
        b.statement("t, i", box, "U[i] = U2[i]", position=(0, 1, 0))
        b.statement("t, i", box, "V[i] = V2[i]", position=(0, 1, 1))
    return b.build()


def prepare(scop: Scop) -> Scop:
    return substitute_scalars(privatize(infer_liveness(scop)))


def results(scop: Scop, like: Scop) -> dict[str, np.ndarray]:
    given = random_inputs(like, SIZE, seed=3)
    known = {a.name for a in scop.arrays if not a.is_private}
    found = interpret(scop, None, SIZE, {k: v for k, v in given.items() if k in known})
    return {k: found[k] for k in ("A", "B")}


@pytest.mark.parametrize(
    "scop",
    [
        smooth(),
        smooth(scalar="float"),
        smooth(store="A[i] = w"),
        smooth(store="A[i] += w"),
        smooth(store="B[i] = 1", guard="w > A[i]"),
        smooth(between="B[i] = A[i] + 1", store="B[i] += w"),
        smooth(box="3 <= i < n"),
        smooth(store="B[i] = w * w"),
        smooth(store="A[i] = w if w < A[i] else A[i]"),
    ],
)
def test_value_takes_the_place_of_the_scalar(scop: Scop) -> None:
    done = prepare(scop)
    assert [a.name for a in done.arrays] == ["A", "B", "short"]
    assert len(done.statements) == len(scop.statements) - 1
    reader = done.statements[-1]
    assert {a.array for a in reader.reads} >= {"A"}
    domains = [a.relation.domain() for a in reader.accesses]
    assert all(d.is_subset(reader.domain) for d in domains)
    expected, found = results(scop, scop), results(done, scop)
    for name, values in expected.items():
        np.testing.assert_array_equal(found[name], values, err_msg=name)


@pytest.mark.parametrize(
    "scop",
    [
        smooth(begin="w = sqrt(A[i])", store="B[i] = w * w"),
        smooth(begin="w = A[i] * A[i] * A[i] + A[i - 1] - 1", store="B[i] = w * w"),
        smooth(begin="w = short[i] - short[i - 1]", store="B[i] = w * w", scalar="int"),
        smooth(between="A[i] = 2"),
        smooth(between="B[i] = w"),
        smooth(between="w += A[i]"),
        smooth(store="A[i - 1] = 1; B[i] = w", guard="A[i] > 0"),
    ],
)
def test_scalar_stays_where_its_value_would_differ_or_be_computed_twice(
    scop: Scop,
) -> None:
    done = prepare(scop)
    assert "w" in [a.name for a in done.arrays]
    assert len(done.statements) == len(scop.statements)


def test_statements_of_a_sweep_compute_what_they_have_in_common() -> None:
    scop = react()
    done = prepare(scop)
    assert "w" not in [a.name for a in done.arrays]
    assert len(done.statements) == len(scop.statements) - 1
    for reader in done.statements[:2]:
        assert {a.array for a in reader.reads} == {"U", "V"}
    given = random_inputs(scop, SIZE, seed=3)
    expected = interpret(scop, None, SIZE, given)
    known = {k: v for k, v in given.items() if k != "w"}
    found = interpret(done, None, SIZE, known)
    for name in ("U", "V"):
        np.testing.assert_array_equal(found[name], expected[name], err_msg=name)


@pytest.mark.parametrize(
    "scop",
    [
        react(comes_round=False),
        react("U[i] * V[i] * V[i] * U[i] + 1"),
        react(into=("U", "V2")),
    ],
)
def test_statements_keep_what_is_long_or_passes_once_or_changes(scop: Scop) -> None:
    done = prepare(scop)
    assert "w" in [a.name for a in done.arrays]
    assert len(done.statements) == len(scop.statements)


def test_reader_in_other_loops_keeps_the_scalar() -> None:
    b = ScopBuilder("rows", ["n"])
    b.array("A", "double[n][n]")
    b.array("B", "double[n]")
    b.array("w", "double", storage="local", live_out=False)
    b.statement("i", "0 <= i < n", "w = B[i] / 3", position=(0, 0))
    box = "0 <= i < n and 0 <= j < n"
    b.statement("i, j", box, "A[i][j] *= w", position=(0, 1, 0))
    assert len(prepare(b.build()).statements) == 2


def test_a_branch_that_is_never_taken_keeps_the_scalar():
    b = ScopBuilder("dead", ["n"])
    b.array("A", "double[n]")
    b.array("B", "double[n]")
    b.array("w", "double", storage="local", live_out=False)
    b.statement("i", "0 <= i < n", "w = A[i] * 2", position=(0, 0))
    b.statement("i", "0 <= i < n", "B[i] = w", position=(0, 1))
    b.statement("i", "0 <= i < n", "A[i] = 1", position=(0, 2))
    scop = privatize(infer_liveness(b.build()))
    *others, last = scop.statements
    (w,) = [a.array for a in others[1].reads]
    (setting,) = last.body
    dead = Load(w, (Iter("i"),), scop.array(w).type)
    unread = Select(Const(0, types.INT, "0"), dead, setting.value)
    last = replace(last, body=(replace(setting, value=unread),))
    assert substitute_scalars(scop) is not scop
    scop = replace(scop, statements=(*others, last))
    assert substitute_scalars(scop) is scop


def gram(
    value: str = "d[i] * A[i][j]",
    sum_: str = "B[j][k] += w * A[i][k]",
    *,
    scalar: str = "double",
    start: str = "j <= k",
    also: str = "",
) -> Scop:
    """A product of a matrix with itself, whose left factor is a scalar first."""
    b = ScopBuilder("gram", ["n"])
    b.array("A", "double[n][n]")
    b.array("B", "double[n][n]")
    b.array("d", "double[n]")
    b.array("C", "double[n]")
    b.array("short", "short[n]")
    b.array("w", scalar, storage="local", live_out=False)
    box = "0 <= i < n and 1 <= j < n"
    b.statement("i, j", box, f"w = {value}", position=(0, 0, 0))
    if also:
        b.statement("i, j", box, also, position=(0, 0, 1))
    inner = f"{box} and {start} < n"
    b.statement("i, j, k", inner, sum_, position=(0, 0, 2, 0))
    return b.build()


@pytest.mark.parametrize(
    "scop",
    [
        gram(),
        gram("A[i][j]"),
        gram("A[i][j]", "B[j][k] -= A[i][k] * (2.0 * w)"),
        gram(scalar="float"),
        gram(also="C[j] += w * d[j]"),
    ],
)
def test_a_factor_of_inner_sums_is_computed_there(scop: Scop) -> None:
    done = prepare(scop)
    assert "w" not in {a.name for a in done.arrays}
    assert len(done.statements) == len(scop.statements) - 1
    for name, found in results(done, scop).items():
        np.testing.assert_array_equal(found, results(scop, scop)[name])


@pytest.mark.parametrize(
    "scop",
    [
        gram("B[i][j] * 0.5"),  # which changes meanwhile
        gram("d[i] / A[i][j]"),  # takes long
        gram("d[i] * A[i][j] * d[j] * A[j][i]"),  # likewise
        gram("short[i] * short[j]"),  # of a shorter type
        gram("0.5 * i"),  # nothing that schedules would wait for
        gram(sum_="B[j][k] += w * A[i][k] + A[k][i]"),  # no product
        gram(sum_="B[j][k] = w * A[i][k]"),  # no sum
        gram(sum_="B[j][k] += w * w"),  # twice
        gram(also="C[j] = w"),  # what reads it besides sums
        gram(start="j - 1 <= k", also="w = 2.0"),  # set in another place
    ],
)
def test_other_factors_stay(scop: Scop) -> None:
    assert "w" in {a.name for a in prepare(scop).arrays}
