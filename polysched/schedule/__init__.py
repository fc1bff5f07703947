"""schedule: dependences and a recipe in, a proven schedule tree out.

One integer program over all rows of the schedule (Pouchet et al., POPL 2011; Kong and
Pouchet, PLDI 2019; Chelini et al., PACT 2020). May import `analysis`, `ir`, `ilp`,
`machine`, `sets`, `base`.
"""

from polysched.schedule.canonical import canonical_rows
from polysched.schedule.conflict import Conflict, ConflictGroup, PinConflictError
from polysched.schedule.core import Core, find_core
from polysched.schedule.facts import MachineFacts
from polysched.schedule.isl_scheduler import IslBatch, IslVariant, isl_schedule
from polysched.schedule.lexicon import (
    LEXICON,
    Forms,
    Objective,
    Subscripts,
    find_objective,
    is_stencil,
    objective,
    stride_weights,
    subscripts,
)
from polysched.schedule.model import ModelOptions, ScheduleModel, Shape
from polysched.schedule.obey import broken_pins, satisfies, statement_levels
from polysched.schedule.pieces import Piece, cut_dependences
from polysched.schedule.pins import (
    Pin,
    PinFused,
    PinMaxSkew,
    PinParallel,
    PinRow,
    PinSeparate,
    PinVector,
    check_pins,
    parse_pin,
    parse_pins,
    print_pin,
)
from polysched.schedule.price import ObjectiveChange, PinPrice, price_pin
from polysched.schedule.solve import Recipe, Solved, rows_to_tree, solve_recipe

__all__ = [
    "LEXICON",
    "Conflict",
    "ConflictGroup",
    "Core",
    "Forms",
    "IslBatch",
    "IslVariant",
    "MachineFacts",
    "ModelOptions",
    "Objective",
    "ObjectiveChange",
    "Piece",
    "Pin",
    "PinConflictError",
    "PinFused",
    "PinMaxSkew",
    "PinParallel",
    "PinPrice",
    "PinRow",
    "PinSeparate",
    "PinVector",
    "Recipe",
    "ScheduleModel",
    "Shape",
    "Solved",
    "Subscripts",
    "broken_pins",
    "canonical_rows",
    "check_pins",
    "cut_dependences",
    "find_core",
    "find_objective",
    "is_stencil",
    "isl_schedule",
    "objective",
    "parse_pin",
    "parse_pins",
    "price_pin",
    "print_pin",
    "rows_to_tree",
    "satisfies",
    "solve_recipe",
    "statement_levels",
    "stride_weights",
    "subscripts",
]
