"""Register tiles leave something over where loops end, more where ends move."""

from __future__ import annotations

from dataclasses import replace

import pytest

from polysched.analysis import compute_dependences, set_band_flags
from polysched.cost.left_over import behind_vectors, left_over
from polysched.cost.read import read_nests
from polysched.ir import original_tree
from polysched.testing import ScopBuilder
from polysched.transform import Jam, Merge, apply_script


@pytest.mark.parametrize(
    ("bounds", "expected"),
    [
        ("0 <= i < 96", 0.0),
        ("0 <= i < 100", 0.04),
        ("k <= i < k + 35", 0.2),
    ],
)
def test_a_band_leaves_more_over_than_a_box(bounds: str, expected: float) -> None:
    b = ScopBuilder("rows")
    b.array("C", "double[300][60]")
    b.array("B", "double[200][60]")
    box = f"0 <= k < 200 and {bounds} and 0 <= j < 60"
    b.statement("k, i, j", box, "C[i][j] += B[k][j]", position=(0, 0, 0, 0))
    scop = b.build()
    deps = compute_dependences(scop)
    tree = set_band_flags(original_tree(scop), deps)
    (nest,) = read_nests(tree, scop, deps)
    assert left_over(nest) == 0.0
    path = nest.members[1].path
    steps = (Merge(path), Jam(path, (8, 1)))
    (nest,) = read_nests(apply_script(tree, steps, deps), scop, deps)
    assert left_over(nest) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("type_", "n", "expected"),
    [
        ("signed char", 64, 0.0),
        ("signed char", 56, 8 / 56),  # 32 at a time, 16 once, 8 alone
        ("signed char", 31, 15 / 31),
        ("short", 56, 0.0),
        ("short", 31, 7 / 31),
        ("float", 31, 0.0),  # few are left of what vectors have few of
    ],
)
def test_rows_of_short_integers_end_one_by_one(
    type_: str, n: int, expected: float
) -> None:
    b = ScopBuilder("rows", [])
    b.array("a", f"{type_}[300][{n}]")
    b.array("c", f"int[300][{n}]")
    box = f"0 <= i < 300 and 0 <= j < {n}"
    b.statement("i, j", box, "c[i][j] = a[i][j] * 3", position=(0, 0, 0))
    scop = b.build()
    (nest,) = read_nests(original_tree(scop), scop)
    assert behind_vectors(nest, 256) == pytest.approx(expected)


def test_what_touches_no_memory_leaves_nothing_over() -> None:
    b = ScopBuilder("nothing", ["n"])
    b.array("x", "int[]")
    b.statement("i", "0 <= i < n", "x[i] = 0", position=(0, 0))
    scop = b.build()
    bare = replace(scop.statements[0], accesses=())
    scop = replace(scop, statements=(bare,))
    deps = compute_dependences(scop)
    (nest,) = read_nests(set_band_flags(original_tree(scop), deps), scop, deps)
    assert behind_vectors(nest, 256) == 0.0
