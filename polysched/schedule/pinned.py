"""Models that obey pins: the shape of rows gives way where a pin needs another."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace

from polysched.analysis import Dependences
from polysched.base import Deadline
from polysched.ir import Scop
from polysched.schedule.conflict import (
    PinConflictError,
    explain_conflict,
    pinned_options,
)
from polysched.schedule.constrain import require_pin
from polysched.schedule.facts import MachineFacts
from polysched.schedule.model import ModelOptions, ScheduleModel, Shape
from polysched.schedule.pieces import Piece, cut_dependences
from polysched.schedule.pins import Pin, check_pins

_log = logging.getLogger(__name__)

_WIDER: dict[Shape, tuple[Shape, ...]] = {
    "unit": ("unit", "lower", "upper", "any"),
    "turned": ("turned", "unit", "lower", "upper", "any"),
    "lower": ("lower", "upper", "any"),
    "upper": ("upper", "lower", "any"),
    "gathered": ("gathered", "upper", "lower", "any"),
    "any": ("any",),
}
_SOLVE_SECONDS = 5.0


def build_pinned_model(
    scop: Scop,
    dependences: Dependences,
    pins: Sequence[Pin],
    options: ModelOptions,
    deadline: Deadline,
    pieces: tuple[Piece, ...] | None = None,
    machine: MachineFacts | None = None,
) -> ScheduleModel:
    """The model with pins, in the given shape or in the next one that admits them.

    Parameters
    ----------
    scop, dependences, pieces, machine
        As for `ScheduleModel`.
    pins : sequence of Pin
    options : ModelOptions
        The shape to start from; the coefficient bound is raised to what pins fix.
    deadline : Deadline
        Of the search and, when it fails, of the explanation.

    Returns
    -------
    ScheduleModel
        Feasible, as far as was decided in time; its options say which shape.

    Raises
    ------
    PinError
        If a pin names what the SCoP does not have.
    PinConflictError
        If no shape admits the pins; names an irreducible conflict.
    """
    check_pins(pins, scop)
    if pieces is None:
        pieces = cut_dependences(scop, dependences)
    options = pinned_options(options, pins)
    for shape in _WIDER[options.shape]:
        chosen = replace(options, shape=shape)
        model = ScheduleModel(scop, dependences, pieces, chosen, machine)
        for pin in pins:
            require_pin(model, pin)
        seconds = max(0.5, min(_SOLVE_SECONDS, deadline.remaining_seconds()))
        if model.problem.is_feasible(seconds) is not False:
            if shape != options.shape:
                _log.info("pins need the shape %s, not %s", shape, options.shape)
            return model
    raise PinConflictError(explain_conflict(scop, dependences, pins, deadline, pieces))
