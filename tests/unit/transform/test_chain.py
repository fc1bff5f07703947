"""Two loops row by row, and rows that stay in registers: form, order, what is lost."""

from __future__ import annotations

import pytest

from polysched.analysis import compute_dependences, find_violation, set_band_flags
from polysched.base import IllegalScheduleError, PolyschedError
from polysched.ir import ScheduleTree, Scop, original_tree
from polysched.testing import ScopBuilder
from polysched.transform import Chain, Draft, Roll, apply_script, parse_script

LIFT = "lift(band=0, size=10); split(band=0.0, member=0, cuts=[9]); "
CHAIN = LIFT + "chain(band=0.0.0.0.0, delay=1); "
MIDDLE = CHAIN + "split(band=0.0.0.0.0.1.0, member=0, cuts=[1, 2, 9]); "
ROWS = "0.0.0.0.0.1.0.2.0"


def steps(second: str = "A[i] = B[i - 1] + B[i] + B[i + 1]", box: str = "") -> Scop:
    b = ScopBuilder("steps")
    b.array("A", "double[80]")
    b.array("B", "double[80]")
    box = box or "0 <= t < 10 and 1 <= i < 79"
    b.statement("t, i", box, "B[i] = A[i - 1] + A[i + 1]", position=(0, 0, 0))
    b.statement("t, i", box, second, position=(0, 1, 0))
    return b.build()


def done(scop: Scop, script: str) -> ScheduleTree:
    deps = compute_dependences(scop)
    tree = set_band_flags(original_tree(scop), deps)
    return apply_script(tree, parse_script(script), deps)


def test_text_and_value_are_the_same() -> None:
    for text, step in (
        ("chain(band=0.1, delay=2)", Chain((0, 1), 2)),
        ("roll(band=0.1)", Roll((0, 1))),
        ("roll(band=0.1, arrays=[B, C], fused=1)", Roll((0, 1), ("B", "C"), 1)),
    ):
        assert parse_script(text) == (step,)
        assert str(step) == text


def test_the_second_loop_is_behind_the_first() -> None:
    scop = steps()
    tree = done(scop, CHAIN)
    assert find_violation(tree, compute_dependences(scop)) is None
    assert "S1[t, i] -> [(1 + (i) mod 10)]" in tree.text
    rows = Draft(tree, compute_dependences(scop)).node((0, 0, 0, 0, 0))
    assert rows.n_children() == 3  # the last row of one, both, the last of the other


def test_a_loop_that_reads_further_on_is_not_far_enough_behind() -> None:
    with pytest.raises(IllegalScheduleError, match=r"S0\[.*must run before S1"):
        done(steps("A[i] = B[i - 1] + B[i + 2]"), CHAIN)


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("chain(band=0, delay=1)", "found a band node, expected a sequence"),
        ("chain(band=0.0, delay=0)", "found a delay of 0"),
        ("chain(band=0.0, delay=1)", "found no band of two members at position 0"),
        (
            LIFT + "split(band=0.0.0.0.0.0.0, member=0, cuts=[5]); "
            "chain(band=0.0.0.0.0, delay=1)",
            "found no band of two members at position 0",
        ),
        ("lift(band=0, size=10); roll(band=0.0.0.0.0)", "found 2 members"),
    ],
)
def test_misfits_are_named(script: str, reason: str) -> None:
    with pytest.raises(PolyschedError, match=reason):
        apply_script(original_tree(steps()), parse_script(script))


def test_what_the_next_step_writes_again_need_not_be_stored() -> None:
    tree = done(steps(), MIDDLE + f"roll(band={ROWS}, arrays=[B])")
    assert "roll:0:B" in tree.text


def test_what_the_next_step_reads_must_be_stored() -> None:
    with pytest.raises(IllegalScheduleError, match=r"flow dependence on A.*not store"):
        done(steps(), MIDDLE + f"roll(band={ROWS}, arrays=[A])")


def test_what_is_left_behind_the_region_must_be_stored() -> None:
    whole = (
        "lift(band=0, size=10); chain(band=0.0.0, delay=1); "
        "split(band=0.0.0.1.0, member=0, cuts=[1, 2, 9]); "
    )
    with pytest.raises(IllegalScheduleError, match=r"output dependence on B.*store"):
        done(steps(), whole + "roll(band=0.0.0.1.0.2.0, arrays=[B])")
