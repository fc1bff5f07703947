"""What a benchmark found, with ratios, as values and as JSON."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from statistics import geometric_mean, quantiles
from typing import Any

from polysched.base import PolyschedError
from polysched.bench.ours import OWN_PREFIX
from polysched.bench.peers import BASELINE, FAST_SUFFIX, OURS, PEERS, Found, Role
from polysched.bench.ranking import Ranking, RankingSummary, summarise_rankings
from polysched.bench.roofline import Bound, Work, bound_of
from polysched.machine import Machine
from polysched.records import (
    Failure,
    Measurement,
    Outcome,
    outcome_from_json,
    outcome_to_json,
)
from polysched.runtime import LOADED_CORES

_ROLES: dict[str, Role] = {p.name: p.role for p in PEERS}
_PEER_ROLES: tuple[Role, ...] = ("compiler", "polyhedral")


def role_of(tool: str) -> Role:
    """What a tool is, by its name."""
    return "ours" if tool.startswith(OWN_PREFIX) else _ROLES.get(tool, "compiler")


def contest_of(tool: str) -> str:
    """Whom a tool is compared with: its role, and whether it may reorder."""
    role = role_of(tool)
    is_fast = tool.endswith(FAST_SUFFIX)
    if role not in _PEER_ROLES:
        return "fast ours" if role == OURS and is_fast else role
    return "fast peer" if is_fast else "strict peer"


@dataclass(frozen=True)
class KernelReport:
    """One region with every tool, in one race.

    Attributes
    ----------
    name : str
        The file's name, with the region's where a file has several.
    file, scop, size : str
        Where it stands, and the macro that picked its sizes.
    results : mapping of str to Outcome
        By tool; a tool that has nothing for this kernel is left out. Wrong results
        are a `Failure` of kind "mismatch".
    rounds : int
        Complete rounds of the race.
    foreign_cores : float or None
        What others used of the machine meanwhile.
    bound : Bound or None
        The least time by roofline; None where the work cannot be counted.
    own : mapping
        What the search of our own variants took, and its winners.
    own_fast : mapping
        The same of the search that might reorder floating point.
    failure : str
        Why nothing was measured; empty when something was.
    is_stored : bool
        Whether it comes from the records.
    """

    name: str
    file: str
    scop: str
    size: str
    results: Mapping[str, Outcome] = field(default_factory=dict)
    rounds: int = 0
    foreign_cores: float | None = None
    bound: Bound | None = None
    own: Mapping[str, object] = field(default_factory=dict)
    own_fast: Mapping[str, object] = field(default_factory=dict)
    failure: str = ""
    is_stored: bool = False

    def seconds(self, tool: str) -> float | None:
        """The tool's median; None when it has no right result."""
        outcome = self.results.get(tool)
        if not isinstance(outcome, Measurement) or not outcome.matches:
            return None
        return outcome.median_seconds if outcome.median_seconds > 0 else None

    @property
    def best_peer(self) -> str | None:
        """The fastest compiler or polyhedral tool with right results."""
        return self._fastest("strict peer", "fast peer")

    @property
    def best_strict_peer(self) -> str | None:
        """The fastest of them that keeps the order of floating point."""
        return self._fastest("strict peer")

    def _fastest(self, *contests: str) -> str | None:
        times = [
            (s, tool)
            for tool in self.results
            if contest_of(tool) in contests and (s := self.seconds(tool)) is not None
        ]
        return min(times)[1] if times else None

    @property
    def own_tools(self) -> tuple[str, ...]:
        """Ours with the largest budget, strict and fast, as far as they were asked."""
        contests = ("ours", "fast ours")
        found = ([t for t in self.results if contest_of(t) == c] for c in contests)
        return tuple(tools[-1] for tools in found if tools)

    def over(self, other: str | None, tool: str) -> float | None:
        """How many times faster a tool is than another one."""
        theirs = None if other is None else self.seconds(other)
        ours = self.seconds(tool)
        return None if theirs is None or ours is None else theirs / ours

    def fraction_of_bound(self, tool: str) -> float | None:
        """Bound over median: 1.0 is all that the machine gives."""
        seconds = self.seconds(tool)
        if self.bound is None or seconds is None:
            return None
        return self.bound.seconds / seconds

    @property
    def ranking(self) -> Ranking | None:
        """How our model ranked what was measured; None where ours was left out."""
        told = self.own.get("ranking")
        return Ranking.from_json(told) if isinstance(told, Mapping) else None

    @property
    def is_loaded(self) -> bool:
        """Whether others kept the machine busy enough to doubt the times."""
        return self.foreign_cores is not None and self.foreign_cores > LOADED_CORES

    def to_json(self) -> dict[str, object]:
        """All of it; medians and ratios are derived and told for convenience."""
        return {
            "name": self.name,
            "file": self.file,
            "scop": self.scop,
            "size": self.size or None,
            "failure": self.failure or None,
            "rounds": self.rounds,
            "foreign_cores": self.foreign_cores,
            "loaded": self.is_loaded,
            "stored": self.is_stored,
            "roofline": self.bound.to_json() if self.bound else None,
            "best_peer": self.best_peer,
            "best_strict_peer": self.best_strict_peer,
            "ours": dict(self.own) or None,
            "ours_fast": dict(self.own_fast) or None,
            "results": {tool: self._result(tool) for tool in self.results},
        }

    def _result(self, tool: str) -> dict[str, object]:
        outcome = self.results[tool]
        told: dict[str, object] = {"role": role_of(tool), **outcome_to_json(outcome)}
        if isinstance(outcome, Measurement):
            low, middle, high = quartiles(outcome.seconds)
            told |= {
                "median_seconds": middle,
                "min_seconds": min(outcome.seconds),
                "iqr_seconds": high - low,
            }
        told |= {
            "over_gcc": self.over(BASELINE, tool),
            "over_best_peer": self.over(self.best_peer, tool),
            "over_best_strict_peer": self.over(self.best_strict_peer, tool),
            "fraction_of_roofline": self.fraction_of_bound(tool),
        }
        return told

    @classmethod
    def from_json(
        cls, data: Mapping[str, Any], machine: Machine, threads: int
    ) -> KernelReport:
        """Read what `to_json` wrote; the bound is that of the machine as it is known.

        Raises
        ------
        PolyschedError
            If it is damaged.
        """
        try:
            work = data["roofline"]
            bound = None
            if work is not None:
                told = {"half_instructions": work["operations"], **work}
                known = {k: int(told[k]) for k in Work.__annotations__}
                bound = bound_of(Work(**known), machine, threads)
            return cls(
                name=str(data["name"]),
                file=str(data["file"]),
                scop=str(data["scop"]),
                size=data["size"] or "",
                results={t: outcome_from_json(r) for t, r in data["results"].items()},
                rounds=int(data["rounds"]),
                foreign_cores=data["foreign_cores"],
                bound=bound,
                own=data["ours"] or {},
                own_fast=data.get("ours_fast") or {},
                failure=data["failure"] or "",
                is_stored=True,
            )
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise PolyschedError(
                f"a stored benchmark is damaged: {str(data)[:200]}"
            ) from error


