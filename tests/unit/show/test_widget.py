"""The space browser of a notebook: what is chosen is shown, what is wrong is told."""

from __future__ import annotations

import sys

import pytest

from polysched.base import PolyschedError
from polysched.show import browse
from tests.unit.show.made import program_space
from tests.unit.show.pages import check_static
from tests.unit.space.made import gemm_space


def _browser():
    pytest.importorskip("ipywidgets", reason="the extra notebook is not installed")
    return browse(program_space())


def test_it_starts_with_the_best_of_all_schedules() -> None:
    browser = _browser()
    space = browser.space
    assert browser.selected is space.best
    assert [value for _, value in browser.choice.options] == [s.id for s in space]
    assert "7 of 7 schedules" in check_static(browser.message.value).text
    page = check_static(browser.view.value)
    assert "for" in page.words
    assert "tile" in page.text


def test_condition_and_order_choose() -> None:
    browser = _browser()
    browser.condition.value = "is_tiled"
    tiled = browser.space.filter("is_tiled")
    assert [s.id for s in browser.left] == [s.id for s in tiled]
    browser.order.value = "n_lines"
    lines = [s.facts["n_lines"] for s in browser.left]
    assert lines == sorted(lines)
    assert "n lines" in check_static(browser.overview.value).text


def test_selection_is_kept_while_it_is_left() -> None:
    browser = _browser()
    last = browser.space.filter("is_tiled").schedules[-1]
    browser.choice.value = last.id
    assert last.script_text in check_static(browser.view.value).text
    browser.condition.value = "is_tiled"
    assert browser.selected is last


def test_wrong_conditions_and_empty_selections_are_told() -> None:
    browser = _browser()
    browser.condition.value = "dept < 3"
    page = check_static(browser.message.value)
    assert "no feature named 'dept'" in page.text
    assert len(browser.left) == 7
    browser.condition.value = "depth > 99"
    assert browser.selected is None
    assert "no schedule is left" in check_static(browser.view.value).text
    browser.condition.value = ""
    assert browser.selected is not None


def test_jupyter_gets_the_widget() -> None:
    browser = _browser()
    bundle = browser._repr_mimebundle_()
    assert "application/vnd.jupyter.widget-view+json" in bundle


def test_without_ipywidgets_it_says_what_to_install(monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "ipywidgets", None)
    with pytest.raises(PolyschedError, match="needs ipywidgets") as error:
        browse(gemm_space())
    assert error.value.hint == "pip install 'polysched[notebook]'"
