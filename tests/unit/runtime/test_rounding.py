"""The bound on rounding grows with the chain of updates of a cell."""

from __future__ import annotations

import pytest

from polysched.runtime import rounding_bounds
from tests.unit.handmade import matmul_scop

EPSILON = 2.0**-52


def test_one_update_per_step_of_the_reduction() -> None:
    bounds = rounding_bounds(matmul_scop(None), {"n": 100})
    assert bounds["C"] == pytest.approx(16 * EPSILON * 101)
    assert "count" not in bounds


def test_empty_domains_still_give_a_bound() -> None:
    assert rounding_bounds(matmul_scop(None), {"n": 0})["C"] == 16 * EPSILON


def test_unknown_sizes_give_a_long_chain() -> None:
    bound = rounding_bounds(matmul_scop(None), {})["C"]
    assert 1e-10 < bound < 1e-6
