"""Blocked factorisations give the original's results at every size.

One has sizes that are known, the other at run time only; the smallest fill no
block, the largest several.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from polysched.frontend import parse_c
from polysched.machine import Machine
from polysched.space import SpaceOptions, build_space
from tests.oracle.sweep import slow, sweep, tiny_machine

PROGRAM = """
#include <math.h>
#include <stdio.h>
#ifndef SIZE
#define SIZE 61
#endif
static double a[SIZE + 1][SIZE + 1], b[SIZE + 1][SIZE + 1];

static void factor(void)
{
#pragma scop
    for (int i = 0; i < SIZE; i++) {
        for (int j = 0; j < i; j++) {
            for (int k = 0; k < j; k++)
                a[i][j] -= a[i][k] * a[k][j];
            a[i][j] /= a[j][j];
        }
        for (int j = i; j < SIZE; j++)
            for (int k = 0; k < i; k++)
                a[i][j] -= a[i][k] * a[k][j];
    }
#pragma endscop
}

static void root(int n)
{
#pragma scop
    for (int i = 0; i < n; i++) {
        for (int j = 0; j < i; j++) {
            for (int k = 0; k < j; k++)
                b[i][j] -= b[i][k] * b[j][k];
            b[i][j] /= b[j][j];
        }
        for (int k = 0; k < i; k++)
            b[i][i] -= b[i][k] * b[i][k];
        b[i][i] = sqrt(b[i][i]);
    }
#pragma endscop
}

int main(void)
{
    for (int i = 0; i < SIZE; i++)
        for (int j = 0; j < SIZE; j++) {
            a[i][j] = (1 + (3 * i + 4 * j) % 11) / (12.0 * SIZE);
            a[i][j] += (i == j) * (2 + i % 3);
            b[i][j] = a[i][j];
        }
    factor();
    root(SIZE);
    for (int i = 0; i < SIZE; i++) {
        for (int j = 0; j < SIZE; j++)
            printf(" %.17g %.17g", a[i][j], b[i][j]);
        printf("\\n");
    }
    return 0;
}
"""
OPTIONS = SpaceOptions(seconds=20, limit=20)


def narrow_machine() -> Machine:
    """With vectors of four elements on every machine: blocks are multiples of 24."""
    cpu = tiny_machine().cpu
    isa = tuple(name for name in cpu.isa if not name.startswith("avx512"))
    return Machine(replace(cpu, simd_bits=256, isa=isa))


@pytest.fixture
def program(tmp_path: Path) -> Path:
    path = tmp_path / "factor.c"
    path.write_text(PROGRAM)
    return path


@pytest.mark.long
@pytest.mark.cc
@pytest.mark.parametrize("size", [25, *slow(0, 1, 17, 61)])
def test_blocks_give_the_same_results(program: Path, size: int) -> None:
    flags = [f"-DSIZE={size}"]
    n_run, wrong = sweep(program, flags, OPTIONS, machine=narrow_machine())
    assert wrong == []
    assert n_run > 3


@pytest.mark.long
def test_every_space_has_a_blocked_schedule(program: Path) -> None:
    for scop in parse_c(str(program)).scops:
        space = build_space(scop, narrow_machine(), OPTIONS)
        texts = [s.script_text for s in space if "distribute" in s.script_text]
        assert any("registers" in t and "pack" in t for t in texts), scop.name
