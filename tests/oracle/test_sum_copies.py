"""Threads that add to copies: equal results for all types and numbers of threads.

Integers are compared bit for bit, floating-point numbers within a bound on rounding,
with one thread, a few, and more threads than iterations.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from polysched.analysis import (
    Dependences,
    allow_reordering,
    compute_dependences,
    find_violation,
    set_band_flags,
)
from polysched.base import CodegenError
from polysched.codegen import print_openmp, splice
from polysched.frontend import parse_c
from polysched.ir import Program, ScheduleTree, Scop, original_tree
from polysched.transform import Accumulate, Jam, Merge, ShareSums, Step, Tile, Vector

PROGRAM = """
#include <stdio.h>
#include <stdlib.h>
#define CAPACITY 40

static TYPE A[CAPACITY][CAPACITY], B[CAPACITY][CAPACITY], x[CAPACITY], y[2 * CAPACITY];
static TYPE total, product, picked;

static void columns(int n, int m)
{
#pragma scop
    for (int i = 0; i < n; i++)
        for (int j = 0; j < m; j++)
            y[j + 3] += A[i][j] * x[i];
#pragma endscop
}

static void all(int n, int m)
{
#pragma scop
    for (int i = 0; i < n; i++)
        for (int j = 0; j <= i; j++)
            total -= A[i][j] * x[j];
#pragma endscop
}

static void times(int n, int m)
{
#pragma scop
    for (int i = 0; i < n; i++)
        product *= x[i] + 1;
#pragma endscop
}

static void chosen(int n, int m)
{
#pragma scop
    for (int i = 0; i < n; i++)
        for (int j = 0; j < m; j++)
            if (8 * A[i][j] > n)
                picked += A[i][j];
#pragma endscop
}

static void blocks(int n, int m)
{
#pragma scop
    for (int i = 0; i < n; i++)
        for (int j = 0; j < m; j++)
            for (int k = 0; k < n; k++)
                B[j + 1][k] += A[i][k] * A[j][i];
#pragma endscop
}

static void twice(int n, int m)
{
#pragma scop
    for (int i = 0; i < n; i++)
        for (int j = 0; j < m; j++)
            y[j] += A[i][j];
    for (int i = 0; i < m; i++)
        for (int j = 0; j < n; j++)
            y[j + 2] -= A[j][i] * x[i];
#pragma endscop
}

static void gaps(int n, int m)
{
#pragma scop
    for (int i = 0; i < n; i++)
        for (int j = 0; j < m; j++)
            y[2 * j] += A[i][j];
#pragma endscop
}

static void run(int n, int m)
{
    total = picked = -0.0;
    product = 1;
    for (int i = 0; i < 2 * CAPACITY; i++)
        y[i] = (TYPE)(i % 3 ? -0.0 : 1);
    for (int i = 0; i < CAPACITY; i++) {
        x[i] = (TYPE)((i * 7 % 11 - 5) / 4.0);
        for (int j = 0; j < CAPACITY; j++) {
            A[i][j] = (TYPE)((i * 3 + j * 5) % 13 / 8.0 - 0.5);
            B[i][j] = (TYPE)-0.0;
        }
    }
    columns(n, m);
    all(n, m);
    times(n, m);
    chosen(n, m);
    blocks(n, m);
    gaps(n, m);
    twice(n, m);
    printf("%.17g %.17g %.17g\\n", (double)total, (double)product, (double)picked);
    for (int i = 0; i < 2 * CAPACITY; i++)
        printf("%.17g ", (double)y[i]);
    for (int i = 0; i < CAPACITY; i++)
        for (int j = 0; j < CAPACITY; j++)
            printf("%.17g ", (double)B[i][j]);
}

