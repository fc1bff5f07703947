"""Sizes of tiles that threads share where they differ in work."""

from __future__ import annotations

from dataclasses import replace

import pytest

from polysched.analysis import compute_dependences, set_band_flags
from polysched.frontend import parse_c
from polysched.ir import original_tree
from polysched.transform import apply_script, parse_script
from polysched.transform.band_view import view_band
from polysched.transform.draft import Draft
from polysched.transform.uneven import (
    Shrinking,
    choose_shrinking_size,
    choose_uneven_size,
    find_ends,
)


@pytest.mark.parametrize(
    ("ends", "size"),
    [
        ((1200, 1), 352),  # [360 | 238 + 113 + 10] thousand
        ((1, 1200), 256),  # the last tile is cut short: [196 + 164 | 229 + 98 + 33]
        ((1000, 1000), 608),  # all alike: one tile for each thread
    ],
)
def test_threads_are_done_together(ends: tuple[int, int], size: int) -> None:
    assert choose_uneven_size(ends, 1200, 32, 640, 2) == size


def test_one_thread_takes_the_largest_tiles() -> None:
    assert choose_uneven_size((1200, 1), 1200, 32, 640, 1) == 640


def test_few_columns_are_shared_all_the_same() -> None:
    assert choose_uneven_size((100, 1), 100, 32, 640, 2) == 32
    assert choose_uneven_size((20, 1), 20, 32, 16, 2) == 32


TRIANGLE = """
void f(int n, int m, double A[n][m], double C[n][n]) {
#pragma scop
    for (int i = 0; i < n; i++)
        for (int j = FIRST; j < LAST; j++)
            for (int k = 0; k < m; k++)
                C[i][j] += A[i][k] * A[j][k];
#pragma endscop
}
"""


@pytest.mark.parametrize(
    ("first", "last", "sizes", "ends"),
    [
        ("0", "i + 1", {"n": 30, "m": 50}, (30 * 50, 50)),
        ("i", "n", {"n": 30, "m": 50}, (50, 30 * 50)),
        ("0", "n", {"n": 30, "m": 50}, (30 * 50, 30 * 50)),
        ("0", "i + 1", {}, (1000, 1)),
    ],
)
def test_the_work_at_both_ends_is_that_of_the_other_loops(
    first, last, sizes, ends, tmp_path
) -> None:
    file = tmp_path / "triangle.c"
    file.write_text(TRIANGLE.replace("FIRST", first).replace("LAST", last))
    (scop,) = parse_c(str(file)).scops
    deps = compute_dependences(scop)
    tree = set_band_flags(original_tree(scop), deps)
    merged = apply_script(tree, parse_script("merge(band=0); merge(band=0)"), deps)
    draft = Draft(set_band_flags(merged, deps), deps)
    band = view_band(draft, scop.with_estimates(sizes), (0,))
    assert find_ends(band, band.statements[0], 1) == ends
    assert find_ends(replace(band, is_part=True), band.statements[0], 1)[1] == 1


@pytest.mark.parametrize(
    ("is_triangle", "largest", "size"), [(False, 544, 224), (True, 544, 160)]
)
def test_runs_that_grow_shorter_are_shared(
    is_triangle: bool, largest: int, size: int
) -> None:
    loop = Shrinking(2000, 192, is_triangle=is_triangle)
    assert choose_shrinking_size(loop, 32, largest, 2) == size


def test_one_thread_has_few_tiles_to_copy_for() -> None:
    """As 544 does, tiles of 512 leave four for the first run, and fewer later on."""
    loop = Shrinking(2000, 192, is_triangle=False)
    assert choose_shrinking_size(loop, 32, 544, 1) == 512


def test_loops_of_any_length_are_shared_in_no_time() -> None:
    long = Shrinking(10**9, 192, is_triangle=True)
    assert 32 <= choose_shrinking_size(long, 32, 544, 2) <= 544
