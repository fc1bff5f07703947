"""Which loops run a few iterations in one, for a planned script.

What a loop does may depend on a remainder of its iterator: colours of half the size are
read at ``x / 2``, pixels of a mosaic differ by ``x % 2``, a transposed convolution
reads ``(x - i) / 2`` where that is an integer. No compiler has vector lanes for these.
With all iterations of a period in one, subscripts move by whole elements, and
conditions are decided.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import gcd, lcm

import islpy as isl

from polysched.analysis import loop_is_parallel
from polysched.frontend import find_cases
from polysched.ir import NodePath, Scop, Statement
from polysched.machine import Cpu
from polysched.sets import component_functions, list_basic_sets, node_kind
from polysched.transform.band_view import BandView, StatementView, view_band
from polysched.transform.draft import Draft, has_band_below
from polysched.transform.interleave import Interleave
from polysched.transform.unroll import MAX_UNROLLED, Unroll, count_copies
from polysched.transform.whole import vector_step
from polysched.transform.windows import (
    MAX_SHORT,
    MAX_STRIDE,
    bands_below,
    steps_far,
)

MAX_PERIOD = 4  # elements from one lane to the next that shuffles bring together


def interleave_periods(draft: Draft, scop: Scop, cpu: Cpu) -> Draft:
    """Innermost parallel loops with all iterations of a period in one, in lanes.

    Short loops inside are unrolled. Loops around in the same band, too, run a period
    in one where conditions depend on their remainders.
    """
    for path in _find_last(draft, ()):
        draft = _interleave(draft, scop, path, cpu) or draft
    return draft


def _find_last(draft: Draft, path: NodePath) -> list[NodePath]:
    """Paths of bands without others below, but for short loops; later ones first."""
    node = draft.node(path)
    if node_kind(node) == "band":
        if not has_band_below(node):
            return [path]
        copies = count_copies(node.child(0), MAX_SHORT)
        if copies is not None and copies <= MAX_UNROLLED:
            return [path]
    return [
        found
        for k in reversed(range(node.n_children()))
        for found in _find_last(draft, (*path, k))
    ]


def _interleave(draft: Draft, scop: Scop, path: NodePath, cpu: Cpu) -> Draft | None:
    band = view_band(draft, scop, path)
    last = band.n_members - 1
    if band.is_thin or not loop_is_parallel(
        draft.node(path), last, draft.deps.validity
    ):
        return None
    periods = [find_period(band, k, with_subscripts=k == last) for k in range(last + 1)]
    if not 1 < periods[last] <= MAX_PERIOD:
        return None
    behind = 0  # members that are split off
    for k, period in enumerate(periods):
        if k < last and not 1 < period <= MAX_PERIOD:
            continue
        step = Interleave(path, k - behind, period)
        if step.find_misfit(draft.tree) is not None:
            if k == last:
                return None
            continue
        draft = draft.do(step)
        if k > behind:
            path = (*path, 0)
        inner = (*path, 0)
        loop, path, behind = path, (*inner, 0), k + 1
    return _fill(draft, scop, loop, inner, cpu)


def _fill(
    draft: Draft, scop: Scop, loop: NodePath, inner: NodePath, cpu: Cpu
) -> Draft | None:
    """Lanes for a loop over periods along rows; loops inside of its copies unrolled."""
    copies = count_copies(draft.node(inner))
    if copies is None or copies > MAX_UNROLLED:
        return None
    for below in bands_below(draft, inner):
        draft = draft.attempt(Unroll(below)) or draft
    band = view_band(draft, scop, loop)
    if steps_far(band, 0, MAX_STRIDE * MAX_PERIOD):
        return draft
    return draft.attempt(vector_step(band, 0, cpu)) or draft


def find_period(band: BandView, member: int, *, with_subscripts: bool) -> int:
    """After how many iterations of a member its statements do the same again.

    1 where they do so every time, or where a member is no iterator.

    Parameters
    ----------
    band : BandView
        What to look at.
    member : int
        Position in the band.
    with_subscripts : bool
        Whether quotients in subscripts count, beside conditions.
    """
    periods = [1]
    for s in band.statements:
        own = _own_iterator(s, member)
        if own is not None:
            statement = band.scop.statement(s.name)
            floors = _floors(statement, with_subscripts=with_subscripts)
            periods.extend(_period(aff, own) for aff in floors)
    return lcm(*periods)


def _own_iterator(s: StatementView, member: int) -> int | None:
    """The one iterator that a member of a band steps through."""
    loop = s.members[s.positions[member]]
    moved = [k for k, c in enumerate(loop.coefficients) if c]
    is_plain = loop.kind == "point" and loop.size == 1 and len(moved) == 1
    if not is_plain or abs(loop.coefficients[moved[0]]) != 1:
        return None
    return moved[0]


def _floors(statement: Statement, *, with_subscripts: bool) -> Iterator[isl.Aff]:
    """What is rounded in conditions on a statement's iterators, and in subscripts."""
    sets = [statement.domain]
    for case in find_cases(statement):
        sets += case.parts()
    for one in sets:
        for part in list_basic_sets(one):
            space = part.get_local_space()
            for k in range(space.dim(isl.dim_type.div)):
                yield space.get_div(k)
    if with_subscripts:
        for access in statement.accesses:
            for aff in component_functions(access.relation) or ():
                for k in range(aff.dim(isl.dim_type.div)):
                    yield aff.get_div(k)


def _period(floored: isl.Aff, iterator: int) -> int:
    """The period of the remainder of what is rounded, along an iterator."""
    divisor = int(floored.get_denominator_val().to_python())
    kind = isl.dim_type.in_
    factor = floored.get_coefficient_val(kind, iterator).mul(isl.Val(divisor))
    return divisor // gcd(divisor, int(factor.to_python()))
