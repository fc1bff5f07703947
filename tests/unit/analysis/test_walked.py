"""The subscript of a private array that innermost loops walk along."""

from __future__ import annotations

from dataclasses import replace

from polysched.analysis import (
    Member,
    Reference,
    infer_liveness,
    privatize,
    references,
    statement_members,
    walked_subscripts,
)
from polysched.ir import MARK_REGISTERS, ScheduleTree, Scop
from polysched.testing import ScopBuilder


def filled_rows() -> Scop:
    """A private row for every i, written and read."""
    b = ScopBuilder("rows")
    b.array("A", "double[9][9]")
    b.array("w", "double[9]", storage="local", live_in=False, live_out=False)
    box = "0 <= i < 9 and 0 <= j < 9"
    b.statement("i, j", box, "w[j] = A[i][j] * 2", position=(0, 0, 0))
    b.statement("i, j", box, "A[i][j] = w[j] + w[8 - j]", position=(0, 1, 0))
    return privatize(infer_liveness(b.build()))


def uses(*orders: str) -> list[tuple[tuple[Member, ...], tuple[Reference, ...]]]:
    """The statements under loops in the given orders, as ``ij`` or ``ji``."""
    scop = filled_rows()
    parts = ", ".join(
        f'{{ filter: "{{ S{k}[i, j] }}", child: {{ schedule: '
        f'"[{{ S{k}[i, j] -> [({a})] }}, {{ S{k}[i, j] -> [({b})] }}]" }} }}'
        for k, (a, b) in enumerate(orders)
    )
    tree = ScheduleTree.parse(
        f'{{ domain: "{scop.domain}", child: {{ sequence: [ {parts} ] }} }}'
    )
    by_name = references(scop)
    return [(m, by_name[name]) for name, m in statement_members(tree).items()]


def test_most_accesses_decide() -> None:
    assert walked_subscripts(uses("ij", "ij")) == {"w": 1}
    assert walked_subscripts(uses("ji", "ji")) == {"w": 0}
    assert walked_subscripts(uses("ij", "ji")) == {"w": 0}, "two reads, one write"
    assert walked_subscripts(uses("ji", "ij")) == {"w": 1}


def test_loops_around_fewer_others_do_not_count() -> None:
    first, (members, found) = uses("ij", "ji")
    assert walked_subscripts([first, (members[1:], found)]) == {"w": 1}


def test_lanes_of_a_register_tile_count_as_the_innermost_loop() -> None:
    (outer, inner), found = uses("ij", "ij")[0]
    lanes = replace(outer, unrolled=True, marks=(f"{MARK_REGISTERS}:4",))
    assert walked_subscripts([((lanes, inner), found)]) == {"w": 0}
    copies = replace(lanes, marks=())
    assert walked_subscripts([((copies, inner), found)]) == {"w": 1}
