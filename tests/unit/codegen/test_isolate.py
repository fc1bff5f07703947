"""Full tiles set apart: text, and equal results at sizes that leave some over."""

from __future__ import annotations

from pathlib import Path

import pytest

from polysched.analysis import compute_dependences, find_violation, set_band_flags
from polysched.codegen import print_openmp
from polysched.ir import original_tree
from polysched.transform import Isolate, apply_script, parse_script
from tests.unit.codegen.handmade import FRAME_2D, SQUARE, N, check_equal, make_scop

SCRIPT = parse_script(
    "tile(band=0, sizes=[4]); sink(band=0.0.0); isolate(band=0.0.0.0, sizes=[4]); "
    "vector(band=0.0.0.0)"
)


@pytest.mark.long
@pytest.mark.cc
def test_full_tiles_have_loops_of_a_known_length(tmp_path: Path) -> None:
    """Columns of A, each a sum from its second row on, four side by side."""
    scop = make_scop(
        SQUARE,
        [
            ("[n] -> { S0[i, j] : 0 < i < n - 1 and 0 < j < n }", (0, 0, 0),
             "A[j][i] = A[j - 1][i] * 0.5 + B[j][i];"),
        ],
        N,
    )  # fmt: skip
    deps = compute_dependences(scop)
    tree = set_band_flags(original_tree(scop), deps)
    done = apply_script(tree, SCRIPT, deps)
    assert find_violation(done, deps, scop) is None
    text = print_openmp(scop, done)
    assert "for (int t3 = t1; t3 <= t1 + 3; t3++)" in text
    assert text.count("#pragma omp simd") > 1
    original = """
    for (int i = 1; i < n - 1; i++)
        for (int j = 1; j < n; j++)
            A[j][i] = A[j - 1][i] * 0.5 + B[j][i];"""
    sizes = [(0,), (3,), (9,), (19,)]
    check_equal(tmp_path, FRAME_2D, original, scop, [tree, done], sizes)
    again = Isolate((0, 0, 0, 0, 0), (4,)).find_misfit(done)
    assert again == "the band or one below it isolates full tiles already"
