"""Pointers of the file: what they are set to, anywhere, and what that forbids."""

from __future__ import annotations

import re

import pytest

from polysched.sets import read_set

HEAD = "#include <stdlib.h>\nstatic double G[1000], rows[2][1000];\n"
REGION = """\
void run(int n, double *a)
{
    FIRST
#pragma scop
    for (int i = 0; i < n; i++) BODY
#pragma endscop
    LAST
}
"""
INTO_G = "gp[i] = G[i] + 1.0;"
PAIR = "gp[i] = gq[i] + 1.0;"


@pytest.fixture
def read(parse):
    def run(before, body, first="", last="", behind=""):
        region = REGION.replace("BODY", body).replace("FIRST", first)
        return parse(HEAD + before + region.replace("LAST", last) + behind)

    return run


@pytest.mark.cc
@pytest.mark.parametrize(
    "before",
    [
        "static double *gp = G + 1;",
        "double *gp = &G[1];",
        "static double *gp; void set(int k) { gp = G + k; }",
        "static double *gp, *other = G; void set(void) { gp = other + 1; }",
        "static double *gp; void set(double *v) { gp = v; } void go(void) { set(G); }",
        "static double *gp; void set(double *v) { gp = v; }"
        "void go(void (*f)(double *)) { f(G); } void all(void) { go(set); }",
        "static double *gp; double *at(int k) { return &G[k]; }"
        "void set(void) { gp = at(3); }",
        "static double *gp; void to(double **p) { *p = G; }"
        "void set(void) { to(&gp); }",
        "static double *gp; void set(void) { double **p = &gp; *p = G + 1; }",
        "static double *gp, *all[] = {0, G}; void set(void) { gp = all[1]; }",
        "struct s { double *u; }; static struct s g; static double *gp;"
        "void fill(struct s *p) { p->u = G; }"
        "void set(void) { fill(&g); gp = g.u; }",
        "static double *gp; void set(int gq) { { double *gp = 0; (void)gp; }"
        "  if (gq) gp = G; }",
    ],
)  # fmt: skip
def test_a_pointer_that_the_file_sets_into_an_array_is_not_apart_from_it(
    before: str, read
) -> None:
    program = read(before, INTO_G)
    assert not program.scops
    assert "'gp' may point into 'G'" in str(program.refusals[0])


@pytest.mark.cc
def test_assignments_behind_the_region_and_pointers_of_its_calls_count(read) -> None:
    program = read("static double *gp;", INTO_G, behind="void s(void) { gp = G; }")
    assert "'gp' may point into 'G'" in str(program.refusals[0])
    program = read("static double *gp = G;", "p[i] = G[i];", "double *p = gp + 1;")
    assert "'p' may point into 'G'" in str(program.refusals[0])
    program = read("", "p[i] = G[i];", "static double *p; if (!p) p = G + n;")
    assert "'p' may point into 'G'" in str(program.refusals[0])


@pytest.mark.cc
def test_pointers_by_way_of_a_third_one_are_followed(read) -> None:
    """``q = t + 1`` with ``t = a`` went for another array than `a`."""
    program = read("", "q[i] = a[i];", "double *t = a, *q = t + 1;")
    assert "'q' may point into 'a'" in str(program.refusals[0])


@pytest.mark.cc
@pytest.mark.parametrize(
    "before",
    [
        "static double *gp;",
        "extern double *gp;",
        "static double *gp; void set(int n) { gp = malloc(n * sizeof(double)); }",
        "static double *gp; void set(int n) { posix_memalign((void **)&gp, 64, n); }",
        "static double *gp; void *get(int n) { void *p = malloc(n); return p; }"
        "void set(int n) { gp = get(n); }",
        "static double *gp; void get(double **p, int n) { *p = malloc(n); }"
        "void set(int n) { double *b; get(&gp, n); get(&b, n); b = G; }",
        "static double *gp; void set(void) { double *gp = G; gp[0] = 1; }",
        "static double *gp; void set(double *gp) { gp = G; gp[0] = 1; }",
        "static double *gp; void set(int *at) { gp = rows[at[G[0] > 1]]; }",
    ],
)  # fmt: skip
def test_memory_of_its_own_is_taken(before: str, read) -> None:
    program = read(before, INTO_G)
    assert [str(r) for r in program.refusals] == []
    assert len(program.scops) == 1


