"""The search: look up, build, check, time, record, one variant after another."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from itertools import islice
from pathlib import Path

from polysched.base import Progress, SilentProgress
from polysched.ir import Program, Scop
from polysched.machine import Machine
from polysched.records import Database, Failure, Measurement, Outcome, RecordKey
from polysched.runtime import (
    DeviceTools,
    LoadMeter,
    RunOptions,
    Toolchain,
    Workbench,
)
from polysched.tune.candidate import (
    Candidate,
    TunableVariant,
    hash_text,
    print_candidate,
)
from polysched.tune.options import (
    RETRY_FACTOR,
    TuneOptions,
    choose_finalists,
    choose_late_finalists,
)
from polysched.tune.oracle import BASELINE
from polysched.tune.result import MeasuredVariant, TuneResult
from polysched.tune.stopwatch import Stopwatch

log = logging.getLogger(__name__)

_FINAL = "+final"  # behind a schedule's id: its times side by side with others


def tune(
    program: Program,
    scop: Scop,
    variants: Iterable[TunableVariant],
    *,
    toolchain: Toolchain | None = None,
    machine: Machine | None = None,
    options: TuneOptions | None = None,
    run_options: RunOptions | None = None,
    database: Database | None = None,
    progress: Progress | None = None,
    directory: Path | None = None,
    device: DeviceTools | None = None,
) -> TuneResult:
    """Measure the first variants in the user's program and check their results.

    Parameters
    ----------
    program, scop : Program, Scop
        The file and the region that the variants replace.
    variants : iterable of TunableVariant
        Best-ranked first; as many are taken as the budget allows.
    toolchain : Toolchain, optional
        The user's compiler and options; by default gcc.
    machine : Machine, optional
        What records are filed under; by default this machine.
    options, run_options : TuneOptions, RunOptions, optional
        Limits of the search; threads, arguments and limits of the program.
    database : Database, optional
        Where outcomes are looked up and stored; by default kept in memory only.
    progress : Progress, optional
        Told of every outcome.
    directory : Path, optional
        For sources and programs; by default a temporary one.
    device : DeviceTools, optional
        What builds and runs device code.

    Returns
    -------
    TuneResult
        One outcome per variant tried. A variant that cannot be printed, compiled or
        run, runs too long, takes too much memory or computes something else is a
        `Failure` and does not stop the search. The fastest few are timed again in turn
        with the original, and these times decide.

    Raises
    ------
    ToolchainError
        If the original cannot be compiled.
    RunError
        If the original cannot be run to its end, or has no steady results.
    """
    with ExitStack() as stack:
        scratch = stack.enter_context(
            tempfile.TemporaryDirectory(prefix="polysched-", ignore_cleanup_errors=True)
        )
        if database is None:
            database = stack.enter_context(Database.open(":memory:"))
        workbench = Workbench(
            program,
            scop,
            toolchain=toolchain or Toolchain(),
            directory=directory or Path(scratch),
            options=run_options,
            device=device,
        )
        tuner = _Tuner(
            workbench,
            machine or Machine.detect(),
            options or TuneOptions(),
            database,
            progress or SilentProgress(),
        )
        return tuner.search(variants)


def _run_by(machine: Machine, device: DeviceTools | None) -> Machine:
    """The machine with the processor that kernels run on, not one ranked for."""
    return replace(machine, gpu=None if device is None else device.gpu)


class _Tuner:
    """The state of one search."""

    def __init__(
        self,
        workbench: Workbench,
        machine: Machine,
        options: TuneOptions,
        database: Database,
        progress: Progress,
    ) -> None:
        self.workbench = workbench
        self.options = options
        self.database = database
        self.progress = progress
        self.stopwatch = Stopwatch(workbench, options)
        self.meter = LoadMeter()
        self.key = RecordKey(
            program=workbench.program_key(options.fp),
            scop=workbench.scop.name,
            schedule=BASELINE,
            code=hash_text(""),
            compiler=workbench.identity(),
            machine=_run_by(machine, workbench.device).key,
            n_threads=workbench.options.threads,
        )
        self.best_id = ""
        self.candidates: list[Candidate] = []
        self.done: list[MeasuredVariant] = []
        self._has_raced = False

    def search(self, variants: Iterable[TunableVariant]) -> TuneResult:
        """Try the variants in batches: compile side by side, then time one by one."""
        chosen = list(islice(variants, max(0, self.options.budget)))
        self.progress.start("measure", 2 + len(chosen))
        try:
            baseline = self._measure_baseline()
            self.stopwatch.best_seconds = baseline.median_seconds
            self.progress.advance(f"original {baseline.median_seconds:.4g} s")
            for batch in _batches(chosen, max(1, self.options.jobs)):
                self._try_batch(batch)
            result = self._run_final(baseline)
            self.progress.advance(f"best {result.best or 'original'}")
        finally:
            self.progress.finish()
        return result

    def _measure_baseline(self) -> Measurement:
        """The original's times: the stored ones, or new ones."""
        stored = self.database.find(self.key)
        if isinstance(stored, Measurement):
            return stored
        outcome = self.stopwatch.measure_original()
        self.database.store(self.key, outcome)
        log.info("original: %.4g s", outcome.median_seconds)
        return outcome

    def _try_batch(self, batch: Sequence[tuple[int, TunableVariant]]) -> None:
        """Look up, print, compile and time some variants; results keep their order."""
        candidates = [print_candidate(k, variant, self.key) for k, variant in batch]
        found = {c.position: self._find(c.key) for c in candidates}
        built = self.stopwatch.compile(
            [c for c in candidates if found[c.position] is None]
        )
        for candidate in candidates:
            outcome = found[candidate.position]
            is_stored = outcome is not None
            if outcome is None:
                outcome = candidate.failure or self.stopwatch.measure(
                    candidate, built[candidate.position]
                )
                self.database.store(candidate.key, outcome)
            self._note(candidate, outcome, is_stored)

    def _find(self, key: RecordKey) -> Outcome | None:
        """The stored outcome, unless a higher limit may change it."""
        stored = self.database.find(key)
        if not isinstance(stored, Failure) or not stored.limit:
            return stored
        now = self.stopwatch.limit_seconds
        if stored.kind == "memory":
            now = float(self.workbench.options.memory_bytes or 0)
        return None if now > RETRY_FACTOR * stored.limit else stored

    def _note(self, candidate: Candidate, outcome: Outcome, is_stored: bool) -> None:
        """Remember an outcome and tell about it."""
        watch = self.stopwatch
        self.candidates.append(candidate)
        self.done.append(
            MeasuredVariant(
                candidate.id, candidate.predicted_seconds, outcome, is_stored
            )
        )
        if isinstance(outcome, Measurement):
            if outcome.matches and outcome.median_seconds < watch.best_seconds:
                watch.best_seconds = outcome.median_seconds
                self.best_id = candidate.id
            log.info("%s: %.4g s", candidate.id, outcome.median_seconds)
        else:
            log.info("%s: %s, %s", candidate.id, outcome.kind, outcome.text)
        failed = sum(isinstance(v.outcome, Failure) for v in self.done)
        best = f"best {watch.best_seconds:.4g} s ({self.best_id or 'original'})"
        self.progress.advance(f"{best}, {failed} failed" if failed else best)

    def _run_final(self, baseline: Measurement) -> TuneResult:
        """Time the original and the fastest variants in turn; these times decide."""
        outcomes = [v.outcome for v in self.done]
        finalists = choose_finalists(baseline, outcomes, self.options)
        if finalists:
            baseline = self._time_finalists(baseline, finalists)
            outcomes = [v.outcome for v in self.done]
            if late := choose_late_finalists(outcomes, finalists):
                baseline = self._time_finalists(baseline, late)
                finalists = late
        has_measured = self._has_raced or any(not v.is_stored for v in self.done)
        return TuneResult(
            self.workbench.scop.name,
            baseline,
            tuple(self.done),
            self.workbench.options.threads,
            tuple(self.done[k].id for k in finalists),
            self.meter.foreign_cores() if has_measured else None,
        )

    def _time_finalists(
        self, baseline: Measurement, finalists: Sequence[int]
    ) -> Measurement:
        """Replace the finalists' times by those of the final; the original's, too."""
        chosen = [self.candidates[k] for k in finalists]
        before = {BASELINE: baseline}
        keys = {BASELINE: replace(self.key, schedule=BASELINE + _FINAL)}
        for k, candidate in zip(finalists, chosen, strict=True):
            outcome = self.done[k].outcome
            assert isinstance(outcome, Measurement)
            before[candidate.name] = outcome
            keys[candidate.name] = replace(
                candidate.key, schedule=candidate.id + _FINAL
            )
        stored = {name: self.database.find(key) for name, key in keys.items()}
        after = {name: o for name, o in stored.items() if o is not None}
        if len(after) < len(keys):
            meter = LoadMeter()
            after = self._race(chosen, before)
            self._has_raced = True
            if not meter.is_loaded:  # otherwise another search times them again
                for name, found in after.items():
                    self.database.store(keys[name], found)
        for k, candidate in zip(finalists, chosen, strict=True):
            self.done[k] = replace(self.done[k], outcome=after[candidate.name])
        original = after[BASELINE]
        return original if isinstance(original, Measurement) else baseline

    def _race(
        self, chosen: Sequence[Candidate], before: Mapping[str, Measurement]
    ) -> dict[str, Outcome]:
        """New times of the original and of some variants that were right."""
        self.stopwatch.prepare()
        built = self.stopwatch.compile(chosen)
        programs = {BASELINE: self.workbench.directory / BASELINE}
        outcomes: dict[str, Outcome] = {}
        for candidate in chosen:
            program = built[candidate.position]
            if isinstance(program, Failure):
                outcomes[candidate.name] = program
            else:
                programs[candidate.name] = program
        for name, seconds in self.stopwatch.time_in_turn(programs).items():
            outcomes[name] = (
                seconds
                if isinstance(seconds, Failure)
                else replace(before[name], seconds=seconds)
            )
        for candidate in chosen:
            self.workbench.discard(candidate.name)
        return outcomes


def _batches(
    variants: Sequence[TunableVariant], size: int
) -> Iterator[list[tuple[int, TunableVariant]]]:
    """Numbered variants in groups."""
    numbered = list(enumerate(variants))
    for start in range(0, len(numbered), size):
        yield numbered[start : start + size]
