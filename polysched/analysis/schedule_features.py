"""What a schedule is like, as numbers a person understands.

The metrics are those of the lexicon of objectives and of nano-kernel databases (Chelini
et al., "Automatic generation of multi-objective polyhedral compiler transformations",
PACT 2020).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from math import log10, prod

import islpy as isl

from polysched.analysis.dependences import Dependences
from polysched.analysis.feature_table import FEATURES
from polysched.analysis.footprint import box_footprint
from polysched.analysis.loop_code import loop_keys, n_copies
from polysched.analysis.program_features import operation_count
from polysched.analysis.schedule_profile import (
    ScheduleProfile,
    profile_schedule,
    rank_deficit,
)
from polysched.analysis.statement_nest import KnownStatementNests, StatementNest
from polysched.ir import ScheduleTree, Scop
from polysched.machine import Machine
from polysched.sets import node_kind


def schedule_features(
    tree: ScheduleTree,
    scop: Scop,
    deps: Dependences | None = None,
    machine: Machine | None = None,
    known: KnownStatementNests | None = None,
) -> dict[str, float]:
    """Features of one schedule, each described in `FEATURES`.

    Parameters
    ----------
    tree : ScheduleTree
        With band flags set (`set_band_flags`), or with dependences; tiled or not.
    scop : Scop
        What it schedules; trip counts that parameters decide are assumed to be 1000.
    deps : Dependences, optional
        Without them, what describes dependences is 0: ``n_kept``, ``n_local_flows``,
        ``n_growing``, ``max_distance``.
    machine : Machine, optional
        Its second cache is what tiles are compared with.
    known : dict, optional
        Nests of other trees of the SCoP, see `statement_nests`.
    """
    profile = profile_schedule(tree, scop, deps, known)
    nests = profile.nests
    marks = set(_mark_names(tree.root))
    features = dict.fromkeys(FEATURES, 0.0)
    features |= _shape(profile)
    features |= _parallelism(profile, scop)
    features |= _strides(profile)
    features |= _reuse(profile)
    features |= _rows(profile)
    features |= _tiles(nests, scop, is_tiled="tile" in marks)
    features |= _code(profile)
    features["is_wavefront"] = "wavefront" in marks
    features["starts_at_once"] = any(
        m.level_row is not None for nest in nests for m in nest.members
    )
    if machine is not None:
        features["tile_fill"] = features["tile_bytes"] / machine.cpu.l2_bytes
    return {name: float(features[name]) for name in FEATURES}


def _shape(profile: ScheduleProfile) -> dict[str, float]:
    nests = profile.nests
    bands = [b for b in profile.bands if b.permutable]
    depths = [len(b.coincident) for b in bands]
    deepest = [
        max((len(b.coincident) for b in bands if n.name in b.statements), default=0)
        for n in nests
        if n.moving
    ]
    scores = [_fusion_score(a, b) for a, b in pairwise(nests)]
    outermost = {n.members[n.moving[0]].path for n in nests if n.moving}
    levels = (*profile.loops_per_level, 0, 0, 0)
    sizes = [len(b.statements) for b in profile.bodies]
    return {
        "depth": max((len(n.moving) for n in nests), default=0),
        "n_loop_nests": len(outermost),
        "n_loops_level2": levels[1],
        "n_loops_level3": levels[2],
        "n_innermost": len(profile.bodies),
        "statements_per_body": sum(sizes) / len(sizes) if sizes else 0,
        "max_band_depth": max(depths, default=0),
        "min_band_depth": min(deepest, default=0),
        "n_permutable_bands": sum(depth > 1 for depth in depths),
        "n_coincident": sum(sum(b.coincident) for b in profile.bands),
        "fusion_score": sum(scores) / len(scores) if scores else 1,
    }


def _fusion_score(a: StatementNest, b: StatementNest) -> float:
    """Two to the number of loops that two statements could share and do not."""
    mine = {(a.members[k].path, a.members[k].position) for k in a.moving}
    theirs = {(b.members[k].path, b.members[k].position) for k in b.moving}
    common = min(len(a.moving), len(b.moving))
    return float(2 ** max(0, common - len(mine & theirs)))


def _parallelism(profile: ScheduleProfile, scop: Scop) -> dict[str, float]:
    nests = profile.nests
    n_outer, n_vector, barriers = 0, 0, 0.0
    parallel: set[tuple[int, ...]] = set()
    levels = []
    for nest in nests:
        found = _shared_member(nest)
        moving = nest.moving
        if found is not None:
            before = [k for k in moving if k < found]
            n_outer += not before
            barriers = max(barriers, prod(nest.extent(scop, k) for k in before))
        parallel |= {nest.members[k].path for k in moving if nest.is_parallel(k)}
        n_vector += _is_vectorizable(nest)
        if moving:
            levels.append(profile.parallel_levels[nest.name] or len(moving) + 1)
    return {
        "n_outer_parallel": n_outer,
        "outer_parallel": n_outer / len(nests) if nests else 0,
        "parallel_level": sum(levels) / len(levels) if levels else 0,
        "n_parallel_loops": len(parallel),
        "barriers_log10": log10(max(1.0, barriers)),
        "n_vectorizable": n_vector,
    }


def _shared_member(nest: StatementNest) -> int | None:
    """The member that threads share, or could: the marked one, else the first."""
    marked = [k for k in nest.moving if nest.members[k].is_parallel]
    if marked:
        return marked[0]
    free = [k for k in nest.moving if nest.is_parallel(k)]
    if not free:
        return None
    path = nest.members[free[0]].path
    return next(k for k in nest.moving if nest.members[k].path == path)


def _is_vectorizable(nest: StatementNest) -> bool:
    rolled = [k for k in nest.moving if not nest.members[k].unrolled]
    if not rolled or nest.innermost is None or not nest.is_parallel(rolled[-1]):
        return False
    return all(found != "N" for _, found in nest.inner_strides)


def _strides(profile: ScheduleProfile) -> dict[str, float]:
    counts = {f"n_stride{c}_{kind}s": 0.0 for c in "01N" for kind in ("read", "write")}
    for nest in profile.nests:
        for r, found in nest.inner_strides:
            counts[f"n_stride{found}_{'write' if r.is_write else 'read'}s"] += 1
    n_far = counts["n_strideN_reads"] + counts["n_strideN_writes"]
    far = [
        sum(n for (found, _), n in b.strides.items() if found == "N")
        for b in profile.bodies
    ]
    return counts | {
        "stride_score": 1 + 5 * n_far / max(1, len(profile.nests)),
        "max_far_references": max(far, default=0),
    }


def _reuse(profile: ScheduleProfile) -> dict[str, float]:
    distances = [r for rows in profile.distances for r in rows]
    growing = {(r.path, r.position) for r in distances if r.greatest is None}
    reached = [r.greatest for r in distances if r.greatest is not None]
    return {
        "n_temporal": sum(level.temporal for level in profile.reuse),
        "n_spatial": sum(level.spatial for level in profile.reuse),
        "n_group": sum(level.group for level in profile.reuse),
        "n_kept": profile.n_kept,
        "n_local_flows": profile.n_local_flows,
        "n_growing": len(growing),
        "max_distance": max([0, *reached]),
    }


def _rows(profile: ScheduleProfile) -> dict[str, float]:
    skew = shift = 0
    for nest in profile.nests:
        for member in nest.members:
            if member.kind == "point" and any(member.coefficients):
                weights = [abs(c) for c in member.coefficients]
                skew += sum(weights) - max(weights)
                shift += abs(member.constant)
    return {
        "max_skew": skew,
        "n_shift": shift,
        "n_not_unimodular": len(profile.not_unimodular),
        "rank_deficit": sum(rank_deficit(n) for n in profile.nests),
    }


def _tiles(
    nests: Sequence[StatementNest], scop: Scop, *, is_tiled: bool
) -> dict[str, float]:
    best_bytes, intensity = 0, 0.0
    operations = n_bytes_of_all = 0.0
    for nest in nests:
        extents = _tile_extents(nest, scop)
        n_bytes = box_footprint(scop, nest.references, nest.directions, extents)
        if not extents or not n_bytes:
            continue
        instances = prod(extents.values())
        body = scop.statement(nest.name).body
        work = sum(operation_count(action) for action in body) if body else 1
        operations += work * instances
        n_bytes_of_all += n_bytes
        if is_tiled and n_bytes > best_bytes:
            best_bytes, intensity = n_bytes, instances / n_bytes
    return {
        "is_tiled": is_tiled,
        "n_tile_levels": max((_n_tile_levels(n) for n in nests), default=0),
        "tile_bytes": best_bytes,
        "tile_intensity": intensity,
        "operations_per_byte": operations / n_bytes_of_all if n_bytes_of_all else 0,
    }


def _n_tile_levels(nest: StatementNest) -> int:
    """Bands that tile a statement, one inside the other."""
    return len({m.path for m in nest.members if m.kind in ("tile", "wave")})


def _tile_extents(nest: StatementNest, scop: Scop) -> dict[int, int]:
    """Trip counts of the point loops inside the largest tile."""
    extents = {}
    for k in nest.points:
        whole = nest.extent(scop, k)
        sizes = nest.tile_sizes(nest.members[k])
        extents[k] = min(max(sizes, default=whole), whole)
    return extents


def _code(profile: ScheduleProfile) -> dict[str, float]:
    nests = profile.nests
    loops = loop_keys(nests)
    copies = sum(n_copies(n) for n in nests)
    n_guards = len({*profile.guarded, *profile.not_unimodular})
    pragmas = sum(m.is_parallel for m in loops.values())
    pragmas += len({m.path for m in loops.values() if m.is_vector})
    return {
        "n_loops": len(loops),
        "is_jammed": any(m.unrolled for n in nests for m in n.members),
        "code_size": copies,
        "n_guards": n_guards,
        "n_lines": len(loops) + pragmas + n_guards + copies,
    }


def _mark_names(node: isl.ScheduleNode) -> Iterator[str]:
    if node_kind(node) == "mark":
        yield str(node.mark_get_id().get_name()).split(":", maxsplit=1)[0]
    for k in range(node.n_children()):
        yield from _mark_names(node.child(k))
