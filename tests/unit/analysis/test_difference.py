"""Two schedules of one SCoP compared in words."""

from __future__ import annotations

import pytest

from polysched.analysis import compare_trees
from polysched.ir import ScheduleTree, build_tree, original_rows, original_tree
from polysched.transform import apply_script, parse_script
from tests.unit import scops
from tests.unit.transform import trees


def _shaped(script: str) -> tuple[str, ...]:
    """What a script changes about gemm in one band (i, k, j)."""
    tree, deps = trees.gemm()
    changed = apply_script(tree, parse_script(script), deps)
    return compare_trees(changed, tree, scops.gemm(), deps)


@pytest.mark.parametrize(
    ("script", "sentences"),
    [
        (
            "order(band=0, members=[0, 2, 1])",
            {
                "the loops of S1 run in the order (i, j, k) instead of (i, k, j)",
            },
        ),
        (
            "tile(band=0, sizes=[32, 16, 64])",
            {
                "loops of S0 are tiled 32 x 64 around (i, j) in a only",
                "loops of S1 are tiled 32 x 16 x 64 around (i, k, j) in a only",
            },
        ),
        (
            "parallel(band=0, member=0)",
            {"threads share loop i of S0 and S1 in a only"},
        ),
        (
            "tile(band=0, sizes=[32, 16, 64]); parallel(band=0.0, member=0); "
            "jam(band=0.0.0.0, factors=[4, 2, 1]); vector(band=0.0.0.0, member=2)",
            {
                "loops of S0 are tiled 32 x 64 around (i, j) in a only",
                "loops of S1 are tiled 32 x 16 x 64 around (i, k, j) in a only",
                "threads share the tiles of i of S0 and S1 in a only",
                "loop j of S0 and S1 runs in vector lanes in a only",
                "loops of S0 are unrolled, i by 4, in a only",
                "loops of S1 are unrolled, i by 4 and k by 2, in a only",
            },
        ),
        (
            "separate(band=0, member=1)",
            {"loops are cut to run without guards in a only"},
        ),
    ],
)
def test_what_a_script_changes_is_told(script, sentences):
    assert set(_shaped(script)) == sentences


def test_the_same_tree_differs_in_nothing():
    tree, deps = trees.gemm()
    again = ScheduleTree.parse(tree.text)
    assert compare_trees(again, tree, scops.gemm(), deps) == ()


def test_fusion_order_and_skew_are_told():
    scop = scops.jacobi_2d()
    tree, deps = trees.jacobi()
    told = compare_trees(tree, original_tree(scop), scop, deps, ("new", "old"))
    assert set(told) == {
        "the loops of S0 run in the order (t, 2t + i, 2t + j) instead of (t, i, j)",
        "the loops of S1 run in the order (t, 2t + i + 1, 2t + j + 1) instead of "
        "(t, i, j)",
        "S0 and S1 share 3 loops instead of 1",
    }


def test_parallel_loops_of_equal_order_are_compared():
    scop = scops.jacobi_1d()
    tree = original_tree(scop)
    _, deps = trees.one_band(
        scop, "[T, n] -> [{ S0[t, i] -> [(t)]; S1[t, i] -> [(t)] }]"
    )
    joined = trees.one_band(
        scop,
        "[T, n] -> [{ S0[t, i] -> [(t)]; S1[t, i] -> [(t)] }, "
        "{ S0[t, i] -> [(i)]; S1[t, i] -> [(i)] }]",
        "S0",
        "S1",
    )[0]
    told = compare_trees(tree, joined, scop, deps)
    assert "loop i of S0 and S1 is parallel in a only" in told
    assert "S0 and S1 share a loop instead of 2" in told


def test_rows_that_repeat_outer_ones_are_no_loops():
    scop = scops.scop(
        "two",
        scops.statement(
            "S0", "[n] -> { S0[i, j] : 0 <= i, j < n }", (0, 0, 0),
            "r [i, j] -> A[i, j]", "w [i, j] -> B[i, j]",
        ),
        scops.statement(
            "S1", "[n] -> { S1[i] : 0 <= i < n }", (1, 0),
            "r [i] -> C[i]", "w [i] -> D[i]",
        ),
    )  # fmt: skip
    fused, deps = trees.one_band(
        scop,
        "[n] -> [{ S0[i, j] -> [(i)]; S1[i] -> [(i)] }, "
        "{ S0[i, j] -> [(j)]; S1[i] -> [(i)] }]",
    )
    told = compare_trees(fused, original_tree(scop), scop, deps)
    assert told == ("S0 and S1 share a loop in a only",)


def test_statements_in_another_order():
    scop = scops.gemm()
    deps = trees.gemm()[1]
    rows = original_rows(scop)
    parted = {
        name: type(r)(r.iterators, (k, *r.betas[1:]), r.linear)
        for k, (name, r) in enumerate(rows.items())
    }
    swapped = {
        name: type(r)(r.iterators, (1 - r.betas[0], *r.betas[1:]), r.linear)
        for name, r in parted.items()
    }
    a, b = (build_tree(scop.domain, r) for r in (swapped, parted))
    assert compare_trees(a, b, scop, deps) == ("S1 stands before S0 instead of behind",)


def test_waves_and_their_tiles_are_one_level():
    tree, deps = trees.seidel()
    script = parse_script("tile(band=0, sizes=[8, 16, 32]); wavefront(band=0.0)")
    told = compare_trees(
        apply_script(tree, script, deps), tree, scops.gauss_seidel(), deps
    )
    assert told == (
        "loops of S0 are tiled 8 x 16 x 32 around (t, t + i, t + j) in a only",
        "the tiles of S0 run in waves in a only",
    )
