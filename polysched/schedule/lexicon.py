"""The lexicon: named objectives over the space of legal schedules.

An objective turns a `ScheduleModel` into one or more linear forms to be minimised, most
important first. It may add variables and rows to the model. The definitions follow Kong
and Pouchet, "Model-driven transformations for multi- and many-core CPUs", PLDI 2019,
and Chelini et al., "Automatic Generation of Multi-Objective Polyhedral Compiler
Transformations", PACT 2020.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from polysched.base import PolyschedError
from polysched.ilp import Linear
from polysched.ir import Iter as IterExpr
from polysched.ir import Load, Statement, action_expressions, assignments, walk
from polysched.schedule.model import Bands, ScheduleModel

Forms = list[tuple[str, Linear]]


@dataclass(frozen=True)
class Objective:
    """One goal of the lexicon.

    Attributes
    ----------
    name : str
        Short upper-case name, as in the papers.
    summary : str
        What it asks for, in a sentence a user understands.
    forms : callable
        Model to (label, linear form) pairs, minimised in order.
    bands : {"none", "all", "outer"}
        Whether it speaks about permutable bands (variables rho), of all rows or of all
        but each statement's innermost.
    """

    name: str
    summary: str
    forms: Callable[[ScheduleModel], Forms]
    bands: Bands = "none"


LEXICON: dict[str, Objective] = {}


def objective(
    name: str, summary: str, *, bands: Bands = "none"
) -> Callable[[Callable[[ScheduleModel], Forms]], Callable[[ScheduleModel], Forms]]:
    """Register a function as an objective of the lexicon.

    Parameters
    ----------
    name : str
        Name to use in recipes; must be new.
    summary : str
        One sentence for tables and explanations.
    bands : {"none", "all", "outer"}
        See `Objective`.
    """

    def register(
        forms: Callable[[ScheduleModel], Forms],
    ) -> Callable[[ScheduleModel], Forms]:
        if name in LEXICON:
            raise PolyschedError(f"the lexicon has an objective named {name} already")
        LEXICON[name] = Objective(name, summary, forms, bands)
        return forms

    return register


def find_objective(name: str) -> Objective:
    """The objective of that name; the error lists all names."""
    if name not in LEXICON:
        known = ", ".join(sorted(LEXICON))
        raise PolyschedError(f"no objective named {name!r}; the lexicon has: {known}")
    return LEXICON[name]


@objective("OP", "outermost loops that run in parallel")
def outer_parallelism(model: ScheduleModel) -> Forms:
    """Maximise the statements whose outermost loop is parallel."""
    names = [s.name for s in model.scop.statements if s.n_loops]
    return [("OP", Linear.total([model.parallel(n, 0) for n in names], -1))]


@objective("IP", "innermost loops that run in parallel (vectors)")
def inner_parallelism(model: ScheduleModel) -> Forms:
    """Maximise the statements whose own innermost loop is parallel."""
    psi = [
        model.parallel(s.name, s.n_loops - 1)
        for s in model.scop.statements
        if s.n_loops >= 2
    ]
    return [("IP", Linear.total(psi, -1))]


@objective("SO", "unit strides in the innermost loop")
def stride_optimisation(model: ScheduleModel) -> Forms:
    """Minimise the stride weights of the innermost iterators, rows kept plain.

    First the sum of all coefficients (unit rows), then the weight `stride_weights` of
    the iterator that ends up innermost. Stride 0 weighs more than stride 1: vector
    loads and stores are preferred to reductions.
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


def stride_weights(statement: Statement) -> tuple[int, ...]:
    """Cost of each iterator as the innermost one.

    Per reference: 3 when the iterator is absent, 1 when it is in the last subscript,
    10 for each other subscript that uses it; writes count twice.

    Examples
    --------
    For gemm's update with loops i, k, j the weights of (i, j, k) are (43, 7, 20).
    """
    references = _references(statement)
    return tuple(
        sum(factor * _reference_weight(ref, iterator) for ref, factor in references)
        for iterator in statement.iterators
    )


def _references(statement: Statement) -> list[tuple[Load, int]]:
    """Distinct references of a statement with their factor: 1 read, 2 write."""
    found: dict[tuple[Load, int], None] = {}
    for action in statement.body:
        for a in assignments(action):
            if a.target.subscripts:
                found[a.target, 2] = None
                if a.op != "=":
                    found[a.target, 1] = None
        targets = {id(a.target) for a in assignments(action)}
        for top in action_expressions(action):
            for e in walk(top):
                if isinstance(e, Load) and e.subscripts and id(e) not in targets:
                    found[e, 1] = None
    return list(found)


def _reference_weight(reference: Load, iterator: str) -> int:
    uses = [
        any(isinstance(e, IterExpr) and e.name == iterator for e in walk(s))
        for s in reference.subscripts
    ]
    if not any(uses):
        return 3
    return (1 if uses[-1] else 0) + 10 * sum(uses[:-1])


