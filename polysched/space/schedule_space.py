"""The schedule space: distinct legal schedules with features, counted by stage."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from polysched.analysis import Dependences
from polysched.base import PolyschedError
from polysched.ilp import Stage
from polysched.ir import ScheduleTree, Scop
from polysched.machine import Machine
from polysched.transform import Script, print_script


@dataclass(frozen=True, eq=False)
class Schedule:
    """One point of a space: a legal tree, where it came from, and what it is like.

    Attributes
    ----------
    id : str
        Ten hexadecimal digits: a hash of the tree's text.
    objectives : tuple of str
        The objective list that asked for the affine schedule; ``("original",)``,
        ``("isl",)`` or ``("feautrier",)`` for schedules that no list asked for.
    partition : str
        Statement partition of the recipe.
    script : tuple of Step
        Tiling and mapping applied to the affine schedule.
    affine : ScheduleTree
        Before the script.
    tree : ScheduleTree
        After it; proven legal.
    stages : tuple of Stage
        The chain of objectives with value, bound, seconds.
    features : mapping of str to float
    predicted_seconds : float or None
        By the cost model; None when it has no opinion.
    """

    id: str
    objectives: tuple[str, ...]
    partition: str
    script: Script
    affine: ScheduleTree
    tree: ScheduleTree
    stages: tuple[Stage, ...]
    features: Mapping[str, float]
    predicted_seconds: float | None

    @property
    def script_text(self) -> str:
        """The script in command-line form; empty for the plain affine schedule."""
        return print_script(self.script)

    def to_json(self) -> dict[str, object]:
        """The schedule as the command line's contract has it."""
        return {
            "id": self.id,
            "objectives": list(self.objectives),
            "partition": self.partition,
            "script": self.script_text,
            "legal": True,
            "features": dict(self.features),
            "predicted_seconds": self.predicted_seconds,
            "tree": self.tree.text,
        }


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
    """

    asked: int
    solved: int
    distinct: int
    kept: int


@dataclass(frozen=True)
class Dropped:
    """A candidate that did not make it into the space, and why."""

    what: str
    reason: str


@dataclass(frozen=True, eq=False)
class ScheduleSpace:
    """Distinct legal schedules of a SCoP, ranked by predicted time.

    Attributes
    ----------
    scop : Scop
        As scheduled: dead scalars privatised.
    dependences : Dependences
    machine : Machine
    policy : str
    size : SpaceSize
    schedules : tuple of Schedule
        Best predicted first.
    dropped : tuple of Dropped
        Everything asked for that is not in `schedules`.
    seconds : float
        Wall time of building it.
    """

    scop: Scop
    dependences: Dependences
    machine: Machine
    policy: str
    size: SpaceSize
    schedules: tuple[Schedule, ...]
    dropped: tuple[Dropped, ...]
    seconds: float

    def __len__(self) -> int:
        return len(self.schedules)

    def __iter__(self) -> Iterator[Schedule]:
        return iter(self.schedules)

    @property
    def best(self) -> Schedule:
        """The schedule that the model ranks first."""
        return self.schedules[0]

    @property
    def original(self) -> Schedule:
        """The schedule that is the source order, untouched."""
        return next(
            s for s in self.schedules if s.objectives == ("original",) and not s.script
        )

    def find(self, schedule_id: str) -> Schedule:
        """The schedule whose id starts with `schedule_id`; the error lists them."""
        found = [s for s in self.schedules if s.id.startswith(schedule_id)]
        if len(found) == 1:
            return found[0]
        if not found and schedule_id == "original":
            return self.original
        problem = "several schedules start" if found else "no schedule starts"
        known = ", ".join(s.id for s in self.schedules)
        raise PolyschedError(
            f"{problem} with {schedule_id!r} in the {self.policy} space of "
            f"{self.scop.name}",
            hint=f"ids of this space: {known}",
        )

    def to_json(self) -> dict[str, object]:
        """The space as the command line's contract has it."""
        return {
            "scop": self.scop.name,
            "statements": len(self.scop.statements),
            "dependences": sum(d.orders for d in self.dependences.items),
            "machine": self.machine.to_json(),
            "policy": self.policy,
            "size": {
                "asked": self.size.asked,
                "solved": self.size.solved,
                "distinct": self.size.distinct,
                "kept": self.size.kept,
            },
            "dropped": [{"what": d.what, "reason": d.reason} for d in self.dropped],
            "seconds": self.seconds,
            "schedules": [s.to_json() for s in self.schedules],
        }
