"""Where private arrays live in generated code: expanded arrays contracted again.

A private array is expanded in the model: its leading subscripts are iterators, so that
each iteration has its own copy. Let ``t`` be the first d loops that all its accesses
share. If each copy is used within one value of ``t``, storage made anew inside loop d
holds it; the expanded subscripts that ``t`` determines need no dimension there, the
others keep one, as long as their range at one ``t``::

    for it, jt:              double s[32][32];       d = 2: s(i, j) of one tile
      for i, j:              s[i - 32*it][j - 32*jt] = ...
      for i, j, k:           C[i][j] += s[i - 32*it][j - 32*jt] * ...

Two copies never share a cell: dropped subscripts are functions of ``t``, by isl.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import reduce

import islpy as isl

from polysched.analysis import references, statement_members, walked_subscripts
from polysched.base import CodegenError
from polysched.codegen.linear import Offsets, StoragePlace
from polysched.codegen.window import Size, constant_size, find_window
from polysched.ir import Access, Array, ScheduleTree, Scop, Statement
from polysched.sets import (
    list_maps,
    map_names,
    node_kind,
    union_of_maps,
    union_of_sets,
)


@dataclass(frozen=True, eq=False)
class Buffer:
    """Storage of one private array.

    Attributes
    ----------
    array : Array
        What is stored.
    depth : int
        It is made anew in each iteration of the first `depth` loops.
    kept : tuple of int
        Positions of the subscripts that have a dimension, in the order of storage.
    sizes : tuple of Size
        Elements per dimension.
    offsets : dict of str to dict of int to isl.PwAff
        For each statement, by position: first value of the subscript, as a function
        of the instance; zero where nothing is said.
    alignment : int
        Bytes that its address is a multiple of, 0 for what the type asks for. Aligned
        storage lives on the stack.
    panel : int
        Elements of the last subscript, which counts from the begin of a panel; 0 where
        it does not.
    terms : int
        Terms of a sum that lie side by side in a packed copy, 0 for none.
    shift : int
        Added to each of these.
    starts_as_zero : bool
        Whether what is never written is read as zero.
    firsts : dict of int to isl.PwAff
        By position: first value of the subscript, as a function of the values of the
        first `depth` loops.
    """

    array: Array
    depth: int
    kept: tuple[int, ...]
    sizes: tuple[Size, ...]
    offsets: dict[str, dict[int, isl.PwAff]]
    alignment: int = 0
    panel: int = 0
    terms: int = 0
    shift: int = 0
    starts_as_zero: bool = False
    firsts: dict[int, isl.PwAff] = field(default_factory=dict)

    def seen_by(self, statement: str, time: isl.Map) -> Buffer:
        """The storage with offsets for one more statement.

        Parameters
        ----------
        statement : str
            Its name.
        time : isl.Map
            Its instances to the values of the first `depth` loops, or more.
        """
        at = isl.PwMultiAff.from_map(_first(time, self.depth))
        own = {k: first.pullback_pw_multi_aff(at) for k, first in self.firsts.items()}
        return replace(self, offsets=self.offsets | {statement: own})

    @property
    def n_bytes(self) -> int | None:
        """Size in bytes, None when it is known at run time only."""
        total = self.array.type.n_bytes
        for size in self.sizes:
            constant = constant_size(size)
            if constant is None:
                return None
            total *= constant
        return total


@dataclass(frozen=True, eq=False)
class _Use:
    """Accesses of one statement to the array: instance to element, instance to time.

    Where a loop was cut, in one of its parts: what is made anew in a loop is another
    object in another part, which may be at the same time.
    """

    statement: str
    part: int
    element: isl.Map
    time: isl.Map


def plan_storage(
    scop: Scop, tree: ScheduleTree, depth_limits: Mapping[str, int] | None = None
) -> tuple[Buffer, ...]:
    """Storage for every private array that generated code has to declare.

    Parameters
    ----------
    scop : Scop
        Arrays with `n_expanded` and arrays declared in the SCoP are planned.
    tree : ScheduleTree
        The schedule whose loops surround them.
    depth_limits : mapping of array name to int, optional
        Loops that its storage may be made anew in, where fewer than possible.

    Raises
    ------
    CodegenError
        If an array has no declared extent and isl finds no bound for it, or iterations
        that run at the same time would have copies of one.
    """
    planned = [a for a in scop.arrays if a.n_expanded or a.storage == "scop"]
    limits = depth_limits or {}
    buffers = (_plan(scop, tree, a, limits.get(a.name)) for a in planned)
    return tuple(b for b in buffers if b is not None)


def lay_out_along_loops(
    buffers: Sequence[Buffer], scop: Scop, tree: ScheduleTree
) -> tuple[Buffer, ...]:
    """The buffers of `plan_storage`, with neighbours where innermost loops walk.

    The order of the dimensions is free: nothing but the SCoP knows the arrays.
    """
    by_name = references(scop)
    last = walked_subscripts(
        (members, by_name[name]) for name, members in statement_members(tree).items()
    )
    return tuple(_with_last(b, last.get(b.array.name)) for b in buffers)


def _with_last(buffer: Buffer, last: int | None) -> Buffer:
    """The buffer with the dimension of one subscript behind all others."""
    if last not in buffer.kept:
        return buffer
    order = sorted(range(len(buffer.kept)), key=lambda k: buffer.kept[k] == last)
    return replace(
        buffer,
        kept=tuple(buffer.kept[k] for k in order),
        sizes=tuple(buffer.sizes[k] for k in order),
    )


def buffer_offsets(
    buffers: Sequence[Buffer], further: Offsets | None = None
) -> dict[str, dict[StoragePlace, isl.PwAff]]:
    """Offsets of all buffers by statement, then by array and subscript; and others."""
    total = {name: dict(places) for name, places in (further or {}).items()}
    for buffer in buffers:
        for statement, values in buffer.offsets.items():
            places = total.setdefault(statement, {})
            places.update({(buffer.array.name, k): v for k, v in values.items()})
    return total


def _plan(
    scop: Scop, tree: ScheduleTree, array: Array, depth_limit: int | None
) -> Buffer | None:
    accesses = [
        (s, a)
        for s, a in scop.iter_accesses()
        if a.array == array.name and not a.relation.is_empty()
    ]
    uses = _find_uses(scop, tree, array, accesses)
    if not uses:  # nowhere, or in other parts of the schedule
        return None
    n_shared = uses[0].time.dim(isl.dim_type.out)
    if {s.name for s, _ in accesses} != {u.statement for u in uses}:
        n_shared = 0  # other parts of the schedule have it, too: it is made outside
    if depth_limit is not None:
        n_shared = min(n_shared, depth_limit)
    depth = _choose_depth(uses, array.n_expanded, n_shared) if array.n_expanded else 0
    uses = [replace(u, time=_first(u.time, depth)) for u in uses]
    kept: list[int] = []
    sizes: list[Size] = []
    firsts: dict[int, isl.PwAff] = {}
    for position in range(array.n_dim):
        by_part: dict[int, isl.Map] = {}
        for u in uses:
            seen = u.time.reverse().apply_range(_only(u.element, position))
            by_part[u.part] = _union([by_part.get(u.part, seen), seen])
        fixed = all(seen.is_single_valued() for seen in by_part.values())
        if position < array.n_expanded and fixed:
            continue
        kept.append(position)
        extents = (None,) * array.n_expanded + array.extents
        extent = extents[position]
        if extent is not None:
            sizes.append(extent)
            continue
        window = find_window(_union(by_part.values()), scop.context)
        if window is None:
            raise CodegenError(f"no bound found for private array {array.name!r}")
        sizes.append(window.size)
        firsts[position] = window.first
    if array.is_work and kept and kept[0] < array.n_expanded:
        raise CodegenError(
            f"{array.source_name} stands for an array of any size, and here each "
            "iteration would have one at the same time"
        )
    buffer = Buffer(array, depth, tuple(kept), tuple(sizes), {}, firsts=firsts)
    for name, time in _times(uses).items():
        buffer = buffer.seen_by(name, time)
    return buffer


def _find_uses(
    scop: Scop,
    tree: ScheduleTree,
    array: Array,
    accesses: list[tuple[Statement, Access]],
) -> list[_Use]:
    relations = [
        (s.name, a.relation.intersect_domain(s.domain).intersect_params(scop.context))
        for s, a in accesses
    ]
    touching = union_of_sets(r.domain() for _, r in relations)
    copies = union_of_maps(
        _first(relation, array.n_expanded) for _, relation in relations
    )
    found = []
    for part, part_times in enumerate(_find_times(tree.root, touching, copies)):
        times = {map_names(m)[0]: _unnamed(m) for m in list_maps(part_times)}
        for name, relation in relations:
            if name in times:
                here = _unnamed(relation).intersect_domain(times[name].domain())
                found.append(_Use(name, part, here, times[name]))
    return found


def _times(uses: Iterable[_Use]) -> dict[str, isl.Map]:
    """For each statement, its instances to their times in all parts."""
    found: dict[str, isl.Map] = {}
    for u in uses:
        known = found.get(u.statement)
        found[u.statement] = u.time if known is None else known.union(u.time)
    return {name: time.coalesce() for name, time in found.items()}


def _find_times(
    node: isl.ScheduleNode, wanted: isl.UnionSet, copies: isl.UnionMap
) -> list[isl.UnionMap]:
    """Wanted instances to the loops that they share, in each part of a cut loop.

    The parts share what is below the cut, too, as long as no copy of the array is used
    in two of them.
    """
    node = _deepest_common(node, wanted)
    prefix = node.get_prefix_schedule_union_map().intersect_domain(wanted)
    parts = [below.intersect(wanted) for below in _parts_below(node)]
    parts = [part for part in parts if not part.is_empty()]
    if len(parts) < 2 or not _are_disjoint([part.apply(copies) for part in parts]):
        return [prefix]
    found = [
        list_maps(times)
        for k, below in enumerate(_parts_below(node))
        if not below.is_disjoint(wanted)
        for times in _find_times(
            node.child(k).child(0), below.intersect(wanted), copies
        )
    ]
    depth = min(m.dim(isl.dim_type.out) for times in found for m in times)
    return [union_of_maps(_first(m, depth) for m in times) for times in found]


def _parts_below(node: isl.ScheduleNode) -> list[isl.UnionSet]:
    """The domains of the parts of a sequence."""
    if node_kind(node) not in ("sequence", "set"):
        return []
    return [node.child(k).child(0).get_domain() for k in range(node.n_children())]


def _are_disjoint(sets: list[isl.UnionSet]) -> bool:
    seen = sets[0]
    for one in sets[1:]:
        if not seen.is_disjoint(one):
            return False
        seen = seen.union(one)
    return True


def _deepest_common(node: isl.ScheduleNode, wanted: isl.UnionSet) -> isl.ScheduleNode:
    """The deepest node that all wanted instances reach."""
    while node.n_children() > 0:
        if node.n_children() == 1:
            node = node.child(0)
            continue
        below = [node.child(k).child(0) for k in range(node.n_children())]
        holders = [b for b in below if not b.get_domain().is_disjoint(wanted)]
        if len(holders) != 1:
            break
        node = holders[0]
    return node


def _choose_depth(uses: list[_Use], n_expanded: int, n_shared: int) -> int:
    """The largest number of shared loops that each copy fixes."""
    moved = _union(
        _first(u.element, n_expanded).reverse().apply_range(u.time) for u in uses
    )
    for depth in range(n_shared, 0, -1):
        if _first(moved, depth).is_single_valued():
            return depth
    return 0


def _first(relation: isl.Map, count: int) -> isl.Map:
    """The relation to the first `count` dimensions of the range."""
    rest = relation.dim(isl.dim_type.out) - count
    return _unnamed(relation.project_out(isl.dim_type.out, count, rest))


def _only(relation: isl.Map, position: int) -> isl.Map:
    """The relation to one dimension of the range."""
    upto = _first(relation, position + 1)
    return _unnamed(upto.project_out(isl.dim_type.out, 0, position))


def _unnamed(relation: isl.Map) -> isl.Map:
    """The relation with a range that has no tuple name and is not nested."""
    if relation.range_is_wrapping():
        relation = relation.flatten_range()
    if relation.has_tuple_id(isl.dim_type.out):
        relation = relation.reset_tuple_id(isl.dim_type.out)
    return relation


def _union(relations: Iterable[isl.Map]) -> isl.Map:
    return reduce(lambda a, b: a.union(b), relations).coalesce()
