"""Dependences cut into convex pieces, each carried by one original loop."""

from __future__ import annotations

from dataclasses import dataclass

import islpy as isl

from polysched.analysis import Dependences
from polysched.base import check_time
from polysched.ir import Scop, Statement
from polysched.sets import (
    ConeRow,
    dependence_cone,
    lift_constants,
    list_basic_maps,
    union_of_maps,
)


@dataclass(frozen=True, eq=False)
class Piece:
    """One convex dependence polyhedron.

    Attributes
    ----------
    source, sink : str
        Statements.
    level : int
        Original loop that carries it, from 0; the number of common loops when it is
        loop-independent.
    flow : bool
        Whether a value flows along it (it then counts for fusion).
    relation : isl.BasicMap
        The polyhedron, large constants lifted to parameters.
    cone : tuple of ConeRow
        Farkas conditions of affine forms that are non-negative on it.
    exact : isl.BasicMap
        The polyhedron with its constants.
    """

    source: str
    sink: str
    level: int
    flow: bool
    relation: isl.BasicMap
    cone: tuple[ConeRow, ...]
    exact: isl.BasicMap


def cut_dependences(scop: Scop, dependences: Dependences) -> tuple[Piece, ...]:
    """All ordering dependences as convex pieces, without pieces inside others.

    A lexicographic union such as "i' > i, or i' = i and j' > j" cannot be strongly
    satisfied by one affine row; its level-wise parts can [1]_.

    References
    ----------
    .. [1] Kong and Pouchet, "Model-driven transformations for multi- and many-core
       CPUs", PLDI 2019.
    """
    raw: list[_Raw] = []
    pairs: dict[tuple[str, str], list[isl.Map]] = {}
    flows: dict[tuple[str, str], isl.Map] = {}
    for d in dependences.items:
        if d.orders:
            pairs.setdefault((d.source, d.sink), []).append(d.relation)
        if d.kind == "flow":
            known = flows.get((d.source, d.sink))
            flows[d.source, d.sink] = (
                d.relation if known is None else known.union(d.relation)
            )
    for (source, sink), relations in sorted(pairs.items()):
        check_time()
        union = relations[0]
        for r in relations[1:]:
            union = union.union(r)
        flow = flows.get((source, sink))
        parts = _level_parts(scop.statement(source), scop.statement(sink), union)
        for level, part in parts:
            for piece in _convex(part):
                carries = flow is not None and not flow.intersect(part).is_empty()
                simple = _simple_parts(
                    piece, scop.statement(source), scop.statement(sink)
                )
                raw.append(_Raw(source, sink, level, carries, piece, simple))
    pieces = _with_cones(raw)
    return tuple(p for k, p in enumerate(pieces) if not _is_covered(k, pieces))


@dataclass(frozen=True, eq=False)
class _Raw:
    """A piece before its constants are lifted, and parts that cover it."""

    source: str
    sink: str
    level: int
    flow: bool
    piece: isl.BasicMap
    parts: tuple[isl.BasicMap, ...]


IN, OUT = isl.dim_type.in_, isl.dim_type.out
MAX_FACETS = 20  # of a polyhedron whose cone is computed as a whole


def _simple_parts(
    piece: isl.BasicMap, source: Statement, sink: Statement
) -> tuple[isl.BasicMap, ...]:
    """Parts that cover a piece and have few facets, or the piece itself.

    The accesses of a stencil make one polyhedron with many facets, whose cone takes
    seconds; an affine form is non-negative on it exactly if it is so for each access.
    """
    if piece.n_constraint() <= MAX_FACETS:
        return (piece,)
    whole = isl.Map.from_basic_map(piece)
    parts: dict[str, isl.BasicMap] = {}
    for first in source.accesses:
        for second in sink.accesses:
            if first.array != second.array or not (first.is_write or second.is_write):
                continue
            same = first.relation.apply_range(second.relation.reverse())
            for part in _convex(whole.intersect(same)):
                parts[str(part)] = part
    if any(p.n_constraint() >= piece.n_constraint() for p in parts.values()):
        return (piece,)
    return tuple(parts.values())


def _with_cones(raw: list[_Raw]) -> list[Piece]:
    """Pieces with large constants lifted, the same ones everywhere."""
    given = [b for r in raw for b in (r.piece, *r.parts)]
    lifted = iter(lift_constants(given))
    known: dict[str, tuple[ConeRow, ...]] = {}

    def cone_of(piece: isl.BasicMap) -> tuple[ConeRow, ...]:
        """Of a polyhedron, whichever statements it is between: many are alike."""
        check_time()
        nameless = piece.set_tuple_name(IN, "S").set_tuple_name(OUT, "T")
        text = str(nameless)
        if text not in known:
            known[text] = dependence_cone(piece)
        return known[text]

    pieces = []
    for r in raw:
        relation = next(lifted)
        cones = [cone_of(next(lifted)) for _ in r.parts]
        rows = tuple(dict.fromkeys(row for cone in cones for row in cone))
        pieces.append(Piece(r.source, r.sink, r.level, r.flow, relation, rows, r.piece))
    return pieces


def _level_parts(
    source: Statement, sink: Statement, relation: isl.Map
) -> list[tuple[int, isl.Map]]:
    common = n_common_loops(source, sink)
    xs = [f"x{k}" for k in range(source.n_loops)]
    ys = [f"y{k}" for k in range(sink.n_loops)]
    parts = []
    for level in range(common + 1):
        conditions = [f"{x} = {y}" for x, y in zip(xs[:level], ys[:level], strict=True)]
        if level < common:
            later = ">" if source.directions[level] > 0 else "<"
            conditions.append(f"{ys[level]} {later} {xs[level]}")
        where = f" : {' and '.join(conditions)}" if conditions else ""
        instances = f"{source.name}[{', '.join(xs)}] -> {sink.name}[{', '.join(ys)}]"
        carried = isl.Map(f"{{ {instances}{where} }}")
        part = relation.intersect(carried).coalesce()
        if not part.is_empty():
            parts.append((level, part))
    return parts


def n_common_loops(a: Statement, b: Statement) -> int:
    """Number of loops that two statements share in the source."""
    shared = 0
    for k in range(min(a.n_loops, b.n_loops)):
        if a.position[k] != b.position[k]:
            break
        shared += 1
    return shared


def _convex(part: isl.Map) -> list[isl.BasicMap]:
    """Basic maps without existential dimensions that cover a relation.

    What even iterators and narrow bounds make equal stays equal without the former.
    """
    found: list[isl.BasicMap] = []
    whole = [
        b.remove_divs().intersect(b.affine_hull().remove_divs())
        if b.dim(isl.dim_type.div)
        else b
        for b in list_basic_maps(part)
    ]
    if not whole:
        return found
    cover = union_of_maps([isl.Map.from_basic_map(b) for b in whole])
    for b in list_basic_maps(isl.Map.from_union_map(cover).coalesce()):
        basic = b.detect_equalities().remove_redundancies()
        if not basic.is_empty():
            found.append(basic)
    return found


def _is_covered(index: int, pieces: list[Piece]) -> bool:
    """Whether a piece lies inside another one (the first of equal ones stays)."""
    mine = pieces[index]
    for k, other in enumerate(pieces):
        if k == index or (mine.source, mine.sink) != (other.source, other.sink):
            continue
        if mine.relation.is_subset(other.relation) and (
            k < index or not other.relation.is_subset(mine.relation)
        ):
            return True
    return False
