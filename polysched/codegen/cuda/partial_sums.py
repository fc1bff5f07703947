"""Sums that blocks and threads share, made explicit before anything is printed.

A mark ``grid:y:8,32`` says that blocks and threads of a kernel add up terms of the same
elements of ``y``. What they find on the way becomes arrays and statements of its own,
in one kernel (`SumKernel`), and in another where blocks share the terms of an element::

    y[i] += A[i][j] * x[j]      the terms, into own[...];   part[k, i] = met[k, 0, i]
                                part[k, i], into own2[...]; y[i] += met2[0, i]

Everything behind sees an ordinary program: storage, barriers, copies and proofs. The
dependences of the given one are carried over: the sum's own, between its terms, go, and
all others that begin or end at a term also hold for the statement that changes ``y``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, reduce

import islpy as isl

from polysched.analysis import Reduction
from polysched.base import CodegenError
from polysched.codegen.cuda.marks import mark_words, read_counts
from polysched.codegen.cuda.sum_kernel import SumKernel
from polysched.codegen.cuda.sum_level import SumLevel
from polysched.codegen.cuda.sum_reading import (
    MarkedLoops,
    find_shared_sum,
    no_subscripts,
    read_terms,
)
from polysched.codegen.cuda.sum_schedule import in_sequence, nest
from polysched.codegen.cuda.sum_terms import (
    PREFIX,
    Goal,
    Shared,
    Terms,
    flat,
    n_out,
)
from polysched.codegen.cuda.sum_tree import put_in_place, schedule_below
from polysched.ir import (
    MARK_GRID,
    MARK_KERNEL,
    MARK_THREADS,
    Access,
    Array,
    Iter,
    Load,
    NodePath,
    ScheduleTree,
    Scop,
    Statement,
    partial_sums,
)
from polysched.sets import union_of_sets

_IN, _OUT = isl.dim_type.in_, isl.dim_type.out


@dataclass(frozen=True, eq=False)
class ExpandedSum:
    """One sum, and what it becomes.

    Attributes
    ----------
    reduction : Reduction
        The sum in the given program.
    levels : tuple of SumLevel
        One or two: what happens in each kernel.
    touching : isl.UnionSet
        Instances of the given program that access the array.
    part : Array or None
        What blocks found, for the second kernel.
    again : SumKernel or None
        The second kernel.
    """

    reduction: Reduction
    levels: tuple[SumLevel, ...]
    touching: isl.UnionSet
    part: Array | None = None
    again: SumKernel | None = None

    @property
    def statements(self) -> list[Statement]:
        """Of all kernels, the terms in place of the given statement."""
        return [s for k in self.levels for s in k.statements]

    @property
    def arrays(self) -> list[Array]:
        """Of all kernels."""
        found = [a for k in self.levels for a in k.arrays]
        return found if self.part is None else [*found, self.part]

    @cached_property
    def changing(self) -> isl.UnionMap:
        """Terms to the instance that changes the element that they are added to."""
        first, last = self.levels[0].terms, self.levels[-1]
        homes = first.homes
        if len(self.levels) > 1:
            homes = flat(first.outer, first.element)
        return isl.UnionMap.from_map(homes.set_tuple_name(_OUT, last.handing.name))

    def order(self, deps: isl.UnionMap) -> isl.UnionMap:
        """Dependences of the expanded program."""
        own = isl.UnionMap.from_map(self.reduction.relation)
        others, changing = deps.subtract(own), self.changing
        again = deps.apply_domain(changing).apply_range(changing)
        parts = [
            others,
            others.intersect_range(self.touching).apply_domain(changing),
            others.intersect_domain(self.touching).apply_range(changing),
            again.subtract(again.domain().identity()),
            *(self._begun(k, deps, others) for k in self._reading),
            *(level.flow for level in self.levels),
            self._handed(),
        ]
        return reduce(lambda a, b: a.union(b), parts).coalesce()

    @property
    def _reading(self) -> list[Statement]:
        """What begins a thread's part with the element itself, in each kernel."""
        if not self.levels[0].terms.op.begins_with_element:
            return []
        return [level.beginning for level in self.levels]

    def _begun(
        self, reading: Statement, deps: isl.UnionMap, others: isl.UnionMap
    ) -> isl.UnionMap:
        """Who has changed the element before a thread's part begins with it.

        All parts of a launch begin before the launch changes the element.
        """
        first = self.levels[0].terms
        (read,) = _relations(reading, self.reduction.array)
        launch = _launch(reading, n_out(first.outer))
        homes = launch.flat_range_product(read.reset_tuple_id(_OUT))
        at = flat(first.outer, first.element).apply_range(homes.reverse())
        begun = others.intersect_domain(self.touching)
        begun = begun.apply_range(isl.UnionMap.from_map(at))
        earlier = deps.apply_domain(self.changing)
        earlier = earlier.apply_range(isl.UnionMap.from_map(at))
        changed = _launch(self.levels[-1].handing, n_out(first.outer))
        same_launch = changed.apply_range(launch.reverse())
        return begun.union(earlier.subtract(isl.UnionMap.from_map(same_launch)))

    def _handed(self) -> isl.UnionMap:
        """From the kernel that hands parts over to the one that adds them up."""
        if self.part is None:
            return isl.UnionMap("{ }")
        first, second = self.levels
        (written,) = _relations(first.handing, self.part.name)
        (read,) = _relations(second.terms.statement, self.part.name)
        return isl.UnionMap.from_map(written.apply_range(read.reverse()))


