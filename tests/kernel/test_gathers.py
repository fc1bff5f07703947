"""Arrays as subscripts are NumPy's, and are checked like single elements."""

import numpy as np
import pytest

import polysched as ps

pytestmark = pytest.mark.cc
N, M = ps.float64["N"], ps.float64["M"]
C = ps.float64["N", "C"]
K, K2 = ps.int64["M"], ps.int32["P", "Q"]


def scaled(x: N, k: K):
    return x[k] * 2


def row_sum(t: C, k: K):
    return t[k].sum(axis=0)


def columns(t: C, k: K):
    return t[:, k]


def pairs(t: C, k: K, j: K):
    return t[k, j]


def one_row(t: C, k: K):
    return t[-1, k]


def shuffled(x: N, k: ps.int64["N"]):
    x[:] = x[k]


def square(x: N, k: K2):
    return x[k]


def bags(t: C, k: K2, out: ps.float64["P", "C"]):
    for b in range(len(k)):
        out[b] = t[k[b]].max(axis=0)


def of_a_view(x: N, k: K):
    back = (x * 2)[::-1]
    return back[k[1:]]


def embedded(t: C, k: K, v: M):
    return t[k] @ np.ones(t.shape[1]) + v


def kept(x: N, k: K):
    found = x[k]
    x[:] = 0
    return found


def in_turn(x: N, k: K):
    for v in x[k]:
        x[0] += v


def doubled_in_turn(x: N, k: K):
    for v in x * 2:
        x[k[0]] += v


def changed(found, x):
    x[:] = 1
    return found * x[0]


def handed_on(x: N, k: K):
    return changed(x[k], x)


FUNCTIONS = [
    scaled, row_sum, columns, pairs, one_row, shuffled, square, bags, of_a_view,
    embedded, kept, in_turn, doubled_in_turn, handed_on,
]  # fmt: skip


@pytest.mark.parametrize("function", FUNCTIONS)
def test_results_are_numpys(function):
    rng = np.random.default_rng(4)
    n, c, m, q = 6, 5, 8, 3
    arrays = {"x": rng.random(n), "t": rng.random((n, c)), "v": rng.random(m)}
    arrays |= {"out": np.zeros((m, c)), "j": rng.integers(0, c, m)}
    arrays["k"] = rng.integers(0, c, n if function is shuffled else m)
    if function in (square, bags):
        arrays["k"] = rng.integers(0, c, (m, q)).astype(np.int32)
    names = function.__annotations__
    kernel = ps.kernel(function, timeout=1.0)
    ours, numpys = ({s: arrays[s].copy() for s in names} for _ in range(2))
    found, right = kernel(**ours), function(**numpys)
    if right is not None:
        np.testing.assert_allclose(found, right, rtol=1e-12)
    for name in names:
        np.testing.assert_allclose(ours[name], numpys[name], rtol=1e-12)
    for wrong in (-1, n):
        before = {s: ours[s].copy() for s in names}
        before["k"].flat[-1] = wrong
        given = {s: a.copy() for s, a in before.items()}
        with pytest.raises(IndexError, match=f"'k' holds {wrong} at"):
            kernel(**given)
        for name in names:
            np.testing.assert_array_equal(given[name], before[name])
