"""Subscripts become relations, exact under conditions; compared by meaning."""

import islpy as isl
import pytest

from polysched.ir import Element, action_expressions, walk

pytestmark = pytest.mark.cc

LOOP = "for (int i = 0; i < n; i++)"


def relations(scop, kind, statement="S0"):
    return {
        a.array: a.relation
        for a in scop.statement(statement).accesses
        if a.kind == kind
    }


def same(relation, text):
    return relation.is_equal(isl.Map(f"[n, m] -> {{ {text} }}"))


READS = {
    "shifted": ("y[2 * i + 1]", "y[2i + 1]", "0 <= i < n"),
    "remainder": ("y[i % 3]", "y[i mod 3]", "0 <= i < n"),
    "quotient": ("y[i / 2]", "y[floor(i/2)]", "0 <= i < n"),
    "remainder by a size": (
        "y[(i + n - 1) % n]", "y[a]",
        "0 <= i < n and (i = 0 and a = n - 1 or i > 0 and a = i - 1)",
    ),
    "quotient by a size": (
        "y[2 * i / n + 1]", "y[a]",
        "0 <= i < n and (2i < n and a = 1 or 2i >= n and a = 2)",
    ),
    "shift right": ("y[i >> 1]", "y[floor(i/2)]", "0 <= i < n"),
    "mask": ("y[i & 3]", "y[i mod 4]", "0 <= i < n"),
    "cast": ("y[(long)i + (int)m]", "y[i + m]", "0 <= i < n"),
    "star": ("*y", "y[0]", "0 <= i < n"),
    "character": ("y['b' - 'a' + i]", "y[i + 1]", "0 <= i < n"),
    "guarded by a ternary": ("(i > 0 ? y[i - 1] : 0)", "y[i - 1]", "0 < i < n"),
    "guarded by and": ("(i > 0 && y[i - 1])", "y[i - 1]", "0 < i < n"),
    "guarded by or": ("(i > 4 || y[i])", "y[i]", "0 <= i < n and i <= 4"),
    "comparison as number": ("y[i == 3]", "y[a]",
                             "0 <= i < n and (i = 3 and a = 1 or i != 3 and a = 0)"),
}  # fmt: skip


@pytest.mark.parametrize("case", READS)
def test_read_relation(scop_of, case):
    value, target, condition = READS[case]
    scop = scop_of(f"{LOOP} x[i] = {value};")
    assert same(relations(scop, "read")["y"], f"S0[i] -> {target} : {condition}")


@pytest.mark.parametrize("before", ["i + (size_t)-1", "i + -1ul", "(size_t)-1 + i"])
def test_what_wraps_around_is_the_element_before(scop_of, before):
    scop = scop_of(
        f"for (size_t i = 1; i < n + (size_t)-1; i++) x[{before}] = y[i];",
        "size_t n, double *x, double *y",
        before="#include <stddef.h>",
    )
    wrote = relations(scop, "must_write")["x"]
    expected = isl.Map("[n] -> { S0[i] -> x[i - 1] : 0 < i < n - 1 }")
    assert wrote.is_equal(expected)
    assert not isl.Set("[n] -> { : n = 0 }").is_subset(scop.assumptions.params())


SMALLEST = """\
for (int i = 0; i < n; i++)
  for (int j = 0; j < m; j++) {
    int d = i;
    d = n - 1 - i < d ? n - 1 - i : d;
    d = d > j ? j : d;
    d = m - 1 - j <= d ? m - 1 - j : d;
    if (d OP 4) y[i + j] = x[d];
  }
"""


@pytest.mark.parametrize(
    ("op", "both", "n_pieces"),
    [
        ("<", "(i < 4 or j < 4 or n - 1 - i < 4 or m - 1 - j < 4)", 4),
        (">=", "i >= 4 and j >= 4 and n - 1 - i >= 4 and m - 1 - j >= 4", 1),
    ],
)
def test_the_least_of_some_distances(scop_of, op, both, n_pieces):
    scop = scop_of(SMALLEST.replace("OP", op))
    last = scop.statements[-1]
    inside = f"0 <= i < n and 0 <= j < m and {both}"
    found = relations(scop, "must_write", last.name)["y"]
    assert same(found, f"{last.name}[i, j] -> y[i + j] : {inside}")
    assert found.n_basic_map() <= n_pieces
    least = " and ".join(f"d <= {e}" for e in ("i", "j", "n - 1 - i", "m - 1 - j"))
    one = " or ".join(f"d = {e}" for e in ("i", "j", "n - 1 - i", "m - 1 - j"))
    read = relations(scop, "read", last.name)["x"]
    assert same(read, f"{last.name}[i, j] -> x[d] : {inside} and {least} and ({one})")


