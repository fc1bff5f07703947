"""Generated code asks whether rows of data are in order, and goes back if not."""

from __future__ import annotations

import pytest

from polysched.base import CodegenError
from polysched.codegen import print_openmp
from polysched.frontend import parse_c
from tests.unit.codegen.test_registers import check
from tests.unit.codegen.test_registers import scripted as scripted_of

PROGRAM = """
#include <stdio.h>
#define N 40
static int row[N + 1];
static double val[8 * N], x[N];
static void scale(int n) {
#pragma scop
    for (int i = 0; i < n; i++)
        for (int k = row[i]; k < row[i + 1]; k++)
            val[k] = 0.5 * val[k] + x[i];
#pragma endscop
}
int main(void) {
    double sum = 0.0;
    for (int i = 0; i <= N; i++)
        row[i] = FIRST;
    for (int i = 0; i < N; i++)
        x[i] = i % 7 / 4.0;
    for (int k = 0; k < 8 * N; k++)
        val[k] = k % 11;
    scale(N);
    for (int k = 0; k < 8 * N; k++)
        sum += val[k] * (1 + k % 3);
    printf("%f\\n", sum);
    return 0;
}
"""
SHARED = "parallel(band=0, member=0, dynamic=true, chunk=4)"
BACKWARDS = "reverse(band=0, member=0)"


def program(first: str) -> str:
    return PROGRAM.replace("FIRST", first)


@pytest.mark.parametrize("script", [SHARED, BACKWARDS])
@pytest.mark.parametrize(
    "first",
    ["7 * i", "3 * i + i % 3", "(i % 4) * 50", "i < 20 ? 0 : 8 * N", "7 * (N - i)"],
    ids=["apart", "some-empty", "overlapping", "two-long-ones", "falling"],
)
def test_results_are_those_of_the_original(first: str, script: str) -> None:
    check(program(first), script)


def test_order_is_asked_before_the_code(tmp_path) -> None:
    file = tmp_path / "program.c"
    file.write_text(program("7 * i"))
    (scop,) = parse_c(str(file)).scops
    found = scripted_of(SHARED)(scop)
    tree = found.listed[0].tree
    with pytest.raises(CodegenError, match="holds only where row never falls"):
        print_openmp(found.scop, tree)
