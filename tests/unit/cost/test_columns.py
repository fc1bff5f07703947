"""Columns push out their own lines where rows are multiples of a power of two."""

from __future__ import annotations

from pathlib import Path

import pytest

from polysched.analysis import compute_dependences, set_band_flags
from polysched.cost.columns import crowded_bytes
from polysched.cost.read import read_nests
from polysched.frontend import parse_c
from polysched.ir import original_tree
from polysched.transform import apply_script, parse_script


def crowded(sizes: str, read: str, script: str, directory: Path) -> float:
    path = directory / "case.c"
    path.write_text(
        f"void f(double a[{sizes}], double y[2000][2000]) {{\n#pragma scop\n"
        f"for (int i = 0; i < 256; i++)\n  for (int j = 0; j < 256; j++)\n"
        f"    y[i][j] = {read};\n#pragma endscop\n}}\n"
    )
    scop = parse_c(path).scops[0]
    deps = compute_dependences(scop)
    tree = set_band_flags(original_tree(scop), deps)
    tree = apply_script(tree, parse_script(f"merge(band=0){script}"), deps)
    (nest,) = read_nests(tree, scop, deps)
    return crowded_bytes(nest, 32 << 10, 64)


@pytest.mark.parametrize(
    ("sizes", "read", "script", "lines"),
    [
        ("1024][1024", "a[j][i]", "", 1.0),  # all lines of a column in one set
        ("1024][1024", "a[j][i] + a[j][i + 1]", "", 1.0),  # the same lines
        ("1024][1024", "a[j][i] + a[j + 1][i]", "", 2.0),
        ("1024][1032", "a[j][i]", "", 0.0),  # one set further with each row
        ("1024][1024", "a[i][j]", "", 0.0),
        ("1024][1024", "a[j][i]", "; tile(band=0, sizes=[0, 8])", 0.0),
        ("1024][1024", "a[j][i]", "; jam(band=0, factors=[4, 1])", 0.25),
    ],
)
def test_lines_that_each_instance_loads_again(
    sizes: str, read: str, script: str, lines: float, tmp_path: Path
) -> None:
    assert crowded(sizes, read, script, tmp_path) == lines * 64 * 256 * 256
