"""Steps that all branches take stand behind them: the places they lead to are known."""

import islpy as isl
import pytest

from polysched.analysis import prepare_scop

pytestmark = pytest.mark.cc
IN = isl.dim_type.in_

BEFORE = (
    "static int low(int v) { if (v < 9) return v; return 9; }\n"
    "static void put(char *to, const char *from, int m) { for (int j = 0; j < m; j++) "
    "{ if (*from > 9) *to++ = 9; else *to++ = *from; from++; } }"
)
HEAD = (
    "int n, int m, const double *restrict x, double *restrict y, "
    "const char *restrict from, char *restrict to"
)
LOOP = "for (int i = 0; i < n; i++)"
BOTH = "for (int i = 0; i < n; i++) for (int j = 0; j < m; j++)"
# what branches step through, and the same with subscripts
SAME = {
    "a pointer": (
        f"{BOTH} {{ if (x[i*m + j] > 0) *to++ = 1; else *to++ = 2; }}",
        f"{BOTH} {{ if (x[i*m + j] > 0) to[i*m + j] = 1; else to[i*m + j] = 2; }}",
    ),
    "a counter": (
        f"int k = 0; {LOOP} if (x[i]) {{ y[k] = 1; k++; }} "
        "else { y[k] = 2; k += 1; }",
        f"{LOOP} if (x[i]) y[i] = 1; else y[i] = 2;",
    ),
    "a counter in front of its use": (
        f"int k = -1; {LOOP} if (x[i]) y[++k] = 1; else {{ k = 1 + k; y[k] = 2; }}",
        f"{LOOP} if (x[i]) y[i] = 1; else y[i] = 2;",
    ),
    "backwards": (
        f"long k = n; {LOOP} if (x[i]) y[--k] = 1; else {{ k -= 1; y[k] = 2; }}",
        f"{LOOP} if (x[i]) y[n - 1 - i] = 1; else y[n - 1 - i] = 2;",
    ),
    "three questions": (
        f"{LOOP} if (x[i] > 1) *to++ = 1; else if (x[i] > 0) *to++ = 2; "
        "else *to++ = 3;",
        f"{LOOP} if (x[i] > 1) to[i] = 1; else if (x[i] > 0) to[i] = 2; "
        "else to[i] = 3;",
    ),
    "a question in a branch": (
        f"{LOOP} if (x[i] > 1) {{ if (x[i] > 2) *to++ = 1; else *to++ = 4; }} "
        "else *to++ = 3;",
        f"{LOOP} if (x[i] > 1) {{ if (x[i] > 2) to[i] = 1; else to[i] = 4; }} "
        "else to[i] = 3;",
    ),
    "three colours": (
        f"{LOOP} if (x[i] > 0) {{ *to++ = 1; *to++ = 2; *to++ = 3; }} "
        "else { to[2] = 4; to += 3; }",
        f"{LOOP} if (x[i] > 0) {{ to[3*i] = 1; to[3*i + 1] = 2; to[3*i + 2] = 3; }} "
        "else to[3*i + 2] = 4;",
    ),
    "commas": (
        f"{LOOP} if (x[i] > 0) *to++ = 1, *to++ = 2; else *to = 3, to += 2;",
        f"{LOOP} if (x[i] > 0) {{ to[2*i] = 1; to[2*i + 1] = 2; }} else to[2*i] = 3;",
    ),
    "nothing but the step in a branch": (
        f"{LOOP} {{ if (x[i] > 0) to++; else *to++ = 2; }}",
        f"{LOOP} if (!(x[i] > 0)) to[i] = 2;",
    ),
    "a loop and a block behind the step": (
        f"int k = 0; {LOOP} if (x[i] > 0) {{ k++; for (int s = 0; s < 2; s++) "
        "y[k + s] = 1; } else { { k++; y[k] = 2; } }",
        f"{LOOP} if (x[i] > 0) {{ for (int s = 0; s < 2; s++) y[i + 1 + s] = 1; }} "
        "else y[i + 1] = 2;",
    ),
    "two pointers": (
        "while (n--) if (*from > 3) *to++ = *from++; else { *to++ = 2; from++; }",
        "for (int u = n; u != 0; u--) if (from[n - u] > 3) to[n - u] = from[n - u]; "
        "else to[n - u] = 2;",
    ),
    "cases": (
        f"{LOOP} switch (from[i]) {{ case 0: *to++ = 1; break; case 1: *to++ = 2; "
        "break; default: *to++ = 3; }",
        f"{LOOP} switch (from[i]) {{ case 0: to[i] = 1; break; case 1: to[i] = 2; "
        "break; default: to[i] = 3; }",
    ),
    "what continue skips": (
        f"{LOOP} {{ if (x[i] > 0) {{ *to++ = 1; continue; }} *to++ = 2; }}",
        f"{LOOP} {{ if (x[i] > 0) {{ to[i] = 1; continue; }} to[i] = 2; }}",
    ),
    "the condition steps": (
        f"{LOOP} if (*from++ > 3) to[i] = *from; else *to = 2;",
        f"{LOOP} if (from[i] > 3) to[i] = from[i + 1]; else *to = 2;",
    ),
    "the condition alone steps": (
        f"{LOOP} if (*from++ > 3) to[i] = 2;",
        f"{LOOP} if (from[i] > 3) to[i] = 2;",
    ),
    "the condition steps first": (
        f"int k = 0; {LOOP} if (x[++k] > 3 && m) y[k] = 2;",
        f"{LOOP} if (x[i + 1] > 3 && m) y[i + 1] = 2;",
    ),
    "a loop that counts in branches": (
        "int i = 0; while (i < n) { if (x[i] > 0) { y[i] = 1; i++; } "
        "else { y[i] = 2; i++; } }",
        f"{LOOP} if (x[i] > 0) y[i] = 1; else y[i] = 2;",
    ),
    "a conditional expression": (
        f"{BOTH} *to++ = x[i*m + j] > 0 ? 1 : 2;",
        f"{BOTH} to[i*m + j] = x[i*m + j] > 0 ? 1 : 2;",
    ),
    "the condition of an expression steps": (
        f"{LOOP} *to++ = *from++ > 3 ? 1 : 2;",
        f"{LOOP} to[i] = from[i] > 3 ? 1 : 2;",
    ),
    "an argument steps": (
        f"{LOOP} *to++ = low(*from++);",
        f"{LOOP} to[i] = low(from[i]);",
    ),
    "a function's pointers": (
        f"{LOOP} put(to + i*m, from + i*m, m);",
        f"{BOTH} {{ if (from[i*m + j] > 9) to[i*m + j] = 9; "
        "else to[i*m + j] = from[i*m + j]; }",
    ),
}