@dataclass(frozen=True, eq=False)
class ExpandedSums:
    """A program and a tree without marks for sums, and what they came from.

    Attributes
    ----------
    scop : Scop
        With the statements and arrays of all sums.
    tree : ScheduleTree
        Over them.
    sums : tuple of ExpandedSum
        In order.
    """

    scop: Scop
    tree: ScheduleTree
    sums: tuple[ExpandedSum, ...] = ()

    def order(self, deps: isl.UnionMap) -> isl.UnionMap:
        """Dependences of the expanded program, from those of the given one."""
        for one in self.sums:
            deps = one.order(deps)
        return deps


def expand_sums(scop: Scop, tree: ScheduleTree) -> ExpandedSums:
    """The program with the arrays and statements of sums that threads share.

    Raises
    ------
    CodegenError
        If a mark stands above something else than one sum, or only a part of it, or
        where only some of its terms count.
    """
    found: dict[NodePath, tuple[ExpandedSum, ...]] = {}
    schedules = {}
    names = [a.name for a in scop.arrays]
    for path, node in _marked(tree):
        found[path], schedule = _expand(scop, node, names)
        names += [a.name for one in found[path] for a in one.arrays]
        schedules[path] = schedule, _outer(found[path])
    if not found:
        return ExpandedSums(scop, tree)
    sums = tuple(one for together in found.values() for one in together)
    return ExpandedSums(_replaced(scop, sums), put_in_place(tree, schedules), sums)


def _marked(tree: ScheduleTree) -> Iterator[tuple[NodePath, isl.ScheduleNode]]:
    """The marks above sums that are shared: ``kernel``, or ``threads`` in a kernel."""
    whole: list[NodePath] = []
    for path, node in tree.nodes():
        words = mark_words(node)
        if words[0] not in (MARK_KERNEL, MARK_THREADS) or node.get_domain().is_empty():
            continue
        if words[0] == MARK_KERNEL:
            below = mark_words(node.child(0))
            if below[0] == MARK_GRID and partial_sums(":".join(below)):
                whole.append(path)
                yield path, node
        elif partial_sums(":".join(words)) and not any(
            path[: len(outer)] == outer for outer in whole
        ):
            yield path, node


def _outer(sums: Sequence[ExpandedSum]) -> Mapping[str, isl.Map]:
    """Further statements to the values of the loops around their kernels."""
    given = {one.levels[0].terms.statement.name for one in sums}
    return {
        s.name: _launch(s, n_out(one.levels[0].terms.outer))
        for one in sums
        for s in one.statements
        if s.name not in given
    }


def _replaced(scop: Scop, sums: Sequence[ExpandedSum]) -> Scop:
    """The SCoP with the statements of sums in place of those that add their terms."""
    by_name = {one.reduction.statement: one.statements for one in sums}
    statements = [
        s for given in scop.statements for s in by_name.get(given.name, [given])
    ]
    arrays = [*scop.arrays, *(a for one in sums for a in one.arrays)]
    return replace(scop, statements=tuple(statements), arrays=tuple(arrays))


def _expand(
    scop: Scop, mark: isl.ScheduleNode, names: Sequence[str]
) -> tuple[tuple[ExpandedSum, ...], isl.Schedule]:
    """The sums below a mark, and what stands there for them."""
    loops = MarkedLoops(scop, mark)
    sums: list[ExpandedSum] = []
    counts = (1, 1)  # of a second kernel
    if loops.is_kernel:
        first, second = read_counts(mark_words(mark.child(0))[2])
        counts = first, second
    for name in loops.arrays:
        reduction = find_shared_sum(scop, mark, name)
        taken = [*names, *(a.name for one in sums for a in one.arrays)]
        sums.append(_expand_one(loops, reduction, taken, counts))
    together = _in_one_kernel(loops, sums)
    if not loops.is_kernel:
        return tuple(sums), together.parts
    rest = [one.again.schedule for one in sums if one.again is not None]
    return tuple(sums), in_sequence([together.schedule, *rest])


def _in_one_kernel(loops: MarkedLoops, sums: Sequence[ExpandedSum]) -> SumKernel:
    """The kernel that has the terms of all sums."""
    levels = tuple(one.levels[0] for one in sums)
    if len({tuple(s.is_sum for s in lv.terms.shared) for lv in levels}) > 1:
        raise CodegenError("sums in one kernel do not run along the same loops")
    own = {level.terms.statement.name for level in levels}
    others = {
        name: _beside(loops.find_shared(name, lambda _: False), levels[0])
        for name in loops.domains
        if name not in own
    }
    body = schedule_below(loops.points.child(0))
    domain = union_of_sets(loops.domains.values())
    return SumKernel(levels, body.intersect_domain(domain), others)


