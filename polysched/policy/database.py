"""The nano-kernel database: which objectives gave which code, for small programs.

Built offline, once per class of machines, and asked online for every dependence of a
program (Chelini et al., PACT 2020, algorithms 1 and 2).
"""

from __future__ import annotations

import gzip
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from importlib import resources
from itertools import permutations
from pathlib import Path
from typing import Any

from polysched.base import PolyschedError, write_whole
from polysched.policy.ranking import DependenceKey, par_priority
from polysched.schedule import MachineFacts

FORMAT = 1
SETS: dict[int, tuple[str, ...]] = {
    6: ("IP", "SO", "DGF", "SIS", "OPIR", "ADA"),
    12: (
        *("IP", "SO", "DGF", "SIS", "OPIR", "ADA"),
        *("FPP", "SKEWPAR", "PERM", "SPC", "SDC", "VSKW"),
    ),
}
MACHINE_CLASSES = {
    "few": MachineFacts(n_cores=4, vector_lanes=4),
    "some": MachineFacts(n_cores=16, vector_lanes=4),
    "many": MachineFacts(n_cores=64, vector_lanes=8),
}
MEASURES: dict[str, str] = {
    "fusion_score": "1 when the two statements share all loops, doubling per loop not",
    "stride_score": "1, plus 5 for each reference of a large stride, per statement",
    "outer_parallel": "share of the statements whose outermost loop is parallel",
    "n_parallel_loops": "loops that carry no dependence",
    "n_vectorizable": "statements with a parallel innermost loop of stride 0 or 1",
    "max_skew": "sum of the coefficients by which rows combine several iterators",
    "n_shift": "sum of the constants by which statements are shifted",
    "n_lines": "loops, conditions and statements of the generated code",
    "is_unrollable": "1 when no condition stands in the generated code",
}
Objectives = tuple[str, ...]
Measures = Mapping[str, float]


def machine_class(machine: MachineFacts) -> str:
    """The class of a machine: "few" cores (below 8), "some" (below 20) or "many"."""
    return tuple(MACHINE_CLASSES)[par_priority(machine.n_cores)]


@lru_cache(maxsize=4)
def objective_lists(objectives: Objectives) -> tuple[Objectives, ...]:
    """All ordered lists of two, then of three different objectives.

    Examples
    --------
    >>> len(objective_lists(SETS[6])), len(objective_lists(SETS[12]))
    (150, 1452)
    """
    return (*permutations(objectives, 2), *permutations(objectives, 3))


@dataclass(frozen=True, eq=False)
class NanoEntry:
    """What one nano-kernel became under every objective list.

    Attributes
    ----------
    kernel : str
        Its name.
    key : DependenceKey
        For the class of few cores; other classes differ in `par_priority` only.
    outcomes : tuple of mapping
        The distinct results, each as `MEASURES`.
    rows : mapping of str to tuple of int
        Per machine class and list, in the order of `objective_lists`, the position in
        `outcomes`; -1 where no schedule was found.
    """

    kernel: str
    key: DependenceKey
    outcomes: tuple[Measures, ...]
    rows: Mapping[str, tuple[int, ...]]


@dataclass(frozen=True)
class Answer:
    """What the database says about one key.

    Attributes
    ----------
    objectives : tuple of str
        The best list, most important first.
    measures : mapping of str to float
        What the code of the nano-kernels with that key is like under it; sums, where
        several kernels have the key.
    key : DependenceKey
        The key that was found.
    distance : int
        0 when it is the key that was asked for.
    """

    objectives: Objectives
    measures: Measures
    key: DependenceKey
    distance: int


