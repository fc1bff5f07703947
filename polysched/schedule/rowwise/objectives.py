"""What a single row may be asked for, and schedulers of the field as ordered lists."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from polysched.base import PolyschedError
from polysched.ilp import Linear
from polysched.ir import LinearRow, Statement
from polysched.schedule.lexicon import stride_weights
from polysched.schedule.rowwise.model import RowModel

RowForms = list[tuple[str, Linear]]
RowFormsOf = Callable[[RowModel], RowForms]
Step = Literal["band", "carry"]


@dataclass(frozen=True)
class RowObjective:
    """One goal for the next row.

    Attributes
    ----------
    name : str
        Short upper-case name.
    summary : str
        What it asks for, in a sentence.
    forms : callable
        Row model to (label, linear form) pairs, minimised in order. It may add
        variables and rows to the model, but none that make it infeasible.
    source : str
        The publication that defines it.
    """

    name: str
    summary: str
    forms: RowFormsOf
    source: str = ""


ROW_OBJECTIVES: dict[str, RowObjective] = {}


def row_objective(
    name: str, summary: str, *, source: str = ""
) -> Callable[[RowFormsOf], RowFormsOf]:
    """Register a function as an objective for rows; the name must be new."""

    def register(forms: RowFormsOf) -> RowFormsOf:
        if name in ROW_OBJECTIVES:
            raise PolyschedError(f"there is a row objective named {name} already")
        ROW_OBJECTIVES[name] = RowObjective(name, summary, forms, source)
        return forms

    return register


def find_row_objective(name: str) -> RowObjective:
    """The row objective of that name; the error lists all names."""
    if name not in ROW_OBJECTIVES:
        known = ", ".join(sorted(ROW_OBJECTIVES))
        raise PolyschedError(f"no row objective named {name!r}; there are: {known}")
    return ROW_OBJECTIVES[name]


_PLUTO = "Bondhugula et al., PLDI 2008"
_ISL = "Verdoolaege and Janssens, KU Leuven CW 706, 2017"


@row_objective("PROX", "short distances of all dependences", source=_PLUTO)
def proximity(model: RowModel) -> RowForms:
    """The least u, then w, with ``u * sum(n) + w`` above every distance."""
    if not model.edges:
        return []
    u, w = model.distance_bound(model.edges)
    return [("PROX u", Linear.of(u)), ("PROX w", Linear.of(w))]


@row_objective("REUSE", "short distances along which values flow", source=_ISL)
def reuse(model: RowModel) -> RowForms:
    """As PROX, for flow dependences alone."""
    flow = [e for e in model.edges if e.flow]
    if not flow:
        return []
    u, w = model.distance_bound(flow)
    return [("REUSE u", Linear.of(u)), ("REUSE w", Linear.of(w))]


@row_objective("COINCIDENT", "a parallel loop where there is one", source=_ISL)
def coincident(model: RowModel) -> RowForms:
    """All distances zero, if that is possible at all."""
    return [("COINCIDENT", Linear.of(model.moving))] if model.edges else []


@row_objective(
    "CARRY", "as many dependences carried as possible", source="Feautrier, IJPP 1992"
)
def carry(model: RowModel) -> RowForms:
    """The number of dependence pieces that the row does not carry."""
    flags = list(model.carried.values())
    form = Linear.total(flags, -1)
    form.constant = len(flags)
    return [("CARRY", form)] if flags else []


@row_objective("CONTIG", "iterators of last subscripts kept for inner rows")
def contiguity(model: RowModel) -> RowForms:
    """The row prefers iterators that are expensive as innermost ones.

    Weights are those of the lexicon's SO, counted from each statement's most
    expensive iterator.
    """
    total = Linear()
    for u in model.units:
        for k, magnitude in model.magnitudes(u):
            weight = sum(_outer_weight(s, u.axes[k][s.name]) for s in u.statements)
            total.add_form(magnitude, weight)
    return [("CONTIG", total)] if total.terms else []


def _outer_weight(s: Statement, row: LinearRow) -> int:
    """What a row costs outside, for its iterators would be cheap inside."""
    weights = stride_weights(s)
    cheap = [max(weights) - w for w in weights]
    return sum(abs(c) * w for c, w in zip(row.coefficients, cheap, strict=True))


@row_objective("COEFF", "small coefficients, outer loops first")
def coefficients(model: RowModel) -> RowForms:
    """Few parameters, then the sum of magnitudes; ties go to outer iterators.

    All in one form: an iterator costs a little more the deeper its loop is, and a
    little more when it is reversed, most in the first statement. Together not enough
    to outweigh a smaller sum.
    """
    bound = model.bounds.coefficient
    total = Linear()
    for position, u in enumerate(model.units):
        n = len(u.axes)
        ties = bound * n * (2 * n + 2)
        for k, magnitude in model.magnitudes(u):
            total.add_form(magnitude, ties + 1 + 2 * k)
        total.add_form(model.reversals(u), 1 if position else 2)
        total.add_form(model.parametric_shift(u), bound * n * (ties + 1) + ties + 1)
    return [("COEFF", total)] if total.terms else []


@row_objective("SHIFT", "small constants")
def shifts(model: RowModel) -> RowForms:
    """The sum of the constants."""
    total = Linear()
    for u in model.units:
        total.add_form(model.shift(u))
    return [("SHIFT", total)]


@dataclass(frozen=True)
class Strategy:
    """A row-by-row scheduler: what it asks of every row, and what makes a band.

    Attributes
    ----------
    name : str
    objectives : tuple of str
        Names of row objectives, most important first.
    step : {"band", "carry"}
        Rows of a band are independent and all respect what the band started with; a
        carrying row need not be independent, must carry something, and what it
        carries is forgotten at once. When nothing is left, rows are those of a band.
    is_patient : bool
        Whether a statement with fewer loops than others of its group may have a row
        that is not independent, as long as there are rows enough left for it.

    Examples
    --------
    A scheduler of one's own that keeps unit strides inside of parallel bands:

    >>> Strategy("mine", ("PROX", "CONTIG", "COEFF", "SHIFT")).step
    'band'
    """

    name: str
    objectives: tuple[str, ...]
    step: Step = "band"
    is_patient: bool = False

    def __post_init__(self) -> None:
        for name in self.objectives:
            find_row_objective(name)
        if self.step == "carry" and "CARRY" not in self.objectives:
            raise PolyschedError(
                f"the objectives of {self.name!r} are {', '.join(self.objectives)}; "
                "steps that carry need CARRY among them"
            )

    def forms(self, model: RowModel, *, carrying: bool = False) -> RowForms:
        """All forms of the objectives, in order; CARRY first for a row that must."""
        names = self.objectives
        if carrying and names[0] != "CARRY":
            names = ("CARRY", *(n for n in names if n != "CARRY"))
        return [f for n in names for f in find_row_objective(n).forms(model)]


STRATEGIES = {
    s.name: s
    for s in (
        Strategy("pluto", ("PROX", "COEFF", "SHIFT")),
        Strategy("isl", ("COINCIDENT", "REUSE", "COEFF", "SHIFT"), is_patient=True),
        Strategy("feautrier", ("CARRY", "COEFF", "SHIFT"), "carry"),
    )
}
