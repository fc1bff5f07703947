"""Loops over the elements of a set."""

from __future__ import annotations

from pathlib import Path

import islpy as isl
import pytest

from polysched.codegen import print_scan
from polysched.sets import read_set
from tests.unit.codegen.handmade import run_c

PROGRAM = """
#include <stdio.h>
#include <stdlib.h>
int main(int argc, char **argv)
{{
    int n = argc > 1 ? atoi(argv[1]) : 0;
    (void)n;
{0}
    return 0;
}}
"""


def show(where: tuple[str, ...]) -> str:
    values = ", ".join(f"(long)({w})" for w in where)
    holes = " ".join(["%ld"] * len(where))
    return f'printf("{holes}\\n", {values});' if where else 'puts("here");'


@pytest.mark.cc
@pytest.mark.parametrize(
    "text",
    [
        "[n] -> { A[i, j] : 0 <= i < n and 0 <= j <= i }",
        "[n] -> { A[i, j] : 0 <= i < n and 0 <= j < n and (i + j) mod 3 = 1 }",
        "[n] -> { A[i, j] : 0 <= i < n and j = 2i; A[i, j] : i = n and 0 <= j < 4 }",
        "[n] -> { A[i] : i = n and n mod 2 = 1 }",
        "[n] -> { A[] : n > 3 }",
        "{ A[i] : -3 <= i <= 3 and exists (e : i = 2e) }",
    ],
)
@pytest.mark.parametrize("n", [0, 1, 7])
def test_every_element_is_visited_once_in_order(
    text: str, n: int, tmp_path: Path
) -> None:
    elements = read_set(text)
    found = run_c(tmp_path, PROGRAM.format(print_scan(elements, show)), str(n))
    points: list[tuple[int, ...]] = []
    fixed = elements.intersect_params(isl.Set(f"[n] -> {{ : n = {n} }}"))
    n_dim = elements.dim(isl.dim_type.set)

    def keep(point: isl.Point) -> None:
        values = [point.get_coordinate_val(isl.dim_type.set, k) for k in range(n_dim)]
        points.append(tuple(int(str(v)) for v in values))

    fixed.foreach_point(keep)
    want = [" ".join(map(str, p)) if p else "here" for p in sorted(points)]
    assert found.splitlines() == want


def test_members_of_a_union_follow_each_other() -> None:
    union = isl.UnionSet("{ B[i] : 0 <= i < 2; A[i] : 0 <= i < 3 }")
    text = print_scan(union, lambda w: f"visit({w[0]});", reserved=["e1"])
    assert text.splitlines() == [
        "{",
        "  for (long e_1 = 0; e_1 <= 2; e_1++)",
        "    visit(e_1);",
        "  for (long e__1 = 0; e__1 <= 1; e__1++)",
        "    visit(e__1);",
        "}",
    ]