def test_the_least_of_what_may_wrap_is_read_as_written(scop_of):
    text = SMALLEST.replace("OP", "<").replace("x[d]", "x[(int)d]")
    signed, scop = scop_of(text), scop_of(text.replace("int d", "unsigned d"))
    wanted, found = (
        relations(s, "must_write", s.statements[-1].name)["y"] for s in (signed, scop)
    )
    assert found.is_equal(wanted)


def test_divisions_by_sizes_truncate_towards_zero(scop_of):
    scop = scop_of("for (int i = -n; i < 3 * n; i++) x[i / n + 1] = y[i % n + n];")
    at_four = isl.Set("[n] -> { : n = 4 }")
    wrote = relations(scop, "must_write")["x"].intersect_params(at_four)
    read = relations(scop, "read")["y"].intersect_params(at_four)
    for i in range(-4, 12):
        here = isl.Set(f"{{ S0[{i}] }}")
        quotient = int(i / 4)
        for relation, element in (
            (wrote, f"x[{quotient + 1}]"),
            (read, f"y[{i - 4 * quotient + 4}]"),
        ):
            found = here.apply(relation).project_out_all_params()
            assert found.is_equal(isl.Set(f"{{ {element} }}")), (i, found)


def test_quotients_that_sizes_leave_open_are_assumed_away(scop_of):
    scop = scop_of(f"{LOOP} x[i] = y[(i + 3) % n];")
    assert scop.assumptions.is_equal(isl.Set("[n] -> { : n <= 0 or n >= 2 }"))


def test_no_quotient_is_assumed_that_usual_sizes_do_not_have(scop_of):
    """The step of a picture's scale: 256 m / n is no number of 2 at most."""
    scop = scop_of(f"{LOOP} x[i] = y[(i * ((m << 8) / n)) >> 8];")
    assert scop.assumptions.is_equal(isl.Set("{ : }"))
    assert not relations(scop, "read")["y"].is_single_valued()  # any element


def test_negative_dividends_truncate_towards_zero(scop_of):
    scop = scop_of("for (int i = -n; i < n; i++) x[i / 3 + n] = y[i % 3 + 2];")
    domain = isl.Set("{ S0[i] : -4 <= i < 4 }")
    at_four = isl.Set("[n] -> { : n = 4 }")
    wrote = relations(scop, "must_write")["x"].intersect_params(at_four)
    read = relations(scop, "read")["y"].intersect_params(at_four)
    for i in range(-4, 4):
        here = domain.intersect(isl.Set(f"{{ S0[{i}] }}"))
        assert (
            here.apply(wrote)
            .project_out_all_params()
            .is_equal(isl.Set(f"{{ x[{int(i / 3) + 4}] }}"))
        )
        assert (
            here.apply(read)
            .project_out_all_params()
            .is_equal(isl.Set(f"{{ y[{i - 3 * int(i / 3) + 2}] }}"))
        )


def test_minimum_through_an_inline_function(scop_of):
    scop = scop_of(
        f"{LOOP} x[clamp(2 * i, 0, m)] = y[least(i, m)];",
        before="""
        static inline int least(int a, int b) { return a < b ? a : b; }
        static int clamp(int k, int lo, int hi)
        {
            if (k < lo) return lo;
            int top = least(k, hi);
            return top;
        }
        """,
    )
    assert same(
        relations(scop, "read")["y"],
        "S0[i] -> y[a] : 0 <= i < n and a <= i and a <= m and (a = i or a = m)",
    )
    assert same(
        relations(scop, "must_write")["x"],
        "S0[i] -> x[a] : 0 <= i < n and a <= 2i and a <= m and (a = 2i or a = m)",
    )


def test_compound_assignment_reads_its_target(scop_of):
    scop = scop_of(f"{LOOP} x[i] += 1;")
    assert same(relations(scop, "read")["x"], "S0[i] -> x[i] : 0 <= i < n")
    assert same(relations(scop, "must_write")["x"], "S0[i] -> x[i] : 0 <= i < n")


