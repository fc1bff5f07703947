"""Every construct that is not taken is refused with place, caret, reason and hint."""

# ruff: noqa: F821, F841, F401, T201, SIM105
import inspect

import numpy as np
import pytest

from polysched.base import FrontendError, NotAffineError, UnsupportedSyntaxError
from polysched.tensor import ArrayType, lower, read_function
from tests.unit.tensor.refused import assert_refused

MODULE_ARRAY = np.zeros(3)
MODULE_LIST = [1, 2]
TYPES = {
    "a": ArrayType("float64", (9,)),
    "n": ArrayType("int64", (9,)),
    "b": ArrayType("float64", ("N", "M")),
}


def while_over_all(a):
    while np.sum(a) > 1:
        a *= 0.5


def break_of_all(a):
    for i in range(9):
        if a[i] > 0:
            break
        a[i] = 1


def while_without_end(a):
    while True:
        a[0] += 1


def while_that_searches(a):
    k = 0
    while a[k] < 1:
        k += 1
    a[0] = k


def while_exchange(a):
    b = a * 2
    for i in range(3):
        while a[i] > 1:
            a, b = b, a
    b[0] = 1


def break_among_constants(a):
    for w in (1, 2):
        if a[0] > w:
            break
        a[0] = w


def continue_(a):
    for i in range(3):
        if a[i] > 0:
            if a[i] > 2:
                continue
            a[i] = 1
        a[i] = 0


def recursion(a):
    recursion(a)


def try_(a):
    try:
        a[0] = 1
    except ValueError:
        pass


def raise_(a):
    a[0] = 1
    raise ValueError


def assert_(a):
    assert a[0] > 0


def with_(a):
    with open("x"):
        a[0] = 1


def lambda_(a):
    f = lambda x, y=2: x + y  # noqa: E731
    a[0] = f(1)


def lambda_itself(a):
    f = lambda v: f(v - 1)  # noqa: E731
    a[0] = f(1)


def bincount(a, n):
    a[0] = np.bincount(n)[0]


def list_beside_a_number(b):
    b[0, :2] = b[0, [0, 1]]


def inside_a_composite(a):
    a[0] = np.ptp(a, axis=2)


def reversed_pairs(a):
    for i, v in reversed(enumerate(a)):
        a[i] = v


def fancy(a, n):
    a[n] += 1


def mask(a):
    a[0] = np.sum(a[a > 0])


def data_bound(a, n):
    for i in range(int(a[0])):
        a[n[0]] = i


def written_bound(a, n):
    for _i in range(n[0]):
        n[1] += 1
    a[0] = n[1]


def written_subscript(a, n):
    a[n[0]] = 1.0
    n[0] = 2


def two_chosen(a, n):
    a[n[0] + n[1]] = 1.0


def chosen_multiple(a, n):
    a[2 * n[0]] = 1.0


def chosen_slice(a, n):
    a[n[0] : n[1]] = 1.0


def chosen_length(a, n):
    for i in range(n[0]):
        row = np.zeros(i)
        a[0] += row.sum()


def local_place(a, n):
    for i in range(n[0], n[1]):
        a[0] += a[i - n[0]]


def exchanged(a, n):
    b = a * 2
    for _ in range(n[0]):
        a[0] = b[1]
        a, b = b, a


def product_subscript(a):
    for i in range(2):
        for j in range(2):
            a[i * j] = 0


