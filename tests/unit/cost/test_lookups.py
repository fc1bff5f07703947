"""Elements at places that data decide miss the caches that do not hold them all."""

from __future__ import annotations

from pathlib import Path

import pytest

from polysched.analysis import compute_dependences, set_band_flags
from polysched.cost.lookups import (
    leaves_its_order,
    looked_up_bytes,
    scattered_bytes,
)
from polysched.cost.nest import Nest
from polysched.cost.read import read_nests
from polysched.cost.reuse import Reuse
from polysched.frontend import parse_c
from polysched.ir import ScheduleTree, original_tree
from polysched.transform import Merge, Order, apply_script

pytestmark = pytest.mark.cc

CACHE, LINE = 4096, 64
BEFORE = "static int at[100], small[64], large[4096], table[64][128], to[100];"
LOOP = "for (int i = 0; i < 100; i++)"
ROW = "for (int k = at[i]; k < at[i + 1]; k++)"


def nest_of(tmp_path: Path, body: str) -> Nest:
    (nest,) = nests_of(tmp_path, body)
    return nest


def nests_of(tmp_path: Path, body: str) -> list[Nest]:
    path = tmp_path / "looked.c"
    path.write_text(
        f"{BEFORE}\nvoid f(int *x)\n{{\n#pragma scop\n{body}\n#pragma endscop\n}}\n"
    )
    (scop,) = parse_c(path).scops
    deps = compute_dependences(scop)
    return list(read_nests(set_band_flags(original_tree(scop), deps), scop, deps))


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (f"{LOOP} to[i] = small[at[i]];", 0),
        (f"{LOOP} to[i] = large[at[i]];", 100 * 0.75 * LINE),
        (f"{LOOP} large[at[i]]++;", 100 * 0.75 * 2 * LINE),
        (f"{LOOP} to[i] = table[3][at[i]];", 0),
        (f"{LOOP} to[i] = table[at[i]][3];", 100 * 0.875 * LINE),
        (
            f"{LOOP} for (int j = 0; j < 128; j++) to[i] += table[at[i]][j];",
            100 * 128 * 0.875 * 4,
        ),
        (f"{LOOP} to[i] = x[at[i]];", 0),
        (f"{LOOP} {ROW} large[k] *= 2;", 100 * 16 * 2 * 4),
        (f"{LOOP} {ROW} large[k] = small[k] + x[k];", 100 * 16 * (1 + 1 + 1) * 4),
        (f"{LOOP} {ROW} x[at[k]] += small[k];", 0),
    ],
    ids=[
        "held", "missed", "written", "in a row", "in a column", "along rows",
        "of unknown size", "rows", "rows of unknown size", "places in rows",
    ],
)  # fmt: skip
def test_what_the_cache_cannot_hold_is_missed(
    tmp_path: Path, body: str, expected: float
) -> None:
    nest = nest_of(tmp_path, body)
    assert looked_up_bytes(nest, CACHE, LINE) == pytest.approx(expected)


def test_a_row_is_there_for_the_next_statement_of_its_iteration(tmp_path) -> None:
    """It has to go back all the same where it is written."""
    first, second = f"to[i] = 0; {ROW} to[i] += large[k];", f"{ROW} large[k] *= to[i];"
    together = Reuse(nests_of(tmp_path, f"{LOOP} {{ {first} {second} }}"), LINE)
    apart = Reuse(nests_of(tmp_path, f"{LOOP} {{ {first} }} {LOOP} {second}"), LINE)
    assert together.rows_before(2) == {"large"}
    assert apart.rows_before(2) == frozenset()
    nest = together.nest(2)
    assert looked_up_bytes(nest, CACHE, LINE, frozenset({"large"})) == 100 * 16 * 4


def test_copies_of_a_histogram_are_as_large_as_it_is(tmp_path: Path) -> None:
    nest = nest_of(tmp_path, f"{LOOP} large[at[i]] += small[at[i]];")
    assert scattered_bytes(nest, "large") == 4 * 4096
    assert scattered_bytes(nest, "small") == 0
    assert not nest.waits


@pytest.mark.parametrize("row", [ROW, ""])
def test_loops_around_a_loop_of_data_have_an_order(tmp_path: Path, row: str) -> None:
    path = tmp_path / "looked.c"
    path.write_text(
        f"{BEFORE}\nvoid f(int y[9][100])\n{{\n#pragma scop\n"
        f"for (int t = 0; t < 9; t++) {LOOP} {{ {row} y[t][i] += small[at[i]]; }}\n"
        "#pragma endscop\n}\n"
    )
    (scop,) = parse_c(path).scops
    deps = compute_dependences(scop)
    start = set_band_flags(original_tree(scop), deps)
    merged = apply_script(start, (Merge((0,)),), deps)
    turned = apply_script(merged, (Order((0,), (1, 0)),), deps)

    def leaves(tree: ScheduleTree) -> bool:
        return any(map(leaves_its_order, read_nests(tree, scop, deps)))

    assert not leaves(merged)
    assert leaves(turned) == bool(row)


def test_stores_at_places_that_data_decide_have_no_lanes(tmp_path: Path) -> None:
    assert not nest_of(tmp_path, f"{LOOP} to[at[i]] = small[i % 64];").is_vectorizable
    assert nest_of(tmp_path, f"{LOOP} to[i] = large[at[i]];").is_vectorizable
