"""Rows of numbers behind pointers: arrays whose rows may lie anywhere."""

from __future__ import annotations

import islpy as isl
import pytest

from polysched.base import CodegenError

pytestmark = pytest.mark.cc


def pairs(parse, head: str, body: str, inside: str = "", before: str = "") -> list[str]:
    text = (
        f"#include <stdlib.h>\nvoid init(double *);\n{before}\nvoid f({head}) {{\n"
        f"{inside}\n#pragma scop\n{body}\n#pragma endscop\n}}\n"
    )
    program = parse(text)
    assert [str(r) for r in program.refusals] == []
    return sorted(str(pair) for pair in program.scops[0].overlaps)


@pytest.mark.parametrize(
    ("head", "body", "wanted"),
    [
        ("double **A", "A[i][j] = 1;", "A[i, j] : 0 <= i < n and 0 <= j < n"),
        ("double *A[9]", "*(*(A + i) + j) = 1;", "A[i, j] : 0 <= i,j < n"),
        ("double *const *A", "A[i + 1][2 * j] = 1;", "A[i, j] : 1 <= i <= n and "
         "exists e : j = 2e and 0 <= e < n"),
        ("double **A", "double *row = A[i] + 1; row[j] = 1;",
         "A[i, j] : 0 <= i < n and 1 <= j <= n"),
        ("double ***A", "A[i][3][j] = 1;", "A[i, 3, j] : 0 <= i,j < n"),
        ("double *A[9][4]", "A[i][3][j] = 1;", "A[i, 3, j] : 0 <= i,j < n"),
    ],
)  # fmt: skip
def test_rows_are_one_subscript_each(parse, head, body, wanted):
    loops = "for (int i = 0; i < n; i++) for (int j = 0; j < n; j++)"
    program = parse(
        f"void f(int n, {head}) {{\n#pragma scop\n{loops} {{ {body} }}\n"
        "#pragma endscop\n}\n"
    )
    assert [str(r) for r in program.refusals] == []
    (scop,) = program.scops
    (array,) = scop.arrays
    assert array.in_rows
    (touched,) = [
        p.first.elements for p in scop.overlaps if p.first is p.second
    ]  # fmt: skip
    assert touched.is_equal(isl.Set(f"[n] -> {{ {wanted} }}"))


LOOP = "for (int i = 0; i < n; i++) "


@pytest.mark.parametrize(
    ("head", "body", "inside", "before", "found"),
    [
        ("int n, double **A, double *x", "A[i][0] = x[i];", "", "",
         ["A and x", "the rows of A"]),
        ("int n, double **A, double *x", "x[i] = A[i][0] + A[i + 1][0];", "", "",
         ["x and A"]),
        ("int n, double **A, double *restrict x", "x[i] = A[i][0];", "", "", []),
        ("int n, double *restrict *restrict A, double *x", "x[i] = A[i][0];", "", "",
         ["x and A"]),
        ("int n, double **A, double **B", "A[i][0] = B[i][0];", "", "",
         ["A and B", "the rows of A"]),
        ("int n, double *x", "A[i][0] = x[i];",
         "double **A = malloc(n * sizeof *A);", "", ["A and x", "the rows of A"]),
        ("int n", "A[i][0] = x[i];", "", "static double *A[9], x[9];",
         ["A and x", "the rows of A"]),
        ("int n", "A[i][0] = B[i][0];", "", "static double *A[9], *B[9];",
         ["A and B", "the rows of A"]),
        ("int n, double **A", "A[i][0] = x[i];", "double x[n];", "",
         ["the rows of A"]),
        ("int n, double **A", "A[i][0] = x[i];", "double x[n]; init(x);", "",
         ["A and x", "the rows of A"]),
        ("int n, double **A", "A[i][0] = x;", "double x = n; init(&x);", "",
         ["A and x", "the rows of A"]),
        ("int n, double **A", "A[i][0] = x;", "int x = n; init((void *)&x);", "",
         ["the rows of A"]),
        ("double **A", "A[i][0] = 1;", "", "int n;", ["the rows of A"]),
        ("int **A", "A[i][0] = 1;", "", "int n;", ["A and n", "the rows of A"]),
        ("int n, double **A", "A[i][0] = B[i][0];", "double **B = malloc(n * 8);"
         " for (int i = 0; i < n; i++) B[i] = A[0];", "",
         ["A and B", "the rows of A"]),
    ],
)  # fmt: skip
def test_rows_may_be_anything_that_has_an_address(
    parse, head, body, inside, before, found
):
    assert pairs(parse, head, LOOP + body, inside, before) == sorted(found)


@pytest.mark.parametrize("storage", ["", "static "])
def test_what_rows_hold_outlives_a_table_of_the_function(parse, storage):
    program = parse(
        f"void f(int n, double *x) {{\n{storage}double *own[9];\n"
        f"{LOOP} own[i] = x + i;\n#pragma scop\n{LOOP} own[i][0] = 1;\n"
        "#pragma endscop\n}\n"
    )
    (array,) = program.scops[0].arrays
    assert array.live_in
    assert array.live_out
    assert not array.confined


@pytest.mark.parametrize(
    ("inside", "after"),
    [
        ("double **B = A + 1;", ""),
        ("double **B = A, **t = x; for (;;) {", "t = A; A = B; B = t; }"),
    ],
)
def test_tables_may_come_from_each_other(parse, inside, after):
    program = parse(
        f"void f(int n, double **A, double **x) {{\n{inside}\n#pragma scop\n"
        f"{LOOP} A[i][0] = B[i][0];\n#pragma endscop\n{after}\n}}\n"
    )
    assert [str(r) for r in program.refusals] == []
    overlaps = map(str, program.scops[0].overlaps)
    assert sorted(overlaps) == ["A and B", "the rows of A"]


def test_a_row_beside_its_table_is_asked_about(parse):
    found = pairs(
        parse, "int n, double **A", f"{LOOP} x[i] = A[1][i];", "double *x = A[0];"
    )
    assert found == ["x and A"]


def test_rows_that_an_iteration_surely_looks_up_may_be_written_where_data_say(scop_of):
    body = f"{LOOP} {{ if (A[i][0] > x[i]) A[i][1] = x[i]; }}"
    scop = scop_of(body, head="int n, double **A, double *x")
    assert [a.kind for _, a in scop.iter_accesses()][-1] == "may_write"


def test_code_for_a_device_is_refused(scop_of):
    from polysched.codegen.cuda.arrays import place_array

    scop = scop_of(f"{LOOP} A[i][0] = 1;", head="int n, double **A")
    with pytest.raises(CodegenError, match="rows of 'A' lie behind pointers"):
        place_array(scop, scop.arrays[0], "A")


def test_pointers_that_may_change_at_any_time_are_refused(parse):
    program = parse(
        "void f(int n, double *volatile *A) {\n#pragma scop\n"
        f"{LOOP} A[i][0] = 1;\n#pragma endscop\n}}\n"
    )
    (refusal,) = program.refusals
    assert "'A' is volatile" in refusal.message
