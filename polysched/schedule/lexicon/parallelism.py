"""Objectives on parallel loops, all with the exact psi of `ScheduleModel.parallel`."""

from __future__ import annotations

from polysched.ilp import Linear
from polysched.schedule.lexicon.registry import Forms, objective
from polysched.schedule.model import ScheduleModel

_PLDI19 = "Kong and Pouchet, PLDI 2019"


def parallel_loops(model: ScheduleModel, level: int, label: str) -> Forms:
    """NP(level): maximise the statements whose loop at `level` is parallel.

    ``minimise -sum_S psi_level^S`` over the statements that have such a loop.
    """
    names = [s.name for s in model.scop.statements if s.n_loops > level]
    return [(label, Linear.total([model.parallel(n, level) for n in names], -1))]


@objective("OP", "outermost loops that run in parallel", source=_PLDI19)
def outer_parallelism(model: ScheduleModel) -> Forms:
    """Maximise the statements whose outermost loop is parallel: NP(0)."""
    return parallel_loops(model, 0, "OP")


@objective("IP", "innermost loops that run in parallel (vectors)", source=_PLDI19)
def inner_parallelism(model: ScheduleModel) -> Forms:
    """Maximise the statements whose own innermost loop is parallel.

    ``minimise -sum_S psi_(dim S - 1)^S`` over statements of two loops and more. Without
    that filter, which the publication has, too, a statement beside an inner loop would
    ask the outer loop to be parallel, which is OP's matter.
    """
    psi = [
        model.parallel(s.name, s.n_loops - 1)
        for s in model.scop.statements
        if s.n_loops >= 2
    ]
    return [("IP", Linear.total(psi, -1))]


@objective("NP1", "second loops that run in parallel", source=_PLDI19)
def parallel_second_loops(model: ScheduleModel) -> Forms:
    """NP(1): a sequential loop may stand outside, as around a stencil's sweeps."""
    return parallel_loops(model, 1, "NP1")


@objective("NP2", "third loops that run in parallel", source=_PLDI19)
def parallel_third_loops(model: ScheduleModel) -> Forms:
    """NP(2), for nests with two sequential loops outside."""
    return parallel_loops(model, 2, "NP2")


@objective(
    "2OP_EASY",
    "second loops that run in parallel, nothing asked of other rows",
    source=_PLDI19,
)
def second_parallelism(model: ScheduleModel) -> Forms:
    """The published name of NP(1), kept so that published lists can be written."""
    return parallel_loops(model, 1, "2OP_EASY")


@objective(
    "2OP",
    "second loops that run in parallel behind an outer loop that satisfies the rest",
    source=_PLDI19,
)
def second_parallelism_by_satisfaction(model: ScheduleModel) -> Forms:
    """NP(1), then as many dependences as possible satisfied at rows 1, 2 and 4.

    The rows around the parallel one: the first loop, and the scalar rows before and
    behind the second loop. The publication asks for them at depth 3 and more and does
    not order them; here parallelism goes first, then the rows from the outside in.
    """
    forms = parallel_loops(model, 1, "2OP")
    if model.depth >= 3:
        forms += [satisfied_at_row(model, p, f"2OP row {p}") for p in (1, 2, 4)]
    return forms


def satisfied_at_row(model: ScheduleModel, row: int, label: str) -> tuple[str, Linear]:
    """FDS(row): ``minimise -sum_D delta_row^D``; a constant when there is no such row.

    A dependence that an outer row satisfied counts as satisfied here, too: legality
    asks nothing more of it, so its delta is free (SDO makes it count once).
    """
    if row > 2 * model.depth:
        return label, Linear()
    return label, Linear.total(
        [model.delta[d, row] for d in range(len(model.pieces))], -1
    )
