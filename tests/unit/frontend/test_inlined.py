"""What functions return that read the file's own variables stands for their calls."""

import islpy as isl
import pytest

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
        ("double at(int i) { return g[i]; }", "g[0] = at(n++);"),
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
