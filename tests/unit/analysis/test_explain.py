"""Which loop carries what, and why neighbours are apart: against known kernels."""

from __future__ import annotations

from polysched.analysis import (
    compute_dependences,
    dependence_distance,
    lane_reasons,
    loop_carriers,
    outline_tree,
    print_distance,
    set_band_flags,
    shared_loops,
    split_reasons,
    tile_reasons,
)
from polysched.ir import ScheduleTree, original_tree
from tests.unit.scops import gemm, jacobi_1d, statement
from tests.unit.scops import scop as make_scop


def test_only_the_k_loop_of_gemm_carries_dependences():
    scop = gemm()
    deps = compute_dependences(scop)
    reports = loop_carriers(original_tree(scop), deps, scop)
    sequential = [r for r in reports if not r.parallel]
    assert [r.schedule for r in sequential] == [(("S1", "k"),)]
    assert {d.kind for d in sequential[0].carried} == {"flow", "anti", "output"}
    assert sequential[0].obstacle.element.startswith("C[")


def test_witness_of_a_sequential_loop_differs_in_that_loop_only():
    scop = gemm()
    reports = loop_carriers(original_tree(scop), compute_dependences(scop), scop)
    obstacle = next(r.obstacle for r in reports if r.obstacle)
    source = dict(part.split(" = ") for part in obstacle.source[3:-1].split(", "))
    sink = dict(part.split(" = ") for part in obstacle.sink[3:-1].split(", "))
    assert {n for n in source if source[n] != sink[n]} == {"k"}


def test_dependences_carried_outside_do_not_count_inside():
    scop = jacobi_1d()
    reports = loop_carriers(original_tree(scop), compute_dependences(scop), scop)
    by_row = {r.row: r for r in reports}
    assert not by_row[0].parallel
    assert all(r.parallel for r in reports if r.row > 0)


def test_tile_loops_are_named_by_their_size():
    scop = jacobi_1d()
    deps = compute_dependences(scop)
    text = original_tree(scop).text.replace("[(t)]", "[(t - (t) mod 8)]")
    reports = loop_carriers(ScheduleTree.parse(text), deps, scop)
    assert reports[0].schedule[0] == ("S0", "t by 8")


def test_fusing_jacobi_is_legal_after_a_shift_of_one():
    scop = jacobi_1d()
    deps = compute_dependences(scop)
    (report,) = split_reasons(original_tree(scop), deps, scop)
    assert (report.first, report.second) == (("S0",), ("S1",))
    assert report.row == 1
    assert report.obstacle is not None
    assert report.shift == 1


def test_separation_without_an_obstacle_is_a_free_choice():
    scop = make_scop(
        "pair",
        statement("S0", "[n] -> { S0[i] : 0 <= i < n }", (0, 0), "w [i] -> A[i]"),
        statement(
            "S1",
            "[n] -> { S1[i] : 0 <= i < n }",
            (1, 0),
            "r [i] -> A[i]",
            "w [i] -> B[i]",
        ),
    )
    (report,) = split_reasons(original_tree(scop), compute_dependences(scop), scop)
    assert report.obstacle is None
    assert report.shift == 0
    assert [d.array for d in report.satisfied] == ["A"]


def test_reversed_consumer_needs_a_delay_by_the_whole_array():
    scop = make_scop(
        "mirror",
        statement("S0", "[n] -> { S0[i] : 0 <= i < n }", (0, 0), "w [i] -> A[i]"),
        statement(
            "S1",
            "[n] -> { S1[i] : 0 < i < n }",
            (1, 0),
            "r [i] -> A[1000 - i]",
            "w [i] -> B[i]",
        ),
    )
    (report,) = split_reasons(original_tree(scop), compute_dependences(scop), scop)
    assert report.obstacle is not None
    assert report.shift == 998


def test_distances_are_those_of_the_shared_loops():
    scop = gemm()
    deps = compute_dependences(scop)
    found = {
        (d.source, d.sink): print_distance(dependence_distance(d, scop))
        for d in deps.items
        if d.kind == "flow"
    }
    assert found == {("S0", "S1"): "(0)", ("S1", "S1"): "(0, 1, 0)"}


