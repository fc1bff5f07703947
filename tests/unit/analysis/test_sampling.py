"""Estimated numbers of instances beside exact ones."""

import pytest

from polysched.analysis import count_points, estimate_instances, run_extent
from polysched.ir import Scop
from polysched.testing import ScopBuilder

# iterators, constraints, relative error that is allowed
DOMAINS = {
    "box": ("i,j", "0 <= i < 40 and 3 <= j < 50", 0.0),
    "triangle": ("i,j", "0 <= j < i < 300", 0.01),
    "tetrahedron": ("i,j,k", "0 <= k < j < i < 300", 0.05),
    "band": ("i,j", "0 <= i, j < 257 and i - 17 <= j < i", 0.01),
    "window": (
        "i,j,a,b",
        "0 <= i, j < 200 and -3 <= a, b <= 3 and 0 <= i + a < 200 and 0 <= j + b < 200",
        0.02,
    ),
    "strided": ("i,j", "0 <= i, j < 100 and i mod 2 = 1 and j mod 4 = 0", 0.0),
    "diagonal": ("i,j", "0 <= i < 500 and j = i + 2", 0.0),
    "sizes": ("i,j", "0 <= i < n and 0 <= j < m", 0.0),
}


def one_statement(iterators: str, where: str) -> Scop:
    b = ScopBuilder("one", ["n", "m"])
    b.array("s", "double")
    position = (0,) * (iterators.count(",") + 2)
    b.statement(iterators, where, "s = 0.0", position=position)
    return b.build()


@pytest.mark.parametrize("name", DOMAINS)
def test_near_to_the_exact_number(name):
    iterators, where, tolerance = DOMAINS[name]
    sizes = {"n": 12, "m": 30}
    scop = one_statement(iterators, where).with_estimates(sizes)
    (statement,) = scop.statements
    exact = count_points(statement.domain).evaluate(sizes)
    found = estimate_instances(scop, statement.name)
    assert found == pytest.approx(exact, rel=tolerance)


def test_unknown_sizes_are_1000_and_no_bound_is_none():
    triangle = one_statement("i,j", "0 <= j <= i < n")
    assert estimate_instances(triangle, "S0") == pytest.approx(500_500, rel=0.01)
    assert estimate_instances(one_statement("i", "i >= 0"), "S0") is None
    assert estimate_instances(one_statement("i", "5 <= i < 5"), "S0") == 0


def test_extent_of_a_run():
    band = one_statement(*DOMAINS["band"][:2])
    assert run_extent(band, "S0", (0, 1), ()) == 256
    assert run_extent(band, "S0", (0, 1), (((1, 0), 1),)) == 17
    assert run_extent(band, "S0", (1, 1), (((1, 0), 1),)) == 17
    assert run_extent(band, "S0", (0, 1), (((1, 0), 32),)) == 48
    assert run_extent(band, "S0", (1, 0), (((1, -1), 1),)) == 256
    box = one_statement("i,j", "0 <= i < 40 and 3 <= j < n")
    assert run_extent(box, "S0", (2, 1), (((0, 1), 1),)) == 79
    assert run_extent(box, "S0", (0, 1), (((1, 0), 1),)) is None
