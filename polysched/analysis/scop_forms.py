"""How work and data of a SCoP grow with its parameters, as formulas."""

from __future__ import annotations

from dataclasses import dataclass

import islpy as isl

from polysched.analysis.counting import ClosedForm, count_points
from polysched.analysis.program_features import operation_count
from polysched.ir import Scop, Statement
from polysched.sets import n_dims


@dataclass(frozen=True)
class StatementForms:
    """How often a statement and the loops around it run.

    Attributes
    ----------
    name : str
        Of the statement.
    trips : tuple of ClosedForm
        Iterations of each loop over the whole run, outermost first; those that run the
        statement at least once.
    instances : ClosedForm
        Executions of the statement.
    operations : ClosedForm
        Arithmetic operations of all of them, as `operation_count` counts.
    """

    name: str
    trips: tuple[ClosedForm, ...]
    instances: ClosedForm
    operations: ClosedForm


@dataclass(frozen=True)
class ArrayForms:
    """What of an array the SCoP touches.

    Attributes
    ----------
    name : str
        Of the array.
    elements : ClosedForm
        Different elements read or written; those of one copy, where each iteration of
        some loops has a private one.
    footprint_bytes : ClosedForm
        The same in bytes.
    """

    name: str
    elements: ClosedForm
    footprint_bytes: ClosedForm


@dataclass(frozen=True)
class ClosedForms:
    """Formulas of a SCoP.

    Attributes
    ----------
    statements : tuple of StatementForms
        In source order.
    arrays : tuple of ArrayForms
        In order of first use; scalars and arrays that are never touched are left out.
    operations : ClosedForm
        Arithmetic operations of all statements.
    """

    statements: tuple[StatementForms, ...]
    arrays: tuple[ArrayForms, ...]
    operations: ClosedForm

    def to_json(self) -> dict[str, object]:
        """The formulas as text; null where there is none."""
        return {
            "operations": _text(self.operations),
            "statements": [
                {
                    "name": s.name,
                    "trips": [_text(t) for t in s.trips],
                    "instances": _text(s.instances),
                    "operations": _text(s.operations),
                }
                for s in self.statements
            ],
            "arrays": [
                {
                    "name": a.name,
                    "elements": _text(a.elements),
                    "bytes": _text(a.footprint_bytes),
                }
                for a in self.arrays
            ],
        }


def closed_forms(scop: Scop) -> ClosedForms:
    """Operations, trip counts and footprints of a SCoP in terms of its parameters.

    Every formula is exact, or says why there is none. Accesses that are not affine
    count every element they may touch.

    Parameters
    ----------
    scop : Scop
        With sizes as parameters or as constants.
    """
    context = scop.context
    weighted = [(s.domain, _operations(s)) for s in scop.statements]
    images = {a.name: _touched(scop, a.name) for a in scop.arrays if not a.is_scalar}
    return ClosedForms(
        tuple(_statement_forms(s, context) for s in scop.statements),
        tuple(
            _array_forms(scop, name, image)
            for name, image in images.items()
            if image is not None
        ),
        count_points([pair for pair in weighted if pair[1]], context),
    )


def _statement_forms(statement: Statement, context: isl.Set) -> StatementForms:
    domain = statement.domain
    depth = n_dims(domain)
    inner = [
        domain.project_out(isl.dim_type.set, k + 1, depth - k - 1) for k in range(depth)
    ]
    trips = tuple(count_points(s, context) for s in inner)
    instances = trips[-1] if trips else count_points(domain, context)
    n_operations = _operations(statement)
    operations = (
        instances.scaled(n_operations) if n_operations else count_points([], context)
    )
    return StatementForms(statement.name, trips, instances, operations)


def _array_forms(scop: Scop, name: str, touched: isl.Set) -> ArrayForms:
    elements = count_points(touched, scop.context)
    n_bytes = scop.array(name).type.n_bytes
    return ArrayForms(name, elements, elements.scaled(n_bytes))


def _operations(statement: Statement) -> int:
    return sum(operation_count(action) for action in statement.body)


def _touched(scop: Scop, array: str) -> isl.Set | None:
    """The elements that some statement reads or writes; None when there is none."""
    images = []
    for statement, access in scop.iter_accesses():
        if access.array == array:
            domain = statement.domain.intersect_params(scop.context)
            images.append(access.relation.intersect_domain(domain).range())
    if not images:
        return None
    total = images[0]
    for image in images[1:]:
        total = total.union(image)
    return total.project_out(isl.dim_type.set, 0, scop.array(array).n_expanded)


def _text(form: ClosedForm) -> str | None:
    return str(form) if form.exact else None
