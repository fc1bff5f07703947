"""Loops in two versions: text, and equal results at sizes that leave some over."""

from __future__ import annotations

from pathlib import Path

import pytest

from polysched.analysis import compute_dependences, find_violation, set_band_flags
from polysched.codegen import print_openmp
from polysched.ir import original_tree
from polysched.transform import apply_script, parse_script
from tests.unit.codegen.handmade import FRAME_2D, SQUARE, N, check_equal, make_scop

SCRIPT = parse_script(
    "tile(band=0, sizes=[4]); sink(band=0.0.0, together=true); "
    "version(band=0.0, size=4); vector(band=0.0.0.1.0.0)"
)


@pytest.mark.long
@pytest.mark.cc
def test_full_tiles_have_loops_of_their_own_around_the_short_ones(
    tmp_path: Path,
) -> None:
    """Columns of A and B, sums of each other from row to row, four side by side."""
    scop = make_scop(
        SQUARE,
        [
            ("[n] -> { S0[i] : 0 < i < n - 1 }", (0, 0), "A[0][i] = 1.0;"),
            ("[n] -> { S1[i, j] : 0 < i < n - 1 and 0 < j < n }", (0, 1, 0),
             "A[j][i] = A[j - 1][i] * 0.5 + B[j - 1][i];"),
            ("[n] -> { S2[i, j] : 0 < i < n - 1 and 0 < j < n }", (0, 1, 1),
             "B[j][i] = A[j][i] - B[j][i];"),
        ],
        N,
    )  # fmt: skip
    deps = compute_dependences(scop)
    tree = set_band_flags(original_tree(scop), deps)
    done = apply_script(tree, SCRIPT, deps)
    assert find_violation(done, deps, scop) is None
    text = print_openmp(scop, done)
    full = "for (int t3 = t1; t3 <= t1 + 3; t3++) {"
    assert text.count("for (int t2 = 1; t2 < n; t2++)") == 2
    assert text.count(full) == 1  # S1 and S2 share the loop
    assert "if" not in text[text.index("for (int t2") : text.index(full)]
    original = """
    for (int i = 1; i < n - 1; i++) {
        A[0][i] = 1.0;
        for (int j = 1; j < n; j++) {
            A[j][i] = A[j - 1][i] * 0.5 + B[j - 1][i];
            B[j][i] = A[j][i] - B[j][i];
        }
    }"""
    sizes = [(0,), (2,), (3,), (6,), (9,), (19,)]
    check_equal(tmp_path, FRAME_2D, original, scop, [tree, done], sizes)
