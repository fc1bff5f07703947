"""Random programs on arrays: NumPy itself = the C text compiled as it is.

The slice below runs in CI; `make fuzz` and the slow test run more. A program's number
is its seed: POLYSCHED_FUZZ_SEED says from which on. Sums are added up in another order
than NumPy's pairwise one, so that floats are equal within a bound; integers are equal.
"""

import copy
import inspect
import linecache
import os
import warnings
from collections import Counter

import numpy as np
import pytest

from polysched.base import FrontendError
from polysched.tensor import (
    ArrayType,
    ScalarArg,
    contract,
    expand,
    lower,
    read_function,
)
from tests.fuzz.tensor_expressions import SIZES
from tests.fuzz.tensor_programs import blend, random_program, shift_in
from tests.fuzz.tensor_runs import build_library, run

FIRST = int(os.environ.get("POLYSCHED_FUZZ_SEED", "100"))
MAX_REFUSED = 0.15  # part of all programs
pytestmark = pytest.mark.cc


def as_function(program):
    """The program as a Python function whose source can be read."""
    name = f"<tensor program {program.seed}>"
    lines = program.text.splitlines(keepends=True)
    linecache.cache[name] = (len(program.text), None, lines, name)
    scope = {"np": np, "blend": blend, "shift_in": shift_in}
    scope["__name__"] = "tests.fuzz.programs"
    exec(compile(program.text, name, "exec"), scope)
    function = scope[f"f{program.seed}"]
    assert inspect.getsource(function) == program.text
    return function


def signature(program):
    types = {}
    for name, (dtype, names) in program.arguments.items():
        sizes = names if program.is_symbolic else tuple(SIZES[n] for n in names)
        types[name] = ArrayType(dtype, sizes)
    is_integer = all(d == "int64" for d, _ in program.arguments.values())
    types["alpha"] = ScalarArg("int64" if is_integer else "float64")
    return types


def inputs(program):
    random = np.random.default_rng(program.seed)
    found = {}
    for name, (dtype, names) in program.arguments.items():
        values = random.integers(-8, 9, [SIZES[n] for n in names])
        found[name] = (values / (1 if dtype == "int64" else 4)).astype(dtype)
    is_integer = all(d == "int64" for d, _ in program.arguments.values())
    found["alpha"] = 2 if is_integer else 0.75
    return found


def assert_same(ours, theirs, what):
    if isinstance(theirs, tuple):
        for k, (one, two) in enumerate(zip(ours, theirs, strict=True)):
            assert_same(one, two, f"{what}[{k}]")
        return
    one, two = np.asarray(ours), np.asarray(theirs)
    assert one.shape == two.shape, f"{what}: shape {one.shape}, NumPy has {two.shape}"
    if isinstance(theirs, (np.ndarray, np.generic)):
        assert one.dtype == two.dtype, f"{what}: {one.dtype}, NumPy has {two.dtype}"
    if two.dtype.kind == "f":
        close = 1e-4 if two.dtype == np.float32 else 1e-10
        np.testing.assert_allclose(one, two, close, close, err_msg=what)
    else:
        np.testing.assert_array_equal(one, two, err_msg=what)


def check_programs(seeds, folder):
    """Compare; gives how many programs were refused, by reason.

    Every fourth program runs with a version of an array for each value, every eighth
    with versions that share memory again.
    """
    read, refused = [], Counter()
    for seed in seeds:
        program = random_program(seed)
        function = as_function(program)
        arguments = inputs(program)
        expected = copy.deepcopy(arguments)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                result = function(**expected)
        except TypeError:  # a write that NumPy does not cast: so it is here
            with pytest.raises(FrontendError, match="cannot change"):
                read_function(function, signature(program))
            refused["NumPy"] += 1
            continue
        except (
            IndexError, OverflowError, UnboundLocalError, ZeroDivisionError
        ):  # fmt: skip
            refused["NumPy"] += 1
            continue
        try:
            found = read_function(function, signature(program))
            if seed % 4 == 1:
                found = expand(found)
            if seed % 8 == 1:
                found = contract(found)
            c_function = lower(found)
        except FrontendError as error:
            refused[error.message] += 1
            continue
        read.append((program, c_function, arguments, expected, result))
    library = build_library([c for _, c, *_ in read], folder)
    for program, c_function, arguments, expected, result in read:
        ours = run(library, c_function, arguments, SIZES)
        what = f"program {program.seed}\n{program.text}{c_function.text}"
        assert_same(ours, result, f"result of {what}")
        for name in program.arguments:
            assert_same(arguments[name], expected[name], f"{name} in {what}")
    return refused


@pytest.mark.long
@pytest.mark.parametrize("part", range(4))
def test_c_equals_numpy(part, tmp_path):
    first = FIRST + 50 * part
    refused = check_programs(range(first, first + 50), tmp_path)
    assert sum(refused.values()) <= MAX_REFUSED * 50, refused


@pytest.mark.slow
@pytest.mark.parametrize("part", range(10))
def test_c_equals_numpy_in_2000_programs(part, tmp_path):
    first = FIRST + 1000 + 200 * part
    refused = check_programs(range(first, first + 200), tmp_path)
    assert sum(refused.values()) <= MAX_REFUSED * 200, refused
