"""Walking a space: filter, sort, Pareto front, sample, neighbours.

Every selection is a new space that shares all else with the old one; what it leaves out
is among its dropped candidates, with the reason.
"""

from __future__ import annotations

import math
import random
import re
from collections import Counter
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Literal, TypeVar, get_args

from polysched.analysis import FEATURES
from polysched.base import PolyschedError
from polysched.space.expression import Expression, ExpressionError, check_name, is_true
from polysched.space.facts import better_direction, fact_names
from polysched.space.size import Dropped, SpaceSize
from polysched.space.vectors import (
    Vectors,
    nearest_positions,
    normalise,
    pareto_positions,
    read_vectors,
    spread_positions,
)
from polysched.transform import Script

if TYPE_CHECKING:
    from polysched.space.schedule_space import Schedule

S = TypeVar("S", bound="Selection")
_OBJECTIVE_FACT = re.compile(r"\b(?:value|bound|seconds)_\w+")
Nearness = Literal["features", "affine", "step"]


def check_condition(text: str) -> None:
    """Refuse a condition or formula that no space can evaluate, before there is one.

    Raises
    ------
    ExpressionError
        As `Selection.filter`; objectives may have any name.
    """
    Expression.parse(text, (*fact_names(()), *_OBJECTIVE_FACT.findall(text)))


