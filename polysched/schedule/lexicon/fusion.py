"""Objectives on the scalar rows: which statements share loops."""

from __future__ import annotations

from itertools import combinations

from polysched.ilp import Linear
from polysched.ir import Statement
from polysched.schedule.lexicon.references import subscripts
from polysched.schedule.lexicon.registry import Forms, objective
from polysched.schedule.model import ScheduleModel

_PLDI19 = "Kong and Pouchet, PLDI 2019"


@objective(
    "DGF",
    "producers and consumers fused as deep as legality permits",
    source=_PLDI19,
)
def dependence_guided_fusion(model: ScheduleModel) -> Forms:
    """Minimise the separation of statements between which values flow.

    ``DIST_D = f * sum_k 2^(M-k-1) (beta_2k^S - beta_2k^R) >= 0`` with M scalar rows and
    ``f = 1`` when the consumer S writes the array, else 2. Outer separation costs
    exponentially more than inner separation; counted once per pair of strongly
    connected components. The scalar row below the last common loop is left out: two
    statements of one body must be ordered there, and charging for it makes the solver
    shift loops to avoid it.
    """
    total = Linear()
    n_scalar = model.depth + 1
    done: set[tuple[int, int]] = set()
    for d in model.dependences.of_kind("flow"):
        key = (model.component[d.source], model.component[d.sink])
        if key[0] == key[1] or key in done:
            continue
        done.add(key)
        source, sink = model.scop.statement(d.source), model.scop.statement(d.sink)
        same_array = any(w.array == d.array for w in sink.writes)
        factor = 1 if same_array else 2
        for k in range(min(source.n_loops, sink.n_loops)):
            apart = Linear({model.beta[d.sink, k]: 1, model.beta[d.source, k]: -1})
            model.problem.require_nonnegative(apart, "DGF")
            total.add_form(apart, factor * 2 ** (n_scalar - k - 1))
    if total.terms:
        model.soft_groups.append("DGF")
    return [("DGF", total)]


@objective("SIS", "independent statements in loops of their own", source=_PLDI19)
def separation_of_independent_statements(model: ScheduleModel) -> Forms:
    """Maximise the pairs that share nothing and stand apart, then their distance.

    ``SEP_ij = beta_0^j - beta_0^i - 1`` in ``[0, j - i]`` for statements i before j of
    different components without flow or read-read dependence, and the bound
    ``sum_S beta_0^S <= n (n - 1) / 2``, which the full distribution meets exactly;
    ``maximise sum SEP``. As published ``SEP >= 0`` fixes the textual order of every
    pair; here a pair may stay together, or stand in the opposite order, if legality
    wants it so, and how many do is minimised first.
    """
    names = [s.name for s in model.scop.statements]
    related = {
        frozenset((d.source, d.sink))
        for d in model.dependences.items
        if d.kind in ("flow", "input")
    }
    apart, total = Linear(), Linear()
    for i, j in combinations(range(len(names)), 2):
        first, second = names[i], names[j]
        different = model.component[first] != model.component[second]
        if different and frozenset((first, second)) not in related:
            gap, separated = _separation(model, first, second, j - i)
            total.add(gap, -1)
            apart.add(separated, -1)
    if total.terms:
        bound = Linear.total([model.beta[n, 0] for n in names], -1)
        bound.constant = len(names) * (len(names) - 1) // 2
        model.problem.require_nonnegative(bound, "SIS bound")
        model.soft_groups.append("SIS bound")
    return [("SIS", apart), ("SIS distance", total)]


def _separation(
    model: ScheduleModel, first: str, second: str, most: int
) -> tuple[int, int]:
    """Variables (gap, separated): gap <= beta_0 difference - 1 where separated."""
    gap = model.problem.add_variable(0, most)
    separated = model.problem.add_variable(0, 1)
    form = Linear({gap: -1}, -1)
    form.add(model.beta[second, 0], 1)
    form.add(model.beta[first, 0], -1)
    # without separation the gap is zero and the order of the pair is free
    relax = 2 * model.beta_bound + 1
    form.add(separated, -relax)
    form.constant += relax
    model.problem.require_nonnegative(form, "SIS")
    model.problem.require_nonnegative(Linear({separated: most, gap: -1}), "SIS")
    return gap, separated


@objective(
    "FPP",
    "statements that read the same arrays fused, but only alike parallel ones",
    source=_PLDI19,
)
def fusion_preserving_parallelism(model: ScheduleModel) -> Forms:
    """Per loop, outermost first: maximise the arrays that fused pairs read together.

    For statements R before S in the text that both read ``share(R, S) > 0`` arrays,
    ``phi_l = 1`` when they share loops 0..l; ``maximise sum share(R, S) * phi_l``, with
    ``beta_2l^S - beta_2l^R >= |psi_l^R - psi_l^S|``: a loop that is parallel for only
    one of them is not shared. The publication bounds phi by the parallel status alone
    and leaves its link to the scalar rows open; here ``phi_l = 1`` exactly when the
    scalar rows 0..2l agree, and pairs that an outer row separates are left alone.

    psi is a claim that the solver may leave out, so FPP alone fuses freely; behind OP
    it keeps what OP found parallel. The separation is given up when it cannot be met.
    """
    pairs = []
    for first, second in combinations(model.scop.statements, 2):
        share = len(_arrays_read(first) & _arrays_read(second))
        if share:
            pairs.append((share, first, second))
    totals = [Linear() for _ in range(model.depth)]
    for share, first, second in pairs:
        outer: int | None = None
        for level in range(min(first.n_loops, second.n_loops)):
            outer = _fused(model, first.name, second.name, level, outer)
            totals[level].add(outer, -share)
    if any(t.terms for t in totals):
        model.soft_groups.append("FPP separation")
    return [(f"FPP loop {level}", total) for level, total in enumerate(totals)]


def _fused(
    model: ScheduleModel, first: str, second: str, level: int, outer: int | None
) -> int:
    """The boolean phi: the pair shares loops 0..level, alike parallel."""
    problem = model.problem
    phi = problem.add_variable(0, 1)
    bound = model.beta_bound
    apart = Linear({model.beta[second, level]: 1, model.beta[first, level]: -1})
    equal = apart.scaled(-1)
    equal.add(phi, -bound)
    equal.constant += bound
    problem.require_nonnegative(equal, "FPP")
    later = apart.scaled(1)
    later.add(phi, 1)
    if outer is None:
        later.constant -= 1
    else:
        # ordered only while the outer loops are shared
        later.add(outer, -bound - 2)
        later.constant += bound + 1
        problem.require_nonnegative(Linear({outer: 1, phi: -1}), "FPP")
    problem.require_nonnegative(later, "FPP separation")
    one, other = model.parallel(first, level), model.parallel(second, level)
    for a, b in ((one, other), (other, one)):
        alike = Linear({phi: -1, a: -1, b: 1}, 1)
        problem.require_nonnegative(alike, "FPP separation")
    return phi


def _arrays_read(statement: Statement) -> set[str]:
    return {r.array for r in subscripts(statement) if not r.is_write}
