"""Where a thread of a device may take neighbouring elements as a vector."""

from __future__ import annotations

from polysched.ir import Array, Const, NodePath, Scop
from polysched.transform.band_view import StatementView, view_band
from polysched.transform.draft import Draft, has_band_below

VECTOR_BYTES = 16  # the longest load of a thread
MAX_RUN = 4


def find_run(draft: Draft, scop: Scop, path: NodePath, member: int, limit: int) -> int:
    """Neighbours along a loop of a band whose results are one vector.

    Parameters
    ----------
    draft : Draft
        Where the band is.
    scop : Scop
        Its arrays' layout decides.
    path : tuple of int
        Of the band.
    member : int
        The loop's position in the band.
    limit : int
        The most; 1 asks for none.

    Returns
    -------
    int
        1 where loops stand inside, or what is written does not lie side by side along
        the loop, or where rows do not begin at multiples of a vector.
    """
    node = draft.node(path)
    is_last = member == node.band_n_member() - 1
    if limit == 1 or not is_last or has_band_below(node):
        return 1
    runs = [_run_of(s, member, scop) for s in view_band(draft, scop, path).statements]
    return min(limit, *runs) if runs else 1


def _run_of(view: StatementView, member: int, scop: Scop) -> int:
    """The same for one statement."""
    along = view.direction(member)
    written = [r for r in view.references if r.is_write]
    if along is None or not written:
        return 1
    if any(r.stride_class(along) != "1" for r in written):
        return 1
    arrays = [scop.array(r.array) for r in written]
    run = min(min(MAX_RUN, VECTOR_BYTES // a.type.n_bytes) for a in arrays)
    return run if all(_begins_at_multiples(a, run) for a in arrays) else 1


def _begins_at_multiples(array: Array, run: int) -> bool:
    """Whether rows may begin at multiples of a vector: they do where nobody knows."""
    row = array.pitches[-1:] or array.extents[1:][-1:]
    return all(not isinstance(n, Const) or int(n.value) % run == 0 for n in row)
