"""Whole SCoPs under schedules, and what is refused."""

import islpy as isl
import numpy as np
import pytest

from polysched.base import AnalysisError, LimitError
from polysched.interp import (
    infer_shapes,
    interpret,
    order_instances,
    random_inputs,
)
from polysched.ir import ScheduleTree, original_tree
from polysched.testing import ScopBuilder


def gemm():
    b = ScopBuilder("gemm", ["n"])
    b.array("A", "double[n][n]", live_out=False)
    b.array("B", "double[n][n]", live_out=False)
    b.array("C", "double[n][n]")
    b.array("beta", "double", live_out=False)
    b.statement(
        "i, j", "0 <= i < n and 0 <= j < n", "C[i][j] *= beta", position=(0, 0, 0)
    )
    b.statement(
        "i, j, k",
        "0 <= i < n and 0 <= j < n and 0 <= k < n",
        "C[i][j] += A[i][k] * B[k][j]",
        position=(0, 0, 1, 0),
    )
    return b.build()


def prefix_sum():
    b = ScopBuilder("scan", ["n"])
    b.array("A", "int[n]")
    b.statement("i", "1 <= i < n", "A[i] += A[i-1]", position=(0, 0))
    return b.build()


def tile_outer(tree: ScheduleTree, size: int) -> ScheduleTree:
    _path, band = tree.bands()[0]
    sizes = isl.MultiVal.from_val_list(
        band.band_get_space(), isl.ValList.from_val(isl.Val(size))
    )
    return ScheduleTree(band.band_tile(sizes).get_schedule())


def mark(tree: ScheduleTree, name: str) -> ScheduleTree:
    _, band = tree.bands()[0]
    return ScheduleTree(band.insert_mark(isl.Id(name)).get_schedule())


def test_gemm_agrees_with_numpy():
    scop = gemm()
    inputs = random_inputs(scop, {"n": 7}, seed=1)
    out = interpret(scop, None, {"n": 7}, inputs)
    expected = inputs["C"] * inputs["beta"] + inputs["A"] @ inputs["B"]
    np.testing.assert_allclose(out["C"], expected, rtol=1e-14)
    np.testing.assert_array_equal(out["A"], inputs["A"])


def test_inputs_are_not_changed():
    scop = prefix_sum()
    given = {"A": np.arange(5, dtype=np.int32)}
    out = interpret(scop, None, {"n": 5}, given)
    assert given["A"].tolist() == [0, 1, 2, 3, 4]
    assert out["A"].tolist() == [0, 1, 3, 6, 10]
    assert out["A"].dtype == np.int32


@pytest.mark.parametrize("n", [0, 1, 2, 5])
def test_tiled_tree_gives_the_same_results(n):
    scop = gemm()
    inputs = random_inputs(scop, {"n": n}, seed=2)
    tree = tile_outer(original_tree(scop), 3)
    expected = interpret(scop, None, {"n": n}, inputs)
    np.testing.assert_array_equal(
        interpret(scop, tree, {"n": n}, inputs)["C"], expected["C"]
    )


def test_downward_loop_runs_backwards():
    b = ScopBuilder("down", ["n"])
    b.array("A", "int[n]")
    b.statement(
        "i", "0 <= i < n - 1", "A[i] = A[i + 1]", position=(0, 0), directions=(-1,)
    )
    out = interpret(b.build(), None, {"n": 4}, {"A": np.array([1, 2, 3, 4])})
    assert out["A"].tolist() == [4, 4, 4, 4]


def test_reversed_scan_differs():
    scop = prefix_sum()
    tree = ScheduleTree.parse(
        '{ domain: "[n] -> { S0[i] : 0 < i < n }", child: { schedule: '
        '"[n] -> [{ S0[i] -> [(-i)] }]" } }'
    )
    given = {"A": np.arange(5)}
    assert interpret(scop, tree, {"n": 5}, given)["A"].tolist() == [0, 1, 3, 5, 7]


