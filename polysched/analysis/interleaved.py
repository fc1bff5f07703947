"""Accesses that leave gaps each, and none together: pairs, colours, halves."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from itertools import product

from polysched.analysis.rationals import Rational, Vector
from polysched.analysis.strides import Reference, StrideClass, subscript_moves

MAX_STEP = 4  # elements from one iteration to the next that vectors take apart


def stride_classes(
    moved: Sequence[tuple[Reference, Vector]],
    copies: Sequence[tuple[Vector, int]] = (),
) -> list[StrideClass]:
    """Classes of accesses in one loop: those that fill a row together are contiguous.

    `re` and `im` in ``z[2 * j] = re; z[2 * j + 1] = im`` leave gaps for each other.
    Compilers load and store such rows whole, and sort the elements in registers.

    Parameters
    ----------
    moved : sequence of (Reference, vector)
        Accesses that run in the same iteration, and how the loop moves the iterators
        of their statements, which are to mean the same in all of them.
    copies : sequence of (vector, int)
        Unrolled loops inside: how each moves the iterators, and its iterations.
    """
    places: dict[Hashable, set[Rational]] = {}
    for reference, direction in moved:
        key = _row(reference, direction)
        if key is not None:
            places.setdefault(key, set()).update(_last_offsets(reference, copies))
    found: list[StrideClass] = []
    for reference, direction in moved:
        key = _row(reference, direction)
        is_full = key is not None and _fills(
            places[key], abs(int(reference.moves(direction)[-1]))
        )
        found.append("1" if is_full else reference.stride_class(direction))
    return found


def _row(reference: Reference, direction: Vector) -> Hashable | None:
    """What accesses of one row have in common; None for what leaves no short gaps."""
    if not reference.rows or any(subscript_moves(reference.expanded, direction)):
        return None
    moves = reference.moves(direction)
    if any(moves[:-1]) or abs(moves[-1]) not in range(2, MAX_STEP + 1):
        return None
    return (
        reference.array,
        reference.is_write,
        reference.rows,
        reference.offsets[:-1],
        direction,
    )


def _last_offsets(
    reference: Reference, copies: Sequence[tuple[Vector, int]]
) -> Iterator[Rational]:
    """Constants of the last subscript, of all copies that stay in the row."""
    steps = [(reference.moves(direction), n) for direction, n in copies]
    inside = [range(n) if not any(move[:-1]) else range(1) for move, n in steps]
    for turns in product(*inside):
        moved = (t * move[-1] for t, (move, _) in zip(turns, steps, strict=True))
        yield reference.offsets[-1] + sum(moved)


def _fills(places: set[Rational], step: int) -> bool:
    """Whether places that repeat every few elements leave none out."""
    return any(all(place + k in places for k in range(1, step)) for place in places)
