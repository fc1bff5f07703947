"""Where rows of a register tile depend on the loop around it at one end only.

In a product with a triangle the rows of a tile begin or end at the loop's own value. As
long as that lies beyond the rows that the tile has at most, all of them run::

    for (k = 0; k <= i + 4; k++)                  for (k = 0; k < i; k++)
      for (r = max(i, k + 1); r <= i + 5; r++)      for (r = i; r <= i + 5; r++)  ...
                                            ==>   for (k = max(0, i); k <= i + 4; k++)
                                                    for (r = max(i, k + 1); ...)  ...

The first of these loops holds its rows in registers; in the other they differ.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import reduce
from typing import Literal

from polysched.codegen.ctext import Text, binary, identifiers
from polysched.codegen.linear import Linear
from polysched.codegen.macros import Macros
from polysched.codegen.nodes import Loop
from polysched.codegen.tile_loops import TileLoops, bound_names

_Kind = Literal["min", "max"]


@dataclass(frozen=True)
class CutLoop:
    """The loop around a tile in two parts.

    Attributes
    ----------
    whole : Loop
        Those of its iterations that run all rows.
    tile : TileLoops
        What they run.
    rest : Loop
        The others.
    is_first : bool
        Whether those with all rows run first.
    """

    whole: Loop
    tile: TileLoops
    rest: Loop
    is_first: bool


def cut_loop(tile: TileLoops, loop: Loop, macros: Macros) -> CutLoop | None:
    """Iterations that run all rows of a tile and the others, None where rows differ.

    Parameters
    ----------
    tile : TileLoops
        What the loop runs.
    loop : Loop
        Around the tile, with nothing between them.
    macros : Macros
        For minima and maxima.
    """
    if loop.step != 1 or loop.condition is None or loop.pragmas or loop.accumulates:
        return None
    *outer, lane = tile.loops
    moved = [row for row in outer if loop.iterator in bound_names(row)]
    if len(moved) != 1 or {loop.iterator, moved[0].iterator} & bound_names(lane):
        return None
    (row,) = moved
    if not (_is_as_recorded(row, macros) and _is_as_recorded(loop, macros)):
        return None
    found = _first_whole(row, loop.iterator)
    if found is None:
        return None
    rows, last, is_first = found
    loops = tuple(rows if inner is row else inner for inner in tile.loops)
    below, above = _until(loop, last, macros), _from(loop, last, macros)
    whole, rest = (below, above) if is_first else (above, below)
    return CutLoop(whole, replace(tile, loops=loops), rest, is_first)


def _first_whole(row: Loop, name: str) -> tuple[Loop, Linear, bool] | None:
    """All rows, the last value of the first part, whether that part has all rows."""
    match row.lower, row.upper:
        case (_, _), (end,):
            ends, is_first = row.lower, True
        case (end,), (_, _):
            ends, is_first = row.upper, False
        case _:
            return None
    fixed = [e for e in ends if not _mentions(e, name)]
    moving = [e for e in ends if _mentions(e, name)]
    if len(fixed) != 1 or _mentions(end, name):
        return None
    offset = moving[0].plus(Linear.atom(Text(name)), -1)
    if _mentions(offset, name):
        return None
    start, stop = (fixed[0], end) if is_first else (end, fixed[0])
    reach = stop.plus(start, -1)
    if not reach.is_constant or reach.constant < 0:
        return None
    rows = replace(
        row,
        first=start.to_text(),
        condition=binary("<=", Text(row.iterator), stop.to_text()),
        start=start,
        n_iterations=reach.constant + 1,
        lower=(start,),
        upper=(stop,),
    )
    meets = fixed[0].plus(offset, -1)  # where the moving end comes to the fixed one
    return rows, meets if is_first else meets.plus(Linear((), -1)), is_first


def _until(loop: Loop, last: Linear, macros: Macros) -> Loop:
    upper = _with(loop.upper, last, "min")
    condition = binary("<=", Text(loop.iterator), _text(upper, "min", macros))
    return replace(loop, condition=condition, n_iterations=None, upper=upper)


def _from(loop: Loop, last: Linear, macros: Macros) -> Loop:
    lower = _with(loop.lower, last.plus(Linear((), 1)), "max")
    first = _text(lower, "max", macros)
    return replace(loop, first=first, start=None, n_iterations=None, lower=lower)


def _with(ends: tuple[Linear, ...], end: Linear, kind: _Kind) -> tuple[Linear, ...]:
    """Another end; of those that differ by a number only the one that counts."""
    kept = []
    for other in ends:
        gap = other.plus(end, -1)
        if not gap.is_constant:
            kept.append(other)
        elif (gap.constant < 0) == (kind == "min"):
            end = other
    return (*kept, end)


def _text(ends: Sequence[Linear], kind: _Kind, macros: Macros) -> Text:
    return reduce(lambda a, b: macros.call(kind, a, b), (e.to_text() for e in ends))


def _mentions(end: Linear, name: str) -> bool:
    return any(name in identifiers(atom.text) for atom, _ in end.terms)


def _is_as_recorded(loop: Loop, macros: Macros) -> bool:
    """Whether the loop still has the ends that it was made with."""
    if loop.condition is None or not loop.lower or not loop.upper:
        return False
    word, last = loop.bound
    past = Linear((), int(word == "<"))
    upper = _text([e.plus(past) for e in loop.upper], "min", macros)
    first = _text(loop.lower, "max", macros)
    return _same(first, loop.first) and _same(upper, last)


def _same(one: Text, other: Text) -> bool:
    return one.text.replace(" ", "") == other.text.replace(" ", "")
