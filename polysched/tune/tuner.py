"""The search: build, check, time, record, one variant after another."""

from __future__ import annotations

import hashlib
import logging
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Protocol

from polysched.base import (
    IllegalScheduleError,
    MismatchError,
    PolyschedError,
    Progress,
    RunError,
    SilentProgress,
    ToolchainError,
)
from polysched.ir import Program, Scop
from polysched.machine import Machine
from polysched.records import Database, Failure, Measurement, Outcome, RecordKey
from polysched.runtime import (
    ChildError,
    Comparison,
    Execution,
    RunOptions,
    Toolchain,
    Workbench,
)
from polysched.tune.options import (
    RETRY_FACTOR,
    SERIES_SECONDS,
    TuneOptions,
    count_repeats,
    limit_run,
)
from polysched.tune.oracle import Oracle, consult_oracle
from polysched.tune.result import MeasuredVariant, TuneResult

log = logging.getLogger(__name__)

BASELINE = "baseline"


class TunableVariant(Protocol):
    """What can be measured: a schedule that can be printed."""

    @property
    def id(self) -> str:
        """Short, stable name of schedule and shape."""

    @property
    def predicted_seconds(self) -> float | None:
        """What the model expects, None when it does not know."""

    def region_text(self) -> str:
        """C text for the region; may raise `CodegenError`."""


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

    Returns
    -------
    TuneResult
        One outcome per variant tried. A variant that cannot be printed, compiled or
        run, runs too long, takes too much memory or computes something else is a
        `Failure` and does not stop the search.

    Raises
    ------
    ToolchainError
        If the original cannot be compiled.
    RunError
        If the original cannot be run to its end, or has no steady results.
    """
    chosen_machine = machine or Machine.detect()
    with tempfile.TemporaryDirectory(prefix="polysched-") as scratch:
        workbench = Workbench(
            program,
            scop,
            toolchain=toolchain or Toolchain(),
            directory=directory or Path(scratch),
            options=run_options,
        )
        own = Database.open(":memory:") if database is None else None
        try:
            tuner = _Tuner(
                workbench,
                chosen_machine,
                options or TuneOptions(),
                database if own is None else own,  # type: ignore[arg-type]
                progress or SilentProgress(),
            )
            return tuner.search(variants)
        finally:
            if own is not None:
                own.close()


@dataclass(frozen=True)
class _Candidate:
    """A variant with its text or the failure to print one."""

    position: int
    id: str
    predicted_seconds: float | None
    key: RecordKey
    text: str
    failure: Failure | None = None

    @property
    def name(self) -> str:
        """Base name of its files."""
        return f"variant{self.position}"


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
        self.key = RecordKey(
            program=workbench.program_key(options.fp),
            scop=workbench.scop.name,
            schedule=BASELINE,
            code=_hash_text(""),
            compiler=workbench.toolchain.identity(),
            machine=machine.key,
            n_threads=workbench.options.threads,
        )
        self.best_seconds = float("inf")
        self.best_id = ""
        self.overhead_seconds = 0.0
        self.oracle: Oracle | None = None
        self.done: list[MeasuredVariant] = []

    def search(self, variants: Iterable[TunableVariant]) -> TuneResult:
        """Try the variants in batches: compile side by side, then time one by one."""
        chosen = list(islice(variants, max(0, self.options.budget)))
        self.progress.start("measure", 1 + len(chosen))
        try:
            baseline = self._measure_baseline()
            self.best_seconds = baseline.median_seconds
            self.progress.advance(f"original {baseline.median_seconds:.4g} s")
            for batch in _batches(chosen, max(1, self.options.jobs)):
                self._try_batch(batch)
        finally:
            self.progress.finish()
        return TuneResult(
            self.workbench.scop.name,
            baseline,
            tuple(self.done),
            self.workbench.options.threads,
        )

    def _measure_baseline(self) -> Measurement:
        """The original's times: the stored ones, or new ones."""
        stored = self.database.find(self.key)
        if isinstance(stored, Measurement):
            return stored
        oracle = self._consult()
        samples = [s for s in oracle.samples if s.n_calls == 1]
        seconds = [s.seconds for s in samples]
        binary = self.workbench.directory / BASELINE
        limit = self.options.timeout_seconds or self.options.baseline_seconds
        series = self._time(binary, seconds, limit, oracle.status)
        outcome = Measurement(
            tuple(series), n_calls=oracle.samples[0].n_calls, note=oracle.note
        )
        self.database.store(self.key, outcome)
        log.info("original: %.4g s", outcome.median_seconds)
        return outcome

    def _consult(self) -> Oracle:
        """The oracle, run when it is first needed."""
        if self.oracle is None:
            binary = self.workbench.build(BASELINE, None)
            self.oracle = consult_oracle(self.workbench, binary, self.options)
            first = self.oracle.samples[0]
            self.overhead_seconds = first.result.wall_seconds - first.seconds
        return self.oracle

    def _try_batch(self, batch: Sequence[tuple[int, TunableVariant]]) -> None:
        """Look up, print, compile and time some variants; results keep their order."""
        candidates = [self._print(k, variant) for k, variant in batch]
        found = {c.position: self._find(c.key) for c in candidates}
        fresh = [c for c in candidates if found[c.position] is None]
        if any(c.failure is None for c in fresh):
            self._consult()
        built = self._compile(fresh)
        for candidate in candidates:
            outcome = found[candidate.position]
            is_stored = outcome is not None
            if outcome is None:
                outcome = candidate.failure or self._measure(
                    candidate, built[candidate.position]
                )
                self.database.store(candidate.key, outcome)
            self._note(candidate, outcome, is_stored)

    def _find(self, key: RecordKey) -> Outcome | None:
        """The stored outcome, unless a higher limit may change it."""
        stored = self.database.find(key)
        if not isinstance(stored, Failure) or not stored.limit:
            return stored
        now = limit_run(self.best_seconds, self.overhead_seconds, self.options)
        if stored.kind == "memory":
            now = float(self.workbench.options.memory_bytes or 0)
        return None if now > RETRY_FACTOR * stored.limit else stored

    def _print(self, position: int, variant: TunableVariant) -> _Candidate:
        """A variant's text; what prevents it is its failure."""
        text, failure = "", None
        try:
            text = variant.region_text()
        except IllegalScheduleError as error:
            failure = Failure("illegal", str(error))
        except PolyschedError as error:
            failure = Failure("codegen", str(error))
        key = replace(self.key, schedule=variant.id, code=_hash_text(text))
        return _Candidate(
            position, variant.id, variant.predicted_seconds, key, text, failure
        )

    def _compile(self, candidates: Sequence[_Candidate]) -> dict[int, Path | Failure]:
        """Compile texts side by side; no program is timed meanwhile."""
        work = [c for c in candidates if c.failure is None]
        sources = [self.workbench.source(c.text) for c in work]

        def compile_one(candidate: _Candidate, source: bytes) -> Path | Failure:
            try:
                return self.workbench.compile(candidate.name, source)
            except ToolchainError as error:
                return Failure("compile", str(error))

        with ThreadPoolExecutor(max(1, self.options.jobs)) as pool:
            programs = list(pool.map(compile_one, work, sources))
        return {c.position: p for c, p in zip(work, programs, strict=True)}

    def _measure(self, candidate: _Candidate, binary: Path | Failure) -> Outcome:
        """Check a variant's results, then time it."""
        if isinstance(binary, Failure):
            return binary
        oracle = self._consult()
        limit = limit_run(self.best_seconds, self.overhead_seconds, self.options)
        try:
            checked, comparison = self._check(binary, limit, oracle)
            first = [c.seconds for c in checked if c.n_calls == 1]
            seconds = self._time(binary, first, limit, oracle.status)
        except ChildError as error:
            return error.failure
        except MismatchError as error:
            return Failure("mismatch", str(error))
        except RunError as error:
            return Failure("crash", str(error))
        finally:
            self.workbench.discard(candidate.name)
        return Measurement(
            tuple(seconds),
            max_relative_error=comparison.max_relative_error,
            n_calls=checked[0].n_calls,
            note=_describe(oracle, comparison, checked[0]),
        )

    def _check(
        self, binary: Path, limit: float, oracle: Oracle
    ) -> tuple[list[Execution], Comparison]:
        """Run and compare: twice where that is cheap, since races come and go."""
        checked: list[Execution] = []
        while True:
            run = self.workbench.execute(
                binary,
                timeout_seconds=limit,
                with_dump=True,
                expected_status=oracle.status,
            )
            comparison = oracle.compare(run)
            checked.append(run)
            n = count_repeats(run.seconds, self.best_seconds, self.options.repeats)
            if len(checked) >= min(2, n):
                return checked, comparison

    def _time(
        self, binary: Path, first: list[float], limit: float, status: int
    ) -> list[float]:
        """Times of repeated runs, after those that are known already."""
        seconds = list(first)
        started = time.monotonic()
        while not seconds or (
            len(seconds)
            < count_repeats(seconds[0], self.best_seconds, self.options.repeats)
            and time.monotonic() - started < SERIES_SECONDS
        ):
            execution = self.workbench.execute(
                binary, timeout_seconds=limit, expected_status=status
            )
            seconds.append(execution.seconds)
        return seconds

    def _note(self, candidate: _Candidate, outcome: Outcome, is_stored: bool) -> None:
        """Remember an outcome and tell about it."""
        self.done.append(
            MeasuredVariant(
                candidate.id, candidate.predicted_seconds, outcome, is_stored
            )
        )
        if isinstance(outcome, Measurement):
            if outcome.matches and outcome.median_seconds < self.best_seconds:
                self.best_seconds = outcome.median_seconds
                self.best_id = candidate.id
            log.info("%s: %.4g s", candidate.id, outcome.median_seconds)
        else:
            log.info("%s: %s, %s", candidate.id, outcome.kind, outcome.text)
        failed = sum(isinstance(v.outcome, Failure) for v in self.done)
        best = f"best {self.best_seconds:.4g} s ({self.best_id or 'original'})"
        self.progress.advance(f"{best}, {failed} failed" if failed else best)


def _batches(
    variants: Sequence[TunableVariant], size: int
) -> Iterator[list[tuple[int, TunableVariant]]]:
    """Numbered variants in groups."""
    numbered = list(enumerate(variants))
    for start in range(0, len(numbered), size):
        yield numbered[start : start + size]


def _describe(oracle: Oracle, comparison: Comparison, checked: Execution) -> str:
    """What a reader of a measurement should know."""
    notes = [oracle.note] if oracle.note else []
    if comparison.n_rounded:
        notes.append(
            f"{comparison.n_rounded} of {comparison.n_values} values differ in rounding"
        )
    if comparison.n_nan:
        notes.append(f"{comparison.n_nan} of the compared values are NaN")
    if checked.n_calls > 1:
        notes.append(f"seconds are the sum of {checked.n_calls} calls")
    return "; ".join(notes)


def _hash_text(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:16]
