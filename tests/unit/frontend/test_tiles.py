"""A loop tiled by hand with a parameter is one loop, where nothing is in between."""

from __future__ import annotations

import islpy as isl
import pytest

pytestmark = pytest.mark.cc

HEAD = "int n, int B, double *x, double *y"
BEFORE = """\
#define MIN(a, b) ((a) < (b) ? (a) : (b))
static int least(int a, int b) { return b > a ? a : b; }
static int most(int a, int b) { return a < b ? b : a; }
static short lesser(short a, short b) { return a < b ? a : b; }
"""
OUTER = "for (int kk = 0; kk < n; kk += B) "


@pytest.mark.parametrize(
    "body",
    [
        OUTER + "for (int k = kk; k < kk + B && k < n; k++) x[k] = y[k];",
        OUTER + "for (int k = kk; k < n && k < B + kk; k += 1) x[k] = y[k];",
        OUTER + "for (int k = kk; k < MIN(kk + B, n); k++) x[k] = y[k];",
        OUTER + "for (int k = kk; k < MIN(n, B + kk); k++) x[k] = y[k];",
        OUTER + "for (int k = kk; k < least(kk + B, n); ++k) x[k] = y[k];",
        OUTER + "{ int e = MIN(kk + B, n); for (int k = kk; k < e; k++) x[k] = y[k]; }",
        OUTER + "for (int k = kk; k < kk + B; k++) { if (k >= n) break; x[k] = y[k]; }",
        "for (int kk = 0; kk <= n - 1; kk += B)"
        " for (int k = kk; k <= MIN(kk + B - 1, n - 1); k++) x[k] = y[k];",
        "for (int kk = 0; kk < n; kk = kk + B)"
        " for (int k = kk; k < kk + B && k < n; k++) x[k] = y[k];",
    ],
)
def test_tiles_are_joined(scop_of, body):
    scop = scop_of(body, HEAD, before=BEFORE)
    wanted = isl.Set("[n] -> { S0[k] : 0 <= k < n }")
    assert scop.statements[0].domain.is_equal(wanted)
    assert scop.assumptions.is_equal(isl.Set("[B] -> { : B >= 1 }"))


def test_variables_from_outside_that_nobody_reads_count_as_well(parse):
    program = parse(
        f"void f({HEAD}) {{\nint kk, k;\n#pragma scop\nfor (kk = 2; kk < n; kk += B)\n"
        "for (k = kk; k < kk + B && k < n; k++) x[k] = y[k];\n#pragma endscop\n}\n"
    )
    (scop,) = program.scops
    wanted = isl.Set("[n] -> { S0[k] : 2 <= k < n }")
    assert scop.statements[0].domain.is_equal(wanted)


def test_several_levels_each_on_its_own(scop_of):
    scop = scop_of(
        "for (long ii = 0; ii < n; ii += B) for (long i = ii; i < ii + B && i < n; i++)"
        "for (long kk = 0; kk < i; kk += C) for (long k = kk; k < kk + C && k < i; k++)"
        "x[i] += y[k];",
        "long n, long B, long C, double *x, double *y",
    )
    wanted = isl.Set("[n] -> { S0[i, k] : 0 <= k < i < n }")
    assert scop.statements[0].domain.is_equal(wanted)
    assert scop.assumptions.is_subset(isl.Set("[B] -> { : B >= 1 }"))