def prepared(scop_of, text):
    return prepare_scop(scop_of(text, head=HEAD, before=BEFORE))


@pytest.mark.parametrize("case", SAME)
def test_elements_are_those_of_subscripts(scop_of, case):
    found, plain = (prepared(scop_of, text) for text in SAME[case])
    for one, other in zip(found.statements, plain.statements, strict=True):
        assert one.domain.reset_tuple_id().is_equal(other.domain.reset_tuple_id())
        for access, same in zip(one.accesses, other.accesses, strict=True):
            assert (access.array, access.kind) == (same.array, same.kind)
            relations = (a.relation.reset_tuple_id(IN) for a in (access, same))
            assert next(relations).is_equal(next(relations))


# what is no step of all branches: where they write stays a matter of data
OTHERS = {
    "one branch": "if (x[i] > 0) y[k++] = 1;",
    "an empty branch": "if (x[i] > 0) y[k++] = 1; else y[k] = 2;",
    "two of three": "if (x[i] > 1) y[k++] = 1; else if (x[i] > 0) y[k++] = 2;",
    "other steps": "if (x[i] > 0) y[k++] = 1; else { y[k] = 2; k += 2; }",
    "the other way": "if (x[i] > 0) y[k++] = 1; else y[k--] = 2;",
    "steps by a variable": "if (x[i] > 0) { y[k] = 1; k += m; } else y[k++] = 2;",
    "steps that grow": "if (x[i] > 0) { y[k] = 1; k += k; } else { y[k] = 2; k += k; }",
    "set anew": "if (x[i] > 0) { y[k] = 1; k = 3; } else y[k++] = 2;",
    "a loop in a branch": "if (x[i] > 0) { y[k] = 1; for (int s = 0; s < 1; s++) "
    "k++; } else y[k++] = 2;",
    "a choice in a branch": "if (x[i] > 0) { y[k] = 1; if (x[i] > 2) k++; } "
    "else y[k++] = 2;",
    "what the condition takes": "if (x[k++] > 0) y[k] = 1; else y[k++] = 2;",
    "a condition that may not step": "if (x[i] > 0 && x[k++] > 2) y[k] = 1; "
    "else y[k++] = 2;",
}


