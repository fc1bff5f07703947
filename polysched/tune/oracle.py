"""The original program as the judge of all variants."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from polysched.base import RunError
from polysched.runtime import (
    ChildError,
    Comparison,
    Dump,
    Execution,
    Mask,
    Workbench,
    compare_dumps,
    compare_output,
    differing_values,
    rounding_bounds,
)
from polysched.tune.options import LONG_RUN_SECONDS, TuneOptions

log = logging.getLogger(__name__)

BASELINE = "baseline"
_UNSTEADY_SHARE = 0.01


@dataclass(frozen=True, eq=False)
class Oracle:
    """What the original computes, and how far a variant may be from it.

    Attributes
    ----------
    dump : Dump
        What its region wrote.
    status : int
        Its exit status.
    output : str or None
        What it printed; None where two runs print different texts.
    bounds : mapping of array name to float
        Tolerances, from `rounding_bounds`.
    ignored : mapping of segment number to mask
        Values that differ between two runs of the original.
    samples : tuple of Execution
        The runs that were needed.
    """

    dump: Dump
    status: int
    output: str | None
    bounds: Mapping[str, float]
    ignored: Mapping[int, Mask]
    samples: tuple[Execution, ...]

    @property
    def note(self) -> str:
        """What weakens the comparison; empty when nothing does."""
        notes = []
        n_ignored = sum(int(mask.sum()) for mask in self.ignored.values())
        if n_ignored:
            notes.append(
                f"{n_ignored} of {self.dump.n_values} values differ between two runs of"
                " the original and are not compared"
            )
        if self.output is None and len(self.samples) > 1:
            notes.append("two runs of the original print different texts")
        if self.dump.is_cut:
            notes.append("only the first part of the results is compared")
        if not self.dump.n_values:
            notes.append("the region leaves no results to compare")
        return "; ".join(notes)

    def compare(self, execution: Execution) -> Comparison:
        """Compare a checking run with the original.

        Raises
        ------
        MismatchError
            If a value or a line of output differs.
        """
        assert execution.dump is not None
        comparison = compare_dumps(self.dump, execution.dump, self.bounds, self.ignored)
        if self.output is not None:
            compare_output(self.output, execution.result.stdout())
        return comparison


def run_original(workbench: Workbench, binary: Path, options: TuneOptions) -> Execution:
    """Run the original once, with a dump.

    Raises
    ------
    RunError
        If it fails or never enters the region.
    """
    limit = options.timeout_seconds or options.baseline_seconds
    try:
        found = workbench.execute(binary, timeout_seconds=limit, with_dump=True)
    except ChildError as error:
        raise RunError(
            f"the original program fails: {error.message}",
            hint="it must run to its end before variants can be compared with it",
        ) from error
    if not found.n_calls:
        raise RunError(
            f"the program never entered the scop {workbench.scop.name!r}",
            hint="give the arguments or the input that make it do so",
        )
    return found


def consult_oracle(workbench: Workbench, binary: Path, options: TuneOptions) -> Oracle:
    """Run the original with a dump, twice where that is cheap.

    Raises
    ------
    RunError
        If it fails, never enters the region, or computes something else each time.
    """
    first = run_original(workbench, binary, options)
    assert first.dump is not None
    samples: tuple[Execution, ...] = (first,)
    ignored: dict[int, Mask] = {}
    printed, output = first.result.stdout(), None  # the next run writes the same file
    if first.result.wall_seconds < 5 * LONG_RUN_SECONDS:
        second = run_original(workbench, binary, options)
        samples = (first, second)
        ignored = _find_unsteady(first, second)
        if second.result.stdout() == printed:
            output = printed
    is_exact = workbench.is_exact and options.fp == "strict"
    bounds = {}
    if not is_exact:
        bounds = rounding_bounds(
            workbench.scop, first.dump.parameters, is_tf32=options.fp == "tf32"
        )
    return Oracle(first.dump, first.result.status, output, bounds, ignored, samples)


def _find_unsteady(first: Execution, second: Execution) -> dict[int, Mask]:
    """Values that differ between two runs; too many of them are an error."""
    assert first.dump is not None
    assert second.dump is not None
    if first.result.status != second.result.status:
        raise RunError("two runs of the original end differently; cannot compare")
    masks = differing_values(first.dump, second.dump)
    n = sum(int(mask.sum()) for mask in masks.values())
    if n > _UNSTEADY_SHARE * first.dump.n_values:
        raise RunError(
            f"two runs of the original differ in {n} of {first.dump.n_values} results;"
            " cannot compare",
            hint="make the program compute the same every time: no clock, no random"
            " seed, no uninitialised memory",
        )
    return masks
