"""Integers of 8 and 16 bits wrap as NumPy's do, in the C text as it is."""

import inspect
import warnings

import numpy as np
import pytest

from polysched.base import FrontendError, NotAffineError
from polysched.tensor import (
    ArrayType,
    ScalarArg,
    int8,
    int16,
    lower,
    parse_annotation,
    read_function,
    type_of,
    uint8,
    uint16,
)
from tests.fuzz.tensor_runs import build_library, run
from tests.unit.tensor import narrow
from tests.unit.tensor.refused import assert_refused
from tests.unit.tensor.test_numpy import assert_same_value

DTYPES = ["uint8", "int8", "uint16", "int16", "uint32"]
SIZES = {"n": 7, "m": 6}
OTHERS = {
    "f": "float32",
    "x": "float64",
    "p": "int64",
    "r": "int32",
    "w": "bool",
    "o": "bool",
}


def dtype_of(name, dtype):
    return OTHERS.get(name, dtype)


def shape_of(function, name):
    is_row = function in (narrow.typed_accumulator, narrow.alternatives)
    return ("n",) if name == "y" and is_row else ("n", "m")


def values(dtype, shape, rng):
    """Random ones, with both ends and what is near zero."""
    if dtype == "bool":
        return rng.random(shape) < 0.5
    if dtype.startswith("float"):
        return (rng.random(shape) * 40).astype(dtype)
    ends = np.iinfo(dtype if dtype in DTYPES else "int16")
    some = rng.integers(ends.min, ends.max + 1, shape)
    special = rng.choice([ends.min, ends.max, 0, 1, 2, ends.max // 2], shape)
    return np.where(rng.random(shape) < 0.5, special, some).astype(dtype)


@pytest.fixture(scope="module", params=DTYPES)
def compiled(request, tmp_path_factory):
    read = {}
    for function in narrow.FUNCTIONS:
        types = {
            n: ArrayType(dtype_of(n, request.param), shape_of(function, n))
            for n in inspect.signature(function).parameters
        }
        read[function.__name__] = lower(read_function(function, types))
    library = build_library(list(read.values()), tmp_path_factory.mktemp("narrow"))
    return request.param, library, read


@pytest.mark.cc
@pytest.mark.parametrize("function", narrow.FUNCTIONS, ids=lambda f: f.__name__)
def test_results_are_numpys(function, compiled):
    dtype, library, read = compiled
    rng = np.random.default_rng(3)
    given = {}
    for name in inspect.signature(function).parameters:
        shape = [SIZES[s] for s in shape_of(function, name)]
        given[name] = values(dtype_of(name, dtype), shape, rng)
    numpys = {n: v.copy() for n, v in given.items()}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = function(**numpys)
    found = run(library, read[function.__name__], given, SIZES)
    what = f"\n{read[function.__name__].text}"
    assert_same_value(found, expected, what)
    for name, value in numpys.items():
        assert_same_value(given[name], value, f"{name} in {what}")


TYPES = {
    "a": ArrayType("uint8", (9,)), "b": ArrayType("int8", (9,)),
    "c": ArrayType("int16", (9,)), "x": ArrayType("float64", (9,)),
    "i": ScalarArg("int64"),
}  # fmt: skip


def too_large(a):
    a += 300


def negative(a):
    a[:] = np.maximum(a, -1)


def folded(a):
    a[:] = a + ~100


def too_large_an_element(b):
    b[3] = 128


def too_large_a_number(a):
    a[0] = np.uint8(256)


def wider_in_place(a, c):
    a += c


def signed_in_place(a, b):
    a *= b


def counted_wider(a, b):
    np.add.at(a, b, np.ones(9, dtype=np.int64))


def unsigned_sum(a, x):
    x[0] = a.sum()


def unsigned_running_sum(a, x):
    x[:] = np.cumsum(a)


def half_precision(a, x):
    x[:] = np.sqrt(a)


def python_or_narrow(a, x):
    for i in range(9):
        x[i] = (a[i] if a[i] > 3 else 7) * 100


def python_then_narrow(a, x):
    total = 0
    for i in range(9):
        total += a[i]
    x[0] = total


def narrow_or_wider(a, c, x):
    for i in range(9):
        x[i] = min(a[i], c[i])


def least_of_python_and_narrow(a, x, i):
    x[0] = max(a[0], i)


def sum_of_a_narrow_subscript(a, x):
    for i in range(9):
        x[i] = x[a[i] + 1]


def long_shift(a):
    a <<= 8


def negative_power(b):
    b[:] = b**-1


def sum_in_truths(a, x):
    x[0] = np.sum(a, dtype=bool)


def sum_in_a_smaller_kind(x):
    x[0] = np.sum(x, dtype=np.int64)


def mean_in_integers(a, x):
    x[0] = np.mean(a, dtype=np.int64)


CASES = [
    (too_large, "the Python integer 300 does not fit into uint8", "a += 300"),
    (negative, "the Python integer -1 does not fit into uint8", "np.maximum"),
    (folded, "the Python integer -101 does not fit into uint8", "a + ~100"),
    (too_large_an_element, "the Python integer 128 does not fit into int8", "b[3]"),
    (too_large_a_number, "the Python integer 256 does not fit", "np.uint8(256)"),
    (wider_in_place, "cannot change uint8 in place to int16", "a += c"),
    (signed_in_place, "cannot change uint8 in place to int16", "a *= b"),
    (counted_wider, "cannot change uint8 in place to int64", "np.add.at"),
    (unsigned_sum, "NumPy sums uint8 in uint64", "a.sum()"),
    (unsigned_running_sum, "NumPy sums uint8 in uint64", "np.cumsum(a)"),
    (half_precision, "compute this of uint8 in float16", "np.sqrt(a)"),
    (python_or_narrow, "uint8 or a Python integer, which wrap differently", "a[i] if"),
    (python_then_narrow, "a Python integer or uint8, which wrap", "total += a[i]"),
    (narrow_or_wider, "uint8 or int16, which wrap differently", "min(a[i], c[i])"),
    (least_of_python_and_narrow, "uint8 or a Python integer", "max(a[0], i)"),
    (sum_of_a_narrow_subscript, "a subscript is not affine", "x[a[i] + 1]"),
    (long_shift, "the right side of << has to be a small constant", "a <<= 8"),
    (negative_power, "integers to the negative integer power", "b**-1"),
    (sum_in_truths, "np.sum of uint8 with dtype bool", "np.sum"),
    (sum_in_a_smaller_kind, "np.sum of float64 with dtype int64", "np.sum"),
    (mean_in_integers, "np.mean with dtype int64", "np.mean"),
]


@pytest.mark.parametrize(("function", "message", "at"), CASES)
def test_what_is_refused(function, message, at):
    names = inspect.signature(function).parameters
    kind = NotAffineError if "affine" in message else FrontendError
    assert_refused(function, {n: TYPES[n] for n in names}, kind, message, at)


def test_annotations_alone_are_numbers_of_numpy():
    for kind, scalar in ((uint8, np.uint8), (int8, np.int8), (int16, np.int16)):
        assert parse_annotation(kind) == parse_annotation(scalar)
        assert not parse_annotation(kind).is_weak
    assert str(uint16["N", 3]) == "uint16[N, 3]"
    assert type_of(np.int8(3)) == parse_annotation(np.int8)
    assert type_of(np.zeros(3, np.uint16)) == ArrayType("uint16", (3,))


def narrow_steps(a, b):
    a[:] = (a + b) * 2 - (a << 1)
    a += b


def test_every_step_is_cut_back_but_the_last_which_being_written_is():
    found = lower(read_function(narrow_steps, dict.fromkeys("ab", TYPES["a"])))
    short = "unsigned char"
    sides = f"({short})(({short})(a[i] + b[i]) * 2) - ({short})(a[i] << 1)"
    assert f"a[i] = {sides};" in found.text
    assert "a[i] += b[i];" in found.text