@pytest.mark.parametrize(
    ("iterator", "size", "is_taken"),
    [
        ("int", "int", True), ("int", "short", True), ("long", "int", True),
        ("unsigned long", "unsigned long", True), ("unsigned long", "int", True),
        ("int", "long", False), ("int", "unsigned", False), ("long", "unsigned", False),
        ("long", "unsigned long", False), ("unsigned", "unsigned", False),
        ("short", "short", False), ("int", "double", False),
    ],
)  # fmt: skip
def test_the_end_of_a_tile_never_wraps_around(parse, iterator, size, is_taken):
    loops = OUTER + "for (int k = kk; k < kk + B && k < n; k++) x[k] = y[k];"
    program = parse(
        f"void f({iterator} n, {size} B, double *x, double *y) {{\n#pragma scop\n"
        f"{loops.replace('int k', f'{iterator} k')}\n#pragma endscop\n}}\n"
    )
    assert bool(program.scops) == is_taken
    for scop in program.scops:
        allowed = isl.Set("[B] -> { : 1 <= B <= 4611686018427387904 }")
        found = scop.assumptions.intersect(scop.context)
        assert found.is_subset(isl.Set("[B] -> { : B >= 1 }"))
        assert allowed.intersect(scop.context).is_subset(scop.assumptions)


@pytest.mark.parametrize(
    "body",
    [
        # a loop in between, or something else that the tile's loop is for
        OUTER + "for (int i = 0; i < n; i++)"
        " for (int k = kk; k < kk + B && k < n; k++) x[k] = y[i];",
        OUTER
        + "{ x[kk] = 0; for (int k = kk; k < kk + B && k < n; k++) x[k] += y[k]; }",
        OUTER + "for (int k = kk; k < kk + B && k < n; k++) x[k] = y[kk];",
        # tiles that end elsewhere, begin elsewhere, or leave gaps
        OUTER + "for (int k = kk; k < kk + B; k++) x[k] = y[k];",
        OUTER + "for (int k = kk; k < kk + B && k < n - 1; k++) x[k] = y[k];",
        OUTER + "for (int k = kk; k <= kk + B && k < n; k++) x[k] = y[k];",
        OUTER + "for (int k = kk + 1; k < kk + B && k < n; k++) x[k] = y[k];",
        OUTER + "for (int k = kk; k < most(kk + B, n); k++) x[k] = y[k];",
        OUTER + "for (int k = kk; k < lesser(kk + B, n); k++) x[k] = y[k];",
        OUTER + "for (int k = kk; k < kk + B && k < n; k += 2) x[k] = y[k];",
        # a break leaves one tile, and the next one is entered
        OUTER + "for (int k = kk; k < kk + B && k < n; k++) {"
        " if (k == 5) break; x[k] = y[k]; }",
        OUTER + "for (int k = kk; k < kk + B && k < n; k++) {"
        " if (y[k] > 1) break; x[k] = y[k]; }",
        # what bounds the tiles changes, or wraps around
        OUTER + "for (int k = kk; k < kk + B && k < n; k++) x[k] = B++;",
        OUTER + "for (long k = kk; k < kk + B && k < n; k++) x[k] = y[k];",
        "for (unsigned kk = 0; kk < n; kk += B)"
        " for (unsigned k = kk; k < kk + B && k < n; k++) x[k] = y[k];",
        "for (short kk = 0; kk < n; kk += B)"
        " for (short k = kk; k < kk + B && k < n; k++) x[k] = y[k];",
        # somebody reads the variable
        "int k2, kk; for (kk = 0; kk < n; kk += B)"
        " for (int k = kk; k < kk + B && k < n; k++) x[k] = y[k]; x[0] = kk;",
    ],
)
def test_others_are_refused(parse, body):
    program = parse(
        f"{BEFORE}void f({HEAD}) {{\n#pragma scop\n{body}\n#pragma endscop\n}}\n"
    )
    (refusal,) = program.refusals
    assert refusal.where.line == 7


def test_the_refusal_says_which_tiles_are_taken(parse):
    program = parse(
        f"void f({HEAD}) {{\n#pragma scop\n{OUTER} for (int i = 0; i < n; i++)"
        " for (int k = kk; k < kk + B && k < n; k++) x[k] = y[i];\n#pragma endscop\n}\n"
    )
    (refusal,) = program.refusals
    assert refusal.message == "the step of the loop over 'kk' is not a constant"
    assert "a loop over tiles" in refusal.hint
