"""Copies of what loops outside read again and again, made in front of them.

A convolution reads the same weights for every row of an image. Where a copy of all of
them fits the second cache, it is made once, not for every row::

    for y:                              pack w[f][ky][kx][c] in groups of c
      for ky, kx:                       for y:
        pack w[f][ky][kx][c]      ==>     for ky, kx:
        for x, f, c: ...                    for x, f, c: ...
"""

from __future__ import annotations

from dataclasses import replace

from polysched.ir import MAX_COPY_BYTES, NodePath, Scop
from polysched.machine import Cpu
from polysched.transform.band_view import view_band
from polysched.transform.contraction import choose_shape
from polysched.transform.draft import Draft
from polysched.transform.grouping import find_grouping
from polysched.transform.operand_copies import (
    can_copy,
    is_packed_outside,
    pack_group,
)
from polysched.transform.pack import Pack
from polysched.transform.roles import Contraction, find_contraction, n_values

SHARE = 0.4  # of the second cache, for a copy that stays while loops outside go on


def pack_outside(draft: Draft, scop: Scop, cpu: Cpu) -> Draft:
    """Copies in groups in front of loops outside that do not move what is copied."""
    step = _find_copy(draft, scop, cpu)
    while step is not None:
        draft = draft.do(step)
        step = _find_copy(draft, scop, cpu)
    return draft


def _find_copy(draft: Draft, scop: Scop, cpu: Cpu) -> Pack | None:
    """A copy that is not there yet."""
    for path in draft.innermost_paths():
        found = find_contraction(view_band(draft, scop, path))
        grouping = find_grouping(found, cpu) if found else None
        if found is None or grouping is None:
            continue
        _, vectors, lanes = choose_shape(found, cpu, grouping)
        step = pack_group(found, path, grouping, vectors * lanes)
        if is_packed_outside(draft, path, step):
            continue
        place = _find_place(draft, found, step, cpu)
        if place is not None:
            return replace(step, band=place)
    return None


def _find_place(
    draft: Draft, found: Contraction, step: Pack, cpu: Cpu
) -> NodePath | None:
    """The outermost band around the contraction's below which a copy stays as it is.

    None where it would be made as often as below all of them.
    """
    around = [m for m in found.statement.members if len(m.path) < len(found.band.path)]
    for place in dict.fromkeys(m.path for m in around):
        inside = [m for m in around if len(m.path) >= len(place)]
        is_made_once = any(
            not any(m.coefficients[k] for k in step.iterators) for m in inside
        )
        moved = [
            [k for k, c in enumerate(m.coefficients) if c]
            for m in around
            if m not in inside and m.kind == "point"
        ]
        fixed = {each[0] for each in moved if len(each) == 1}
        if (
            is_made_once
            and _fits(found, step, fixed, cpu)
            and can_copy(draft, found, place, step.iterators)
        ):
            return place
    return None


def _fits(found: Contraction, step: Pack, fixed: set[int], cpu: Cpu) -> bool:
    """Whether a copy over all but fixed iterators stays in the second cache."""
    n_bytes = 4 // step.terms
    for k in step.iterators:
        n = 1 if k in fixed else n_values(found.band.scop, found.statement, k)
        if n is None:
            return False
        whole = {step.iterators[-1]: step.panel, step.iterators[-2]: step.terms}
        size = whole.get(k, 1)
        n_bytes *= -(-n // size) * size
    return n_bytes <= min(SHARE * cpu.l2_bytes, MAX_COPY_BYTES)