def computed_fancy(a, n):
    a[0] = a[n * 2 // 3].sum()


def apart(a, n):
    m = np.zeros((2, 3, 9))
    a[0] = m[0, :, n].sum()


def data_subscript(a):
    a[int(a[0])] = 1.0


def float_subscript(a):
    x = a[0]
    a[x] = 1


def unknown_function(a):
    a[:] = np.fft.fft(a)


def builtin(a):
    print(a)


def unknown_name(a):
    a[0] = nowhere


def module_array(a):
    a[:3] = MODULE_ARRAY


def module_list(a):
    a[0] = MODULE_LIST[0]


def keyword(a):
    a[:] = np.sum(a, order="C")


def rank(a):
    a[0, 0] = 1


def shape(a):
    a[1:4] = a[2:4]


def broadcast(a):
    a[:] = a[:4] + a[:5]


def matrix_product(a):
    a[0] = a @ a[:3]


def dtype(a):
    a[:] = np.zeros(9, dtype=np.complex128)


def complex_number(a):
    a[0] = a[0] + 1j


def generator(a):
    a[0] = sum(x for x in a)


def comprehension(a):
    a[:3] = np.array([x * a[0] for x in a])


def dictionary(a):
    d = {0: 1}
    a[0] = d[0]


def global_(a):
    global MODULE_LIST
    a[0] = 1


def import_(a):
    import os

    a[0] = 1


def in_place_type(n):
    n *= 2.5


def delete(a):
    a[0] = 1
    del a


def star_arguments(*a):
    a[0] = 1


def star_call(a):
    x = (1, 2)
    a[0] = np.maximum(*x)


def early_return(a):
    if a[0] > 0:
        return a[0]
    a[1] = 1


def returns_number_or_array(a):
    if a[0] > 0:
        return a[0]
    return a


def loop_only(a):
    for i in range(3):
        t = i
    a[0] = t


def array_truth(a):
    a[0] = a > 0 and True


def out_of_bounds(a):
    a[10] = 1


def attribute_target(a):
    a.shape = (3, 3)


def nested_targets(a):
    for (x, y), i in zip(enumerate(a), a, strict=True):
        a[x] = i + y


def method(a):
    a.sort()


def number_and_array(a):
    x = a[0]
    if a[1] > 0:
        x = a[1:]
    a[2:] = x


def reshape(b):
    x = b.T.reshape(-1)
    b[0, 0] = x[0]


def loop_variable(a):
    for i in range(3):
        i = 3
        a[i] = 0


def negative_power(n):
    n[0] = n[1] ** -1


def unknown_power(n):
    n[0] = 2 ** n[1]


def nothing(a):
    x = a[0] + 1


def shared_view(a):
    x = a[:3]
    if a[0] > 0:
        x = a[3:6]
    x[0] = 1


def type_change(a, n):
    x = n[0]
    for i in range(3):
        x = a[i]
    a[0] = x


CASES = [
    (while_over_all, UnsupportedSyntaxError, "with no loop around it", "while"),
    (break_of_all, UnsupportedSyntaxError, "it writes a element by element", "for i"),
    (while_without_end, UnsupportedSyntaxError, "that nothing ends", "while"),
    (while_that_searches, NotAffineError, "a subscript is not affine", "a[k]"),
    (while_exchange, UnsupportedSyntaxError, "as often as data say", "while"),
    (break_among_constants, UnsupportedSyntaxError, "break may end", "(1, 2)"),
    (continue_, UnsupportedSyntaxError, "found continue", "continue"),
    (recursion, UnsupportedSyntaxError, "calls itself", "recursion(a)"),
    (try_, UnsupportedSyntaxError, "found try", "try"),
    (raise_, UnsupportedSyntaxError, "found raise", "raise"),
    (assert_, UnsupportedSyntaxError, "found assert", "assert"),
    (with_, UnsupportedSyntaxError, "found with", "with"),
    (lambda_, FrontendError, "found a lambda with defaults", "f(1)"),
    (lambda_itself, FrontendError, "f calls itself", "f(v"),
    (fancy, FrontendError, "found an array as a subscript", "a[n]"),
    (computed_fancy, FrontendError, "a subscript that is no index array", "a[n * 2"),
    (apart, FrontendError, "between subscripts that are arrays and in", "m[0, :, n]"),
    (mask, FrontendError, "found a mask as a subscript", "a[a > 0]"),
    (data_bound, NotAffineError, "the bound of a loop is not affine", "int(a[0])"),
    (
        written_bound,
        NotAffineError,
        "n chooses elements or iterations and is written",
        "n[0]",
    ),
    (written_subscript, FrontendError, "n chooses elements or iterations", "a[n[0]]"),
    (two_chosen, FrontendError, "has more than one element of an index", "a[n[0] + n"),
    (chosen_multiple, FrontendError, "an index array, or a multiple", "a[2 * n[0]]"),
    (chosen_slice, NotAffineError, "the end of a slice is not affine", "a[n[0] : n["),
    (chosen_length, FrontendError, "an array whose length data say", "row = np"),
    (local_place, FrontendError, "has more than one element of an ind", "a[i - n[0]]"),
    (exchanged, UnsupportedSyntaxError, "exchanges arrays as often as data say", "for"),
    (product_subscript, NotAffineError, "a subscript is not affine", "a[i * j]"),
    (data_subscript, NotAffineError, "a subscript is not affine", "a[int(a[0])]"),
    (
        float_subscript,
        FrontendError,
        "a subscript has to be an integer, found float64",
        "a[x]",
    ),
    (
        unknown_function,
        UnsupportedSyntaxError,
        "the function np.fft.fft is not known",
        "np.fft.fft(a)",
    ),
    (builtin, UnsupportedSyntaxError, "the function print is not known", "print(a)"),
    (unknown_name, FrontendError, "the name 'nowhere' is not defined", "nowhere"),
    (
        module_array,
        UnsupportedSyntaxError,
        "'MODULE_ARRAY' is an array of the module",
        "MODULE_ARRAY",
    ),
    (
        module_list,
        UnsupportedSyntaxError,
        "'MODULE_LIST' is a list of the module",
        "MODULE_LIST",
    ),
    (
        keyword,
        FrontendError,
        "np.sum with the keyword 'order' is not supported",
        "np.sum",
    ),
    (rank, FrontendError, "found 2 subscripts for an array of 1 dimension", "a[0, 0]"),
    (shape, FrontendError, "cannot write the shape (2,) into (3,)", "a[1:4]"),
    (broadcast, FrontendError, "the shapes (4,) and (5,) do not fit", "a[:4] + a[:5]"),
    (matrix_product, FrontendError, "9 is not 3", "a @ a[:3]"),
    (dtype, FrontendError, "arrays of complex128", "np.zeros"),
    (complex_number, FrontendError, "found a complex number", "1j"),
    (generator, FrontendError, "found a comprehension over an array", "(x for x"),
    (bincount, FrontendError, "whose length data say", "np.bincount"),
    (list_beside_a_number, FrontendError, "beside one that is no slice", "b[0, ["),
    (inside_a_composite, FrontendError, "axis 2 of np.max is out", "np.ptp"),
    (reversed_pairs, UnsupportedSyntaxError, "reversed of enumerate", "enumerate(a)"),
    (comprehension, FrontendError, "found a comprehension over an", "[x * a[0]"),
    (dictionary, UnsupportedSyntaxError, "found a dictionary", "{0: 1}"),
    (global_, UnsupportedSyntaxError, "found global", "global"),
    (import_, UnsupportedSyntaxError, "found import", "import os"),
    (in_place_type, FrontendError, "cannot change int64 in place to float64", "n *="),
    (delete, UnsupportedSyntaxError, "found del", "del"),
    (star_arguments, UnsupportedSyntaxError, "found *a", "a)"),
    (star_call, FrontendError, "found a starred argument", "np.maximum"),
    (
        early_return,
        UnsupportedSyntaxError,
        "found a return inside a loop or branch",
        "return",
    ),
    (returns_number_or_array, FrontendError, "is a number in one place", "return a"),
    (loop_only, FrontendError, "'t' has no value here", "t"),
    (array_truth, FrontendError, "its truth value is ambiguous", "a > 0 and"),
    (
        out_of_bounds,
        FrontendError,
        "the index 10 is out of bounds for an axis of 9",
        "a[10]",
    ),
    (
        attribute_target,
        UnsupportedSyntaxError,
        "an assignment to an attribute",
        "a.shape",
    ),
    (nested_targets, UnsupportedSyntaxError, "found a nested or starred", "(x, y), i"),
    (method, FrontendError, "the attribute 'sort'", "a.sort"),
    (
        number_and_array,
        FrontendError,
        "'x' is a number in one place and an array in another",
        "x = a[1:]",
    ),
    (reshape, FrontendError, "is not affine", "b.T.reshape"),
    (loop_variable, UnsupportedSyntaxError, "is the variable of the loop", "i = 3"),
    (negative_power, FrontendError, "negative integer power -1", "n[1] **"),
    (unknown_power, FrontendError, "an exponent that may be negative", "2 ** n"),
    (nothing, FrontendError, "the function computes nothing", "def nothing"),
    (shared_view, UnsupportedSyntaxError, "may be one of several", "x[0]"),
    (type_change, FrontendError, "changes its type from int64 to float64", "x = a[i]"),
]


@pytest.mark.parametrize(
    ("function", "kind", "message", "at"), CASES, ids=[c[0].__name__ for c in CASES]
)
def test_refusal(function, kind, message, at):
    names = inspect.signature(function).parameters
    assert_refused(function, {n: TYPES[n] for n in names}, kind, message, at)


def test_most_refusals_say_what_to_do():
    hints = 0
    for function, *_ in CASES:
        types = {n: TYPES[n] for n in inspect.signature(function).parameters}
        with pytest.raises(FrontendError) as caught:
            read_function(function, types)
        hints += caught.value.hint is not None
    assert hints >= 0.7 * len(CASES)
