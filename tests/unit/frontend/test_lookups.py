"""Elements at places that depend on data, read and written."""

import islpy as isl
import pytest

from polysched.codegen import PrintOptions, print_openmp
from polysched.ir import Lookup, original_tree, walk

pytestmark = pytest.mark.cc

BEFORE = """\
enum { N = 40 };
typedef struct { double x, y; } vec2;
unsigned char image[N][N], curve[256]; int at[N], edge[N][2]; double table[4][64], v[N];
vec2 nodes[N];
"""
LOOP = "for (int i = 0; i < n; i++)"
# text, the array that is looked up in, and all of its elements
TABLES = {
    "a table": (f"{LOOP} v[i] = curve[image[i][0]];", "curve[k]", "0 <= k < 256"),
    "computed places": (
        f"{LOOP} v[i] = table[at[i] & 3][(i ^ at[n - i - 1]) & 63];", "table[k, l]",
        "0 <= k < 4 and 0 <= l < 64",
    ),
    "a place in a variable": (
        f"{LOOP} {{ int k = at[i]; k += 3; v[i] = curve[k]; }}", "curve[k]",
        "0 <= k < 256",
    ),
    "a place in a table": (
        f"{LOOP} v[i] = at[curve[at[i]] & 7];", "curve[k]", "0 <= k < 256",
    ),
    "structures": (
        f"{LOOP} v[i] = nodes[edge[i][0]].y - nodes[i].x;", "nodes[k, 1]",
        "0 <= k < 40",
    ),
    "an array of unknown size": (f"{LOOP} v[i] = x[at[i]];", "x[k]", "0 <= k"),
    "an array of a size known at run time": (
        f"{LOOP} v[i] = rows[1][at[i]];", "rows[1, l]", "0 <= l < n",
    ),
}  # fmt: skip
HEAD = "int n, double *x, double rows[][n]"


@pytest.mark.parametrize("case", TABLES)
def test_all_of_the_array_is_read(scop_of, case):
    text, element, which = TABLES[case]
    scop = scop_of(text, head=HEAD, before=BEFORE)
    statement = scop.statements[-1]
    iterators = ", ".join(statement.iterators)
    array = element.split("[")[0]
    found = [a.relation for a in statement.accesses if a.array == array]
    expected = found[0].read_from_str(
        found[0].get_ctx(), f"[n] -> {{ {statement.name}[{iterators}] -> {element} : "
        f"{which} }}",
    )  # fmt: skip
    assert any(r.is_equal(expected.intersect_domain(r.domain())) for r in found)
    assert any(
        isinstance(e, Lookup) and e.array == array for e in scop.iter_expressions()
    )


def test_it_is_printed_as_the_array_s(scop_of):
    body = f"{LOOP} v[i] = nodes[edge[i][0]].y + curve[at[i] + i];"
    scop = scop_of(body, before=BEFORE)
    text = print_openmp(scop, original_tree(scop), PrintOptions())
    assert "((double *)nodes)[2 * edge[t1][0] + 1] + curve[at[t1] + t1]" in text


