"""Affine schedules into final ones: shape, prove, describe, have the code built."""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import replace

from polysched.analysis import Dependences, Prover
from polysched.base import (
    NO_TIME_LEFT,
    CodegenError,
    ConflictError,
    Deadline,
    EmptySpaceError,
    LimitError,
    PolyschedError,
    stopped_at,
)
from polysched.codegen import CodeMeasurer, CodeSize, wait_for_size
from polysched.ir import ScheduleTree, Scop
from polysched.machine import Machine
from polysched.policy import Policy
from polysched.schedule import Core, Pin, Recipe, Solved, broken_pins
from polysched.space.ask import Candidate
from polysched.space.collected import Collected, Unsettled, name_variant
from polysched.space.describe import Describer, gpu_of
from polysched.space.device_shapes import device_shapes
from polysched.space.options import SpaceOptions
from polysched.space.schedule_space import Schedule
from polysched.space.size import Dropped
from polysched.transform import (
    DevicePlanner,
    DeviceShape,
    Draft,
    Registers,
    Script,
    ScriptPlanner,
    Separate,
    apply_script,
    plan_scripts,
)

_log = logging.getLogger(__name__)
_GRACE_SECONDS = 0.5  # from when all is shaped, late, for code that is being built
_LAST_GRACE_SECONDS = 0.25  # past the last step's, for the same
_N_LATE = 6  # steps with schedules that are in a space even when it is late
_OVERTIME_SECONDS = 1.0  # past the time limit, when the last step is given up
_TIME_IS_SPENT = f"{NO_TIME_LEFT}: not shaped"
_N_EARLY_PARTS = 3  # schedules whose nests have shapes of their own at once
_PARTS_GAIN = 0.9  # of the least time of others, which shapes by nest may take
_SHORT_SECONDS = 1e-3  # to create threads takes a fifth of it
_N_STEPS = 3  # that such a schedule takes: read and proven, put into place, shaped


