"""Cuts at two ends: which ones become two extrema, and that values stay."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from polysched.analysis import prepare_scop
from polysched.codegen import print_openmp, splice
from polysched.frontend import parse_c
from polysched.ir import Assign, Binary, Scop, Select, original_tree, walk

pytestmark = pytest.mark.cc

ORDERED = [
    "b[i] = k < 0 ? 0 : k > 255 ? 255 : (unsigned char)k;",
    "b[i] = k > 255 ? 255 : k < 0 ? 0 : k;",
    "b[i] = 0 > k ? 0 : 255 < k ? 255 : k;",
    "b[i] = k >= 0 ? (k <= 255 ? k : 255) : 0;",
    "c[i] = k < -128 ? -128 : k > 127 ? 127 : k;",
    "s[i] = k <= (-32767 - 1) ? (-32767 - 1) : k >= 32767 ? 32767 : (short)k;",
    "x[i] = x[i] < 0.0f ? 0.0f : x[i] > 1.0f ? 1.0f : x[i];",
    "x[i] = x[i] > 2 ? 2 : x[i] < -2 ? -2 : x[i];",
    "y[i] = y[i] * 3 < -1.5 ? -1.5 : y[i] * 3 > 1.5 ? 1.5 : y[i] * 3;",
]
OTHERS = [
    "b[i] = k < 255 ? 255 : k > 0 ? 0 : k;",  # the ends are the wrong way round
    "b[i] = k < 0 ? 1 : k > 255 ? 255 : k;",  # another answer
    "b[i] = k < 0 ? 0 : k > 255 ? 255 : k + 1;",
    "b[i] = k < 0 ? 0 : k > 999 ? 999 : (unsigned char)k;",  # loses what is above
    "b[i] = k < lo ? lo : k > 255 ? 255 : k;",  # nobody knows which is less
    "b[i] = k < 0u ? 0u : k > 255u ? 255u : k;",  # compared without a sign
    "b[i] = k < 0 ? 0 : k < 255 ? 255 : k;",
    "x[i] = x[i] <= 0 ? 0 : x[i] >= 1 ? 1 : x[i];",  # a zero with a sign
    "x[i] = x[i] >= 0 ? (x[i] <= 1 ? x[i] : 1) : 0;",  # one that is no number
    "x[i] = x[i] < 0.1 ? 0.1 : x[i] > 0.7 ? 0.7 : x[i];",  # compared as double
]
PROGRAM = """\
#include <math.h>
#include <stdio.h>
#define N 2048
static unsigned char b[N];
static signed char c[N];
static short s[N];
static float x[N];
static double y[N];
static void f(int lo) {
#pragma scop
  for (int i = 0; i < N; i++) {
    int k = i - 1024;
    BODY
  }
#pragma endscop
}
int main(void) {
  for (int i = 0; i < N; i++) {
    x[i] = i % 7 == 0 ? NAN : i % 5 == 0 ? -0.0f : i / 100.0f - 9;
    y[i] = i % 7 == 1 ? NAN : i % 5 == 1 ? -0.0 : i / 100.0 - 9;
  }
  f(3);
  for (int i = 0; i < N; i++)
    printf("%d %d %d %a %a\\n", b[i], c[i], s[i], fabsf(x[i]), fabs(y[i]));
  for (int i = 0; i < N; i++)
    printf("%d", x[i] == x[i] ? !!signbit(x[i]) : 0);
  return 0;
}
"""


def prepared(directory: Path, body: str) -> tuple[Path, Scop]:
    path = directory / "cut.c"
    path.write_text(PROGRAM.replace("BODY", body))
    return path, prepare_scop(parse_c(path).scops[0])


def is_ordered(scop: Scop) -> bool:
    """Whether one of two questions is asked of the answer to the other."""
    chosen = [
        e
        for s in scop.statements
        for a in s.body
        if isinstance(a, Assign)
        for e in walk(a.value)
        if isinstance(e, Select) and isinstance(e.cond, Binary)
    ]
    return any(isinstance(side, Select) for e in chosen for side in e.cond.operands)


def output(path: Path) -> str:
    made = path.with_suffix(".out")
    subprocess.run(["gcc", "-O2", path, "-o", made, "-lm"], check=True)
    done = subprocess.run([made], check=True, capture_output=True, text=True)
    return done.stdout


@pytest.mark.parametrize("body", ORDERED)
def test_cuts_become_two_extrema(tmp_path: Path, body: str) -> None:
    _, scop = prepared(tmp_path, body)
    assert is_ordered(scop)


@pytest.mark.parametrize("body", OTHERS)
def test_other_questions_stay(tmp_path: Path, body: str) -> None:
    _, scop = prepared(tmp_path, body)
    assert not is_ordered(scop)


def test_values_stay(tmp_path: Path) -> None:
    path, scop = prepared(tmp_path, "\n    ".join(ORDERED))
    expected = output(path)
    parsed = parse_c(path)
    text = print_openmp(scop, original_tree(scop))
    path.write_bytes(splice(parsed, {scop.name: text}))
    assert b"choice" in path.read_bytes()
    assert output(path) == expected