class Selection:
    """What can be chosen from the schedules of a space without building it anew.

    Attributes
    ----------
    schedules : tuple of Schedule
    dropped : tuple of Dropped
    size : SpaceSize
    """

    schedules: tuple[Schedule, ...]
    dropped: tuple[Dropped, ...]
    size: SpaceSize

    def with_schedules(
        self: S, schedules: Sequence[Schedule], dropped: Sequence[Dropped]
    ) -> S:
        """The same space with other schedules, and with more that was dropped."""
        raise NotImplementedError

    def find(self, schedule_id: str) -> Schedule:
        """The schedule whose id starts with `schedule_id`."""
        raise NotImplementedError

    @property
    def fact_names(self) -> tuple[str, ...]:
        """Names that conditions may use: features, prediction, objectives."""
        return fact_names(s.facts for s in self.schedules)

    def filter(self: S, condition: str | Callable[[Schedule], object]) -> S:
        """The schedules for which a condition holds.

        Parameters
        ----------
        condition : str or callable
            A condition over `fact_names` such as ``"outer_parallel > 0"``, with
            comparisons, ``and``, ``or``, ``not``, arithmetic, ``abs``, ``min`` and
            ``max``; or a function of a schedule.

        Raises
        ------
        ExpressionError
            If the text is no condition, names no feature, or divides by zero.
        """
        if callable(condition):
            kept = [bool(condition(s)) for s in self.schedules]
            name = getattr(condition, "__name__", type(condition).__name__)
            return self._keep(kept, f"filtered out by {name}")
        expression = Expression.parse(condition, self.fact_names)
        kept = [is_true(_evaluate(expression, s)) for s in self.schedules]
        return self._keep(kept, f"filtered out by {condition.strip()}")

    def sort(
        self: S,
        key: str | Callable[[Schedule], float],
        *,
        descending: bool | None = None,
    ) -> S:
        """The same schedules in another order; equals keep theirs, unknowns come last.

        Parameters
        ----------
        key : str or callable
            A formula over `fact_names`, or a function of a schedule.
        descending : bool, optional
            By default the better value of a feature comes first, and the smaller value
            of anything else.
        """
        values = self._values(key)
        if descending is None:
            is_name = isinstance(key, str) and key.strip() in self.fact_names
            better = better_direction(str(key).strip()) if is_name else "low"
            descending = better == "high"
        sign = -1.0 if descending else 1.0
        ranks = [math.inf if math.isnan(v) else sign * v for v in values]
        order = sorted(
            range(len(ranks)), key=lambda k: (math.isnan(values[k]), ranks[k])
        )
        return self.with_schedules([self.schedules[k] for k in order], ())

    def pareto(self: S, *features: str) -> S:
        """The schedules that no other beats in all of some features.

        Parameters
        ----------
        *features : str
            Names from `fact_names`; which direction is better is known for each. A
            schedule without a value for one of them is not on the front.
        """
        if not features:
            raise PolyschedError(
                "a Pareto front needs features, found none",
                hint='for example pareto("outer_parallel", "stride_score")',
            )
        names = self.fact_names
        for name in features:
            check_name(name, names)
        better = [better_direction(name) for name in features]
        front = set(pareto_positions(self._vectors(features), better))
        kept = [k in front for k in range(len(self.schedules))]
        return self._keep(kept, f"not on the Pareto front of {', '.join(features)}")

    def sample(self: S, n: int, *, diverse: bool = True, seed: int = 0) -> S:
        """At most `n` of the schedules, in their order.

        Parameters
        ----------
        n : int
            How many, at least one.
        diverse : bool
            Spread over the features: first the schedule predicted fastest, then always
            the one farthest from all before. Otherwise drawn at random.
        seed : int
            Of the random draw; the diverse sample involves no chance.
        """
        if n < 1:
            raise PolyschedError(f"found a sample of {n}, expected at least one")
        if n >= len(self.schedules):
            return self
        if diverse:
            first = self._fastest()
            chosen = set(spread_positions(self._normalised(), n, first))
            reason = f"not sampled: {n} are spread over the features"
        else:
            everything = range(len(self.schedules))
            chosen = set(random.Random(seed).sample(everything, n))
            reason = f"not sampled: {n} are drawn at random"
        return self._keep([k in chosen for k in range(len(self.schedules))], reason)

    def neighbours(
        self: S,
        schedule: str | Schedule,
        n: int | None = None,
        *,
        by: Nearness = "features",
    ) -> S:
        """Schedules near one of the space, itself left out.

        Parameters
        ----------
        schedule : str or Schedule
            Of this space, or the first digits of its id.
        n : int, optional
            At most so many, the nearest in features; all by default.
        by : {"features", "affine", "step"}
            All others; those of the same affine schedule; those of them whose scripts
            differ in one step: added, left out, or changed.
        """
        if by not in get_args(Nearness):
            raise PolyschedError(
                f"found neighbours by {by!r}, expected one of "
                f"{', '.join(get_args(Nearness))}"
            )
        wanted = schedule if isinstance(schedule, str) else schedule.id
        center = self.find(wanted)
        position = self.schedules.index(center)
        near = [
            k
            for k in nearest_positions(self._normalised(), position)
            if _is_near(center, self.schedules[k], by)
        ]
        found = [self.schedules[k] for k in near[:n]]
        reason = f"not a neighbour of {center.id}"
        others = [s for s in self.schedules if s not in found]
        return self.with_schedules(found, [_drop(s, reason) for s in others])

    def ranges(self) -> dict[str, tuple[float, float]]:
        """Least and greatest value of every feature that varies."""
        found = {}
        for name in self.fact_names:
            values = [s.facts[name] for s in self.schedules if name in s.facts]
            if values and min(values) < max(values):
                found[name] = (min(values), max(values))
        return found

    def drop_counts(self) -> dict[str, int]:
        """How many candidates were dropped for each kind of reason, most first."""
        return dict(Counter(d.kind for d in self.dropped).most_common())

    def summary(self) -> dict[str, float]:
        """Numbers of the space as a whole.

        The stages of `size`; ``distinct_vectors``: schedules that differ in some
        feature; ``illegal``: variants that the proof refused; ``legal_share``: legal
        variants among those that were proven either way.
        """
        vectors = {tuple(s.features.values()) for s in self.schedules}
        illegal = self.drop_counts().get("illegal", 0)
        legal = self.size.distinct
        return {
            "asked": self.size.asked,
            "solved": self.size.solved,
            "distinct": legal,
            "kept": self.size.kept,
            "distinct_vectors": len(vectors),
            "illegal": illegal,
            "legal_share": legal / (legal + illegal) if legal + illegal else 0.0,
        }

    def _keep(self: S, kept: Sequence[bool], reason: str) -> S:
        pairs = list(zip(self.schedules, kept, strict=True))
        lost = [_drop(s, reason) for s, is_kept in pairs if not is_kept]
        return self.with_schedules([s for s, is_kept in pairs if is_kept], lost)

    def _values(self, key: str | Callable[[Schedule], float]) -> list[float]:
        if callable(key):
            return [float(key(s)) for s in self.schedules]
        expression = Expression.parse(key, self.fact_names)
        return [_evaluate(expression, s) for s in self.schedules]

    def _vectors(self, names: Sequence[str]) -> Vectors:
        rows = [[s.facts.get(n, math.nan) for n in names] for s in self.schedules]
        return read_vectors(rows, len(names))

    def _normalised(self) -> Vectors:
        rows = [[s.features.get(n, 0.0) for n in FEATURES] for s in self.schedules]
        return normalise(read_vectors(rows, len(FEATURES)))

    def _fastest(self) -> int:
        seconds = [s.facts.get("predicted_seconds", math.inf) for s in self.schedules]
        return seconds.index(min(seconds))


def _evaluate(expression: Expression, schedule: Schedule) -> float:
    try:
        return expression.evaluate(schedule.facts)
    except ExpressionError as error:
        raise ExpressionError(
            f"{error.message} for schedule {schedule.id}", hint=error.hint
        ) from error


def _drop(schedule: Schedule, reason: str) -> Dropped:
    return Dropped(f"{schedule.id} ({'>'.join(schedule.objectives)})", reason)


def _is_near(center: Schedule, other: Schedule, by: Nearness) -> bool:
    if by == "features":
        return True
    same = center.affine.key == other.affine.key
    if by == "affine" or not same:
        return same
    return _is_one_step_apart(center.script, other.script)


def _is_one_step_apart(a: Script, b: Script) -> bool:
    """Whether adding, leaving out or changing one step makes the scripts equal."""
    if len(a) > len(b):
        a, b = b, a
    if len(b) - len(a) > 1 or a == b:
        return False
    first = next((k for k, step in enumerate(a) if step != b[k]), len(a))
    rest = a[first:] if len(a) < len(b) else a[first + 1 :]
    return rest == b[first + 1 :]
