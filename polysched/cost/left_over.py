"""What register tiles and vectors leave over at the ends of loops, by the model."""

from __future__ import annotations

from math import prod

from polysched.cost.nest import Nest
from polysched.cost.trips import row_extent
from polysched.ir.types import INT


def behind_vectors(nest: Nest, simd_bits: int) -> float:
    """Share of the iterations of a loop over short integers that fill no vector.

    Compilers run as many iterations at a time as a vector holds of the shortest type,
    then half as many once, then one by one: of a row of 56 bytes the last eight.

    Parameters
    ----------
    nest : Nest
        With an innermost loop in lanes.
    simd_bits : int
        Of a vector.
    """
    sizes = (nest.scop.array(r.array).type.n_bytes for r in nest.references)
    shortest = min(sizes, default=INT.n_bytes)
    n_trips = int(nest.inner_trips)
    if shortest >= INT.n_bytes or n_trips < 1:
        return 0.0
    at_a_time = simd_bits // (8 * shortest)
    n_left = n_trips % at_a_time
    return n_left % (at_a_time // 2) / n_trips


def left_over(nest: Nest) -> float:
    """Share of a nest's instances that are in no full register tile.

    They are at the end of the loop that was cut; at both ends where these move with
    the loops around it, as in bands and triangles: tiles begin at multiples of their
    size, as larger tiles around them do. There the copies are a loop inside of the one
    that would have lanes.
    """
    full = 1.0
    for k, member in enumerate(nest.members):
        row = member.coefficients
        tiles = [
            j
            for j, m in enumerate(nest.members[:k])
            if m.kind == "tile" and m.function == row
        ]
        if not member.unrolled or nest.directions[k] is None or not tiles:
            continue
        size = nest.members[tiles[-1]].size
        length = max(1.0, prod(nest.trips[j] for j in tiles) * size)
        extent = row_extent(nest.scop, nest.statement.name, row)
        is_aligned = any(nest.members[j].size % size == 0 for j in tiles[:-1])
        moves = length < extent and not is_aligned
        n_left = size - 1 if moves else extent % size
        full *= max(0.0, 1.0 - n_left / length)
    return 1.0 - full
