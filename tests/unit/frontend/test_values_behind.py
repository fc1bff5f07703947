"""Iterators that are read behind their loops are constants there."""

import islpy as isl
import pytest

from polysched.ir import Let

pytestmark = pytest.mark.cc

HEAD = "int n, int m, int i, int j, unsigned u, unsigned k, double *x, double *y"
# a text, and the same without a read behind a loop
SAME = {
    "a rest behind a loop by four": (
        "for (i = 0; i + 4 <= n; i += 4) x[i] = 0; for (; i < n; i++) y[i] = 0;",
        "for (int i = 0; i + 4 <= n; i += 4) x[i] = 0;"
        "for (int i = n < 0 ? 0 : n / 4 * 4; i < n; i++) y[i] = 0;",
    ),
    "less than": (
        "for (i = 1; i < n - 2; i += 3) x[i] = 0; for (; i < n; ++i) y[i] = 0;",
        "for (int i = 1; i < n - 2; i += 3) x[i] = 0;"
        "for (int i = n < 4 ? 1 : 1 + (n - 1) / 3 * 3; i < n; i++) y[i] = 0;",
    ),
    "two rests": (
        "for (i = 0; i + 8 <= n; i += 8) x[i] = 0;"
        "for (; i + 2 <= n; i += 2) x[i] = 1; for (; i < n; i++) y[i] = 0;",
        "for (int i = 0; i + 8 <= n; i += 8) x[i] = 0;"
        "for (int i = n < 0 ? 0 : n / 8 * 8; i + 2 <= n; i += 2) x[i] = 1;"
        "for (int i = n < 0 ? 0 : n / 2 * 2; i < n; i++) y[i] = 0;",
    ),
    "downwards": (
        "for (i = n - 1; i >= 3; i -= 4) x[i] = 0; while (i >= 0) { y[i] = 0; i--; }",
        "for (int i = n - 1; i >= 3; i -= 4) x[i] = 0;"
        "for (int i = n < 4 ? n - 1 : n - 1 - n / 4 * 4; i >= 0; i--) y[i] = 0;",
    ),
    "a subscript": (
        "for (i = 2; i < n; i++) x[i] = 0; y[i] = x[i - 1];",
        "for (int i = 2; i < n; i++) x[i] = 0;int e = n > 2 ? n : 2; y[e] = x[e - 1];",
    ),
    "unsigned": (
        "for (k = 0; k + 4 <= u; k += 4) x[k] = 0; for (; k < u; k++) y[k] = 0;",
        "for (unsigned k = 0; k + 4 <= u; k += 4) x[k] = 0;"
        "for (unsigned k = u / 4 * 4; k < u; k++) y[k] = 0;",
    ),
    "a loop that sets it first": (
        "for (i = 0; i < n; i++) x[i] = 0; k = u; while (k > 2) {"
        "for (i = 1; i < m; i++) y[0] += x[i]; k /= 2; }",
        "for (int i = 0; i < n; i++) x[i] = 0; k = u; while (k > 2) {"
        "for (int i = 1; i < m; i++) y[0] += x[i]; k /= 2; }",
    ),
    "in every row": (
        "for (j = 0; j < m; j++) { for (i = 0; i + 4 <= n; i += 4) x[n * j + i] = 0;"
        "for (; i < n; i++) y[n * j + i] = 0; }",
        "for (int j = 0; j < m; j++) {"
        "for (int i = 0; i + 4 <= n; i += 4) x[n * j + i] = 0;"
        "for (int i = n < 0 ? 0 : n / 4 * 4; i < n; i++) y[n * j + i] = 0; }",
    ),
}
REFUSED = {
    "bounds that change": (
        "int e = n; for (i = 0; i < e; i++) { x[i] = 0; e = m; } y[i] = 0;"
    ),
    "a read by the next turn of a loop around": (
        "for (j = 0; j < m; j++) { if (j > 0) y[i] = 1;"
        "for (i = 0; i < n; i++) x[i] = 0; y[i] = 2; }"
    ),
    "set in a branch": (
        "for (i = 0; i < n; i++) x[i] = 0; if (m > 0) i = 1; y[i] = 2;"
    ),
}


