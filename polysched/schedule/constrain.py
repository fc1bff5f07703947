"""Pins as rows of the integer program, each in a group of its own."""

from __future__ import annotations

from polysched.ilp import Linear
from polysched.schedule.model import ScheduleModel
from polysched.schedule.pins import (
    Pin,
    PinFused,
    PinMaxSkew,
    PinParallel,
    PinRow,
    PinSeparate,
    PinVector,
)


def pin_group(pin: Pin) -> str:
    """The name of the group that holds a pin's rows."""
    return f"pin {pin}"


def require_pin(model: ScheduleModel, pin: Pin) -> None:
    """Add a pin's rows to a model; the pin must fit the SCoP (`check_pins`)."""
    group = pin_group(pin)
    match pin:
        case PinRow(name, level, coefficients, is_open):
            _require_row(model, name, level, dict(coefficients), is_open, group)
        case PinParallel(name, level):
            _require_parallel(model, name, level, group)
        case PinVector(name, iterator):
            last = model.inner_level(name)
            _require_row(model, name, last, {iterator: 1}, False, group, signed=False)
            _require_parallel(model, name, last, group)
        case PinFused(first, second, depth):
            for k in range(depth):
                form = Linear({model.beta[first, k]: 1, model.beta[second, k]: -1})
                model.problem.require_zero(form, group)
        case PinSeparate(first, second, depth):
            apart = _add_apart(model, first, second, depth, group)
            model.problem.require_nonnegative(Linear({apart: 1}, -1), group)
        case PinMaxSkew(value):
            _require_skew(model, value, group)


def _require_row(
    model: ScheduleModel,
    name: str,
    level: int,
    coefficients: dict[str, int],
    is_open: bool,
    group: str,
    signed: bool = True,
) -> None:
    """Fix coefficients of C iterators; the model's run along each loop's direction."""
    s = model.scop.statement(name)
    for j, iterator in enumerate(s.iterators):
        if is_open and iterator not in coefficients:
            continue
        way = model.directions[name][j] if signed else 1
        wanted = coefficients.get(iterator, 0) * way
        form = Linear({model.theta[name, level, j]: 1}, -wanted)
        model.problem.require_zero(form, group)


def _require_parallel(model: ScheduleModel, name: str, level: int, group: str) -> None:
    """No dependence between statements of one loop has a distance along it.

    A piece D : R -> T counts unless an outer row satisfies it, or R or T is not in the
    loop with the named statement (`_add_apart`)::

        K*(sum(n) + 1)*(sum_{k < 2l+1} delta_k + apart_R + apart_T)
            - (row_T - row_R) >= 0   on D

    This is the exact system of parallelism (`ScheduleModel.parallel`) for the loop
    instead of for one statement in it: others in the loop must not carry anything
    either.
    """
    apart: dict[str, int] = {}
    for d, piece in enumerate(model.pieces):
        slack = Linear.total([model.delta[d, k] for k in range(2 * level + 1)])
        for other in sorted({piece.source, piece.sink} - {name}):
            if other not in apart:
                apart[other] = _add_apart(model, other, name, level + 1, group)
            slack.add(apart[other], 1)
        groups = (group, model.dependence_group(d))
        model.require_on_piece(d, level, -1, Linear(), slack, groups)


def _add_apart(
    model: ScheduleModel, first: str, second: str, depth: int, group: str
) -> int:
    """A boolean that is 1 only if one of the first `depth` scalar rows differs."""
    problem = model.problem
    apart = problem.add_variable(0, 1)
    either = Linear({apart: -1})
    big = model.beta_bound + 1
    for k in range(depth):
        for late, early in ((first, second), (second, first)):
            follows = problem.add_variable(0, 1)
            either.add(follows, 1)
            gap = Linear({follows: -big}, big - 1)
            gap.add(model.beta[late, k], 1)
            gap.add(model.beta[early, k], -1)
            problem.require_nonnegative(gap, group)
    problem.require_nonnegative(either, group)
    return apart


def _require_skew(model: ScheduleModel, value: int, group: str) -> None:
    """Off-pivot coefficients of every row; the pivot's is 1 in every shape."""
    for s in model.scop.statements:
        for level in range(s.n_loops):
            form = Linear.total(list(model.row_form(s.name, level).values()), -1)
            form.constant = value + 1
            model.problem.require_nonnegative(form, group)
