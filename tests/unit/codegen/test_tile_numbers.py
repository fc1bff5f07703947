"""Tiles by number: the same order, other iterators, and less to build."""

from __future__ import annotations

from dataclasses import replace

import islpy as isl
import pytest

from polysched.base import CodegenError
from polysched.codegen import PrintOptions, measure_code, print_openmp
from polysched.codegen.tile_numbers import number_tiles
from polysched.ir import ScheduleTree
from polysched.transform import apply_script, parse_script
from tests.unit import scops
from tests.unit.transform import trees

TILE = "tile(band=0, sizes=[32, 32, 32])"
SCRIPTS = [
    TILE,
    f"{TILE}; separate(band=0.0.0, member=1)",
    "tile(band=0, sizes=[4, 3, 5])",
]
BEGINS_EXPLODE = PrintOptions(max_operations=50_000)  # 79205 and 38827 are needed


def tiled(script: str) -> ScheduleTree:
    tree, _ = trees.gemm()
    return apply_script(tree, parse_script(script))


def pairs_in_order(tree: ScheduleTree) -> isl.UnionMap:
    """Pairs of instances, the first of which runs before the second, for n = 7."""
    order = tree.map.intersect_params(isl.Set("[n] -> { : n = 7 }"))
    return order.lex_lt_union_map(order)


@pytest.mark.parametrize("script", SCRIPTS)
def test_instances_keep_their_order(script: str) -> None:
    tree = tiled(script)
    numbered = number_tiles(tree)
    assert numbered.text != tree.text
    assert pairs_in_order(numbered).is_equal(pairs_in_order(tree))


def test_what_is_isolated_by_begins_is_isolated_by_numbers() -> None:
    tree = tiled(TILE)
    path, node = tree.bands()[1]
    isolated = isl.UnionSet(
        "[n] -> { isolate[[a, b, c] -> [i, k, j]] : a <= n - 32 and i >= 8 }"
    )
    tree = ScheduleTree(node.band_set_ast_build_options(isolated).get_schedule())
    found = number_tiles(tree).node(path).band_get_ast_build_options()
    expected = isl.UnionSet(
        "[n] -> { isolate[[a, b, c] -> [i, k, j]] : 32a <= n - 32 and i >= 8 }"
    )
    assert found.is_equal(expected)


def test_loops_count_tiles_on_request() -> None:
    scop, tree = scops.gemm(), tiled(TILE)
    assert "t1 += 32" in print_openmp(scop, tree)
    text = print_openmp(scop, tree, PrintOptions(tile_loops="numbers"))
    assert "t1 += 32" not in text
    assert "32 * t1" in text


def test_where_begins_explode_numbers_are_printed() -> None:
    scop, tree = scops.gemm(), tiled(TILE)
    numbered = PrintOptions(tile_loops="numbers")
    assert print_openmp(scop, tree, BEGINS_EXPLODE) == print_openmp(
        scop, tree, numbered
    )
    size = measure_code(scop, tree, BEGINS_EXPLODE)
    assert size == measure_code(scop, tree, numbered)


def test_where_both_explode_the_first_reason_is_told() -> None:
    scop, tree = scops.gemm(), tiled(TILE)
    with pytest.raises(CodegenError, match="more than 1000 isl operations"):
        print_openmp(scop, tree, PrintOptions(max_operations=1000))


def test_one_form_alone_is_not_helped_by_the_other() -> None:
    begins = replace(BEGINS_EXPLODE, tile_loops="begins")
    with pytest.raises(CodegenError, match="more than 50000 isl operations"):
        print_openmp(scops.gemm(), tiled(TILE), begins)


def test_members_that_enumerate_no_tiles_stay() -> None:
    tree, _ = trees.jacobi()
    assert number_tiles(tree).text == tree.text
