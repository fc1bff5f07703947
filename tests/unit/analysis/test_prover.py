"""What the prover says of a schedule is what a check of the whole says."""

from __future__ import annotations

import pytest

from polysched.analysis import Prover, compute_dependences, find_violation, prover
from polysched.ir import ScheduleTree, original_tree
from tests.unit import scops
from tests.unit.transform import trees


def count_checks(monkeypatch: pytest.MonkeyPatch) -> list[ScheduleTree]:
    checked: list[ScheduleTree] = []

    def check(tree: ScheduleTree, *given: object) -> object:
        checked.append(tree)
        return find_violation(tree, *given)  # type: ignore[arg-type]

    monkeypatch.setattr(prover, "find_violation", check)
    return checked


def test_parts_are_proven_once(monkeypatch: pytest.MonkeyPatch) -> None:
    scop = scops.gemm()
    tree = trees.in_sequence(scop, "S0", "S1")
    checked = count_checks(monkeypatch)
    proving = Prover(compute_dependences(scop), scop)
    assert proving.find_violation(tree) is None
    assert [len(t.parts()) for t in checked] == [1, 1]
    assert proving.find_violation(ScheduleTree.parse(tree.text)) is None
    assert len(checked) == 2


def test_parts_in_the_wrong_order_are_found() -> None:
    scop = scops.gemm()
    dependences = compute_dependences(scop)
    found = Prover(dependences, scop).find_violation(
        trees.in_sequence(scop, "S1", "S0")
    )
    assert found is not None
    assert found.dependence.source == "S0"
    assert "S1[" in found.sink


def test_an_illegal_part_is_found() -> None:
    scop = scops.gemm()
    dependences = compute_dependences(scop)
    first, second = trees.in_sequence(scop, "S0", "S1").parts()
    k_loop = second.bands()[1][1]
    reverse = k_loop.band_get_partial_schedule().neg()
    backwards = k_loop.delete().insert_partial_schedule(reverse)
    bad = ScheduleTree(first.schedule.sequence(backwards.get_schedule()))
    here = find_violation(bad, dependences, scop)
    there = Prover(dependences, scop).find_violation(bad)
    assert here is not None
    assert there is not None
    assert str(there) == str(here)


def test_what_is_left_out_is_found() -> None:
    scop = scops.gemm()
    dependences = compute_dependences(scop)
    (part,) = trees.in_sequence(scop, "S0", "S1").parts()[1:]
    assert Prover(dependences, scop).find_violation(part) is not None
    assert Prover(dependences, scop).find_violation(original_tree(scop)) is None
