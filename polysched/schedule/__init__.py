"""schedule: dependences and a recipe in, a proven schedule tree out.

One integer program over all rows of the schedule (Pouchet et al., POPL 2011; Kong and
Pouchet, PLDI 2019; Chelini et al., PACT 2020). May import `analysis`, `ir`, `ilp`,
`sets`, `base`.
"""

from polysched.schedule.canonical import canonical_rows
from polysched.schedule.core import Core, find_core
from polysched.schedule.isl_scheduler import IslBatch, IslVariant, isl_schedule
from polysched.schedule.lexicon import (
    LEXICON,
    Objective,
    find_objective,
    objective,
    stride_weights,
)
from polysched.schedule.model import ModelOptions, ScheduleModel, Shape
from polysched.schedule.pieces import Piece, cut_dependences
from polysched.schedule.solve import Recipe, Solved, rows_to_tree, solve_recipe

__all__ = [
    "LEXICON",
    "Core",
    "IslBatch",
    "IslVariant",
    "ModelOptions",
    "Objective",
    "Piece",
    "Recipe",
    "ScheduleModel",
    "Shape",
    "Solved",
    "canonical_rows",
    "cut_dependences",
    "find_core",
    "find_objective",
    "isl_schedule",
    "objective",
    "rows_to_tree",
    "solve_recipe",
    "stride_weights",
]