@objective("DGF", "producers and consumers fused as deep as legality permits")
def dependence_guided_fusion(model: ScheduleModel) -> Forms:
    """Minimise the separation of statements between which values flow.

    Outer separation costs exponentially more than inner separation; counted once per
    pair of strongly connected components. The scalar row below the last common loop is
    left out: two statements of one body must be ordered there, and charging for it
    makes the solver shift loops to avoid it.
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
        distance = Linear()
        for k in range(min(source.n_loops, sink.n_loops)):
            weight = factor * 2 ** (n_scalar - k - 1)
            distance.add(model.beta[d.sink, k], weight)
            distance.add(model.beta[d.source, k], -weight)
        model.problem.require_nonnegative(distance, "DGF")
        total.add_form(distance)
    return [("DGF", total)]


@objective("SIS", "independent statements in loops of their own")
def separation_of_independent_statements(model: ScheduleModel) -> Forms:
    """Maximise the outer separation of pairs that share nothing."""
    scop = model.scop
    related = {
        frozenset((d.source, d.sink))
        for d in model.dependences.items
        if d.kind in ("flow", "input")
    }
    n = len(scop.statements)
    total = Linear()
    for i, first in enumerate(scop.statements):
        for j in range(i + 1, n):
            second = scop.statements[j]
            if frozenset((first.name, second.name)) in related:
                continue
            different = model.component[first.name] != model.component[second.name]
            if not different:
                continue
            gap = model.problem.add_variable(0, j - i)
            form = Linear({gap: -1}, -1)
            form.add(model.beta[second.name, 0], 1)
            form.add(model.beta[first.name, 0], -1)
            separated = model.problem.add_variable(0, 1)
            # without separation the gap is zero and the order of the pair is free
            relax = 2 * model._beta_bound + 1
            form.add(separated, -relax)
            form.constant += relax
            model.problem.require_nonnegative(form, "SIS")
            model.problem.require_nonnegative(
                Linear({separated: j - i, gap: -1}), "SIS"
            )
            total.add(gap, -1)
            total.add(separated, -1)
    return [("SIS", total)]


@objective("PERM", "dependences satisfied early and still respected below", bands="all")
def permutability(model: ScheduleModel) -> Forms:
    """Per linear row, outermost first: maximise the dependences that stay respected."""
    forms = []
    for level in range(model.depth - 1):
        row = [model.rho[d, 2 * level + 1] for d in range(len(model.pieces))]
        forms.append((f"PERM row {level}", Linear.total(row, -1)))
    return forms


@objective("BAND", "one wide permutable band, to be tiled", bands="all")
def wide_band(model: ScheduleModel) -> Forms:
    """Minimise the dependences dropped at a linear row that has linear rows below.

    PERM counts dependences that a row satisfies and so pushes them outwards; a band
    needs only that none is dropped, whether satisfied or not. Our own variant.
    """
    total = Linear()
    for d, piece in enumerate(model.pieces):
        inner = min(
            model.scop.statement(piece.source).n_loops,
            model.scop.statement(piece.sink).n_loops,
        )
        for level in range(inner - 1):
            for p in (2 * level + 1, 2 * level + 2):
                total.add(model.delta[d, p], 1)
                total.add(model.rho[d, p], -1)
    return [("BAND", total)]


@objective(
    "OBAND",
    "one permutable band of all loops but the innermost, which stays long",
    bands="outer",
)
def outer_band(model: ScheduleModel) -> Forms:
    """`BAND` for all linear rows but each pair's last; the vector loop is not tiled.

    For stencils the rows (t, 2t+i) can be tiled in time while j keeps its unit stride;
    the last row may rely on a scalar row in front of it. Our own variant.
    """
    total = Linear()
    for d, piece in enumerate(model.pieces):
        inner = min(
            model.scop.statement(piece.source).n_loops,
            model.scop.statement(piece.sink).n_loops,
        )
        for level in range(inner - 2):
            for p in (2 * level + 1, 2 * level + 2):
                total.add(model.delta[d, p], 1)
                total.add(model.rho[d, p], -1)
    return [("OBAND", total)]


@objective("VSKW", "a vector loop that is not skewed")
def vector_skew(model: ScheduleModel) -> Forms:
    """Minimise coefficients of the innermost row, and its iterator's uses outside it.

    The last iterator of each statement is taken as the vector iterator.
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


@objective("PROX", "short dependence distances, outermost rows first")
def proximity(model: ScheduleModel) -> Forms:
    """Per linear row, outermost first: the least bound of all dependence distances."""
    forms = []
    for level in range(model.depth):
        u, w = model.distance_bound(level)
        forms.append((f"PROX row {level}", Linear({u: 4 * model._big + 1, w: 1})))
    return forms


@objective("SKEWPAR", "an outer wavefront that leaves everything inside parallel")
def skewed_parallelism(model: ScheduleModel) -> Forms:
    """Satisfy as much as possible in the outermost loop, with the smallest skew."""
    satisfied = (
        [model.delta[d, 1] for d in range(len(model.pieces))] if model.depth else []
    )
    skew = Linear.total([v for (_, level, _), v in model.theta.items() if level == 0])
    return [("SKEWPAR", Linear.total(satisfied, -1)), ("SKEWPAR skew", skew)]


@objective("MIC", "small coefficients: the plainest of equal schedules")
def minimal_coefficients(model: ScheduleModel) -> Forms:
    """Minimise the sum of all coefficients, shifts and scalar rows.

    Coefficients of outer rows weigh less than those of inner rows of the same sum, so
    that ties keep the original loop order.
    """
    plain, order = Linear(), Linear()
    for v in (*model.theta.values(), *model.constant.values(), *model.beta.values()):
        plain.add(v, 1)
    for (_, level, j), v in model.theta.items():
        order.add(v, abs(level - j))
    return [("MIC", plain), ("MIC order", order)]
