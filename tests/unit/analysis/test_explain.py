"""Which loop carries what, and why neighbours are apart: against known kernels."""

from __future__ import annotations

from polysched.analysis import (
    compute_dependences,
    dependence_distance,
    loop_carriers,
    outline_tree,
    print_distance,
    set_band_flags,
    shared_loops,
    split_reasons,
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
