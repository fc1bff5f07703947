"""What a schedule is like, as numbers a person understands.

The metrics are those of the lexicon of objectives and of nano-kernel databases (Chelini
et al., "Automatic generation of multi-objective polyhedral compiler transformations",
PACT 2020).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from math import log10, prod

import islpy as isl

from polysched.analysis.dependences import Dependences
from polysched.analysis.footprint import LARGE_EXTENT, box_footprint, member_extent
from polysched.analysis.strides import (
    Member,
    Reference,
    Vector,
    member_directions,
    references,
    statement_members,
)
from polysched.ir import ScheduleTree, Scop
from polysched.machine import Machine
from polysched.sets import node_kind

FEATURES: dict[str, str] = {
    "depth": "largest number of loops around a statement, tile loops included",
    "n_loop_nests": "loop nests side by side at the outermost level",
    "n_innermost": "innermost loop bodies",
    "n_outer_parallel": "statements whose outermost loop is parallel",
    "outer_parallel": "share of the statements whose outermost loop is parallel",
    "n_parallel_loops": "loops that carry no dependence, each band counted once",
    "barriers_log10": "decimal logarithm of how often parallel loops start, at most",
    "n_vectorizable": "statements with a parallel innermost loop of stride 0 or 1",
    "n_stride0_reads": "reads that stay in place along the innermost loop",
    "n_stride1_reads": "reads that move to a neighbour along the innermost loop",
    "n_strideN_reads": "reads that move farther along the innermost loop",
    "n_stride0_writes": "writes that stay in place along the innermost loop",
    "n_stride1_writes": "writes that move to a neighbour along the innermost loop",
    "n_strideN_writes": "writes that move farther along the innermost loop",
    "stride_score": "1, plus 5 for each reference of a large stride, per statement",
    "fusion_score": "1 when neighbours share all loops, doubling per loop not shared",
    "max_band_depth": "members of the deepest permutable band: what could be tiled",
    "max_skew": "sum of the coefficients by which rows combine several iterators",
    "n_shift": "sum of the constants by which statements are shifted",
    "is_tiled": "1 when there are tile loops",
    "is_wavefront": "1 when tiles run in wavefronts",
    "is_jammed": "1 when loops are unrolled and jammed",
    "tile_bytes": "bytes that one tile of the largest innermost tile band touches",
    "tile_fill": "share of the second cache that the tile takes; 0 without a machine",
    "tile_intensity": "statement instances per byte that such a tile touches",
    "code_size": "statement copies in the code, remainders not counted",
}


@dataclass(frozen=True, eq=False)
class _Nest:
    """One statement with all loops that move it."""

    name: str
    members: tuple[Member, ...]
    directions: list[Vector | None]
    references: tuple[Reference, ...]

    @property
    def moving(self) -> list[int]:
        return [k for k, m in enumerate(self.members) if not m.is_constant]

    @property
    def innermost(self) -> Vector | None:
        """Direction of the innermost rolled point loop."""
        rolled = [k for k, m in enumerate(self.members) if not m.unrolled]
        order = [*reversed(rolled), *reversed(range(len(self.members)))]
        found = (self.directions[k] for k in order)
        return next((d for d in found if d is not None), None)


def schedule_features(
    tree: ScheduleTree,
    scop: Scop,
    deps: Dependences | None = None,
    machine: Machine | None = None,
) -> dict[str, float]:
    """Features of one schedule, each described in `FEATURES`.

    Parameters
    ----------
    tree : ScheduleTree
        With band flags set (`set_band_flags`); tiled or not.
    scop : Scop
        What it schedules; trip counts that parameters decide are assumed to be 1000.
    deps : Dependences, optional
        Accepted for features to come; nothing counted now needs them.
    machine : Machine, optional
        Its second cache is what tiles are compared with.
    """
    nests = _nests(tree, scop)
    features = dict.fromkeys(FEATURES, 0.0)
    features |= _shape(tree, nests)
    features |= _parallelism(nests, scop)
    features |= _strides(nests)
    features |= _rows(nests)
    features |= _tiles(tree, nests, scop)
    if machine is not None:
        features["tile_fill"] = features["tile_bytes"] / machine.cpu.l2_bytes
    return {name: float(features[name]) for name in FEATURES}


def _nests(tree: ScheduleTree, scop: Scop) -> list[_Nest]:
    by_name = references(scop)
    return [
        _Nest(name, members, member_directions(members), by_name[name])
        for name, members in statement_members(tree).items()
    ]


def _shape(tree: ScheduleTree, nests: list[_Nest]) -> dict[str, float]:
    outermost = {n.members[n.moving[0]].path for n in nests if n.moving}
    innermost = {n.members[n.moving[-1]].path for n in nests if n.moving}
    permutable = [n.band_n_member() for _, n in tree.bands() if n.band_get_permutable()]
    scores = [_fusion_score(a, b) for a, b in pairwise(nests)]
    return {
        "depth": max((len(n.moving) for n in nests), default=0),
        "n_loop_nests": len(outermost),
        "n_innermost": len(innermost),
        "max_band_depth": max(permutable, default=0),
        "fusion_score": sum(scores) / len(scores) if scores else 1,
    }


def _fusion_score(a: _Nest, b: _Nest) -> float:
    """Two to the number of loops that two statements could share and do not."""
    mine = {(a.members[k].path, a.members[k].position) for k in a.moving}
    theirs = {(b.members[k].path, b.members[k].position) for k in b.moving}
    common = min(len(a.moving), len(b.moving))
    return float(2 ** max(0, common - len(mine & theirs)))


def _parallelism(nests: list[_Nest], scop: Scop) -> dict[str, float]:
    n_outer, n_vector, barriers = 0, 0, 0.0
    parallel: set[tuple[int, ...]] = set()
    for nest in nests:
        found = _shared_member(nest)
        moving = nest.moving
        if found is not None:
            before = [k for k in moving if k < found]
            n_outer += not before
            barriers = max(barriers, prod(_extent(scop, nest, k) for k in before))
        parallel |= {nest.members[k].path for k in moving if _is_parallel(nest, k)}
        n_vector += _is_vectorizable(nest)
    return {
        "n_outer_parallel": n_outer,
        "outer_parallel": n_outer / len(nests) if nests else 0,
        "n_parallel_loops": len(parallel),
        "barriers_log10": log10(max(1.0, barriers)),
        "n_vectorizable": n_vector,
    }


def _is_parallel(nest: _Nest, k: int) -> bool:
    member = nest.members[k]
    return member.coincident or member.is_parallel or member.is_vector


def _shared_member(nest: _Nest) -> int | None:
    """The member that threads share, or could: the marked one, else the first."""
    marked = [k for k in nest.moving if nest.members[k].is_parallel]
    if marked:
        return marked[0]
    free = [k for k in nest.moving if _is_parallel(nest, k)]
    if not free:
        return None
    path = nest.members[free[0]].path
    return next(k for k in nest.moving if nest.members[k].path == path)


def _is_vectorizable(nest: _Nest) -> bool:
    rolled = [k for k in nest.moving if not nest.members[k].unrolled]
    direction = nest.innermost
    if not rolled or direction is None or not _is_parallel(nest, rolled[-1]):
        return False
    return all(r.stride_class(direction) != "N" for r in nest.references)


def _extent(scop: Scop, nest: _Nest, k: int) -> int:
    extent = member_extent(scop, nest.name, nest.members[k])
    return LARGE_EXTENT if extent is None or nest.members[k].kind == "wave" else extent


def _strides(nests: list[_Nest]) -> dict[str, float]:
    counts = {f"n_stride{c}_{kind}s": 0.0 for c in "01N" for kind in ("read", "write")}
    n_far = 0
    for nest in nests:
        direction = nest.innermost
        for r in nest.references:
            found = "0" if direction is None else r.stride_class(direction)
            counts[f"n_stride{found}_{'write' if r.is_write else 'read'}s"] += 1
            n_far += found == "N"
    return counts | {"stride_score": 1 + 5 * n_far / max(1, len(nests))}


def _rows(nests: list[_Nest]) -> dict[str, float]:
    skew = shift = 0
    for nest in nests:
        for member in nest.members:
            if member.kind == "point" and any(member.coefficients):
                weights = [abs(c) for c in member.coefficients]
                skew += sum(weights) - max(weights)
                shift += abs(member.constant)
    return {"max_skew": skew, "n_shift": shift}


def _tiles(tree: ScheduleTree, nests: list[_Nest], scop: Scop) -> dict[str, float]:
    marks = set(_mark_names(tree.root))
    is_tiled = "tile" in marks
    copies = sum(_n_copies(n) for n in nests)
    best_bytes, intensity = 0, 0.0
    for nest in nests:
        extents = _tile_extents(nest, scop) if is_tiled else {}
        if extents:
            n_bytes = box_footprint(scop, nest.references, nest.directions, extents)
            if n_bytes > best_bytes:
                best_bytes = n_bytes
                intensity = prod(extents.values()) / n_bytes
    return {
        "is_tiled": is_tiled,
        "is_wavefront": "wavefront" in marks,
        "is_jammed": any(m.unrolled for n in nests for m in n.members),
        "tile_bytes": best_bytes,
        "tile_intensity": intensity,
        "code_size": copies,
    }


def _mark_names(node: isl.ScheduleNode) -> Iterator[str]:
    if node_kind(node) == "mark":
        yield str(node.mark_get_id().get_name()).split(":", maxsplit=1)[0]
    for k in range(node.n_children()):
        yield from _mark_names(node.child(k))


def _n_copies(nest: _Nest) -> int:
    """Copies of a statement that unrolling makes."""
    copies = 1
    for member in nest.members:
        if member.unrolled:
            copies *= min(_tile_sizes(nest, member), default=1)
    return copies


def _tile_sizes(nest: _Nest, point: Member) -> list[int]:
    """Sizes of all tiles of one point member."""
    tiles = [(m.coefficients, m.size) for m in nest.members if m.kind == "tile"]
    tiles += [pair for m in nest.members for pair in m.summed]
    return [size for row, size in tiles if row == point.coefficients]


def _tile_extents(nest: _Nest, scop: Scop) -> dict[int, int]:
    """Trip counts of the point loops inside the largest tile."""
    extents = {}
    for k, member in enumerate(nest.members):
        if nest.directions[k] is not None:
            whole = _extent(scop, nest, k)
            sizes = _tile_sizes(nest, member)
            extents[k] = min(max(sizes, default=whole), whole)
    return extents