@pytest.mark.parametrize("case", OTHERS)
def test_others_stay_matters_of_data(parse, case):
    program = parse(
        f"void f({HEAD}) {{\n#pragma scop\nint k = 0; {LOOP} {{ {OTHERS[case]} }}\n"
        "#pragma endscop\n}\n"
    )
    for scop in program.scops:
        writes = [w for s in prepare_scop(scop).statements for w in s.writes]
        assert "k" in {w.array for w in writes}
        assert any(w.array == "y" and not w.relation.is_single_valued() for w in writes)
    assert program.scops or "'++' inside" in str(program.refusals[0])


@pytest.mark.parametrize(
    ("declared", "before"),
    [
        ("", "static int k;"),  # a function may read it
        ("short k;", ""),  # k + 1 does not wrap as it does
        ("double k;", ""),
        ("volatile int k;", ""),
        ("int k; int *at = &k; note(at);", "void note(int *);"),
    ],
)
def test_variables_that_others_may_see_stay_in_branches(parse, declared, before):
    program = parse(
        f"{before}\nvoid f({HEAD}) {{\n{declared}\n#pragma scop\nk = 0; {LOOP} "
        "if (x[i] > 0) { y[i] = 1; k++; } else { y[i] = 2; k++; }\n#pragma endscop\n}\n"
    )
    for scop in program.scops:
        last = scop.statements[-1]
        assert {w.array for w in last.writes} == {"k", "y"}
    assert program.scops or "volatile" in str(program.refusals[0])


def test_a_name_that_a_branch_declares_is_another_variable(scop_of):
    scop = scop_of(
        f"int k = 0; {LOOP} {{ if (x[i] > 0) {{ int k = 3; y[k] = 1; k++; }} "
        "else y[k++] = 2; }",
        head=HEAD,
    )
    assert "k" in {w.array for w in prepare_scop(scop).statements[-1].writes}


def test_a_step_in_the_value_of_a_switch_is_refused(parse):
    program = parse(
        f"void f({HEAD}) {{\n#pragma scop\nint k = 0; {LOOP} switch (from[k++]) "
        "{ case 0: y[i] = 1; break; case 1: y[i] = 2; break; default: y[i] = 3; }\n"
        "#pragma endscop\n}\n"
    )
    (refusal,) = program.refusals
    assert "found a switch over a value that changes a variable" in refusal.message
    assert not program.scops


@pytest.mark.parametrize("value", ["at(k++)", "k++ > 3 ? at(i) : 2", "k++ && at(i)"])
def test_no_step_is_moved_past_a_function_that_reads_the_variable(parse, value):
    program = parse(
        "static int k;\nstatic double at(int i) { return i + k; }\n"
        f"void f({HEAD}) {{\n#pragma scop\n{LOOP} y[i] = {value};\n"
        "#pragma endscop\n}\n"
    )
    assert not program.scops


def test_what_is_not_evaluated_takes_no_step(parse):
    program = parse(
        f"void f({HEAD}) {{\n#pragma scop\nint k = 0; {LOOP} y[k] = sizeof(k++);\n"
        "#pragma endscop\n}\n"
    )
    assert all("k" not in {w.array for s in scop.statements[1:] for w in s.writes}
               for scop in program.scops)  # fmt: skip
