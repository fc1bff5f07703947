"""Liveness and expansion of private scalars and arrays change no result."""

from dataclasses import replace

import islpy as isl
import numpy as np
import pytest

from polysched.analysis import (
    compute_dependences,
    drop_dead_statements,
    infer_liveness,
    privatize,
)
from polysched.interp import interpret, random_inputs
from polysched.ir import MARK_PARALLEL, Iter, ScheduleTree, original_tree
from polysched.testing import ScopBuilder


def run_all(scop, parameters, seed=0):
    return interpret(scop, None, parameters, random_inputs(scop, parameters, seed))


def assert_same_results(before, after, parameters):
    inputs = random_inputs(before, parameters, seed=3)
    given = {k: v for k, v in inputs.items() if not after_is_private(after, k)}
    expected = interpret(before, None, parameters, inputs)
    found = interpret(after, None, parameters, given)
    for name, value in found.items():
        if after.array(name).live_out:
            np.testing.assert_array_equal(value, expected[name], err_msg=name)


def after_is_private(scop, name):
    return name not in {a.name for a in scop.arrays} or scop.array(name).is_private


def dot_rows():
    """A scalar that accumulates inside of every iteration of i."""
    b = ScopBuilder("dot", ["n"])
    b.array("A", "double[n][n]", live_out=False)
    b.array("y", "double[n]")
    b.array("w", "double", storage="local", live_out=False)
    b.statement("i", "0 <= i < n", "w = 0.0", position=(0, 0))
    b.statement("i, j", "0 <= i < n and 0 <= j < n", "w += A[i][j]", position=(0, 1, 0))
    b.statement("i", "0 <= i < n", "y[i] = w", position=(0, 2))
    return b.build()


def two_nests():
    """One name for the values of two nests of different depth, as in ludcmp."""
    b = ScopBuilder("nests", ["n"])
    b.array("A", "double[n][n]")
    b.array("y", "double[n]")
    b.array("w", "double", storage="local", live_out=False)
    box = "0 <= i < n and 0 <= j < n"
    b.statement("i, j", box, "w = A[i][j]", position=(0, 0, 0))
    b.statement(
        "i, j, k", f"{box} and 0 <= k < j", "w -= A[i][k]", position=(0, 0, 1, 0)
    )
    b.statement("i, j", box, "A[i][j] = w", position=(0, 0, 2))
    b.statement("i", "0 <= i < n", "w = y[i]", position=(1, 0))
    b.statement("i, j", box, "w -= A[i][j]", position=(1, 1, 0))
    b.statement("i", "0 <= i < n", "y[i] = w", position=(1, 2))
    return b.build()


def test_live_in_is_cleared_when_all_reads_have_a_source():
    scop = infer_liveness(dot_rows())
    assert {a.name: a.live_in for a in scop.arrays} == {
        "A": True, "y": False, "w": False,
    }  # fmt: skip


def test_partial_writes_leave_an_array_live():
    b = ScopBuilder("partial", ["n"])
    b.array("t", "double[n]")
    b.array("y", "double[n]")
    b.statement("i", "1 <= i < n", "t[i] = 1.0", position=(0, 0))
    b.statement("i", "0 <= i < n", "y[i] = t[i]", position=(1, 0))
    assert infer_liveness(b.build()).array("t").live_in


def test_context_decides_whether_all_is_written():
    b = ScopBuilder("context", ["n", "m"], "m >= n")
    b.array("t", "double[m]")
    b.array("y", "double[n]")
    b.statement("i", "0 <= i < m", "t[i] = 1.0", position=(0, 0))
    b.statement("i", "0 <= i < n", "y[i] = t[i]", position=(1, 0))
    assert not infer_liveness(b.build()).array("t").live_in


def test_may_writes_are_no_source():
    b = ScopBuilder("may", ["n"])
    b.array("t", "double", storage="local", live_out=False)
    b.array("y", "double[n]")
    b.statement("i", "0 <= i < n", "t = 1.0", position=(0, 0), guard="y[i] > 1.0")
    b.statement("i", "0 <= i < n", "y[i] = t", position=(0, 1))
    assert infer_liveness(b.build()).array("t").live_in


def test_write_and_read_in_one_instance_need_no_value():
    b = ScopBuilder("inner", ["n"])
    b.array("t", "double", storage="local", live_out=False)
    b.array("y", "double[n]")
    b.statement(
        "i", "0 <= i < n", "t = y[i]; y[i] = t * t", position=(0, 0), guard="y[i] > 1.0"
    )
    scop = infer_liveness(b.build())
    assert not scop.array("t").live_in
    after = privatize(scop)
    assert after.array("t").n_expanded == 1
    assert_same_results(scop, after, {"n": 6})
    assert not compute_dependences(after).of_kind("flow")


