"""Parts of a loop as lanes: what the step does, and which loops it is chosen for."""

from __future__ import annotations

import pytest

from polysched.analysis import compute_dependences, find_violation, set_band_flags
from polysched.base import IllegalScheduleError, PolyschedError
from polysched.cost import rank
from polysched.ir import Scop, original_tree
from polysched.machine import Machine
from polysched.testing import ScopBuilder
from polysched.transform import Draft, Lift, PlanShape, apply_script, parse_script
from polysched.transform import plan_script as plan
from tests.unit.transform.test_plan import CPU

LIFTED = PlanShape(threads=False, lift=True)
AVERAGE = "B[i] = 0.25 * (A[i - 1] + A[i] + A[i + 1])"


def steps(
    n: int, first: str = AVERAGE, n_steps: int | str = 100, kind: str = "double"
) -> Scop:
    """Two arrays of n elements, one computed from the other by turns."""
    b = ScopBuilder("steps", [n_steps] if isinstance(n_steps, str) else [])
    b.array("A", f"{kind}[{n}]")
    b.array("B", f"{kind}[{n}]")
    box = f"0 <= t < {n_steps} and 1 <= i < {n - 1}"
    b.statement("t, i", box, first, position=(0, 0, 0))
    b.statement("t, i", box, "A[i] = B[i]", position=(0, 1, 0))
    return b.build()


def planned(scop: Scop) -> Draft:
    deps = compute_dependences(scop)
    tree = set_band_flags(original_tree(scop), deps)
    draft = plan(tree, scop, deps, CPU, LIFTED)
    assert find_violation(draft.tree, deps, scop) is None
    return draft


def test_text_and_value_are_the_same() -> None:
    script = parse_script("lift(band=0, size=250)")
    assert script == (Lift((0,), 250),)
    assert str(script[0]) == "lift(band=0, size=250)"


def test_rows_run_around_parts() -> None:
    scop = steps(2000)
    deps = compute_dependences(scop)
    tree = set_band_flags(original_tree(scop), deps)
    done = apply_script(tree, parse_script("lift(band=0, size=250)"), deps)
    assert "lift:250" in done.text
    assert "(i) mod 250" in done.text
    assert "floor((i)/250)" in done.text


def test_iterations_that_wait_for_each_other_stay_in_order() -> None:
    scop = steps(2000, "B[i] = B[i - 1] + A[i]")
    deps = compute_dependences(scop)
    tree = set_band_flags(original_tree(scop), deps)
    with pytest.raises(IllegalScheduleError, match=r"S0\["):
        apply_script(tree, parse_script("lift(band=0, size=250)"), deps)


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("lift(band=0, size=1)", "found parts of 1"),
        ("lift(band=0.0.0.0, size=8)", "found no loops below the band"),
        ("vector(band=0.0.0.0); lift(band=0, size=8)", "found a mark below"),
        ("lift(band=0, size=8); lift(band=0.0, size=8)", "several members"),
    ],
)
def test_misfits_are_named(script: str, reason: str) -> None:
    scop = steps(2000)
    tree = original_tree(scop)
    with pytest.raises(PolyschedError, match=reason):
        apply_script(tree, parse_script(script))


def test_a_stencil_whose_arrays_stay_in_the_first_cache_is_lifted() -> None:
    n_lanes = CPU.simd_bits // 64
    found = planned(steps(1000, n_steps="n")).steps
    assert [s.name for s in found] == ["lift", *["split", "registers"] * 2]
    assert found[0] == Lift((0,), -(-1000 // n_lanes))


def test_two_loops_run_row_by_row_but_for_the_last_step() -> None:
    names = [s.name for s in planned(steps(1000)).steps]
    held = names.count("registers") - 2
    chained = ["split", "chain", "split", *["registers"] * held, "roll"]
    assert names == ["lift", *chained, *["split", "registers"] * 2]


@pytest.mark.parametrize(
    "scop",
    [
        steps(100_000),  # does not fit
        steps(1000, n_steps=4),  # the copies cost more than they save
        steps(1000, "B[i] = A[i]"),  # every vector may begin at its length
        steps(1000, "B[i] = A[2 * i - 1]"),  # rows of other parts
        steps(1000, "B[i] = sqrt(A[i - 1])"),  # has no vectors
        steps(40),  # most rows are where parts meet
        steps(1000, kind="int"),
        steps(1000, kind="float"),  # the constant is a double
    ],
)
def test_other_loops_stay_as_they_are(scop: Scop) -> None:
    assert not planned(scop).steps


@pytest.mark.parametrize(("n_steps", "pays"), [(40, False), (500, True)])
def test_the_model_counts_what_the_copies_cost(n_steps: int, pays: bool) -> None:
    scop = steps(1000, n_steps=n_steps)
    deps = compute_dependences(scop)
    tree = set_band_flags(original_tree(scop), deps)
    plain = plan(tree, scop, deps, CPU, PlanShape(threads=False)).tree
    trees = [plain, planned(scop).tree]
    assert rank(trees, scop, deps, Machine(CPU))[0] == int(pays)
