"""Compilers add up integers in lanes, and floating point one by one."""

from __future__ import annotations

import pytest

from polysched.analysis import compute_dependences, privatize, set_band_flags
from polysched.cost import predict_seconds
from polysched.cost.read import read_nests
from polysched.cost.storage import lay_out_copies
from polysched.ir import Scop, original_tree
from polysched.testing import ScopBuilder
from tests.unit.space.made import MACHINE


def product(type_: str, total: str, right: str = "b[k]") -> Scop:
    """Rows times one vector, or times a column of a matrix."""
    b = ScopBuilder("product", [])
    b.array("a", f"{type_}[500][800]")
    b.array("b", f"{type_}[800]")
    b.array("w", f"{type_}[800][800]")
    b.array("s", f"{total}[500]")
    terms = "0 <= i < 500 and 0 <= k < 800"
    b.statement("i, k", terms, f"s[i] += a[i][k] * {right}", position=(0, 0, 0))
    return b.build()


@pytest.mark.parametrize(
    ("scop", "adds"),
    [
        (product("short", "int"), True),
        (product("int", "int"), True),
        (product("float", "float"), False),
        (product("short", "int", "w[k][0]"), False),
        (product("signed char", "int"), True),  # the sum has a variable
    ],
)
def test_integers_side_by_side_are_added_in_lanes(scop: Scop, adds: bool) -> None:
    (nest,) = read_nests(original_tree(scop), scop)
    assert nest.adds_integers is adds
    assert nest.is_vectorizable is adds


def test_terms_that_an_iteration_keeps_to_itself_are_added_in_lanes() -> None:
    """As of a small block of a product, whose factors are variables first."""
    b = ScopBuilder("block", [])
    b.array("a", "short[500][800]")
    b.array("x", "short", storage="scop", live_in=False, live_out=False)
    b.array("s", "int[500]")
    terms = "0 <= i < 500 and 0 <= k < 800"
    b.statement("i, k", terms, "x = a[i][k]", position=(0, 0, 0))
    b.statement("i, k", terms, "s[i] += x * x", position=(0, 0, 1))
    scop = privatize(b.build())
    deps = compute_dependences(scop)
    nests = read_nests(set_band_flags(original_tree(scop), deps), scop, deps)
    _, total = lay_out_copies(nests)
    assert total.adds_integers
    assert total.is_vectorizable


def test_short_factors_come_in_pairs() -> None:
    short, wide = product("short", "int"), product("int", "int")
    floating = product("float", "float")
    seconds = [
        predict_seconds(original_tree(s), s, None, MACHINE)
        for s in (short, wide, floating)
    ]
    assert all(s is not None for s in seconds)
    assert 1.5 * seconds[0] < seconds[1]
    assert 5 * seconds[1] < seconds[2]


def test_a_sum_that_every_iteration_has_is_none_of_lanes() -> None:
    """Lanes along j, each with a variable: factors are converted, not paired."""
    b = ScopBuilder("rows", [])
    b.array("a", "short[500][800]")
    b.array("w", "short[500]")
    b.array("s", "int[500][800]")
    terms = "0 <= k < 500 and 0 <= j < 800"
    b.statement("k, j", terms, "s[0][j] += a[k][j] * w[k]", position=(0, 0, 0))
    scop = b.build()
    deps = compute_dependences(scop)
    (nest,) = read_nests(set_band_flags(original_tree(scop), deps), scop, deps)
    assert not nest.adds_integers
    assert nest.n_conversions == 1.0


@pytest.mark.parametrize(
    ("total", "beside", "in_lanes"),
    [
        ("int", "c[k] += a[i][k]", True),
        ("int", "c[k] = c[k - 1] + a[i][k]", False),  # waits for itself
        ("int", "c[k] += s[i]", False),  # wants every partial sum
        ("float", "c[k] += a[i][k]", False),  # compilers keep the order
    ],
)
def test_what_stands_beside_a_sum_of_integers_has_lanes(
    total: str, beside: str, in_lanes: bool
) -> None:
    b = ScopBuilder("marginals", [])
    b.array("a", "int[500][800]")
    b.array("c", "int[800]")
    b.array("s", f"{total}[500]")
    terms = "0 <= i < 500 and 1 <= k < 800"
    b.statement("i, k", terms, "s[i] += a[i][k]", position=(0, 0, 0))
    b.statement("i, k", terms, beside, position=(0, 0, 1))
    scop = b.build()
    deps = compute_dependences(scop)
    nests = read_nests(set_band_flags(original_tree(scop), deps), scop, deps)
    assert nests[1].is_vectorizable is in_lanes
