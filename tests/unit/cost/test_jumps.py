"""Short runs of rows cost memory's time, however their loops are cut; copying hides it.

Eight rows times a large matrix read that matrix once: how it is read decides.
"""

from __future__ import annotations

import pytest

from polysched.cost.jumps import scatter
from polysched.cost.read import read_nests
from polysched.transform import apply_script, parse_script
from tests.unit import scops
from tests.unit.transform import trees

CACHE, LINE = 32 << 20, 64
TILES = "tile(band=0, sizes=[0, 64, 128])"
PACK = "pack(band=0.0.0, statement=0, iterators=[1, 2])"


def slowdown(script: str) -> float:
    box = "{ S0[i, k, j] : 0 <= i < 8 and 0 <= k < 8000 and 0 <= j < 1000 }"
    reads = "r [i, k, j] -> A[i, k]", "r [i, k, j] -> B[k, j]"
    sums = "r [i, k, j] -> C[i, j]", "w [i, k, j] -> C[i, j]"
    product = scops.statement("S0", box, (0, 0, 0, 0), *reads, *sums)
    scop = scops.scop("product", product)
    loops = ", ".join(f"{{ S0[i, k, j] -> [({x})] }}" for x in "ikj")
    tree, deps = trees.one_band(scop, f"[{loops}]")
    (nest,) = read_nests(apply_script(tree, parse_script(script), deps), scop)
    return scatter(nest, CACHE, LINE)


@pytest.mark.parametrize(
    ("script", "factor"),
    [
        ("tile(band=0, sizes=[0, 64, 1000])", 1.03),
        (TILES, 1.25),
        (f"{TILES}; jam(band=0.0.0, factors=[1, 8, 1])", 1.25),
        (f"{TILES}; {PACK}", 1.0),
    ],
    ids=["whole rows", "parts of rows", "eight rows at a time", "parts are copied"],
)
def test_parts_of_many_rows_take_longer_unless_they_are_copied(
    script: str, factor: float
) -> None:
    assert slowdown(script) == pytest.approx(factor, rel=0.01)


@pytest.mark.parametrize(
    ("step", "factor"), [(1, 1.0), (2, 1.0), (7, 1.0), (16, 4.0)], ids=str
)
def test_steps_within_a_line_are_a_stream(step: int, factor: float) -> None:
    box = "{ S0[i, j] : 0 <= i < 3000 and 0 <= j < 3000 }"
    reads, writes = f"r [i, j] -> A[i, {step}j]", "w [i, j] -> s[]"
    statement = scops.statement("S0", box, (0, 0, 0), reads, writes)
    scop = scops.scop("thinned", statement)
    tree, _ = trees.one_band(scop, "[{ S0[i, j] -> [(i)] }, { S0[i, j] -> [(j)] }]")
    (nest,) = read_nests(tree, scop)
    assert scatter(nest, CACHE, LINE) == pytest.approx(factor, abs=0.02)
