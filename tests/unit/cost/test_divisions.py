"""Remainders of integers: long chains, and vectors only of short elements."""

from __future__ import annotations

from polysched.analysis import compute_dependences, division_count, set_band_flags
from polysched.cost import predict_seconds
from polysched.ir import ScheduleTree, Scop, original_tree
from polysched.testing import ScopBuilder
from polysched.transform import Jam, Merge, Vector, apply_script
from tests.unit.cost.test_model import MACHINE


def horner(operation: str, element: str = "unsigned long") -> Scop:
    """One more term of a polynomial, for many points at a time."""
    b = ScopBuilder("horner")
    b.array("v", f"{element}[512]")
    b.array("x", f"{element}[512]")
    b.array("c", f"{element}[4096]")
    box = "0 <= k < 4096 and 0 <= p < 512"
    b.statement("k, p", box, f"v[p] = {operation}", position=(0, 0, 0))
    return b.build()


def seconds(scop: Scop, jam: int) -> float:
    deps = compute_dependences(scop)
    tree: ScheduleTree = set_band_flags(original_tree(scop), deps)
    steps = [Merge((0,)), Jam((0,), (jam, 1))] if jam > 1 else [Merge((0,))]
    tree = apply_script(tree, (*steps, Vector((0,), 1)), deps)
    found = predict_seconds(tree, scop, deps, MACHINE)
    assert found is not None
    return found


REMAINDER, SUM = "(v[p] * x[p] + c[k]) % 97", "v[p] * x[p] + c[k]"


def test_subscripts_and_floating_point_do_not_count() -> None:
    counts = [division_count(a) for s in horner(REMAINDER).statements for a in s.body]
    assert counts == [1]
    for text, element in ((SUM, "long"), ("v[p] / x[p]", "double")):
        (statement,) = horner(text, element).statements
        assert division_count(statement.body[0]) == 0
    for text in ("v[p / 3] + 1", "(v[p] + 1) / 4"):  # a subscript, a shift
        (statement,) = horner(text).statements
        assert division_count(statement.body[0]) == 0


def test_long_remainders_have_no_lanes() -> None:
    long, short = horner(REMAINDER), horner(REMAINDER, "unsigned int")
    assert seconds(long, 1) > 4 * seconds(horner(SUM), 1)
    assert seconds(long, 1) > 4 * seconds(short, 1)


def test_copies_that_wait_for_each_other_do_not_pay() -> None:
    assert seconds(horner(REMAINDER), 8) > 1.5 * seconds(horner(REMAINDER), 1)
    assert seconds(horner(SUM), 8) <= seconds(horner(SUM), 1)
