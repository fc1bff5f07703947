"""Pointers and integers that structures hold are variables of the region."""

import pytest

from polysched.ir import Param

pytestmark = pytest.mark.cc

TYPES = """
typedef struct { int rows; unsigned long cols; } size;
typedef struct { size at; double scale; double *x; const int *k; int row[4]; } grid;
"""


def read(parse, body, head="grid *g, int n, double *y", before="", behind=""):
    return parse(
        f"{TYPES}{before}void f({head}) {{\n#pragma scop\n{body}\n#pragma endscop\n"
        f"{behind}}}\n"
    )


def test_sizes_shape_the_model_and_pointers_are_arrays(parse):
    (scop,) = read(
        parse,
        "for (int i = 0; i < g->at.rows; i++) for (int j = 0; j < n; j++)"
        " g->x[i * n + j] = g->scale * y[j];",
    ).scops
    array = scop.array("g_x")
    assert (array.held, array.extents) == ("g ? g->x : 0", (None, Param("n")))
    rows = next(p for p in scop.parameters if p.name == "g_at_rows")
    assert rows.held == "g ? g->at.rows : 0"
    assert not scop.statements[0].has_data_loops


def test_of_a_variable_nothing_is_asked(parse):
    (scop,) = read(
        parse, "for (int i = 0; i < n; i++) g.x[i] = 0;", "grid g, int n"
    ).scops
    assert scop.array("g_x").held == "g.x"


def test_a_member_may_lead_to_rows(parse):
    (scop,) = parse(
        "struct matrix { int n; double **u; };\nvoid f(struct matrix *g) {\n"
        "#pragma scop\nfor (int i = 1; i < g->n; i++)"
        " for (int j = 0; j < g->n; j++) g->u[i][j] = g->u[i - 1][j];\n"
        "#pragma endscop\n}"
    ).scops
    array = scop.array("g_u")
    assert (array.held, array.in_rows) == ("g ? g->u : 0", True)
    assert "the rows of g_u" in map(str, scop.overlaps)


def test_a_member_may_be_a_row_of_pointers(parse):
    """One `double *` for each coordinate."""
    (scop,) = parse(
        "struct points { double *at[3]; };\nvoid f(struct points *p, int n) {\n"
        "#pragma scop\nfor (int d = 0; d < 2; d++)"
        " for (int i = 0; i < n; i++) p->at[d][i] = p->at[d + 1][i];\n"
        "#pragma endscop\n}"
    ).scops
    array = scop.array("p_at")
    assert (array.held, array.in_rows) == ("p ? &p->at[0] : 0", True)
    assert "the rows of p_at" in map(str, scop.overlaps)


def test_names_are_new(parse):
    (scop,) = read(
        parse, "for (int i = 0; i < n; i++) g->x[i] = g_x[i];",
        "grid *g, int n, double *g_x",
    ).scops  # fmt: skip
    assert scop.array("g_x").held == ""
    assert scop.array("g_x_0").held == "g ? g->x : 0"


@pytest.mark.parametrize(
    ("change", "is_held"),
    [
        ("y[i] = 1", True),
        ("g->scale = i", True),
        ("g->row[i % 4] = 1", True),
        ("g->at.rows = n", False),
        ("g->at.rows++", False),
        ("h->at.rows = n", False),  # which may be the same structure
        ("g->at = h->at", False),
        ("*h = *g", False),
        ("all[i].at.rows = 2", False),
    ],
)
def test_members_that_change_are_data(parse, change, is_held):
    program = read(
        parse, f"for (int i = 0; i < n; i++) {{ y[i] = g->at.rows; {change}; }}",
        "grid *g, grid *h, grid *all, int n, double *y",
    )  # fmt: skip
    names = {a.name for s in program.scops for a in s.arrays}
    assert ("g_at_rows" in names) == is_held


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (
            "for (int i = 0; i < n; i++) { g->x[i] = 0; g = g + 1; }",
            "a pointer that a structure",
        ),
        ("for (int i = 0; i < n; i++) g[i].x[0] = 0;", "a pointer that a structure"),
    ],
)
def test_structures_that_change_are_refused(parse, body, said):
    (refusal,) = read(parse, body).refusals
    assert said in refusal.message


EXCHANGE = "double *t = g->x; g->x = g->z; g->z = t;"


def exchange(parse, body):
    return parse(
        "typedef struct { int n; double *x, *z; } pair;\nvoid f(pair *g, pair *h) {\n"
        f"#pragma scop\nfor (int s = 0; s < g->n; s++) {{ {body} }}\n"
        "#pragma endscop\n}"
    )


def test_members_that_are_exchanged_are_exchanged_behind(parse):
    (scop,) = exchange(parse, f"g->z[s] = g->x[s]; {EXCHANGE}").scops
    assert [w.array for s in scop.statements for w in s.writes] == ["g_z", "g_x"]
    assert " ".join(scop.behind.split()) == (
        "if (0 < g->n && g->n % 2) { double *t = g->x; g->x = g->z; g->z = t; }"
    )


@pytest.mark.parametrize(
    "body",
    [
        f"h->x[s] = g->x[s]; {EXCHANGE}",
        f"g->z[s] = g->x[s]; {EXCHANGE} h->z = h->x;",
        "g->z[s] = g->x[s]; g->x = g->z;",
        f"g->z[s] = g->x[s]; if (s) {{ {EXCHANGE} }}",
    ],
)
def test_other_exchanges_of_members_are_refused(parse, body):
    (refusal,) = exchange(parse, body).refusals
    assert refusal.where.line == 4
    assert refusal.hint