class SpaceBuilder:
    """Shapes, proves and describes; collects what has been found so far.

    Attributes
    ----------
    asked : int
        Candidates taken.
    solved : list of Solved
        The affine schedules among them.
    dropped : list of Dropped
    found : Collected
        Once `settle` was called, schedules whose code can be printed.
    conflict : ConflictError or None
        Why there is nothing that obeys the pins, where that is known.
    end : Deadline
        When a step that was begun within the time limit is given up.
    """

    def __init__(
        self,
        scop: Scop,
        dependences: Dependences,
        machine: Machine,
        options: SpaceOptions,
        policy: Policy,
        deadline: Deadline,
        measurer: CodeMeasurer,
    ) -> None:
        self.scop = scop
        self.dependences = dependences
        self.machine = machine
        self.options = options
        self.policy = policy
        self.deadline = deadline
        self.asked = 0
        self.solved: list[Solved] = []
        self._whole: list[Solved] = []
        self.dropped: list[Dropped] = []
        self.found = Collected(
            {v.name for v in options.isl_variants}, {str(r) for r in options.rowwise}
        )
        self.conflict: ConflictError | None = None
        self.end = deadline.later(_OVERTIME_SECONDS)
        self._measurer = measurer
        self._prover = Prover(dependences, scop)
        self._describer = Describer(scop, dependences, machine, options.parameters)
        self._slowest_seconds = 0.0  # of proving and describing one schedule
        likely = scop.with_estimates(options.parameters)
        self._planner = ScriptPlanner(likely, dependences, machine.cpu)
        self._device_planner = DevicePlanner(
            scop, dependences, _shapes_for(machine, options)
        )
        self._refused: set[str] = set()

    def take(self, candidate: Candidate, core: Core) -> None:
        """Add the variants of a candidate; why there are none is recorded."""
        self.asked += 1
        what = candidate.what
        if candidate.solved is None:
            self.dropped.append(Dropped(what, candidate.reason))
            return
        try:
            with stopped_at(self.end, _TIME_IS_SPENT):
                self._take(what, candidate.solved, core)
        except LimitError as error:
            self.dropped.append(Dropped(what, error.message))

    def _take(self, what: str, found: Solved, core: Core) -> None:
        started = time.monotonic()
        tree = core.embed(found.tree, self.dependences)
        tree = ScheduleTree.sequence(tree.parts())  # isl knows several spellings of one
        self._note_seconds(time.monotonic() - started)
        solved = replace(found, tree=tree)
        same = self.found.join_affine(what, solved)
        if same is not None:
            self.solved.append(solved)
            self.dropped.append(same)
            return
        self.add(solved)

    def drop_untried(self, recipes: Sequence[Recipe]) -> None:
        """Record that there was no time to ask for anything."""
        for recipe in recipes:
            self.asked += 1
            self.dropped.append(Dropped(str(recipe), f"{NO_TIME_LEFT}: not tried"))

    def check_pins_obeyed(self) -> None:
        """Raise unless some schedule obeys the pins."""
        pins = self.options.pins
        if not pins or any(not s.broken_pins for s in self.found.schedules.values()):
            return
        if self.conflict is not None:
            raise self.conflict
        what = f"no schedule of {self.scop.name} that obeys {', '.join(map(str, pins))}"
        if self._is_late():
            raise EmptySpaceError(
                f"{what} was found within {self.options.seconds:g} s",
                hint="a longer limit may help",
            )
        reasons = Counter(d.reason for d in self.dropped)
        often = [f"{n} times {reason}" for reason, n in reasons.most_common(3)]
        raise EmptySpaceError(
            f"{what} was found among {self.asked} asked for, {self.options.target}",
            hint=f"left out: {'; '.join(often)}" if often else "",
        )

    def _broken_pins(self, tree: ScheduleTree) -> tuple[Pin, ...]:
        pins = self.options.pins
        return broken_pins(tree, pins, self.scop, self.dependences) if pins else ()

    def add(self, solved: Solved, *, plain_only: bool = False) -> None:
        """Prove and add the variants of one affine schedule."""
        self.solved.append(solved)
        n_before = len(self.found.schedules)
        # the field's reference schedules are there already, computed elsewhere
        is_late = self._is_late() and bool(self.found.schedules)
        if is_late and solved.rows is not None:
            what = ">".join(solved.objectives)
            self.dropped.append(Dropped(what, _TIME_IS_SPENT))
            return
        drafts = [Draft(solved.tree, self.dependences)]
        if not plain_only and (self._is_for_device or not is_late):
            drafts = self._plan(solved) or drafts
        for k, draft in enumerate(drafts):
            if k and self._is_late():
                self._drop(solved, draft.steps, _TIME_IS_SPENT)
            else:
                self._add_variant(solved, draft, is_baseline=plain_only)
        if len(self.found.schedules) == n_before and all(d.steps for d in drafts):
            self._add_unshaped(solved)
        elif not plain_only:
            if self._is_short(solved):
                self._add_alone(solved)
            self._whole.append(solved)
            if len(self._whole) <= _N_EARLY_PARTS:
                self._add_by_parts(solved)

    def _is_short(self, solved: Solved) -> bool:
        """Whether a schedule is predicted to end about when threads are there."""
        if not self._has_planner:
            return False
        return self._least_seconds(solved) < _SHORT_SECONDS

    def _least_seconds(self, solved: Solved | None = None) -> float:
        """The least that is predicted, for one affine schedule or for all of them."""
        found = self.found.schedules.values()
        own = (s for s in found if solved is None or s.affine.key == solved.tree.key)
        seconds = (s.predicted_seconds for s in own)
        return min((s for s in seconds if s is not None), default=float("inf"))

    def add_by_parts(self) -> None:
        """Shapes by nest for the schedules that have none, the best ones first."""
        for solved in sorted(self._whole[_N_EARLY_PARTS:], key=self._least_seconds):
            if self._is_late():
                break
            self._add_by_parts(solved)

    def _add_by_parts(self, solved: Solved) -> None:
        """Add the variant that has every nest in the shape that suits it.

        Only where that is predicted to be faster than all that the space has so far:
        what hardly differs would take the place of other schedules in a small one.
        """
        if not self._has_planner:
            return
        price = self._describer.price
        draft = self._planner.plan_by_parts(
            solved.tree, price, deadline=self._shaping_deadline()
        )
        if draft is None or self._is_late():
            return
        if price(draft.tree, False) < _PARTS_GAIN * self._least_seconds():
            self._add_variant(solved, draft)

    def _add_alone(self, solved: Solved) -> None:
        """Add the variants for one thread."""
        deadline = self._shaping_deadline()
        for draft in self._planner.plan_alone(solved.tree, limit=2, deadline=deadline):
            if not self._is_late():
                self._add_variant(solved, draft)

    @property
    def _has_planner(self) -> bool:
        """Whether shapes are the planner's, for processors, and no policy's own."""
        return not self._is_for_device and self.policy.scripts is plan_scripts

    @property
    def _is_for_device(self) -> bool:
        """Whether a schedule without a script cannot be printed."""
        return self.options.target == "cuda"

    def _note_seconds(self, seconds: float) -> None:
        self._slowest_seconds = max(self._slowest_seconds, seconds)

    def _is_late(self) -> bool:
        return self.deadline.expired or self._shaping_deadline().expired

    def is_over(self) -> bool:
        """Whether one more of the field's schedules would exceed the time limit."""
        return self.end.remaining_seconds() < _N_STEPS * self._slowest_seconds

    def _shaping_deadline(self) -> Deadline:
        """Some time before the limit, which the field's reference schedules need."""
        reserve = _N_LATE * self._slowest_seconds
        left = self.deadline.remaining_seconds()
        return self.deadline.capped(left - reserve) if reserve else self.deadline

    def _plan(self, solved: Solved) -> list[Draft]:
        """What the policy proposes to do with an affine schedule."""
        tree, scop, deps = solved.tree, self.scop, self.dependences
        cpu, limit = self.machine.cpu, self.options.shapes_per_schedule
        if self._is_for_device:
            return self._device_planner.plan(
                tree, limit=limit, deadline=self._shaping_deadline()
            )
        if self.policy.scripts is plan_scripts:  # it has the trees at hand
            return self._planner.plan(
                tree, limit=limit, deadline=self._shaping_deadline()
            )
        scripts = self.policy.scripts(tree, scop, deps, cpu, limit=limit)
        return [Draft(apply_script(tree, s), deps, s) for s in scripts]

    def settle(self) -> None:
        """Wait for the code of all schedules; what cannot be printed goes.

        Where cutting loops up made the code explode, the schedule is tried without.
        """
        while batch := self.found.take_unsettled():
            last = self.end.later(_LAST_GRACE_SECONDS)
            grace = last.capped(_GRACE_SECONDS)
            for one in batch:
                is_late = self.deadline.expired
                try:
                    with stopped_at(self.end, _TIME_IS_SPENT):
                        self._settle(one, grace if is_late else self.deadline)
                except LimitError as error:
                    self._drop(one.solved, one.schedule.script, error.message)

    def need_device_code(self, original: Solved, end: Deadline) -> None:
        """Give the source order kernels, late as it is, where nothing else has any."""
        if not self._is_for_device or any(
            s.script for s in self.found.schedules.values()
        ):
            return
        try:
            with stopped_at(end, _TIME_IS_SPENT):
                for draft in self._device_planner.plan(original.tree, limit=1):
                    self._add_variant(original, draft)
        except LimitError as error:
            self.dropped.append(Dropped("original", error.message))
        for one in self.found.take_unsettled():
            self._settle(one, end)

    def _settle(self, one: Unsettled, deadline: Deadline) -> None:
        schedule, solved = one.schedule, one.solved
        try:
            size = wait_for_size(one.size, deadline)
        except LimitError as error:
            if schedule.script:  # without tiles and copies code hardly ever explodes
                self.found.forget(schedule.id)
                self._drop(solved, schedule.script, error.message)
                if self.found.is_lost_reference(solved):
                    self._add_script(solved, ())
        except CodegenError as error:
            if solved.objectives == ("original",) and not schedule.script:
                return  # it stays in whatever happens: the source text is its code
            self.found.forget(schedule.id)
            self._refused.add(schedule.id)
            self._drop(solved, schedule.script, error.message)
            self._add_simpler(solved, schedule.script)
        else:
            _log.debug("%s: %s", schedule.id, size)

    def _add_simpler(self, solved: Solved, script: Script) -> None:
        """Add what may be printed in place of a script whose code explodes."""
        if self.deadline.expired and not self.found.is_lost_reference(solved):
            return
        simpler = tuple(s for s in script if not isinstance(s, Separate))
        if len(simpler) < len(script):
            self._add_script(solved, simpler)
            return
        if any(isinstance(s, Registers) for s in script):
            smaller = self._planner.plan_in_registers(solved.tree)
            if smaller:
                self._add_script(solved, smaller)
        kept = (
            s for s in self.found.schedules.values() if s.affine.key == solved.tree.key
        )
        if script and next(kept, None) is None:
            self._add_unshaped(solved)

    def _add_unshaped(self, solved: Solved) -> None:
        """What scripts break, pins or a printable size, the rows do not."""
        if self._is_for_device:
            return
        may_break_pins = bool(self.options.pins and solved.stages)
        if may_break_pins or self.found.is_lost_reference(solved):
            self._add_script(solved, ())

    def _add_script(self, solved: Solved, script: Script) -> None:
        try:
            tree = apply_script(solved.tree, script)
        except PolyschedError as error:
            self._drop(solved, script, str(error).splitlines()[0])
            return
        self._add_variant(solved, Draft(tree, self.dependences, script))

    def _drop(self, solved: Solved, script: Script, reason: str) -> None:
        self.dropped.append(Dropped(name_variant(solved.objectives, script), reason))

    def _add_variant(
        self, solved: Solved, draft: Draft, *, is_baseline: bool = False
    ) -> None:
        tree, script = draft.tree, draft.steps
        started = time.monotonic()
        if tree.key in self._refused:
            self._drop(solved, script, f"same tree as {tree.key}")
            return
        same = self.found.join_tree(tree.key, solved, script)
        if same is not None:
            self.dropped.append(same)
            return
        violation = self._prover.find_violation(tree)
        if violation is not None:
            self._drop(solved, script, f"illegal: {violation}")
            return
        broken = self._broken_pins(tree)
        if broken and not is_baseline:
            self._drop(solved, script, f"does not obey {broken[0]}")
            return
        size = self._measure(tree, is_baseline)
        schedule = self._describe(solved, script, tree)
        self._note_seconds(time.monotonic() - started)
        schedule = replace(schedule, pins=self.options.pins, broken_pins=broken)
        self.found.add(schedule, solved, size)

    def _measure(self, tree: ScheduleTree, is_baseline: bool) -> Future[CodeSize]:
        if not (is_baseline and self._is_for_device):
            return self._measurer.submit(tree)
        known: Future[CodeSize] = Future()
        known.set_result(CodeSize(0, 0, 0))  # the source text is its code
        return known

    def _describe(self, solved: Solved, script: Script, tree: ScheduleTree) -> Schedule:
        options = self.options
        target = options.target if script else "openmp"
        return Schedule(
            id=tree.key,
            objectives=solved.objectives,
            partition=solved.partition,
            script=script,
            affine=solved.tree,
            tree=tree,
            stages=solved.stages,
            features=self._describer.features(tree, options.target),
            predicted_seconds=self._describer.predict(tree, target),
            shape=solved.shape,
        )


def _shapes_for(machine: Machine, options: SpaceOptions) -> tuple[DeviceShape, ...]:
    """Shapes of blocks, for kernels."""
    if options.target != "cuda":
        return ()
    return device_shapes(gpu_of(machine), bulk=options.bulk)