def test_scalar_is_expanded_over_the_loop_that_holds_its_values():
    before = infer_liveness(dot_rows())
    after = privatize(before)
    w = after.array("w")
    assert (w.n_expanded, w.n_dim, w.extents) == (1, 1, ())
    assert after.statement("S1").body[0].target.subscripts == (Iter("i"),)
    assert (
        after.statement("S1")
        .writes[0]
        .relation.is_equal(
            isl.Map("[n] -> { S1[i, j] -> w[i] : 0 <= i < n and 0 <= j < n }")
        )
    )
    assert_same_results(before, after, {"n": 5})


def test_expansion_makes_the_loop_parallel():
    after = privatize(infer_liveness(dot_rows()))
    tree = original_tree(after)
    _, band = tree.bands()[0]
    parallel = ScheduleTree(band.insert_mark(isl.Id(MARK_PARALLEL)).get_schedule())
    inputs = random_inputs(after, {"n": 6}, 1)
    plain = interpret(after, None, {"n": 6}, inputs)["y"]
    for seed in range(4):
        shaken = interpret(after, parallel, {"n": 6}, inputs, shuffle_seed=seed)["y"]
        np.testing.assert_array_equal(shaken, plain)


def test_webs_are_expanded_apart():
    before = infer_liveness(two_nests())
    after = privatize(before)
    assert {a.name: a.n_expanded for a in after.arrays if a.is_private} == {
        "w": 2, "w_2": 1,
    }  # fmt: skip
    assert after.array("w_2").source_name == "w"
    assert after.array("w").c_name == ""
    assert_same_results(before, after, {"n": 5})


def test_value_that_crosses_iterations_is_not_expanded():
    b = ScopBuilder("carry", ["n"])
    b.array("w", "double", storage="local", live_out=False)
    b.array("y", "double[n]")
    b.statement("", "", "w = 1.0", position=(0,))
    b.statement("i", "0 <= i < n", "w += y[i]", position=(1, 0))
    b.statement("i", "0 <= i < n", "y[i] = w", position=(1, 1))
    scop = infer_liveness(b.build())
    assert scop.array("w").is_private
    assert privatize(scop) is scop


def test_flat_and_expanded_webs_of_one_scalar():
    b = ScopBuilder("mixed", ["n"])
    b.array("w", "double", storage="local", live_out=False)
    b.array("y", "double[n]")
    b.statement("i", "0 <= i < n", "w = y[i]", position=(0, 0))
    b.statement("i", "0 <= i < n", "y[i] = w * w", position=(0, 1))
    b.statement("", "", "w = 1.0", position=(1,))
    b.statement("i", "0 <= i < n", "y[i] += w", position=(2, 0))
    scop = infer_liveness(b.build())
    after = privatize(scop)
    assert {a.name: a.n_expanded for a in after.arrays} == {"w": 0, "w_2": 1, "y": 0}
    assert after.statement("S3").body[0].value.array == "w"
    assert_same_results(scop, after, {"n": 4})


@pytest.mark.parametrize("change", [{"live_out": True}, {"live_in": True}])
def test_values_that_leave_or_enter_are_left_alone(change):
    scop = infer_liveness(dot_rows())
    arrays = tuple(replace(a, **change) if a.name == "w" else a for a in scop.arrays)
    scop = replace(scop, arrays=arrays)
    assert privatize(scop) is scop


def confined(scop, *names):
    arrays = (replace(a, confined=a.name in names) for a in scop.arrays)
    return infer_liveness(replace(scop, arrays=tuple(arrays)))


def sweeps(*, same_row=True):
    """Coefficients ``p`` of each row, forgotten when it is done, in every sweep."""
    b = ScopBuilder("sweeps", ["n"])
    b.array("p", "double[n][9]")
    b.array("u", "double[n][9]")
    box = "0 <= t < 3 and 0 <= i < n"
    row = "i" if same_row else "n - 1 - i"
    b.statement("t, i", box, "p[i][0] = 1.0", position=(0, 0, 0))
    inner = f"{box} and 1 <= j < 9"
    b.statement(
        "t, i, j", inner, "p[i][j] = u[i][j] / (2.0 + p[i][j - 1])",
        position=(0, 0, 1, 0),
    )  # fmt: skip
    last = (0, 0, 2, 0) if same_row else (0, 1, 0)
    b.statement("t, i, j", inner, f"u[i][j] = p[{row}][j]", position=last)
    return b.build()


def test_a_confined_array_is_dead_where_its_values_end_in_another():
    assert not confined(sweeps(), "p").array("p").live_out
    assert confined(sweeps()).array("p").live_out
    assert confined(sweeps(), "u").array("u").live_out, "it is read by the next run"
    everything = confined(sweeps(), "p", "u")
    assert all(a.live_out for a in everything.arrays), "nobody else reads anything"


