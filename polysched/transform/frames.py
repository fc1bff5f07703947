"""Updates in place that read copies, tile by tile of the loop that changes versions.

Where updates read copies of what they change (`analysis.copy_versions`), a tile of that
loop reads rows and columns of its own values only. Once these are known, nothing waits
but for terms of its own element::

    for kt:                                   k = kt .. kt + 63
      for k:  i and j within the tile         small, in order
      parallel for i outside: for k, j        columns of the tile, and copies of them
      parallel for j outside: for k, i        its rows
      for i, j outside, k                     contractions, each like any other

What is left for the end is tiled and held in registers as a product of matrices is.
(Venkataraman, Sahni and Mukhopadhyaya, "A blocked all-pairs shortest-paths algorithm",
2003, has these blocks for paths, whose minima allow them without copies.)
"""

from __future__ import annotations

import islpy as isl

from polysched.ir import NodePath, Scop
from polysched.machine import Cpu
from polysched.sets import list_sets, node_kind
from polysched.transform.band_view import BandView, view_band
from polysched.transform.contraction import (
    choose_register_tile,
    element_bytes,
)
from polysched.transform.draft import Draft
from polysched.transform.frame import Frame
from polysched.transform.mapping import Parallel
from polysched.transform.merge import Merge
from polysched.transform.operand_copies import (
    pack_operand,
)
from polysched.transform.order import Order
from polysched.transform.registers import Registers
from polysched.transform.roles import (
    find_contraction,
)
from polysched.transform.tile import Tile

SIDE = 48  # values of a tile: a longer one leaves more work to its frame
STRIP = 256  # neighbours in rows of a frame that run together
MIN_EXTENT = 4 * SIDE


def frame_updates(draft: Draft, scop: Scop, cpu: Cpu) -> Draft:
    """Tile loops around several statements by frames, where contractions are left."""
    for path in draft.band_paths():
        band = view_band(draft, scop, path)
        if (
            band.n_members == 1
            and not band.coincident[0]
            and band.is_above_others
            and (band.extent(0) or MIN_EXTENT) >= MIN_EXTENT
        ):
            draft = _frame(draft, scop, cpu, path) or draft
    return draft


def _frame(draft: Draft, scop: Scop, cpu: Cpu, path: NodePath) -> Draft | None:
    """Tiles of one loop; None where nothing is left for the end of a tile."""
    updates = _find_updates(draft, scop, path)
    loops = _find_axes(draft, scop, path, updates) if updates else ()
    if not loops:
        return None
    tiled, points = draft.do(Tile(path, (SIDE,))), (*path, 0, 0)
    n_axes = loops[0].count(".")
    strips = (1,) * (n_axes - 1) + (STRIP,)
    framed = tiled.attempt(Frame(points, SIDE, loops, strips))
    if framed is None:
        return None
    ends = find_ends(framed.node(points), updates)
    for k in ends:
        ended = _hold(framed, scop, cpu, (*points, k, 0))
        if ended is None:
            return None
        framed = ended
    return framed if ends else None


def find_ends(tile: isl.ScheduleNode, updates: tuple[str, ...]) -> tuple[int, ...]:
    """Where a tile ends with each of the updates alone; none if it does not.

    Below a diagonal nothing may be outside of the tile along all axes.
    """
    children = [tile.child(k) for k in range(tile.n_children())]
    held = [list_sets(child.filter_get_filter()) for child in children]
    alone = {s[0].get_tuple_name(): k for k, s in enumerate(held) if len(s) == 1}
    if not alone.keys() >= {*updates}:
        return ()
    return tuple(sorted(alone[update] for update in updates))


def _hold(draft: Draft, scop: Scop, cpu: Cpu, path: NodePath) -> Draft | None:
    """A contraction at the end of a tile in registers; None where it is none.

    Its rows begin and end at tiles, and so do register tiles.
    """
    while node_kind(draft.node(path).child(0)) == "band":
        merged = draft.attempt(Merge(path))
        if merged is None:
            return None
        draft = merged
    found = find_contraction(view_band(draft, scop, path))
    if found is None or found.statement.single or found.outside:
        return None
    if len(found.inside) != 1:
        return None
    rows, vectors, lanes = _choose_register_tile(cpu, element_bytes(found))
    width = vectors * lanes
    draft = draft.do(Order(path, (found.row, found.lane, *found.inside)))
    if found.band.is_bounded(found.lane):  # a copy needs a known size
        draft = draft.do(pack_operand(found, path, found.lane, width))
        path = (*path, 0)
    held = draft.attempt(Registers(path, (rows, width, 1), lanes))
    return None if held is None else held.attempt(Parallel(path))


