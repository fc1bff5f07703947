"""Loops that compilers give up, as too many arrays might overlap."""

from __future__ import annotations

import pytest

from polysched.cost.read import read_nests
from polysched.frontend import parse_c
from polysched.ir import original_tree

LOOPS = """\
void f(int h, int w, int c, {types}) {{
#pragma scop
  for (int y = 0; y < h; y++)
    for (int k = 0; k < c; k++)
      for (int u = 0; u < 3; u++)
        for (int v = 0; v < 3; v++)
          q[y][k] += a[y + u][v][k] * b[u][v][k];
#pragma endscop
}}
"""


def types_of(result: str, factor: str) -> str:
    return f"{result} q[h][c], {factor} a[h + 2][3][c], {factor} b[3][3][c]"


@pytest.mark.parametrize(
    ("types", "gives_up"),
    [
        (types_of("char", "char"), True),
        (types_of("float", "float"), True),
        (types_of("float", "int"), False),  # types tell them apart
        # rows that lie known distances apart are one piece of memory
        ("float q[h][32], float a[h + 2][3][32], float b[3][3][32]", False),
    ],
)
def test_a_loop_with_many_pieces_of_memory_has_no_lanes(
    tmp_path, types, gives_up
) -> None:
    path = tmp_path / "window.c"
    path.write_text(LOOPS.format(types=types))
    (scop,) = parse_c(path).scops
    (nest,) = read_nests(original_tree(scop), scop)
    assert [m.unrolled for m in nest.members] == [False, False, True, True]
    assert nest.is_scalar is gives_up


def test_arrays_of_the_file_are_known_apart(tmp_path) -> None:
    path = tmp_path / "window.c"
    text = LOOPS.format(types="int n")
    path.write_text(
        "static char q[99][16], a[101][3][16], b[3][3][16];\n"
        + text.replace("y < h", "y < 99").replace("k < c", "k < 16")
    )
    (scop,) = parse_c(path).scops
    (nest,) = read_nests(original_tree(scop), scop)
    assert not nest.is_scalar
