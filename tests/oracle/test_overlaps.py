"""Arguments that overlap: the original runs, and nothing else does where they do not.

The loops are printed in reverse, which gives other results wherever two names mean the
same memory; the original's text counts how often it runs.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from polysched.codegen import PrintOptions, print_openmp, splice
from polysched.frontend import parse_c
from polysched.ir import Program, ScheduleTree, Scop
from polysched.runtime import original_text

WARNINGS = ("-Wall", "-Wextra", "-Werror", "-Wno-unknown-pragmas")
BUILDS = [
    ("gcc", "-O0", "-fsanitize=undefined", "-fno-sanitize-recover=all"),
    ("gcc", "-O3"),
    ("clang", "-O2"),
]

PROGRAM = """\
#include <stdio.h>
struct point { double x, y; int mark; };
static double buf[400], G[100];
static int whole[100], count, originals;
static float narrow[100];
static struct point points[40];

static void shift(int n, double *a, const double *b) {
#pragma scop
  for (int i = 0; i < n; i++) a[i] = b[i] + 1;
#pragma endscop
}
static void down(int n, double *a, const double *b) {
#pragma scop
  for (int i = n - 1; i >= 0; i--) a[i + 1] = b[i] * 2;
#pragma endscop
}
static void spread(int n, double *a, const double *b) {
#pragma scop
  for (int i = 0; i < n; i++) a[2 * i + 3] = b[i] + 1;
#pragma endscop
}
static void rows(int n, int m, double A[n][m], double B[n][m]) {
#pragma scop
  for (int i = 1; i < n - 1; i++)
    for (int j = 0; j < m; j++) A[i][j] = B[i + 1][j] + B[i - 1][j];
#pragma endscop
}
static void flat(int n, int m, double *a, const double *b) {
#pragma scop
  for (int i = 0; i < n; i++)
    for (int j = 0; j < m; j++) a[i * m + j] = b[i * m + j] + 1;
#pragma endscop
}
static void move(int n, struct point *to, const struct point *from) {
#pragma scop
  for (int i = 0; i < n; i++) to[i].x = from[i].y + from[i].mark;
#pragma endscop
}
static void global(int n, double *a) {
#pragma scop
  for (int i = 0; i < n; i++) a[i] = G[i] + 1;
#pragma endscop
}
static void counted(int *p, const int *q) {
#pragma scop
  for (int i = 0; i < count; i++) p[i] = q[i];
#pragma endscop
}
static void widen(int n, float *x, const double *d) {
#pragma scop
  for (int i = 0; i < n; i++) x[i] = d[i];
#pragma endscop
}
static void trusted(int n, double *restrict a, const double *b) {
#pragma scop
  for (int i = 0; i < n; i++) a[i] = b[i] + 1;
#pragma endscop
}
static void many(int n, double *a, double *b, double *c, const double *d,
                 const double *e) {
#pragma scop
  for (int i = 0; i < n; i++) {
    a[i] = d[i] + e[i];
    b[i] = d[i] - e[i];
    c[i] = d[i] * e[i];
  }
#pragma endscop
}

