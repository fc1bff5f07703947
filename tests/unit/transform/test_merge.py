"""Bands that run one inside the other become one, without changing the order."""

from __future__ import annotations

from polysched.analysis import compute_dependences, find_violation, set_band_flags
from polysched.ir import original_tree
from polysched.transform import Merge
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
