"""Short loops unrolled in the loop over the points that they are about.

The taps of a filter, the entries of a small matrix: for a planned script.
"""

from __future__ import annotations

from polysched.analysis import loop_is_parallel, step_bytes
from polysched.ir import NodePath, Scop
from polysched.machine import Cpu
from polysched.sets import list_sets, node_kind
from polysched.transform.band_view import BandView, view_band
from polysched.transform.choose import choose_innermost
from polysched.transform.distribute import Distribute, find_order
from polysched.transform.draft import Draft, has_band_below
from polysched.transform.interiors import part_interior
from polysched.transform.merge import Merge
from polysched.transform.order import Order
from polysched.transform.unroll import MAX_UNROLLED, Unroll, count_copies
from polysched.transform.whole import vector_step

MIN_COPIES = 3  # statements inside a point; fewer are what registers hold anyway
MAX_SHORT = 12  # iterations of a loop that is unrolled
MAX_STRIDE = 4  # elements from one lane to the next that shuffles bring together
MAX_TERMS = 27  # vectors that are loaded for one sum: more than that leave registers


def unroll_windows(draft: Draft, scop: Scop, cpu: Cpu) -> Draft:
    """Parallel loops with nothing but a few iterations below: those are unrolled.

    The loop over the points runs in lanes where they are neighbours.
    """
    for path in _find_points(draft, ()):
        draft = _put_in_lanes(draft, scop, path, cpu) or draft
    return draft


def part_interiors(draft: Draft, scop: Scop) -> Draft:
    """Points in lanes whose windows are whole apart from those at the borders."""
    for path in _find_points(draft, ()):
        draft = part_interior(draft, scop, path)
    return draft


def part_windows(draft: Draft, scop: Scop, cpu: Cpu) -> Draft:
    """The same where one statement has the short loops, each in a loop of its own.

    What is handed on lies in rows. Of a large window only the innermost short loop is
    unrolled: the others go around the points, and add to the row::

        for y:                             for y:
          for x:                             for x: s[x] = 0
            s = 0                            for j:
            for j, i:                  ==>     for x: s[x] += a[y + j][x] + ...
              s += a[y + j][x + i]           for x: b[y][x] = f(s[x])
            b[y][x] = f(s)
    """
    for path in _find_points(draft, ()):
        draft = _part(draft, scop, path, cpu) or draft
    return draft


def _part(draft: Draft, scop: Scop, path: NodePath, cpu: Cpu) -> Draft | None:
    draft = _with_points_inside(draft, scop, path)
    band = view_band(draft, scop, path)
    last = band.n_members - 1
    if not loop_is_parallel(draft.node(path), last, draft.deps.validity):
        return None
    below = bands_below(draft, path)
    order = find_order(draft, path, last)
    if len(order) < 2 or len(below) != 1 or _n_statements(draft, below[0]) != 1:
        return None
    parted = draft.attempt(Distribute(path, last, order))
    if parted is None:
        return None
    sequence = (*path, 0) if last else path
    for k in reversed(range(len(order))):
        parted = _fill_row(parted, scop, (*sequence, k, 0), cpu)
    return parted


def _n_statements(draft: Draft, path: NodePath) -> int:
    return len(list_sets(draft.node(path).get_domain()))


def _fill_row(draft: Draft, scop: Scop, path: NodePath, cpu: Cpu) -> Draft:
    """A loop along a row in lanes, short loops in it unrolled or around it."""
    member = 0
    if has_band_below(draft.node(path)):
        copies = count_copies(draft.node(path).child(0))
        if copies is not None and copies > MAX_TERMS:
            around = draft.attempt(Merge(path))
            around = around and around.attempt(Order(path, (1, 0)))
            if around is None:
                return draft
            draft, member = around, 1
        for inner in bands_below(draft, path):
            draft = draft.attempt(Unroll(inner)) or draft
    band = view_band(draft, scop, path)
    return draft.attempt(vector_step(band, member, cpu)) or draft


def _with_points_inside(draft: Draft, scop: Scop, path: NodePath) -> Draft:
    """The loop along which memory is contiguous as the last one of a band."""
    band = view_band(draft, scop, path)
    last = band.n_members - 1
    best = choose_innermost(band) if band.permutable else last
    if best == last:
        return draft
    order = (*(k for k in range(band.n_members) if k != best), best)
    return draft.do(Order(path, order))


def _find_points(draft: Draft, path: NodePath) -> list[NodePath]:
    """Paths of the bands that stand directly around unrolled loops, last ones first."""
    node = draft.node(path)
    if node_kind(node) == "band" and has_band_below(node):
        copies = count_copies(node.child(0), MAX_SHORT)
        if copies is not None and MIN_COPIES <= copies <= MAX_UNROLLED:
            return [path]
    found: list[NodePath] = []
    for k in reversed(range(node.n_children())):
        found += _find_points(draft, (*path, k))
    return found


def _put_in_lanes(draft: Draft, scop: Scop, path: NodePath, cpu: Cpu) -> Draft | None:
    draft = _with_points_inside(draft, scop, path)
    band = view_band(draft, scop, path)
    last = band.n_members - 1
    if not loop_is_parallel(draft.node(path), last, draft.deps.validity):
        return None
    for inner in bands_below(draft, path):
        draft = draft.attempt(Unroll(inner)) or draft
    if _lie_near(band, last):
        draft = draft.attempt(vector_step(band, last, cpu)) or draft
    return draft


def _lie_near(band: BandView, member: int) -> bool:
    """Whether lanes along a member write neighbours, and read few far elements."""
    if band.is_worth_vector(member):
        return True
    written = (
        r.stride_class(direction)
        for s in band.main
        for direction in [s.direction(member)]
        if direction is not None
        for r in s.references
        if r.is_write
    )
    return set(written) <= {"1"} and not steps_far(band, member)


def steps_far(band: BandView, member: int, longest: int = MAX_STRIDE) -> bool:
    """Whether lanes along a member write far elements, or read several.

    What is at most so many elements from one lane to the next is brought together by
    shuffles.
    """
    far = n_all = 0
    for s in band.main:
        direction = s.direction(member)
        if direction is None:
            return True
        for r in s.references:
            step = step_bytes(band.scop, r, direction)
            size = band.scop.array(r.array).type.n_bytes
            *outer, last = r.moves(direction) or (0,)
            is_far = any(outer) or not -longest <= last <= longest
            if step is not None:
                is_far = step > longest * size
            if r.is_write and is_far:
                return True
            far, n_all = far + is_far, n_all + 1
    return far > n_all // 4


def bands_below(draft: Draft, path: NodePath) -> list[NodePath]:
    """Paths of the outermost bands below a node."""
    found: list[NodePath] = []
    node = draft.node(path)
    for k in range(node.n_children()):
        below = (*path, k)
        is_band = node_kind(node.child(k)) == "band"
        found += [below] if is_band else bands_below(draft, below)
    return found
