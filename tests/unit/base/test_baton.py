"""Threads take turns, and lend theirs while they wait."""

from __future__ import annotations

import threading

import pytest

from polysched.base import Baton, LimitError, lend_baton


def test_only_the_holder_works_until_it_lends():
    baton, seen = Baton(), []
    lent = threading.Event()

    def other():
        with baton.held():
            seen.append("other")
            lent.set()

    with baton.held():
        thread = threading.Thread(target=other)
        thread.start()
        assert not lent.wait(0.05)
        seen.append("first")
        with lend_baton():
            assert lent.wait(10)
        seen.append("again")
    thread.join()
    assert seen == ["first", "other", "again"]


def test_lending_without_a_baton_does_nothing():
    with lend_baton():
        pass


def test_an_error_inside_gives_the_turn_back():
    baton = Baton()
    try:
        with baton.held(), lend_baton():
            raise ValueError
    except ValueError:
        pass
    with baton.held():
        pass


def test_nobody_gets_a_retired_baton():
    baton = Baton()
    baton.retire()
    with pytest.raises(LimitError, match="not waited for"), baton.held():
        raise AssertionError("got the turn")


def test_who_lent_a_baton_that_is_retired_meanwhile_is_told():
    baton = Baton()
    with pytest.raises(LimitError, match="not waited for"), baton.held(), lend_baton():
        baton.retire()
