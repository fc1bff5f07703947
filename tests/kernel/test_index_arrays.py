"""What data choose: results are Python's, and what leaves an array never runs."""

import numpy as np
import pytest

import polysched as ps
from tests.kernel import index_kernels as kernels

pytestmark = pytest.mark.cc
TYPES = ["int64", "int32"]


def vectors(rng, kernel, dtype):
    """Arguments of a kernel that looks elements up, with the position of `k`."""
    n, m = rng.integers(1, 12), rng.integers(0, 30)
    x, v = rng.random(n), rng.random(m)
    k = rng.integers(0, n, m).astype(dtype)
    if kernel in (kernels.count, kernels.put):
        return [x, k, v], 1
    if kernel is kernels.take_rows:
        m = int(rng.integers(0, 5))
        k = rng.integers(0, n, (m, 3)).astype(dtype)
        return [rng.random((m, 4)), rng.random((n, 4)), k], 2
    if kernel is kernels.between:
        return [v, rng.random(n + 1), k], 2
    if kernel is kernels.window:
        width = int(rng.integers(0, 4))
        return [v, rng.random(n + 3), (k + 3).astype(dtype), width], 2
    if kernel is kernels.follow:
        order = rng.integers(0, max(m, 1), m).astype(dtype)
        return [v, x, k, order], 3
    return [v, x, k], 2


def rows(rng, kernel, dtype):
    """Arguments of a kernel on sparse rows, some of them empty or falling."""
    n, m, size = (int(rng.integers(low, 9)) for low in (0, 1, 0))
    start = rng.integers(0, size + 1, n + 1)
    start = (np.sort(start) if rng.random() < 0.7 else start).astype(dtype)
    y, x, value = rng.random(n), rng.random(m), rng.random(size)
    column = rng.integers(0, m, size).astype(dtype)
    if kernel is kernels.sparse_rows:
        return [y, value, column, start, x], 3
    if kernel is kernels.sparse_columns:
        return [x, value, column, start, y], 3
    if kernel is kernels.scaled_rows:
        return [value, start, y], 1
    if kernel is kernels.backwards:
        return [y, value, start], 2
    if kernel is kernels.triangle:
        return [rng.random(n + 1), rng.random(size), start], 2
    column = rng.integers(0, max(n, 1), size).astype(dtype) if n else column[:0]
    start = np.minimum(start, len(column)).astype(dtype)
    return [y, column, start, rng.random(max(n, 1))], 2


LOOKED_UP = [
    kernels.look_up, kernels.take_rows, kernels.count, kernels.put, kernels.between,
    kernels.window, kernels.follow, kernels.reversed_view, kernels.chosen_halves,
]  # fmt: skip
BOUNDED = [
    kernels.sparse_rows, kernels.sparse_columns, kernels.scaled_rows,
    kernels.triangle, kernels.backwards, kernels.two_steps,
]  # fmt: skip
CASES = [(k, vectors, t) for t in TYPES for k in LOOKED_UP]
CASES += [(k, rows, t) for t in TYPES for k in BOUNDED]
CASES.remove((kernels.backwards, rows, "int32"))  # start[i] - 1 may wrap


def copies(given):
    return [a.copy() if isinstance(a, np.ndarray) else a for a in given]


def name(value):
    return getattr(value, "__name__", str(value))


@pytest.mark.parametrize(("kernel", "make", "dtype"), CASES, ids=name)
def test_results_are_pythons(kernel, make, dtype):
    rng = np.random.default_rng(1)
    for _ in range(25):
        given, _ = make(rng, kernel, dtype)
        ours, pythons = copies(given), copies(given)
        kernels.build(kernel, dtype)(*ours)
        kernel(*pythons)
        for a, b in zip(ours, pythons, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(("kernel", "make", "dtype"), CASES, ids=name)
def test_nothing_runs_where_an_element_leaves(kernel, make, dtype):
    rng = np.random.default_rng(2)
    for wrong in (-1, 1000, np.iinfo(dtype).min, np.iinfo(dtype).max):
        given, at = make(rng, kernel, dtype)
        while not given[at].size:
            given, at = make(rng, kernel, dtype)
        if kernel is kernels.triangle and wrong < 0:
            continue  # a range that ends before it begins
        place = int(rng.integers(given[at].size))
        given[at].flat[place] = wrong
        before = copies(given)
        with pytest.raises(IndexError, match=f"holds {wrong} at ") as caught:
            kernels.build(kernel, dtype)(*given)
        assert isinstance(caught.value, ps.PolyschedError)
        for a, b in zip(given, before, strict=True):
            np.testing.assert_array_equal(a, b)


def test_every_element_counts_whether_it_is_read_or_not():
    x, k = np.arange(3.0), np.array([[0, 1, 7]])
    with pytest.raises(
        IndexError, match=r"'k' holds 7 at \[0, 2\], expected at most 2"
    ):
        kernels.build(kernels.take_rows, "int64")(np.zeros((1, 4)), np.zeros((3, 4)), k)
    with pytest.raises(IndexError, match=r"(?s)'k' holds -1 .*count from the end"):
        kernels.build(kernels.look_up, "int64")(np.zeros(1), x, np.array([-1]))


def test_index_arrays_share_no_memory_with_what_is_written():
    memory = np.zeros(8)
    with pytest.raises(ValueError, match="share memory"):
        kernels.build(kernels.put, "int64")(
            memory, memory.view(np.int64)[:4], np.zeros(4)
        )


def test_the_model_chooses_where_data_cannot_be_made_up():
    h, k, v = np.zeros(3), np.array([2, 2, 0]), np.ones(3)
    with pytest.raises(ps.PolyschedError, match="'k' say what count reaches"):
        kernels.build(kernels.count, "int64").tune(h, k, v)
    tuned = ps.kernel(kernels.count, tune=True, timeout=1.0)
    tuned(h, k, v)
    assert h.tolist() == [1, 0, 2]
    assert "no schedule that was measured" not in tuned.built[0].note


def scaled(a: ps.int64["N"], x: ps.float64["N", "M"]):
    for i in range(len(a)):
        factor = a[i]
        for j in range(x.shape[1]):
            x[i, j] *= factor


def test_integers_that_choose_nothing_can_be_made_up():
    x = np.ones((4, 3))
    tuned = ps.kernel(scaled, tune=True, timeout=1.0, budget=2)
    tuned(np.arange(4), x)
    assert x[:, 0].tolist() == [0, 1, 2, 3]
    assert "ranked first by the model" not in tuned.built[0].note
