"""Candidates of a space: recipes solved side by side, isl's schedules beside them."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from functools import partial

import islpy as isl

from polysched.base import (
    NO_TIME_LEFT,
    Baton,
    ConflictError,
    Deadline,
    LimitError,
    PolyschedError,
    lend_baton,
    stopped_at,
)
from polysched.ilp import SECOND, Effort, Known
from polysched.ir import original_rows
from polysched.policy import waits_in_several_loops
from polysched.schedule import (
    Core,
    IslBatch,
    IslVariant,
    Joined,
    MachineFacts,
    Recipe,
    Rowwise,
    Solved,
    cut_dependences,
    join_statements,
    rows_to_tree,
    solve_recipe,
    turn_diagonals,
)
from polysched.schedule.rowwise import (
    RowwiseRecipe,
    isl_like,
    pluto,
    solve_rowwise,
)
from polysched.schedule.rowwise import feautrier as feautrier_rows

ISL_VARIANTS = (
    IslVariant("feautrier"),
    IslVariant("isl"),
    IslVariant("isl", serialize=True),
)
ROWWISE = (pluto(), pluto("max"))
MAX_PIECES = 250  # of a program that is solved in one piece
MANY_STATEMENTS = 16  # of which those in one loop are also solved as one
LARGE_ROWWISE = (pluto("none"), feautrier_rows(), isl_like())
DIAGONAL_RECIPES = (
    Recipe(("NP2", "SO", "DGF", "MIC")),
    Recipe(("NP2", "SO", "MIC")),
)
N_SOLVERS = 2  # recipes solved at the same time; the solver lets go of Python's lock
RECIPES_SHARE = 0.75  # of the time, the rest is for isl's schedules and for shaping
LEAST_SHARE = 2.0  # seconds for a recipe, where there are so many
# of a recipe, the same on every machine; the clock is a guard
EFFORT = 3 * SECOND // 2
EFFORT_FROM_KNOWN = SECOND // 2  # where first objectives are settled already
ISL_SHARE = 0.2  # of the time, to wait for isl when all recipes are solved
_NOT_IN_TIME = f"{NO_TIME_LEFT}: not solved"


@dataclass(frozen=True, eq=False)
class Candidate:
    """An affine schedule that was asked for, or why there is none.

    Attributes
    ----------
    what : str
        Name for messages.
    solved : Solved or None
        Over the core of the SCoP.
    reason : str
        Why there is none; empty otherwise.
    """

    what: str
    solved: Solved | None
    reason: str = ""


class Asker:
    """Solves everything that is asked for, in an order that time does not change.

    Parameters
    ----------
    core : Core
        What to schedule.
    recipes : sequence of Recipe
        Most promising first.
    seconds : float
        For all of it.
    variants : sequence of IslVariant
        Which of isl's own schedules to compute.
    machine : MachineFacts, optional
        What objectives may know of the processor, see `solve_recipe`.
    rowwise : sequence of RowwiseRecipe
        Schedules to find row by row. They come first: they take little time, and a
        program of more than `MAX_PIECES` dependence pieces has nothing else. With any,
        tables filled by diagonals are scheduled by rows, too (`turn_diagonals`), and
        the recipes of a program of `MANY_STATEMENTS` come first for what stands behind
        each other as one statement (`join_statements`).

    Attributes
    ----------
    conflict : ConflictError or None
        Set once a recipe's pins are known to contradict each other or the dependences.
    """

    def __init__(
        self,
        core: Core,
        recipes: Sequence[Recipe],
        seconds: float,
        variants: Sequence[IslVariant] = ISL_VARIANTS,
        machine: MachineFacts | None = None,
        rowwise: Sequence[RowwiseRecipe] = ROWWISE,
    ) -> None:
        self.core = core
        self.machine = machine
        self.conflict: ConflictError | None = None
        self._deadline = Deadline.after(seconds)
        self._isl_seconds = max(1.0, ISL_SHARE * seconds)
        self._recipes_deadline = Deadline.after(RECIPES_SHARE * seconds)
        self._pieces = cut_dependences(core.scop, core.dependences)
        self._batch = IslBatch(
            core.scop, core.dependences, variants, seconds, self._pieces
        )
        self._baton = Baton()
        self._pool = ThreadPoolExecutor(min(N_SOLVERS, os.cpu_count() or 1))
        if len(self._pieces) > MAX_PIECES:
            rowwise = [*rowwise, *(r for r in LARGE_ROWWISE if r not in rowwise)]
        self._recipes: list[tuple[str, Future[Solved]]] = []
        if rowwise:
            self._ask_joined(rowwise, recipes)
        self._recipes += [
            (str(r), self._pool.submit(self._solve_rows, r)) for r in rowwise
        ]
        asked: dict[Recipe, Future[Solved]] = {}
        for r in recipes:
            within = [e for e in asked if e.is_within(r)]
            largest = max(within, key=lambda e: len(e.objectives), default=None)
            earlier = None if largest is None else asked[largest]
            asked[r] = self._pool.submit(self._solve, r, earlier)
            self._recipes.append((str(replace(r, pins=())), asked[r]))
        if rowwise and len(self._pieces) <= MAX_PIECES:
            self._ask_by_rows()

    @property
    def n_candidates(self) -> int:
        """How many `candidates` there will be."""
        return 1 + len(self._recipes) + len(self._batch.variants)

    def candidates(
        self, is_over: Callable[[], bool] = lambda: False
    ) -> Generator[Candidate, None, None]:
        """The source order, the recipes, isl's schedules; each when it is ready.

        What the caller does with one goes on while others are solved. Isl's schedules
        come as soon as they are there and a recipe is not: on a busy machine many a
        recipe is not solved in time. Once `is_over`, they are not looked at any more.
        """
        with self._baton.held():
            yield self._settle("source order, bands joined", self._joined_original)
            patience = self._deadline.capped(
                self._recipes_deadline.remaining_seconds() + self._isl_seconds / 2
            )
            isl_schedules = self._isl_schedules(is_over)
            for what, future in self._recipes:
                if self._is_isl_due(future):
                    yield from isl_schedules
                with lend_baton():
                    _wait(future, patience)
                yield self._settle(what, partial(_result, future))
            yield from isl_schedules

    def _is_isl_due(self, awaited: Future[Solved]) -> bool:
        return self._batch.is_done and not awaited.done()

    def _isl_schedules(
        self, is_over: Callable[[], bool]
    ) -> Generator[Candidate, None, None]:
        with lend_baton():
            self._batch.wait(self._deadline.capped(self._isl_seconds))
        for position, variant in enumerate(self._batch.variants):
            if is_over():
                yield Candidate(variant.name, None, f"{NO_TIME_LEFT}: not shaped")
                continue
            yield self._settle(variant.name, partial(self._batch.collect, position))

    def close(self) -> None:
        """End what still runs; nothing more is solved.

        A solver that runs past the time limit is left alone; what it finds is not
        looked at.
        """
        self._recipes_deadline = Deadline.after(0.0)
        self._baton.retire()
        for _, future in self._recipes:
            future.cancel()
        running = [future for _, future in self._recipes if not future.done()]
        for future in running:
            _wait(future, self._deadline)
        self._pool.shutdown(wait=all(future.done() for future in running))
        self._batch.cancel()

    def _settle(self, what: str, solve: Callable[[], Solved]) -> Candidate:
        try:
            return Candidate(what, solve())
        except (PolyschedError, isl.Error) as error:
            return Candidate(what, None, str(error).splitlines()[0])

    def _solve(self, recipe: Recipe, earlier: Future[Solved] | None) -> Solved:
        """Solve a recipe; first of all one that it contains, which was begun before."""
        if earlier is not None:
            _wait(earlier, self._recipes_deadline)
        with self._baton.held():
            if self.conflict is not None:
                raise self.conflict
            try:
                return self._solve_in_turn(recipe, _what_is_known(earlier))
            except ConflictError as error:
                self.conflict = error
                raise

    def _solve_in_turn(self, recipe: Recipe, known: Known | None) -> Solved:
        if len(self._pieces) > MAX_PIECES:
            raise LimitError(
                f"not tried: {len(self._pieces)} dependence pieces are too many for "
                f"one integer program (limit {MAX_PIECES}); scheduled row by row"
            )
        deadline = self._share()
        core = self.core
        effort = Effort(EFFORT if known is None else EFFORT_FROM_KNOWN)
        with stopped_at(self._deadline, _NOT_IN_TIME):
            return solve_recipe(
                core.scop,
                core.dependences,
                recipe,
                deadline,
                self._pieces,
                self.machine,
                known,
                effort,
            )

    def _solve_rows(self, recipe: RowwiseRecipe) -> Solved:
        with self._baton.held():
            deadline, core = self._share(), self.core
            with stopped_at(self._deadline, _NOT_IN_TIME):
                return solve_rowwise(
                    core.scop, core.dependences, recipe.options, deadline, self._pieces
                )

    def _ask_joined(
        self, rowwise: Sequence[RowwiseRecipe], recipes: Sequence[Recipe]
    ) -> None:
        """Many straight-line statements have schedules as one statement first.

        A few that wait for each other in several loops, as an error that is spread over
        neighbours, have tiles as one; apart, the temporaries between them are arrays.
        """
        joined = join_statements(self.core.scop, self.core.dependences)
        if joined is None:
            return
        whole = [r for r in recipes if not r.pins and not r.parts]
        if len(self.core.scop.statements) < MANY_STATEMENTS:
            if not any(
                len(group) > 1 and waits_in_several_loops(group[0], joined.dependences)
                for group in joined.groups
            ):
                return
            rowwise, whole = (), [r for r in whole if "BAND" in r.objectives][:1]
        if len(joined.pieces) > MAX_PIECES:
            return
        submit = self._pool.submit
        self._recipes += [
            (f"{r} joined", submit(self._solve_rows_joined, joined, r)) for r in rowwise
        ]
        self._recipes += [
            (f"{r} joined", submit(self._solve_other, joined, r)) for r in whole
        ]

    def _solve_rows_joined(self, joined: Joined, recipe: RowwiseRecipe) -> Solved:
        with self._baton.held(), stopped_at(self._deadline, _NOT_IN_TIME):
            found = solve_rowwise(
                joined.scop,
                joined.dependences,
                recipe.options,
                self._share(),
                joined.pieces,
            )
            return joined.spread(found)

    def _ask_by_rows(self) -> None:
        """Tables filled by diagonals also have the schedules of tables by rows."""
        turned = turn_diagonals(self.core.scop, self.core.dependences)
        if turned is None:
            return
        for r in DIAGONAL_RECIPES:
            future = self._pool.submit(self._solve_other, turned, r)
            self._recipes.append((f"{r} by rows", future))

    def _solve_other(self, form: Rowwise | Joined, recipe: Recipe) -> Solved:
        """Solve a recipe over another form of the SCoP."""
        with self._baton.held(), stopped_at(self._deadline, _NOT_IN_TIME):
            return form.solve(recipe, self._share(), self.machine)

    def _share(self) -> Deadline:
        """A share of what is left: on a busy machine bounded effort takes long, too."""
        remaining = self._recipes_deadline.remaining_seconds()
        if remaining <= 0:
            raise LimitError(f"{NO_TIME_LEFT}: not tried")
        return self._recipes_deadline.capped(max(LEAST_SHARE, remaining / 2))

    def _joined_original(self) -> Solved:
        rows = original_rows(self.core.scop)
        tree = rows_to_tree(self.core.scop, self.core.dependences, rows)
        return Solved(tree, ("original",), rows=rows)


def _wait(future: Future[Solved], deadline: Deadline) -> None:
    seconds = deadline.remaining_seconds()
    wait([future], None if seconds == float("inf") else seconds)


def _what_is_known(earlier: Future[Solved] | None) -> Known | None:
    """What came of an earlier recipe, if it was solved."""
    if earlier is None or not earlier.done() or earlier.cancelled():
        return None
    return None if earlier.exception() is not None else earlier.result().known


def _result(future: Future[Solved]) -> Solved:
    if not future.done():
        raise LimitError(_NOT_IN_TIME)
    return future.result()
