"""Where groups are cut, and in which order components and parts come."""

from __future__ import annotations

from itertools import pairwise

import islpy as isl

from polysched.schedule.rowwise.edges import Edge
from polysched.schedule.rowwise.fusion import cut_by_depth, cut_late, cut_smart
from polysched.schedule.rowwise.graph import (
    in_source_order,
    strong_components,
    weak_components,
)


def edges(*pairs: str) -> list[Edge]:
    """Edges "a>b" without geometry."""
    empty = isl.BasicMap("{ A[] -> B[] }")
    ends = [p.split(">") for p in pairs]
    return [Edge(a, b, True, empty, (), ()) for a, b in ends]


def singles(names: str) -> tuple[tuple[str, ...], ...]:
    return tuple((n,) for n in names)


def test_cycles_are_one_component_and_sources_come_first() -> None:
    pairs = [("d", "b"), ("b", "c"), ("c", "b"), ("c", "a")]
    found = strong_components(["a", "b", "c", "d"], pairs)
    assert found == (("d",), ("b", "c"), ("a",))


def test_many_components_do_not_exhaust_the_stack() -> None:
    names = [f"s{k}" for k in range(5000)]
    pairs = list(pairwise(names))
    assert strong_components(names, pairs) == tuple((n,) for n in names)


def test_unconnected_parts_are_in_source_order() -> None:
    assert weak_components(["a", "b", "c", "d"], [("d", "a")]) == (
        ("a", "d"), ("b",), ("c",),
    )  # fmt: skip


def test_parts_are_ordered_by_pairs_then_by_source() -> None:
    parts = [("c",), ("d",), ("a", "e"), ("b",)]
    found = in_source_order(parts, [("d", "a")], ["a", "b", "c", "d", "e"])
    assert found == (("b",), ("c",), ("d",), ("a", "e"))


def test_cut_by_depth_separates_neighbours_of_different_depth() -> None:
    depth = {"a": 2, "b": 2, "c": 3, "d": 2}
    found = cut_by_depth(singles("abcd"), edges("a>c", "c>d"), depth)
    assert found == (("a", "b"), ("c",), ("d",))


def test_cut_by_depth_leaves_what_no_dependence_crosses() -> None:
    depth = {"a": 2, "b": 3}
    assert cut_by_depth(singles("ab"), edges(), depth) == (("a", "b"),)


def test_smart_cuts_in_the_middle_when_neighbours_there_depend() -> None:
    depth = dict.fromkeys("abcd", 2)
    pairs = edges("a>b", "b>c", "c>d")
    assert cut_smart(singles("abcd"), pairs, depth) == (("a", "b"), ("c", "d"))


def test_smart_cuts_far_pairs_when_the_middle_is_free() -> None:
    depth = dict.fromkeys("abcd", 2)
    found = cut_smart(singles("abcd"), edges("a>c", "a>b"), depth)
    assert found == (("a",), ("b",), ("c", "d"))


def test_smart_does_not_cut_what_nothing_connects() -> None:
    depth = dict.fromkeys("abc", 2)
    assert cut_smart(singles("abc"), edges(), depth) == (("a", "b", "c"),)


def test_late_cut_keeps_the_longest_beginning_that_has_a_row() -> None:
    asked = []

    def has_row(members: tuple[str, ...]) -> bool:
        asked.append(members)
        return len(members) <= 5

    found = cut_late(singles("abcdefghij"), has_row)
    assert found == (tuple("abcde"), tuple("fghij"))
    assert len(asked) <= 4
