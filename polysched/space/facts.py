"""All numbers of a schedule: its features, its prediction, how the solver fared."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence

from polysched.analysis import BETTER, DEVICE_FEATURES, FEATURES, Better
from polysched.ilp import Stage

_OWN: dict[str, tuple[Better, str]] = {
    "predicted_seconds": ("low", "seconds of one run, by the cost model"),
    "n_objectives": ("high", "objectives minimised one after another"),
    "n_proven": ("high", "objectives whose value is proven to be the least"),
    "solver_seconds": ("low", "seconds that the solver spent on all objectives"),
}
_PREFIXES: dict[str, tuple[Better, str]] = {
    "value_": ("low", "value of the objective"),
    "bound_": ("low", "proven lower bound of the objective"),
    "seconds_": ("low", "seconds that the solver spent on the objective"),
}


def schedule_facts(
    features: Mapping[str, float],
    predicted_seconds: float | None,
    stages: Sequence[Stage],
) -> dict[str, float]:
    """The numbers of one schedule by name; what is not known is left out.

    Parameters
    ----------
    features : mapping of str to float
        From `schedule_features`.
    predicted_seconds : float or None
        None when the cost model has no opinion.
    stages : sequence of Stage
        Each gives ``value_NAME``, ``bound_NAME`` and ``seconds_NAME``; characters that
        no name can have become underscores.
    """
    facts = dict(features)
    if predicted_seconds is not None:
        facts["predicted_seconds"] = predicted_seconds
    facts["n_objectives"] = float(len(stages))
    facts["n_proven"] = float(sum(s.status == "optimal" for s in stages))
    facts["solver_seconds"] = sum(s.seconds for s in stages)
    for stage in stages:
        name = re.sub(r"\W", "_", stage.name)
        numbers = (stage.value, stage.bound, stage.seconds)
        for prefix, number in zip(_PREFIXES, numbers, strict=True):
            if number is not None and math.isfinite(number):
                facts[f"{prefix}{name}"] = float(number)
    return facts


def fact_names(all_facts: Iterable[Mapping[str, float]]) -> tuple[str, ...]:
    """Every name there is: the features, what every schedule has, then objectives."""
    names = dict.fromkeys([*FEATURES, *_OWN])
    for facts in all_facts:
        names.update(dict.fromkeys(facts))
    return tuple(names)


def better_direction(name: str) -> Better:
    """Whether less or more of a fact is better; less where nobody has said."""
    if name in BETTER:
        return BETTER[name]
    known = [
        better for start, (better, _) in _PREFIXES.items() if name.startswith(start)
    ]
    return _OWN[name][0] if name in _OWN else known[0] if known else "low"


def fact_sentence(name: str) -> str:
    """What a fact counts."""
    if name in FEATURES:
        return FEATURES[name]
    if name in DEVICE_FEATURES:
        return DEVICE_FEATURES[name]
    if name in _OWN:
        return _OWN[name][1]
    told = [t for start, (_, t) in _PREFIXES.items() if name.startswith(start)]
    return told[0] if told else name
