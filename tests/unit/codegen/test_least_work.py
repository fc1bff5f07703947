"""Loops that are shared only from some size on."""

import islpy as isl
import pytest

from polysched.codegen import LEAST_SHARED, PrintOptions, print_openmp
from polysched.codegen.ast_expr import AstExprPrinter, Macros
from polysched.codegen.ctext import Names
from polysched.codegen.least_work import LeastWork
from polysched.transform import apply_script, parse_script
from tests.unit import scops
from tests.unit.transform import trees

CLAUSES = {
    # schedule of the instances in the loop: condition for 1000 of them
    "S[i, j] -> [i] : 0 <= i < n and 0 <= j < m": "(double)n * m >= 1000",
    "S[i, j] -> [i] : 0 <= i < n and 0 <= j < 7": "n >= 143",
    "S[i, j] -> [i] : 0 <= i < 3 and 0 <= j < 7": "",
    # one run of the inner loop, however many there are
    "S[t, i] -> [t, i] : 0 <= t < m and 0 < i < n - 1": "n - 2 >= 1000",
    "S[i, j] -> [i - i mod 32] : 0 <= i < n and 0 <= j < i": (
        "(double)(n - 1) * (n - 1) >= 1000"
    ),
    # the largest statement counts
    "S[i] -> [i] : 0 <= i < n; T[i, j] -> [i] : 0 <= i < n and 0 <= j < 50": "n >= 20",
    # borders and inside: simple constraints around all three have no end
    "S[i, a, b] -> [i] : 0 <= i < n and (0 < a <= n and 0 < b <= m "
    "or 0 < a <= n and b = 0 or a = 0 and 0 <= b <= m)": (
        "(double)n * (n + 1) * (m + 1) >= 1000"
    ),
    # min(n - 1, m) columns: no short condition, so always
    "S[i, j] -> [i] : 0 <= i < n and 0 <= j < i and j < m": "",
}


TILES = {
    "S[i] -> [i - i mod 32] : 0 <= i < n": "n >= 1000 && n >= 33",
    "S[t, i] -> [t, i - i mod 32] : 0 <= t < m and 0 <= i < n": (
        "n >= 1000 && n >= 33"
    ),
    "S[i, j] -> [i - i mod 32] : 0 <= i < n and 0 <= j < 2000": "n >= 33",
}
BOUNDED = [
    # a band: min(n - 1, k + 24)
    "S[k, i] -> [k, i] : 0 <= k < n and k < i <= k + 24 and i < n",
    "S[k, i, j] -> [k, i] : 0 <= k < n and k < i <= k + 9 and i < n and 0 <= j < 99",
]


@pytest.fixture
def exprs():
    return AstExprPrinter(Macros(Names(frozenset())))


@pytest.mark.parametrize("text", CLAUSES)
def test_condition(text, exprs):
    context = isl.Set("[n, m] -> { : n >= 2 and m >= 1 }")
    schedule = isl.UnionMap(f"[n, m] -> {{ {text} }}")
    wanted = CLAUSES[text]
    found = LeastWork(1000, context, exprs).clause(schedule)
    assert found == (f" if({wanted})" if wanted else "")
    assert LeastWork(0, context, exprs).clause(schedule) == ""


@pytest.mark.parametrize("text", TILES)
def test_tiles_are_shared_from_two_on(text, exprs):
    context = isl.Set("[n, m] -> { : n >= 2 and m >= 1 }")
    schedule = isl.UnionMap(f"[n, m] -> {{ {text} }}")
    found = LeastWork(1000, context, exprs).clause(schedule, 32)
    assert found == f" if({TILES[text]})"


@pytest.mark.parametrize("text", BOUNDED)
def test_what_never_has_enough_is_not_shared(text, exprs):
    context = isl.Set("[n, m] -> { : n >= 2 and m >= 1 }")
    schedule = isl.UnionMap(f"[n, m] -> {{ {text} }}")
    assert LeastWork(1000, context, exprs).clause(schedule) is None
    assert LeastWork(20, context, exprs).clause(schedule) == ""


def test_pragma_has_the_condition():
    tree, deps = trees.gemm()
    script = parse_script("parallel(band=0, member=0)")
    shared = apply_script(tree, script, deps)

    def pragmas(least):
        text = print_openmp(scops.gemm(), shared, PrintOptions(least_shared=least))
        return [s.strip() for s in text.splitlines() if "omp parallel" in s]

    assert pragmas(0) == ["#pragma omp parallel for schedule(static)"]
    (found,) = pragmas(LEAST_SHARED)
    assert found.startswith("#pragma omp parallel for schedule(static) if((double)")
    assert found.endswith(f">= {LEAST_SHARED})")


def test_halves_of_sizes_are_no_error(exprs):
    """Which isl writes where an odd size is known to be odd."""
    work = LeastWork(1000, isl.Set("[h] -> { : h <= 99 }"), exprs)
    reach = isl.PwAff(
        "[h] -> { [(-19 + h)/2] : (1 + h) mod 2 = 0; [(5)] : h mod 2 = 0 }"
    )
    assert list(work._sides([reach])) == [41]
