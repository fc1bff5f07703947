"""Elements that are changed in a row have a variable where pointers are in the way."""

from __future__ import annotations

import pytest

from polysched.codegen import PrintOptions, print_openmp
from polysched.frontend import parse_c
from polysched.ir import Scop, original_tree

HEAD = "void f(int n, double x[n], double y[n], double A[n][n], double r[4]) {\n"
LOCAL = "static double x[99], y[99], A[99][99], r[4];\nvoid f(int n) {\n"


def lines(body: str, directory, head: str = HEAD) -> list[str]:
    """What is printed for a region in its own order, without its braces."""
    path = directory / "case.c"
    path.write_text(f"{head}#pragma scop\n{body}\n#pragma endscop\n}}\n")
    (scop,) = parse_c(path).scops
    return text_of(scop)


def text_of(scop: Scop) -> list[str]:
    text = print_openmp(scop, original_tree(scop), PrintOptions())
    found = [line.strip() for line in text.splitlines()]
    return found[found.index("{") + 1 : -1]


def test_a_sum_in_front_of_its_loop_is_not_read(tmp_path) -> None:
    body = """for (int i = 0; i < n; i++) {
      x[i] = 0.0;
      for (int j = 0; j < n; j++)
        x[i] += A[i][j] * y[j];
    }"""
    assert lines(body, tmp_path) == [
        "for (int t1 = 0; t1 < n; t1++) {",
        "double sum = 0.0;",
        "for (int t2 = 0; t2 < n; t2++)",
        "sum += A[t1][t2] * y[t2];",
        "x[t1] = sum;",
        "}",
    ]
    assert "x[t1] += A[t1][t2] * y[t2];" in lines(body, tmp_path, LOCAL)


def test_an_element_of_a_loop_that_never_runs_is_not_touched(tmp_path) -> None:
    body = """for (int i = 0; i < n; i++)
      for (int j = 0; j < i; j++)
        x[i] += A[i][j];"""
    assert lines(body, tmp_path) == [
        "for (int t1 = 1; t1 < n; t1++) {",
        "if (0 < t1) {",
        "double sum = x[t1];",
        "for (int t2 = 0; t2 < t1; t2++)",
        "sum += A[t1][t2];",
        "x[t1] = sum;",
        "}",
        "}",
    ]


def test_loops_of_known_length_are_held_around_all_of_them(tmp_path) -> None:
    body = """for (int i = 0; i < n; i++)
      for (int a = 0; a < 3; a++)
        for (int b = 0; b < 2; b++)
          x[i] = x[i] + r[a] * A[a][b];"""
    assert lines(body, tmp_path) == [
        "for (int t1 = 0; t1 < n; t1++) {",
        "double held = x[t1];",
        "for (int t2 = 0; t2 <= 2; t2++)",
        "for (int t3 = 0; t3 <= 1; t3++)",
        "held = held + r[t2] * A[t2][t3];",
        "x[t1] = held;",
        "}",
    ]


@pytest.mark.parametrize(
    "body",
    [
        "for (int i = 0; i < n; i++) x[i] += y[i];",  # another one each time
        "for (int j = 1; j < n; j++) x[0] += x[j];",  # may be the same
        "for (int j = 0; j < n; j++) if (y[j] > 0.0) x[0] += y[j];",
        "for (int i = 0; i < n; i++) { x[i] += y[i]; r[i] += x[i]; }",
    ],
)
def test_what_is_not_changed_in_a_row_stays_as_it_is(body: str, tmp_path) -> None:
    assert not [x for x in lines(body, tmp_path) if x.startswith("double ")]


def test_changes_one_after_the_other_are_stored_once(tmp_path) -> None:
    body = """for (int i = 0; i < n; i++) {
      x[i] = y[i];
      x[i] *= 2.0;
      x[i] -= A[0][i];
      r[1] += y[i];
    }"""
    assert lines(body, tmp_path) == [
        "if (0 < n) {",
        "double held = r[1];",
        "for (int t1 = 0; t1 < n; t1++) {",
        "{",
        "double sum = y[t1];",
        "sum *= 2.0;",
        "sum -= A[0][t1];",
        "x[t1] = sum;",
        "}",
        "held += y[t1];",
        "}",
        "r[1] = held;",
        "}",
    ]
