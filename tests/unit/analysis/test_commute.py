"""Updates that commute begin with the term that is known first; results stay equal."""

from __future__ import annotations

import numpy as np
import pytest

from polysched.analysis import (
    compute_dependences,
    find_violation,
    order_updates,
    prepare_scop,
)
from polysched.interp import interpret, random_inputs
from polysched.ir import ScheduleTree, Scop
from polysched.testing import ScopBuilder

COMPARED = {"max": ">=", "min": "<="}


def extremum(term: str, op: str = "max") -> str:
    """The update of ``x[j]`` by a term, as the front end writes it."""
    return f"x[j] = x[j] if x[j] {COMPARED[op]} {term} else {term}"


def chain(
    near: str = extremum("x[j-1]"),
    far: str = extremum("x[k] + c[k][j]"),
    type_: str = "int",
    between: str = "",
    guard: str | None = None,
) -> Scop:
    """Of every element an update from the one before, and one from each before that."""
    b = ScopBuilder("chain", ["n"])
    b.array("x", f"{type_}[]")
    b.array("y", f"{type_}[]")
    b.array("c", f"{type_}[][]")
    b.statement("j", "1 <= j < n", near, position=(0, 0), guard=guard)
    if between:
        b.statement("j", "1 <= j < n", between, position=(0, 1))
    b.statement("j, k", "1 <= j < n and 0 <= k < j", far, position=(0, 2, 0))
    return b.build()


NEIGHBOURS = "x[i][j] = x[i-1][j] if x[i-1][j] < x[i][j-1] else x[i][j-1]"


def table(
    begin: str = NEIGHBOURS,
    type_: str = "int",
    between: str = "",
    op: str = "min",
) -> Scop:
    """Elements begun by two neighbours, and changed by a term for each before them."""
    b = ScopBuilder("table", ["n"])
    b.array("x", f"{type_}[][]")
    b.array("y", f"{type_}[]")
    b.array("c", f"{type_}[][]")
    box = "1 <= i < n and 1 <= j < n"
    b.statement("i, j", box, begin, position=(0, 0, 0))
    if between:
        b.statement("i, j", box, between, position=(0, 0, 1))
    far = "x[i][k] + c[k][j]"
    update = f"x[i][j] = x[i][j] if x[i][j] {COMPARED[op]} {far} else {far}"
    b.statement("i, j, k", f"{box} and 0 <= k < j", update, position=(0, 0, 2, 0))
    return b.build()


@pytest.mark.parametrize(
    ("begin", "op"),
    [
        (NEIGHBOURS, "min"),
        ("x[i][j] = x[i][j-1] if x[i][j-1] < x[i-1][j] else x[i-1][j]", "min"),
        ("x[i][j] = x[i][j-1] if x[i-1][j] >= x[i][j-1] else x[i-1][j]", "min"),
        ("x[i][j] = x[i-1][j] if x[i-1][j] > x[i][j-1] else x[i][j-1]", "max"),
        (
            "x[i][j] = (x[i][j-1] if x[i][j-1] < c[i][j] else c[i][j]) if "
            "(x[i][j-1] if x[i][j-1] < c[i][j] else c[i][j]) < x[i-1][j] "
            "else x[i-1][j]",
            "min",
        ),
    ],
)
def test_element_begins_with_the_terms_known_first(begin: str, op: str) -> None:
    """The neighbour in the same row is an update behind all others then."""
    scop = table(begin, op=op)
    done = order_updates(scop)
    assert order(done) == ["S0", "S1", "S2"]
    first, last = done.statement("S0"), done.statement("S2")
    assert [s.n_loops for s in (first, last)] == [2, 2]
    left = "x[i, -1 + j]"
    assert not any(left in str(a.relation) for a in first.reads)
    assert any(left in str(a.relation) for a in last.reads)
    assert len([a for a in last.reads if a.array == "x"]) == 2
    assert_same_results(scop)


@pytest.mark.parametrize(
    "scop",
    [
        pytest.param(table(type_="double"), id="NaN depends on the order"),
        pytest.param(table(op="max"), id="another operator"),
        pytest.param(table(between="y[j] = x[i][j]"), id="somebody looks in between"),
        pytest.param(
            table("x[i][j] = c[i][j] if c[i][j] < c[j][i] else c[j][i]"),
            id="no term is known late",
        ),
        pytest.param(
            table("x[i][j] = x[i-1][j] if x[i-1][j] < c[i][j] else x[i][j-1]"),
            id="no extremum",
        ),
    ],
)
def test_beginnings_stay_whole(scop: Scop) -> None:
    done = order_updates(scop)
    assert len(done.statements) == len(scop.statements)
    assert done.statement("S0").body == scop.statement("S0").body
    assert_same_results(scop)


