"""The C text of many functions, compiled as it is, gives NumPy's results and types."""

import copy
import inspect
import warnings

import numpy as np
import pytest

from polysched.tensor import ArrayType, ScalarArg, lower, read_function
from tests.fuzz.tensor_runs import build_library, run
from tests.fuzz.test_tensor_programs import assert_same
from tests.unit.tensor import composed, ended, joined, kernels

FUNCTIONS = [f for m in (kernels, joined, ended, composed) for f in m.FUNCTIONS]

SIZES = {"n": 7, "m": 6, "k": 5}
MATRIX = ("n", "m")
KINDS = {
    "a": ("float64", MATRIX), "b": ("float64", MATRIX), "c": ("float64", ("n", "n")),
    "d": ("float64", ("m", "k")), "e": ("float64", (3, "n", "n")),
    "f": ("float32", MATRIX), "g": ("float32", MATRIX),
    "p": ("int64", MATRIX), "q": ("int64", MATRIX),
    "o": ("bool", MATRIX), "w": ("bool", ("n",)),
    "r": ("int32", MATRIX), "u": ("int64", ("n",)), "x": ("float64", ("n",)),
    "y": ("float64", ("n",)), "z": ("float64", ("m",)),
}  # fmt: skip
SCALARS = {"s": 0.75, "i": 5, "h": True}
SCALAR_TYPES = {"s": "float64", "i": "int64", "h": "bool"}
pytestmark = pytest.mark.cc


def size(name):
    return name if isinstance(name, int) else SIZES[name]


def types_of(function, is_symbolic):
    types = {}
    for name in inspect.signature(function).parameters:
        if name in SCALARS:
            types[name] = ScalarArg(SCALAR_TYPES[name])
        else:
            dtype, shape = KINDS[name]
            sizes = shape if is_symbolic else tuple(size(s) for s in shape)
            types[name] = ArrayType(dtype, sizes)
    return types


def arguments_of(function):
    random = np.random.default_rng(5)
    found = {}
    for name in inspect.signature(function).parameters:
        if name in SCALARS:
            found[name] = SCALARS[name]
            continue
        dtype, shape = KINDS[name]
        values = random.normal(size=[size(s) for s in shape]) * 2
        if dtype.startswith("int"):
            values = np.where(np.abs(values) < 1, 3, values * 4)
        elif dtype == "bool":
            values = values > 0
        found[name] = values.astype(dtype)
    return found


@pytest.fixture(scope="module", params=["symbolic", "constant"])
def compiled(request, tmp_path_factory):
    """All functions in one library."""
    read = {
        f.__name__: lower(read_function(f, types_of(f, request.param == "symbolic")))
        for f in FUNCTIONS
    }
    library = build_library(list(read.values()), tmp_path_factory.mktemp("numpy"))
    return library, read


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda f: f.__name__)
def test_function(function, compiled):
    library, read = compiled
    ours, theirs = arguments_of(function), arguments_of(function)
    before = copy.deepcopy(ours)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = function(**theirs)
    found = run(library, read[function.__name__], ours, SIZES)
    what = f"\n{read[function.__name__].text}"
    assert_same_value(found, expected, what)
    for name, value in theirs.items():
        if isinstance(value, np.ndarray):
            assert_same(ours[name], value, f"{name} in {what}")
    roles = {p.source: p.role for p in read[function.__name__].parameters}
    for name, value in before.items():
        if roles[name] == "input":
            assert_same(theirs[name], value, f"{name} is only read in {what}")


def assert_same_value(found, expected, what):
    if isinstance(expected, tuple):
        assert isinstance(found, tuple)
        for one, two in zip(found, expected, strict=True):
            assert_same_value(one, two, what)
    elif isinstance(expected, (np.ndarray, np.generic, float, int)):
        assert_same(found, expected, what)
    else:
        assert found == expected, what


def crossing(c):
    c[:, 2] = c[1]
    c[::-1, 3] = c[2, ::-1]


def test_a_row_is_read_before_the_column_that_crosses_it_is_written(tmp_path):
    """NumPy 2.4 reads elements of the row that it has written already."""
    found = lower(read_function(crossing, types_of(crossing, True)))
    arguments = arguments_of(crossing)
    c = arguments["c"].copy()
    c[:, 2] = c[1].copy()
    c[::-1, 3] = c[2, ::-1].copy()
    run(build_library([found], tmp_path), found, arguments, SIZES)
    assert_same(arguments["c"], c, found.text)


def cut(a, x, y, i, s):
    a[: i + 3] += 1.0
    a[i - 3 :, 2 : i + 20] *= s
    y[: len(y) + 1] = 2.0
    for k in range(len(x)):
        x[k] += np.sum(y[k : 2 * k + 3]) + len(y[k : 2 * k + 3])
    return a[: i + 9 : 2], len(a[: i + 1])


@pytest.mark.parametrize("i", [3, 4, 5, 8])
def test_slices_are_cut_off_where_a_number_decides_their_length(tmp_path, i):
    found = lower(read_function(cut, types_of(cut, True)))
    arguments = {**arguments_of(cut), "i": i}
    expected = copy.deepcopy(arguments)
    result = cut(**expected)
    ours = run(build_library([found], tmp_path), found, arguments, SIZES)
    assert_same(ours, result, found.text)
    for name in ("a", "x", "y"):
        assert_same(arguments[name], expected[name], name)


def lengths(x, y):
    v = x[3:]
    y[0] = len(v)
    y[1] = v.size + x[4:-1].shape[0]
    return len(v[1:])


@pytest.mark.parametrize("n", [2, 3, 7])
def test_a_slice_that_ends_before_it_begins_has_no_elements(tmp_path, n):
    types = {**types_of(lengths, True), "y": ArrayType("float64", (2,))}
    found = lower(read_function(lengths, types))
    x, y = np.zeros(n), np.zeros(2)
    expected = np.zeros(2)
    result = lengths(x, expected)
    sizes = {**SIZES, "n": n}
    library = build_library([found], tmp_path)
    assert run(library, found, {"x": x, "y": y}, sizes) == result
    assert_same(y, expected, found.text)
