"""Objectives of our own, where the machine asks for something no published one says."""

from __future__ import annotations

from polysched.analysis import loop_spans
from polysched.ilp import Linear
from polysched.ir import Statement
from polysched.schedule.lexicon.references import subscripts
from polysched.schedule.lexicon.registry import Forms, objective
from polysched.schedule.model import ScheduleModel

SHORT_LOOP = 8  # iterations at most
WARP_LANES = 32  # threads of a GPU that access memory together, on all NVIDIA devices


@objective(
    "RREUSE", "elements kept in registers by the two innermost loops", source="own"
)
def register_reuse(model: ScheduleModel) -> Forms:
    """Minimise the references that move in the two innermost loops.

    A register tile unrolls the last two loops; a reference F that one of them does not
    move is loaded (or stored) once for all its iterations. With ``m_F`` = 2 for a write
    and 1 for a read, over statements of three loops and more::

        minimise sum_S sum_F m_F sum_(j in F) (theta_(n-1, j) + theta_(n-2, j))

    Both loops weigh the same: which of them is unrolled and which is the vector loop is
    left to SO and IP. For matrix multiplication the accumulation loop has to be one of
    the two, since what it does not move is written.
    """
    total = Linear()
    for s in model.scop.statements:
        for level in range(s.n_loops - 2, s.n_loops) if s.n_loops >= 3 else ():
            for j, v in model.row_form(s.name, level).items():
                moved = sum(r.factor for r in subscripts(s) if r.has(j))
                total.add(v, moved)
    return [("RREUSE", total)]


@objective("BARR", "few sequential loops around the parallel ones", source="own")
def barriers(model: ScheduleModel) -> Forms:
    """Minimise the sequential loops outside of each statement's first parallel loop.

    Every iteration of them ends at a barrier. With ``f(S) = min {l : psi_l^S = 1}``, or
    the number of loops when none is parallel, ``minimise sum_S f(S)``, written as
    ``f(S) = sum_l sigma_l`` with ``sigma_l >= 1 - sum_(k <= l) psi_k``. OP asks only
    whether f is 0; BARR also prefers the second loop to the third.
    """
    total = Linear()
    for s in model.scop.statements:
        outside = Linear({}, -1)
        for level in range(s.n_loops):
            outside.add(model.parallel(s.name, level), 1)
            sequential = model.problem.add_variable(0, 1)
            form = outside.scaled(1)
            form.add(sequential, 1)
            model.problem.require_nonnegative(form, "BARR")
            total.add(sequential, 1)
    return [("BARR", total)]


@objective("SHORT", "short loops outside of long ones", source="own")
def short_outside(model: ScheduleModel) -> Forms:
    """Minimise how deep loops of at most `SHORT_LOOP` iterations stand.

    ``minimise sum_S sum_(j is short) sum_l l * theta_(l, j)``. The taps of a filter
    stand around the rows that they are applied to: rows fill vectors, and what a row
    updates is not read again before it has left the pipeline.
    """
    total = Linear()
    for s in model.scop.statements:
        for j, span in enumerate(loop_spans(s.domain)):
            if span is not None and span < SHORT_LOOP:
                for level in range(s.n_loops):
                    total.add(model.theta[s.name, level, j], level)
    return [("SHORT", total)]


@objective("LIVE", "values consumed soon after they are produced", source="own")
def live_footprint(model: ScheduleModel) -> Forms:
    """Per loop, outermost first: minimise how far apart producers and consumers run.

    For statements R and S, not the same, with flow from R to S, and every common loop
    l: ``u_l * sum(n) + w_l >= distance at row l`` for all pairs of instances that no
    outer row puts in order, and ``u_l >= 1`` when scalar row 2l puts S into another
    loop than R (then R's whole loop runs first). What is produced at one iteration of
    loop l stays live for that many iterations, so the outermost loop counts most::

        minimise sum_(R, S) (u_l * sum(n) + w_l)   for l = 0, 1, ..., u before w

    DGF asks for common loops only; LIVE also chooses order and shift of the loops such
    that sharing them brings the two close.
    """
    flow: dict[tuple[str, str], list[int]] = {}
    for d, piece in enumerate(model.pieces):
        if piece.flow and piece.source != piece.sink:
            flow.setdefault((piece.source, piece.sink), []).append(d)
    totals = [Linear() for _ in range(model.depth)]
    for (source, sink), pieces in flow.items():
        loops = [model.scop.statement(n).n_loops for n in (source, sink)]
        apart = Linear()
        for level in range(min(loops)):
            u, w = model.distance_bound(level, pieces)
            separated = model.problem.add_variable(0, 1)
            apart.add(separated, model.beta_bound)
            for sign in (1, -1):
                room = apart.scaled(1)
                room.add(model.beta[sink, level], sign)
                room.add(model.beta[source, level], -sign)
                model.problem.require_nonnegative(room, "LIVE")
            whole = Linear({u: 1, separated: -1})
            model.problem.require_nonnegative(whole, "LIVE")
            totals[level].add_form(Linear({u: 4 * model.big_m + 1, w: 1}))
    return [(f"LIVE loop {level}", total) for level, total in enumerate(totals)]


@objective(
    "COAL", "neighbouring threads of a GPU touch neighbouring elements", source="own"
)
def coalescing(model: ScheduleModel) -> Forms:
    """Minimise the memory segments that the threads of a warp touch together.

    The innermost parallel loop becomes the threads of a warp. First maximise the
    parallel loops, ``sum_S sum_l psi_l^S``, so that psi says exactly which loops are
    parallel; then, with ``x_l = 1`` for the innermost parallel loop l of S,

        minimise sum_S sum_l sum_j W_(S, j) * [x_l and theta_(l, j)]

    ``W_(S, j) = sum_F m_F * (32 if j is in a subscript but the last, else 1)``: 32
    segments for a warp that strides, one for a broadcast or a contiguous access; m_F is
    2 for a write. Unlike SO it asks nothing of sequential loops inside.
    """
    claims, segments = Linear(), Linear()
    for s in model.scop.statements:
        psi = [model.parallel(s.name, level) for level in range(s.n_loops)]
        claims.add_form(Linear.total(psi, -1))
        weights = [_warp_segments(s, j) for j in range(s.n_loops)]
        for level in range(s.n_loops):
            for j, theta in model.row_form(s.name, level).items():
                chosen = _along_threads(model, psi, level, theta)
                segments.add(chosen, weights[j])
    return [("COAL parallel loops", claims), ("COAL segments", segments)]


def _warp_segments(s: Statement, iterator: int) -> int:
    return sum(
        r.factor * (WARP_LANES if any(iterator in u for u in r.uses[:-1]) else 1)
        for r in subscripts(s)
    )


def _along_threads(model: ScheduleModel, psi: list[int], level: int, theta: int) -> int:
    """A variable that is at least theta where `level` is the innermost parallel loop.

    ``chosen >= theta - B * (1 - psi_level + sum_(k > level) psi_k)``.
    """
    bound = model.problem.bounds(theta)[1]
    chosen = model.problem.add_variable(0, bound)
    form = Linear({chosen: 1, theta: -1, psi[level]: -bound}, bound)
    for inner in psi[level + 1 :]:
        form.add(inner, bound)
    model.problem.require_nonnegative(form, "COAL")
    return chosen