@pytest.mark.cc
@pytest.mark.parametrize(
    ("before", "holds"),
    [
        ("static double *gp = G, *gq = G + 64;", "n <= 64"),
        ("static double *gp, *gq; void set(void) { gp = &G[40]; gq = G; }", "n <= 40"),
        ("static double *w, *gp, *gq;"
         "void set(int n) { w = malloc(n); gp = w; gq = w + 32; }", "n <= 32"),
        ("static double *gp = rows[0], *gq = rows[1];", ""),
        ("static double *gp = rows[0], *gq = rows[1]; void turn(void)"
         "{ double *t = gp; gp = gq; gq = t; }", ""),
        ("static double *gp, *gq; void set(int n) { gp = malloc(n); gq = malloc(n); }"
         "void turn(void) { double *t = gp; gp = gq; gq = t; }", ""),
        ("static double *gp, *gq; void get(double **p, int n) { *p = malloc(n); }"
         "void set(int n) { get(&gp, n); get(&gq, n); }", ""),
        ("static double *gp, *gq; void turn(double **p, double **q)"
         "{ double *t = *p; *p = *q; *q = t; } void go(void) { turn(&gp, &gq); }", ""),
        ("struct s { double *u, *v; }; static double *gp, *gq;"
         "void set(struct s *g) { gp = g->u; gq = g->v; }", ""),
    ],
)  # fmt: skip
def test_two_pointers_into_one_array_are_asked_about(
    before: str, holds: str, read
) -> None:
    (scop,) = read(before, PAIR).scops
    expected = read_set(f"[n] -> {{ : {holds} }}" if holds else "{ : }")
    ran = read_set("[n] -> { : n >= 1 }")
    assert scop.assumptions.intersect(ran).is_equal(expected.intersect(ran))


@pytest.mark.cc
@pytest.mark.parametrize(
    "before",
    [
        "static double *gp, *gq; void set(int n) { gp = G; gq = G + n; }",
        "static double *gp, *gq; void set(double *w, int n) { gp = w; gq = w + n; }",
        "static double *gp, *gq;"
        "void set(int n) { double *w = malloc(n); gp = w; gq = w + n; }",
        "static double *gp = G, *gq = G + 500; void move(void) { gp++; }",
        "static double *gp = G, *gq = G + 500; void move(int n) { gp += n; }",
        "static double *gp = rows[0], *gq = rows[1]; void set(void) { gq = rows[0]; }",
        "static double *gp = rows[0], *gq = rows[1]; void set(void) { gq = rows[0]; }"
        "void turn(void) { double *t = gp; gp = gq; gq = t; }",
        "static double *gp = rows[0], *gq = rows[1]; void set(void) { gq = rows[1]; }"
        "void turn(void) { double *t = gp; gp = gq; gq = t; }",
        "static double *gp = rows[0], *gq = rows[0] + 1;",
        "static char raw[9000]; static double *gp, *gq;"
        "void set(void) { gp = (void *)raw; gq = (void *)(raw + 8); }",
    ],
)  # fmt: skip
def test_two_pointers_whose_distance_is_not_known_are_refused(
    before: str, read
) -> None:
    program = read(before, PAIR)
    assert not program.scops
    assert "'gq' and 'gp' may both point into" in str(program.refusals[0])
    assert "double *p = A" in str(program.refusals[0])


@pytest.mark.cc
@pytest.mark.parametrize(
    "turn",
    [
        "gp = gq; gq = G;",
        "double *t = gp; gp = gq; run(3, G); gq = t;",
        "double *t = gp; gp = gq; if (G[0] > 1) return; gq = t;",
        "gp = gq; gq = gq + 1;",
    ],
)
def test_pointers_that_are_the_same_in_between_take_no_turns(turn: str, read) -> None:
    program = read("static double *gp, *gq;", PAIR, behind=f"void s(void) {{ {turn} }}")
    assert not program.scops
    assert re.search("'g[pq]' may point into 'g[pq]'", str(program.refusals[0]))


@pytest.mark.cc
def test_a_jump_between_leaves_two_local_buffers_the_same(parse) -> None:
    """The next iteration began with ``p == q`` and was reordered all the same."""
    program = parse("""\
void run(int n, int m, double *a, double *b)
{
    double *p = a, *q = b, *t;
    for (int k = 0; k < n; k++) {
#pragma scop
        for (int i = 0; i < m; i++) q[i] = p[m - 1 - i] + 1.0;
#pragma endscop
        t = p; p = q;
        if (k == 3) continue;
        q = t;
    }
}
""")
    assert not program.scops
    assert "'p' may point into 'q'" in str(program.refusals[0])


@pytest.mark.cc
@pytest.mark.parametrize(
    "step",
    ["p++;", "for (int k = 0; k < 3; k++) --q;", "double **z = &p; *z = G + 63;"],
)
def test_local_pointers_that_are_stepped_are_not_where_they_were_set(
    step: str, read
) -> None:
    """They were asked about as if they were still there, one element off."""
    first = f"double *p = G, *q = G + 64; {step}"
    program = read("", "q[i] = p[i] + 1.0;", first)
    assert not program.scops
    assert "may both point into 'G'" in str(program.refusals[0])
    (scop,) = read("", "*q++ = *p++ + 1.0;", "double *p = G, *q = G + 64;").scops
    assert scop.assumptions.is_equal(read_set("[n] -> { : n <= 64 }"))