def test_data_dependent_if_may_write(scop_of):
    scop = scop_of(f"{LOOP} if (y[i] > 0) x[i] = y[i + 1];")
    assert "x" not in relations(scop, "must_write")
    assert same(relations(scop, "may_write")["x"], "S0[i] -> x[i] : 0 <= i < n")


def test_both_branches_write_for_certain(scop_of):
    scop = scop_of(f"{LOOP} if (y[i] > 0) {{ x[i] = 1; y[i] = 0; }} else x[i] = 2;")
    assert same(relations(scop, "must_write")["x"], "S0[i] -> x[i] : 0 <= i < n")
    assert same(relations(scop, "may_write")["y"], "S0[i] -> y[i] : 0 <= i < n")


def test_affine_part_of_a_data_condition_joins_the_domain(scop_of):
    scop = scop_of(f"{LOOP} if (i > 0 && y[i - 1] > 0) x[i] = 1;")
    assert scop.statements[0].domain.is_equal(isl.Set("[n] -> { S0[i] : 0 < i < n }"))
    assert same(relations(scop, "read")["y"], "S0[i] -> y[i - 1] : 0 < i < n")


@pytest.mark.parametrize(
    ("value", "left"),
    [
        ("3 > 2 ? y[i] : t", {"y"}),
        ("i >= 0 || y[i] > 0 ? 1 : t + z[i]", {"t", "z"}),
        ("i > n ? t : y[i] + (i < n - 1 ? y[i + 1] : t)", {"t", "y"}),
    ],
)
def test_what_no_instance_reads_is_not_there(scop_of, value, left):
    body = f"for (int i = 0; i < n; i++) {{ double t = y[i]; x[i] = {value}; }}"
    head = "int n, double *x, double *y, double *z, int *k"
    statement = scop_of(body, head=head).statements[-1]
    tops = [top for a in statement.body for top in action_expressions(a)]
    mentioned = {e.array for top in tops for e in walk(top) if isinstance(e, Element)}
    assert mentioned == left | {"x"} == {a.array for a in statement.accesses}


def test_chained_assignment_is_two_statements(scop_of):
    scop = scop_of(f"{LOOP} x[i] = y[i] = 1;")
    assert [s.writes[0].array for s in scop.statements] == ["y", "x"]
    assert [a.array for a in scop.statement("S1").reads] == ["y"]


def test_pointer_to_array(scop_of):
    scop = scop_of(f"{LOOP} (*p)[i][0] = 1;", head="int n, double (*p)[9][9]")
    assert scop.array("p").n_dim == 3
    assert same(relations(scop, "must_write")["p"], "S0[i] -> p[0, i, 0] : 0 <= i < n")


def test_reads_stand_before_writes_and_once(scop_of):
    scop = scop_of(f"{LOOP} x[i] = y[i] * y[i] + x[i];")
    assert [(a.array, a.kind) for a in scop.statements[0].accesses] == [
        ("y", "read"), ("x", "read"), ("x", "must_write"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("condition", "domain"),
    [
        # places that are left out one by one stay with the data
        ("x[j] > 0 && j != i", "0 <= i < n and 0 <= j < n"),
        ("i != j && x[j] > 0 && j < m", "0 <= i < n and 0 <= j < n and j < m"),
        # unless they are at an end
        ("j != 0 && x[j - 1] > 0", "0 <= i < n and 0 < j < n"),
        ("x[j] > 0 && j > i", "0 <= i < n and i < j < n"),
    ],
)
def test_questions_of_places_beside_data(scop_of, condition, domain):
    scop = scop_of(f"{LOOP} for (int j = 0; j < n; j++) if ({condition}) y[i] += x[j];")
    (statement,) = scop.statements
    assert statement.domain.is_equal(isl.Set(f"[n, m] -> {{ S0[i, j] : {domain} }}"))


def test_elements_that_data_choose_stay_where_none_is_in_the_array(scop_of) -> None:
    """C programs read on behind a row: the text goes on doing so."""
    body = "for (int i = 0; i < n; i++) x[i] = z[0][k[i] + 5];"
    head = "int n, double *x, double z[9][5], unsigned char *k"
    (statement,) = scop_of(body, head=head).statements
    tops = [top for a in statement.body for top in action_expressions(a)]
    assert "z" in {e.array for top in tops for e in walk(top) if isinstance(e, Element)}
