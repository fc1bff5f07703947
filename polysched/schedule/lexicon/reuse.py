"""Objectives on strides and on the order of loops against that of subscripts."""

from __future__ import annotations

from polysched.ilp import Linear
from polysched.ir import Statement
from polysched.schedule.lexicon.parallelism import satisfied_at_row
from polysched.schedule.lexicon.references import stride_weights, subscripts
from polysched.schedule.lexicon.registry import Forms, objective
from polysched.schedule.model import ScheduleModel

_PLDI19 = "Kong and Pouchet, PLDI 2019"


@objective("SO", "unit strides in the innermost loop", source=_PLDI19)
def stride_optimisation(model: ScheduleModel) -> Forms:
    """Minimise the stride weights of the innermost iterators, rows kept plain.

    First the sum of all coefficients (unit rows), then the weight `stride_weights` of
    the iterator that ends up innermost. Stride 0 weighs more than stride 1: vector
    loads and stores are preferred to reductions. The publication asks it of statements
    of full depth and more than two loops; here of all statements with a choice, so that
    matrix-vector products have strides, too.
    """
    plain, strides = Linear(), Linear()
    for s in model.scop.statements:
        if s.n_loops < 2:
            continue
        weights = stride_weights(s)
        for (name, level, _), v in model.theta.items():
            if name == s.name and level < s.n_loops:
                plain.add(v, 1)
        for j, v in model.row_form(s.name, model.inner_level(s.name)).items():
            strides.add(v, weights[j])
    return [("SO plain rows", plain), ("SO strides", strides)]


@objective(
    "OPIR",
    "an outer parallel loop, and inner loops that keep their elements",
    source=_PLDI19,
)
def outer_parallelism_inner_reuse(model: ScheduleModel) -> Forms:
    """Maximise outer parallelism, reuse in the innermost loop and subscript order.

    ``sum_S (alpha psi_0^S + sum_F sum_(j not in F) theta_(inner, j)
    + sum_F sum_k (d - k) theta_(k, j(k, F)))`` over references F that are not constant,
    with ``j(k, F)`` the iterator of F's k-th subscript and at most one iterator per
    row. ``alpha`` is twice the number of references where cores matter more than
    vectors (`MachineFacts.wants_parallelism`), else 1. The published form with its Z
    variables differs by self dependence and machine; this is its clean equivalent. A
    subscript of several iterators has no j(k, F) and rewards none.
    """
    one_iterator_per_row(model, "OPIR one iterator per row")
    total = Linear()
    for s in model.scop.statements:
        if not s.n_loops:
            continue
        references = [r for r in subscripts(s) if any(r.uses)]
        alpha = 2 * len(references) if model.machine.wants_parallelism else 1
        total.add(model.parallel(s.name, 0), -alpha)
        inner = model.row_form(s.name, model.inner_level(s.name))
        for r in references:
            for j, v in inner.items():
                total.add(v, -int(not r.has(j)))
        total.add_form(_subscript_order(model, s), -1)
    return [("OPIR", total)]


@objective(
    "ADA",
    "statements apart, loops in the order of the arrays' subscripts",
    source=_PLDI19,
)
def aligned_dimensions(model: ScheduleModel) -> Forms:
    """Distribute as much as possible, then align loops with array dimensions.

    ``minimise -sum_D delta_0^D``, then ``-sum_F sum_k (d - k) theta_(k, j(k, F))``, at
    most one iterator per row: the counterpart of OPIR for many cores. The publication
    also builds psi for it, without a form of its own; ask OP or IP beside it.
    """
    one_iterator_per_row(model, "ADA one iterator per row")
    order = Linear()
    for s in model.scop.statements:
        order.add_form(_subscript_order(model, s), -1)
    return [satisfied_at_row(model, 0, "ADA distribution"), ("ADA order", order)]


def one_iterator_per_row(model: ScheduleModel, group: str) -> None:
    """``sum_j theta_(l, j) <= 1`` for every row; unit rows are so by construction."""
    if model.has_plain_rows:
        return
    model.soft_groups.append(group)
    for s in model.scop.statements:
        for level in range(s.n_loops):
            form = Linear.total(list(model.row_form(s.name, level).values()), -1)
            form.constant = 1
            model.problem.require_nonnegative(form, group)


def _subscript_order(model: ScheduleModel, s: Statement) -> Linear:
    """``sum_F sum_k (d - k) theta_(k, j(k, F))`` for k below both depths."""
    order = Linear()
    for r in subscripts(s):
        for k in range(min(len(r.uses), s.n_loops)):
            j = r.only(k)
            if j is not None:
                order.add(model.theta[s.name, k, j], model.depth - k)
    return order