@dataclass(frozen=True)
class Summary:
    """A tool over all kernels.

    Attributes
    ----------
    tool : str
        Its name.
    n_kernels, n_failed : int
        Kernels with right times, and those where it was tried and failed.
    over_gcc, over_best_strict_peer, over_best_peer : float or None
        Geometric means of speed-ups, over the kernels with right times.
    over_gcc_all : float or None
        The first with failures counted as gcc's time.
    """

    tool: str
    n_kernels: int
    n_failed: int
    over_gcc: float | None
    over_best_strict_peer: float | None
    over_best_peer: float | None
    over_gcc_all: float | None

    def to_json(self) -> dict[str, object]:
        """The fields but the name."""
        return {k: v for k, v in vars(self).items() if k != "tool"}


@dataclass(frozen=True)
class BenchReport:
    """All kernels of one command.

    Attributes
    ----------
    kernels : tuple of KernelReport
        In the order of measurement.
    tools : tuple of Found
        Peers that were asked for, present or not.
    machine : Machine
        Where it ran.
    setting : mapping
        Versions, flags, threads, rounds: what it takes to repeat it.
    """

    kernels: tuple[KernelReport, ...]
    tools: tuple[Found, ...]
    machine: Machine
    setting: Mapping[str, object]

    @property
    def tool_names(self) -> tuple[str, ...]:
        """Tools with an outcome anywhere, in order of appearance."""
        return tuple(dict.fromkeys(t for k in self.kernels for t in k.results))

    def summaries(self) -> tuple[Summary, ...]:
        """One per tool with an outcome."""
        return tuple(self._summarise(tool) for tool in self.tool_names)

    @property
    def ranking_summary(self) -> RankingSummary:
        """How our model ranked, over all kernels."""
        known = (k.ranking for k in self.kernels)
        return summarise_rankings([r for r in known if r is not None])

    def _summarise(self, tool: str) -> Summary:
        mine = [k for k in self.kernels if tool in k.results]
        over_gcc = [k.over(BASELINE, tool) for k in mine]
        failed = [k for k in mine if isinstance(k.results[tool], Failure)]
        return Summary(
            tool,
            sum(k.seconds(tool) is not None for k in mine),
            len(failed),
            _mean(over_gcc),
            _mean(k.over(k.best_strict_peer, tool) for k in mine),
            _mean(k.over(k.best_peer, tool) for k in mine),
            _mean([*over_gcc, *(1.0 for _ in failed)]),
        )

    def to_json(self) -> dict[str, object]:
        """The object that ``bench --json`` writes."""
        return {
            **self.setting,
            "machine": self.machine.to_json(),
            "tools": [found.to_json() for found in self.tools],
            "kernels": [k.to_json() for k in self.kernels],
            "geometric_means": {s.tool: s.to_json() for s in self.summaries()},
            "ranking": self.ranking_summary.to_json(),
        }


def quartiles(seconds: tuple[float, ...]) -> tuple[float, float, float]:
    """First quartile, median, third quartile; all equal for a single run."""
    if len(seconds) == 1:
        return seconds[0], seconds[0], seconds[0]
    low, middle, high = quantiles(seconds, n=4, method="inclusive")
    return low, middle, high


def _mean(ratios: Iterable[float | None]) -> float | None:
    """Geometric mean of what is known; None when nothing is."""
    known = [r for r in ratios if r is not None and math.isfinite(r) and r > 0]
    return geometric_mean(known) if known else None
