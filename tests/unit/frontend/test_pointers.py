"""Pointers to rows stand for the arrays that they point into."""

import pytest

pytestmark = pytest.mark.cc

BEFORE = "enum { N = 20 }; int at[N]; double A[N][N], B[N][N], C[N][N][8];"
ROWS, COLS = "for (int i = 1; i < N - 1; i++)", "for (int j = 1; j < N - 1; j++)"
SAME = {
    "rows": (
        f"{ROWS} {{ const double *up = A[i - 1], *here = A[i]; double *out = B[i]; "
        f"{COLS} out[j] = up[j] + here[j - 1]; }}",
        f"{ROWS} {COLS} B[i][j] = A[i - 1][j] + A[i][j - 1];",
    ),
    "an element's address": (
        f"{ROWS} {{ double *out = &B[i][1]; {COLS} out[j - 1] = *out; }}",
        f"{ROWS} {COLS} B[i][1 + (j - 1)] = B[i][1];",
    ),
    "distances": (
        f"{ROWS} {{ double *a = A[i] + 2, *b = a - 1; {COLS} b[j] = a[j - 2]; }}",
        f"{ROWS} {COLS} A[i][1 + j] = A[i][j];",
    ),
    "unsigned distances": (
        f"for (unsigned i = 1; i < N; i++) {{ double *a = A[i] + i, *b = a - i; "
        f"{COLS} b[j] = 1; }}",
        f"for (unsigned i = 1; i < N; i++) {COLS} A[i][j] = 1;",
    ),
    "three subscripts": (
        f"{ROWS} {COLS} {{ double *cell = C[i][j]; "
        "for (int k = 0; k < 8; k++) cell[k] = k; }",
        f"{ROWS} {COLS} for (int k = 0; k < 8; k++) C[i][j][k] = k;",
    ),
    "another name": (
        "double *z = x; " + ROWS + " z[i] = z[i - 1];",
        ROWS + " x[i] = x[i - 1];",
    ),
    "flat rows": (
        "for (int i = 0; i < n; i++) { double *r = x + i * n; "
        "for (int j = 0; j < n; j++) r[j] = r[0]; }",
        "for (int i = 0; i < n; i++) "
        "for (int j = 0; j < n; j++) x[i * n + j] = x[i * n];",
    ),
    "sums that are read": (
        f"{ROWS} {{ double *a = A[i]; {COLS} *(a + j) = *(a + j - 1) + (a + 1)[j]; }}",
        f"{ROWS} {COLS} A[i][j] = A[i][j - 1] + A[i][1 + j];",
    ),
    "rows that are read": (
        f"{ROWS} {COLS} *(*(A + i) + j) = (*(B + i))[j] + *(A[i] + j);",
        f"{ROWS} {COLS} A[i][j] = B[i][j] + A[i][j];",
    ),
    "flat sums": (
        "for (int i = 0; i < n; i++) for (int j = 0; j < n; j++) "
        "*(i * n + x + j) = *(x + i * n);",
        "for (int i = 0; i < n; i++) "
        "for (int j = 0; j < n; j++) x[i * n + j] = x[i * n];",
    ),
    "a row that a table names": (
        f"{ROWS} {{ double *row = A[at[i]]; {COLS} B[i][j] = row[j]; }}",
        f"{ROWS} {COLS} B[i][j] = A[at[i]][j];",
    ),
    "a private row": (
        f"{ROWS} {{ double row[N], *to = row; {COLS} to[j] = A[i][j]; "
        f"{COLS} B[i][j] = row[j]; }}",
        f"{ROWS} {{ double row[N]; {COLS} row[j] = A[i][j]; "
        f"{COLS} B[i][j] = row[j]; }}",
    ),
}


@pytest.mark.parametrize("case", SAME)
def test_the_array_itself_has_the_same_accesses(scop_of, case):
    found, plain = (scop_of(text, before=BEFORE) for text in SAME[case])
    assert {a.name for a in found.arrays} == {a.name for a in plain.arrays}
    assert found.assumptions.is_equal(plain.assumptions)
    for one, other in zip(found.statements, plain.statements, strict=True):
        assert one.domain.is_equal(other.domain)
        for access, same in zip(one.accesses, other.accesses, strict=True):
            assert access.array == same.array
            assert access.relation.is_equal(same.relation)


def test_a_variable_that_stays_may_name_the_row(scop_of):
    scop = scop_of(
        f"{ROWS} {{ int word = at[i]; double *row = A[word]; "
        f"{COLS} B[i][j] = row[j]; }}",
        before=BEFORE,
    )
    assert [a.array for a in scop.statements[-1].accesses] == ["at", "A", "B"]


def test_rows_must_not_be_left_for_any_size(scop_of):
    body = f"{ROWS} {{ double *row = A[i]; for (int j = 0; j < n; j++) row[j] = 0; }}"
    assumed = scop_of(body, before=BEFORE).assumptions
    assert assumed.is_equal(
        assumed.read_from_str(assumed.get_ctx(), "[n] -> { : n <= 20 }")
    )


def test_a_sum_that_is_written_may_be_another_array_s_memory(parse):
    program = parse(
        "void f(double *x, int n)\n{\n  double *p = x;\n#pragma scop\n"
        "  for (int i = 1; i < n; i++)\n    *(x + i - 1 + 1) = p[i - 1];\n"
        "#pragma endscop\n}\n"
    )
    (refusal,) = program.refusals
    assert "'p' may point into 'x'" in refusal.message


def test_an_array_written_through_a_pointer_may_be_another_one_s_memory(parse):
    program = parse(
        "void f(double *x, int n)\n{\n  double *p = x;\n#pragma scop\n"
        "  for (int i = 1; i < n; i++) {\n    double *q = x + 1;\n"
        "    q[i - 1] = p[i - 1];\n  }\n#pragma endscop\n}\n"
    )
    (refusal,) = program.refusals
    assert "'p' may point into 'x'" in refusal.message


@pytest.mark.parametrize(
    ("file", "before", "use"),
    [
        ("", "int n = m; int *p = &n;", "i < n"),
        ("static int n = 3; static int *p = &n;", "", "i < n"),
        ("static int *at(int *x) { return x; }", "int n = m, *p = at(&n);", "i < n"),
        ("static int n, *p; void set(void) { p = &n; }", "", "x[i + n] < n"),
        ("static int n = 3; static int *p = &n;", "", "i < m && x[i] == n"),
    ],
)
def test_a_size_that_a_written_pointer_may_point_to_is_none(parse, file, before, use):
    program = parse(
        f"{file}\nvoid f(int *x, int *y, int m)\n{{\n  {before}\n#pragma scop\n"
        f"  for (int i = 0; i < m; i++)\n    if ({use}) {{ y[i] = i; p[0] = 5; }}\n"
        "#pragma endscop\n}\n"
    )
    (refusal,) = program.refusals
    assert "'p' may point into 'n'" in refusal.message


def test_a_pointer_that_is_only_read_may_point_to_a_size(parse):
    program = parse(
        "void f(int *y, int m)\n{\n  int n = m, *p = &n;\n#pragma scop\n"
        "  for (int i = 0; i < n; i++)\n    y[i] = p[0];\n#pragma endscop\n}\n"
    )
    assert not program.refusals