int main(void)
{
    const int sizes[] = {0, 1, 2, 7, 38};
    for (int k = 0; k < 5; k++)
        for (int l = 0; l < 5; l++)
            run(sizes[k], sizes[l]);
    return 0;
}
"""
SUMS = {"columns": "y", "all": "total", "times": "product", "chosen": "picked",
        "blocks": "B", "gaps": "y"}  # fmt: skip
BOUNDS = {"double": 1e-12, "float": 1e-4, "int": 0.0, "unsigned char": 0.0}
SHAPES: dict[str, dict[str, tuple[Step, ...]]] = {
    "plain": {name: (ShareSums((0,), 0, (a,)),) for name, a in SUMS.items()},
    "two loops": {
        "twice": tuple(ShareSums((0, k, 0), 0, ("y",)) for k in (1, 0)),
    },
    "in lanes": {
        "columns": (ShareSums((0,), 0, ("y",)), Vector((0, 0, 0))),
        "all": (ShareSums((0,), 0, ("total",)), Accumulate((0, 0, 0))),
        "times": (Tile((0,), (3,)), ShareSums((0, 0), 0, ("product",)),
                  Accumulate((0, 0, 0, 0))),
        "chosen": (ShareSums((0, 0), 0, ("picked",)),),
        "blocks": (ShareSums((0, 0), 0, ("B",)),),  # anew for each i
    },
}  # fmt: skip
FLAGS = ("-O2", "-fopenmp", "-ffp-contract=off", "-std=gnu17", "-Wall", "-Wextra",
         "-Wno-unknown-pragmas", "-Werror", "-Wno-unused-parameter")  # fmt: skip


def build(text: bytes, path: Path, *flags: str) -> Path:
    path.write_bytes(text)
    binary = path.with_suffix(".out")
    command = ["gcc", *(flags or FLAGS), str(path), "-o", str(binary)]
    subprocess.run(command, check=True, timeout=120)
    return binary


def numbers(binary: Path, threads: int = 1) -> list[float]:
    done = subprocess.run(
        [str(binary)],
        stdout=subprocess.PIPE,
        timeout=60,
        check=True,
        env={"OMP_NUM_THREADS": str(threads)},
    )
    return [float(w) for w in done.stdout.split()]


def read(scop: Scop) -> tuple[ScheduleTree, Dependences]:
    deps = allow_reordering(compute_dependences(scop), scop, "reassociate")
    return set_band_flags(original_tree(scop), deps), deps


def shaped(scop: Scop, steps: tuple[Step, ...]) -> tuple[ScheduleTree, Dependences]:
    """The tree after steps, each of which and the result are proven."""
    tree, deps = read(scop)
    for step in steps:
        assert step.check(tree, deps) is None, str(step)
        tree = step.apply(tree)
    assert find_violation(tree, deps, scop) is None
    return tree, deps


def with_copies(program: Program, shape: str) -> bytes:
    texts = {}
    for scop in program.scops:
        steps = SHAPES[shape].get(scop.name, ())
        tree, deps = shaped(scop, steps)
        texts[scop.name] = print_openmp(scop, tree, deps=deps.validity)
        assert ("__builtin_malloc" in texts[scop.name]) == bool(steps)
    return splice(program, texts)


@pytest.mark.long
@pytest.mark.cc
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("type_", BOUNDS)
def test_results_are_as_near_as_the_type_asks(
    tmp_path: Path, type_: str, shape: str
) -> None:
    path = tmp_path / "sums.c"
    path.write_text(PROGRAM.replace("TYPE", type_))
    program = parse_c(str(path))
    expected = numbers(build(program.source, tmp_path / "original.c"))
    binary = build(with_copies(program, shape), tmp_path / "copies.c")
    for threads in (1, 3, 50):
        found = numbers(binary, threads)
        assert found == pytest.approx(expected, abs=BOUNDS[type_], rel=BOUNDS[type_])
        assert found == numbers(binary, threads)  # one result for so many threads
        signs = [(str(a)[0] == "-") == (str(b)[0] == "-") for a, b in
                 zip(expected, found, strict=True) if a == 0 == b]  # fmt: skip
        assert all(signs)  # untouched elements keep the sign of their zero


@pytest.mark.long
@pytest.mark.cc
@pytest.mark.parametrize("allowed", [0, 1, 3])
def test_where_memory_is_short_fewer_threads_run(tmp_path: Path, allowed: int) -> None:
    path = tmp_path / "sums.c"
    path.write_text(PROGRAM.replace("TYPE", "int"))
    program = parse_c(str(path))
    expected = numbers(build(program.source, tmp_path / "original.c"))
    text = with_copies(program, "plain").decode()
    head = f"""
