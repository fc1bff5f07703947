"""Jumps, switches and second iterators mean what plain loops and conditions mean."""

import islpy as isl
import pytest

from polysched.codegen import print_openmp
from polysched.ir import original_tree

pytestmark = pytest.mark.cc
IN = isl.dim_type.in_

LOOP = "for (int i = 0; i < n; i++)"
# how it is written, and the same in plain loops and conditions
SAME = {
    "continue": (
        f"{LOOP} {{ if (i == m) continue; x[i] = 1; y[i] = 2; }}",
        f"{LOOP} if (i != m) {{ x[i] = 1; y[i] = 2; }}",
    ),
    "continue behind work": (
        f"{LOOP} {{ if (i < m) {{ x[i] = 1; continue; }} else x[i] = 2; y[i] = 3; }}",
        f"{LOOP} if (i < m) x[i] = 1; else {{ x[i] = 2; y[i] = 3; }}",
    ),
    "continue in the other branch": (
        f"{LOOP} {{ if (i < m) x[i] = 1; else {{ continue; }} y[i] = 3; }}",
        f"{LOOP} if (i < m) {{ x[i] = 1; y[i] = 3; }}",
    ),
    "continue in a branch of a branch": (
        f"{LOOP} {{ if (i < m) {{ x[i] = 1; if (i > 3) continue; y[i] = 2; }} }}",
        f"{LOOP} if (i < m) {{ x[i] = 1; if (i <= 3) y[i] = 2; }}",
    ),
    "continue in parts of a branch": (
        f"{LOOP} {{ if (i < m) {{ x[i] = 1; if (i > 3) continue; y[i] = 2; "
        "if (i == 2) continue; } x[i] = 3; }",
        f"{LOOP} {{ if (i < m) {{ x[i] = 1; if (i <= 3) y[i] = 2; }} "
        "if (!(i < m && i > 3 || i < m && i == 2)) x[i] = 3; }",
    ),
    "continue in the last of several cases": (
        f"{LOOP} {{ switch (i) {{ case 1: x[i] = 1; break; default: continue; "
        "case 2: y[i] = 2; } x[i] = 3; }",
        f"{LOOP} {{ if (i == 1) x[i] = 1; else if (i == 2) y[i] = 2; "
        "if (i == 1 || i == 2) x[i] = 3; }",
    ),
    "two of them": (
        f"{LOOP} {{ if (i < m) continue; x[i] = 1; if (i > 9) continue; y[i] = 2; }}",
        f"{LOOP} if (i >= m) {{ x[i] = 1; if (i <= 9) y[i] = 2; }}",
    ),
    "continue of the inner loop": (
        f"{LOOP} {{ for (int j = 0; j < n; j++) {{ if (i == j) continue; x[j] = 1; }} "
        "y[i] = 2; }",
        f"{LOOP} {{ for (int j = 0; j < n; j++) if (i != j) x[j] = 1; y[i] = 2; }}",
    ),
    "break": (
        f"{LOOP} {{ if (i > m) break; x[i] = 1; }}",
        "for (int i = 0; i < n && i <= m; i++) x[i] = 1;",
    ),
    "break at a point": (
        f"{LOOP} {{ if (i == 7) {{ break; }} x[i] = 1; }}",
        "for (int i = 0; i < n && i < 7; i++) x[i] = 1;",
    ),
    "two breaks, then a continue": (
        f"{LOOP} {{ if (i > m) break; if (2 * i > n) break; if (i == 2) continue; "
        "x[i] = 1; }",
        "for (int i = 0; i < n && i <= m && 2 * i <= n; i++) if (i != 2) x[i] = 1;",
    ),
    "switch": (
        f"{LOOP} switch (i % 4) {{ case 0: case 2: x[i] = 1; break; "
        "default: x[i] = 2; break; case 3: { y[i] = 3; } break; }",
        f"{LOOP} if (i % 4 == 0 || i % 4 == 2) x[i] = 1; "
        "else if (i % 4 == 3) y[i] = 3; else x[i] = 2;",
    ),
    "switch without a default": (
        f"{LOOP} switch (i) {{ case 1: {{ x[i] = 1; break; }} case 'a': y[i] = 2; }}",
        f"{LOOP} if (i == 1) x[i] = 1; else if (i == 97) y[i] = 2;",
    ),
    "continue in a switch": (
        f"{LOOP} {{ switch (i) {{ case 1: continue; case 2: y[i] = 2; }} x[i] = 1; }}",
        f"{LOOP} if (i != 1) {{ if (i == 2) y[i] = 2; x[i] = 1; }}",
    ),
    "second iterator": (
        "for (int i = 0, j = n - 1; i < n; i++, j--) x[i] = y[j];",
        f"{LOOP} x[i] = y[n - 1 - i];",
    ),
    "two that meet": (
        "for (int i = 0, j = n - 1; i < j; i++, j--) { x[i] = x[j]; }",
        "for (int i = 0; 2 * i < n - 1; i++) x[i] = x[n - 1 - i];",
    ),
    "steps of other sizes": (
        "for (int i = m, j = 0; i >= 0; i -= 2, j += 3) x[i] = y[j];",
        "for (int i = m; i >= 0; i -= 2) x[i] = y[3 * ((m - i) / 2)];",
    ),
    "an end that keeps its value": (
        "for (int i = 0, end = n / 2; i < end; i++) x[i] = y[end];",
        "for (int i = 0; i < n / 2; i++) x[i] = y[n / 2];",
    ),
    "a step in the condition": (
        "for (unsigned i = m; i-- > 2u;) x[i] = y[i + 1];",
        "for (unsigned u = m; u > 2u; u--) x[u - 1] = y[u];",
    ),
    "a step that is the condition": (
        "for (unsigned i = 7; i--;) { if (i == 3) continue; x[i] = y[0]; }",
        "for (int u = 7; u > 0; u--) if (u != 4) x[u - 1] = y[0];",
    ),
    "a size that counts down": (
        "while (n--) x[n] = y[n];",
        "for (int u = n; u != 0; u--) x[u - 1] = y[u - 1];",
    ),
    "a while loop that counts": (
        "int k = 2; while (k < n) { x[k] = y[m]; k += 3; }",
        "for (int i = 2; i < n; i += 3) x[i] = y[m];",
    ),
    "a while loop that steps in its last statement": (
        "int k; k = 0; while (k < n) { y[k] = 1; x[k++] = 2; }",
        f"{LOOP} {{ y[i] = 1; x[i] = 2; }}",
    ),
    "a for loop that counts a variable from around it": (
        f"{LOOP} {{ int k = i; for (; k < m; k++) x[k] = y[i]; }}",
        f"{LOOP} for (int j = i; j < m; j++) x[j] = y[i];",
    ),
    "one variable for two loops": (
        "int k = 0; while (k < n) { x[k] = 1; k++; } "
        "k = m; while (k > 0) { y[k] = 2; k--; }",
        f"{LOOP} x[i] = 1; for (int i = m; i > 0; i--) y[i] = 2;",
    ),
    "counters that begin with a value that nobody reads": (
        "int i = 0, j = 0; for (i = 0; i < n; i++) x[i] = 1; "
        "for (j = m; j < n; j++) y[j] = 2;",
        f"{LOOP} x[i] = 1; for (int j = m; j < n; j++) y[j] = 2;",
    ),
    "several counters from around the loop": (
        "int i, j; for (i = 0, j = n - 1; i < n; ++i, --j) x[i] = y[j]; "
        "for (i = j = 0; i < m; i++, j += 2) y[j] = x[i];",
        f"{LOOP} x[i] = y[n - 1 - i]; for (int i = 0; i < m; i++) y[2 * i] = x[i];",
    ),
    "several counters in each iteration": (
        f"int j; long k; {LOOP} for (k = i, j = 0; k < m; j++, k++) x[k] = y[j];",
        f"{LOOP} for (long k = i; k < m; k++) x[k] = y[k - i];",
    ),
    "a loop that asks behind its body": (
        "int k = 2; do { x[k] = y[m]; k += 3; } while (k < n);",
        "for (int i = 2; i == 2 || i < n; i += 3) x[i] = y[m];",
    ),
    "one that steps where it asks": (
        f"{LOOP} {{ int k = i; do x[k] = y[i]; while (++k < m); }}",
        f"{LOOP} for (int j = i; j == i || j < m; j++) x[j] = y[i];",
    ),
    "one that asks and steps then": (
        "int k = 9; do { x[k] = y[m]; } while (k-- > n);",
        "for (int i = 9; i == 9 || i + 1 > n; i--) x[i] = y[m];",
    ),
    "one whose first turn may be the only one": (
        f"{LOOP} {{ int k = 0; do {{ x[k] = i; k++; }} while (k < i); }}",
        f"{LOOP} for (int j = 0; j < (i > 1 ? i : 1); j++) x[j] = i;",
    ),
    "steps in front of the comparison": (
        "for (int i = n; --i >= 0;) for (int j = -1; ++j < i;) x[j] = y[i];",
        "for (int u = n; u - 1 >= 0; u--) for (int v = -1; v + 1 < u - 1; v++) "
        "x[v + 1] = y[u - 1];",
    ),
}