def order(scop: Scop) -> list[str]:
    return [s.name for s in sorted(scop.statements, key=lambda s: s.position)]


def assert_same_results(scop: Scop) -> None:
    given = random_inputs(scop, {"n": 9}, seed=3)
    expected = interpret(scop, None, {"n": 9}, given)
    found = interpret(order_updates(scop), None, {"n": 9}, given)
    for name in expected:
        np.testing.assert_array_equal(found[name], expected[name], err_msg=name)


@pytest.mark.parametrize(
    "scop",
    [
        chain(),
        chain(extremum("x[j-1]", "min"), extremum("x[k] + c[k][j]", "min")),
        chain("x[j] += x[j-1]", "x[j] += x[k] * c[k][j]"),
        chain("x[j] -= x[j-1]", "x[j] += x[k] * c[k][j]"),
        chain("x[j] += x[j-1]", "x[j] += x[k]", guard="c[j][j] > 0"),
    ],
)
def test_the_term_that_is_known_last_comes_last(scop: Scop) -> None:
    assert order(scop) == ["S0", "S1"]
    assert order(order_updates(scop)) == ["S1", "S0"]
    assert_same_results(scop)


@pytest.mark.parametrize(
    "scop",
    [
        pytest.param(chain(type_="double"), id="rounding and NaN depend on the order"),
        pytest.param(chain(near="x[j] += x[j-1]"), id="another operator"),
        pytest.param(
            chain("x[j] *= x[j-1]", "x[j] += x[k]", between="x[j] += c[j][j]"),
            id="a factor before the sums",
        ),
        pytest.param(chain(near="x[j] = x[j-1]"), id="no update"),
        pytest.param(chain(between="y[j] = x[j]"), id="somebody looks in between"),
        pytest.param(
            chain(near="y[j] += x[j-1]", far="x[j] += x[k]"), id="other arrays"
        ),
        pytest.param(
            chain(near="x[j] += x[j+1] * x[j-1]", far="x[j+1] += c[k][j]"),
            id="a term of one is what the other updates",
        ),
        pytest.param(
            chain(near=extremum("y[j]"), far=extremum("c[k][j]")),
            id="terms that nobody computes",
        ),
        pytest.param(
            chain(near=extremum("c[j][j]"), far=extremum("x[k] + c[k][j]")),
            id="in that order already",
        ),
    ],
)
def test_order_stays(scop: Scop) -> None:
    assert order_updates(scop) is scop or order(order_updates(scop)) == order(scop)
    assert_same_results(scop)


def test_loop_over_terms_may_then_come_outside() -> None:
    """With ``x[j-1]`` first no element could begin before the one before was done."""
    scop = chain()
    tree = ScheduleTree.parse(
        "{ domain: '[n] -> { S0[j] : 0 < j < n; S1[j, k] : 0 <= k < j < n }', child: "
        "{ schedule: '[n] -> [{ S0[j] -> [j - 1]; S1[j, k] -> [k] }]', child: "
        "{ sequence: [ { filter: '[n] -> { S1[j, k] }', child: "
        "{ schedule: '[n] -> [{ S1[j, k] -> [j] }]' } }, "
        "{ filter: '[n] -> { S0[j] }' } ] } } }".replace("'", '"')
    )
    before = find_violation(tree, compute_dependences(scop), scop)
    assert before is not None
    assert {before.dependence.source, before.dependence.sink} == {"S0", "S1"}
    prepared = prepare_scop(scop)
    assert find_violation(tree, compute_dependences(prepared), prepared) is None
    given = random_inputs(scop, {"n": 9}, seed=4)
    np.testing.assert_array_equal(
        interpret(prepared, tree, {"n": 9}, given)["x"],
        interpret(scop, None, {"n": 9}, given)["x"],
    )


def test_terms_that_nothing_changes_need_no_dataflow(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Dependences of counters at remainders would take isl long."""
    b = ScopBuilder("counters", ["n"])
    b.array("x", "int[]")
    b.array("y", "int[]")
    for number, place in enumerate(("2*i", "3*i + 1")):
        update = f"x[{place}] = x[{place}] + y[i]"
        b.statement("i", "0 <= i < n", update, position=(0, number))
    scop = b.build()
    monkeypatch.setattr("polysched.analysis.commute.compute_dependences", None)
    assert order(order_updates(scop)) == ["S0", "S1"]
