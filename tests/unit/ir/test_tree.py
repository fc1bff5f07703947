"""Trees from rows: the order they give is the order of the rows."""

from __future__ import annotations

import islpy as isl
import pytest

from polysched.base import PolyschedError
from polysched.ir import LinearRow, Rows, ScheduleTree, build_tree, original_tree
from tests.unit import scops
from tests.unit.transform import trees


def test_original_tree_orders_like_the_source() -> None:
    expected = isl.UnionMap(
        "[n] -> { S0[i, j] -> [0, i, 0, j, 0]; S1[i, k, j] -> [0, i, 1, k, j] }"
    )
    program = scops.gemm()
    expected = expected.intersect_domain(program.domain)
    found = original_tree(program).map
    assert found.lex_lt_union_map(found).is_equal(expected.lex_lt_union_map(expected))


def test_text_round_trip_keeps_the_key() -> None:
    tree = original_tree(scops.jacobi_2d())
    again = ScheduleTree.parse(tree.text)
    assert again.key == tree.key
    assert len(tree.key) == 10


def test_restored_tree_keeps_text_and_key_where_isl_would_print_less() -> None:
    text = (
        '{ domain: "{ S0[i, j, k] : 0 <= i <= 9 and 0 <= j < i and 0 <= k < j }", '
        'child: { schedule: "[{ S0[i, j, k] -> [(i)] }]" } }'
    )
    assert ScheduleTree.parse(text).text != text
    restored = ScheduleTree.restore(text)
    assert restored.text == text
    assert restored.key != ScheduleTree.parse(text).key
    assert restored.map.is_equal(ScheduleTree.parse(text).map)


def test_unreadable_tree_is_quoted() -> None:
    with pytest.raises(PolyschedError, match="not a schedule tree: nonsense"):
        ScheduleTree.parse("nonsense")


def test_rows_join_bands_only_where_asked() -> None:
    program = scops.gemm()
    rows = {
        "S0": Rows(
            ("i", "j"),
            (0, 0, 0, 0),
            (LinearRow((1, 0)), LinearRow((0, 1)), LinearRow((0, 0))),
        ),
        "S1": Rows(
            ("i", "k", "j"),
            (1, 0, 0, 0),
            (LinearRow((1, 0, 0)), LinearRow((0, 1, 0)), LinearRow((0, 0, 1))),
        ),
    }
    apart = build_tree(program.domain, rows)
    assert [n.band_n_member() for _, n in apart.bands()] == [1, 1, 1, 1, 1]
    joined = build_tree(program.domain, rows, lambda members, first, level: level < 2)
    assert [n.band_n_member() for _, n in joined.bands()] == [2, 2, 1]
    assert joined.map.is_equal(apart.map) or joined.map.lex_lt_union_map(
        joined.map
    ).is_equal(apart.map.lex_lt_union_map(apart.map))


def test_shifted_zero_rows_still_order() -> None:
    # S0 has a constant row where S1 has a loop: it must not be dropped
    program = scops.gemm()
    rows = {
        "S0": Rows(
            ("i", "j"),
            (0, 0, 0, 0),
            (LinearRow((1, 0)), LinearRow((0, 1)), LinearRow((0, 0))),
        ),
        "S1": Rows(
            ("i", "k", "j"),
            (0, 0, 0, 1),
            (LinearRow((1, 0, 0)), LinearRow((0, 0, 1)), LinearRow((0, 1, 0))),
        ),
    }
    tree = build_tree(program.domain, rows)
    expected = isl.UnionMap(
        "[n] -> { S0[i, j] -> [i, j, 0, 0]; S1[i, k, j] -> [i, j, k, 1] }"
    )
    expected = expected.intersect_domain(program.domain)
    assert tree.map.lex_lt_union_map(tree.map).is_equal(
        expected.lex_lt_union_map(expected)
    )


def test_empty_scop_has_an_empty_tree() -> None:
    assert build_tree(isl.UnionSet("{ }"), {}).bands() == []


def test_parts_are_what_runs_one_after_the_other() -> None:
    gemm = scops.gemm()
    first, second = trees.in_sequence(gemm, "S0", "S1").parts()
    for part, name in ((first, "S0"), (second, "S1")):
        expected = isl.UnionSet.from_set(gemm.statement(name).domain)
        assert part.schedule.get_domain().is_equal(expected)
    band = original_tree(gemm)
    assert band.parts() == (band,)


@pytest.mark.parametrize("domain", ["{ }", "{ S0[i] : 0 <= i < 9 }"])
def test_a_part_without_instances_is_not_set_apart(domain: str) -> None:
    child = '{{ filter: "{{ {0} }}", child: {{ schedule: "[{{ {0} -> [(i)] }}]" }} }}'
    both = ", ".join(child.format(s) for s in ("S0[i]", "S1[i]"))
    text = f'{{ domain: "{domain}", child: {{ sequence: [ {both} ] }} }}'
    tree = ScheduleTree.parse(text)
    assert tree.parts() == (tree,)
