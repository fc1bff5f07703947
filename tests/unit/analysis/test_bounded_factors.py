"""Offsets that keep factors short: found, asked about, and only where it counts."""

from __future__ import annotations

from pathlib import Path

import pytest

from polysched.analysis import prepare_scop
from polysched.codegen import print_openmp
from polysched.frontend import parse_c
from polysched.ir import Scop, original_tree

pytestmark = pytest.mark.cc

HEAD = """\
struct layer { int off, other; };
void f(int n, int m, int d, signed char a[n][d], unsigned char w[m][d], int out[n][m],
       int za, int zw, long wide, const struct layer *p, int *moving) {
"""


def region(directory: Path, term: str) -> Scop:
    file = directory / "offsets.c"
    body = (
        "for (int i = 0; i < n; i++) for (int j = 0; j < m; j++) { out[i][j] = 0;\n"
        f"for (int k = 0; k < d; k++) {{ {term} }} }}"
    )
    file.write_text(f"{HEAD}#pragma scop\n{body}\n#pragma endscop\n}}\n")
    return prepare_scop(parse_c(file).scops[0])


@pytest.mark.parametrize(
    ("term", "scalars"),
    [
        ("out[i][j] += (a[i][k] + za) * w[j][k];", {"za"}),
        ("out[i][j] += (w[j][k] - zw) * (za + a[i][k]);", {"za", "zw"}),
        (
            "int x = a[i][k]; out[i][j] += w[j][k] * (x - p->off);",
            {"p_off"},
        ),
    ],
)
def test_scalars_that_make_factors_long(
    tmp_path: Path, term: str, scalars: set[str]
) -> None:
    scop = region(tmp_path, term)
    assert {b.scalar for b in scop.bounded} == scalars


@pytest.mark.parametrize(
    "term",
    [
        "out[i][j] += a[i][k] * w[j][k];",  # short already
        "out[i][j] += (a[i][k] + 3) * w[j][k];",
        "out[i][j] += (a[i][k] + wide) * w[j][k];",  # computed in eight bytes
        "out[i][j] += (a[i][k] * za) * w[j][k];",  # long for small ones, too
        "out[i][j] += (a[i][k] + za) * out[0][0];",
        "out[i][j] += za * w[j][k];",  # no sum of products of elements
        "moving[0] = k; out[i][j] += (a[i][k] + moving[0]) * w[j][k];",
    ],
)
def test_others(tmp_path: Path, term: str) -> None:
    assert not region(tmp_path, term).bounded


def test_code_that_does_not_count_on_it_does_not_ask(tmp_path: Path) -> None:
    scop = region(tmp_path, "out[i][j] += (a[i][k] + za) * w[j][k];")
    assert "16384" not in print_openmp(scop, original_tree(scop))
