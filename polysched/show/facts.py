"""Which numbers of a space to show first, and how."""

from __future__ import annotations

import math
from collections.abc import Callable

from polysched.base import print_bytes, print_number, print_seconds
from polysched.space import Schedule, ScheduleSpace

FIRST = (
    "predicted_seconds", "outer_parallel", "parallel_level", "n_parallel_loops",
    "max_band_depth", "stride_score", "fusion_score", "is_tiled", "tile_fill",
)  # fmt: skip
ON_AXES = (
    "predicted_seconds", "outer_parallel", "n_parallel_loops", "max_band_depth",
    "stride_score", "fusion_score", "operations_per_byte", "tile_fill", "code_size",
    "n_lines",
)  # fmt: skip


def known_facts(space: ScheduleSpace) -> list[str]:
    """Names of the facts that some schedule has, those that matter most first."""
    names = [n for n in space.fact_names if any(n in s.facts for s in space)]
    return sorted(names, key=lambda n: FIRST.index(n) if n in FIRST else len(FIRST))


def main_facts(space: ScheduleSpace, n: int = 7) -> list[str]:
    """The few facts that tell schedules apart best."""
    names = [x for x in known_facts(space) if x in FIRST]
    varied = [x for x in names if x == FIRST[0] or n_values(space, x) > 1]
    return varied[:n]


def n_values(space: ScheduleSpace, name: str) -> int:
    """How many different values a fact takes."""
    return len({s.facts.get(name) for s in space})


def finite_fact(schedule: Schedule, name: str) -> float | None:
    """A fact that can be drawn, or None."""
    value = schedule.facts.get(name)
    return value if value is not None and math.isfinite(value) else None


def fact_text(name: str) -> Callable[[float], str]:
    """What prints a fact's values, with their unit."""
    if "seconds" in name:
        return print_seconds
    return print_bytes if name.endswith("_bytes") else print_number


def axis_label(name: str) -> str:
    """A fact's name with its unit; seconds and bytes have theirs on the ticks."""
    words = name.replace("_seconds", "_time").replace("_", " ")
    return words.removesuffix(" bytes") if name.endswith("_bytes") else words


def choose_axes(space: ScheduleSpace) -> tuple[str, str]:
    """The prediction over the feature that tells most schedules apart."""
    names = list(space.schedules[0].features)
    x_name = max(names, key=lambda n: (n_values(space, n), n in FIRST))
    known = any(s.predicted_seconds is not None for s in space)
    return x_name, "predicted_seconds" if known else "stride_score"
