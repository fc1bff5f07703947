"""Every argument that cannot be worked on is refused in a sentence; nothing runs."""

import numpy as np
import pytest

import polysched as ps
from polysched.base import FrontendError
from tests.kernel import kernels

pytestmark = pytest.mark.cc


def vector(n=8):
    return np.arange(float(n))


def _read_only():
    y = vector()
    y.flags.writeable = False
    return y


_SHARED = vector(12)
_UNALIGNED = np.zeros(8 * 8 + 1, np.uint8)[1:].view(np.float64)

CASES = [
    # a, x, y, class, sentence
    (1.0, [1.0] * 8, vector(), TypeError, "'x' is of type 'list', expected an array"),
    (1.0, None, vector(), TypeError, "'x' is of type 'NoneType'"),
    ("2", vector(), vector(), TypeError, "'a' is of type 'str', expected float"),
    (2j, vector(), vector(), TypeError, "'a' is of type 'complex', expected float"),
    (2**53 + 1, vector(), vector(), ValueError, "which no float holds exactly"),
    (1.0, vector().astype("f4"), vector(), TypeError, "array of float32, expected flo"),
    (1.0, vector().astype(">f8"), vector(), TypeError, "not in this machine's byte or"),
    (1.0, vector().astype("i8"), vector(), TypeError, r"\.astype\(np.float64\)"),
    (1.0, np.ones((2, 4)), vector(), ValueError, r"has 2 dimension\(s\), expected 1"),
    (1.0, vector(7), vector(), ValueError, "has the size 8, expected N = 7 as dim"),
    (1.0, vector(16)[::2], vector(), ValueError, "with gaps .*ascontiguousarray"),
    (1.0, vector()[::-1], vector(), ValueError, "with gaps"),
    (1.0, vector(), vector(16)[::2], ValueError, "copy the result back"),
    (1.0, vector(), _read_only(), ValueError, "'y' is read-only, and the kernel wri"),
    (1.0, _SHARED[:8], _SHARED[4:], ValueError, "'x' and 'y' share memory, and the"),
    (1.0, _UNALIGNED, vector(), ValueError, "does not start at a multiple"),
    (1.0, np.ma.ones(8), vector(), TypeError, "is a MaskedArray, expected a plain"),
]  # fmt: skip


@pytest.mark.parametrize(("a", "x", "y", "kind", "text"), CASES)
def test_refused(a, x, y, kind, text):
    before = None if not isinstance(y, np.ndarray) else y.copy()
    with pytest.raises(kind, match=f"(?s){text}") as caught:
        kernels.axpy(a, x, y)
    assert isinstance(caught.value, ps.PolyschedError)
    np.testing.assert_array_equal(y, before)


def test_order_of_fortran():
    A = np.asfortranarray(np.eye(5) + np.arange(5))
    with pytest.raises(ValueError, match="in Fortran's order"):
        kernels.cholesky(A)


@pytest.mark.parametrize("k", [1, -9, 8, 2**39])
def test_no_array_is_left(k):
    with pytest.raises(IndexError, match=r"y\[i\] = x\[i \+ k\]") as caught:
        kernels.shift(k, vector(), vector())
    assert caught.value.where.line == _line_of("y[i] = x[i + k]")
    assert f"outside of its shape (8), for k = {k}, N = 8" in str(caught.value)


def _line_of(text):
    with open(kernels.__file__, encoding="utf-8") as file:
        return next(k for k, line in enumerate(file, 1) if text in line)


def test_inside_is_not_refused():
    x, y = vector(), np.zeros(8)
    kernels.shift(0, x, y)
    np.testing.assert_array_equal(y, x)
    kernels.shift(-2, x, y)  # Python counts from the end
    np.testing.assert_array_equal(y, np.roll(x, 2))
    kernels.shift(5, vector(0), vector(0))  # no iteration, so no access


def test_integers_have_limits():
    with pytest.raises(ValueError, match="too large for int"):
        kernels.shift(2**63, vector(), vector())
    with pytest.raises(ValueError, match="too large for a number of iterations"):
        kernels.shift(2**62, vector(), vector())
    with pytest.raises(TypeError, match="'k' is of type 'float', expected int"):
        kernels.shift(1.0, vector(), vector())


def test_types_that_no_kernel_takes():
    with pytest.raises(TypeError, match="complex128"):
        kernels.negate(np.ones(3, complex), np.ones(3))
    with pytest.raises(TypeError, match="argument 'x'"):
        kernels.negate({}, np.ones(3))


def test_types_that_are_missing():
    with pytest.raises(TypeError, match="needs the type of its parameter 'x'"):
        kernels.negate.build()


def test_wrong_annotations_are_shown():
    @ps.kernel
    def wrong(x: "list[float]"):
        pass

    with pytest.raises(ps.PolyschedError, match="parameter 'x': the annotation"):
        wrong(vector())


def test_collected_arguments():
    @ps.kernel
    def many(*xs):
        pass

    with pytest.raises(ps.PolyschedError, match="takes any number of arguments"):
        many(vector())


def test_the_last_number_of_a_loop_wants_a_name_of_its_own():
    def last(x: ps.float64["N"]):
        i = 0
        for i in range(len(x)):
            x[i] += 1
        return i

    with pytest.raises(FrontendError, match="last number is not kept") as caught:
        ps.kernel(last).scop()
    assert "last = i" in str(caught.value)


def test_enumerate_counts_from_zero():
    def start(x: ps.float64["N"]):
        for i, y in enumerate(x, 1):
            x[i - 1] = y * i

    with pytest.raises(FrontendError, match="enumerate with a start"):
        ps.kernel(start).scop()


@pytest.mark.parametrize("is_first", [True, False])
def test_an_argument_with_the_name_of_a_size_is_that_size(tmp_path, is_first):
    def behind(x: ps.float64["N"], N: int):
        return x + N

    def in_front(N: int, x: ps.float64["N"]):
        return x + N

    kernel = ps.kernel(in_front if is_first else behind, timeout=0, cache=tmp_path)
    order = (lambda n, x: (n, x)) if is_first else (lambda n, x: (x, n))
    assert kernel(*order(3, np.zeros(3))).tolist() == [3, 3, 3]
    told = (
        r"size 3, expected N = 5 as the argument 'N' has it"
        if is_first
        else (r"argument 'N' is 5, expected 3 as dimension 0 of 'x' has it")
    )
    with pytest.raises(ps.PolyschedError, match=told):
        kernel(*order(5, np.zeros(3)))
