"""Two passes over the same data become one, the first for the next iteration."""

from __future__ import annotations

import pytest

from polysched.analysis import compute_dependences, find_violation, set_band_flags
from polysched.ir import ScheduleTree, Scop
from polysched.testing import ScopBuilder
from polysched.transform import Shift

TREE = """{ domain: "%s", child: {
  schedule: "[{ S0[k, i] -> [k]; S1[k, i] -> [k] }]", child: { sequence: [
    { filter: "{ S0[k, i] }", child: { schedule: "[{ S0[k, i] -> [i] }]" } },
    { filter: "{ S1[k, i] }", child: { schedule: "[{ S1[k, i] -> [i] }]" } }]
  } } }"""


def passes(total: str, update: str) -> Scop:
    """In every step a sum over a vector, and then a change of it by the sum."""
    b = ScopBuilder("passes")
    for name in ("x[100]", "sum[20]", "q[20][100]"):
        b.array(name.split("[")[0], f"double[{name.split('[', 1)[1]}")
    domain = "0 <= k < 20 and 0 <= i < 99"
    b.statement("k, i", domain, total, position=(0, 0, 0))
    b.statement("k, i", domain, update, position=(0, 1, 0))
    return b.build()


def tree_of(scop: Scop) -> ScheduleTree:
    text = " ".join((TREE % scop.domain).split())
    return set_band_flags(ScheduleTree.parse(text), compute_dependences(scop))


def test_the_sum_of_the_next_step_follows_the_update_row_by_row() -> None:
    scop = passes("sum[k] += q[k][i] * x[i]", "x[i] = x[i] - q[k][i] * sum[k]")
    deps, tree = compute_dependences(scop), tree_of(scop)
    step = Shift((0,))
    assert step.check(tree, deps) is None
    after = step.apply(tree)
    assert find_violation(after, deps, scop) is None
    text = after.text.replace(" ", "")
    assert "S0[k,i]->[(-1+k)]" in text
    assert text.index('filter:"{S1[k,i]') < text.index('filter:"{S0[k,i]')
    assert Shift.parse(str(step)) == step


@pytest.mark.parametrize(
    ("total", "update"),
    [
        # reads a row that is changed later
        ("sum[k] += q[k][i] * x[i + 1]", "x[i] = x[i] - q[k][i] * sum[k]"),
        # the next sum needs all that the update makes of the one before
        ("sum[k] += q[k][i] * x[i]", "q[k + 1][0] = x[i] - sum[k]"),
    ],
)
def test_what_waits_for_a_whole_pass_is_refused(total: str, update: str) -> None:
    scop = passes(total, update)
    assert Shift((0,)).check(tree_of(scop), compute_dependences(scop))


def test_the_form_is_asked_for_in_words() -> None:
    scop = passes("sum[k] += q[k][i] * x[i]", "x[i] = x[i] - q[k][i] * sum[k]")
    tree = tree_of(scop)
    told = Shift((0, 0, 0, 0)).find_misfit(tree)
    assert told is not None
    assert "expected a sequence of two nests" in told
    assert Shift((0,)).find_misfit(Shift((0,)).apply(tree)) is not None
