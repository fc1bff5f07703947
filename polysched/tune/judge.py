"""Deciding whether a variant computes what the original computes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import inf

from polysched.base import MismatchError, RunError, ToolchainError
from polysched.runtime import (
    Comparison,
    Execution,
    Workbench,
    compare_dumps,
    compare_output,
)
from polysched.tune.candidate import Candidate
from polysched.tune.options import TuneOptions
from polysched.tune.oracle import BASELINE, Oracle, consult_oracle

UNFUSED = ("-ffp-contract=off",)
_SUFFIX = "_unfused"


@dataclass(frozen=True)
class Verdict:
    """A variant's results are right.

    Attributes
    ----------
    comparison : Comparison
        With the original's results.
    note : str
        What a reader should know.
    by_second_opinion : bool
        Whether only the comparison without fused multiply-add could tell.
    """

    comparison: Comparison
    note: str
    by_second_opinion: bool = False


class Judge:
    """Compares runs of variants with the original's.

    A compiler may fuse multiply and add in one text and not in the other, and a program
    may amplify that beyond any bound (an orthonormalisation of nearly dependent
    vectors). Where results differ by more than the bound, and the order of operations
    per element was kept, both texts are compiled again without fusing, and then must
    agree bit for bit.
    """

    def __init__(
        self, workbench: Workbench, options: TuneOptions, oracle: Oracle
    ) -> None:
        self.workbench = workbench
        self.options = options
        self.oracle = oracle
        self._unfused: Oracle | None = None

    def judge(self, run: Execution, candidate: Candidate, limit: float) -> Verdict:
        """Compare a checking run with the original's.

        Parameters
        ----------
        run : Execution
            Of the variant, with its dump.
        candidate : Candidate
            The variant, for a second opinion.
        limit : float
            Wall time in seconds that a further run may take.

        Raises
        ------
        MismatchError
            If its results are wrong.
        """
        try:
            comparison = self.oracle.compare(run)
        except MismatchError as error:
            second = self._second_opinion(run, candidate, limit)
            if second is None:
                raise
            if isinstance(second, MismatchError):
                raise MismatchError(
                    f"{error.message}; without fused multiply-add {second.message}"
                ) from error
            return second
        return Verdict(comparison, _describe(self.oracle, comparison, run))

    def confirm(self, run: Execution, first: Execution, verdict: Verdict) -> None:
        """Compare a further run of a variant that was judged right.

        Raises
        ------
        MismatchError
            If it computes something else now: a race.
        """
        try:
            if verdict.by_second_opinion:
                assert first.dump is not None
                assert run.dump is not None
                compare_dumps(first.dump, run.dump, {}, self.oracle.ignored)
            else:
                self.oracle.compare(run)
        except MismatchError as error:
            raise MismatchError(
                f"a second run computes something else: {error.message}"
            ) from error

    def _second_opinion(
        self, run: Execution, candidate: Candidate, limit: float
    ) -> Verdict | MismatchError | None:
        """What the texts compute without fusing; None when that cannot be told."""
        if self.options.fp != "strict" or self.workbench.toolchain.build_command:
            return None
        if self.workbench.is_exact:  # nothing was fused the first time
            return None
        name = candidate.name
        try:
            oracle = self._consult_unfused()
            binary = self.workbench.build(
                name + _SUFFIX, candidate.text, UNFUSED, candidate.device
            )
            again = self.workbench.execute(
                binary,
                timeout_seconds=limit,
                with_dump=True,
                expected_status=oracle.status,
            )
            assert again.dump is not None
            compare_dumps(oracle.dump, again.dump, {}, oracle.ignored)
            if oracle.output is not None:
                compare_output(oracle.output, again.result.stdout())
            comparison = self._measure_difference(run)
        except MismatchError as error:
            return error
        except (RunError, ToolchainError):
            return None
        finally:
            self.workbench.discard(name + _SUFFIX)
        note = _describe(self.oracle, comparison, run)
        how = (
            "equal bit for bit without fused multiply-add, which this program amplifies"
            f" to {comparison.max_relative_error:.1e} of the largest value"
        )
        equal = replace(comparison, max_relative_error=0.0)
        return Verdict(equal, f"{how}; {note}" if note else how, True)

    def _consult_unfused(self) -> Oracle:
        """The original compiled without fused multiply-add, run when first needed."""
        if self._unfused is None:
            name = BASELINE + _SUFFIX
            binary = self.workbench.build(name, None, UNFUSED)
            self._unfused = consult_oracle(self.workbench, binary, self.options)
            self.workbench.discard(name)
        return self._unfused

    def _measure_difference(self, run: Execution) -> Comparison:
        """How far a run is from the original, whatever the bounds.

        Raises
        ------
        MismatchError
            If values differ that no rounding can change: integers.
        """
        assert run.dump is not None
        oracle = self.oracle
        return compare_dumps(
            oracle.dump, run.dump, dict.fromkeys(oracle.bounds, inf), oracle.ignored
        )


def _describe(oracle: Oracle, comparison: Comparison, run: Execution) -> str:
    """What a reader of a measurement should know."""
    notes = [oracle.note] if oracle.note else []
    if comparison.n_rounded:
        notes.append(
            f"{comparison.n_rounded} of {comparison.n_values} values differ in rounding"
        )
    if comparison.n_nan:
        notes.append(f"{comparison.n_nan} of the compared values are NaN")
    if run.n_calls > 1:
        notes.append(f"seconds are the sum of {run.n_calls} calls")
    return "; ".join(notes)


def device_note(run: Execution) -> str:
    """How long kernels and copies of a run took; empty without device code."""
    if run.device_seconds is None:
        return ""
    kernels, copies = run.device_seconds
    return f"kernels {kernels:.3g} s, copies {copies:.3g} s"
