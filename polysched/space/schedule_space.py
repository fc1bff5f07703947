"""The schedule space: distinct legal schedules with features, counted by stage."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from polysched.analysis import (
    Dependences,
    FloatingPoint,
    ScheduleProfile,
    compare_trees,
    find_freedom,
    profile_schedule,
)
from polysched.base import (
    EmptySpaceError,
    PolyschedError,
    Shown,
    find_presenter,
    print_seconds,
)
from polysched.codegen import Target
from polysched.ilp import Stage
from polysched.ir import ScheduleTree, Scop
from polysched.machine import Machine
from polysched.schedule import Pin, Shape
from polysched.space.facts import schedule_facts
from polysched.space.frame import make_frame, write_csv
from polysched.space.saving import save_spaces
from polysched.space.selection import Selection
from polysched.space.size import Dropped, SpaceSize
from polysched.transform import Script, print_script, short_script

S = TypeVar("S", bound="ScheduleSpace")


@dataclass(frozen=True, eq=False, repr=False)
class Schedule(Shown):
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
    shape : {"unit", "turned", "lower", "upper", "gathered", "any"} or None
        Form of the affine rows; None when they are not from the integer program.
    pins : tuple of Pin
        What the user asked the space to obey.
    broken_pins : tuple of Pin
        Those that the tree does not obey; only the source order may have any.
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
    shape: Shape | None = None
    pins: tuple[Pin, ...] = ()
    broken_pins: tuple[Pin, ...] = ()

    @property
    def headline(self) -> str:
        """Its id, objectives, predicted time, and script."""
        seconds = self.predicted_seconds
        time = "" if seconds is None else f", predicted {print_seconds(seconds)}"
        said = f"Schedule {self.id}: {'>'.join(self.objectives)}{time}"
        return f"{said}, script {short_script(self.script) or '-'}"

    @property
    def script_text(self) -> str:
        """The script in command-line form; empty for the plain affine schedule."""
        return print_script(self.script)

    @property
    def pins_text(self) -> str:
        """Every pin asked for, and whether it is obeyed."""
        return ", ".join(
            f"{pin} (not obeyed)" if pin in self.broken_pins else str(pin)
            for pin in self.pins
        )

    @property
    def facts(self) -> dict[str, float]:
        """All its numbers: features, prediction, values of the objectives."""
        return schedule_facts(self.features, self.predicted_seconds, self.stages)

    def to_row(self) -> dict[str, object]:
        """The schedule as a row of a table; no numbers that differ between runs."""
        facts = self.facts.items()
        return {
            "id": self.id,
            "objectives": ">".join(self.objectives),
            "partition": self.partition,
            "script": self.script_text,
            "predicted_seconds": self.predicted_seconds,
            **{n: v for n, v in facts if "seconds" not in n},
        }

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
            "shape": self.shape,
            "pins": [str(p) for p in self.pins],
            "broken_pins": [str(p) for p in self.broken_pins],
            "stages": [
                {
                    "name": s.name,
                    "value": s.value,
                    "bound": s.bound,
                    "seconds": s.seconds,
                    "status": s.status,
                }
                for s in self.stages
            ],
            "affine": self.affine.text,
            "tree": self.tree.text,
        }


@dataclass(frozen=True, eq=False, repr=False)
class ScheduleSpace(Selection, Shown):
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
    pins : tuple of Pin
        What every schedule but the source order obeys.
    target : {"openmp", "cuda"}
        What the schedules but the source order are printed as.
    """

    scop: Scop
    dependences: Dependences
    machine: Machine
    policy: str
    size: SpaceSize
    schedules: tuple[Schedule, ...]
    dropped: tuple[Dropped, ...]
    seconds: float
    pins: tuple[Pin, ...]
    target: Target

    @property
    def headline(self) -> str:
        """Whose it is, its size and policy."""
        kind, n = type(self).__name__, len(self)
        return f"{kind} of {self.scop.name}: {n} schedules, policy {self.policy}"

    def __len__(self) -> int:
        return len(self.schedules)

    def __iter__(self) -> Iterator[Schedule]:
        return iter(self.schedules)

    @property
    def best(self) -> Schedule:
        """The first schedule: the one that the model ranks first, unless sorted."""
        if not self.schedules:
            reasons = [f"{n} {kind}" for kind, n in self.drop_counts().items()]
            raise EmptySpaceError(
                f"no schedule of {self.scop.name} is left in the space",
                hint=f"why others went: {', '.join(reasons)}" if reasons else None,
            )
        return self.schedules[0]

    @property
    def original(self) -> Schedule:
        """The schedule that is the source order, untouched."""
        plain = [s for s in self if s.objectives == ("original",) and not s.script]
        if not plain:
            raise PolyschedError(
                f"the source order of {self.scop.name} is not among the "
                f"{len(self)} schedules that were selected"
            )
        return plain[0]

    def find(self, schedule_id: str) -> Schedule:
        """The schedule whose id starts with `schedule_id`; the error lists them."""
        found = [s for s in self.schedules if s.id.startswith(schedule_id)]
        if len(found) == 1:
            return found[0]
        if not found and schedule_id == "original":
            return self.original
        problem = "several schedules start" if found else "no schedule starts"
        hint = f"ids of this space: {', '.join(s.id for s in self.schedules)}"
        if not found and self.size.late:
            hint += (
                f"; the time limit kept {self.size.late} candidates out, which "
                "another run may have had: a longer one has them in each"
            )
        raise PolyschedError(
            f"{problem} with {schedule_id!r} in the {self.policy} space of "
            f"{self.scop.name}",
            hint=hint,
        )

    def with_schedules(
        self: S, schedules: Sequence[Schedule], dropped: Sequence[Dropped]
    ) -> S:
        return replace(
            self,
            schedules=tuple(schedules),
            dropped=(*self.dropped, *dropped),
            size=replace(self.size, kept=len(schedules)),
        )

    def profile(self, schedule: str | Schedule) -> ScheduleProfile:
        """A schedule's bands, bodies, reuse and distances as lists."""
        chosen = self._find(schedule)
        return profile_schedule(chosen.tree, self.scop, self.dependences)

    def difference(self, a: str | Schedule, b: str | Schedule) -> tuple[str, ...]:
        """What one schedule does otherwise than another, one sentence each."""
        first, second = self._find(a), self._find(b)
        return compare_trees(
            first.tree,
            second.tree,
            self.scop,
            self.dependences,
            (first.id, second.id),
        )

    def features(self) -> Any:
        """All numbers of all schedules as a pandas data frame, one row per id.

        Raises
        ------
        PolyschedError
            If pandas, the optional extra "notebook", is not installed.
        """
        rows = [{"id": s.id, **s.facts} for s in self]
        return make_frame(("id", *self.fact_names), rows)

    def to_pandas(self) -> Any:
        """What `to_csv` tells as a pandas data frame, one row per id."""
        rows = [s.to_row() for s in self]
        return make_frame(_columns(rows), rows)

    def to_csv(self) -> str:
        """A header and one row per schedule: objectives, script, features."""
        return spaces_csv([self])

    def to_html(self, axes: tuple[str, str] | None = None) -> str:
        """One self-contained page, see `polysched.show.spaces_report`."""
        title = f"schedule space of {self.scop.name}"
        return str(find_presenter().spaces_report([self], axes, title))

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the space to a file that `load_space` reads."""
        save_spaces([self], path)

    def _find(self, schedule: str | Schedule) -> Schedule:
        return self.find(schedule) if isinstance(schedule, str) else schedule

    @property
    def fp(self) -> FloatingPoint:
        """Whether floating-point sums may be added up in another order."""
        return find_freedom(self.dependences, self.scop)

    def to_json(self) -> dict[str, object]:
        """The space as the command line's contract has it."""
        return {
            "scop": self.scop.name,
            "statements": len(self.scop.statements),
            "dependences": sum(d.orders for d in self.dependences.items),
            "machine": self.machine.to_json(),
            "policy": self.policy,
            "target": self.target,
            "fp": self.fp,
            "pins": [str(p) for p in self.pins],
            "size": {
                "asked": self.size.asked,
                "solved": self.size.solved,
                "distinct": self.size.distinct,
                "kept": self.size.kept,
            },
            "late": self.size.late,
            "dropped": [{"what": d.what, "reason": d.reason} for d in self.dropped],
            "seconds": self.seconds,
            "schedules": [s.to_json() for s in self.schedules],
        }


def spaces_csv(spaces: Iterable[ScheduleSpace]) -> str:
    """The schedules of several spaces as one CSV text, the SCoP in the first column."""
    rows = [{"scop": space.scop.name, **s.to_row()} for space in spaces for s in space]
    return write_csv(_columns(rows), rows)


def _columns(rows: Sequence[Mapping[str, object]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for row in rows for name in row))
