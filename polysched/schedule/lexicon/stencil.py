"""Objectives for stencils: wavefronts, time shifts, vector loops without skew."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from polysched.ilp import Linear
from polysched.schedule.lexicon.references import is_stencil
from polysched.schedule.lexicon.registry import Forms, objective
from polysched.schedule.model import ScheduleModel
from polysched.schedule.pieces import Piece

_PLDI19 = "Kong and Pouchet, PLDI 2019"


@objective(
    "SKEWPAR",
    "an outer wavefront that leaves everything inside parallel",
    source=_PLDI19,
)
def skewed_parallelism(model: ScheduleModel) -> Forms:
    """Satisfy as much as possible in the outermost loop, with the smallest skew.

    ``minimise -sum_D delta_1^D``, then ``sum_S sum_j theta_(1, j)^S``; the shape of the
    rows has to be "upper".
    """
    satisfied = (
        [model.delta[d, 1] for d in range(len(model.pieces))] if model.depth else []
    )
    skew = Linear.total([v for (_, level, _), v in model.theta.items() if level == 0])
    return [("SKEWPAR", Linear.total(satisfied, -1)), ("SKEWPAR skew", skew)]


@objective("VSKW", "a vector loop that is not skewed", source=_PLDI19)
def vector_skew(model: ScheduleModel) -> Forms:
    """Minimise coefficients of the innermost row, and its iterator's uses outside it.

    ``sum_S (sum_j theta_(inner, j) + sum_(l < inner) theta_(l, last))``: the last
    iterator of each statement is the vector iterator and appears in the innermost row
    only. Asked of every statement with two loops, stencil or not.
    """
    total = Linear()
    for s in model.scop.statements:
        last = s.n_loops - 1
        for j, v in model.row_form(s.name, last).items() if s.n_loops >= 2 else ():
            total.add(v, 1)
            if j == last:
                for level in range(last):
                    total.add(model.theta[s.name, level, j], 1)
    return [("VSKW", total)]


@objective(
    "SMP",
    "stencil statements whose own dependences leave the outermost loop alone",
    source=_PLDI19,
)
def self_dependences_inside(model: ScheduleModel) -> Forms:
    """``minimise sum delta_1^D`` over the self dependences of stencil groups."""
    total = Linear()
    for group in stencil_groups(model):
        for d in group.self_pieces:
            total.add(model.delta[d, 1], 1)
    return [("SMP", total)]


@objective(
    "SPC",
    "stencil sweeps shifted against each other in time, then parallel inside",
    source=_PLDI19,
)
def stencil_parallelism(model: ScheduleModel) -> Forms:
    """Shift statements of a stencil group in time, then satisfy at the second loop.

    Five groups of constraints, each given up when it cannot be met with those before:

    - time shift: ``c_0^S - c_0^R >= 1`` for flow from R to a later statement S of the
      group (flow back counted, too, as the definition reads, could never be met);
    - space shift, where cores matter more than vectors: ``c_1^S - c_1^R >= lanes``
      (published: a fixed 16); it shows where the two share the second loop;
    - skew, where vectors matter more: coefficient sums of the linear rows do not grow
      inwards, and shrink from the second on; the outermost is no less than the number
      of statements of full depth;
    - diagonal: ``theta_(k, k) >= 1`` for k >= 1;
    - time row: a row l that satisfies a self dependence contains the time iterator,
      ``theta_(l, 0) >= delta_l``, with l = 0 for a group of one statement, else 1.

    Then ``maximise sum delta_3^D`` over the self dependences. With unimodular rows,
    "lower" shapes meet the diagonal and "upper" ones the skew.
    """
    groups = list(stencil_groups(model))
    for group in groups:
        _shift_in_time(model, group)
    if model.machine.wants_parallelism:
        for group in groups:
            _shift_in_space(model, group)
    else:
        for group in groups:
            _shrink_inwards(model, group)
    total = Linear()
    for group in groups:
        _keep_diagonal(model, group)
        _keep_time(model, group)
        for d in group.self_pieces if model.depth >= 2 else ():
            total.add(model.delta[d, 3], -1)
    return [("SPC", total)]


@objective(
    "SDC",
    "each class of a stencil's dependences satisfied by the row meant for it",
    source=_PLDI19,
)
def dependence_classification(model: ScheduleModel) -> Forms:
    """Self dependences at the second loop, forward ones at the first, backward between.

    ``POS_p <= sum delta_p^D`` over the n dependences assigned to row p, ``sum_p POS_p =
    n``, and lexicographically from the outermost row ``minimise NEG_p = n - POS_p``.
    Assigned are: self dependences to row 3 (for a group of one statement to all other
    linear rows); those to a later statement to row 1; those back to an earlier one to
    the scalar rows, where ``beta^S - beta^R >= delta`` even if satisfied outside.
    The sum and these orders are given up when they cannot be met. As published, it
    asks nothing of groups of several statements where cores matter more than vectors.
    """
    groups = [
        g
        for g in stencil_groups(model)
        if model.machine.wants_skewing or len(g.statements) == 1
    ]
    n = sum(len(g.pieces) for g in groups)
    if not n:
        return []
    rows: dict[int, list[int]] = {p: [] for p in range(2 * model.depth + 1)}
    for group in groups:
        for d in group.pieces:
            for p in _assigned_rows(model, group, d):
                rows[p].append(d)
    forms: Forms = []
    everything = Linear({}, -n)
    for p, assigned in rows.items():
        positive = model.problem.add_variable(0, n)
        everything.add(positive, 1)
        link = Linear.total([model.delta[d, p] for d in assigned])
        link.add(positive, -1)
        model.problem.require_nonnegative(link, "SDC rows")
        forms.append((f"SDC row {p}", Linear({positive: -1}, n)))
    model.problem.require_zero(everything, "SDC classification")
    model.soft_groups.append("SDC classification")
    _order_backward(model, groups)
    return forms


@dataclass(frozen=True)
class StencilGroup:
    """A strongly connected component that holds a stencil statement.

    Attributes
    ----------
    statements : tuple of str
        In textual order.
    pieces : tuple of int
        Positions of the dependence pieces inside the group.
    self_pieces : tuple of int
        Those from a statement to itself.
    """

    statements: tuple[str, ...]
    pieces: tuple[int, ...]
    self_pieces: tuple[int, ...]

    def is_forward(self, piece: Piece) -> bool:
        """Whether the sink stands behind the source in the text."""
        order = self.statements.index
        return order(piece.source) < order(piece.sink)


def stencil_groups(model: ScheduleModel) -> Iterator[StencilGroup]:
    """The components with a stencil statement, in textual order."""
    members: dict[int, list[str]] = {}
    for s in model.scop.statements:
        if s.n_loops:
            members.setdefault(model.component[s.name], []).append(s.name)
    for names in members.values():
        if any(is_stencil(model.scop.statement(n)) for n in names):
            inside = [
                d
                for d, piece in enumerate(model.pieces)
                if piece.source in names and piece.sink in names
            ]
            own = [d for d in inside if model.pieces[d].source == model.pieces[d].sink]
            yield StencilGroup(tuple(names), tuple(inside), tuple(own))


def _forward_flow(
    model: ScheduleModel, group: StencilGroup, level: int
) -> Iterator[tuple[int, int]]:
    """The constants (source, sink) of row `level` for each pair with forward flow."""
    pairs: dict[tuple[int, int], None] = {}
    for d in group.pieces:
        piece = model.pieces[d]
        ends = ((piece.source, level), (piece.sink, level))
        if piece.flow and group.is_forward(piece) and set(ends) <= set(model.constant):
            pairs[model.constant[ends[0]], model.constant[ends[1]]] = None
    yield from pairs


def _shift_in_time(model: ScheduleModel, group: StencilGroup) -> None:
    for source, sink in _forward_flow(model, group, 0):
        form = Linear({sink: 1, source: -1}, -1)
        _require_soft(model, form, "SPC time shift")


def _shift_in_space(model: ScheduleModel, group: StencilGroup) -> None:
    lanes = model.machine.vector_lanes
    for source, sink in _forward_flow(model, group, 1):
        for constant in (source, sink):
            model.problem.widen(constant, lanes * len(group.statements))
        form = Linear({sink: 1, source: -1}, -lanes)
        _require_soft(model, form, "SPC space shift")


def _shrink_inwards(model: ScheduleModel, group: StencilGroup) -> None:
    full = [
        n for n in group.statements if model.scop.statement(n).n_loops == model.depth
    ]
    for name in group.statements:
        n_loops = model.scop.statement(name).n_loops
        sums = [
            Linear.total(list(model.row_form(name, level).values()))
            for level in range(n_loops)
        ]
        outermost = sums[0].scaled(1)
        outermost.constant -= len(full)
        _require_soft(model, outermost, "SPC skew")
        for level in range(n_loops - 1):
            form = sums[level].scaled(1)
            form.add_form(sums[level + 1], -1)
            form.constant -= int(level > 0)
            _require_soft(model, form, "SPC skew")


def _keep_diagonal(model: ScheduleModel, group: StencilGroup) -> None:
    for name in group.statements:
        for k in range(1, model.scop.statement(name).n_loops):
            form = Linear({model.theta[name, k, k]: 1}, -1)
            _require_soft(model, form, "SPC diagonal")


def _keep_time(model: ScheduleModel, group: StencilGroup) -> None:
    level = 0 if len(group.statements) == 1 else 1
    for d in group.self_pieces:
        name = model.pieces[d].source
        if level < model.scop.statement(name).n_loops:
            form = Linear({model.theta[name, level, 0]: 1})
            form.add(model.delta[d, 2 * level + 1], -1)
            _require_soft(model, form, "SPC time row")


def _assigned_rows(model: ScheduleModel, group: StencilGroup, d: int) -> Iterator[int]:
    """The rows that are meant to satisfy a dependence piece."""
    piece = model.pieces[d]
    linear = range(1, 2 * model.depth, 2)
    if piece.source == piece.sink:
        alone = len(group.statements) == 1
        yield from (p for p in linear if (p != 3) == alone)
    elif group.is_forward(piece):
        yield 1
    else:
        yield from range(0, 2 * model.depth + 1, 2)


def _order_backward(model: ScheduleModel, groups: list[StencilGroup]) -> None:
    for group in groups:
        for d in group.pieces:
            piece = model.pieces[d]
            if piece.source == piece.sink or group.is_forward(piece):
                continue
            for k in range(model.depth + 1):
                form = Linear({model.beta[piece.sink, k]: 1})
                form.add(model.beta[piece.source, k], -1)
                form.add(model.delta[d, 2 * k], -1)
                _require_soft(model, form, "SDC backward")


def _require_soft(model: ScheduleModel, form: Linear, group: str) -> None:
    """``form >= 0`` in a group that may be given up."""
    if group not in model.soft_groups:
        model.soft_groups.append(group)
    model.problem.require_nonnegative(form, group)
