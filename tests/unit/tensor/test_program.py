"""What a C function says of itself: parameters, roles, checks, places, results."""

import inspect

import numpy as np
import pytest

import polysched.tensor as tensor
from polysched.base import FrontendError
from polysched.frontend import parse_c
from polysched.tensor import (
    ArrayType,
    ConstantArg,
    Returned,
    ScalarArg,
    float32,
    float64,
    lower,
    parse_annotation,
    read_function,
    type_of,
)

SCALE = 2.5
MATRIX = float64["N", "M"]


def product(alpha, a, b, c):
    c[:] = alpha * a @ b + c


def half(a):
    return a[::2, 0] * SCALE


def window(x, k):
    x[:k] = x[-k:]


def pick(x, mode, flag=True):
    if mode == "double":
        x *= 2
    else:
        x += 1
    if flag:
        x[0] = 0


def stated(n, x):
    for i in range(n):
        x[i] = i


def clash(double, exp, i):
    for k in range(len(exp)):
        exp[k] = double * i[k]


def helper(x):
    return x + SCALE


def calling(x):
    x[:] = helper(x)


def read(function, **types):
    return lower(read_function(function, types))


def test_parameters_come_in_order_with_their_roles():
    types = {"a": float64["N", "K"], "b": float64["K", "M"], "c": MATRIX}
    found = read(product, alpha=ScalarArg("float64"), **types)
    assert [(p.name, p.kind, p.role) for p in found.parameters] == [
        ("N", "size", "input"), ("K", "size", "input"), ("M", "size", "input"),
        ("alpha", "scalar", "input"), ("a", "array", "input"), ("b", "array", "input"),
        ("c", "array", "inout"), ("tmp", "array", "temporary"),
    ]  # fmt: skip
    assert found.parameter("tmp").shape({"N": 3, "K": 4, "M": 5}) == (3, 5)
    assert found.returns == Returned("none")
    assert "double alpha" in found.text


def test_results_have_sizes_and_places():
    found = read(half, a=MATRIX)
    assert found.returns == Returned("array", "result")
    (result,) = found.results
    assert [result.shape({"N": n, "M": 2}) for n in (0, 1, 5, 6)] == [
        (0,), (1,), (3,), (3,),
    ]  # fmt: skip
    assert result.where.line == inspect.getsourcelines(half)[1] + 1
    (check,) = found.checks
    assert "out of bounds" in check.message
    assert check.holds({"N": 1, "M": 1})
    assert not check.holds({"N": 1, "M": 0})


def test_slices_are_checked_where_they_would_be_cut():
    found = read(window, x=float64["N"], k=ScalarArg("int64"))
    fits = [
        all(c.holds({"N": 5, "k": k}) for c in found.checks) for k in (-1, 0, 1, 5, 6)
    ]
    assert fits == [False, False, True, True, False]  # NumPy takes -0 as the beginning


def test_every_line_knows_its_python_line():
    found = read(half, a=MATRIX)
    number = next(k for k, t in enumerate(found.text.splitlines(), 1) if "2.5" in t)
    line = found.lines[number]
    assert line.text == "return a[::2, 0] * SCALE"
    assert line.where.file == __file__


def gram(x):
    return x.T @ x


def almost_gram(x, y):
    return x.T @ y


def test_half_of_a_symmetric_product_is_computed():
    """As NumPy does: the other half has the same values."""
    matrix = ArrayType("float64", ("n", "m"))
    found = read(gram, x=matrix).text
    assert "for (long j = 0; j < i + 1; j++)" in found
    assert "result[i][j] = result[j][i];" in found
    assert "i + 1" not in read(almost_gram, x=matrix, y=matrix).text


def sums(x, z):
    total = 0.0
    for i in range(len(z)):
        total += z[i]
    return x @ z, np.sum(x, axis=0), x.mean(), np.max(z), np.prod(z), total


def test_lines_that_add_up_for_numpy_have_no_order():
    found = read(sums, x=MATRIX, z=float64["M"])
    lines = found.text.splitlines()
    free = [
        lines[k - 1].split("=")[0] for k, v in found.lines.items() if v.is_unordered
    ]
    assert len(free) == 4
    assert not any(text.strip().startswith("total ") for text in free)


def test_constants_decide_branches():
    one = read(pick, x=float64["N"], mode=ConstantArg("double"))
    two = read(pick, x=float64["N"], mode=ConstantArg("other"), flag=ConstantArg(False))
    assert "*= 2.0" in one.text
    assert "x[0] = 0.0" in one.text
    assert "+= 1.0" in two.text
    assert "x[0]" not in two.text


def test_an_argument_may_state_a_size():
    found = read(stated, n=ScalarArg("int64"), x=float64["n"])
    (check,) = found.checks
    assert check.holds({"n": 3, "n_2": 3})
    assert not check.holds({"n": 3, "n_2": 4})
    assert "i < n;" in found.text


def test_names_of_c_are_avoided(tmp_path):
    vector = ArrayType("float64", ("N",))
    found = read(clash, double=ScalarArg("float64"), exp=vector, i=vector)
    path = tmp_path / "clash.c"
    path.write_text(found.text)
    assert not parse_c(path).refusals
    assert found.parameter("double_").source == "double"


def test_names_of_isl_are_avoided():
    found = read(
        clash, double=ScalarArg("float64"), exp=float64["max"], i=float64["mod"]
    )
    assert [p.source for p in found.parameters if p.kind == "size"] == ["max", "mod"]
    assert [p.name for p in found.parameters if p.kind == "size"] == ["max_", "mod_"]


def test_sources_hold_what_the_text_depends_on():
    found = read(calling, x=float64["N"])
    assert inspect.getsource(helper) in found.sources
    assert "SCALE = 2.5" in found.sources


def test_types_of_arguments():
    assert str(type_of(np.zeros((2, 3), np.float32))) == "float32[2, 3]"
    assert type_of(2) == parse_annotation(int)
    assert type_of(np.float32(1)) == ScalarArg("float32", is_weak=False)
    assert type_of("x") == ConstantArg("x")
    assert parse_annotation(float32) == ScalarArg("float32")
    assert str(float64["N", 3]) == "float64[N, 3]"
    for wrong in (np.zeros(2, complex), [1, 2], object()):
        with pytest.raises(FrontendError):
            type_of(wrong)
    for wrong in ("a b", -1, 2.5):
        with pytest.raises(FrontendError):
            float64[wrong]
    with pytest.raises(FrontendError, match="states no argument type"):
        parse_annotation(list)


def test_missing_types_are_refused():
    with pytest.raises(FrontendError, match="the type of 'mode' is not known"):
        read(pick, x=float64["N"])
    with pytest.raises(FrontendError, match="no parameter 'z'"):
        read(half, z=MATRIX)
    with pytest.raises(FrontendError, match="cannot be read"):
        read(len, x=MATRIX)


def test_the_face_is_complete():
    assert all(getattr(tensor, name) is not None for name in tensor.__all__)
    with pytest.raises(AttributeError):
        _ = tensor.nothing
