"""Every noun shows itself: static, escaped, and not before it is asked."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import pytest

from polysched.analysis import compute_dependences
from polysched.ir import Program, original_tree
from polysched.machine import CacheRate
from polysched.show import to_html
from tests.unit import scops
from tests.unit.show.made import program_space, tuned_gemm
from tests.unit.show.pages import check_static
from tests.unit.space.made import MACHINE, gemm_space

EVIL = "<b onclick=alert(1)>\"'&"


def _nouns() -> dict[str, object]:
    scop = scops.gemm()
    space = program_space()
    return {
        "Program": Program("a <b>.c", b"", (scop,)),
        "SCoP gemm": scop,
        "Statement S1": scop.statements[1],
        "Dependences": compute_dependences(scop),
        "Schedule tree": original_tree(scop),
        "Schedule": space.best,
        "Variant": space.variant(),
        "Schedule space of gemm": space,
        "Explanation of schedule": space.variant().explain(),
        "Tuned": tuned_gemm(),
        "Machine": MACHINE,
    }


def test_every_noun_has_a_card_that_needs_nothing_else() -> None:
    for title, noun in _nouns().items():
        page = check_static(noun._repr_html_())  # type: ignore[attr-defined]
        assert title in page.text, title
        assert page.all("style")
        assert page.found[0] == ("div", {"class": "ps"})


def test_what_comes_from_a_program_is_escaped() -> None:
    scop = scops.gemm()
    evil = replace(
        scop,
        name=EVIL,
        statements=tuple(replace(s, text=EVIL) for s in scop.statements),
    )
    for noun in (evil, evil.statements[0], Program(EVIL, b"", (evil,))):
        page = check_static(to_html(noun))
        assert EVIL in page.text
    space = replace(program_space(), scop=evil, policy=EVIL)
    for shown in (space, space.variant(), space.variant().explain()):
        check_static(to_html(shown))


def test_cards_tell_what_matters() -> None:
    told = {title: check_static(to_html(n)).text for title, n in _nouns().items()}
    assert "S1[i, k, j]" in told["Statement S1"]
    assert "same schedule: 2" in told["Schedule space of gemm"]
    assert "5.98 times faster" in told["Tuned"]
    assert "compile: error: <b>no</b>" in told["Tuned"]
    assert "20 Gflop/s per thread" in told["Machine"]
    assert "why it is not parallel" in told["Explanation of schedule"]


def test_large_spaces_are_cut_short_in_a_notebook() -> None:
    space = gemm_space()
    many = replace(space, schedules=space.schedules * 6)
    page = check_static(to_html(many))
    assert "12 more" in page.text


def test_empty_spaces_and_scops_without_dependences() -> None:
    check_static(to_html(program_space().filter("depth > 99")))
    lone = scops.scop("lone", scops.statement("S0", "{ S0[i] : 0 <= i < 9 }", (0, 0)))
    assert "No instance has to wait" in check_static(to_html(lone)).text


def test_other_values_have_no_card() -> None:
    with pytest.raises(TypeError, match="no card for a int"):
        to_html(3)


def test_nothing_is_drawn_before_it_is_asked() -> None:
    code = (
        "import sys, polysched.workflow, polysched.ir;"
        "print([m for m in sys.modules if m.startswith('polysched.show')])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def test_measured_bandwidth_of_caches_is_shown() -> None:
    rate = CacheRate(3, 2e10, 1e10, 4e10, 2e10)
    measured = replace(MACHINE, cpu=replace(MACHINE.cpu, cache_rates=(rate,)))
    assert "cache 3" in check_static(measured._repr_html_()).text
    assert "cache 3" not in check_static(MACHINE._repr_html_()).text
