"""Tables by diagonals: seen by rows where that is legal, left alone where not."""

from __future__ import annotations

import pytest

from polysched.analysis import compute_dependences, find_violation
from polysched.base import Deadline
from polysched.ir import Scop
from polysched.schedule import Recipe, turn_diagonals
from tests.unit import scops

BY_LENGTH = "1 <= l <= n and 0 <= i <= n - l"
BETWEEN = f"{BY_LENGTH} and i < k < i + l"


def best_splits() -> Scop:
    """``c[i][i+l] = min over k of c[i][k] + c[k][i+l]``, then a weight."""
    return scops.scop(
        "splits",
        scops.statement(
            "S0",
            f"[n] -> {{ S0[l, i, k] : {BETWEEN} }}",
            (0, 0, 0, 0),
            "r [l, i, k] -> c[i, k]",
            "r [l, i, k] -> c[k, i + l]",
            "r [l, i, k] -> c[i, i + l]",
            "w [l, i, k] -> c[i, i + l]",
        ),
        scops.statement(
            "S1",
            f"[n] -> {{ S1[l, i] : {BY_LENGTH} }}",
            (0, 0, 1, 0),
            "r [l, i] -> c[i, i + l]",
            "w [l, i] -> c[i, i + l]",
        ),
    )


def table(domain: str, *accesses: str) -> Scop:
    return scops.scop(
        "table",
        scops.statement(
            "S0", f"[n] -> {{ S0[d, i] : {domain} }}", (0, 0, 0), *accesses
        ),
    )


def test_the_splits_come_outside_of_the_columns():
    scop = best_splits()
    dependences = compute_dependences(scop)
    by_rows = turn_diagonals(scop, dependences)
    assert by_rows is not None
    solved = by_rows.solve(Recipe(("NP2", "SO", "MIC")), Deadline())
    rows = [row.affine_text(("l", "i", "k")) for row in solved.rows["S0"].linear]
    assert rows == ["-1i", "1k", "1l + 1i"]
    assert find_violation(solved.tree, dependences, scop) is None


def test_antidiagonals_become_rows_upwards():
    scop = table(
        "1 <= i < d and d < i + n and i < n",
        "r [d, i] -> h[i - 1, d - i]",
        "r [d, i] -> h[i, d - i - 1]",
        "w [d, i] -> h[i, d - i]",
    )
    by_rows = turn_diagonals(scop, compute_dependences(scop))
    assert by_rows is not None
    solved = by_rows.solve(Recipe(("SO", "MIC")), Deadline())
    rows = [row.affine_text(("d", "i")) for row in solved.rows["S0"].linear]
    assert rows == ["1i", "1d + -1i"]


@pytest.mark.parametrize(
    "accesses",
    [
        ("r [d, i] -> c[i - 1, i + d - 1]", "r [d, i] -> c[i + 1, i + d]"),
        ("r [d, i] -> c[i + 1, i + d + 1]", "r [d, i] -> c[i - 1, i + d - 2]"),
    ],
)
def test_what_needs_rows_above_and_below_is_left(accesses):
    scop = table(BY_LENGTH.replace("l", "d"), *accesses, "w [d, i] -> c[i, i + d]")
    assert turn_diagonals(scop, compute_dependences(scop)) is None


def test_loops_over_rows_are_left():
    scop = table("0 < d < n and 0 < i < n", "w [d, i] -> c[d, i]")
    assert turn_diagonals(scop, compute_dependences(scop)) is None
