"""Spaces and tunings made by hand: no compiler, no solver, no clock."""

from __future__ import annotations

from dataclasses import fields, replace

from polysched.ir import Assign, Binary, Const, Expr, Iter, Load, Statement, types
from polysched.records import Failure, Measurement, Outcome
from polysched.space import ScheduleSpace, SpaceOptions
from polysched.tune import MeasuredVariant, TuneResult
from polysched.workflow import ProgramSpace, Tuned
from tests.unit.space.made import gemm_space


def program_space() -> ProgramSpace:
    """The seven schedules of gemm for sizes that are known; there is no file."""
    space = gemm_space()
    scop = replace(
        space.scop,
        statements=tuple(_computed(s) for s in space.scop.statements),
    )
    space = replace(space, scop=scop)
    values = {f.name: getattr(space, f.name) for f in fields(ScheduleSpace)}
    return ProgramSpace(
        **values, program=None, options=SpaceOptions(parameters={"n": 1000})
    )


def _computed(statement: Statement) -> Statement:
    """The statement with a body: what is written becomes the product of the reads."""
    loads = [
        Load(a.array, tuple(Iter(n) for n in statement.iterators[:2]), types.DOUBLE)
        for a in statement.accesses
    ]
    product: Expr = loads[0]
    for load in loads[1:-1]:
        product = Binary("*", product, load)
    value = Binary("+", product, Const(1.0, types.DOUBLE, "1.0"))
    return replace(statement, body=(Assign(loads[-1], "=", value),))


def tuned_gemm() -> Tuned:
    """Six trials: fast, slow, wrong, failed; the first one wins."""
    space = program_space()
    tried = [v for v in space.variants if v.id != space.original.id]
    outcomes: list[Outcome] = [
        Measurement((0.05, 0.051, 0.052)),
        Measurement((0.2,), max_relative_error=1e-16),
        Measurement((0.01,), matches=False),
        Failure("compile", "error: <b>no</b>\nmore"),
        Measurement((0.4,)),
        Measurement((0.09,)),
    ]
    result = TuneResult(
        "gemm",
        Measurement((0.3, 0.31)),
        tuple(
            MeasuredVariant(v.id, v.predicted_seconds, outcome)
            for v, outcome in zip(tried, outcomes, strict=True)
        ),
        n_threads=2,
    )
    return Tuned(space, tuple(tried), result)