def _choose_register_tile(cpu: Cpu, n_bytes: int) -> tuple[int, int, int]:
    """Rows, vectors per row and lanes of tiles that fill a whole one of a loop."""
    lanes = cpu.vector_elements(n_bytes)
    rows, vectors, _ = choose_register_tile(cpu, n_bytes)
    while vectors > 1 and SIDE % (vectors * lanes):
        vectors -= 1
        rows = rows * (vectors + 1) // vectors
    while SIDE % rows:
        rows -= 1
    return rows, vectors, lanes


def _find_updates(draft: Draft, scop: Scop, path: NodePath) -> tuple[str, ...]:
    """Statements with most loops in the sequence below a band, if they do not wait.

    Empty where one has loops that wait, or reads no copies.
    """
    bands = [
        b
        for b in _branches(draft, scop, path)
        if not _is_flat(scop.statement(b.statements[0].name).domain)
    ]
    most = max((band.n_members for band in bands), default=0)
    main = [b for b in bands if b.n_members == most]
    if most < 2 or not all(all(b.coincident) for b in main):
        return ()
    names = tuple(b.statements[0].name for b in main)
    return names if all(_reads_copies(scop, name) for name in names) else ()


def _reads_copies(scop: Scop, name: str) -> bool:
    """Whether a statement reads arrays of the SCoP's own."""
    arrays = (scop.array(a.array) for a in scop.statement(name).reads)
    return any(a.storage == "scop" and a.n_expanded for a in arrays)


def _is_flat(domain: isl.Set) -> bool:
    """Whether some iterator is a function of the others."""
    return any(c.is_equality() for c in domain.affine_hull().get_constraints())


def _branches(draft: Draft, scop: Scop, path: NodePath) -> list[BandView]:
    """The innermost bands of single statements in the sequence below a band."""
    sequence = draft.node(path).child(0)
    if node_kind(sequence) != "sequence":
        return []
    paths = [(*path, 0, k, 0) for k in range(sequence.n_children())]
    bands = [view_band(draft, scop, p) for p in paths if _is_band(draft, p)]
    return [b for b in bands if len(b.statements) == 1 and not b.is_above_others]


def _is_band(draft: Draft, path: NodePath) -> bool:
    return node_kind(draft.node(path)) == "band"


def _find_axes(
    draft: Draft, scop: Scop, path: NodePath, updates: tuple[str, ...]
) -> tuple[str, ...]:
    """For each statement below a band, which of its iterators are those of updates.

    Empty where dependences do not tell.
    """
    names = [s.get_tuple_name() for s in list_sets(draft.node(path).get_domain())]
    loops = {name: range(1, scop.statement(name).n_loops) for name in names}
    axes = {name: dict(zip(loops[name], loops[name], strict=True)) for name in updates}
    waiting = [name for name in names if name not in axes]
    while waiting:
        told = {name: _follow(draft, name, loops[name], axes) for name in waiting}
        known = {name: found for name, found in told.items() if found is not None}
        if not known:
            return ()
        axes |= known
        waiting = [name for name in waiting if name not in known]
    found = []
    for name in names:
        places = {axis: str(position) for position, axis in axes[name].items()}
        words = (places.get(axis, "-") for axis in loops[updates[0]])
        found.append(".".join((name, *words)))
    return tuple(found)


def _follow(
    draft: Draft, name: str, loops: range, axes: dict[str, dict[int, int]]
) -> dict[int, int] | None:
    """A statement's iterators to those of updates, by what it shares with others.

    None where one is not told. Where they always have one value, any way will do.
    """
    found: dict[int, int] = {}
    for d in draft.deps.items:
        other = d.sink if d.source == name else d.source
        if not d.orders or name not in (d.source, d.sink) or other not in axes:
            continue
        relation = d.relation if d.source == name else d.relation.reverse()
        for position in loops:
            for place, axis in axes[other].items():
                equal = isl.Map.universe(relation.get_space()).equate(
                    isl.dim_type.in_, position, isl.dim_type.out, place
                )
                is_open = position not in found and axis not in found.values()
                if is_open and relation.is_subset(equal):
                    found[position] = axis
    return found if len(found) == len(loops) else None
