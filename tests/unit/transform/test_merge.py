"""Bands that run one inside the other become one, without changing the order."""

from __future__ import annotations

from polysched.analysis import compute_dependences, find_violation, set_band_flags
from polysched.ir import original_tree
from polysched.transform import Merge, apply_script, parse_script
from tests.unit import scops
from tests.unit.transform import trees


def test_single_loops_become_a_permutable_band() -> None:
    scop = scops.gemm()
    deps = compute_dependences(scop)
    tree = set_band_flags(original_tree(scop), deps)
    inner = (0, 0, 1, 0)  # k, above j
    assert Merge(inner).check(tree, deps) is None
    merged = Merge(inner).apply(tree)
    assert merged.node(inner).band_n_member() == 2
    assert find_violation(merged, deps, scop) is None
    assert merged.map.is_equal(tree.map)


def test_band_above_a_sequence_is_refused() -> None:
    tree, deps = trees.gemm()
    reason = Merge((0,)).check(tree, deps)
    assert reason is not None
    assert "found a sequence node below the band" in reason


def test_band_that_is_not_permutable_is_refused() -> None:
    scop = scops.gauss_seidel()
    deps = compute_dependences(scop)
    tree = set_band_flags(original_tree(scop), deps)
    assert Merge((0,)).check(tree, deps) == "the joined band is not permutable"


TILES_IN_TILES = "tile(band=0, sizes=[16, 0, 0]); tile(band=0.0.0, sizes=[8, 0, 0])"


def test_tiles_inside_tiles_lose_the_inner_mark() -> None:
    tree, deps = trees.gemm()
    twice = apply_script(tree, parse_script(TILES_IN_TILES), deps)
    assert Merge((0, 0)).check(twice, deps) is None
    merged = Merge((0, 0)).apply(twice)
    assert [n.band_n_member() for _, n in merged.bands()] == [2, 3]
    assert merged.map.is_equal(twice.map)


def test_other_marks_between_bands_keep_them_apart() -> None:
    tree, deps = trees.gemm()
    script = parse_script(f"{TILES_IN_TILES}; parallel(band=0.0.0.0)")
    shared = apply_script(tree, script, deps)
    assert "found a mark node" in str(Merge((0, 0)).check(shared, deps))
