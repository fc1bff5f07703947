"""What caches hold, which pages are known, and what lies there already."""

from __future__ import annotations

from dataclasses import replace

import pytest

from polysched.analysis import allow_reordering, compute_dependences, set_band_flags
from polysched.cost import predict, predict_seconds, rank
from polysched.cost.jumps import far_pages
from polysched.cost.read import read_nests
from polysched.cost.reuse import Reuse
from polysched.ir import ScheduleTree, Scop, original_tree
from polysched.testing import ScopBuilder
from polysched.transform import apply_script, parse_script
from tests.unit import scops
from tests.unit.cost.test_model import MACHINE, gemm
from tests.unit.transform import trees
from tests.unit.transform.test_fuse_tiles import FUSE, joined, normal_equations


def turned(n: int, script: str) -> tuple[ScheduleTree, Scop]:
    box = f"{{ S0[i, j] : 0 <= i < {n} and 0 <= j < {n} }}"
    moved = "r [i, j] -> A[j, i]", "w [i, j] -> B[i, j]"
    scop = scops.scop("turn", scops.statement("S0", box, (0, 0, 0), *moved))
    band = "[{ S0[i, j] -> [(i)] }, { S0[i, j] -> [(j)] }]"
    tree, deps = trees.one_band(scop, band)
    return apply_script(tree, parse_script(script), deps), scop


@pytest.mark.parametrize(
    ("n", "script", "pages"),
    [
        (3000, "", 3000**2),  # a page for every element of a column
        (2000, "", 0),  # the pages of a column are known when the next one starts
        (3000, "tile(band=0, sizes=[32, 256])", 0),
        (3000, "order(band=0, members=[1, 0])", 3000**2),  # B's columns
    ],
)
def test_columns_of_many_rows_look_their_pages_up(
    n: int, script: str, pages: int
) -> None:
    tree, scop = turned(n, script)
    (nest,) = read_nests(tree, scop)
    assert far_pages(nest, 2048, 4096) == pytest.approx(pages, rel=0.1, abs=1e6)


def test_columns_look_their_pages_up_beside_rows_of_the_same_array() -> None:
    box = "{ S0[i, j] : 0 <= i < 3000 and 0 <= j < 3000 }"
    accesses = "r [i, j] -> A[j, i]", "r [i, j] -> A[i, j]", "w [i, j] -> A[i, j]"
    again = "r [i, j] -> A[i, j]", "w [i, j] -> A[j, i]"
    scop = scops.scop(
        "mirror",
        scops.statement("S0", box, (0, 0, 0), *accesses),
        scops.statement("S1", box.replace("S0", "S1"), (0, 0, 1), *again),
    )
    nests = read_nests(original_tree(scop), scop)
    reuse = Reuse(nests, 64)
    found = [far_pages(n, 2048, 4096, reuse.met_before(k)) for k, n in enumerate(nests)]
    assert found == [pytest.approx(3000**2, rel=0.1), 0]


def test_tiles_are_worth_it_where_columns_leave_the_known_pages() -> None:
    plain, scop = turned(3000, "parallel(band=0)")
    tiled, _ = turned(3000, "tile(band=0, sizes=[32, 256]); parallel(band=0.0)")
    assert rank([plain, tiled], scop, None, MACHINE) == [1, 0]


def test_rows_out_of_the_third_cache_are_read_several_at_a_time() -> None:
    b = ScopBuilder("update")
    b.array("A", "double[1000][1000]")
    b.array("u", "double[1000]")
    rows = "0 <= i < 1000 and 0 <= j < 1000"
    b.statement("i, j", rows, "A[i][j] += u[i] * u[j]", position=(0, 0, 0))
    scop = b.build()
    deps = compute_dependences(scop)
    tree = set_band_flags(original_tree(scop), deps)
    jam = "merge(band=0); jam(band=0, factors=[8, 1]); vector(band=0, member=1)"
    alone, jammed = (
        predict(apply_script(tree, parse_script(script), deps), scop, MACHINE)
        for script in ("merge(band=0); vector(band=0, member=1)", jam)
    )
    assert alone is not None
    assert jammed is not None
    assert alone.l3_seconds == pytest.approx(1.05 * jammed.l3_seconds)


def test_what_the_third_cache_holds_is_there_already() -> None:
    """Three matrices of 8 MB in a cache of 32, and three of 2 MB."""
    large, small = (
        predict(gemm(""), scops.gemm(), MACHINE, {"n": n}) for n in (1000, 500)
    )
    assert large is not None
    assert small is not None
    assert large.memory_seconds > 1e-3
    assert small.memory_seconds == 0.0
    assert small.l3_seconds > 0.0