def test_data_dependent_guard():
    b = ScopBuilder("guard", ["n"])
    b.array("A", "int[n]")
    b.statement("i", "0 <= i < n", "A[i] = -A[i]", position=(0, 0), guard="A[i] > 2")
    out = interpret(b.build(), None, {"n": 4}, {"A": np.array([1, 5, 2, 3])})
    assert out["A"].tolist() == [1, -5, 2, -3]


def test_scalars_are_numbers_in_and_arrays_out():
    b = ScopBuilder("sum", ["n"])
    b.array("A", "float[n]", live_out=False)
    b.array("s", "float")
    b.statement("i", "0 <= i < n", "s += A[i]", position=(0, 0))
    values = np.full(3, 0.1, dtype=np.float32)
    out = interpret(b.build(), None, {"n": 3}, {"A": values, "s": 0})
    expected = np.float32(0)
    for v in values:
        expected = np.float32(expected + v)
    assert out["s"].shape == ()
    assert out["s"] == expected


def test_shapes_come_from_declarations_and_accesses():
    b = ScopBuilder("shift", ["n", "m"])
    b.array("A", "double[][m]")
    b.array("s", "double")
    b.statement("i", "0 <= i < n", "A[2*i + 3][i] = s", position=(0, 0))
    shapes = infer_shapes(b.build(), {"n": 4, "m": 9})
    assert shapes == {"A": (10, 9), "s": ()}
    assert infer_shapes(b.build(), {"n": 0, "m": 9})["A"] == (0, 9)


def test_access_outside_an_array_is_named():
    b = ScopBuilder("over", ["n"])
    b.array("A", "double[n]")
    b.statement("i", "0 <= i < n", "A[i] = A[i - 1]", position=(0, 0))
    with pytest.raises(
        AnalysisError, match=r"S0\[0\] `A\[i\] = A\[i - 1\]` accesses A\[-1\], outside"
    ):
        interpret(b.build(), None, {"n": 3}, {"A": np.zeros(3)})


def test_write_outside_an_array_is_named():
    b = ScopBuilder("over", ["n"])
    b.array("A", "double[n]")
    b.statement("i", "0 <= i < n", "A[i + 1] = 0.0", position=(0, 0))
    with pytest.raises(AnalysisError, match=r"S0\[2\].*A\[3\], outside of A\[3\]"):
        interpret(b.build(), None, {"n": 3}, {"A": np.zeros(3)})


def test_private_element_without_value_is_refused():
    b = ScopBuilder("private", ["n"])
    b.array("t", "double", storage="scop", live_in=False, live_out=False)
    b.array("A", "double[n]")
    b.statement("i", "0 <= i < n", "A[i] = t", position=(0, 0))
    with pytest.raises(AnalysisError, match=r"S0\[0\].*accesses t, which nothing has"):
        interpret(b.build(), None, {"n": 3}, {"A": np.zeros(3)})


def test_division_by_zero_is_named():
    b = ScopBuilder("divide", ["n"])
    b.array("A", "int[n]")
    b.statement("i", "0 <= i < n", "A[i] = 7 / A[i]", position=(0, 0))
    with pytest.raises(AnalysisError, match=r"S0\[1\].*integer division by zero"):
        interpret(b.build(), None, {"n": 2}, {"A": np.array([1, 0])})


@pytest.mark.parametrize(
    ("parameters", "arrays", "message"),
    [
        ({}, {"A": np.zeros(3)}, "no value for the parameter 'n'"),
        ({"n": 3}, {}, "no value was given for 'A'"),
        ({"n": 3}, {"A": np.zeros(4)}, r"shape \(4,\), but needs \(3,\)"),
        ({"n": 3}, {"A": np.zeros(3), "B": 1}, "no array named 'B'"),
    ],
)
def test_incomplete_input_is_refused(parameters, arrays, message):
    with pytest.raises(AnalysisError, match=message):
        interpret(prefix_sum(), None, parameters, arrays)


