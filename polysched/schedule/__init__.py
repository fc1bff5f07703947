"""schedule: dependences and a recipe in, a proven schedule tree out.

One integer program over all rows of the schedule (Pouchet et al., POPL 2011; Kong and
Pouchet, PLDI 2019; Chelini et al., PACT 2020). May import `analysis`, `ir`, `ilp`,
`machine`, `sets`, `base`.
"""

from polysched.schedule.canonical import canonical_rows
from polysched.schedule.conflict import Conflict, ConflictGroup, PinConflictError
from polysched.schedule.core import Core, find_core
from polysched.schedule.diagonals import Rowwise, turn_diagonals
from polysched.schedule.facts import MachineFacts
from polysched.schedule.isl_scheduler import IslBatch, IslVariant, isl_schedule
from polysched.schedule.joined import Joined, join_statements
from polysched.schedule.lexicon import (
    LEXICON,
    Forms,
    Objective,
    Subscripts,
    find_objective,
    has_objective,
    is_stencil,
    objective,
    objective_family,
    stride_weights,
    subscripts,
)
from polysched.schedule.model import ModelOptions, ScheduleModel, Shape
from polysched.schedule.obey import broken_pins, satisfies, statement_levels
from polysched.schedule.partition import (
    PARTITIONS,
    Partition,
    find_partition,
    partition,
    split_statements,
)
from polysched.schedule.partitioned import (
    recipe_parts,
    solve_partitioned,
    solve_recipe,
)
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
from polysched.schedule.solve import WHOLE, Part, Recipe, Solved, rows_to_tree
from polysched.schedule.turned import has_gathered_updates, has_scattered_updates

__all__ = [
    "LEXICON",
    "PARTITIONS",
    "WHOLE",
    "Conflict",
    "ConflictGroup",
    "Core",
    "Forms",
    "IslBatch",
    "IslVariant",
    "Joined",
    "MachineFacts",
    "ModelOptions",
    "Objective",
    "ObjectiveChange",
    "Part",
    "Partition",
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
    "Rowwise",
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
    "find_partition",
    "has_gathered_updates",
    "has_objective",
    "has_scattered_updates",
    "is_stencil",
    "isl_schedule",
    "join_statements",
    "objective",
    "objective_family",
    "parse_pin",
    "parse_pins",
    "partition",
    "price_pin",
    "print_pin",
    "recipe_parts",
    "rows_to_tree",
    "satisfies",
    "solve_partitioned",
    "solve_recipe",
    "split_statements",
    "statement_levels",
    "stride_weights",
    "subscripts",
    "turn_diagonals",
]
