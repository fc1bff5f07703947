"""The bound on rounding grows with the chain of updates of a cell."""

from __future__ import annotations

from pathlib import Path

import pytest

from polysched.frontend import parse_c
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


@pytest.mark.parametrize(("elem", "more"), [("float", 2 * 4 * 2.0**-10), ("double", 0)])
def test_rounded_factors_are_allowed_for_floats_of_each_sum(
    tmp_path: Path, elem: str, more: float
) -> None:
    path = tmp_path / "two.c"
    path.write_text(f"""
{elem} A[8][8], B[8][8], C[8][8], D[8][8];
void f(void) {{
#pragma scop
  for (int i = 0; i < 8; i++)
    for (int j = 0; j < 8; j++)
      for (int k = 0; k < 8; k++)
        C[i][j] += A[i][k] * B[k][j];
  for (int i = 0; i < 8; i++)
    for (int j = 0; j < 8; j++)
      for (int k = 0; k < 8; k++)
        D[i][j] += C[i][k] * B[k][j];
#pragma endscop
}}""")
    (scop,) = parse_c(path).scops
    exact = rounding_bounds(scop, {})["D"]
    assert rounding_bounds(scop, {}, is_tf32=True)["D"] == pytest.approx(exact + more)


@pytest.mark.cc
def test_numbers_of_two_bytes_have_bounds_of_their_own(tmp_path: Path) -> None:
    path = tmp_path / "halves.c"
    path.write_text("""
_Float16 h[8], g[8];
float f[8];
void f8(void) {
#pragma scop
  for (int i = 0; i < 8; i++) h[i] = g[i] * (_Float16)f[i];
#pragma endscop
}
""")
    bounds = rounding_bounds(parse_c(path).scops[0], {})
    assert bounds["f"] == 16 * 2.0**-23
    assert bounds["h"] == 16 * 2.0**-10 < 2e-2
