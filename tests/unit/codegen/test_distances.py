"""Loops over distances of bytes are kept for gcc's vectors; others are left alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from polysched.analysis import prepare_scop
from polysched.codegen import PrintOptions, print_openmp
from polysched.frontend import parse_c
from polysched.ir import original_tree

TEXT = """int abs(int);
void f(unsigned char a[99][99], unsigned char b[99][99], short c[99][99], int *d) {{
#pragma scop
for (int x = 0; x < 80; x++) {{
    int s = 0;
    for (int j = 0; j < {rows}; j++)
        for (int i = 0; i < {n}; i++)
            s += {term};
    d[x] = s;
}}
#pragma endscop
}}
"""
DISTANCE = "abs(a[j][i] - b[j][x + i])"


def pragmas(directory: Path, term: str, rows: str = "4", n: str = "16") -> list[str]:
    path = directory / "case.c"
    path.write_text(TEXT.format(term=term, rows=rows, n=n))
    scop = prepare_scop(parse_c(path).scops[0])
    lines = print_openmp(scop, original_tree(scop), PrintOptions()).splitlines()
    return [line.strip() for line in lines if "unroll" in line]


@pytest.mark.parametrize(("rows", "n"), [("4", "16"), ("8", "8")])
def test_the_loop_over_bytes_stays_and_the_one_around_is_unrolled(
    rows: str, n: str, tmp_path: Path
) -> None:
    found = pragmas(tmp_path, DISTANCE, rows, n)
    assert found == [f"#pragma GCC unroll {rows}", "#pragma GCC unroll 1"]


def test_many_rows_are_not_unrolled(tmp_path: Path) -> None:
    assert pragmas(tmp_path, DISTANCE, "50") == ["#pragma GCC unroll 1"]


@pytest.mark.parametrize(
    ("term", "n"),
    [
        (DISTANCE, "4"),
        (DISTANCE, "17"),
        ("abs(c[j][i] - c[j][x + i])", "16"),
        ("abs(a[j][i])", "16"),
        ("a[j][i] - b[j][x + i]", "16"),
    ],
)
def test_other_sums_are_left_alone(term: str, n: str, tmp_path: Path) -> None:
    assert pragmas(tmp_path, term, n=n) == []
