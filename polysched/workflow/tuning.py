"""Measuring the most promising variants and keeping the winner."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from polysched.base import CodegenError, PolyschedError, Progress, Shown
from polysched.records import Database, Measurement
from polysched.runtime import DeviceTools, RunOptions, Toolchain
from polysched.tune import TuneOptions, TuneResult
from polysched.tune import tune as measure
from polysched.workflow.spaces import ProgramSpace
from polysched.workflow.variant import Variant

_MAX_TRIED = 4  # variants looked at, per unit of budget
_RANKED_SHARE = 2 / 3  # of the budget; the rest goes to other affine schedules


@dataclass(frozen=True, eq=False, repr=False)
class Tuned(Shown):
    """What tuning one SCoP found.

    Attributes
    ----------
    space : ProgramSpace
        All schedules, measured or not.
    candidates : tuple of Variant
        Those that were tried, in order.
    result : TuneResult
        Their outcomes, and the baseline.
    device : DeviceTools or None
        What ran device code.
    """

    space: ProgramSpace
    candidates: tuple[Variant, ...]
    result: TuneResult
    device: DeviceTools | None = None

    @property
    def headline(self) -> str:
        """Whose it is, how many were measured, the best and its gain."""
        n, best = len(self.candidates), self.best
        gain = self.result.speedup
        found = "none is faster than the original"
        if best is not None:
            found = f"best {best.id}" + (f", {gain:.2f} x" if gain else "")
        return f"Tuned {self.space.scop.name}: {n} measured, {found}"

    @property
    def is_timed(self) -> bool:
        """Whether times tell anything: not where kernels run on the CPU's stand-in."""
        return self.device is None or self.device.is_gpu

    @cached_property
    def best(self) -> Variant | None:
        """The fastest variant that beats the original; None when none does.

        Where times tell nothing, the best ranked of those whose results are right.
        """
        if not self.is_timed:
            return self._first_right()
        speedup = self.result.speedup
        if self.result.best is None or speedup is None or speedup <= 1.0:
            return None
        found = self.result.outcomes[self.result.best]
        assert isinstance(found, Measurement)
        reason = (
            f"measured {found.median_seconds:.4g} s, "
            f"{speedup:.2f} times faster than the original "
            f"{self.where}; fastest of {len(self.candidates)} "
            f"measured, of {len(self.space)} legal schedules"
        )
        return self.space.variant(self.result.best).because(reason)

    @property
    def where(self) -> str:
        """What ran the variants, as the end of a sentence."""
        if self.device is not None:
            return f"on {self.device.place}"
        return f"with {self.result.n_threads} thread(s)"

    def _first_right(self) -> Variant | None:
        right = [v for v in self.result.variants if isinstance(v.outcome, Measurement)]
        if not right:
            return None
        reason = (
            f"predicted {right[0].predicted_seconds or 0.0:.4g} s, the best ranked of "
            f"{len(right)} of {len(self.candidates)} whose results are right "
            f"{self.where}, of {len(self.space)} legal schedules"
        )
        return self.space.variant(right[0].id).because(reason)

    @property
    def speedup(self) -> float:
        """Original over winner, by medians; 1.0 when the original is kept."""
        if not self.is_timed or self.best is None or self.result.speedup is None:
            return 1.0
        return self.result.speedup

    def to_json(self) -> dict[str, object]:
        """The object that ``tune --json`` promises."""
        found = self.space.to_json()
        measured = {v.id: v.to_json() for v in self.result.variants}
        stored = {v.id: v.is_stored for v in self.result.variants}
        schedules = []
        for s in self.space.schedules:
            extra = measured.get(s.id, {})
            item = {**s.to_json(), **extra}
            if s.id in stored:
                item["stored"] = stored[s.id]
            schedules.append(item)
        told = self.result.to_json()
        return {
            **found,
            "parameters": dict(self.space.options.parameters),
            "threads": told["threads"],
            "schedules": schedules,
            "baseline": told["baseline"],
            "finalists": list(self.result.finalists),
            "best": self.best.id if self.best else "original",
            "speedup": self.speedup,
        }


def choose_candidates(space: ProgramSpace, budget: int) -> tuple[Variant, ...]:
    """The variants worth measuring, best-ranked first.

    Two thirds of the budget go to the best ranked; the rest to the best of each affine
    schedule that is not among them, so that a wrong model does not hide a whole family;
    what is left over goes on in order of rank. The source order is the baseline
    and is not measured twice, nor is code that another variant has as well. A variant
    that cannot be printed is among them, to be reported, but spends no budget.
    """
    plain = space.original.id
    ranked = [v for v in space.variants if v.id != plain]
    taken: set[str] = set()
    seen: set[str] = set()
    codes: set[str] = set()
    tried: set[str] = set()
    left = budget
    for share, new_family_only in ((_RANKED_SHARE, False), (1.0, True), (1.0, False)):
        floor = budget - math.ceil(budget * share)
        for variant in ranked:
            if left <= floor or len(tried) >= _MAX_TRIED * budget:
                break
            known = variant.schedule.affine.key in seen
            if variant.id in tried or (new_family_only and known):
                continue
            tried.add(variant.id)
            code = _code(variant)
            if code in codes:
                continue
            taken.add(variant.id)
            if code is not None:
                codes.add(code)
                seen.add(variant.schedule.affine.key)
                left -= 1
    return tuple(v for v in ranked if v.id in taken)


def _code(variant: Variant) -> str | None:
    """What is printed but for what is said of it; None where nothing can be."""
    try:
        texts = variant.region_text(), variant.device_text()
    except CodegenError:
        return None
    return "".join(text.partition("*/")[2] for text in texts)


def tune(
    space: ProgramSpace,
    budget: int = 12,
    *,
    candidates: Sequence[Variant] | None = None,
    toolchain: Toolchain | None = None,
    options: TuneOptions | None = None,
    run_options: RunOptions | None = None,
    database: Database | None = None,
    progress: Progress | None = None,
    directory: Path | None = None,
    device: DeviceTools | None = None,
) -> Tuned:
    """Measure the best-ranked few in the user's own program and check every result.

    Parameters
    ----------
    space : ProgramSpace
        From `build_space`.
    budget : int
        How many variants to try; ignored when `options` or `candidates` is given.
    candidates : sequence of Variant, optional
        What to measure; by default `choose_candidates`.
    toolchain, options, run_options, database, progress, directory, device
        As for `polysched.tune.tune`.

    Raises
    ------
    PolyschedError
        If the space has no program, or the original cannot be built or run.
    """
    if space.program is None:
        raise PolyschedError(
            f"{space.scop.name} was not read from a file: nothing to run",
            hint="parse a C file that contains it",
        )
    if candidates is None:
        wanted = options.budget if options else budget
        candidates = choose_candidates(space, wanted)
    result = measure(
        space.program,
        space.scop,
        candidates,
        toolchain=toolchain,
        machine=space.machine,
        options=replace(options or TuneOptions(), budget=len(candidates)),
        run_options=run_options,
        database=database,
        progress=progress,
        directory=directory,
        device=device,
    )
    return Tuned(space, tuple(candidates), result, device)