static void fill(void) {
  for (int i = 0; i < 400; i++) buf[i] = i * 7 % 11;
  for (int i = 0; i < 100; i++) G[i] = i % 5, whole[i] = i % 3, narrow[i] = i;
  for (int i = 0; i < 40; i++)
    points[i].x = i, points[i].y = i * 3 % 7, points[i].mark = i % 4;
  originals = 0;
}
static void show(const char *call) {
  unsigned long sum = 0;
  for (int i = 0; i < 400; i++) sum = sum * 31 + (long)buf[i];
  for (int i = 0; i < 100; i++)
    sum = sum * 31 + (long)(G[i] + whole[i] + narrow[i]);
  for (int i = 0; i < 40; i++)
    sum = sum * 31 + (long)(points[i].x + points[i].y + points[i].mark);
  printf("%d %lu %s\\n", originals, sum, call);
}
#define CALL(...) fill(); __VA_ARGS__; show(#__VA_ARGS__);
int main(void) {
CALLS
  return 0;
}
"""
APART = (
    "shift(10, buf, buf + 10)",  # one behind the other
    "shift(10, buf + 10, buf)",
    "shift(1, buf, buf + 1)",
    "down(10, buf, buf + 11)",
    "down(10, buf + 9, buf)",
    "spread(10, buf, buf + 22)",
    "spread(10, buf + 7, buf)",
    "rows(4, 5, (double (*)[5])buf, (double (*)[5])(buf + 20))",
    "flat(4, 5, buf, buf + 20)",
    "flat(4, 5, buf + 20, buf)",
    "move(5, points, points + 5)",
    "move(5, points, points + 4)",  # x ends before y begins
    "global(10, buf)",
    "count = 9; counted(whole, whole + 9)",
    "widen(10, narrow, buf)",
    "trusted(10, buf, buf + 10)",
    "many(9, buf, buf + 9, buf + 18, buf + 27, buf + 36)",
    "many(9, buf, buf + 9, buf + 18, buf + 27, buf + 27)",
)
TOGETHER = (
    "shift(10, buf, buf + 9)",  # the last element alone
    "shift(10, buf + 9, buf)",
    "shift(10, buf + 1, buf)",
    "shift(10, buf, buf)",
    "shift(1, buf, buf)",
    "down(10, buf, buf)",
    "down(10, buf, buf + 10)",
    "down(10, buf + 8, buf)",
    "spread(10, buf, buf + 21)",
    "spread(10, buf + 6, buf)",
    "rows(4, 5, (double (*)[5])buf, (double (*)[5])(buf + 5))",
    "rows(4, 5, (double (*)[5])(buf + 1), (double (*)[5])buf)",
    "flat(4, 5, buf, buf + 19)",
    "flat(4, 5, buf + 19, buf)",
    "move(5, points, points + 3)",
    "move(5, points + 4, points)",
    "global(10, G + 1)",
    "global(10, G)",
    "count = 1; counted(&count, whole + 1)",
    "widen(10, (float *)(void *)buf, buf)",
    "many(9, buf, buf + 9, buf + 18, buf + 27, buf + 8)",
    "many(9, buf, buf + 9, buf + 17, buf + 27, buf + 36)",
    "many(9, buf + 40, buf + 9, buf + 18, buf + 27, buf + 36)",
)
EITHER = (  # nothing is done
    "shift(0, buf + 5, buf + 4)",
    "shift(-7, buf + 5, buf + 4)",
    "rows(2, 5, (double (*)[5])buf, (double (*)[5])buf)",
    "flat(0, 5, buf, buf)",
    "flat(5, 0, buf, buf)",
)


def reverse(scop: Scop) -> ScheduleTree:
    """All loops run backwards, each statement in loops of its own."""
    depth = len(scop.statements[0].iterators)
    members = []
    for k in range(depth):
        pieces = [f"{s.name}[{', '.join(s.iterators)}] -> [(-{s.iterators[k]})]"
                  for s in scop.statements]  # fmt: skip
        members.append("{ " + "; ".join(pieces) + " }")
    filters = ", ".join(
        f'{{ filter: "{{ {s.name}[{", ".join(s.iterators)}] }}" }}'
        for s in scop.statements
    )
    inner = (
        f", child: {{ sequence: [ {filters} ] }}" if len(scop.statements) > 1 else ""
    )
    band = f'{{ schedule: "[{", ".join(members)}]"{inner} }}'
    return ScheduleTree.parse(f'{{ domain: "{scop.domain}", child: {band} }}')


def counting(program: Program, scop: Scop) -> PrintOptions:
    """The original says that it runs."""
    return PrintOptions(original_text=f"originals++;\n{original_text(program, scop)}")


def run(path: Path, command: tuple[str, ...]) -> list[str]:
    binary = path.with_suffix("")
    subprocess.run([*command, *WARNINGS, path, "-o", binary], check=True)
    done = subprocess.run([binary], check=True, capture_output=True, text=True)
    return done.stdout.splitlines()


@pytest.mark.long
@pytest.mark.cc
@pytest.mark.parametrize("build", BUILDS, ids=" ".join)
def test_the_original_runs_where_arguments_overlap_and_only_there(
    tmp_path: Path, build: tuple[str, ...]
) -> None:
    if shutil.which(build[0]) is None:
        pytest.skip(f"no {build[0]}")
    calls = "\n".join(f"  CALL({call})" for call in (*APART, *TOGETHER, *EITHER))
    path = tmp_path / "plain.c"
    path.write_text(PROGRAM.replace("CALLS", calls))
    program = parse_c(path)
    assert len(program.scops) == 11
    texts = {
        s.name: print_openmp(s, reverse(s), counting(program, s)) for s in program.scops
    }
    generated = tmp_path / "generated.c"
    generated.write_bytes(splice(program, texts))
    expected = [line.split(maxsplit=1)[1] for line in run(path, build)]
    found = run(generated, build)
    assert [line.split(maxsplit=1)[1] for line in found] == expected
    n_originals = [line.split(maxsplit=1)[0] for line in found]
    assert n_originals[: -len(EITHER)] == ["0"] * len(APART) + ["1"] * len(TOGETHER)


@pytest.mark.cc
def test_reversed_loops_differ_where_a_promise_is_broken(tmp_path: Path) -> None:
    path = tmp_path / "plain.c"
    calls = "\n".join(f"  CALL({call})" for call in (*APART, *TOGETHER))
    path.write_text(PROGRAM.replace("CALLS", calls))
    program = parse_c(path, overlap="promise")
    texts = {s.name: print_openmp(s, reverse(s)) for s in program.scops}
    generated = tmp_path / "generated.c"
    generated.write_bytes(splice(program, texts))
    expected, found = run(path, BUILDS[1]), run(generated, BUILDS[1])
    n = len(APART)
    assert found[:n] == expected[:n]
    assert sum(a != b for a, b in zip(expected[n:], found[n:], strict=True)) > 8
