"""polysched itself with several budgets: one space, one search, nested prefixes."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from polysched.analysis import FloatingPoint
from polysched.base import Progress
from polysched.bench.peers import FAST_SUFFIX, OURS
from polysched.bench.ranking import Ranking, Trial
from polysched.ir import Program, Scop
from polysched.machine import Machine
from polysched.records import Database, Measurement
from polysched.runtime import RunOptions, Toolchain
from polysched.tune import TuneOptions
from polysched.workflow import Tuned, Variant, build_space, choose_candidates, tune

OWN_PREFIX = f"{OURS}-"


def own_tool(budget: int, fp: FloatingPoint) -> str:
    """The name of polysched with a budget, that may reorder floating point or not."""
    return f"{OWN_PREFIX}{budget}{'' if fp == 'strict' else FAST_SUFFIX}"


@dataclass(frozen=True)
class Choice:
    """What a budget found.

    Attributes
    ----------
    name : str
        The budget and its freedom as a tool's name.
    variant : Variant or None
        The winner; None where nothing beats the original, which is kept.
    note : str
        The winner in words.
    """

    name: str
    variant: Variant | None
    note: str


@dataclass(frozen=True)
class Own:
    """The choices of all budgets.

    Attributes
    ----------
    choices : tuple of Choice
        In the order of the budgets.
    space_size : int
        Legal schedules that were chosen from.
    space_seconds, search_seconds : float
        What building the space and measuring took; stored outcomes cost nothing.
    ranking : Ranking
        What was measured, in the model's order.
    """

    choices: tuple[Choice, ...]
    space_size: int
    space_seconds: float
    search_seconds: float
    ranking: Ranking

    def to_json(self) -> dict[str, object]:
        """The winners and what finding them took."""
        return {
            "space_size": self.space_size,
            "space_seconds": self.space_seconds,
            "search_seconds": self.search_seconds,
            "ranking": self.ranking.to_json(),
            "scripts": {
                c.name: c.variant.schedule.script_text if c.variant else ""
                for c in self.choices
            },
            "schedules": {
                c.name: c.variant.id if c.variant else "original" for c in self.choices
            },
        }


def choose_own(
    program: Program,
    scop: Scop,
    budgets: Sequence[int],
    *,
    fp: FloatingPoint,
    everything: bool,
    sizes: Mapping[str, int],
    machine: Machine,
    toolchain: Toolchain,
    run_options: RunOptions,
    run_timeout: float | None,
    database: Database | None,
    progress: Progress | None,
    directory: Path,
) -> Own:
    """Build the space once, measure once, and let each budget see its own part.

    A budget's part is what `choose_candidates` gives for it, so its winner is the one
    that ``tune --budget`` would find with the same times. With `everything` all kept
    variants are measured as well, for the sake of the ranking. `sizes` are those that
    the program has when it runs; `fp` is which sums may be reordered.

    Raises
    ------
    PolyschedError
        If there is no space, or the original cannot be built or run.
    """
    started = time.monotonic()
    space = build_space(
        program,
        machine.limited(run_options.threads),
        scop=scop.name,
        parameters=sizes,
        fp=fp,
        progress=progress,
    )
    parts = {b: choose_candidates(space, b) for b in sorted(budgets, reverse=True)}
    ranked = [v for v in space.variants if v.id != space.original.id]
    union = {v.id: v for part in parts.values() for v in part}
    if everything:
        union |= {v.id: v for v in ranked if v.id not in union}
    built = time.monotonic()
    tuned = tune(
        space,
        candidates=tuple(union.values()),
        toolchain=toolchain,
        options=TuneOptions(timeout_seconds=run_timeout, fp=fp),
        run_options=run_options,
        database=database,
        progress=progress,
        directory=directory,
    )
    ended = time.monotonic()
    choices = tuple(_choose(tuned, own_tool(b, fp), parts[b]) for b in sorted(budgets))
    ranking = _rank(ranked, tuned)
    return Own(choices, len(space), built - started, ended - built, ranking)


def _choose(tuned: Tuned, name: str, part: Sequence[Variant]) -> Choice:
    """The fastest right variant of a part, unless the original is faster."""
    finalists = tuned.result.finalists
    times = []
    for k, variant in enumerate(part):
        outcome = tuned.result.outcomes[variant.id]
        if isinstance(outcome, Measurement) and outcome.matches:
            times.append((variant.id not in finalists, outcome.median_seconds, k))
    original = tuned.result.baseline.median_seconds
    if not times or min(times)[1] >= original:
        return Choice(name, None, "the original is kept")
    variant = part[min(times)[2]]
    return Choice(name, variant, f"schedule {variant.id}")


def _rank(ranked: Sequence[Variant], tuned: Tuned) -> Ranking:
    """What was tried, in the model's order."""
    trials = []
    for place, variant in enumerate(ranked):
        outcome = tuned.result.outcomes.get(variant.id)
        if outcome is None:
            continue
        seconds = None
        if isinstance(outcome, Measurement) and outcome.matches:
            seconds = outcome.median_seconds
        predicted = variant.schedule.predicted_seconds
        trials.append((place, Trial(variant.id, predicted, seconds)))
    return Ranking(len(ranked), tuple(trials))
