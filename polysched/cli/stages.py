"""Work that the commands share, with --time-stages and --print-after around it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace

import click

from polysched.analysis import LARGE_EXTENT, compute_dependences
from polysched.base import (
    Deadline,
    LimitError,
    PolyschedError,
    SilentProgress,
    stopped_at,
)
from polysched.cli.bar import choose_progress
from polysched.cli.options import Common
from polysched.codegen import Target, start_measuring
from polysched.ir import Program, Scop
from polysched.machine import Gpu, Machine, probe_gpu
from polysched.workflow import (
    ProgramSpace,
    Variant,
    build_space,
    parse,
    prepare_scop,
    select_scops,
)

GRACE_SECONDS = 1.25  # past --timeout, for what every space begins with
_LATE_HINT = "a longer --timeout helps"


class Stages:
    """Runs the stages of one command and reports on them as the flags ask."""

    def __init__(self, common: Common) -> None:
        self.common = common
        self.seconds: dict[str, float] = {}
        self._limit = Deadline(common.began + common.timeout)
        self._end = self._limit.no_earlier_than(0.0).later(GRACE_SECONDS)
        is_silent = common.as_json or common.verbose > 0
        self.progress = SilentProgress() if is_silent else choose_progress()
        self._assumed: set[str] = set()

    def parse(self, *, lenient: bool = False) -> tuple[Program, tuple[Scop, ...]]:
        """Read the file; the program and the chosen SCoPs.

        With `lenient`, refused regions are the caller's to report.
        """
        common = self.common
        late = f"{common.file!r} was not read within {common.timeout:g} s"
        with self.timed("parse"), stopped_at(self._end, late, _LATE_HINT):
            program = parse(
                common.file,
                flags=common.preprocessor_flags,
                cc=common.cc,
                pure=common.pure,
                cflags=common.cflags,
                lenient=True,
                overlap=common.overlap,
            )
        refusals = () if lenient else program.refusals
        for refusal in refusals if program.scops else refusals[1:]:
            what = "scheduled in parts" if refusal.parts else "left as it is"
            click.echo(f"polysched: warning: scop {what}: {refusal}", err=True)
        if refusals and not program.scops:
            raise refusals[0]
        scops = select_scops(program, common.scop)
        for scop in scops:
            self._after_parse(scop)
        return program, scops

    def load_machine(self) -> Machine:
        """The machine of ``--machine``, or this one."""
        path = self.common.machine
        with self.timed("machine"):
            machine = Machine.load(path) if path else Machine.detect()
        threads = self.common.threads
        if self.common.target == "cuda":
            machine = self._with_gpu(machine)
        return machine if threads is None else machine.limited(threads)

    def _with_gpu(self, machine: Machine) -> Machine:
        """The machine with the graphics processor that is named, or that it has."""
        if self.common.gpu:
            return replace(machine, gpu=Gpu.find(self.common.gpu))
        return machine if machine.gpu else replace(machine, gpu=probe_gpu())

    def build(
        self,
        program: Program,
        scop: Scop,
        machine: Machine,
        limit: int | None = None,
        target: Target | None = None,
        parameters: Mapping[str, int] | None = None,
    ) -> ProgramSpace:
        """The space of one SCoP; flags say target and sizes unless they are given."""
        common = self.common
        sizes = common.param if parameters is None else parameters
        self._tell_assumed(program, scop, sizes)
        seconds = self._limit.remaining_seconds()
        end = self._end.remaining_seconds()
        with self.timed(f"space of {scop.name}"):
            space = build_space(
                program,
                machine,
                scop=scop.name,
                policy=common.seeded_policy,
                parameters=sizes,
                seconds=seconds,
                grace_seconds=end - seconds,
                limit=limit,
                fp=common.fp,
                pins=common.pin,
                target=target or common.target,
                bulk=common.bulk,
                progress=self.progress,
            )
        self._warn_of_late(space)
        self._start_limit()
        solver = sum(stage.seconds for s in space for stage in s.stages)
        self.seconds[f"  of it solving {scop.name}"] = solver
        return space

    def _start_limit(self) -> None:
        """Each space has the whole time."""
        self._limit = Deadline.after(self.common.timeout)
        self._end = self._limit.later(GRACE_SECONDS)

    def _tell_assumed(
        self, program: Program, scop: Scop, sizes: Mapping[str, int]
    ) -> None:
        """Say which sizes are guesses, each once; no schedule is chosen without any."""
        names = [p.name for p in scop.parameters if p.value is None]
        open_ = [n for n in names if n not in sizes and n not in self._assumed]
        if not open_:
            return
        self._assumed.update(open_)
        called = program.likely_sizes(scop)
        unknown = [n for n in open_ if n not in called]
        told = [f"{n} = {called[n]}" for n in open_ if n in called]
        told = [f"{', '.join(told)}, as the file calls it"] if told else []
        if unknown:
            told.append(f"{' = '.join(unknown)} = {LARGE_EXTENT}")
        options = " ".join(f"--param {name}=N" for name in open_)
        click.echo(
            f"polysched: note: {scop.name}: schedules are ranked for "
            f"{'; '.join(told)}; {options} names other sizes",
            err=True,
        )

    def _warn_of_late(self, space: ProgramSpace) -> None:
        """Say that a longer limit gives more; without it nobody would know."""
        n_late = space.size.late
        if n_late:
            few = "candidate" if n_late == 1 else "candidates"
            click.echo(
                f"polysched: warning: space of {space.scop.name}: the time limit of "
                f"{self.common.timeout:g} s kept {n_late} {few} out; {_LATE_HINT}",
                err=True,
            )

    def sizes(
        self, scop: Scop, look: Callable[[], Mapping[str, int]]
    ) -> dict[str, int]:
        """The sizes of ``--param``, and what they leave out as `look` finds it.

        The look takes nothing of the time for building spaces.
        """
        given = dict(self.common.param)
        if all(p.name in given for p in scop.parameters if p.value is None):
            return given
        began = time.monotonic()
        with self.timed(f"sizes of {scop.name}"):
            found = dict(look())
        spent = time.monotonic() - began
        self._limit, self._end = self._limit.later(spent), self._end.later(spent)
        return found | given

    def host_space(self, space: ProgramSpace) -> ProgramSpace:
        """The space of the same SCoP for the processor."""
        program = space.program
        assert program is not None
        scop = next(s for s in program.scops if s.name == space.scop.name)
        sizes = space.options.parameters
        return self.build(
            program, scop, space.machine, target="openmp", parameters=sizes
        )

    def spaces(self, limit: int | None = None) -> list[ProgramSpace]:
        """Parse, then one space per chosen SCoP, but for those that take too long."""
        start_measuring()
        program, scops = self.parse()
        machine = self.load_machine()

        def build(scop: Scop) -> ProgramSpace | LimitError:
            try:
                return self.build(program, scop, machine, limit)
            except LimitError as error:
                self._start_limit()
                return error

        built = [build(scop) for scop in scops]
        found = [b for b in built if not isinstance(b, LimitError)]
        late = [b for b in built if isinstance(b, LimitError)]
        if not found:
            raise late[0]
        for error in late:  # others are no worse for it
            click.echo(f"polysched: warning: {error.message}; left out", err=True)
        return found

    def show(self, variant: Variant, *, with_text: bool = True) -> None:
        """Print what ``--print-after`` asks of a chosen schedule."""
        wanted = self.common.print_after
        title = f"{variant.scop.name} {variant.id}"
        if "affine" in wanted:
            _print_stage("affine", title, variant.schedule.affine.text)
        if "tree" in wanted:
            _print_stage("tree", title, variant.schedule.tree.text)
        if "ast" in wanted and with_text:
            text = variant.device_text() or variant.region_text()
            _print_stage("ast", title, text)

    @contextmanager
    def timed(self, stage: str) -> Iterator[None]:
        """Add the time of a block to a stage."""
        started = time.monotonic()
        try:
            yield
        finally:
            spent = time.monotonic() - started
            self.seconds[stage] = self.seconds.get(stage, 0.0) + spent

    def finish(self) -> None:
        """Print the seconds of each stage, if that was asked for."""
        if self.common.time_stages:
            for stage, seconds in self.seconds.items():
                click.echo(f"{seconds:9.3f} s  {stage}", err=True)

    def _after_parse(self, scop: Scop) -> None:
        wanted = self.common.print_after
        if "scop" in wanted:
            lines = [
                f"context {scop.context}",
                *(str(s.domain) for s in scop.statements),
            ]
            lines += [f"{a.kind} {a.relation}" for _, a in scop.iter_accesses()]
            _print_stage("scop", scop.name, "\n".join(lines))
        if "dependences" in wanted:
            found = compute_dependences(prepare_scop(scop)).items
            text = "\n".join(f"{d}\n  {d.relation}" for d in found)
            _print_stage("dependences", scop.name, text)


def _print_stage(stage: str, title: str, text: str) -> None:
    click.echo(f"--- {stage} of {title}\n{text.rstrip()}", err=True)


def find_variant(spaces: list[ProgramSpace], schedule_id: str) -> Variant:
    """The variant of an id, in whichever space it is.

    Raises
    ------
    PolyschedError
        If none or several have it; names the ids there are.
    """
    found = [s for s in spaces if any(p.id.startswith(schedule_id) for p in s)]
    if len(found) > 1:
        names = ", ".join(s.scop.name for s in found)
        raise PolyschedError(
            f"schedule {schedule_id!r} is in the spaces of several scops: {names}",
            hint="choose one with --scop",
        )
    return (found or spaces)[0].variant(schedule_id)
