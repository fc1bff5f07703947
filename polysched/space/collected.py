"""What has been found of a space, each schedule under the name that says most."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace

from polysched.codegen import CodeSize
from polysched.schedule import Solved
from polysched.space.schedule_space import Schedule
from polysched.space.size import Dropped
from polysched.transform import Script


@dataclass(frozen=True, eq=False)
class Unsettled:
    """A schedule of the space whose code is being built elsewhere."""

    schedule: Schedule
    solved: Solved
    size: Future[CodeSize]


class Collected:
    """Schedules by id, and what is known of where they came from.

    Parameters
    ----------
    isl_names : collection of str
        Isl's schedules. When they come depends on time, names must not: what a recipe
        gives as well has the recipe's name.
    rowwise_names : collection of str
        Other schedulers of the field.

    Attributes
    ----------
    schedules : dict of str to Schedule
        By id.
    references : dict of str to set of str
        Schedules of the field's schedulers: affine trees by key, and the ids of what
        became of them.
    """

    def __init__(
        self, isl_names: Collection[str], rowwise_names: Collection[str]
    ) -> None:
        self.schedules: dict[str, Schedule] = {}
        self.references: dict[str, set[str]] = {}
        self._isl_names = isl_names
        self._reference_names = {*isl_names, *rowwise_names}
        self._affine_names: dict[str, str] = {}  # by key
        self._unsettled: list[Unsettled] = []

    def join_affine(self, what: str, solved: Solved) -> Dropped | None:
        """Note an affine schedule; what is not needed when it is there already."""
        key = solved.tree.key
        if what in self._reference_names:
            self.references.setdefault(key, set())
        known = self._affine_names.setdefault(key, what)
        if known == what:
            return None
        if known not in self._isl_names or what in self._isl_names:
            return Dropped(what, f"same schedule as {known}")
        self._affine_names[key] = what
        for schedule in list(self.schedules.values()):
            if schedule.affine.key == key:
                self._rename(schedule, solved, schedule.script)
        return Dropped(known, f"same schedule as {what}")

    def join_tree(self, key: str, solved: Solved, script: Script) -> Dropped | None:
        """Note a final tree; what is not needed when it is there already."""
        schedule = self.schedules.get(key)
        if schedule is None:
            return None
        self._note_reference(solved, key)
        unused = name_variant(solved.objectives, script)
        names = self._isl_names
        if schedule.objectives[0] in names and solved.objectives[0] not in names:
            unused = name_variant(schedule.objectives, schedule.script)
            self._rename(schedule, solved, script)
        return Dropped(unused, f"same tree as {key}")

    def add(self, schedule: Schedule, solved: Solved, size: Future[CodeSize]) -> None:
        """Add a schedule whose code is not known yet."""
        self.schedules[schedule.id] = schedule
        self._note_reference(solved, schedule.id)
        self._unsettled.append(Unsettled(schedule, solved, size))

    def take_unsettled(self) -> list[Unsettled]:
        """Those added since this was called last."""
        batch, self._unsettled = self._unsettled, []
        return batch

    def forget(self, schedule_id: str) -> None:
        """Take a schedule out again."""
        del self.schedules[schedule_id]
        for same in self.references.values():
            same.discard(schedule_id)

    def is_lost_reference(self, solved: Solved) -> bool:
        """Whether nothing became of a schedule that has to be in every space."""
        return self.references.get(solved.tree.key) == set()

    def _note_reference(self, solved: Solved, schedule_id: str) -> None:
        self.references.get(solved.tree.key, set()).add(schedule_id)

    def _rename(self, schedule: Schedule, solved: Solved, script: Script) -> None:
        renamed = replace(
            schedule,
            objectives=solved.objectives,
            partition=solved.partition,
            script=script,
            affine=solved.tree,
            stages=solved.stages,
            shape=solved.shape,
        )
        self.schedules[schedule.id] = renamed
        self._unsettled = [
            replace(one, schedule=renamed, solved=solved)
            if one.schedule.id == schedule.id
            else one
            for one in self._unsettled
        ]


def name_variant(objectives: Sequence[str], script: Script) -> str:
    """A name for messages."""
    return f"{'>'.join(objectives)} with {len(script)} steps"