# text, and what it may write
SCATTERED = {
    "a histogram": (f"{LOOP} v[at[i]] += 1;", "S0[i] -> v[k] : 0 <= k < 40"),
    "a permutation": (f"{LOOP} x[at[i]] = i;", "S0[i] -> x[k]"),
    "a pointer, at bits": (f"{LOOP} x[at[i] & 7] = i;", "S0[i] -> x[k] : 0 <= k < 8"),
    "a pointer, at bytes": (
        f"{LOOP} {{ int k = at[i]; for (int t = 0; t < k; t++) "
        "{ unsigned char b = v[t] + 2; x[b + 1] = i; } }",
        "S0[i] -> x[k] : 0 < k < 257",
    ),
    "rows": (
        f"{LOOP} table[i & 3][at[i]] = 0;", "S0[i] -> table[i mod 4, l] : 0 <= l < 64",
    ),
    "under a condition": (
        f"{LOOP} if (v[i] > 0) curve[at[i]]++;", "S0[i] -> curve[k] : 0 <= k < 256",
    ),
    "an array of the scop": (
        f"{LOOP} {{ int seen[9]; seen[at[i]] = 1; at[i] = seen[2]; }}",
        "S0[i] -> seen[i, k] : 0 <= k < 9",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", SCATTERED)
def test_all_of_the_array_may_be_written(scop_of, case):
    text, wanted = SCATTERED[case]
    scop = scop_of(text, head=HEAD, before=BEFORE)
    (write,) = scop.statements[0].writes
    expected = write.relation.read_from_str(
        write.relation.get_ctx(), f"[n] -> {{ {wanted} }}"
    )
    assert write.kind == "may_write"
    assert write.array in scop.looked_up
    assert write.relation.is_equal(expected.intersect_domain(write.relation.domain()))


def test_a_member_s_own_array_is_not_left(parse):
    """What lies beside `count` has the same type, and may be touched; the rest not."""
    (scop,) = parse(
        "struct bins { double sum[8]; int count[8], most; float mean[8]; };\n"
        "void f(struct bins *b, const unsigned char *key, int n) {\n#pragma scop\n"
        "for (int i = 0; i < n; i++) b->count[key[i]]++;\n#pragma endscop\n}"
    ).scops
    (write,) = scop.statements[0].writes
    assert write.kind == "may_write"
    assert write.relation.range().is_equal(
        isl.Set("[n] -> { b_count[0, k] : n > 0 and 16 <= k <= 24 }")
    )


def test_rows_of_a_member_are_as_many_as_it_has(parse):
    (scop,) = parse(
        "struct groups { double sum[8][3]; };\n"
        "void f(struct groups *g, const int *key, int n) {\n#pragma scop\n"
        "for (int i = 0; i < n; i++) g->sum[key[i]][1] += i;\n#pragma endscop\n}"
    ).scops
    (write,) = scop.statements[0].writes
    assert write.relation.range().is_equal(
        isl.Set("[n] -> { g_sum[k, 1] : n > 0 and 0 <= k < 8 }")
    )


def test_variables_of_the_scop_are_what_they_get(scop_of):
    text = f"{LOOP} {{ int k = at[i] & 7; if (v[i] > 0) k = 9; int l = 12 - k; "
    scop = scop_of(text + "x[l] += i; }", head=HEAD, before=BEFORE)
    (write,) = (a for s in scop.statements for a in s.writes if a.array == "x")
    places = write.relation.range()
    assert str(places.dim_min_val(0)) == "3"
    assert str(places.dim_max_val(0)) == "12"


def test_a_variable_may_be_what_an_iterator_is(scop_of):
    text = f"{LOOP} {{ int best = 2; for (int k = 0; k < 5; k++) "
    text += "if (v[k] > v[best]) best = k; x[best] += 1; }"
    scop = scop_of(text, head=HEAD, before=BEFORE)
    (write,) = (a for s in scop.statements for a in s.writes if a.array == "x")
    places = write.relation.range()
    assert (str(places.dim_min_val(0)), str(places.dim_max_val(0))) == ("0", "4")


def test_a_variable_that_counts_may_be_anything(scop_of):
    text = f"{LOOP} {{ int k = at[i] & 7; for (int t = 0; t < at[i]; t++) k += 2; "
    scop = scop_of(text + "x[k] += i; }", head=HEAD, before=BEFORE)
    (write,) = (a for s in scop.statements for a in s.writes if a.array == "x")
    assert write.relation.range().dim_max_val(0).is_infty()


def test_tables_of_the_scop_are_looked_up_in(scop_of):
    scop = scop_of(
        f"{LOOP} {{ double row[4]; for (int k = 0; k < 4; k++) row[k] = k; "
        "v[i] = row[at[i]]; }", before=BEFORE,
    )  # fmt: skip
    (read,) = (a for a in scop.statements[1].reads if a.array == "row")
    assert str(read.relation) == (
        "[n] -> { S1[i] -> row[i, o1] : 0 <= i < n and 0 <= o1 <= 3 }"
    )


@pytest.mark.parametrize("text", [
    f"{LOOP} v[i] = v[at[i]];", f"{LOOP} {{ double *u = v; u[i] = v[at[i]]; }}",
])  # fmt: skip
def test_arrays_that_the_scop_writes_are_looked_up_in_as_well(scop_of, text):
    scop = scop_of(text, before=BEFORE)
    assert scop.looked_up == {"v"}
    (read,) = (a for a in scop.statements[0].reads if a.array == "v")
    assert str(read.relation.range()) == "[n] -> { v[i0] : n > 0 and 0 <= i0 <= 39 }"


def test_a_pointer_may_begin_behind_its_first_element(scop_of):
    scop = scop_of(f"{LOOP} x[i - 3] = x[at[i]];", before=BEFORE)
    (read,) = (a for a in scop.statements[0].reads if a.array == "x")
    assert str(read.relation.range()) == "[n] -> { x[i0] : n > 0 }"


def test_a_table_may_be_another_name_of_what_is_written(parse):
    text = (
        f"{BEFORE}void f(int n)\n{{\n  double *u = v;\n#pragma scop\n"
        f"  {LOOP} v[i] = u[at[i]];\n#pragma endscop\n}}\n"
    )
    (refusal,) = parse(text).refusals
    assert "'u' may point into 'v'" in refusal.message


def test_flat_arrays_that_are_looked_up_in_stay_flat(parse, scop_of):
    scop = scop_of(
        f"{LOOP} for (int j = 0; j < m; j++) v[i] += y[at[j]] * x[i * m + j];",
        before=BEFORE,
    )
    assert {a.name: len(a.extents) for a in scop.arrays} == {
        "v": 1, "x": 2, "at": 1, "y": 1,
    }  # fmt: skip
    text = (
        f"{BEFORE}void f(int n, int m, double *x)\n{{\n#pragma scop\n{LOOP} "
        "for (int j = 0; j < m; j++) x[at[j]] += v[i] * x[i * m + j];\n"
        "#pragma endscop\n}\n"
    )
    (refusal,) = parse(text).refusals
    assert "this subscript is not affine" in refusal.message


INNER = f"{LOOP} for (int j = 0; j < m; j++)"


@pytest.mark.parametrize(
    ("text", "element", "n_lookups"),
    [
        (f"{INNER} v[i] += x[i * j];", "x[k]", 1),
        (f"{INNER} v[i] += x[i * m + j - 1] + x[i * m + j + 2];", "x[k]", 2),
        (f"{INNER} v[i] += x[at[j]] * x[i * m + j];", "x[k]", 2),
        (f"{INNER} v[i] += rows[i * j][j];", "rows[k, j]", 1),
        (f"{INNER} v[i] += rows[j][(i * j) % n];", "rows[j, k]", 1),
    ],
    ids=["product", "leaves its row", "beside data", "rows", "in a row"],
)
def test_what_is_only_read_may_be_anywhere(scop_of, text, element, n_lookups):
    """Nothing has to wait for it, so no dependence is lost."""
    head = f"int m, {HEAD}"
    statement = scop_of(text, head=head, before=BEFORE).statements[0]
    array = element.split("[")[0]
    read = next(a.relation for a in statement.accesses if a.array == array)
    inside = " and k < n" if element.endswith("k]") and "," in element else ""
    anywhere = read.read_from_str(
        read.get_ctx(), f"[n, m] -> {{ S0[i, j] -> {element} : 0 <= k{inside} }}"
    )
    assert read.is_equal(anywhere.intersect_domain(read.domain()))
    (action,) = statement.body
    found = [e for e in walk(action.value) if isinstance(e, Lookup)]
    assert len([e for e in found if e.array == array]) == n_lookups


@pytest.mark.parametrize(
    "text", [f"{INNER} x[i * j] = 0.0;", f"{INNER} x[i] += x[i * j];"]
)
def test_what_is_written_has_to_be_affine(parse, text):
    source = f"void f(int n, int m, double *x)\n{{\n#pragma scop\n{text}\n"
    (refusal,) = parse(f"{source}#pragma endscop\n}}\n").refusals
    assert "not affine" in refusal.message
