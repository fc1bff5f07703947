"""space: SCoP and policy in, the space of distinct legal schedules out.

Solves recipes, shapes and maps each schedule, proves every final tree, describes and
ranks. After Chelini et al., PACT 2020. May import every room below.
"""

from polysched.space.build import SpaceOptions, build_space
from polysched.space.schedule_space import Dropped, Schedule, ScheduleSpace, SpaceSize

__all__ = [
    "Dropped",
    "Schedule",
    "ScheduleSpace",
    "SpaceOptions",
    "SpaceSize",
    "build_space",
]
