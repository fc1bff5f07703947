"""From a SCoP to its schedule space: ask, solve, shape, prove, rank, keep."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import replace

from polysched.analysis import (
    allow_reordering,
    compute_dependences,
    prepare_scop,
    set_band_flags,
)
from polysched.base import (
    Deadline,
    EmptySpaceError,
    LimitError,
    Progress,
    SilentProgress,
    stopped_at,
)
from polysched.codegen import CodeMeasurer
from polysched.ir import Scop, original_tree
from polysched.machine import Machine
from polysched.policy import Policy, find_policy
from polysched.schedule import (
    Core,
    MachineFacts,
    Recipe,
    Solved,
    check_pins,
    find_core,
)
from polysched.space.ask import Asker
from polysched.space.builder import SpaceBuilder
from polysched.space.options import SpaceOptions
from polysched.space.schedule_space import Schedule, ScheduleSpace
from polysched.space.size import Dropped, SpaceSize


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
    LimitError
        When the source order alone takes longer than the limit and its grace.
    """
    if not scop.statements:
        raise EmptySpaceError(f"{scop.name} has no statements, so nothing to schedule")
    options = options or SpaceOptions()
    known = scop.with_products(options.parameters or {})
    options = replace(options, parameters=known)
    machine = machine or Machine.detect()
    progress = progress or SilentProgress()
    started = time.monotonic()
    deadline = Deadline.after(options.seconds)
    policy = _find_policy(options)
    grace = options.grace_seconds
    end = Deadline() if grace is None else deadline.later(grace)
    late = f"the dependences of {scop.name} were not analysed in time"
    with ExitStack() as open_until_done:
        with stopped_at(end, late, hint="a longer time limit helps"):
            scop = prepare_scop(scop)
            check_pins(options.pins, scop)
            measurer = CodeMeasurer(scop, options.target)
            open_until_done.callback(measurer.close)
            dependences = allow_reordering(compute_dependences(scop), scop, options.fp)
            builder = SpaceBuilder(
                scop, dependences, machine, options, policy, deadline, measurer
            )
            core = find_core(scop, dependences)
            original = set_band_flags(original_tree(scop), dependences)
            source = Solved(original, ("original",))
            builder.add(source, plain_only=True)
        _fill(builder, core, policy, progress)
        builder.need_device_code(source, end)
        builder.check_pins_obeyed()
    return _finish(builder, policy.name, time.monotonic() - started)


def _find_policy(options: SpaceOptions) -> Policy:
    """The policy; what every program is asked has recipes for its target."""
    name = options.policy
    if options.target == "cuda" and name == "balanced":
        name = "balanced+gpu"
    return find_policy(name)


def _fill(
    builder: SpaceBuilder, core: Core, policy: Policy, progress: Progress
) -> None:
    """Ask for candidates, and take each when it is ready."""
    options = builder.options
    facts = MachineFacts.of_cpu(builder.machine.cpu)
    recipes = policy.recipes(core.scop, core.dependences, facts)
    if options.pins:
        recipes = recipes or (Recipe(("MIC",)),)
        recipes = tuple(replace(r, pins=options.pins) for r in recipes)
    if builder.is_over():
        builder.drop_untried(recipes)
    else:
        _ask(builder, core, recipes, facts, progress)
    builder.settle()


def _ask(
    builder: SpaceBuilder,
    core: Core,
    recipes: Sequence[Recipe],
    facts: MachineFacts,
    progress: Progress,
) -> None:
    """Solve recipes, and take each schedule when it is ready."""
    options = builder.options
    seconds = builder.deadline.remaining_seconds()
    variants, rowwise = options.isl_variants, options.rowwise
    try:
        with stopped_at(builder.end, "not begun"):
            asker = Asker(core, recipes, seconds, variants, facts, rowwise)
    except LimitError:
        builder.drop_untried(recipes)
        return
    try:
        progress.start(f"space of {builder.scop.name}", asker.n_candidates)
        # closed here, so that an error in between lets go of the turn it holds
        with closing(asker.candidates(builder.is_over)) as candidates:
            for candidate in candidates:
                builder.take(candidate, core)
                progress.advance(f"{len(builder.found.schedules)} schedules")
        builder.add_by_parts()
    finally:
        asker.close()
        progress.finish()
    builder.conflict = asker.conflict


def _finish(builder: SpaceBuilder, policy: str, seconds: float) -> ScheduleSpace:
    """Rank, and keep the best."""
    options = builder.options
    ranked = sorted(
        builder.found.schedules.values(),
        key=lambda s: (
            bool(s.broken_pins),
            options.target == "cuda" and not s.script,  # nothing for the device
            float("inf") if s.predicted_seconds is None else s.predicted_seconds,
            s.id,
        ),
    )
    kept = _keep(ranked, builder.found.references, options.limit)
    for s in ranked:
        if s not in kept:
            what = f"{s.id} ({'>'.join(s.objectives)})"
            builder.dropped.append(
                Dropped(what, f"beyond the limit of {options.limit}")
            )
    size = SpaceSize(
        asked=builder.asked + 1,
        solved=len(builder.solved),
        distinct=len(builder.found.schedules),
        kept=len(kept),
        late=sum(d.is_late for d in builder.dropped),
    )
    return ScheduleSpace(
        builder.scop,
        builder.dependences,
        builder.machine,
        policy,
        size,
        tuple(kept),
        tuple(builder.dropped),
        seconds,
        options.pins,
        options.target,
    )


def _keep(
    ranked: list[Schedule], references: Mapping[str, set[str]], limit: int
) -> list[Schedule]:
    """The best ranked, among them the source order and one of each reference schedule.

    References take a quarter of the limit at most. A source order that does not obey
    the pins stays beyond the limit.
    """
    plain = [s for s in ranked if s.objectives == ("original",) and not s.script][:1]
    firsts = {
        next((s.id for s in ranked if s.affine.key == key or s.id in same), "")
        for key, same in references.items()
    }
    chosen = [s.id for s in ranked if s.id in firsts][: limit // 4]
    chosen += [s.id for s in plain if s.id not in chosen]
    room = limit - len(chosen) + any(s.broken_pins for s in plain)
    chosen += [s.id for s in ranked if s.id not in chosen][:room]
    return [s for s in ranked if s.id in chosen]
