"""Wrong models, planted on purpose: the oracles of these tests see them."""

from __future__ import annotations

import pytest

from polysched.analysis import compute_dependences
from polysched.base import Deadline
from polysched.ilp import Linear
from polysched.ir import Rows, Scop, Statement
from polysched.schedule import LEXICON, ModelOptions, ScheduleModel
from tests.unit import scops
from tests.unit.schedule.programs import fdtd_2d
from tests.unit.schedule.solving import is_parallel, matrix, rank


class DeltaOnly(ScheduleModel):
    """The published psi: ``psi + delta <= 1``, no word on the distance itself."""

    def parallel(self, statement: str, level: int) -> int:
        known = self._psi.get((statement, level))
        if known is not None:
            return known
        psi = self.problem.add_variable(0, 1)
        self._psi[statement, level] = psi
        for d, piece in enumerate(self.pieces):
            if statement in (piece.source, piece.sink):
                delta = self.delta[d, 2 * level + 1]
                limit = Linear({psi: -1, delta: -1}, 1)
                self.problem.require_nonnegative(limit, "parallel")
        return psi


class SumsOnly(ScheduleModel):
    """The published rows: no zero row, no iterator without use, no rank."""

    def _add_shape(self, s: Statement) -> None:
        for k in range(s.n_loops):
            row = [self.theta[s.name, k, j] for j in range(s.n_loops)]
            column = [self.theta[s.name, j, k] for j in range(s.n_loops)]
            for line in (row, column):
                form = Linear.total(line)
                form.constant -= 1
                self.problem.require_nonnegative(form, "rank")


def answer(
    make: type[ScheduleModel], program: Scop, objectives: str, shape: str
) -> tuple[ScheduleModel, tuple[int, ...], dict[str, Rows]]:
    model = make(
        program, compute_dependences(program), options=ModelOptions(shape=shape)
    )
    forms = [f for name in objectives.split() for f in LEXICON[name].forms(model)]
    point = model.problem.lexmin(forms, Deadline()).values
    return model, point, model.read_rows(point)


def false_claims(
    model: ScheduleModel, point: tuple[int, ...], rows: dict[str, Rows]
) -> list[tuple[str, int]]:
    """Loops that psi calls parallel and isl does not."""
    return [
        (name, level)
        for (name, level), psi in model._psi.items()
        if point[psi]
        and not is_parallel(model.scop, model.dependences, rows, name, level)
    ]


STENCILS = pytest.mark.parametrize(
    "program",
    [scops.jacobi_1d(), scops.gauss_seidel(), fdtd_2d()],
    ids=lambda p: p.name,
)


@STENCILS
def test_psi_by_delta_alone_claims_outer_loops_that_are_not_parallel(
    program: Scop,
) -> None:
    model, point, rows = answer(DeltaOnly, program, "OP MIC", "lower")
    assert false_claims(model, point, rows)


@STENCILS
def test_the_exact_psi_claims_none(program: Scop) -> None:
    model, point, rows = answer(ScheduleModel, program, "OP IP MIC", "lower")
    assert {level for _, level in model._psi} == {0, len(rows["S0"].linear) - 1}
    assert false_claims(model, point, rows) == []


def test_sums_alone_let_a_singular_schedule_pass() -> None:
    # t moves no element, so both inner rows take it once the wavefront has used i and j
    program = scops.gauss_seidel()
    _, _, rows = answer(SumsOnly, program, "SKEWPAR RREUSE MIC", "upper")
    assert matrix(rows["S0"]) == [(2, 1, 1), (1, 0, 0), (1, 0, 0)]
    assert rank(rows["S0"], 3) == 2


def test_the_triangular_rows_have_full_rank() -> None:
    program = scops.gauss_seidel()
    _, _, rows = answer(ScheduleModel, program, "SKEWPAR RREUSE MIC", "upper")
    assert matrix(rows["S0"])[0] == (2, 1, 1)
    assert rank(rows["S0"], 3) == 3