#include <stdlib.h>
static int n_parts_allowed = {allowed};
#define __builtin_malloc(n) (n_parts <= n_parts_allowed ? malloc(n) : 0)
#define __builtin_free(p) free(p)
"""
    binary = build((head + text).encode(), tmp_path / "short.c")
    if allowed:
        assert numbers(binary, 4) == expected
    else:
        with pytest.raises(subprocess.CalledProcessError):
            numbers(binary, 4)


@pytest.mark.cc
def test_without_openmp_there_is_one_copy(tmp_path: Path) -> None:
    path = tmp_path / "sums.c"
    path.write_text(PROGRAM.replace("TYPE", "int"))
    program = parse_c(str(path))
    expected = numbers(build(program.source, tmp_path / "original.c"))
    text = with_copies(program, "plain")
    assert numbers(build(text, tmp_path / "serial.c", "-O2", "-w")) == expected


@pytest.mark.cc
@pytest.mark.parametrize("n", [0, 1, 3, 4, 5, 39])
def test_iterations_left_over_from_a_register_tile_have_a_copy(
    tmp_path: Path, n: int
) -> None:
    path = tmp_path / "sums.c"
    path.write_text(PROGRAM.replace("TYPE", "int"))
    program = parse_c(str(path))
    scop = program.scops[0]
    steps = (Merge((0,)), ShareSums((0,), 0, ("y",)), Jam((0, 0), (4, 1)))
    tree, deps = shaped(scop, steps)
    text = splice(program, {scop.name: print_openmp(scop, tree, deps=deps.validity)})
    sizes = f"{{{n}, {n}, {n}, {n}, {n}}}".encode()
    old = b"{0, 1, 2, 7, 38}"
    assert text.count(b"__builtin_free") == 2  # of the tiles, and of what is left over
    expected = numbers(build(program.source.replace(old, sizes), tmp_path / "a.c"))
    binary = build(text.replace(old, sizes), tmp_path / "b.c")
    assert numbers(binary, 3) == expected


def test_what_cannot_be_copied_is_not_printed(tmp_path: Path) -> None:
    texts = {
        "z[(int)x[i]] += A[i][j];": "isl finds no bounds",
        "if (j <= i) B[i][j] += A[i][j];": "its sums fill no box",
        "y[j] += A[i][j]; y[j + 1] += A[i][j];": "not one sum or product",
    }
    for text, reason in texts.items():
        path = tmp_path / "sums.c"
        path.write_text(
            "double A[9][9], B[9][9], x[9], y[10];\n"
            "void f(double *z) {\n#pragma scop\n"
            "for (int k = 0; k < 9; k++) for (int i = 0; i < 9; i++)"
            f" for (int j = 0; j < 9; j++) {{ {text} }}\n#pragma endscop\n}}\n"
        )
        (scop,) = parse_c(str(path)).scops
        tree, _ = read(scop)
        array = next(name for name in "Bzy" if f"{name}[" in text)
        with pytest.raises(CodegenError, match=reason):
            print_openmp(scop, ShareSums((0,), 0, (array,)).apply(tree))


def test_what_may_not_be_there_is_touched_where_something_was_added(
    tmp_path: Path,
) -> None:
    path = tmp_path / "sums.c"
    path.write_text(
        "double A[9][9], x[9];\nvoid f(double *z) {\n#pragma scop\n"
        "for (int i = 0; i < 9; i++) for (int j = 0; j < 9; j++)"
        " if (x[i] > 0) z[j] += A[i][j];\n#pragma endscop\n}\n"
    )
    (scop,) = parse_c(str(path)).scops
    tree, _ = read(scop)
    text = print_openmp(scop, ShareSums((0,), 0, ("z",)).apply(tree))
    assert "if (z_part[k1] != -0.0)\n          z[k1] += z_part[k1];" in text
