"""From a SCoP to its schedule space: ask, solve, shape, prove, rank, keep."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field, replace

from polysched.analysis import (
    Dependences,
    coalesce_scalars,
    compute_dependences,
    find_violation,
    infer_liveness,
    privatize,
    schedule_features,
    set_band_flags,
)
from polysched.base import (
    CodegenError,
    ConflictError,
    Deadline,
    EmptySpaceError,
    PolyschedError,
    Progress,
    SilentProgress,
)
from polysched.codegen import CodeSize, PrintOptions, measure_code
from polysched.cost import predict_seconds
from polysched.ir import ScheduleTree, Scop, original_tree
from polysched.machine import Machine
from polysched.policy import Chooser, Policy, find_policy
from polysched.schedule import (
    Core,
    IslVariant,
    MachineFacts,
    Pin,
    Recipe,
    Solved,
    broken_pins,
    check_pins,
    find_core,
)
from polysched.schedule.rowwise import RowwiseRecipe
from polysched.space.ask import ISL_VARIANTS, ROWWISE, Asker, Candidate
from polysched.space.schedule_space import Schedule, ScheduleSpace
from polysched.space.size import Dropped, SpaceSize
from polysched.transform import Script, Separate, apply_script, plan_scripts

_log = logging.getLogger(__name__)
_CHEAP = PrintOptions(max_operations=200_000)
_SLOW_SECONDS = 0.4  # of processor time for so many operations: more would take minutes


@dataclass(frozen=True)
class SpaceOptions:
    """How a space is built.

    Attributes
    ----------
    policy : str, Policy or callable
        What chooses recipes, as `find_policy` takes it: a name, an objective list, a
        policy or a function of one's own.
    seconds : float
        Time limit of the whole construction; the original is always in.
    limit : int
        Most schedules to keep.
    shapes_per_schedule : int
        Most scripts (tilings, mappings) per affine schedule.
    parameters : mapping of str to int
        Sizes to predict times for, and to rank by; others are assumed large.
    pins : tuple of Pin
        What every schedule must obey, after tiling and mapping, too. The source order
        stays in as the baseline, ranked last when it does not obey them.
    isl_variants : tuple of IslVariant
        Which of isl's own schedules are candidates.
    rowwise : tuple of RowwiseRecipe
        Schedules to find row by row, Pluto's by default; they know nothing of pins
        and are dropped where they break some.
    """

    policy: str | Policy | Chooser = "balanced"
    seconds: float = 15.0
    limit: int = 40
    shapes_per_schedule: int = 4
    parameters: Mapping[str, int] = field(default_factory=dict)
    pins: tuple[Pin, ...] = ()
    isl_variants: tuple[IslVariant, ...] = ISL_VARIANTS
    rowwise: tuple[RowwiseRecipe, ...] = ROWWISE


@dataclass
class _Draft:
    """What a construction under way has found so far."""

    asked: int = 0
    solved: list[Solved] = field(default_factory=list)
    dropped: list[Dropped] = field(default_factory=list)
    schedules: dict[str, Schedule] = field(default_factory=dict)


def build_space(
    scop: Scop,
    machine: Machine | None = None,
    options: SpaceOptions | None = None,
    progress: Progress | None = None,
) -> ScheduleSpace:
    """All schedules that a policy asks for, proven legal, distinct and ranked.

    The source order, isl's schedule and Feautrier's are always candidates, the source
    order is always kept.

    Parameters
    ----------
    scop : Scop
        As the front end gave it; dead scalars are privatised here.
    machine : Machine, optional
        What the code will run on; detected by default.
    options : SpaceOptions, optional
    progress : Progress, optional

    Raises
    ------
    EmptySpaceError
        When the SCoP has no statements, or nothing that obeys the pins was found.
    ConflictError
        When the pins cannot be obeyed; names an irreducible conflict.
    PinError
        When a pin names what the SCoP does not have.
    """
    if not scop.statements:
        raise EmptySpaceError(f"{scop.name} has no statements, so nothing to schedule")
    options = options or SpaceOptions()
    machine = machine or Machine.detect()
    progress = progress or SilentProgress()
    started = time.monotonic()
    deadline = Deadline.after(options.seconds)
    policy = find_policy(options.policy)
    facts = MachineFacts.of_cpu(machine.cpu)
    scop = coalesce_scalars(privatize(infer_liveness(scop)))
    check_pins(options.pins, scop)
    dependences = compute_dependences(scop)
    core = find_core(scop, dependences)
    draft = _Draft()
    builder = _Builder(scop, dependences, machine, options, policy, draft, deadline)
    original = set_band_flags(original_tree(scop), dependences)
    builder.add(Solved(original, ("original",)), plain_only=True)
    recipes = policy.recipes(core.scop, core.dependences, facts)
    if options.pins:
        recipes = recipes or (Recipe(("MIC",)),)
        recipes = tuple(replace(r, pins=options.pins) for r in recipes)
    seconds = max(0.0, deadline.remaining_seconds())
    asker = Asker(core, recipes, seconds, options.isl_variants, facts, options.rowwise)
    try:
        progress.start(f"space of {scop.name}", asker.n_candidates)
        # closed here, so that an error in between lets go of the turn it holds
        with closing(asker.candidates()) as candidates:
            for candidate in candidates:
                builder.take(candidate, core)
                progress.advance(f"{len(draft.schedules)} schedules")
    finally:
        asker.close()
        progress.finish()
    builder.check_pins_obeyed(asker.conflict)
    return _finish(builder, time.monotonic() - started)


def _finish(builder: _Builder, seconds: float) -> ScheduleSpace:
    draft, options = builder.draft, builder.options
    ranked = sorted(
        draft.schedules.values(),
        key=lambda s: (
            bool(s.broken_pins),
            float("inf") if s.predicted_seconds is None else s.predicted_seconds,
            s.id,
        ),
    )
    kept = ranked[: options.limit]
    plain = [s for s in ranked if s.objectives == ("original",) and not s.script]
    if plain and plain[0] not in kept:
        if not plain[0].broken_pins:
            kept.pop()
        kept.append(plain[0])
    for s in ranked:
        if s not in kept:
            what = f"{s.id} ({'>'.join(s.objectives)})"
            draft.dropped.append(Dropped(what, f"beyond the limit of {options.limit}"))
    size = SpaceSize(
        asked=draft.asked + 1,
        solved=len(draft.solved),
        distinct=len(draft.schedules),
        kept=len(kept),
    )
    return ScheduleSpace(
        builder.scop,
        builder.dependences,
        builder.machine,
        builder.policy.name,
        size,
        tuple(kept),
        tuple(draft.dropped),
        seconds,
        options.pins,
    )


def _measure_code(scop: Scop, tree: ScheduleTree) -> CodeSize:
    """How large the code of a schedule is; an error where it would explode.

    isl's operations differ in cost by a factor of hundreds, and nothing else ends its
    work: a schedule whose first operations are slow is not given more of them.
    """
    started = time.thread_time()
    try:
        return measure_code(scop, tree, _CHEAP)
    except CodegenError:
        if time.thread_time() - started > _SLOW_SECONDS:
            raise
    return measure_code(scop, tree)


class _Builder:
    """Solves, shapes and proves; collects into a draft."""

    def __init__(
        self,
        scop: Scop,
        dependences: Dependences,
        machine: Machine,
        options: SpaceOptions,
        policy: Policy,
        draft: _Draft,
        deadline: Deadline,
    ) -> None:
        self.scop = scop
        self.dependences = dependences
        self.machine = machine
        self.options = options
        self.policy = policy
        self.draft = draft
        self.deadline = deadline
        self._affine_keys: dict[str, str] = {}

    def take(self, candidate: Candidate, core: Core) -> None:
        """Add the variants of a candidate; why there are none is recorded."""
        self.draft.asked += 1
        what = candidate.what
        if candidate.solved is None:
            self.draft.dropped.append(Dropped(what, candidate.reason))
            return
        tree = core.embed(candidate.solved.tree, self.dependences)
        solved = replace(candidate.solved, tree=tree)
        known = self._affine_keys.get(tree.key)
        if known is not None:
            self.draft.dropped.append(Dropped(what, f"same schedule as {known}"))
            self.draft.solved.append(solved)
            return
        self._affine_keys[tree.key] = what
        self.add(solved)

    def check_pins_obeyed(self, conflict: ConflictError | None) -> None:
        """Raise unless some schedule obeys the pins."""
        pins = self.options.pins
        if not pins or any(not s.broken_pins for s in self.draft.schedules.values()):
            return
        if conflict is not None:
            raise conflict
        raise EmptySpaceError(
            f"no schedule of {self.scop.name} that obeys "
            f"{', '.join(str(p) for p in pins)} was found within "
            f"{self.options.seconds:g} s",
            hint="a longer limit may help",
        )

    def _broken_pins(self, tree: ScheduleTree) -> tuple[Pin, ...]:
        pins = self.options.pins
        return broken_pins(tree, pins, self.scop, self.dependences) if pins else ()

    def add(self, solved: Solved, *, plain_only: bool = False) -> None:
        """Prove and add the variants of one affine schedule."""
        self.draft.solved.append(solved)
        n_before = len(self.draft.schedules)
        # the field's reference schedules are in every space, however late it is
        is_late = self.deadline.expired and bool(self.draft.schedules)
        if is_late and solved.rows is not None:
            what = ">".join(solved.objectives)
            self.draft.dropped.append(Dropped(what, "not shaped: time is spent"))
            return
        scripts: list[Script] = [()]
        if not plain_only:
            limit = 1 if is_late else self.options.shapes_per_schedule
            scripts = plan_scripts(
                solved.tree, self.scop, self.dependences, self.machine.cpu, limit=limit
            )
        for k, script in enumerate(scripts):
            if k and self.deadline.expired:
                what = f"{'>'.join(solved.objectives)} with {len(script)} steps"
                self.draft.dropped.append(Dropped(what, "not shaped: time is spent"))
            else:
                self._add_variant(solved, script, is_baseline=plain_only)
        is_lost = bool(solved.stages) and len(self.draft.schedules) == n_before
        if self.options.pins and is_lost and () not in scripts:
            self._add_variant(solved, ())  # scripts may break pins, the rows do not

    def _add_variant(
        self, solved: Solved, script: Script, *, is_baseline: bool = False
    ) -> None:
        what = f"{'>'.join(solved.objectives)} with {len(script)} steps"
        try:
            tree = apply_script(solved.tree, script)
        except PolyschedError as error:
            self.draft.dropped.append(Dropped(what, str(error).splitlines()[0]))
            return
        if tree.key in self.draft.schedules:
            self.draft.dropped.append(Dropped(what, f"same tree as {tree.key}"))
            return
        violation = find_violation(tree, self.dependences, self.scop)
        if violation is not None:
            _log.info("%s: %s", what, violation)
            self.draft.dropped.append(Dropped(what, f"illegal: {violation}"))
            return
        broken = self._broken_pins(tree)
        if broken and not is_baseline:
            self.draft.dropped.append(Dropped(what, f"does not obey {broken[0]}"))
            return
        try:
            size = _measure_code(self.scop, tree)
        except CodegenError as error:
            self.draft.dropped.append(Dropped(what, error.message))
            simpler = tuple(s for s in script if not isinstance(s, Separate))
            if len(simpler) < len(script):
                self._add_variant(solved, simpler)
            return
        _log.debug("%s: %s", what, size)
        schedule = self._describe(solved, script, tree)
        pins = self.options.pins
        schedule = replace(schedule, pins=pins, broken_pins=broken)
        self.draft.schedules[tree.key] = schedule

    def _describe(self, solved: Solved, script: Script, tree: ScheduleTree) -> Schedule:
        predicted = predict_seconds(
            tree, self.scop, self.dependences, self.machine, self.options.parameters
        )
        features = schedule_features(tree, self.scop, self.dependences, self.machine)
        return Schedule(
            id=tree.key,
            objectives=solved.objectives,
            partition=solved.partition,
            script=script,
            affine=solved.tree,
            tree=tree,
            stages=solved.stages,
            features=features,
            predicted_seconds=predicted,
            shape=solved.shape,
        )