# with pointers that walk, after which counters are left that nobody reads
WALKS = {
    "both sides": (
        f"{LOOP} *x++ = *y++;",
        f"{LOOP} x[i] = y[i];",
    ),
    "as a size counts down": (
        "while (n--) *x++ = *y++;",
        "for (int u = n; u > 0; u--) x[n - u] = y[n - u];",
    ),
    "in the header of a loop": (
        "for (int i = 0; i < n; i++, x += 2, ++y) { if (i == m) continue; "
        "x[1] = y[-1]; }",
        f"{LOOP} if (i != m) x[2 * i + 1] = y[i - 1];",
    ),
    "set anew for every row": (
        f"double *p; {LOOP} {{ p = x + i * m; for (int j = 0; j < m; j++) "
        "*p++ = y[j]; }",
        f"{LOOP} for (int j = 0; j < m; j++) x[i * m + j] = y[j];",
    ),
    "declared in every row": (
        f"{LOOP} {{ const double *p = y + i; double *q = x + i * 16; "
        "for (int j = 0; j < 8; j++, p += 2) *++q = *p; }",
        f"{LOOP} for (int j = 0; j < 8; j++) x[i * 16 + j + 1] = y[i + 2 * j];",
    ),
    "one name for two places": (
        f"const double *p = y; {LOOP} *x++ = *p++; p = y + m; {LOOP} *x++ = *p--;",
        f"{LOOP} x[i] = y[i]; for (int j = 0; j < n; j++) x[n + j] = y[m - j];",
    ),
}


