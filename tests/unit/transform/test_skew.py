"""Skewing keeps a permutable band permutable and frees the copies of a recurrence."""

from __future__ import annotations

from polysched.analysis import find_violation, loop_is_parallel
from polysched.transform import Order, Skew, apply_script, parse_script
from tests.unit import scops
from tests.unit.transform import trees


def test_skewed_recurrence_is_legal_and_still_permutable() -> None:
    tree, deps = trees.seidel()
    step = Skew((0,), 2, (0, 1, 0))
    assert step.check(tree, deps) is None
    skewed = step.apply(tree)
    assert find_violation(skewed, deps, scops.gauss_seidel()) is None
    assert Order((0,), (2, 0, 1)).check(skewed, deps) is None


def test_copies_along_the_added_member_are_independent() -> None:
    tree, deps = trees.seidel()
    script = parse_script("skew(band=0, member=2, weights=[0, 1, 0])")
    skewed = apply_script(tree, script, deps)
    turned = Order((0,), (0, 2, 1)).apply(skewed)
    assert loop_is_parallel(turned.node((0,)), 2, deps.validity)


def test_skew_of_a_band_that_is_not_permutable_needs_the_exact_verdict() -> None:
    scop = scops.jacobi_2d()
    band = trees.JACOBI_BAND.replace("2t + ", "")
    tree, deps = trees.one_band(scop, band, "S0", "S1")
    reason = Skew((0,), 0, (0, 1, 0)).check(tree, deps)
    assert reason is not None
    assert "violated" in reason
