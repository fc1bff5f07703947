"""Building the nano-kernel database: every kernel under every objective list."""

from __future__ import annotations

import json
import multiprocessing
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from pathlib import Path

from polysched.analysis import compute_dependences, schedule_features
from polysched.base import (
    Deadline,
    LimitError,
    PolyschedError,
    Progress,
    SilentProgress,
)
from polysched.codegen import measure_code
from polysched.policy import (
    MACHINE_CLASSES,
    MEASURES,
    SETS,
    NanoDatabase,
    NanoEntry,
    NanoKernel,
    entry_from_json,
    entry_json,
    nano_kernels,
    objective_lists,
    shape_for,
)
from polysched.schedule import (
    MachineFacts,
    ModelOptions,
    Recipe,
    ScheduleModel,
    Shape,
    Solved,
    cut_dependences,
    find_objective,
    solve_recipe,
)

SOLVE_SECONDS = 2.0


@dataclass(frozen=True)
class BuildOptions:
    """What a database is built from.

    Attributes
    ----------
    objectives : tuple of str
        The lexicon; `SETS` has the two of the publication.
    machines : tuple of str
        Names of `MACHINE_CLASSES`.
    kernels : tuple of str
        Names of nano-kernels; all when empty.
    """

    objectives: tuple[str, ...] = SETS[6]
    machines: tuple[str, ...] = tuple(MACHINE_CLASSES)
    kernels: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name in self.objectives:
            find_objective(name)
        for names, known, what in (
            (self.machines, MACHINE_CLASSES, "machine class"),
            (self.kernels, _kernels_by_name(), "nano-kernel"),
        ):
            unknown = [n for n in names if n not in known]
            if unknown:
                raise PolyschedError(
                    f"no {what} named {unknown[0]!r}; there are: {', '.join(known)}"
                )


def build_database(
    path: str | os.PathLike[str],
    options: BuildOptions | None = None,
    *,
    seconds: float | None = None,
    jobs: int = 1,
    progress: Progress | None = None,
) -> NanoDatabase:
    """Solve every nano-kernel for every objective list, and write the results.

    A kernel that is done is kept in ``PATH.part`` at once, so that the same call goes
    on where an interrupted one stopped [1]_.

    Parameters
    ----------
    path : path
        File to write.
    options : BuildOptions, optional
    seconds : float, optional
        Time limit; kernels under way are finished.
    jobs : int
        Processes.
    progress : Progress, optional

    Raises
    ------
    LimitError
        When time ran out before all kernels were done; what is done is kept.

    References
    ----------
    .. [1] Chelini et al., "Automatic generation of multi-objective polyhedral compiler
       transformations", PACT 2020, algorithm 1.
    """
    options = options or BuildOptions()
    progress = progress or SilentProgress()
    names = options.kernels or tuple(_kernels_by_name())
    draft = _Draft(Path(f"{os.fspath(path)}.part"), options)
    todo = [n for n in names if n not in draft.entries]
    deadline = Deadline.after(seconds)
    progress.start("nano-kernels", len(names))
    for name in names:
        if name in draft.entries:
            progress.advance(name)
    try:
        for entry, spent in _measure_all(todo, options, deadline, jobs):
            draft.add(entry, spent)
            progress.advance(entry.kernel)
    finally:
        progress.finish()
    missing = [n for n in names if n not in draft.entries]
    if missing:
        raise LimitError(
            f"{len(names) - len(missing)} of {len(names)} nano-kernels are done within "
            f"{seconds:g} s",
            hint="the same command goes on from there",
        )
    entries = [draft.entries[n] for n in names]
    database = NanoDatabase(
        options.objectives, options.machines, entries, draft.seconds
    )
    database.save(path)
    draft.path.unlink()
    return database


def _kernels_by_name() -> dict[str, NanoKernel]:
    return {k.name: k for k in nano_kernels()}


class _Draft:
    """The kernels done so far, one line of a file each."""

    def __init__(self, path: Path, options: BuildOptions) -> None:
        self.path = path
        self.entries: dict[str, NanoEntry] = {}
        self.seconds = 0.0
        head = json.dumps([list(options.objectives), list(options.machines)])
        lines = path.read_text().splitlines() if path.exists() else []
        if lines and lines[0] != head:
            raise PolyschedError(
                f"{str(path)!r} is of a database over other objectives or machines",
                hint="remove it, or write to another file",
            )
        if not lines:
            path.write_text(head + "\n")
        for line in lines[1:]:
            try:
                data = json.loads(line)
                entry = entry_from_json(data["entry"])
            except (ValueError, KeyError):
                continue  # a line that was cut off in the middle
            self.entries[entry.kernel] = entry
            self.seconds += data["seconds"]

    def add(self, entry: NanoEntry, seconds: float) -> None:
        """Keep one kernel."""
        self.entries[entry.kernel] = entry
        self.seconds += seconds
        line = json.dumps({"entry": entry_json(entry), "seconds": round(seconds, 2)})
        with self.path.open("a") as file:
            file.write(f"{line}\n")


