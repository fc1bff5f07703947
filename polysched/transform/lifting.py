"""Which loops run their parts side by side, in an order of elements made for it.

A step of a stencil in one dimension reads every vector at several places, of which only
one is a multiple of its length. Where many such steps follow each other on arrays that
stay in the first cache, the arrays are brought in rows of parts before them::

    lift:250
      t
        r = i mod 250 in 0 .. 0:      p       parts meet
        r = i mod 250 in 1 .. 248:    p       registers, two rows together
        r = i mod 250 in 249 .. 249:  p       parts meet
"""

from __future__ import annotations

from dataclasses import dataclass

import islpy as isl

from polysched.ir import NodePath, Scop
from polysched.machine import Cpu
from polysched.sets import list_sets
from polysched.transform.arithmetic import is_arithmetic
from polysched.transform.band_view import BandView, StatementView, view_band
from polysched.transform.bands import member_schedules
from polysched.transform.chaining import LiftedRows, chain_rows
from polysched.transform.draft import Draft, has_band_below
from polysched.transform.lift import Lift
from polysched.transform.registers import Registers
from polysched.transform.split import Split

MIN_STEPS = 32  # runs over the arrays, before and after which they are copied
MIN_ROWS = 16  # for each that is cut off where parts meet
ROWS_TOGETHER = 2  # of a register tile


@dataclass(frozen=True)
class Reach:
    """What a loop of a stencil in one dimension touches.

    Attributes
    ----------
    last : int
        The largest subscript.
    before, behind : int
        How far an iteration reaches from the element of its own number.
    element_bytes : int
        Size of an element, the same for all arrays.
    arrays : frozenset of str
        Their names.
    """

    last: int
    before: int
    behind: int
    element_bytes: int
    arrays: frozenset[str]

    def joined(self, other: Reach) -> Reach | None:
        """What both touch; None where elements are of two sizes."""
        if self.element_bytes != other.element_bytes:
            return None
        return Reach(
            max(self.last, other.last),
            max(self.before, other.before),
            max(self.behind, other.behind),
            self.element_bytes,
            self.arrays | other.arrays,
        )


def lift_loops(draft: Draft, scop: Scop, cpu: Cpu) -> Draft:
    """Lift the loops of outermost bands under which vectors of one array overlap."""
    for path, node in reversed(draft.tree.bands()):
        if not node.get_schedule_depth() and has_band_below(node):
            draft = _lift(draft, scop, cpu, path) or draft
    return draft


def _lift(draft: Draft, scop: Scop, cpu: Cpu, path: NodePath) -> Draft | None:
    steps = view_band(draft, scop, path)
    n_steps = steps.extent(0)
    if any(steps.coincident) or (n_steps is not None and n_steps < MIN_STEPS):
        return None
    inner = [p for p in draft.innermost_paths() if p[: len(path)] == path]
    reach = _find_reach([view_band(draft, scop, p) for p in inner])
    if reach is None or not reach.before + reach.behind:
        return None
    lanes = cpu.simd_bits // (8 * reach.element_bytes)
    if lanes < 2:
        return None
    size = -(-(reach.last + 1) // lanes)
    n_bytes = len(reach.arrays) * size * lanes * reach.element_bytes
    is_long = size >= MIN_ROWS * (reach.before + reach.behind)
    if not is_long or n_bytes > cpu.l1_bytes:
        return None
    ends = (reach.before, size - reach.behind)
    cuts = tuple(str(end) for end in ends if 0 < end < size)
    rows = (int(reach.before > 0), 0)  # of the parts that are cut, those in between
    lifted = draft.attempt(Lift(path, size))
    if lifted is None:
        return None
    whole = min(size, reach.last + 1 - (lanes - 1) * size) - reach.behind
    chained = _chain(lifted, scop, cpu, steps, reach, whole, lanes)
    top = (*path, 0, 1) if chained else path
    done = chained or lifted
    for p in inner:
        band = (*top, 0, *p[len(path) :])
        held = _hold(done, band, cuts, (*band, *rows), lanes)
        if held is None:
            return None
        done = held
    return done


def _chain(
    lifted: Draft,
    scop: Scop,
    cpu: Cpu,
    steps: BandView,
    reach: Reach,
    whole: int,
    lanes: int,
) -> Draft | None:
    """Two loops row by row, but for the last step in time; None where they cannot."""
    last = {_last_value(steps, s) for s in steps.statements}
    if len(last) > 1 or None in last:
        return None
    rows = LiftedRows(reach.before, reach.behind, whole, lanes, last.pop() or 0)
    return chain_rows(lifted, scop, cpu, steps.path, rows)


def _hold(
    draft: Draft, band: NodePath, cuts: tuple[str, ...], rows: NodePath, lanes: int
) -> Draft | None:
    """Whole rows in registers; those of which neighbours are in other lanes cut off."""
    cut = draft.attempt(Split(band, 0, cuts))
    return cut and cut.attempt(Registers(rows, (ROWS_TOGETHER, lanes), lanes))


def _find_reach(bands: list[BandView]) -> Reach | None:
    """What loops touch, None where some is none of a stencil in one dimension."""
    total: Reach | None = None
    for band in bands:
        if band.n_members != 1 or not band.coincident[0]:
            return None
        for s in band.statements:
            for one in _reaches(band, s):
                joined = one if total is None or one is None else total.joined(one)
                if joined is None:
                    return None
                total = joined
    return total


def _reaches(band: BandView, s: StatementView) -> list[Reach | None]:
    """Of every access to memory of one statement."""
    direction, last = s.direction(0), _last_value(band, s)
    if direction is None or last is None:
        return [None]
    if not is_arithmetic(band.scop.statement(s.name)):
        return [None]
    found: list[Reach | None] = []
    for r in s.references:
        array = band.scop.array(r.array)
        if not r.rows and not r.is_write:
            continue
        if r.expanded or r.rows != (direction,) or not array.type.is_float:
            return [None]
        offset = int(r.offsets[0]) - s.members[s.positions[0]].constant
        before, behind = max(0, -offset), max(0, offset)
        names = frozenset({r.array})
        found.append(Reach(last + offset, before, behind, array.type.n_bytes, names))
    return found


def _last_value(band: BandView, s: StatementView) -> int | None:
    """The largest value of the loop, None where it depends on sizes."""
    node = band.tree.node(band.path)
    values = isl.UnionMap.from_union_pw_aff(member_schedules(node)[0])
    domain = node.get_domain()
    own = next(d for d in list_sets(domain) if d.get_tuple_name() == s.name)
    (reached,) = list_sets(isl.UnionSet.from_set(own).apply(values))
    last = reached.dim_max_val(0)
    return int(last.to_python()) if last.is_int() else None
