"""Elements that a body comes back to have variables where pointers are in the way."""

from __future__ import annotations

import pytest

from tests.unit.codegen.test_held import LOCAL, lines

COPIES = """for (int i = 0; i < n; i++) {
  A[0][i] = 0.5 * A[0][i] + y[i];
  x[i] += A[0][i];
  A[1][i] = 0.5 * A[1][i] + y[i];
  x[i] += A[1][i];
}"""


def test_a_sum_goes_on_behind_other_stores_in_a_variable(tmp_path) -> None:
    assert lines(COPIES, tmp_path) == [
        "for (int t1 = 0; t1 < n; t1++) {",
        "double held = x[t1];",
        "A[0][t1] = 0.5 * A[0][t1] + y[t1];",
        "held += A[0][t1];",
        "A[1][t1] = 0.5 * A[1][t1] + y[t1];",
        "held += A[1][t1];",
        "x[t1] = held;",
        "}",
    ]
    assert "double held = x[t1];" not in lines(COPIES, tmp_path, LOCAL)


def test_what_is_read_later_is_held_under_another_name(tmp_path) -> None:
    body = """for (int i = 0; i < n; i++) {
      x[i] = y[i];
      r[0] += y[i];
      A[i][i] = x[i];
      r[0] += A[i][i];
    }"""
    assert lines(body, tmp_path) == [
        "if (0 < n) {",
        "double held = r[0];",
        "for (int t1 = 0; t1 < n; t1++) {",
        "double held_1 = y[t1];",
        "held += y[t1];",
        "A[t1][t1] = held_1;",
        "held += A[t1][t1];",
        "x[t1] = held_1;",
        "}",
        "r[0] = held;",
        "}",
    ]


@pytest.mark.parametrize(
    "body",
    [
        # an element that may be the one that is summed up
        """for (int i = 0; i < n; i++)
          for (int j = 0; j < n; j++) {
            x[i] += A[i][j]; y[j] = x[j]; x[i] += y[j];
          }""",
        # nothing is stored in between
        "for (int i = 0; i < n; i++) { x[i] = y[i]; r[i] = x[i]; }",
        # one of the statements may store nothing
        """for (int i = 0; i < n; i++) {
          x[i] += y[i]; if (y[i] > 0.0) A[i][i] = x[i]; x[i] += A[i][i];
        }""",
    ],
)
def test_other_elements_stay_in_memory(body: str, tmp_path) -> None:
    assert not [x for x in lines(body, tmp_path) if x.startswith("double held")]


def test_a_counter_that_says_where_to_store_is_the_held_one(tmp_path) -> None:
    """It was the one in memory, which had stood still."""
    body = """for (int i = 0; i < n; i++) {
      x[k[i]] = y[i];
      k[i] += 1;
      x[k[i]] = A[i][0];
      k[i] += 1;
    }"""
    head = "void f(int n, int k[n], double x[n], double y[n], double A[n][n]) {\n"
    assert lines(body, tmp_path, head) == [
        "for (int t1 = 0; t1 < n; t1++) {",
        "int held = k[t1];",
        "x[held] = y[t1];",
        "held += 1;",
        "x[held] = A[t1][0];",
        "held += 1;",
        "k[t1] = held;",
        "}",
    ]


BLOCK = """for (int i = 0; i < n; i += 2) {
  r[i] = 0;
  r[i + 1] = 0;
  for (int j = 0; j < 9; j++) {
    r[i] += x[j] * A[i][j];
    r[i + 1] += x[j] * A[i + 1][j];
  }
}"""


def test_sums_side_by_side_stay_in_variables_as_long_as_their_loop_goes_on(
    tmp_path,
) -> None:
    assert lines(BLOCK, tmp_path) == [
        "for (int t1 = 0; t1 < n; t1 += 2) {",
        "r[t1] = 0;",
        "r[t1 + 1] = 0;",
        "{",
        "double held = r[t1];",
        "double held_1 = r[t1 + 1];",
        "for (int t2 = 0; t2 <= 8; t2++) {",
        "held += x[t2] * A[t1][t2];",
        "held_1 += x[t2] * A[t1 + 1][t2];",
        "}",
        "r[t1] = held;",
        "r[t1 + 1] = held_1;",
        "}",
        "}",
    ]


@pytest.mark.parametrize(
    "body",
    [
        # one of them may be another element of the same array
        "for (int j = 0; j < 9; j++) { r[0] += y[j]; r[j] += x[j]; }",
        "for (int j = 0; j < 9; j++) { r[0] += y[j]; x[j] = r[j]; }",
        # data say which element
        "for (int j = 0; j < 9; j++) { r[0] += y[j]; r[(int)y[j]] += x[j]; }",
    ],
)
def test_elements_that_others_of_the_loop_may_be_stay_in_memory(
    body: str, tmp_path
) -> None:
    assert not [x for x in lines(body, tmp_path) if x.startswith("double held")]


MIXED = """static double r[99];
void f(int n, double y[n], double A[n][n]) {
"""


def test_declared_arrays_are_held_beside_what_lies_behind_pointers(tmp_path) -> None:
    body = """for (int i = 0; i < n; i++)
      for (int j = 0; j < n; j++) {
        r[i] += A[i][j];
        y[j] += A[i][j];
      }"""
    held = "double held = r[t1];"
    assert held in lines(body, tmp_path, MIXED)
    assert held not in lines(body, tmp_path, LOCAL)