@pytest.mark.parametrize("case", WALKS)
def test_pointers_that_walk_are_subscripts(scop_of, case):
    """Sizes below zero apart, for which generated code is not run."""
    _compare(*(scop_of(text) for text in WALKS[case]))


def _compare(found, plain):
    """Statements that write arrays are the same."""
    left = [s for s in found.statements if not _sets_a_counter(found, s)]
    assert len(left) == len(plain.statements)
    for one, other in zip(left, plain.statements, strict=True):
        assert one.domain.reset_tuple_id().is_equal(other.domain.reset_tuple_id())
        for access, same in zip(one.accesses, other.accesses, strict=True):
            assert (access.array, access.kind) == (same.array, same.kind)
            relations = (a.relation.reset_tuple_id(IN) for a in (access, same))
            assert next(relations).is_equal(next(relations))


def _sets_a_counter(scop, statement):
    written = [scop.array(a.array) for a in statement.writes]
    return all(a.is_scalar and a.is_private for a in written)


LEFT = {
    "read behind": ("*x++ = 1;", "x[0] = 2;", "pointer or array 'x' is assigned"),
    "read before it is set": (
        "x[0] = 1; x = y;", "", "pointer or array 'x' is assigned",
    ),
    "set under a condition": (
        "if (n > 3) x = y; x[0] = 1;", "", "pointer or array 'x' is assigned",
    ),
    "handed on": ("double **p = &x; *x++ = 1;", "", "pointers"),
    "size read behind": ("while (n--) x[n] = 1;", "y[0] = n;", "'--' inside an expr"),
}  # fmt: skip


@pytest.mark.parametrize("case", LEFT)
def test_what_has_no_such_form_is_refused(parse, case):
    body, after, words = LEFT[case]
    program = parse(
        f"void f(int n, int m, double *x, double *y)\n{{\n#pragma scop\n{body}\n"
        f"#pragma endscop\n{after}\n}}\n"
    )
    (refusal,) = program.refusals
    assert words in str(refusal)
    assert "case.c:4:" in str(refusal)


@pytest.mark.parametrize("case", SAME)
def test_the_plain_form_has_the_same_meaning(scop_of, case):
    _compare(*(scop_of(text) for text in SAME[case]))


def test_a_condition_on_data_around_loops_is_kept(scop_of):
    scop = scop_of(
        f"if (x[0] > 0) {LOOP} {{ if (i < m) x[i] = 1; }} else if (x[1]) "
        f"{LOOP} if (y[i] > 2) y[i] = 2;"
    )
    texts = [s.text for s in scop.statements]
    assert texts[:2] == ["holds = x[0] > 0", "x[i] = 1;"]
    assert [w.kind for s in scop.statements for w in s.writes] == [
        "must_write", "may_write", "must_write", "may_write",
    ]  # fmt: skip
    kept = [a for a in scop.arrays if a.name.startswith("holds")]
    assert all(a.is_private and a.is_scalar for a in kept)
    # the second is asked only where the first fails: x[1] may not exist
    assert [a.kind for a in scop.statements[2].reads] == ["read", "read"]
    assert "!holds" in print_source(scop)


def test_a_part_that_continues_by_its_data_takes_a_note(scop_of):
    scop = scop_of(
        f"{LOOP} {{ if (i > 3) {{ x[i] = 1; if (y[i] < 2) continue; y[i] = 1; }} "
        "x[i] += 2; }",
    )
    notes = [s.text for s in scop.statements]
    assert notes[0] == "int goes_on = 1"
    assert notes[-1] == "if (goes_on) { x[i] += 2; }"
    assert "goes_on = 0" in print_source(scop)


def print_source(scop):
    return print_openmp(scop, original_tree(scop))


def test_a_skipped_condition_on_data_is_shown_as_it_is_read(scop_of):
    scop = scop_of(f"{LOOP} {{ if (x[i] < 0) continue; y[i] = x[i]; }}")
    (statement,) = scop.statements
    assert statement.text == "if (!(x[i] < 0)) { y[i] = x[i]; }"
    assert [a.kind for a in statement.writes] == ["may_write"]
