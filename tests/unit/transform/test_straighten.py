"""A skewed band gives its last loop back, plain and parallel, where that is legal."""

from __future__ import annotations

from polysched.analysis import find_violation
from polysched.transform import Straighten, apply_script, parse_script
from tests.unit import scops
from tests.unit.transform import trees


def test_jacobi_gets_a_plain_vector_loop_inside_skewed_tiles() -> None:
    tree, deps = trees.jacobi()
    script = parse_script(
        "straighten(band=0); tile(band=0, sizes=[16, 32]); "
        "separate(band=0.0.0, member=1); wavefront(band=0.0); "
        "parallel(band=0.0.0, member=1); vector(band=0.0.0.0.0.0.0)"
    )
    done = apply_script(tree, script, deps)
    assert find_violation(done, deps) is None


def test_statements_of_one_iteration_run_in_textual_order() -> None:
    tree, _ = trees.jacobi()
    plain = Straighten((0,)).apply(tree)
    sequence = plain.node((0, 0, 0))
    first = sequence.child(0).filter_get_filter()
    assert "S0" in str(first)


def test_seidel_cannot_be_straightened_into_a_parallel_loop() -> None:
    tree, deps = trees.seidel()
    straight = Straighten((0,)).apply(tree)
    assert Straighten((0,)).check(tree, deps) is None
    script = parse_script("vector(band=0.0)")
    assert script[0].check(straight, deps) is not None


OUTER = "[T, n] -> [{ S0[t, i, j] -> [(t)] }, { S0[t, i, j] -> [(3t + j)] }, "


def test_an_iterator_that_outer_loops_fix_does_not_become_the_loop() -> None:
    band = OUTER + "{ S0[t, i, j] -> [(i + j)] }]"
    tree, _ = trees.one_band(scops.gauss_seidel(), band)
    straight = Straighten((0,)).apply(tree)
    assert "[(i)]" in str(straight.node((0, 0)).band_get_partial_schedule())


def test_a_member_that_no_single_iterator_stands_for_is_refused() -> None:
    band = OUTER + "{ S0[t, i, j] -> [(2i + j)] }]"
    tree, _ = trees.one_band(scops.gauss_seidel(), band)
    assert "no single iterator" in str(Straighten((0,)).find_misfit(tree))


def test_band_of_one_member_is_refused() -> None:
    tree, deps = trees.gemm()
    split = parse_script("parallel(band=0, member=2)")
    done = apply_script(tree, split, deps)
    assert "one member" in str(Straighten((0, 0, 0)).check(done, deps))