def test_what_the_function_sets_them_to_is_looked_at(parse):
    (refusal,) = parse(
        f"{TYPES}static double G[99];\nvoid f(int n) {{ grid g; g.x = G;\n"
        "#pragma scop\nfor (int i = 0; i < n; i++) g.x[i] = G[i + 1];\n"
        "#pragma endscop\n}"
    ).refusals
    assert "'g_x' may point into 'G'" in refusal.message


def test_a_structure_may_point_to_a_row_of_its_own(parse):
    (refusal,) = read(
        parse, "for (int i = 1; i < n; i++) g->x[i] = g->own[i - 1];",
        "buffer *g, int n", "typedef struct { double *x, own[8]; } buffer;\n",
    ).refusals  # fmt: skip
    assert "'g_x' may point into 'g'" in refusal.message


HOLDER = """
typedef struct { float b, a[2]; } stage;
typedef struct { int n; stage s[6]; double u[30][40], v[9]; } model;
"""


def test_arrays_of_rows_and_of_structures_keep_their_shape(parse):
    (scop,) = read(
        parse, "for (int i = 1; i < g->n; i++) for (int j = 0; j < m.n; j++)"
        " g->u[i][j] = g->u[i - 1][j] * m.s[j].a[1];",
        "model *g, model m", HOLDER,
    ).scops  # fmt: skip
    rows, stages = scop.array("g_u"), scop.array("m_s")
    assert (rows.held, stages.held) == ("g ? &g->u[0] : 0", "&m.s[0]")
    assert rows.extents[1].value == 40
    assert [p.value for p in stages.pitches] == [3]


@pytest.mark.parametrize(("array", "n"), [("v", 9), ("u", 30 * 40)])
def test_an_array_is_larger_than_a_pointer_to_it(parse, array, n):
    (scop,) = read(
        parse,
        f"for (int i = 0; i < 3; i++) memset(g->{array}, 0, sizeof(g->{array}));",
        "model *g", f"#include <string.h>\n{HOLDER}",
    ).scops  # fmt: skip
    (write,) = (a.relation for _, a in scop.iter_accesses() if a.is_write)
    assert write.range().count_val() == n
    assert scop.array(f"g_{array}").held == f"g ? &g->{array}[0] : 0"


def test_a_row_is_a_pointer_where_it_stands_alone(parse):
    program = (
        "static double dot(const double *a, const double *b) { double s = 0;"
        " for (int k = 0; k < 9; k++) s += a[k] * b[k]; return s; }\n"
    )
    (scop,) = read(
        parse, "for (int i = 0; i < n; i++) y[i] = dot(g->v, g->u[i]) + g->v[0];",
        "model *g, int n, double *y", HOLDER + program,
    ).scops  # fmt: skip
    assert {a.name for a in scop.arrays if a.held} == {"g_v", "g_u"}


def test_arrays_of_one_structure_are_apart(parse):
    (scop,) = read(
        parse,
        "for (int i = 0; i < g->n; i++) g->u[i][0] = g->s[i % 6].b + h->u[i][0];",
        "model *g, model *h", HOLDER,
    ).scops  # fmt: skip
    assert sorted(map(str, scop.overlaps)) == ["g_u and h_u"]


def test_an_array_and_other_members_are_apart(parse):
    (scop,) = read(
        parse, "for (int i = 0; i < g->n; i++) for (int j = 0; j < 40; j++)"
        " g->u[i][j] += g->v[j % 9];", "model *g", HOLDER,
    ).scops  # fmt: skip
    assert len(scop.overlaps) == 1  # who has another name for the rows is asked


def test_another_spelling_is_asked(parse):
    (scop,) = read(
        parse, "for (int i = 1; i < g->n; i++) for (int j = 0; j < 40; j++)"
        " g->u[i][j] = (*g).u[i - 1][j];", "model *g", HOLDER,
    ).scops  # fmt: skip
    (pair,) = scop.overlaps
    assert str(pair) == "g_u and g"


def test_rows_of_an_array_are_what_they_are(parse):
    (scop,) = read(
        parse,
        "for (int i = 1; i < g->n; i++) memcpy(g->u[i], g->u[0], sizeof(g->u[0]));",
        "model *g", f"#include <string.h>\n{HOLDER}",
    ).scops  # fmt: skip
    (write,) = (a.relation for _, a in scop.iter_accesses() if a.is_write)
    assert write.range().dim_max_val(1) == 39


def test_a_member_may_lead_to_rows_of_one_length(parse):
    (scop,) = read(
        parse, "for (int i = 1; i < g->n; i++) g->a[i][3] = g->a[i - 1][2];",
        "view *g", "typedef struct { int n; double (*a)[40]; } view;\n",
    ).scops  # fmt: skip
    array = scop.array("g_a")
    assert (array.held, array.extents[1].value) == ("g ? g->a : 0", 40)


def test_a_structure_given_by_value_is_asked_about_its_arrays(parse):
    function = (
        "static double trace(model a) { double s = 0;"
        " for (int k = 0; k < 30; k++) s += a.u[k][k]; return s; }\n"
    )
    program = read(
        parse, "for (int i = 1; i < n; i++) { m.u[i][i] = y[i - 1]; y[i] = trace(m); }",
        "model m, int n, double *restrict y", HOLDER + function,
    )  # fmt: skip
    for scop in program.scops:
        assert any("m_u" in str(pair) for pair in scop.overlaps)