@pytest.mark.parametrize("name", SAME)
def test_iterators_behind_loops_are_where_the_loops_stopped(scop_of, name) -> None:
    text, plain = SAME[name]
    found, expected = (scop_of(t, head=HEAD) for t in (text, plain))
    pairs = list(zip(found.statements, expected.statements, strict=True))
    for one, other in pairs:
        places = [
            {a.array: a.relation for a in s.accesses if a.is_write}
            for s in (one, other)
        ]
        assert places[0].keys() == places[1].keys()
        for array, relation in places[0].items():
            here = relation.intersect_domain(one.domain).range()
            there = places[1][array].intersect_domain(other.domain).range()
            assert here.is_equal(there)


@pytest.mark.parametrize("name", REFUSED)
def test_iterators_whose_last_values_are_not_known_are_refused(parse, name) -> None:
    text = f"void f({HEAD}) {{\n#pragma scop\n{REFUSED[name]}\n#pragma endscop\n}}\n"
    (refusal, *_) = parse(text).refusals
    assert "'i'" in str(refusal)


def test_another_variable_of_the_name_keeps_its_values(scop_of) -> None:
    scop = scop_of(
        "for (j = 0; j < n; j++) x[j] = 0;for (int j = 0; j < m; j++) y[j] = 0;",
        head=HEAD,
    )
    last = scop.statements[-1].domain
    assert last.is_equal(isl.Set("[n, m] -> { S1[j] : 0 <= j < m }"))


SEARCHES = {
    "a break": "for (j = 0; j < m; j++) if (y[j] > x[i]) break; x[i] = j;",
    "a condition": "for (j = 0; j < m && y[j] < x[i]; j++) ; x[i] += j;",
    "a branch behind": (
        "for (j = m - 1; j >= 0; j--) if (y[j] < x[i]) break;"
        "if (j < 0) x[i] = 0; else x[i] = y[j];"
    ),
    "another loop behind": (
        "for (j = 0; j < m; j++) if (y[j] > x[i]) break; x[i] = j;"
        "for (j = 0; j < 4; j++) x[i] += 1;"
    ),
}


@pytest.mark.parametrize("name", SEARCHES)
def test_a_search_has_a_variable_of_its_own(scop_of, name) -> None:
    text = f"for (int i = 0; i < n; i++) {{ {SEARCHES[name]} }}"
    scop = scop_of(text, "int n, int m, int j, double *x, double *y")
    searching = scop.statements[0]
    assert searching.iterators == ("i",)
    own = [a.local.name for a in searching.body if isinstance(a, Let) and a.is_new]
    assert own == ["j_1"]
    assert "j" not in {a.name for a in scop.arrays}


def test_so_has_a_search_in_a_loop_behind_the_declaration(scop_of) -> None:
    search = SEARCHES["a break"]
    scop = scop_of(
        f"int j; for (int i = 0; i < n; i++) {{ {search} }}"
        f"for (int i = 0; i < n; i++) {{ {SEARCHES['a branch behind']} }}",
        "int n, int m, double *x, double *y",
    )
    assert [s.iterators for s in scop.statements] == [("i",), ("i",)]
    assert "j" not in {a.name for a in scop.arrays}


@pytest.mark.parametrize(
    "text",
    [
        # the next iteration goes on from there
        "for (int i = 0; i < n; i++) {"
        " x[i] = j; for (j = 0; j < m; j++) if (y[j] > x[i]) break; }",
        # it is changed where it is read
        "for (int i = 0; i < n; i++) {"
        " for (j = 0; j < m; j++) if (y[j] > x[i]) break; x[i] = j; j += 2; }",
    ],
)
def test_a_search_whose_variable_has_more_to_do_is_refused(parse, text) -> None:
    head = "void f(int n, int m, double *x, double *y) { int j = 0;"
    (refusal, *_) = parse(f"{head}\n#pragma scop\n{text}\n#pragma endscop\n}}").refusals
    assert "'j'" in str(refusal)