def _beside(shared: Sequence[Shared], level: SumLevel) -> tuple[Shared, ...]:
    """Loops of a statement beside terms: they run along the same ones."""
    pairs = zip(shared, level.terms.shared, strict=True)
    return tuple(replace(s, is_sum=term.is_sum) for s, term in pairs)


def _expand_one(
    loops: MarkedLoops,
    reduction: Reduction,
    taken: Sequence[str],
    threads: tuple[int, int],
) -> ExpandedSum:
    """What one sum becomes; names of arrays that are taken are not used."""
    name = reduction.array
    stem = next(n for n in _stems(name) if not any(m.startswith(n) for m in taken))
    terms = read_terms(loops, reduction, f"{stem}_own")
    prefix = reduction.statement
    given = Goal(name, frozenset("e"), terms.op)
    homes = flat(terms.outer, terms.element).reverse().apply_range(terms.parts)
    touching = union_of_sets(
        a.relation.domain() for _, a in loops.scop.iter_accesses() if a.array == name
    )
    if homes.is_single_valued():
        level = SumLevel(terms, prefix, f"{stem}_met", given, name)
        return ExpandedSum(reduction, (level,), touching)
    part = Array(
        f"{stem}_part", terms.type, storage="local", live_in=False, live_out=False,
        n_expanded=n_out(terms.homes),
    )  # fmt: skip
    first = SumLevel(
        terms, prefix, f"{stem}_met", Goal(part.name, frozenset("hke"), None), name
    )
    again, body = _parts(first, part, f"{stem}_own2", threads)
    second = SumLevel(again, f"{prefix}_parts", f"{stem}_met2", given, name)
    kernel = SumKernel((second,), body, {})
    return ExpandedSum(reduction, (first, second), touching, part, kernel)


def _stems(name: str) -> Iterator[str]:
    yield f"{name}_sum"
    number = 1
    while True:
        yield f"{name}_sum{number}"
        number += 1


def _parts(
    first: SumLevel, part: Array, own: str, threads: tuple[int, int]
) -> tuple[Terms, isl.Schedule]:
    """What blocks found, as terms of a sum of one block for some elements."""
    homes, iterators = first.handing.domain, first.handing.iterators
    name = f"{first.name}_part"
    domain = homes.set_tuple_name(name)
    by_kind = {
        kind: [i for i in iterators if i.startswith(PREFIX + kind)] for kind in "hke"
    }

    def of(names: Sequence[str]) -> isl.Map:
        text = f"{{ [{', '.join(iterators)}] -> [{', '.join(names)}] }}"
        return isl.Map(text).set_tuple_name(_IN, name).intersect_domain(domain)

    *before, last_part = by_kind["k"]
    moving = [e for e in by_kind["e"] if not _is_fixed(of([e]))]
    *rows, last_element = moving or [""]
    over_parts, over_elements = threads
    shared = [Shared(of([e]), 1, 1, is_sum=False) for e in rows]
    shared.append(Shared(of([last_part]), 0, over_parts, is_sum=True))
    if last_element:
        shared.append(
            Shared(of([last_element]), over_elements, over_elements, is_sum=False)
        )
    outer, element = of(by_kind["h"]), of(by_kind["e"])
    level = first.terms
    terms = Terms(
        first.handing,
        own,
        level.type,
        level.op,
        level.index,
        outer,
        element,
        tuple(shared),
    )
    relation = terms.places.set_tuple_name(_OUT, own)
    read = of(iterators).set_tuple_name(_OUT, part.name)
    n_zero = n_out(terms.places) - len(by_kind["e"])
    target = Load(
        own,
        (*no_subscripts(n_zero), *(Iter(e, level.index) for e in by_kind["e"])),
        level.type,
    )
    value = Load(part.name, tuple(Iter(i, level.index) for i in iterators), level.type)
    accesses = (
        Access(part.name, "read", read),
        Access(own, "read", relation),
        Access(own, "must_write", relation),
    )
    statement = replace(
        first.handing, name=name, domain=domain,
        body=(level.op.put(target, value),), accesses=accesses,
    )  # fmt: skip
    body = nest(domain, [of(before)])
    return replace(terms, statement=statement), body


def _launch(statement: Statement, n: int) -> isl.Map:
    """A further statement's instances to the values of the loops around its kernel."""
    values = ", ".join(statement.iterators[:n])
    listed = f"{{ [{', '.join(statement.iterators)}] -> [{values}] }}"
    return isl.Map(listed).set_tuple_name(_IN, statement.name)


def _is_fixed(relation: isl.Map) -> bool:
    """Whether all instances have one value."""
    return bool(relation.range().is_singleton())


def _relations(statement: Statement, array: str) -> list[isl.Map]:
    return [a.relation for a in statement.accesses if a.array == array]
