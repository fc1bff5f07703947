"""Which subscript of a private array its innermost loops walk along.

Storage of private arrays is chosen, not given. A loop over several rows, each with a
private row of its own, walks from row to row; where the subscript that tells the rows
apart comes last in storage, it touches neighbours::

    for j:                                       double p[N][8];
      for i in 8 rows: p(i, j) = f(p(i, j - 1))  p[j][i - i0] = f(p[j - 1][i - i0])
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from polysched.analysis.places import Member
from polysched.analysis.rationals import Vector
from polysched.analysis.strides import Reference, member_directions
from polysched.ir import held_lanes


def walked_subscripts(
    uses: Iterable[tuple[Sequence[Member], Sequence[Reference]]],
) -> dict[str, int]:
    """For each private array the subscript that should be its last in storage.

    The one that the innermost loops of most accesses move, by one and alone; of an
    array's accesses, those within the most loops count. The array's own last subscript
    where as many move that, and in register tiles what the lanes move.

    Parameters
    ----------
    uses : iterable of (members, references)
        Of each statement, the band members around it, outermost first, and its
        accesses.

    Returns
    -------
    dict of str to int
        Position among the subscripts, those of expansion first.
    """
    votes: dict[str, Counter[int]] = {}
    depths: dict[str, int] = {}
    for members, references in uses:
        directions = member_directions(members)
        direction = _innermost(members, directions)
        depth = sum(d is not None for d in directions)
        for r in references:
            if not r.expanded or depth < depths.get(r.array, 0):
                continue
            if depth > depths.get(r.array, 0):
                depths[r.array], votes[r.array] = depth, Counter()
            walked = None if direction is None else r.walked_subscript(direction)
            if walked is not None:
                votes[r.array][walked] += 1
    return {
        array: max(found, key=lambda k: (found[k], k))
        for array, found in votes.items()
        if found
    }


def _innermost(
    members: Sequence[Member], directions: Sequence[Vector | None]
) -> Vector | None:
    """Movement along the innermost loop, or along the lanes of a register tile."""
    in_registers = any(held_lanes(x) for m in members for x in m.marks)
    found = [
        direction
        for member, direction in zip(members, directions, strict=True)
        if direction is not None and member.unrolled == in_registers
    ]
    return found[-1] if found else None