def test_parameters_outside_the_context_are_refused():
    b = ScopBuilder("context", ["n"], "n >= 4")
    b.array("A", "int[n]")
    b.statement("i", "0 <= i < n", "A[i] = 0", position=(0, 0))
    with pytest.raises(AnalysisError, match="n=3 is outside of the context"):
        interpret(b.build(), None, {"n": 3}, {"A": np.zeros(3)})


def test_two_instances_at_one_time_are_refused():
    scop = gemm()
    tree = ScheduleTree(isl.Schedule.from_domain(scop.domain))
    with pytest.raises(AnalysisError, match=r"does not order S\d"):
        interpret(scop, tree, {"n": 3}, random_inputs(scop, {"n": 3}, 0))


def test_ties_of_independent_instances_are_broken_when_allowed():
    b = ScopBuilder("ties", ["n"])
    b.array("A", "int[n]")
    b.statement("i", "0 <= i < n", "A[i] = i", position=(0, 0))
    scop = b.build()
    tree = ScheduleTree(isl.Schedule.from_domain(scop.domain))
    zero = {"A": np.zeros(9)}
    for seed in (None, 1):
        out = interpret(scop, tree, {"n": 9}, zero, allow_ties=True, shuffle_seed=seed)
        assert out["A"].tolist() == list(range(9))
    orders = {
        tuple(
            order_instances(scop, tree, {"n": 9}, allow_ties=True, shuffle_seed=s).rows
        )
        for s in (None, 1, 2)
    }
    assert len(orders) == 3


def test_too_many_instances_are_refused():
    with pytest.raises(LimitError, match="more than 50"):
        order_instances(gemm(), original_tree(gemm()), {"n": 9}, max_instances=50)


def test_shuffling_finds_a_loop_that_is_not_parallel():
    scop = prefix_sum()
    tree = mark(original_tree(scop), "parallel")
    inputs = {"A": np.arange(20)}
    plain = interpret(scop, tree, {"n": 20}, inputs)["A"]
    np.testing.assert_array_equal(plain, interpret(scop, None, {"n": 20}, inputs)["A"])
    shaken = interpret(scop, tree, {"n": 20}, inputs, shuffle_seed=1)["A"]
    assert (shaken != plain).any()


def test_shuffling_keeps_the_order_inside_an_iteration():
    scop = gemm()
    tree = mark(original_tree(scop), "parallel")
    inputs = random_inputs(scop, {"n": 5}, 3)
    plain = interpret(scop, tree, {"n": 5}, inputs)["C"]
    for seed in range(3):
        shaken = interpret(scop, tree, {"n": 5}, inputs, shuffle_seed=seed)["C"]
        np.testing.assert_array_equal(shaken, plain)
    a = order_instances(scop, tree, {"n": 5}, shuffle_seed=1)
    b = order_instances(scop, tree, {"n": 5})
    assert (a.statements != b.statements).any()


def test_sequence_below_a_parallel_loop_is_kept():
    b = ScopBuilder("two", ["n"])
    b.array("A", "int[n]")
    b.array("B", "int[n]")
    b.statement("i", "0 <= i < n", "A[i] = i", position=(0, 0))
    b.statement("i", "0 <= i < n", "B[i] = A[i]", position=(0, 1))
    scop = b.build()
    tree = mark(original_tree(scop), "parallel")
    zero = {"A": np.zeros(9), "B": np.zeros(9)}
    for seed in range(5):
        out = interpret(scop, tree, {"n": 9}, zero, shuffle_seed=seed)
        assert out["B"].tolist() == list(range(9))


def test_random_inputs_are_repeatable_and_tame():
    scop = gemm()
    a, b = (random_inputs(scop, {"n": 4}, seed=5) for _ in range(2))
    assert all((a[k] == b[k]).all() for k in a)
    assert (a["C"] > 0).all()
    assert (random_inputs(scop, {"n": 4}, seed=6)["C"] != a["C"]).any()
