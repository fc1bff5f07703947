"""The text of a tree, and so its id, is the same whatever was computed before."""

from __future__ import annotations

from polysched.codegen import measure_code
from polysched.ir import original_tree
from polysched.testing import ScopBuilder


def test_redundant_constraints_are_not_in_the_text_to_begin_with() -> None:
    b = ScopBuilder("triangle", [], "")
    b.array("A", "double[64][64]")
    box = "0 < i < 64 and 0 <= j < i"  # 0 < i follows
    b.statement("i, j", box, "A[i][j] = A[i - 1][j]", position=(0, 0, 0))
    scop = b.build()
    before = original_tree(scop)
    text = before.text
    measure_code(scop, before)  # isl finds out, and drops what follows
    assert original_tree(scop).text == text
    assert "0 < i" not in text
