"""Versions free dependences: every schedule stays legal, and more become so."""

from dataclasses import replace

import numpy as np
import pytest

from polysched.analysis import compute_dependences
from polysched.frontend import parse_c
from polysched.sets import list_maps, map_names, n_dims, read_map
from polysched.tensor import ArrayType, contract, expand, lower, read_function
from tests.fuzz.tensor_runs import build_library, run
from tests.fuzz.test_tensor_programs import assert_same

SIZES = {"N": 8, "M": 7}
MATRIX, ROW = ArrayType("float64", ("N", "M")), ArrayType("float64", ("M",))
pytestmark = pytest.mark.cc


def workspace(x, y, z, v, w):
    w[:] = x + 1
    y[:] = w * w[::-1]
    w[:] = z * 2
    v[:] = w + w[::-1]


def views(x, y, z, v):
    part = x[1:]
    part *= 2
    y[1:] = part + part[::-1]
    part[:] = z[1:] - 1
    v[1:] = part * 3


def rows(a, b):
    for i in range(a.shape[0]):
        row = a[i] * 2
        b[i] = row + row[::-1]


def row_sums(a, b):
    s = 0.0
    for i in range(a.shape[0]):
        s = 0.0
        for j in range(a.shape[1]):
            s += a[i, j]
        b[i, 0] = s


def branches(a, b, c):
    w = np.empty(a.shape[1])
    for i in range(a.shape[0]):
        if i % 2 == 0:
            w[:] = a[i]
        else:
            w[:] = b[i] * 2
        c[i] = w - w[::-1]


def steps(x, y):
    for t in range(1, 6):
        old = x.copy()
        x[1:-1] = old[:-2] + old[2:]
        old[:] = y * t
        y[1:] = old[:-1]


def looked_up(x, y, k):
    for i in range(len(k)):
        w = x * i
        y[k[i]] += w[k[i]] + i
        w[k[i]] = 2.0
        y += w


def in_rows_of_data(x, y, k):
    w = np.zeros(len(x))
    for i in range(len(k)):
        w[:] = x + i
        for j in range(k[0], k[i]):
            y[i] += w[j] * x[k[j]]
            w[j] *= 2
        y += w


def ended(a, b):
    w = np.zeros(a.shape[1])
    for i in range(a.shape[0]):
        w[:] = a[i] * 2
        s = 0.0
        for j in range(a.shape[1]):
            if w[j] > 1.5:
                break
            s += w[j]
        for j in range(a.shape[1]):
            if j > i:
                break
            w[j] = s
        while s < 4:
            s += 1.0
        b[i] = w + s
        w[0] = b[i, 1]
        b[i, 0] = w[0]


def flat(a, x, y):
    n, m = a.shape
    w = x * 2
    for p in range(n * m - 50):
        y[p] = w[p] + w[0]
        w[p] = y[p]
    y += w


TYPES = {"a": MATRIX, "b": MATRIX, "c": MATRIX} | dict.fromkeys("vwxyz", ROW)
TYPES["k"] = ArrayType("int64", ("M",))
FUNCTIONS = [workspace, views, rows, row_sums, branches, steps]


def read(function):
    names = function.__code__.co_varnames[: function.__code__.co_argcount]
    return read_function(function, {n: TYPES[n] for n in names})


def dependences(program, path):
    """What has to keep its order when temporaries are private."""
    function = lower(program)
    path.write_text(function.text)
    (scop,) = parse_c(path).scops
    private = {p.name for p in function.temporaries}
    arrays = tuple(
        replace(a, live_in=False, live_out=False) if a.name in private else a
        for a in scop.arrays
    )
    return compute_dependences(replace(scop, arrays=arrays))


def has_parallel_outermost_loop(found):
    for pair in list_maps(found.validity):
        one, two = map_names(pair)
        sizes = [n_dims(s) for s in (pair.domain(), pair.range())]
        heads = [
            f"{name}[{', '.join(['same', *(f'{c}{k}' for k in range(1, n))][:n])}]"
            for name, n, c in zip((one, two), sizes, "st", strict=True)
        ]
        if not pair.is_subset(read_map(f"{{ {heads[0]} -> {heads[1]} }}")):
            return False
    return True


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda f: f.__name__)
def test_more_schedules_become_legal(function, tmp_path):
    program = read(function)
    before = dependences(program, tmp_path / "before.c")
    after = dependences(expand(program), tmp_path / "after.c")
    assert after.validity.is_strict_subset(before.validity)
    assert after.flow.is_equal(before.flow)


@pytest.mark.parametrize("function", [rows, row_sums, branches])
def test_the_outermost_loop_becomes_parallel(function, tmp_path):
    program = read(function)
    assert not has_parallel_outermost_loop(dependences(program, tmp_path / "before.c"))
    after = dependences(expand(program), tmp_path / "after.c")
    assert has_parallel_outermost_loop(after)


@pytest.mark.parametrize(
    "function",
    [*FUNCTIONS, looked_up, in_rows_of_data, ended, flat],
    ids=lambda f: f.__name__,
)
def test_values_stay(function, tmp_path):
    program = read(function)
    random = np.random.default_rng(1)
    names = [p.source for p in lower(program).parameters if p.kind == "array"]
    inputs = {
        n: random.normal(size=[SIZES[s] for s in TYPES[n].shape]) for n in names if n
    }
    inputs |= {n: np.array([0, 4, 2, 2, 6, 1, 5]) for n in inputs if n == "k"}
    expected = {n: v.copy() for n, v in inputs.items()}
    function(**expected)
    for k, made in enumerate((expand(program), contract(expand(program)))):
        folder = tmp_path / str(k)
        folder.mkdir()
        c_function = lower(made)
        ours = {n: v.copy() for n, v in inputs.items()}
        run(build_library([c_function], folder), c_function, ours, SIZES)
        for name, value in expected.items():
            assert_same(ours[name], value, name)


def test_contraction_shares_memory():
    program = read(two_phases)
    assert len(lower(program).temporaries) == 2
    assert len(lower(contract(program)).temporaries) == 1


def two_phases(x, y):
    one = x * 2
    y[:] = one + one[::-1]
    two = y - 1
    x[:] = two * two[::-1]
