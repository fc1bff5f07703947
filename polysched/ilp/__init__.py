"""ilp: integer programs with ordered objectives; the only room that speaks to a solver.

Takes `Problem`, gives `Solution` with one `Stage` per objective. May import `base`.
"""

from polysched.ilp.linear import Linear
from polysched.ilp.problem import Problem, Solution, Stage, is_satisfied

__all__ = ["Linear", "Problem", "Solution", "Stage", "is_satisfied"]