def test_distances_that_isl_takes_long_for_are_open(monkeypatch):
    scop = gemm()
    deps = compute_dependences(scop)
    monkeypatch.setattr("polysched.analysis.distance.MAX_OPERATIONS", 1)
    texts = {print_distance(dependence_distance(d, scop)) for d in deps.of_kind("flow")}
    assert texts == {"(*)", "(*, *, *)"}


def test_shared_loops_are_counted_from_the_outside():
    scop = gemm()
    s0, s1 = scop.statements
    assert shared_loops(s0, s1) == 1
    assert shared_loops(s1, s1) == 3


def test_unbounded_distances_are_open():
    assert print_distance(((None, None), (1, None), (-2, 3), (0, 0))) == (
        "(*, 1.., -2..3, 0)"
    )


def test_outline_shows_loops_statements_and_what_they_carry():
    scop = gemm()
    deps = compute_dependences(scop)
    tree = set_band_flags(original_tree(scop), deps)
    text = outline_tree(tree, loop_carriers(tree, deps, scop), scop)
    lines = text.splitlines()
    assert lines[0].startswith("loop i  (parallel)  S0, S1")
    assert any("loop k  (carries C)" in line for line in lines)
    assert sum(line.strip().startswith("S1") for line in lines) == 1


def lanes_of(scop, tree=None):
    tree = tree or original_tree(scop)
    loops = loop_carriers(tree, compute_dependences(scop), scop)
    return {r.statements: r for r in lane_reasons(tree, loops, scop)}


def tiles_of(scop):
    deps = compute_dependences(scop)
    tree = set_band_flags(original_tree(scop), deps)
    return {r.statements: r for r in tile_reasons(tree, tree, deps, scop)}


def product_by_columns():
    accesses = ("r [i, j, k] -> C[i, j]", "r [i, j, k] -> B[k, j]")
    domain = "{ S0[i, j, k] : 0 <= i < 9 and 0 <= j < 9 and 0 <= k < 9 }"
    writes = "w [i, j, k] -> C[i, j]"
    return make_scop("p", statement("S0", domain, (0,) * 4, *accesses, writes))


def test_a_product_by_columns_is_in_no_lanes_and_another_loop_would_be():
    inner = lanes_of(product_by_columns())[("S0",)]
    assert inner.loop.schedule == (("S0", "k"),)
    assert {d.array for d in inner.loop.carried} == {"C"}
    assert (inner.far, inner.contiguous) == (("B",), (("S0", "j"),))
    assert not inner.is_free


def test_nothing_speaks_against_lanes_of_gemm_by_rows():
    lanes = lanes_of(gemm())
    assert lanes[("S0",)].is_free
    assert lanes[("S1",)].is_free
    assert lanes[("S1",)].loop.schedule == (("S1", "j"),)


def test_a_loop_that_is_in_lanes_is_left_out():
    scop = jacobi_1d()
    band = '{ schedule: "[{ S0[t, i] -> [(i)] }]" }'
    marked = f'{{ mark: "vector:8", child: {band} }}'
    text = original_tree(scop).text
    assert set(lanes_of(scop)) == {("S0",), ("S1",)}
    assert text.count(band) == 1
    assert set(lanes_of(scop, ScheduleTree.parse(text.replace(band, marked)))) == {
        ("S1",)
    }


def test_a_stencil_in_place_has_tiles_after_a_skew_of_one():
    reads = "r [t, i] -> A[i - 1]", "r [t, i] -> A[i + 1]"
    domain = "{ S0[t, i] : 0 <= t < 10 and 0 < i < 30 }"
    scop = make_scop("s", statement("S0", domain, (0,) * 3, *reads, "w [t, i] -> A[i]"))
    (report,) = tiles_of(scop).values()
    assert (report.loops, report.skew, report.is_free) == (("t", "i"), 1, False)
    assert report.obstacle.source.startswith("S0[t = ")


def test_a_reach_of_three_asks_for_a_skew_of_three():
    accesses = "r [t, i] -> A[i + 3]", "w [t, i] -> A[i]"
    domain = "{ S0[t, i] : 0 <= t < 10 and 0 < i < 30 }"
    scop = make_scop("s", statement("S0", domain, (0,) * 3, *accesses))
    (report,) = tiles_of(scop).values()
    assert report.skew == 3


def test_loops_that_may_change_places_are_in_no_tiles_by_choice():
    report = tiles_of(product_by_columns())[("S0",)]
    assert (report.n_loops, report.is_free, report.obstacle) == (3, True, None)
