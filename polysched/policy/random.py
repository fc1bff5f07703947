"""Recipes and scripts drawn at random: the legal space itself, to compare with."""

from __future__ import annotations

from functools import partial
from random import Random

from polysched.analysis import Dependences
from polysched.ir import Scop
from polysched.policy.policy import Policy
from polysched.schedule import PARTITIONS, WHOLE, Recipe, Shape
from polysched.transform import sample_scripts

N_RECIPES = 32
SHAPES: tuple[Shape, ...] = ("unit", "unit", "lower", "upper", "any")
_WHOLE_SHARE = 0.5  # of the recipes schedule all statements together
_SEEDS_PER_POLICY = 1_000  # far more than recipes, so that policies share none


def random_policy(seed: int) -> Policy:
    """Random legal schedules: random directions, row shapes, partitions, scripts.

    Every schedule is proven and described as any other is. The same seed gives the same
    schedules, unless a time limit cuts a solve short.

    Parameters
    ----------
    seed : int
        Policies of different seeds have no recipe in common.
    """

    def choose(scop: Scop, dependences: Dependences) -> tuple[Recipe, ...]:
        draw = Random(f"recipes {seed}")
        partitions = [name for name in PARTITIONS if name != WHOLE]
        found = []
        for k in range(N_RECIPES):
            whole = len(scop.statements) < 2 or draw.random() < _WHOLE_SHARE
            found.append(
                Recipe(
                    (f"RANDOM{seed * _SEEDS_PER_POLICY + k}", "MIC"),
                    draw.choice(SHAPES),
                    WHOLE if whole else draw.choice(partitions),
                )
            )
        return tuple(found)

    return Policy(
        f"random:{seed}" if seed else "random",
        "schedules drawn at random from the legal space",
        choose,
        scripts=partial(sample_scripts, seed=seed),
    )
