"""The objectives of older schedulers, in the same space."""

from __future__ import annotations

from polysched.ilp import Linear
from polysched.schedule.lexicon.parallelism import satisfied_at_row
from polysched.schedule.lexicon.registry import Forms, FormsOf, objective
from polysched.schedule.model import ScheduleModel

_POPL11 = "Pouchet et al., POPL 2011"
_PLDI19 = "Kong and Pouchet, PLDI 2019"
_ROWS = {
    0: "the first scalar row (distribution)",
    1: "the outermost loop",
    2: "the scalar row before the second loop",
    3: "the second loop",
}


def _register_fds(row: int) -> FormsOf:
    @objective(f"FDS{row}", f"dependences satisfied by {_ROWS[row]}", source=_PLDI19)
    def satisfied(model: ScheduleModel) -> Forms:
        return [satisfied_at_row(model, row, f"FDS{row}")]

    satisfied.__doc__ = f"FDS({row}): ``maximise sum_D delta_{row}^D``."
    return satisfied


FDS = {row: _register_fds(row) for row in _ROWS}


@objective("SDO", "every dependence satisfied exactly once", source=_POPL11)
def satisfied_once(model: ScheduleModel) -> Forms:
    """The original legality, ``sum_p delta_p^D = 1``; nothing is minimised.

    It makes deltas of inner rows honest for what stands behind it in a list: a
    dependence that is satisfied outside no longer counts there.
    """
    for d in range(len(model.pieces)):
        form = Linear.total([model.delta[d, p] for p in range(2 * model.depth + 1)], -1)
        form.constant = 1
        model.problem.require_nonnegative(form, "SDO")
    if model.pieces:
        model.soft_groups.append("SDO")
    return []


@objective(
    "PROX",
    "short dependence distances, outermost rows first",
    source="Bondhugula et al., PLDI 2008",
)
def proximity(model: ScheduleModel) -> Forms:
    """Per linear row, outermost first: the least bound of all dependence distances.

    ``u * sum(n) + w - (row of sink - row of source) >= 0`` for every dependence that no
    outer row satisfies; u counts before w.
    """
    forms = []
    for level in range(model.depth):
        u, w = model.distance_bound(level)
        forms.append((f"PROX row {level}", Linear({u: 4 * model.big_m + 1, w: 1})))
    return forms


@objective(
    "FEAU",
    "as much as possible satisfied by every loop, from the outside in",
    source="Feautrier, IJPP 1992",
)
def feautrier(model: ScheduleModel) -> Forms:
    """Per linear row, outermost first: maximise the satisfied dependences.

    Least latency and most inner parallelism. Feautrier's schedules have no scalar rows,
    so scalar rows are not asked; a dependence that one of them satisfied further
    outside counts at the rows behind it as if they satisfied it.
    """
    return [
        satisfied_at_row(model, 2 * level + 1, f"FEAU loop {level}")
        for level in range(model.depth)
    ]


@objective("COP", "few dependences satisfied by the outermost loop", source=_POPL11)
def classical_outer_parallelism(model: ScheduleModel) -> Forms:
    """``minimise sum_D delta_1^D``: outer parallelism as it was asked before psi.

    Only a proxy: a loop may carry a dependence whose delta is 0 because another row
    counts as satisfying it. OP is exact.
    """
    return [("COP", satisfied_at_row(model, 1, "COP")[1].scaled(-1))]


@objective("CIP", "few dependences satisfied by the innermost loop", source=_POPL11)
def classical_inner_parallelism(model: ScheduleModel) -> Forms:
    """``minimise sum_D (delta_(2d-1)^D + delta_2d^D)``: the last two rows; a proxy."""
    total = Linear()
    for row in (2 * model.depth - 1, 2 * model.depth):
        if row > 0:
            total.add_form(satisfied_at_row(model, row, "CIP")[1], -1)
    return [("CIP", total)]


@objective("CSUM", "a small sum of iterator coefficients", source=_PLDI19)
def coefficient_sum(model: ScheduleModel) -> Forms:
    """``minimise sum theta``: no skew; shifts and scalar rows are free (MIC has them).

    The published MIC.
    """
    return [("CSUM", Linear.total(list(model.theta.values())))]


@objective("MIC", "small coefficients: the plainest of equal schedules", source=_PLDI19)
def minimal_coefficients(model: ScheduleModel) -> Forms:
    """Minimise the sum of all coefficients, shifts and scalar rows.

    A second form decides between equal sums: iterators stay near the depth that they
    have in the source, and a scalar row is preferred to a shift, which costs guards.
    """
    plain, order = Linear(), Linear()
    for v in (*model.theta.values(), *model.constant.values(), *model.beta.values()):
        plain.add(v, 1)
    for (_, level, j), v in model.theta.items():
        order.add(v, abs(level - j))
    for v in model.constant.values():
        order.add(v, 1)
    return [("MIC", plain), ("MIC order", order)]
