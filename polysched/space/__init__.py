"""space: SCoP and policy in, the space of distinct legal schedules out.

Solves recipes, shapes and maps each schedule, proves every final tree, describes and
ranks. After Chelini et al., PACT 2020. May import every room below.
"""

from polysched.space.ask import ISL_VARIANTS, LARGE_ROWWISE, ROWWISE
from polysched.space.build import build_space
from polysched.space.describe import gpu_of
from polysched.space.expression import ExpressionError, check_name
from polysched.space.facts import better_direction, fact_sentence
from polysched.space.loading import load_space
from polysched.space.options import SpaceOptions
from polysched.space.saving import save_spaces, spaces_text
from polysched.space.schedule_space import Schedule, ScheduleSpace, spaces_csv
from polysched.space.selection import check_condition
from polysched.space.size import Dropped, SpaceSize

__all__ = [
    "ISL_VARIANTS",
    "LARGE_ROWWISE",
    "ROWWISE",
    "Dropped",
    "ExpressionError",
    "Schedule",
    "ScheduleSpace",
    "SpaceOptions",
    "SpaceSize",
    "better_direction",
    "build_space",
    "check_condition",
    "check_name",
    "fact_sentence",
    "gpu_of",
    "load_space",
    "save_spaces",
    "spaces_csv",
    "spaces_text",
]