class NanoDatabase:
    """Rows of (key, objective list, measures) for some classes of machines.

    Parameters
    ----------
    objectives : tuple of str
        The lexicon it was built over.
    machines : tuple of str
        Names of `MACHINE_CLASSES`.
    entries : sequence of NanoEntry
    seconds : float
        How long it took to build, in processor time.
    """

    def __init__(
        self,
        objectives: Objectives,
        machines: tuple[str, ...],
        entries: Sequence[NanoEntry],
        seconds: float = 0.0,
    ) -> None:
        self.objectives = objectives
        self.machines = machines
        self.entries = tuple(entries)
        self.seconds = seconds

    @property
    def n_rows(self) -> int:
        """Number of (key, list, measures) rows, failed solves left out."""
        return sum(k >= 0 for e in self.entries for r in e.rows.values() for k in r)

    @cached_property
    def _by_key(self) -> dict[DependenceKey, list[tuple[str, NanoEntry]]]:
        found: dict[DependenceKey, list[tuple[str, NanoEntry]]] = {}
        for name in self.machines:
            priority = par_priority(MACHINE_CLASSES[name].n_cores)
            for entry in self.entries:
                key = replace(entry.key, par_priority=priority)
                found.setdefault(key, []).append((name, entry))
        return found

    @property
    def keys(self) -> tuple[DependenceKey, ...]:
        """The keys that it can answer without looking for a similar one."""
        return tuple(self._by_key)

    def nearest(self, key: DependenceKey) -> tuple[DependenceKey, int]:
        """The key itself, or the most similar one there is, and its distance."""
        if key in self._by_key:
            return key, 0
        found = min(self._by_key, key=key.distance)
        return found, key.distance(found)

    def query(
        self,
        key: DependenceKey,
        prefix: Objectives = (),
        allowed: Sequence[str] | None = None,
    ) -> Answer | None:
        """The best list for a key that goes on where a prefix ends.

        Parameters
        ----------
        key : DependenceKey
            What is asked about; the nearest key answers where it is absent.
        prefix : tuple of str
            Objectives chosen already: the list begins with the last of them and
            contains none of the others.
        allowed : sequence of str, optional
            What may follow; all objectives by default.

        Returns
        -------
        Answer or None
            None when no list fits the prefix.
        """
        found, distance = self.nearest(key)
        cases = self._by_key[found]
        usable = set(self.objectives if allowed is None else allowed) - set(prefix)
        best: tuple[tuple[float, ...], int] | None = None
        for position, listed in enumerate(objective_lists(self.objectives)):
            tail = listed
            if prefix:
                if listed[0] != prefix[-1]:
                    continue
                tail = listed[1:]
            if not usable.issuperset(tail):
                continue
            measures = self._measures(cases, position)
            if measures is None:
                continue
            cost = (*cost_of(measures, found.par_priority), len(listed))
            if best is None or cost < best[0]:
                best = cost, position
        if best is None:
            return None
        measures = self._measures(cases, best[1])
        assert measures is not None
        chosen = objective_lists(self.objectives)[best[1]]
        return Answer(chosen, measures, found, distance)

    def _measures(
        self, cases: Sequence[tuple[str, NanoEntry]], position: int
    ) -> Measures | None:
        """What a list gives over all kernels of a key; None where one has no result."""
        total = dict.fromkeys(MEASURES, 0.0)
        for name, entry in cases:
            outcome = entry.rows[name][position]
            if outcome < 0:
                return None
            for measure in total:
                total[measure] += entry.outcomes[outcome][measure]
        return total

    # -- files -----------------------------------------------------------------

    def to_json(self) -> dict[str, object]:
        """The whole database; a list is known by its place, so rows are short."""
        return {
            "format": FORMAT,
            "objectives": list(self.objectives),
            "machines": list(self.machines),
            "measures": list(MEASURES),
            "seconds": round(self.seconds, 1),
            "kernels": [entry_json(e) for e in self.entries],
        }

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write a compressed file, the same bytes for the same content."""
        text = json.dumps(self.to_json(), separators=(",", ":"))
        write_whole(path, gzip.compress(text.encode(), mtime=0))

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> NanoDatabase:
        """Read a database that `save` wrote.

        Raises
        ------
        PolyschedError
            If the file cannot be read or holds no database of this format.
        """
        try:
            content = Path(path).read_bytes()
        except OSError as error:
            raise PolyschedError(
                f"cannot read the database {os.fspath(path)!r}: {error.strerror}"
            ) from error
        return cls._read(content, os.fspath(path))

    @classmethod
    def shipped(cls, size: int = 6) -> NanoDatabase:
        """The prebuilt database over the set of `size` objectives.

        Raises
        ------
        PolyschedError
            If there is none of that size.
        """
        return _load_shipped(size)

    @classmethod
    def _read(cls, content: bytes, name: str) -> NanoDatabase:
        try:
            data = json.loads(gzip.decompress(content))
            if data["format"] != FORMAT or data["measures"] != list(MEASURES):
                raise ValueError(f"format {data['format']}, expected {FORMAT}")
            entries = [entry_from_json(e) for e in data["kernels"]]
            objectives = tuple(str(o) for o in data["objectives"])
            machines = tuple(str(m) for m in data["machines"])
            n = len(objective_lists(objectives))
            if any(len(e.rows[m]) != n for e in entries for m in machines):
                raise ValueError(f"a kernel has not {n} rows per machine")
            if not entries or not set(machines) <= set(MACHINE_CLASSES):
                raise ValueError("no kernels, or an unknown machine class")
        except (OSError, EOFError, ValueError, KeyError, TypeError) as error:
            raise PolyschedError(
                f"{name!r} is no nano-kernel database: {error}",
                hint="polysched database build writes one",
            ) from error
        return cls(objectives, machines, entries, float(data["seconds"]))


@lru_cache(maxsize=2)
def _load_shipped(size: int) -> NanoDatabase:
    folder = resources.files("polysched.policy") / "data"
    file = folder / f"nano-{size}.json.gz"
    if not file.is_file():
        known = sorted(f.name for f in folder.iterdir() if f.name.endswith(".json.gz"))
        raise PolyschedError(
            f"no database over {size} objectives is shipped, only {', '.join(known)}",
            hint=f"polysched database build --set {size} --out FILE makes one",
        )
    return NanoDatabase._read(file.read_bytes(), file.name)


def cost_of(measures: Measures, priority: int) -> tuple[float, ...]:
    """What makes one outcome worse than another, first difference first.

    With few cores: large strides, then loops that are not vector loops, then outer
    loops that are not parallel. With many cores outer parallelism goes first, with
    some of them strides do, and vector loops come last of the three. Then unfused
    loops, skew and shifts, the length of the code, and conditions in it. The number of
    parallel loops does not count: what is not fused has more of them.
    """
    stride = measures["stride_score"]
    vector = -measures["n_vectorizable"]
    outer = -measures["outer_parallel"]
    first = {
        0: (stride, vector, outer),
        1: (stride, outer, vector),
        2: (outer, stride, vector),
    }[priority]
    return (
        *first,
        measures["fusion_score"],
        measures["max_skew"] + measures["n_shift"],
        measures["n_lines"],
        -measures["is_unrollable"],
    )


def entry_json(entry: NanoEntry) -> dict[str, object]:
    """One kernel as an object; measures in the order of `MEASURES`."""
    return {
        "kernel": entry.kernel,
        "key": entry.key.to_json(),
        "outcomes": [[_short(o[m]) for m in MEASURES] for o in entry.outcomes],
        "rows": {name: list(row) for name, row in entry.rows.items()},
    }


def _short(value: float) -> float | int:
    return int(value) if float(value).is_integer() else round(value, 4)


def entry_from_json(data: Mapping[str, Any]) -> NanoEntry:
    """Read what `entry_json` wrote."""
    outcomes = tuple(
        dict(zip(MEASURES, map(float, o), strict=True)) for o in data["outcomes"]
    )
    rows = {str(m): tuple(int(k) for k in row) for m, row in data["rows"].items()}
    if any(k >= len(outcomes) for row in rows.values() for k in row):
        raise ValueError("a row names an outcome that is not there")
    key = DependenceKey(**data["key"])
    return NanoEntry(str(data["kernel"]), key, outcomes, rows)


def iter_rows(
    database: NanoDatabase,
) -> Iterator[tuple[str, str, DependenceKey, Objectives, Measures]]:
    """Every row: kernel, machine class, key, objective list, measures."""
    for name in database.machines:
        priority = par_priority(MACHINE_CLASSES[name].n_cores)
        for entry in database.entries:
            key = replace(entry.key, par_priority=priority)
            lists = objective_lists(database.objectives)
            for listed, k in zip(lists, entry.rows[name], strict=True):
                if k >= 0:
                    yield entry.kernel, name, key, listed, entry.outcomes[k]