def test_passes_that_meet_in_a_cache_load_their_array_once() -> None:
    scop = normal_equations(2000)
    deps = compute_dependences(scop)
    apart = joined(scop)
    together = apply_script(apart, parse_script(FUSE), deps)
    large = apply_script(apart, parse_script(FUSE.replace("32", "1999")), deps)
    found = [predict(t, scop, MACHINE) for t in (apart, together, large)]
    bytes_ = [p.memory_seconds * 1e10 for p in found if p is not None]
    matrix = 2000 * 2000 * 8
    assert bytes_[0] == pytest.approx(2 * matrix, rel=0.05)
    assert bytes_[1] == pytest.approx(matrix, rel=0.05)
    assert bytes_[2] == pytest.approx(2 * matrix, rel=0.05)
    assert rank([apart, together, large], scop, deps, MACHINE)[0] == 1


def two_products(n: int, second: str) -> Scop:
    """Two sums over one matrix that do not need each other."""
    box = f"0 <= i < {n} and 0 <= j < {n}"
    parts = []
    for k, (result, read) in enumerate((("t", "i, j"), ("y", second))):
        accesses = f"r [i, j] -> A[{read}]", f"r [i, j] -> {result}[i]"
        domain = f"{{ S{k}[i, j] : {box} }}"
        written = f"w [i, j] -> {result}[i]"
        parts.append(scops.statement(f"S{k}", domain, (k, 0, 0), *accesses, written))
    return scops.scop("products", *parts)


def test_data_that_are_small_beside_the_last_cache_lie_there_already() -> None:
    small, half, large = (two_products(n, "i, j") for n in (700, 1600, 2200))
    found = [predict(joined(scop), scop, MACHINE) for scop in (small, half, large)]
    loaded = [p.memory_seconds * 1e10 for p in found if p is not None]
    assert loaded[0] == 0.0
    assert loaded[1] == pytest.approx(0.48 * 2 * 1600 * 1600 * 8, rel=0.05)
    assert loaded[2] == pytest.approx(2 * 2200 * 2200 * 8, rel=0.05)


@pytest.mark.parametrize(("second", "n_matrices"), [("i, j", 1), ("j, i", 5)])
def test_rows_left_in_a_cache_are_of_no_use_for_columns(
    second: str, n_matrices: int
) -> None:
    """Columns are read in runs of one line, which takes four times as long."""
    scop = two_products(2200, second)
    deps = compute_dependences(scop)
    tree = apply_script(joined(scop), parse_script(FUSE), deps)
    found = predict(tree, scop, MACHINE)
    assert found is not None
    matrix = 2200 * 2200 * 8
    loaded = found.memory_seconds * 1e10
    assert loaded == pytest.approx(n_matrices * matrix, rel=0.05)


def column_sums(n_rows: int, n_columns: int, script: str) -> tuple[ScheduleTree, Scop]:
    box = f"0 <= i < {n_rows} and 0 <= j < {n_columns}"
    b = ScopBuilder("columns", ["n"])
    b.array("y", "double[]")
    b.array("A", "double[][]")
    b.statement("i,j", box, "y[j] += A[i][j]", position=(0, 0, 0))
    scop = b.build()
    deps = allow_reordering(compute_dependences(scop), scop, "reassociate")
    tree = set_band_flags(original_tree(scop), deps)
    return apply_script(tree, parse_script(script), deps), scop


def test_copies_of_sums_pay_where_they_are_small_beside_the_work() -> None:
    alone, copied = "vector(band=0.0)", "share_sums(band=0, arrays=[y]); "
    copied += "vector(band=0.0.0)"
    for shape, is_faster in (((4000, 4000), True), ((2, 4000000), False)):
        tree, scop = column_sums(*shape, alone)
        one = predict_seconds(tree, scop, None, MACHINE)
        tree, scop = column_sums(*shape, copied)
        other = predict_seconds(tree, scop, None, MACHINE)
        assert one is not None
        assert other is not None
        assert (other < one) == is_faster


@pytest.mark.parametrize(("live_in", "is_there"), [(True, True), (False, False)])
def test_large_results_may_be_new_pages(live_in: bool, is_there: bool) -> None:
    """4 MB that the region reads, too, are there; only written, they may not be."""
    b = ScopBuilder("copy")
    b.array("x", "float[1048576]")
    b.array("y", "float[1048576]")
    b.statement("i", "0 <= i < 1048576", "y[i] = 2 * x[i]", position=(0, 0))
    scop = b.build()
    arrays = (
        replace(a, live_in=live_in or a.name == "x", live_out=True) for a in scop.arrays
    )
    scop = replace(scop, arrays=tuple(arrays))
    found = predict(original_tree(scop), scop, MACHINE)
    assert found is not None
    assert (found.memory_seconds == 0.0) == is_there
