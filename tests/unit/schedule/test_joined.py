"""Straight lines as one statement: what is joined, and that it comes apart legally."""

from __future__ import annotations

from polysched.analysis import compute_dependences, find_violation
from polysched.base import Deadline
from polysched.ir import Scop
from polysched.schedule import Recipe, join_statements
from tests.unit import scops

SQUARE = "0 <= t < n and 1 <= i < n"


def sweep() -> Scop:
    """``a = u[i - 1]; b = a + u[i]; v[i] = b;`` and a copy in a loop behind it."""
    return scops.scop(
        "sweep",
        *(
            scops.statement(
                name, f"[n] -> {{ {name}[t, i] : {SQUARE} }}", position, *accesses
            )
            for name, position, accesses in (
                ("S0", (0, 0, 0), ("r [t, i] -> u[i - 1]", "w [t, i] -> a[t, i]")),
                (
                    "S1",
                    (0, 0, 1),
                    ("r [t, i] -> a[t, i]", "r [t, i] -> u[i]", "w [t, i] -> b[t, i]"),
                ),
                ("S2", (0, 0, 2), ("r [t, i] -> b[t, i]", "w [t, i] -> v[i]")),
                ("S3", (0, 1, 0), ("r [t, i] -> v[i]", "w [t, i] -> u[i]")),
            )
        ),
    )


def test_neighbours_are_one_statement_without_order_inside_an_iteration():
    scop = sweep()
    joined = join_statements(scop, compute_dependences(scop))
    assert joined is not None
    assert joined.groups == (("S0", "S1", "S2"), ("S3",))
    first = joined.scop.statements[0]
    assert [a.kind for a in first.accesses] == ["read"] * 4 + ["must_write"] * 3
    inside = [d for d in joined.dependences.items if (d.source, d.sink) == ("S0", "S0")]
    ordering = {d.array for d in inside if d.orders}
    assert ordering == {"v"}  # written again in the next step


def test_members_keep_their_order_and_share_their_rows():
    scop = sweep()
    dependences = compute_dependences(scop)
    joined = join_statements(scop, dependences)
    assert joined is not None
    solved = joined.solve(Recipe(("BAND", "PROX", "MIC"), "lower"), Deadline())
    assert solved.rows is not None
    assert solved.rows["S0"].linear == solved.rows["S2"].linear
    last = [solved.rows[f"S{k}"].betas[-1] for k in range(3)]
    assert last == sorted(set(last))  # in order, no two at once
    assert find_violation(solved.tree, dependences, scop) is None


def test_other_iterations_and_other_loops_are_left_apart():
    reads, writes = "r [t, i] -> u[i]", "w [t, i] -> u[i]"
    scop = scops.scop(
        "apart",
        scops.statement("S0", f"[n] -> {{ S0[t, i] : {SQUARE} }}", (0, 0, 0), writes),
        scops.statement(
            "S1", f"[n] -> {{ S1[t, i] : {SQUARE} and i > t }}", (0, 0, 1), reads
        ),
        scops.statement("S2", f"[n] -> {{ S2[t, i] : {SQUARE} }}", (0, 1, 0), reads),
    )
    assert join_statements(scop, compute_dependences(scop)) is None
