"""How blocks and threads share loops over updates at places that data decide.

A histogram has no loop that keeps its order: any two keys may be equal. Updates that
come in any order are made in one go, each thread taking every n-th key of a block. As
many threads as there are keys would meet at few elements, so that blocks have copies of
what fits into shared memory, which they empty into device memory at their end: a block
then has several keys for each element.
"""

from __future__ import annotations

from math import prod

import islpy as isl

from polysched.analysis import (
    LARGE_EXTENT,
    Dependences,
    count_elements,
    find_atomic_updates,
    leave_to_atomics,
    loop_is_parallel,
)
from polysched.ir import NodePath, Scop
from polysched.sets import list_sets
from polysched.transform.band_view import view_band
from polysched.transform.device_sums import SumShape
from polysched.transform.draft import Draft
from polysched.transform.launch_atomic import LaunchAtomic, can_update, join_below

COPY_BYTES = 32 * 1024  # of a block: three stand on an SM of the smallest device
TERMS = 8  # of a thread, at least
LEAST_ROW = 32  # terms: a warp takes them side by side


def launch_atomics(
    draft: Draft, scop: Scop, shape: SumShape, path: NodePath
) -> Draft | None:
    """Share the loops of a band, and of bands directly below, or None.

    Parameters
    ----------
    draft : Draft
        With a band at the path, no loop of which is parallel.
    scop : Scop
        Its arrays decide what blocks have copies of.
    shape : SumShape
        Threads of a block along a loop, and how many blocks fill a processor.
    path : tuple of int
        Of the band.
    """
    node = draft.node(path)
    arrays = _find_updated(scop, draft.deps, node)
    if not arrays:
        return None
    free = leave_to_atomics(node, arrays, draft.deps).validity
    joined = join_below(node, node.band_n_member() + 1)
    parallel = [
        loop_is_parallel(joined, k, free) for k in range(joined.band_n_member())
    ]
    if True not in parallel:
        return None
    first = parallel.index(True)
    extents = _extents(draft, scop, path, len(parallel))
    has_rows = (
        parallel[first + 1 : first + 2] == [True]
        and (extents[first + 1] or LEAST_ROW) >= LEAST_ROW
    )
    copied = _choose_copied(scop, _with_identity(draft.deps, node, arrays))
    n_elements = max((count_elements(scop, a) or 0 for a in copied), default=0)
    shared = extents[first : first + 1 + has_rows]
    tile, threads = _share(shared, shape, n_elements)
    return draft.attempt(LaunchAtomic(path, tile, threads, arrays, copied, first))


def _find_updated(
    scop: Scop, deps: Dependences, node: isl.ScheduleNode
) -> tuple[str, ...]:
    """Arrays that statements below a node update at places that data decide."""
    here = {s.get_tuple_name() for s in list_sets(node.get_domain())}
    names = dict.fromkeys(
        r.array for r in deps.reductions if r.statement in here and r.is_scattered
    )
    return tuple(a for a in names if can_update(scop, deps, a, here))


def _with_identity(
    deps: Dependences, node: isl.ScheduleNode, arrays: tuple[str, ...]
) -> tuple[str, ...]:
    """Those whose copies can begin with a number: sums, and no extrema."""
    here = {s.get_tuple_name() for s in list_sets(node.get_domain())}
    found = find_atomic_updates(deps.reductions, arrays, here).values()
    return tuple(
        a for a in arrays if any(r.has_identity for r in found if r.array == a)
    )


def _extents(
    draft: Draft, scop: Scop, path: NodePath, n_members: int
) -> list[int | None]:
    """Trip counts of a band's members, and of those of the bands directly below."""
    found: list[int | None] = []
    while len(found) < n_members:
        band = view_band(draft, scop, path)
        found += [band.extent(k) for k in range(band.n_members)]
        path = (*path, 0)
    return found


def _choose_copied(scop: Scop, arrays: tuple[str, ...]) -> tuple[str, ...]:
    """The sums among some arrays that fit into shared memory, the smallest first."""
    sizes = {a: count_elements(scop, a) for a in arrays}
    found: list[str] = []
    left = COPY_BYTES
    for name in sorted(arrays, key=lambda a: sizes[a] or LARGE_EXTENT):
        n_bytes = (sizes[name] or left) * scop.array(name).type.n_bytes
        if sizes[name] and n_bytes <= left:
            found.append(name)
            left -= n_bytes
    return tuple(a for a in arrays if a in found)


def _share(
    extents: list[int | None], shape: SumShape, n_elements: int
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Tile and threads: a block has terms for each element of its copies."""
    n_terms = prod(LARGE_EXTENT if e is None else e for e in extents)
    most = max(n_elements, TERMS * shape.along)
    wanted = max(most, -(-int(n_terms) // shape.n_blocks))
    *rows, last = extents
    if not rows:
        return (shape.along * -(-wanted // shape.along),), (shape.along,)
    threads = shape.along
    while threads > LEAST_ROW and last is not None and threads >= 2 * last:
        threads //= 2
    n_rows = -(-wanted // int(last or LARGE_EXTENT))
    return (n_rows, 0), (1, threads)  # whole rows, so that their order is kept
