"""What functions return that read the file's own variables stands for their calls."""

import islpy as isl
import pytest

from polysched.codegen import print_openmp
from polysched.ir import original_tree

pytestmark = pytest.mark.cc

BODY = "for (int i = 0; i < n; i++) g[i + 1] = at(i);"
HEAD = "static double g[100];\nstatic int k[100];\n"


def test_the_model_sees_what_is_read(scop_of):
    before = HEAD + "static double at(int i) { return 2 * g[i]; }"
    scop = scop_of(BODY, before=before)
    (read,) = [a.relation for _, a in scop.iter_accesses() if not a.is_write]
    assert read.is_equal(isl.Map("[n] -> { S0[i] -> g[i] : 0 <= i < n }"))


@pytest.mark.parametrize(
    ("function", "body"),
    [
        ("double at(int i) { return g[i] = 1; }", BODY),
        ("double at(int i) { k[0]++; return g[i]; }", BODY),
        ("double at(int i) { return g[k[0]++]; }", BODY),
        ("double at(int i) { return g[i] + at(i); }", BODY),
        ("double *at(int i) { return g + i; }", "g[0] = *at(n);"),
        ("double at(int i) { return g[i]; }", "double g[9]; g[n] = at(n);"),
        ("double at(int i) { return g[i]; }", "g[0] = at(n += 2);"),
        ("double at(int i) { double s = 0; s += g[i]; return s; }", BODY),
        ("double at(int i) { static int s = 0; return g[i + s]; }", BODY),
        ("double at(int i) { if (i > 3) return g[i]; }", BODY),
        ("double at(int i) { int s; return g[i]; }", BODY),
        ("double at(int i) { for (;;) return g[i]; }", BODY),
        ("int at(unsigned char *p) { return p[0] + k[0]; }", "k[1] = at((void *)x);"),
        ("int at(unsigned char *p) { return p[0] + k[0]; }", "k[1] = at(x);"),
    ],
)
def test_others_are_refused(parse, function, body):
    program = parse(
        f"{HEAD}static {function}\nvoid f(int n, signed char *x) {{\n#pragma scop\n"
        f"{body}\n#pragma endscop\n}}\n",
        flags=("-w",),
    )
    (refusal,) = program.refusals
    assert refusal.where.line >= 3


def test_variables_and_branches_that_only_choose_stand_for_their_values(scop_of):
    before = HEAD + (
        "static double at(int i) { const int low = i - 1; if (i < 1) return g[0];"
        " else if (i > 5) { int up = low + 2; return g[up]; } return g[low]; }"
    )
    scop = scop_of("for (int i = 0; i < n; i++) x[i] = at(i);", before=before)
    reads = [a.relation for _, a in scop.iter_accesses() if not a.is_write]
    found = isl.UnionMap("{}")
    for relation in reads:
        found = found.union(isl.UnionMap.from_map(relation))
    wanted = isl.UnionMap(
        "[n] -> { S0[0] -> g[0] : n > 0; S0[i] -> g[i + 1] : 5 < i < n;"
        " S0[i] -> g[i - 1] : 1 <= i <= 5 and i < n }"
    )
    assert found.is_equal(wanted)


def test_members_are_no_variables_of_the_same_name(scop_of):
    before = (
        "struct s { double x, y; }; static struct s p[10]; static double y;"
        "static double at(int x) { double y = 3; return p[x].x + p[x].y + y; }"
    )
    scop = scop_of("for (int i = 0; i < n; i++) x[i] = at(i);", before=before)
    reads = [a.relation for _, a in scop.iter_accesses() if not a.is_write]
    assert sorted(map(str, reads)) == [
        "[n] -> { S0[i] -> p[i, 0] : 0 <= i < n }",
        "[n] -> { S0[i] -> p[i, 1] : 0 <= i < n }",
    ]


@pytest.mark.parametrize("more", ["", "limit(3)"])
def test_static_functions_that_nobody_calls_any_more_are_named(parse, more):
    program = parse(
        "static int limit(int v) { return v > 9 ? 9 : v; }\nvoid f(int n, int *x) {\n"
        "#pragma scop\nfor (int i = 0; i < n; i++) x[i] = limit(x[i]);\n"
        f"#pragma endscop\n{more};\n}}\n"
    )
    (scop,) = program.scops
    text = print_openmp(scop, original_tree(scop))
    assert ("(void)limit;" in text) == (not more)
