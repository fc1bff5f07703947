"""What one iteration writes and the next one reads goes on in a variable."""

from __future__ import annotations

import pytest

from tests.unit.codegen.test_held import HEAD, LOCAL, lines

FILTER = """for (int i = 0; i < n; i++)
  for (int j = 1; j < n; j++) {
    A[i][j] = x[j] - 0.5 * y[j - 1];
    y[j] = 0.25 * A[i][j] + x[j];
  }"""
GAPS = """for (int i = 1; i < n; i++)
  for (int j = 1; j < n; j++) {
    B[i][j] = B[i][j - 1] - A[i][j - 1];
    A[i][j] = A[i - 1][j - 1] + B[i][j];
  }"""
TWO = "void f(int n, double A[n][n], double B[n][n]) {\n"


def test_the_last_value_is_loaded_in_front_of_the_loop_alone(tmp_path) -> None:
    assert lines(FILTER, tmp_path) == [
        "for (int t1 = 0; t1 < n; t1++) {",
        "if (1 < n) {",
        "double last = y[0];",
        "for (int t2 = 1; t2 < n; t2++) {",
        "A[t1][t2] = x[t2] - 0.5 * last;",
        "double held = 0.25 * A[t1][t2] + x[t2];",
        "y[t2] = held;",
        "last = held;",
        "}",
        "}",
        "}",
    ]


def test_several_elements_go_on_each_in_its_own(tmp_path) -> None:
    found = lines(GAPS, tmp_path, TWO)
    assert "double last = B[t1][0];" in found
    assert "double last_1 = A[t1][0];" in found
    assert "double held = last - last_1;" in found
    assert "double held_1 = A[t1 - 1][t2 - 1] + held;" in found


@pytest.mark.parametrize(
    ("body", "first"),
    [
        # backwards
        (
            """for (int j = n - 2; j >= 0; j--) {
              x[j] = y[j + 1] * 0.5; y[j] = x[j] + y[j];
            }""",
            "double last = y[n - 1];",
        ),
        # with a step
        (
            """for (int j = 2; j < n; j += 2) {
              x[j] = y[j - 2] * 0.5; y[j] = x[j] + y[j];
            }""",
            "double last = y[0];",
        ),
        # a loop that certainly runs
        (
            """for (int j = 1; j < 4; j++) {
              x[j] = y[j - 1] * 0.5; r[j] = x[j]; y[j] = x[j] + y[j];
            }""",
            "double last = y[0];",
        ),
    ],
)
def test_however_the_loop_goes(body: str, first: str, tmp_path) -> None:
    assert first in lines(body, tmp_path)


@pytest.mark.parametrize(
    ("body", "head"),
    [
        (FILTER, LOCAL),  # compilers tell these apart
        # two iterations back
        ("for (int j = 2; j < n; j++) { x[j] = y[j - 2]; y[j] = x[j] + r[0]; }", HEAD),
        # one of the two writes the element that the other has left
        (
            """for (int j = 1; j < n - 1; j++) {
              x[j] = y[j - 1]; y[j] = x[j] + r[0]; y[j + 1] = x[j] - r[1];
            }""",
            HEAD,
        ),
        # which may be the same element
        (
            """for (int i = 0; i < n; i++)
              for (int j = 1; j < n; j++) {
                x[j] = y[j - 1]; y[j] = x[j] + r[0]; y[i] = x[j] - r[1];
              }""",
            HEAD,
        ),
        # which the first iteration may not read
        (
            """for (int j = 0; j < n; j++) {
              x[j] = r[0] > x[j] ? y[j - 1] : r[1]; y[j] = x[j] + r[0];
            }""",
            HEAD,
        ),
        # nothing else is stored
        ("for (int j = 1; j < n; j++) y[j] = y[j - 1] + x[j];", HEAD),
        # the iterator is somewhere inside of a quotient
        (
            """for (int j = 2; j < n; j++) {
              x[j] = y[j / 2 - 1]; y[j / 2] = x[j] + r[0];
            }""",
            HEAD,
        ),
    ],
)
def test_what_is_not_certainly_handed_on_is_loaded(
    body: str, head: str, tmp_path
) -> None:
    assert not [x for x in lines(body, tmp_path, head) if x.startswith("double last")]