def test_subscripts_that_the_loops_fix_are_dropped():
    scop = confined(sweeps(), "p")
    after = privatize(scop)
    (p,) = (a for a in after.arrays if a.name == "p")
    assert (p.n_expanded, [e.value for e in p.extents]) == (2, [9])
    assert_same_results(scop, after, {"n": 4})
    apart = confined(sweeps(same_row=False), "p")
    (p,) = (a for a in privatize(apart).arrays if a.name == "p")
    assert (p.n_expanded, len(p.extents)) == (0, 2), "its size is not known"


def row_buffer(extent):
    b = ScopBuilder("row", ["n", "m"], "n <= 8 and m >= 8")
    b.array("A", "double[n][8]")
    b.array("t", f"double[{extent}]", storage="local", live_out=False)
    box = "0 <= i < n and 0 <= j < 8"
    t = "t[j][7 - j]" if "][" in extent else "t[j]"
    b.statement("i, j", box, f"{t} = A[i][7 - j]", position=(0, 0, 0))
    b.statement("i, j", box, f"A[i][j] = {t} + 1.0", position=(0, 1, 0))
    return infer_liveness(b.build())


def test_small_array_is_expanded():
    before = row_buffer("8")
    after = privatize(before)
    t = after.array("t")
    assert (t.n_expanded, t.n_dim, len(t.extents)) == (1, 2, 1)
    assert_same_results(before, after, {"n": 3, "m": 8})


def test_row_of_a_length_known_at_run_time_is_expanded():
    before = row_buffer("m")
    t = privatize(before).array("t")
    assert (t.n_expanded, t.n_dim) == (1, 2)
    assert_same_results(before, privatize(before), {"n": 3, "m": 8})


@pytest.mark.parametrize("extent", ["m][m", "5000", ""])
def test_array_of_unknown_or_large_size_is_not_expanded(extent):
    scop = row_buffer(extent)
    assert scop.array("t").is_private
    assert privatize(scop) is scop


def test_statements_whose_values_nobody_reads_are_dropped():
    b = ScopBuilder("zeros", ["n"])
    b.array("A", "double[n][n]")
    b.array("t", "double[n]", storage="local", live_out=False)
    b.array("u", "double", storage="local", live_out=False)
    box = "0 <= i < n and 0 <= j < n"
    b.statement("j", "0 <= j < n", "u = 2.0 * j", position=(0, 0))
    b.statement("j", "0 <= j < n", "t[j] = u", position=(0, 1))
    b.statement("i, j", box, "t[j] = A[i][n - 1 - j]", position=(1, 0, 0))
    b.statement("i, j", box, "A[i][j] = t[j]", position=(1, 1, 0))
    scop = infer_liveness(b.build())
    after = drop_dead_statements(scop)
    assert [s.name for s in after.statements] == ["S2", "S3"], "S0 fed S1 alone"
    assert_same_results(scop, after, {"n": 4})


@pytest.mark.parametrize("limit", ["n", "n - 1"])
def test_statements_stay_whose_values_are_read_somewhere(limit):
    b = ScopBuilder("partly", ["n"])
    b.array("A", "double[n]")
    b.array("t", "double[n]", storage="local", live_out=False)
    b.statement("j", "0 <= j < n", "t[j] = 1.0", position=(0, 0))
    b.statement("j", f"0 <= j < {limit}", "t[j] = A[j]", position=(1, 0))
    b.statement("j", "0 <= j < n", "A[j] = t[j]", position=(2, 0))
    after = drop_dead_statements(infer_liveness(b.build()))
    assert len(after.statements) == (2 if limit == "n" else 3)


def test_statements_stay_where_nobody_reads_anything():
    b = ScopBuilder("nothing", ["n"])
    b.array("t", "double[n]", storage="local", live_out=False)
    b.statement("j", "0 <= j < n", "t[j] = 1.0", position=(0, 0))
    scop = infer_liveness(b.build())
    assert drop_dead_statements(scop) is scop


def test_expanded_array_is_expanded_further():
    once = privatize(infer_liveness(dot_rows()))
    b = ScopBuilder("deeper", ["n"])
    b.array("A", "double[n][n]")
    b.array("w", "double[n]", storage="scop", live_in=False, live_out=False)
    box = "0 <= i < n and 0 <= j < n"
    b.statement("i, j", box, "w[i] = A[i][j]", position=(0, 0, 0))
    b.statement("i, j", box, "A[i][j] = w[i] * w[i]", position=(0, 0, 1))
    scop = b.build()
    arrays = tuple(
        replace(a, n_expanded=1, extents=()) if a.name == "w" else a
        for a in scop.arrays
    )
    scop = replace(scop, arrays=arrays)
    after = privatize(scop)
    assert after.array("w").n_expanded == 2
    assert (
        after.statement("S0")
        .writes[0]
        .relation.is_equal(isl.Map("[n] -> { S0[i, j] -> w[i, j] : 0 <= i, j < n }"))
    )
    assert_same_results(scop, after, {"n": 4})
    assert privatize(once) is once
