"""Footprint polynomials: what a tile touches in terms of its sizes."""

from __future__ import annotations

import sympy

from polysched.analysis import tile_forms
from polysched.transform import apply_script, parse_script
from tests.unit import scops
from tests.unit.transform import trees

T1, T2, T3 = sympy.symbols("T1:4", integer=True, positive=True)


def test_gemm_tile_in_terms_of_its_sizes():
    tree, deps = trees.gemm()
    script = parse_script(
        "tile(band=0, sizes=[64, 32, 128]); tile(band=0.0.0, sizes=[8, 4, 16])"
    )
    scale, product = tile_forms(apply_script(tree, script, deps), scops.gemm())
    assert scale.footprint_bytes == 8 * T1 * T2
    # the loops are i, k, j
    assert product.footprint_bytes == 8 * (T1 * T3 + T1 * T2 + T2 * T3)
    assert product.operations == T1 * T2 * T3
    assert [tuple(level.values()) for level in product.levels] == [
        (64, 32, 128),
        (8, 4, 16),
    ]
    assert product.at_level(1) == 8 * (8 * 16 + 8 * 4 + 4 * 16)


def test_neighbours_count_once_and_skew_widens():
    (form,) = tile_forms(trees.seidel()[0], scops.gauss_seidel())
    assert form.levels == ()
    # subscripts i and j move back by one in every time step
    assert form.footprint_bytes.subs({T1: 1, T2: 4, T3: 5}) == 8 * 6 * 7
    assert form.footprint_bytes.subs({T1: 2, T2: 4, T3: 5}) == 8 * 7 * 8
