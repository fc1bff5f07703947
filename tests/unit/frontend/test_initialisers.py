"""Initialisers in braces set what C says that they set."""

from __future__ import annotations

import numpy as np
import pytest

from polysched.frontend import parse_c
from polysched.interp import interpret

pytestmark = pytest.mark.cc

HEAD = """\
typedef struct { double x, y; } vec2;
struct body { vec2 at; int kind; float w[2]; };
struct list { double x; struct list *next; };
struct net { struct { int k; double w[2]; } n[2]; float z; };
static vec2 p[4]; static struct body b; static struct list l[4], m;
void f(double out[7]) {
#pragma scop
"""

# A region, and what it leaves in `out`.
CASES = {
    "an array": ("double t[3] = {1, 2, 3}; for (int k = 0; k < 3; k++) out[k] = t[k];",
                 [1, 2, 3]),
    "less than an array": (
        "int t[3] = {4}; for (int k = 0; k < 3; k++) out[k] = t[k];", [4, 0, 0],
    ),
    "elements by number": (
        "int t[4] = {[2] = 5, 6, [0] = 1}; for (int k = 0; k < 4; k++) out[k] = t[k];",
        [1, 0, 5, 6],
    ),
    "rows": (
        "int t[2][3] = {{1}, {2, 3}}; for (int i = 0; i < 2; i++)"
        " for (int k = 0; k < 3; k++) out[3 * i + k] = t[i][k];", [1, 0, 0, 2, 3, 0],
    ),
    "members": (
        "struct body t = {{1, 2}, 3, {4, 5}}; out[0] = t.at.x; out[1] = t.at.y;"
        " out[2] = t.kind; out[3] = t.w[0]; out[4] = t.w[1];", [1, 2, 3, 4, 5],
    ),
    "members without braces": (
        "struct body t = {1, 2, 3, 4}; out[0] = t.at.x; out[1] = t.at.y;"
        " out[2] = t.kind; out[3] = t.w[0]; out[4] = t.w[1];", [1, 2, 3, 4, 0],
    ),
    "members by name": (
        "struct body t = {.w = {6}, .at.y = 7, .kind = 8}; out[0] = t.at.x;"
        " out[1] = t.at.y; out[2] = t.kind; out[3] = t.w[0]; out[4] = t.w[1];",
        [0, 7, 8, 6, 0],
    ),
    "structures in an array": (
        "struct net t = {{{1, {2, 3}}, {4}}, 5}; out[0] = t.n[0].k;"
        " out[1] = t.n[0].w[0]; out[2] = t.n[0].w[1];"
        " out[3] = t.n[1].k; out[4] = t.n[1].w[0]; out[5] = t.z;",
        [1, 2, 3, 4, 0, 5],
    ),
    "one of them by number": (
        "struct net t = {.n[1].w = {6, 7}, 8}; out[0] = t.n[0].k; out[1] = t.n[1].k;"
        " out[2] = t.n[1].w[0]; out[3] = t.n[1].w[1]; out[4] = t.z;", [0, 0, 6, 7, 8],
    ),
    "a literal that reads what it is put into": (
        "b.at.x = 2; b.at.y = 3; b.at = (vec2){b.at.y + 1, b.at.x * 5};"
        " out[0] = b.at.x; out[1] = b.at.y;", [4, 10],
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_values(tmp_path, case):
    text, expected = CASES[case]
    path = tmp_path / "case.c"
    path.write_text(f"{HEAD}{text}\n#pragma endscop\n}}\n")
    program = parse_c(path)
    assert program.refusals == ()
    (scop,) = program.scops
    given = {"out": np.full(7, -1.0)}
    if any(a.name == "b" for a in scop.arrays):
        given["b"] = np.zeros(4)
    found = interpret(scop, None, {}, given)["out"]
    assert list(found[: len(expected)]) == expected


REFUSED = {
    "too many": ("vec2 t = {1, 2, 3}; out[0] = t.x;", "names no number"),
    "no such member": ("vec2 t = {.z = 1}; out[0] = t.x;", "names no number"),
    "members besides": ("struct list t = {1, 0}; out[0] = t.x;", "members that are"),
    "more than statements": ("int t[99] = {1}; out[0] = t[0];", "more than 64 numbers"),
    "copies of what is no number": ("m = l[1]; out[0] = m.x;", "no number that could"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_sets_no_number_is_refused(tmp_path, case):
    text, words = REFUSED[case]
    path = tmp_path / "case.c"
    path.write_text(f"{HEAD}{text}\n#pragma endscop\n}}\n")
    (refusal,) = parse_c(path).refusals
    assert words in refusal.message
