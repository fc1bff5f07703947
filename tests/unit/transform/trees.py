"""Trees with one band over a sequence, for the small SCoPs of `tests.unit.scops`."""

from __future__ import annotations

import islpy as isl

from polysched.analysis import Dependences, compute_dependences, set_band_flags
from polysched.ir import ScheduleTree, Scop, original_tree
from tests.unit import scops

GEMM_BAND = (
    "[n] -> [{ S0[i, j] -> [(i)]; S1[i, k, j] -> [(i)] }, "
    "{ S0[i, j] -> [(0)]; S1[i, k, j] -> [(k)] }, "
    "{ S0[i, j] -> [(j)]; S1[i, k, j] -> [(j)] }]"
)
LINE_BAND = (
    "[T, n] -> [{ S0[t, i] -> [(t)]; S1[t, i] -> [(t)] }, "
    "{ S0[t, i] -> [(2t + i)]; S1[t, i] -> [(2t + i + 1)] }]"
)
JACOBI_BAND = (
    "[T, n] -> [{ S0[t, i, j] -> [(t)]; S1[t, i, j] -> [(t)] }, "
    "{ S0[t, i, j] -> [(2t + i)]; S1[t, i, j] -> [(2t + i + 1)] }, "
    "{ S0[t, i, j] -> [(2t + j)]; S1[t, i, j] -> [(2t + j + 1)] }]"
)
HEAT_BAND = (
    "[T, n] -> [{ S0[t, i, j, k] -> [(t)]; S1[t, i, j, k] -> [(t)] }, "
    "{ S0[t, i, j, k] -> [(2t + i)]; S1[t, i, j, k] -> [(2t + i + 1)] }, "
    "{ S0[t, i, j, k] -> [(2t + j)]; S1[t, i, j, k] -> [(2t + j + 1)] }, "
    "{ S0[t, i, j, k] -> [(2t + k)]; S1[t, i, j, k] -> [(2t + k + 1)] }]"
)
SEIDEL_BAND = (
    "[T, n] -> [{ S0[t, i, j] -> [(t)] }, { S0[t, i, j] -> [(t + i)] }, "
    "{ S0[t, i, j] -> [(t + j)] }]"
)


def one_band(scop: Scop, band: str, *order: str) -> tuple[ScheduleTree, Dependences]:
    """The tree, with exact flags, and the dependences."""
    deps = compute_dependences(scop)
    node = isl.Schedule.from_domain(scop.domain).get_root().child(0)
    node = node.insert_partial_schedule(isl.MultiUnionPwAff(band))
    if order:
        filters = isl.UnionSetList.alloc(node.get_ctx(), len(order))
        for name in order:
            space = scop.statement(name).domain.get_space()
            universe = isl.UnionSet.from_set(isl.Set.universe(space))
            filters = filters.add(universe)
        node = node.child(0).insert_sequence(filters)
    return set_band_flags(ScheduleTree(node.get_schedule()), deps), deps


def in_sequence(scop: Scop, first: str, second: str) -> ScheduleTree:
    """All instances of one statement in source order, then all of another."""
    schedules = (
        original_tree(scop).schedule.intersect_domain(
            isl.UnionSet.from_set(scop.statement(name).domain)
        )
        for name in (first, second)
    )
    return ScheduleTree(next(schedules).sequence(next(schedules)))


def gemm() -> tuple[ScheduleTree, Dependences]:
    return one_band(scops.gemm(), GEMM_BAND, "S0", "S1")


def line() -> tuple[ScheduleTree, Dependences]:
    return one_band(scops.jacobi_1d(), LINE_BAND, "S0", "S1")


def jacobi() -> tuple[ScheduleTree, Dependences]:
    return one_band(scops.jacobi_2d(), JACOBI_BAND)


def seidel() -> tuple[ScheduleTree, Dependences]:
    return one_band(scops.gauss_seidel(), SEIDEL_BAND)
