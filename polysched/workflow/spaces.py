"""The schedule space of a SCoP in a file, with what it takes to print and run it."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields

from polysched.analysis import FloatingPoint
from polysched.base import CodegenError, PolyschedError, Progress
from polysched.codegen import Target
from polysched.ir import Program, Scop
from polysched.machine import Machine
from polysched.policy import Chooser, Policy
from polysched.schedule import Pin
from polysched.space import Dropped, Schedule, ScheduleSpace, SpaceOptions
from polysched.space import build_space as build_schedule_space
from polysched.space import load_space as load_schedule_space
from polysched.workflow.source import check_parameters, select_scops
from polysched.workflow.variant import Variant
from polysched.workflow.wanting import read_pins


@dataclass(frozen=True, eq=False, repr=False)
class ProgramSpace(ScheduleSpace):
    """A schedule space that knows the program its SCoP stands in.

    Attributes
    ----------
    program : Program or None
        None for a SCoP that was not read from a file: it can be explained, not printed.
    options : SpaceOptions
        What it was built with.
    """

    program: Program | None
    options: SpaceOptions

    @property
    def variants(self) -> tuple[Variant, ...]:
        """One handle per schedule, best predicted first."""
        return tuple(self._variant(s) for s in self)

    def variant(self, schedule_id: str | None = None) -> Variant:
        """The handle of a schedule, by default of the one ranked first."""
        schedule = self.find(schedule_id) if schedule_id else self.best
        return self._variant(schedule)

    def _variant(self, schedule: Schedule) -> Variant:
        target = self.target if schedule.script else "openmp"  # the source order
        return Variant(
            self.scop, self.dependences, schedule, self.program, target=target
        )

    def first_printable(
        self, explain: Callable[[Variant, int], str] | None = None
    ) -> tuple[Variant, tuple[Dropped, ...]]:
        """The best-ranked variant that can be printed, and those before it, and why.

        Parameters
        ----------
        explain : callable, optional
            What its text says of why it was chosen, from the variant and how many
            were skipped. Told afterwards, it would have to be printed once more.

        Raises
        ------
        CodegenError
            If none can; the message is that of the best ranked.
        """
        skipped: list[Dropped] = []
        for variant in self.variants:
            if variant.target != self.target:
                continue
            if explain is not None:
                variant = variant.because(explain(variant, len(skipped)))
            reason = _find_obstacle(variant)
            if reason is None:
                return variant, tuple(skipped)
            skipped.append(Dropped(variant.id, reason))
        why = skipped[0].reason if skipped else "none is for the target"
        raise CodegenError(f"none of {len(self)} schedules can be printed: {why}")


def _find_obstacle(variant: Variant) -> str | None:
    """Why a variant cannot be printed, or must not, in one line, or None."""
    if variant.schedule.broken_pins:
        return f"it does not obey the pin {variant.schedule.broken_pins[0]}"
    try:
        variant.region_text()
    except CodegenError as error:
        return error.message.splitlines()[0]
    return None


def build_space(
    program: Program | Scop,
    machine: Machine | None = None,
    *,
    scop: str | None = None,
    policy: str | Policy | Chooser = "balanced",
    parameters: Mapping[str, int] | None = None,
    seconds: float | None = None,
    grace_seconds: float | None = None,
    limit: int | None = None,
    fp: FloatingPoint = "strict",
    pins: Sequence[Pin | str] = (),
    target: Target = "openmp",
    bulk: bool = False,
    progress: Progress | None = None,
) -> ProgramSpace:
    """The legal schedules of one SCoP, proven, distinct, ranked.

    Parameters
    ----------
    program : Program or Scop
        A file, or a SCoP without one.
    machine : Machine, optional
        What the code will run on; detected by default.
    scop : str, optional
        Name of the SCoP; needed when the file has several.
    policy : str, Policy or callable
        What chooses the recipes, as `find_policy` takes it.
    parameters : mapping of str to int, optional
        Sizes to predict times for; others are those that the file's own call of the
        function passes as constants.
    seconds : float, optional
        Time limit.
    grace_seconds : float, optional
        Past it, for the analysis and the source order, which otherwise take as long as
        they take.
    limit : int, optional
        Most schedules to keep.
    fp : {"strict", "promised", "reassociate", "tf32"}
        Whether sums may be added up in another order, and with ``tf32`` factors of
        floats be rounded to 10 bits of mantissa in tensor cores.
    pins : sequence of Pin or str
        What every schedule must obey, as values or texts (``parallel:S0.0``).
    target : {"openmp", "cuda"}
        What the schedules are printed as.
    bulk : bool
        For kernels: copy long rows of tiles in bulk, as processors from sm_90 on can.
    progress : Progress, optional

    Raises
    ------
    PolyschedError
        If the SCoP, a parameter or the policy is not there.
    PinError
        If a pin cannot be read or names what is not there.
    ConflictError
        If the pins cannot be obeyed.
    LimitError
        If the source order alone takes longer than the limit and its grace.
    """
    chosen = program if isinstance(program, Scop) else _choose(program, scop)
    if isinstance(program, Program):
        check_parameters(program, tuple(parameters or {}))
        parameters = program.likely_sizes(chosen) | dict(parameters or {})
    given = {"seconds": seconds, "limit": limit, "parameters": parameters}
    options = SpaceOptions(
        policy=policy,
        fp=fp,
        pins=read_pins(pins),
        target=target,
        bulk=bulk,
        grace_seconds=grace_seconds,
        **{k: v for k, v in given.items() if v is not None},  # type: ignore[arg-type]
    )
    built = build_schedule_space(chosen, machine, options, progress)
    values = {f.name: getattr(built, f.name) for f in fields(ScheduleSpace)}
    owner = program if isinstance(program, Program) else None
    return ProgramSpace(**values, program=owner, options=options)


def load_space(
    path: str | os.PathLike[str], program: Program | Scop, *, scop: str | None = None
) -> ProgramSpace:
    """A space that was saved, every schedule proven again; nothing is solved.

    Parameters
    ----------
    path : path
        Written by ``space.save`` or ``polysched space --save``.
    program : Program or Scop
        What it was built for, read with the same macros.
    scop : str, optional
        Name of the SCoP; needed when the file has several.

    Raises
    ------
    IllegalScheduleError
        If a schedule in the file violates a dependence.
    PolyschedError
        If the file holds no space of the SCoP, or was changed.
    """
    chosen = program if isinstance(program, Scop) else _choose(program, scop)
    found = load_schedule_space(path, chosen)
    values = {f.name: getattr(found, f.name) for f in fields(ScheduleSpace)}
    owner = program if isinstance(program, Program) else None
    options = SpaceOptions(
        policy=found.policy, fp=found.fp, pins=found.pins, target=found.target
    )
    return ProgramSpace(**values, program=owner, options=options)


def _choose(program: Program, name: str | None) -> Scop:
    found = select_scops(program, () if name is None else (name,))
    if len(found) != 1:
        names = ", ".join(s.name for s in found) or "none"
        raise PolyschedError(
            f"{program.path!r} has {len(found)} scops, expected one: {names}",
            hint="name the one to schedule",
        )
    return found[0]