def _measure_all(
    names: Sequence[str], options: BuildOptions, deadline: Deadline, jobs: int
) -> Iterator[tuple[NanoEntry, float]]:
    """Each kernel when it is done, until time runs out."""
    if jobs == 1:
        known = _kernels_by_name()
        for name in names:
            if deadline.expired:
                return
            yield _measure_timed(known[name], options)
        return
    # new processes: a fork of one whose libraries run threads may hang
    context = multiprocessing.get_context("spawn")
    waiting = list(names)
    with ProcessPoolExecutor(jobs, mp_context=context) as pool:
        running: set[Future[tuple[NanoEntry, float]]] = set()
        while running or (waiting and not deadline.expired):
            while waiting and len(running) < jobs and not deadline.expired:
                running.add(pool.submit(_measure_named, waiting.pop(0), options))
            done, running = wait(running, return_when=FIRST_COMPLETED)
            for future in done:
                yield _result(future)


def _result(future: Future[tuple[NanoEntry, float]]) -> tuple[NanoEntry, float]:
    try:
        return future.result()
    except BrokenProcessPool as error:
        raise PolyschedError(
            "a process that measured nano-kernels ended unexpectedly",
            hint="the same command goes on from what is done",
        ) from error


def _measure_named(name: str, options: BuildOptions) -> tuple[NanoEntry, float]:
    return _measure_timed(_kernels_by_name()[name], options)


def _measure_timed(
    kernel: NanoKernel, options: BuildOptions
) -> tuple[NanoEntry, float]:
    started = time.process_time()
    entry = measure_kernel(kernel, options.objectives, options.machines)
    return entry, time.process_time() - started


def measure_kernel(
    kernel: NanoKernel,
    objectives: tuple[str, ...] = SETS[6],
    machines: tuple[str, ...] = tuple(MACHINE_CLASSES),
) -> NanoEntry:
    """All rows of one nano-kernel.

    Lists that ask the solver for the same are solved once: an objective that says
    nothing about a kernel is left out of its list, and machines count only where they
    change what is asked.
    """
    asker = _Asker(kernel)
    rows = {
        name: tuple(
            asker.outcome(listed, MACHINE_CLASSES[name])
            for listed in objective_lists(objectives)
        )
        for name in machines
    }
    key = kernel.key(MACHINE_CLASSES["few"].n_cores)
    return NanoEntry(kernel.name, key, tuple(asker.outcomes), rows)


@dataclass(eq=False)
class _Asker:
    """Solves lists for one kernel and remembers what it knows."""

    kernel: NanoKernel
    outcomes: list[Mapping[str, float]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.scop = self.kernel.scop
        self.dependences = compute_dependences(self.scop)
        self.pieces = cut_dependences(self.scop, self.dependences)
        self._asked: dict[tuple[str, MachineFacts, Shape], str] = {}
        self._solved: dict[tuple[Shape, tuple[str, ...]], int] = {}
        self._by_tree: dict[str, int] = {}

    def outcome(self, listed: tuple[str, ...], machine: MachineFacts) -> int:
        """Position of a list's outcome, -1 where there is no schedule."""
        shape = shape_for(listed)
        asked = [(n, self._what_it_asks(n, machine, shape)) for n in listed]
        said = tuple(n for n, what in asked if what)
        at = (shape, tuple(what for _, what in asked if what))
        if at not in self._solved:
            recipe = Recipe((*said, "MIC"), shape)
            try:
                solved = self._solve(recipe, machine)
                self._solved[at] = self._describe(solved)
            except PolyschedError:
                self._solved[at] = -1
        return self._solved[at]

    def _solve(self, recipe: Recipe, machine: MachineFacts) -> Solved:
        deadline = Deadline.after(SOLVE_SECONDS)
        return solve_recipe(
            self.scop, self.dependences, recipe, deadline, self.pieces, machine
        )

    def _what_it_asks(self, name: str, machine: MachineFacts, shape: Shape) -> str:
        """A text that is equal where an objective asks for the same; empty: nothing."""
        at = (name, machine, shape)
        if at not in self._asked:
            goal = find_objective(name)
            options = ModelOptions(shape=shape, bands=goal.bands)
            model = ScheduleModel(
                self.scop, self.dependences, self.pieces, options, machine
            )
            size = model.problem.n_rows, model.problem.n_variables
            forms = goal.forms(model)
            terms = [sorted(t for t in f.terms.items() if t[1]) for _, f in forms]
            grown = size != (model.problem.n_rows, model.problem.n_variables)
            says = grown or any(terms)
            lanes = machine if model.soft_groups else None
            self._asked[at] = f"{name} {terms} {lanes}" if says else ""
        return self._asked[at]

    def _describe(self, solved: Solved) -> int:
        tree = solved.tree
        if tree.key in self._by_tree:
            return self._by_tree[tree.key]
        found = schedule_features(tree, self.scop, self.dependences)
        size = measure_code(self.scop, tree)
        found["n_lines"] = float(size.n_loops + size.n_branches + size.n_instances)
        found["is_unrollable"] = float(size.n_branches == 0)
        outcome = {m: round(found[m], 4) for m in MEASURES}
        if outcome not in self.outcomes:
            self.outcomes.append(outcome)
        self._by_tree[tree.key] = self.outcomes.index(outcome)
        return self._by_tree[tree.key]
