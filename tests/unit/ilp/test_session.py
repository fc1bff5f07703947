"""Both solvers answer alike: optimum, infeasibility, rows added on the way."""

from __future__ import annotations

import subprocess
import sys

import pytest

from polysched.ilp import Linear
from polysched.ilp.session import (
    CbcSession,
    HighsSession,
    Row,
    Wish,
    distinct_rows,
    open_session,
)

BOTH = pytest.mark.parametrize("make", [HighsSession, CbcSession])
BOX = [(0, 10), (-3, 10)]
COVER = Row(Linear({0: 2, 1: 2}, -9), False, "cover")


@BOTH
def test_optimum_is_rounded_and_proven(make):
    answer = make(BOX, [COVER]).minimise(Wish(Linear({0: 1, 1: 3}), 10.0))
    assert answer.is_optimal
    assert answer.point == (8, -3)


@BOTH
def test_rows_added_on_the_way_hold_from_then_on(make):
    session = make(BOX, [COVER])
    session.require_at_most(Linear({0: 1}, 1), 5)
    answer = session.minimise(Wish(Linear({1: 1}), 10.0, (10, 10)))
    assert answer.point == (4, 1)
    answer = session.minimise(Wish(Linear({0: 1}), 10.0, answer.point))
    assert answer.point[0] == 0


@BOTH
def test_impossible_rows_are_known_to_be_impossible(make):
    rows = [COVER, Row(Linear({0: 1, 1: 1}, -4), True, "sum")]
    answer = make(BOX, rows).minimise(Wish(Linear({0: 1}), 10.0))
    assert answer.point is None
    assert answer.is_infeasible


def test_cbc_never_waits_for_itself() -> None:
    """Told to use one thread it did so once in a hundred times, until time was up."""
    for _ in range(200):
        answer = CbcSession(BOX, [COVER]).minimise(Wish(Linear({0: 1, 1: 3}), 10.0))
        assert answer.is_optimal


def test_repeated_rows_are_left_out_once():
    again = Row(Linear({1: 2, 0: 2, 5: 0}, -9), False, "another name")
    other = Row(Linear({0: 2, 1: 2}, -9), True, "cover")
    assert distinct_rows([COVER, again, other]) == [COVER, other]


def test_cbc_stands_in_where_highs_is_missing(monkeypatch):
    assert isinstance(open_session(BOX, [COVER]), HighsSession)
    monkeypatch.setattr("polysched.ilp.session.highspy", None)
    assert isinstance(open_session(BOX, [COVER]), CbcSession)


def test_a_solver_writes_nothing_to_standard_output():
    code = (
        "from polysched.ilp.session import HighsSession, highspy\n"
        "assert highspy is not None\n"
        "HighsSession([(0, 1)], []); HighsSession([(0, 1)], [])\n"
        "print('{}')\n"
    )
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout == "{}\n"
