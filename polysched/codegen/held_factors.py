"""Elements that a loop in vector lanes reads in every iteration, read once before it.

A compiler that is told that iterations are independent is not told that what they
store leaves alone what all of them read, and loads that once for every vector::

    #pragma omp simd                              const double held = A[i][k];
    for (int j = k + 1; j < n; j++)        ==>    #pragma omp simd
      A[i][j] -= A[i][k] * A[k][j];               for (int j = k + 1; j < n; j++)
                                                    A[i][j] -= held * A[k][j];

Different arrays are different objects, as everywhere else. Of an array that the loop
writes, isl proves that no iteration writes the element.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

import islpy as isl

from polysched.analysis import load_relations
from polysched.base import AnalysisError
from polysched.codegen.accumulate import runs_at_all
from polysched.codegen.ctext import identifiers
from polysched.codegen.held import Holder
from polysched.codegen.held_bodies import MAX_HELD
from polysched.codegen.nodes import Block, Branch, Instance, Loop, Node, change_blocks
from polysched.ir import Action, Assign, Load, walk_evaluated
from polysched.sets import list_maps, map_names, union_of_maps


@dataclass(frozen=True)
class HeldFactors(Holder):
    """Gives elements that do not move with a loop in lanes their variables.

    Attributes
    ----------
    schedules : mapping of str to isl.UnionMap
        For each loop's key, instances to schedule dimensions, the loop's own last.
    """

    schedules: Mapping[str, isl.UnionMap] = field(default_factory=dict)

    def convert(self, block: Block) -> Block:
        """The block with the variables in place."""
        items = tuple(
            self._hold(node)
            if isinstance(node, Loop) and node.has_lanes
            else change_blocks(node, self.convert)
            for node in block.items
        )
        return replace(block, items=items)

    def _hold(self, loop: Loop) -> Node:
        """A loop between its variables, or as it was."""
        body = [n for n in loop.body.items if isinstance(n, Instance)]
        is_plain = len(body) == len(loop.body.items) and not loop.is_shared
        if not is_plain or loop.condition is None or loop.sums or loop.accumulates:
            return loop
        if any(n.accumulator for n in body) or not self._assign_all(body):
            return loop
        found = [dict(self._factors(loop, body, n)) for n in body]
        texts = dict.fromkeys(text for loads in found for text in loads.values())
        if not 0 < len(texts) <= MAX_HELD:
            return loop
        names = {text: self.names.take("held") for text in texts}
        types = {t: load.type.name for f in found for load, t in f.items()}
        items = tuple(
            replace(n, held=(*n.held, *((load, names[t]) for load, t in f.items())))
            for n, f in zip(body, found, strict=True)
        )
        lines = tuple(f"const {types[t]} {names[t]} = {t};" for t in texts)
        inside = Block((replace(loop, body=replace(loop.body, items=items)),), lines)
        return inside if loop.n_iterations else Branch(runs_at_all(loop), inside)

    def _assign_all(self, body: list[Instance]) -> bool:
        actions = [a for n in body for a in self._actions(n)]
        return len(actions) == len(body) and all(isinstance(a, Assign) for a in actions)

    def _actions(self, instance: Instance) -> tuple[Action, ...]:
        return self.scop.statement(instance.statement).body

    def _factors(
        self, loop: Loop, body: list[Instance], instance: Instance
    ) -> Iterator[tuple[Load, str]]:
        """Elements that an instance reads in every iteration, with their texts."""
        known = {load for load, _ in instance.held}
        (action,) = self._actions(instance)
        assert isinstance(action, Assign)
        written = {self._target(n) for n in body}
        for load in dict.fromkeys(walk_evaluated(action.value)):
            if not isinstance(load, Load) or load in known:
                continue
            if not self._is_worth(load.array, written):
                continue
            text = self.text(load, instance)
            if loop.iterator in identifiers(text) or self.is_named(
                load.array, text, (loop.body,)
            ):
                continue
            if load.array not in written or self._stays(loop, instance, load):
                yield load, text

    def _target(self, instance: Instance) -> str:
        (action,) = self._actions(instance)
        assert isinstance(action, Assign)
        return action.target.array

    def _is_worth(self, name: str, written: set[str]) -> bool:
        """Whether compilers have to expect that the loop changes an array.

        Private arrays are stored where there is room: several elements in one place.
        """
        array = self.scop.array(name)
        if name in self.scop.looked_up or array.is_private or not array.extents:
            return False
        if name in written:
            return True
        return self.is_worth_holding(name) and any(map(self.is_worth_holding, written))

    def _stays(self, loop: Loop, instance: Instance, load: Load) -> bool:
        """Whether no iteration of one run of a loop writes an element that it reads."""
        statement = self.scop.statement(instance.statement)
        try:
            ((_, read),) = load_relations(
                self.scop, load, statement.iterators, statement.name
            )
        except (AnalysisError, ValueError):
            return False
        runs = _runs(self.schedules[loop.key])
        named = {map_names(m)[0] for m in list_maps(self.schedules[loop.key])}
        writes = [
            a.relation
            for s in self.scop.statements
            if s.name in named
            for a in s.writes
            if a.array == load.array
        ]
        stored = union_of_maps(writes).intersect_domain(self.scop.domain)
        seen = isl.UnionMap.from_map(read.intersect_domain(statement.domain))
        by_run = stored.apply_domain(runs), seen.apply_domain(runs)
        return bool(by_run[0].intersect(by_run[1]).is_empty())


def _runs(schedule: isl.UnionMap) -> isl.UnionMap:
    """The instances of a loop to the iterations of the loops around it."""
    found = []
    for relation in list_maps(schedule):
        flat = relation.flatten_range()
        n = flat.dim(isl.dim_type.out)
        around = flat.project_out(isl.dim_type.out, n - 1, 1)
        found.append(around.set_tuple_name(isl.dim_type.out, "run"))
    return union_of_maps(found)
