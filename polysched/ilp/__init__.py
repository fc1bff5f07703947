"""ilp: integer programs with ordered objectives; the only room that speaks to a solver.

Takes `Problem`, gives `Solution` with one `Stage` per objective. May import `base`.
"""

from polysched.ilp.conflict import Bundles, Culprits, find_conflict, find_relaxation
from polysched.ilp.effort import SECOND, Effort
from polysched.ilp.known import Known
from polysched.ilp.linear import Linear
from polysched.ilp.problem import Problem, Solution, Stage, is_satisfied
from polysched.ilp.soft import choose_given_up

__all__ = [
    "SECOND",
    "Bundles",
    "Culprits",
    "Effort",
    "Known",
    "Linear",
    "Problem",
    "Solution",
    "Stage",
    "choose_given_up",
    "find_conflict",
    "find_relaxation",
    "is_satisfied",
]
