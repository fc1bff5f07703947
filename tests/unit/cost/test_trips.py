"""Trip counts of loops that limit each other, from the outside in."""

from __future__ import annotations

from pathlib import Path

from polysched.analysis import compute_dependences, set_band_flags
from polysched.cost.read import read_nests
from polysched.frontend import parse_c
from polysched.ir import original_tree
from polysched.transform import apply_script, parse_script

WINDOW = """
void f(float y[200][100], float x[200][200]) {
#pragma scop
    for (int i = 0; i < 200; i++)
        for (int j = 0; j < 100; j++)
            for (int k = 2 * j; k <= 2 * j + 3 && k < 200; k++)
                y[i][j] += x[i][k];
#pragma endscop
}
"""
TRIANGLE = """
void f(float y[256][256]) {
#pragma scop
    for (int i = 0; i < 256; i++)
        for (int j = 0; j <= i; j++)
            y[i][j] += 1.0f;
#pragma endscop
}
"""


def trips(text: str, script: str, directory: Path) -> list[float]:
    path = directory / "case.c"
    path.write_text(text)
    scop = parse_c(path).scops[0]
    deps = compute_dependences(scop)
    tree = set_band_flags(original_tree(scop), deps)
    tree = apply_script(tree, parse_script(script), deps)
    (nest,) = read_nests(tree, scop, deps)
    return nest.trips


def test_a_window_follows_its_point(tmp_path: Path) -> None:
    assert trips(WINDOW, "", tmp_path) == [200, 100, 4]


def test_points_within_a_tile_share_a_window_each(tmp_path: Path) -> None:
    """Sunk below the window, a point runs where the window has it: twice, not 50 times.

    The window of all points of a tile is 2 * 49 + 4 elements.
    """
    sunk = "merge(band=0); tile(band=0, sizes=[1, 50]); sink(band=0.0.0)"
    assert trips(WINDOW, sunk, tmp_path) == [200, 2, 102, 1, 2]


def test_tiles_of_a_triangle(tmp_path: Path) -> None:
    tiled = "merge(band=0); tile(band=0, sizes=[32, 64])"
    assert trips(TRIANGLE, tiled, tmp_path) == [8, 4, 32, 64]
