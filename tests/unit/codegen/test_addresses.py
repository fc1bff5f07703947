"""What is asked about memory in front of generated code, as text."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from polysched.codegen import PrintOptions, print_openmp
from polysched.codegen.addresses import MAX_PAIRS
from polysched.frontend import parse_c
from polysched.ir import original_tree

SIZES = "int n, int m, int k"
POINT = "struct point { double x, y; int mark; };\n"


def printed(tmp_path: Path, body: str, head: str, before: str = "", **options) -> str:
    path = tmp_path / "f.c"
    path.write_text(
        f"{before}void f({head}) {{\n#pragma scop\n{body}\n#pragma endscop\n}}\n"
    )
    (scop,) = parse_c(path, **options).scops
    original = PrintOptions(original_text="/* original */")
    return print_openmp(scop, original_tree(scop), original)


def question(text: str) -> str:
    """The condition in one line."""
    found = re.search(r"^ *if \((.*?)\) \{$", text, re.DOTALL | re.MULTILINE)
    assert found is not None
    return " ".join(found[1].split())


@pytest.mark.parametrize(
    ("head", "body", "asked"),
    [
        (
            "double *x, double *y",
            "for (int i = 0; i < n; i++) x[i] = y[i];",
            "ps_apart(x, 0, n, y, 0, n)",
        ),
        (
            "double *x, double *y",
            "for (int i = n - 1; i >= 2; i--) x[2 * i - 4] = y[i + 1];",
            "ps_apart(x, 0, 2 * (long)n - 5, y, 3, (long)n + 1)",
        ),
        (
            "double *x, double *y",
            "for (int i = 0; i < 9; i++) x[i - 3] = y[5 - i];",
            "ps_apart(x, -3, 6, y, -3, 6)",
        ),
        (
            "double x[n][m], double y[n][m]",
            "for (int i = 1; i < n; i++) for (int j = 0; j < m; j++) "
            "x[i][j] = y[i - 1][j];",
            "ps_apart(x, 1, n, y, 0, (long)n - 1)",
        ),
        (
            "double *x, double *y",
            "for (int i = 0; i < n; i++) for (int j = 0; j < m; j++) "
            "x[i * m + j] = y[i * m + j];",
            "ps_apart(x, 0, n * (long)m, y, 0, n * (long)m)",
        ),
        (
            "double *x, double *y",
            "for (int i = 2; i < n; i++) for (int j = 1; j < m - 1; j++) "
            "x[i * m + j] = y[j];",
            "ps_apart(x, 2 * (long)m + 1, ((long)n - 1) * (long)m + (long)m - 1, "
            "y, 1, (long)m - 1)",
        ),
        (
            "double x[n][m], double y[m]",  # over the end of its first row
            "for (int i = 0; i < k; i++) x[0][i] = y[i];",
            "ps_apart(*x, 0, k, y, 0, k)",
        ),
        (
            "double x[n][m + 1], double y[m]",
            "for (int i = 0; i < n; i++) for (int j = 0; j < m; j++) x[i][j] = y[j];",
            "ps_apart(*x, 0, ((long)n - 1) * ((long)m + 1) + m, y, 0, m)",
        ),
        (
            "double x[n][4][6], double y[n][3][2]",
            "for (int i = 0; i < n; i++) for (int j = 0; j < 5; j++) "
            "x[i][j][5] = y[i][2][1];",
            "ps_apart(**x, 5, ((long)n - 1) * 24 + 5 * 6, y, 0, n)",
        ),
        (
            "double *x, int *key",
            "for (int i = 0; i < n; i++) x[key[i]] = 1;",
            "ps_apart(x, 0, 1, key, 0, n)",  # where data decide, the first element
        ),
        (
            "int *x, unsigned char *key",
            "for (int i = 0; i < n; i++) x[key[i]] = 1;",
            "ps_apart(x, 0, 256, key, 0, n)",
        ),
        (
            "double *x, double *y",
            "for (int i = 0; i < n; i++) *x += y[i];",
            "ps_apart(x, 0, 1, y, 0, n)",
        ),
    ],
)
def test_ranges(tmp_path: Path, head: str, body: str, asked: str) -> None:
    assert question(printed(tmp_path, body, f"{SIZES}, {head}")) == asked


def test_structures_are_compared_member_by_member(tmp_path: Path) -> None:
    body = "for (int i = 0; i < n; i++) to[i].y = from[i].mark;"
    head = "int n, struct point *to, struct point *from"
    asked = "ps_apart(((double *)to), 1, ((long)n - 1) * 3 + 2, ((int *)from), 4, "
    assert question(printed(tmp_path, body, head, POINT)) == (
        f"{asked}((long)n - 1) * 6 + 5)"
    )


def test_sizes_that_structures_hold_have_the_address_of_the_member(
    tmp_path: Path,
) -> None:
    grid = "struct grid { struct { int rows; } at; int *x; };\n"
    body = "for (int i = 0; i < g->at.rows; i++) g->x[i] = i;"
    text = question(printed(tmp_path, body, "struct grid *g", grid))
    assert text == "ps_apart(g_x, 0, g_at_rows, (g ? &g->at.rows : 0), 0, 1)"


def test_it_comes_behind_what_sizes_have_to_be(tmp_path: Path) -> None:
    body = (
        "for (int i = 0; i < n; i++) for (int j = 0; j < m; j++) x[i * k + j] = y[j];"
    )
    text = question(printed(tmp_path, body, f"{SIZES}, double *x, double *y"))
    assert text.startswith("(n <= 0 || m <= 0 || k >= m) && ps_apart(x, 0, ")


def test_many_pairs_are_compared_in_a_loop(tmp_path: Path) -> None:
    names = "abcdefgh"
    head = ", ".join(f"double *{name}" for name in names)
    body = "for (int i = 0; i < n; i++) { a[i] = c[i] + d[i] + e[i] + f[i] + g[i]; "
    text = printed(tmp_path, body + "b[i] = h[i]; }", f"int n, {head}")
    assert question(text) == "apart"
    assert [line.strip() for line in text.splitlines() if "ps_ends(" in line][1:] == [
        f"ps_ends({name}, 0, n)," for name in "abcdefgh"
    ]
    assert "for (int i_1 = 0; i_1 < 2; i_1++)" in text
    assert "for (int k = i_1 + 1; k < 8; k++)" in text
    few = printed(tmp_path, body + "}", f"int n, {head}")
    assert few.count("ps_apart(") == 1 + 5 < MAX_PAIRS + 1


def test_a_loop_compares_nothing_that_may_overlap(tmp_path: Path) -> None:
    # x and y lie in one array, n elements apart: which sizes are right is known
    pointers = "".join(f", double *{name}" for name in "abcd")
    path = tmp_path / "f.c"
    path.write_text(
        f"void f(int n, double *w{pointers}) {{\n"
        "  double *x = w, *y = w + 1;\n#pragma scop\n"
        "  for (int i = 0; i < n; i++) {\n"
        "    x[2 * i] = a[i] + b[i] + c[i] + d[i];\n"
        "    y[2 * i] = a[i];\n  }\n#pragma endscop\n}\n"
    )
    (scop,) = parse_c(path).scops
    assert len(scop.overlaps) == 8 > MAX_PAIRS
    text = print_openmp(scop, original_tree(scop), PrintOptions(original_text=""))
    assert text.count("ps_apart(") == 1 + 8
    assert "ps_ends" not in text


def test_a_promise_is_not_asked_for(tmp_path: Path) -> None:
    body = "for (int i = 0; i < n; i++) x[i] = y[i];"
    head = "int n, double *x, double *y"
    assert "if (" not in printed(tmp_path, body, head, overlap="promise")
    assert "original" not in printed(tmp_path, body, head, overlap="promise")


def test_the_macros_have_names_that_are_free(tmp_path: Path) -> None:
    body = "for (int i = 0; i < ps_apart; i++) x[i] = y[i];"
    text = printed(tmp_path, body, "int ps_apart, double *x, double *y")
    assert question(text) == "ps_apart_1(x, 0, ps_apart, y, 0, ps_apart)"
    assert "#undef ps_apart_1\n" in text
