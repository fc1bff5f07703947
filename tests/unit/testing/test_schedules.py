"""The simple schedules are distinct, legal and leave results alone."""

import numpy as np
import pytest

from polysched.analysis import find_violation
from polysched.interp import interpret, random_inputs
from polysched.ir import MARK_PARALLEL, MARK_VECTOR
from polysched.testing import ScopBuilder
from polysched.testing.schedules import share_loops, simple_schedules, tile_bands


def gemm():
    b = ScopBuilder("gemm", ["n"])
    for name in "ABC":
        b.array(name, "double[n][n]")
    b.statement("i, j", "0 <= i, j < n", "C[i][j] *= 0.5", position=(0, 0, 0))
    b.statement(
        "i, j, k", "0 <= i, j, k < n", "C[i][j] += A[i][k] * B[k][j]",
        position=(0, 0, 1, 0),
    )  # fmt: skip
    return b.build()


def seidel():
    b = ScopBuilder("seidel", ["n"])
    b.array("A", "double[n][n]")
    text = "A[i][j] = (A[i-1][j] + A[i][j-1] + A[i][j] + A[i+1][j] + A[i][j+1]) / 5.0"
    box = "0 <= t < 3 and 1 <= i, j < n - 1"
    b.statement("t, i, j", box, text, position=(0, 0, 0, 0))
    return b.build()


def triangle():
    b = ScopBuilder("triangle", ["n"])
    b.array("x", "double[n]")
    b.array("L", "double[n][n]")
    b.array("w", "double", storage="local", live_out=False)
    b.statement("i", "0 <= i < n", "w = x[i]", position=(0, 0))
    b.statement("i, j", "0 <= j < i < n", "w -= L[i][j] * x[j]", position=(0, 1, 0))
    b.statement("i", "0 <= i < n", "x[i] = w / L[i][i]", position=(0, 2))
    return b.build()


@pytest.mark.parametrize("make", [gemm, seidel, triangle])
@pytest.mark.parametrize("n", [1, 6])
def test_all_schedules_agree(make, n):
    candidates = simple_schedules(make())
    scop, deps = candidates.scop, candidates.dependences
    trees = [c.tree for c in candidates.listed]
    assert len(trees) >= 3
    assert len({t.text for t in trees}) == len(trees)
    inputs = random_inputs(scop, {"n": n}, 4)
    expected = interpret(scop, None, {"n": n}, inputs)
    for tree in trees:
        assert find_violation(tree, deps) is None
        for seed in (None, 1, 2):
            found = interpret(scop, tree, {"n": n}, inputs, shuffle_seed=seed)
            for name, values in found.items():
                np.testing.assert_array_equal(values, expected[name], err_msg=name)


def test_loops_are_tiled_and_shared():
    b = ScopBuilder("scale", ["n"])
    b.array("A", "double[n][n]")
    b.statement("i, j", "0 <= i, j < n", "A[i][j] *= 0.5", position=(0, 0, 0))
    candidates = simple_schedules(b.build())
    tree, deps = candidates.listed[0].tree, candidates.dependences
    shared = share_loops(tile_bands(tree, deps), deps)
    assert shared.text.count(f'"{MARK_PARALLEL}"') == 1
    assert shared.text.count(f'"{MARK_VECTOR}"') == 1
    assert shared.text.count('"tile"') == 2
