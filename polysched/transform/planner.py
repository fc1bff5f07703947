"""Scripts for many schedule trees of one program: nests they share are planned once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from polysched.analysis import Dependences
from polysched.base import Deadline
from polysched.ir import ScheduleTree, Scop
from polysched.machine import Cpu
from polysched.sets import list_sets
from polysched.transform.arrange import merge_bands
from polysched.transform.draft import Draft
from polysched.transform.mapping import Parallel
from polysched.transform.pack import Pack
from polysched.transform.plan import SHAPES, PlanShape, plan_shape
from polysched.transform.step import Script, Step

Price = Callable[[ScheduleTree, bool], float]

MAX_PARTS = 32  # nests one behind the other that have shapes of their own
MAX_PRICED = 10  # shapes of one of them
MAX_NEIGHBOURS = 16  # parts of a sequence that are searched for pairs to fuse


def plan_scripts(
    tree: ScheduleTree, scop: Scop, deps: Dependences, cpu: Cpu, *, limit: int = 4
) -> list[Script]:
    """Complete scripts worth measuring for one affine schedule, see `ScriptPlanner`."""
    return [d.steps for d in ScriptPlanner(scop, deps, cpu).plan(tree, limit=limit)]


class ScriptPlanner:
    """Proposes scripts for affine schedules of one program.

    Parts of an outermost sequence are planned one by one, which is all the same to
    every shape but that of strips; and what was planned is remembered.

    Parameters
    ----------
    scop : Scop
        Its accesses decide strides, reuse and footprints.
    deps : Dependences
        What every script respects.
    cpu : Cpu
        Caches and registers that tiles must fit.
    """

    def __init__(self, scop: Scop, deps: Dependences, cpu: Cpu) -> None:
        self.scop = scop
        self.deps = deps
        self.cpu = cpu
        self._merged: dict[str, Draft] = {}
        self._joined: tuple[tuple[str, ...], Draft] | None = None
        self._planned: dict[tuple[str, PlanShape], Draft | None] = {}
        self._best: dict[tuple[str, bool], Draft] = {}

    def plan(
        self, tree: ScheduleTree, *, limit: int = 4, deadline: Deadline | None = None
    ) -> list[Draft]:
        """Complete scripts worth measuring for one schedule, and their trees.

        Parameters
        ----------
        tree : ScheduleTree
            Affine, with exact band flags (`analysis.set_band_flags`).
        limit : int
            At most that many scripts.
        deadline : Deadline, optional
            After it, what was found until then is all, possibly nothing.

        Returns
        -------
        list of Draft
            Different in effect, the most promising first; one of them always runs
            sequentially, unless time was spent.
        """
        found: dict[str, Draft] = {}
        sequential: str | None = None
        parts = self._take_apart(tree)
        for shape in SHAPES:
            if len(found) >= limit and sequential is not None:
                break
            if deadline is not None and deadline.expired:
                break
            is_serial = not (shape.threads or shape.lift or shape.passes)
            if len(found) >= limit and not is_serial:
                continue
            draft = self._plan_shape(tree, parts, shape)
            if draft is None:
                continue
            found.setdefault(draft.tree.text, draft)
            if is_serial and sequential is None:
                sequential = draft.tree.text
        kept = list(found)[:limit]
        if sequential is not None and sequential not in kept:
            kept[-1:] = [sequential]
        return [found[text] for text in kept]

    def plan_alone(
        self, tree: ScheduleTree, *, limit: int = 4, deadline: Deadline | None = None
    ) -> list[Draft]:
        """As `plan`, for one thread: where regions end about when threads are there.

        Parameters
        ----------
        tree, limit, deadline
            As for `plan`.

        Returns
        -------
        list of Draft
            Different in effect, in the order of `plan`.
        """
        found: dict[str, Draft] = {}
        parts = self._take_apart(tree)
        for shape in SHAPES:
            if len(found) >= limit or (deadline is not None and deadline.expired):
                break
            if not shape.threads or shape.is_about_threads:
                continue
            draft = self._plan_shape(tree, parts, replace(shape, threads=False))
            if draft is not None:
                found.setdefault(draft.tree.text, draft)
        return list(found.values())

    def plan_by_parts(
        self, tree: ScheduleTree, price: Price, *, deadline: Deadline | None = None
    ) -> Draft | None:
        """Nests that follow each other, each in the shape that suits it best.

        Threads pay where they share an outermost loop, and not where they meet in
        every turn of a loop through time; of two nests one may be of either kind.

        Parameters
        ----------
        tree, deadline
            As for `plan`.
        price : callable
            What a part of a tree takes, and whether threads are there already.

        Returns
        -------
        Draft or None
            None for a tree of one part, and where time is spent.
        """
        parts = self._take_apart(tree)
        if not 2 <= len(parts) <= MAX_PARTS:
            return None
        for has_team in (False, True):
            best = []
            for part in parts:
                if deadline is not None and deadline.expired:
                    return None
                best.append(self._choose(part, price, has_team=has_team))
            if not any(isinstance(s, Parallel) for draft in best for s in draft.steps):
                break
        return self._join(best)

    def _choose(self, part: ScheduleTree, price: Price, *, has_team: bool) -> Draft:
        """The cheapest shape of a part, with threads or for one alone."""
        key = part.text, has_team
        if key not in self._best:
            found: dict[str, Draft] = {}  # of equals the first, which is no bare one
            for shape in SHAPES:
                if len(found) >= MAX_PRICED:
                    break
                if shape.looks_at_neighbours or (shape.sums and not shape.threads):
                    continue
                for threads in dict.fromkeys((shape.threads, False)):
                    draft = self._plan_part(part, replace(shape, threads=threads))
                    if draft is not None:
                        found.setdefault(draft.tree.text, draft)
            found.setdefault(part.text, self._merge(part))
            priced = {text: price(d.tree, has_team) for text, d in found.items()}
            self._best[key] = found[min(priced, key=lambda text: priced[text])]
        return self._best[key]

    def plan_in_registers(self, tree: ScheduleTree) -> Script:
        """Register tiles over the loops as they are: no cache tiles, and no copies.

        For schedules whose loops limit each other such that the code of anything more
        explodes; a band matrix has few diagonals, which no tile of them would reuse.
        """
        parts = self._take_apart(tree)
        draft = self._plan_shape(tree, parts, PlanShape(jam=True, hold=True))
        steps = () if draft is None else draft.steps
        return tuple(step for step in steps if not isinstance(step, Pack))

    def _take_apart(self, tree: ScheduleTree) -> tuple[ScheduleTree, ...]:
        """The parts to plan one by one: the tree itself where they share statements."""
        parts = tree.parts()
        names = [_names(part) for part in parts]
        is_disjoint = len(set().union(*names)) == sum(map(len, names))
        return parts if is_disjoint else (tree,)

    def _plan_shape(
        self, tree: ScheduleTree, parts: tuple[ScheduleTree, ...], shape: PlanShape
    ) -> Draft | None:
        if shape.sums and not self.deps.reductions:
            return None
        if len(parts) == 1:
            return self._plan_part(parts[0], shape)
        if shape.looks_at_neighbours:
            if len(parts) > MAX_NEIGHBOURS:
                return None
            return plan_shape(self._whole(parts), self.scop, self.cpu, shape)
        drafts = [self._plan_part(part, shape) for part in parts]
        if all(draft is None for draft in drafts):
            return None
        rest = shape.without_point()
        for k, part in enumerate(parts):
            drafts[k] = drafts[k] or self._plan_part(part, rest)
        return self._join([d for d in drafts if d is not None])

    def _plan_part(self, part: ScheduleTree, shape: PlanShape) -> Draft | None:
        key = part.text, shape
        if key not in self._planned:
            self._planned[key] = plan_shape(
                self._merge(part), self.scop, self.cpu, shape
            )
        return self._planned[key]

    def _merge(self, part: ScheduleTree) -> Draft:
        if part.text not in self._merged:
            own = self.deps.within(_names(part))
            self._merged[part.text] = merge_bands(Draft(part, own))
        return self._merged[part.text]

    def _whole(self, parts: tuple[ScheduleTree, ...]) -> Draft:
        """All parts in one draft; asked again for the same parts, the same object."""
        key = tuple(part.text for part in parts)
        if self._joined is None or self._joined[0] != key:
            self._joined = key, self._join([self._merge(part) for part in parts])
        return self._joined[1]

    def _join(self, drafts: list[Draft]) -> Draft:
        """Parts one after the other, and the steps of all of them."""
        joined = ScheduleTree.sequence([draft.tree for draft in drafts])
        steps = [
            _move(step, position)
            for position, draft in enumerate(drafts)
            for step in draft.steps
        ]
        return Draft(joined, self.deps, tuple(steps))


def _names(part: ScheduleTree) -> frozenset[str]:
    domain = part.schedule.get_domain()
    return frozenset(s.get_tuple_name() for s in list_sets(domain))


def _move(step: Step, position: int) -> Step:
    """A step on a part as a step on the sequence that holds it at a position."""
    return replace(step, band=(0, position, *step.band))
