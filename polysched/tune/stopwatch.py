"""Measuring one program after another: the original first, then the variants."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from polysched.base import MismatchError, RunError, ToolchainError, UnavailableError
from polysched.records import Failure, Measurement, Outcome
from polysched.runtime import ChildError, Execution, Workbench
from polysched.tune.candidate import Candidate
from polysched.tune.judge import Judge, Verdict, device_note
from polysched.tune.options import (
    SERIES_SECONDS,
    TuneOptions,
    count_repeats,
    limit_run,
)
from polysched.tune.oracle import BASELINE, Oracle, consult_oracle


class Stopwatch:
    """Builds, checks and times texts of a region.

    Attributes
    ----------
    best_seconds : float
        The best median so far, the original's included; limits follow from it.
    overhead_seconds : float
        What the program needs outside the region; 0.0 until it was run.
    """

    def __init__(self, workbench: Workbench, options: TuneOptions) -> None:
        self.workbench = workbench
        self.options = options
        self.best_seconds = float("inf")
        self.overhead_seconds = 0.0
        self._judge: Judge | None = None

    @property
    def limit_seconds(self) -> float:
        """Wall time that a run may take now."""
        return limit_run(self.best_seconds, self.overhead_seconds, self.options)

    def prepare(self) -> None:
        """Build and run the original, unless that was done."""
        _ = self.judge

    @property
    def oracle(self) -> Oracle:
        """The original's results; it is run when they are first needed."""
        return self.judge.oracle

    @property
    def judge(self) -> Judge:
        """Compares with the original."""
        if self._judge is None:
            binary = self.workbench.build(BASELINE, None)
            oracle = consult_oracle(self.workbench, binary, self.options)
            first = oracle.samples[0]
            self.overhead_seconds = first.result.wall_seconds - first.seconds
            self._judge = Judge(self.workbench, self.options, oracle)
        return self._judge

    def measure_original(self) -> Measurement:
        """Time the original, its checking runs included.

        Raises
        ------
        ToolchainError, RunError
            If it cannot be built or run.
        """
        oracle = self.oracle
        known = [s.seconds for s in oracle.samples if s.n_calls == 1]
        limit = self.options.timeout_seconds or self.options.baseline_seconds
        binary = self.workbench.directory / BASELINE
        series = self._time(binary, known, limit)
        n_calls = oracle.samples[0].n_calls
        return Measurement(tuple(series), n_calls=n_calls, note=oracle.note)

    def compile(self, candidates: Sequence[Candidate]) -> dict[int, Path | Failure]:
        """Programs by the candidates' positions, compiled side by side.

        Nothing is timed meanwhile. Candidates without text are left out.
        """
        work = [c for c in candidates if c.failure is None]
        if work:
            self.workbench.prepare()
        sources = [self.workbench.source(c.text) for c in work]

        def compile_one(candidate: Candidate, source: bytes) -> Path | Failure:
            try:
                return self.workbench.compile(
                    candidate.name, source, device=candidate.device
                )
            except UnavailableError:
                raise  # nothing that should be remembered of a schedule
            except ToolchainError as error:
                return Failure("compile", str(error))

        with ThreadPoolExecutor(max(1, self.options.jobs)) as pool:
            programs = list(pool.map(compile_one, work, sources))
        return {c.position: p for c, p in zip(work, programs, strict=True)}

    def measure(self, candidate: Candidate, binary: Path | Failure) -> Outcome:
        """Check a variant's results, then time it; its program is deleted."""
        if isinstance(binary, Failure):
            return binary
        try:
            checked, verdict = self._check(candidate, binary)
            first = [c.seconds for c in checked if c.n_calls == 1]
            seconds = self._time(binary, first, self.limit_seconds)
        except ChildError as error:
            return error.failure
        except MismatchError as error:
            return Failure("mismatch", str(error))
        except RunError as error:
            return Failure("crash", str(error))
        finally:
            self.workbench.discard(candidate.name)
        notes = [verdict.note, device_note(checked[0])]
        return Measurement(
            tuple(seconds),
            max_relative_error=verdict.comparison.max_relative_error,
            n_calls=checked[0].n_calls,
            note="; ".join(n for n in notes if n),
        )

    def time_in_turn(
        self, programs: Mapping[str, Path]
    ) -> dict[str, tuple[float, ...] | Failure]:
        """Time some programs in turn, so that all meet the same disturbances.

        Returns
        -------
        dict
            For each name the seconds of its runs, as many as there are repeats unless
            these take too long; or how a run failed.
        """
        found: dict[str, list[float] | Failure] = {name: [] for name in programs}
        started = time.monotonic()
        for turn in range(self.options.repeats):
            if turn and time.monotonic() - started > SERIES_SECONDS:
                break
            for name, binary in programs.items():
                seconds = found[name]
                if isinstance(seconds, Failure):
                    continue
                try:
                    seconds.append(self._run(binary, self.limit_seconds).seconds)
                except ChildError as error:
                    found[name] = error.failure
        return {
            name: s if isinstance(s, Failure) else tuple(s) for name, s in found.items()
        }

    def _check(
        self, candidate: Candidate, binary: Path
    ) -> tuple[list[Execution], Verdict]:
        """Run and compare: twice where that is cheap, since races come and go."""
        judge, limit = self.judge, self.limit_seconds
        first = self._run(binary, limit, with_dump=True)
        verdict = judge.judge(first, candidate, limit)
        n = count_repeats(first.seconds, self.best_seconds, self.options.repeats)
        if n < 2:
            return [first], verdict
        second = self._run(binary, limit, with_dump=True)
        judge.confirm(second, first, verdict)
        return [first, second], verdict

    def _time(self, binary: Path, known: list[float], limit: float) -> list[float]:
        """Times of repeated runs, after those that are known already."""
        seconds = list(known)
        started = time.monotonic()
        while not seconds or (
            len(seconds)
            < count_repeats(seconds[0], self.best_seconds, self.options.repeats)
            and time.monotonic() - started < SERIES_SECONDS
        ):
            seconds.append(self._run(binary, limit).seconds)
        return seconds

    def _run(self, binary: Path, limit: float, *, with_dump: bool = False) -> Execution:
        return self.workbench.execute(
            binary,
            timeout_seconds=limit,
            with_dump=with_dump,
            expected_status=self.oracle.status,
        )
