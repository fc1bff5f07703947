"""Loops that accumulate in vector lanes: integers bit for bit, sums within a bound."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from polysched.analysis import (
    allow_reordering,
    compute_dependences,
    prepare_scop,
    set_band_flags,
)
from polysched.codegen import PrintOptions, print_openmp, splice
from polysched.frontend import parse_c
from polysched.ir import original_tree
from polysched.space import SpaceOptions, build_space, load_space
from polysched.transform import apply_script, parse_script
from tests.oracle.sweep import print_variant, run, tiny_machine

PROGRAM = """
#include <stdio.h>
#define CAPACITY 38

static TYPE A[CAPACITY][CAPACITY], x[CAPACITY], y[CAPACITY], z[CAPACITY];

static void sums(int n)
{
#pragma scop
    for (int i = 0; i < n; i++) {
        TYPE sum = 0;
        for (int j = 0; j < n; j++)
            sum += A[i][j] * x[j];
        y[i] = sum;
        for (int j = 0; j < i; j++)
            y[i] -= A[i][j] * y[j] / 64;
        for (int j = 0; j < n; j++)
            if (A[i][j] > z[i])
                z[i] = A[i][j];
    }
#pragma endscop
}

static void run(int n)
{
    for (int i = 0; i < n; i++) {
        x[i] = (TYPE)((i * 7 % 11 - 5) / 4.0);
        z[i] = (TYPE)-3;
        for (int j = 0; j < n; j++)
            A[i][j] = (TYPE)((i * 3 + j * 5) % 13 / 8.0 - 0.5);
    }
    sums(n);
    for (int i = 0; i < n; i++)
        printf("%.17g %.17g\\n", (double)y[i], (double)z[i]);
}

int main(void)
{
    const int sizes[] = {0, 1, 2, 37};
    for (int k = 0; k < 4; k++)
        run(sizes[k]);
    return 0;
}
"""
BOUNDS = {"double": 1e-12, "float": 1e-4, "int": 0.0, "unsigned char": 0.0}
SHORTER = {"double", "int"}  # than the others, of which they are the kinds


@pytest.mark.cc
@pytest.mark.parametrize(
    "type_",
    [
        pytest.param(t, marks=pytest.mark.long if t in SHORTER else pytest.mark.slow)
        for t in BOUNDS
    ],
)
def test_results_are_as_near_as_the_type_asks(tmp_path: Path, type_: str) -> None:
    path = tmp_path / "sums.c"
    path.write_text(PROGRAM.replace("TYPE", type_))
    program = parse_c(str(path))
    expected = [float(w) for w in run(program.source, path, []).split()]
    fp = "reassociate" if type_ in ("double", "float") else "strict"
    options = SpaceOptions(seconds=20, limit=20, fp=fp)
    n_clauses, n_variables = 0, 0
    variable = re.compile(rf"{type_} (sum|max)\w* = [a-z]").findall
    for scop in program.scops:
        space = build_space(scop, tiny_machine(), options)
        assert space.fp == fp
        for schedule in space:
            text = print_variant(program, space.scop, schedule)
            n_clauses += text.count(b"reduction(")
            n_variables += len(variable(text.decode()))
            found = [float(w) for w in run(text, path, []).split()]
            assert found == pytest.approx(expected, abs=BOUNDS[type_], rel=0)
    assert n_variables >= 3
    assert n_clauses == (n_variables if fp == "reassociate" else 0)


def test_strict_sums_of_floating_point_numbers_stay_in_order(tmp_path: Path) -> None:
    path = tmp_path / "sums.c"
    path.write_text(PROGRAM.replace("TYPE", "double"))
    (scop,) = parse_c(str(path)).scops
    space = build_space(scop, tiny_machine(), SpaceOptions(seconds=20))
    assert space.fp == "strict"
    assert not any("accumulate" in s.script_text for s in space)


@pytest.mark.long
def test_a_saved_space_still_knows_that_sums_may_be_reordered(tmp_path: Path) -> None:
    path = tmp_path / "sums.c"
    path.write_text(PROGRAM.replace("TYPE", "double"))
    (scop,) = parse_c(str(path)).scops
    options = SpaceOptions(seconds=20, limit=8, fp="reassociate")
    space = build_space(scop, tiny_machine(), options)
    assert any("accumulate" in s.script_text for s in space)
    space.save(tmp_path / "space.json")
    loaded = load_space(tmp_path / "space.json", scop)
    assert loaded.fp == "reassociate"
    assert [s.id for s in loaded] == [s.id for s in space]


NAMESAKES = """
#include <stdio.h>
enum { N = 40 };
static long A[N][N], y[N], z[N];

static void sums(void)
{
#pragma scop
    for (int i = 0; i < N; i++) {
        long sum = A[i][0];
        for (int j = 0; j < N; j++)
            sum += A[i][j];
        y[i] = sum * 2;
        z[i] = sum * sum;
    }
    for (int i = 0; i < N; i++) {
        long sum = A[0][i];
        for (int j = 0; j < N; j++)
            sum -= A[j][i];
        y[i] += sum;
        z[i] -= sum * sum;
    }
#pragma endscop
}

int main(void)
{
    for (int k = 0; k < N * N; k++)
        A[k / N][k % N] = k * 7 % 11;
    sums();
    for (int i = 0; i < N; i++)
        printf("%ld %ld\\n", y[i], z[i]);
    return 0;
}
"""


@pytest.mark.cc
def test_an_accumulator_is_told_from_a_variable_of_another_block(
    tmp_path: Path,
) -> None:
    path = tmp_path / "namesakes.c"
    path.write_text(NAMESAKES)
    program = parse_c(path)
    scop = prepare_scop(program.scops[0])
    deps = allow_reordering(compute_dependences(scop), scop, "strict")
    tree = set_band_flags(original_tree(scop), deps)
    apart = "distribute(band=0.0.0, member=0, statements=[0, 1, 2, 3])"
    script = parse_script(f"{apart}; accumulate(band=0.0.0.1.0.0, member=0)")
    tree = apply_script(tree, script, deps)
    text = print_openmp(scop, tree, PrintOptions(original_text=NAMESAKES))
    found = run(splice(program, {scop.name: text}), path, [])
    assert found == run(program.source, path, [])
