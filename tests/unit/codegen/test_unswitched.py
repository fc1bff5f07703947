"""Conditions that stay while an innermost loop runs are asked around it."""

from __future__ import annotations

from polysched.codegen import print_openmp
from polysched.ir import original_tree
from polysched.testing import ScopBuilder


def printed(asked: str) -> str:
    """Sums along rows, and where something is asked along columns, in one nest."""
    b = ScopBuilder("marginals", [])
    b.array("a", "int[60][60][60]")
    b.array("rows", "int[60]")
    b.array("columns", "int[60]")
    box = "0 <= i < 40 and 0 <= j < 60 and 0 <= k < 60"
    b.statement("i, j, k", box, "rows[i] += a[i][j][k]", position=(0, 0, 0, 0))
    some = f"{box} and {asked}"
    b.statement("i, j, k", some, "columns[i] += a[j][i][k]", position=(0, 0, 0, 1))
    scop = b.build()
    return " ".join(print_openmp(scop, original_tree(scop)).split())


def test_both_sides_have_the_loop() -> None:
    before, _, after = printed("j < 35 and j != 20").partition("if (")
    assert "t3" not in before
    holds, _, fails = after.partition("} else {")
    assert "rows[" in holds
    assert "columns[" in holds
    assert "rows[" in fails
    assert "columns[" not in fails
    assert "if (" not in after


def test_what_the_loop_moves_is_asked_inside() -> None:
    text = printed("j % 2 = 0 and (j + k) % 3 = 0")
    loop, asked = text.index("for (int t3"), text.index("if (")
    assert loop < asked
    assert text.count("rows[") == text.count("columns[") == 1


def test_two_conditions_are_three_loops_at_most() -> None:
    text = printed("(j % 2 = 0 or j % 3 = 0 or j % 5 = 0 or j % 7 = 0)")
    assert 2 <= text.count("rows[") <= 4
