"""Operations and least traffic of a region, counted in closed form."""

from __future__ import annotations

import pytest

from polysched.bench import count_work
from polysched.workflow import parse, prepare_scop

pytestmark = pytest.mark.cc

STENCIL = """\
static float A[20][30], B[20][30], unused[1000];
void steps(void)
{
#pragma scop
  for (int t = 0; t < 7; t++) {
    for (int i = 1; i < 19; i++)
      for (int j = 1; j < 29; j++)
        B[i][j] = A[i][j - 1] + A[i][j + 1];
    for (int i = 1; i < 19; i++)
      for (int j = 1; j < 29; j++)
        A[i][j] = 0.5f * B[i][j - 1];
  }
#pragma endscop
}
"""
BARE = """\
void total(int n, const double *restrict a, double *restrict s)
{
#pragma scop
  for (int i = 0; i < n; i++) {
    double twice = 2.0 * a[i];
    s[0] += twice;
  }
#pragma endscop
}
"""


@pytest.fixture
def work(tmp_path):
    def count(text, **parameters):
        path = tmp_path / "file.c"
        path.write_text(text)
        return count_work(prepare_scop(parse(str(path)).scops[0]), parameters)

    return count


def test_traffic_is_what_comes_from_outside_and_what_is_left(work):
    found = work(STENCIL)
    inner = 18 * 28
    assert found.operations == 7 * inner * 2
    read = 18 * 30 + 18  # rows of A with both edges, the left edge of B
    assert found.traffic_bytes == 4 * (read + 2 * inner)
    assert found.element_bytes == 4


def test_sizes_may_be_parameters_and_private_values_do_not_move(work):
    found = work(BARE, n=100)
    assert found.operations == 2 * 100
    assert found.traffic_bytes == 8 * (100 + 1 + 1)


def test_a_missing_size_leaves_it_uncounted(work):
    assert work(BARE) is None


def test_additions_and_what_they_do_not_take_along_are_instructions_of_their_own(work):
    text = """\
void average(double a[102], double b[102])
{
#pragma scop
  for (int t = 0; t < 5; t++) {
    for (int i = 1; i < 101; i++)
      b[i] = 0.33333 * (a[i - 1] + a[i] + a[i + 1]);
    for (int i = 1; i < 101; i++)
      a[i] = 0.5 * b[i] + a[i];
  }
#pragma endscop
}
"""
    found = work(text)
    assert found.operations == 5 * 100 * (3 + 2)
    assert found.half_instructions == 5 * 100 * (2 * 3 + 2)


def test_what_a_loop_does_not_change_may_be_computed_in_front_of_it(work):
    text = """\
void product(int n, double s, double A[n][n], double B[n][n], double C[n][n])
{
#pragma scop
  for (int i = 0; i < n; i++)
    for (int j = 0; j < n; j++)
      for (int k = 0; k < n; k++)
        C[i][j] += s * A[i][k] * B[k][j];
#pragma endscop
}
"""
    found = work(text, n=10)
    assert (found.operations, found.half_instructions) == (3000, 3000)
