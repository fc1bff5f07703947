"""How many candidates each stage of a space left, and why the others went."""

from __future__ import annotations

import re
from dataclasses import dataclass

from polysched.base import NO_TIME_LEFT

_ENDS = re.compile(r": | as | of | by |(?<=obey) ")  # what follows is particular


@dataclass(frozen=True)
class SpaceSize:
    """How many candidates each stage of building a space left.

    Attributes
    ----------
    asked : int
        Recipes and fixed schedules asked for.
    solved : int
        Those that gave a legal affine schedule.
    distinct : int
        Distinct final trees, after tiling and mapping.
    kept : int
        Schedules in the space.
    late : int
        Candidates that the time limit kept out.
    """

    asked: int
    solved: int
    distinct: int
    kept: int
    late: int = 0


@dataclass(frozen=True)
class Dropped:
    """A candidate that did not make it into the space, and why."""

    what: str
    reason: str

    @property
    def kind(self) -> str:
        """The reason without its particulars, for counting: ``same tree``."""
        return _ENDS.split(self.reason, maxsplit=1)[0]

    @property
    def is_late(self) -> bool:
        """Whether it is the time limit that kept it out."""
        return self.kind == NO_TIME_LEFT
