"""Random sums under random scripts that share their loops with copies.

Sums of integers, so that every order of terms gives the same bits: functions with one
to three nests whose targets have subscripts of any iterators, over boxes and triangles,
with readers and other sums of the same arrays among them. Scripts are drawn as `sample`
does and proven; what can be printed is run with three numbers of threads.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from random import Random

import pytest

from polysched.analysis import (
    allow_reordering,
    compute_dependences,
    find_violation,
    set_band_flags,
)
from polysched.base import CodegenError
from polysched.codegen import print_openmp, splice
from polysched.frontend import parse_c
from polysched.ir import Scop, original_tree
from polysched.transform import apply_script, sample_scripts
from tests.unit.transform.test_fuse_tiles import CPU

N_PROGRAMS = int(os.environ.get("POLYSCHED_FUZZ_PROGRAMS", "100")) // 16
FIRST = int(os.environ.get("POLYSCHED_FUZZ_SEED", "100"))
N_ROUNDS = 2
HEAD = """
#include <stdio.h>
enum { SIZE = 40 };
static unsigned A[SIZE][SIZE], B[SIZE][SIZE], x[3 * SIZE], y[3 * SIZE], s, t;
static void fill(void)
{
    s = 3, t = 5;
    for (int i = 0; i < 3 * SIZE; i++)
        x[i] = 7 * i + 1, y[i] = 5 * i + 2;
    for (int i = 0; i < SIZE; i++)
        for (int j = 0; j < SIZE; j++)
            A[i][j] = 3 * i + 11 * j, B[i][j] = i ^ j;
}
static void show(void)
{
    printf("%u %u", s, t);
    for (int i = 0; i < 3 * SIZE; i++)
        printf(" %u %u", x[i], y[i]);
    for (int i = 0; i < SIZE; i++)
        for (int j = 0; j < SIZE; j++)
            printf(" %u %u", A[i][j], B[i][j]);
    printf("\\n");
}
"""
TARGETS = ("s", "t", "y[j]", "y[i]", "x[i + j]", "y[2 * j]", "y[j + 3]",
           "y[n - 1 - j]", "B[j][i]", "B[i][j]", "B[j + 1][2]", "x[k]", "B[k][j]",
           "x[j / 2]")  # fmt: skip
TERMS = (
    "A[i][j]",
    "A[j][i] * x[i]",
    "x[j]",
    "y[i]",
    "i - j",
    "A[i][k]",
    "s",
    "B[j][i]",
)
OPERATORS = ("+=", "+=", "+=", "-=", "*=", "=")


def function(seed: int) -> str:
    """A function of random sums, as C text."""
    draw = Random(seed)
    nests = "".join(nest(draw) for _ in range(draw.randint(1, 3)))
    head = f"static void f{seed}(int n, int m)\n{{\n#pragma scop\n"
    return f"{head}{nests}#pragma endscop\n}}\n"


def nest(draw: Random) -> str:
    inner = draw.choice(("j < m", "j < m", "j < n", "j <= i"))
    is_deep = draw.random() < 0.3
    body = "".join(statement(draw, is_deep) for _ in range(draw.randint(1, 2)))
    if is_deep:
        body = f"for (int k = 0; k < m; k++) {{ {body} }}"
    return f"for (int i = 0; i < n; i++) for (int j = 0; {inner}; j++) {{ {body} }}\n"


def statement(draw: Random, is_deep: bool) -> str:
    targets = [t for t in TARGETS if is_deep or "k" not in t]
    terms = [t for t in TERMS if is_deep or "k" not in t]
    operator = draw.choice(OPERATORS)
    return f"{draw.choice(targets)} {operator} {draw.choice(terms)};"


def shared(scop: Scop, n: int, seed: int) -> list[str]:
    """Texts of the SCoP under scripts that share loops with copies, up to `n`."""
    deps = allow_reordering(compute_dependences(scop), scop, "strict")
    tree = set_band_flags(original_tree(scop), deps)
    found = []
    for script in sample_scripts(tree, scop, deps, CPU, limit=2 * n, seed=seed):
        done = apply_script(tree, script)
        if '"parallel:static:' not in done.text or len(found) == n:
            continue
        assert find_violation(done, deps, scop) is None
        try:
            found.append(print_openmp(scop, done, deps=deps.validity))
        except CodegenError as error:
            if "internal" in error.message:
                raise  # the printer found what the proof of the tree should have
    return found


def output(source: bytes, path: Path, threads: int) -> bytes:
    binary = path.with_suffix(".out")
    if not binary.exists():
        path.write_bytes(source)
        command = ["gcc", "-O1", "-fopenmp", "-std=gnu17", "-w", str(path), "-o"]
        subprocess.run([*command, str(binary)], check=True, timeout=300)
    done = subprocess.run(
        [str(binary)], stdout=subprocess.PIPE, timeout=120, check=True,
        env={"OMP_NUM_THREADS": str(threads)},
    )  # fmt: skip
    return done.stdout


@pytest.mark.slow
@pytest.mark.cc
@pytest.mark.timeout(3600)
def test_shared_sums_are_the_same_bits(tmp_path: Path) -> None:
    seeds = range(FIRST, FIRST + N_PROGRAMS)
    calls = "".join(
        f"fill(); f{k}({n}, {m}); show();\n"
        for k in seeds
        for n, m in ((0, 5), (1, 1), (7, 3), (19, 21))
    )
    path = tmp_path / "sums.c"
    main = f"int main(void)\n{{\n{calls}return 0;\n}}\n"
    path.write_text(HEAD + "".join(map(function, seeds)) + main)
    program = parse_c(str(path))
    assert not program.refusals
    expected = output(program.source, tmp_path / "original.c", 1).splitlines()
    texts = {s.name: shared(s, N_ROUNDS, FIRST) for s in program.scops}
    n_with = sum(1 for found in texts.values() if found)
    assert n_with > N_PROGRAMS // 4  # the others carry something else
    for k in range(N_ROUNDS):
        chosen = {name: found[k] for name, found in texts.items() if k < len(found)}
        source = splice(program, chosen)
        for threads in (1, 3, 30):
            found = output(source, tmp_path / f"round{k}.c", threads).splitlines()
            wrong = {
                seeds[line // 4]
                for line, (a, b) in enumerate(zip(expected, found, strict=True))
                if a != b
            }
            assert not wrong, f"with {threads} threads: {sorted(wrong)}"
