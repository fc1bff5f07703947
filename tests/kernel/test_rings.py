"""Neighbours on a ring: remainders and choices by iterators and sizes."""

import numpy as np
import pytest

import polysched as ps
from polysched.base import FrontendError
from polysched.space import SpaceOptions
from tests.oracle.sweep import sweep

pytestmark = pytest.mark.cc
V, M = ps.float64["N"], ps.float64["H", "W"]


def remainders(y: V, x: V):
    n = len(x)
    for i in range(n):
        y[i] = x[(i - 1) % n] - 2.0 * x[i] + x[(i + 1) % n]


def far_remainders(y: V, x: V):
    for i in range(len(x)):
        y[i] = x[(i - 2) % len(x)] + x[(i + 3) % len(x)] * ((i + 1) % len(x))


def choices(y: V, x: V):
    n = len(x)
    for i in range(n):
        left = i - 1 if i > 0 else n - 1
        right = i + 1 if i < n - 1 else 0
        y[i] = x[left] - 2.0 * x[i] + x[right]


def other_choices(y: V, x: V):
    n = len(x)
    for i in range(n):
        left = n - 1 if i == 0 else i - 1
        right = 0 if i + 1 == n else i + 1
        y[left] = x[right]


def edges(y: V, x: V):
    n = len(x)
    for i in range(n):
        before = i - 1 if i > 0 else 0
        behind = i + 1 if i + 1 < n else n - 1
        y[i] = x[before] - x[behind]


def torus(y: M, x: M):
    h, w = x.shape
    for t in range(3):
        for i in range(h):
            for j in range(w):
                across = x[i, (j - 1) % w] + x[i, (j + 1) % w]
                y[i, j] = across + x[(i - 1) % h, j] - x[(i + 1) % h, j]
        for i in range(h):
            for j in range(w):
                x[i, j] = y[i, j] + t


FUNCTIONS = [remainders, far_remainders, choices, other_choices, edges, torus]


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda f: f.__name__)
def test_all_sizes(function):
    kernel = ps.kernel(function, timeout=1.0)
    for n in (0, 1, 2, 3, 4, 33):
        shape = (n, n + 1) if function is torus else (n,)
        x = np.random.default_rng(n).random(shape)
        ours, expected = [np.zeros(shape), x.copy()], [np.zeros(shape), x.copy()]
        kernel(*ours)
        function(*expected)
        for found, known in zip(ours, expected, strict=True):
            np.testing.assert_allclose(found, known, rtol=1e-12)


@pytest.mark.long
@pytest.mark.parametrize("function", [remainders, choices, torus])
def test_every_schedule(function, tmp_path):
    path = tmp_path / "ring.c"
    text = ps.kernel(function).program().source.decode()
    shape = "[13][17]" if function is torus else "[221]"
    sizes = "13, 17" if function is torus else "221"
    main = f"""
#include <stdio.h>
static double x{shape}, y{shape};
int main(void)
{{
    double *p = (double *)x, *q = (double *)y;
    for (int k = 0; k < 221; k++) p[k] = k * 7 % 31;
    {function.__name__}(CALL);
    for (int k = 0; k < 221; k++) printf("%g %g\\n", p[k], q[k]);
    return 0;
}}
"""
    path.write_text(text + main.replace("CALL", f"{sizes}, y, x"))
    n_run, wrong = sweep(path, [], SpaceOptions(policy="balanced", limit=5, seconds=9))
    assert wrong == []
    assert n_run >= 3


def test_other_remainders_and_choices_are_refused():
    def any_shift(y: V, x: V, k: int):
        for i in range(len(x)):
            y[i] = x[(i + k) % len(x)]

    def no_ring(y: V, x: V, m: int):
        for i in range(len(x)):
            y[i] = x[i % m]

    def jump(y: V, x: V):
        for i in range(len(x)):
            y[i] = x[i if i > 3 else len(x) - 1]

    for function in (any_shift, no_ring, jump):
        with pytest.raises(FrontendError, match="not affine"):
            ps.kernel(function).scop()
