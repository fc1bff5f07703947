"""Random directions: objectives that reach any part of the space of legal schedules."""

from __future__ import annotations

from random import Random

from polysched.ilp import Linear
from polysched.schedule.lexicon.registry import Forms, objective_family
from polysched.schedule.model import ScheduleModel

WEIGHTS = (-2, -1, 1, 2, 3)  # more of them ask for small coefficients than for large
DENSITIES = (0.25, 0.5, 1.0)


@objective_family(
    "RANDOM", "a direction in the space of legal schedules, drawn by its number"
)
def random_direction(model: ScheduleModel, seed: int) -> Forms:
    """Minimise random weights over theta, beta and, every second time, delta.

    The number after the name is the seed: ``RANDOM7`` asks the same of a program every
    time. Only a share of the variables has a weight, so that what stands behind in the
    list decides the rest; with MIC there, most schedules have small coefficients and
    some have large ones. Shifts are left to it. What comes out is what legality alone
    permits, good or bad: a sample to compare other objectives with.
    """
    draw = Random(f"direction {seed}")
    density = draw.choice(DENSITIES)
    variables = [*model.theta.values(), *model.beta.values()]
    if draw.random() < 0.5:
        variables += model.delta.values()
    form = Linear()
    for variable in variables:
        if draw.random() < density:
            form.add(variable, draw.choice(WEIGHTS))
    return [(f"RANDOM{seed}", form)]
