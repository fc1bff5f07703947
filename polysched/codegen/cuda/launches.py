"""What the host runs: the tree of launches, made from the tree of instances.

A launch is an instance of a statement of its own, ``Kernel0[h0, h1]``, whose iterators
are the values of the loops around the kernel. The bands and sequences above the kernels
order launches as they order instances; marks and all that is below them are gone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import islpy as isl

from polysched.codegen.cuda.mapping import KernelMap, range_set
from polysched.codegen.cuda.marks import mark_words
from polysched.ir import MARK_KERNEL, ScheduleTree, Scop, Statement
from polysched.sets import node_kind

KERNEL = "Kernel"  # statements are S0, S1, ...


@dataclass(frozen=True, eq=False)
class Launches:
    """The launches of a tree.

    Attributes
    ----------
    tree : ScheduleTree
        Over them.
    statements : tuple of Statement
        One per kernel, in order.
    of_instances : isl.UnionMap
        Every instance to the launch that runs it.
    """

    tree: ScheduleTree
    statements: tuple[Statement, ...]
    of_instances: isl.UnionMap

    def restrict(self, scop: Scop) -> Scop:
        """The SCoP with launches as its statements."""
        return replace(scop, statements=self.statements)

    def order(self, deps: isl.UnionMap) -> isl.UnionMap:
        """Dependences between launches."""
        between = deps.apply_domain(self.of_instances).apply_range(self.of_instances)
        return between.subtract(self.tree.schedule.get_domain().identity())


def number_of(statement: str) -> int:
    """The kernel that a statement of `Launches` stands for."""
    return int(statement.removeprefix(KERNEL))


def plan_launches(tree: ScheduleTree, kernels: Sequence[KernelMap]) -> Launches:
    """The tree of launches.

    Parameters
    ----------
    tree : ScheduleTree
        With marks for kernels.
    kernels : sequence of KernelMap
        All of them, in order.
    """
    statements: list[Statement] = []
    relation = isl.UnionMap("{ }")
    domain = isl.UnionSet("{ }")
    for number, kernel in enumerate(kernels):
        name = f"{KERNEL}{number}"
        launched = range_set(kernel.outer).coalesce().set_tuple_name(name)
        n = kernel.n_outer
        iterators = tuple(f"h{k}" for k in range(n))
        statements.append(
            Statement(name, iterators, launched, (0,) * (n + 1), (1,) * n, (), ())
        )
        domain = domain.union(isl.UnionSet.from_set(launched))
        named = isl.UnionMap.from_map(
            isl.Map(f"{{ [{', '.join(iterators)}] -> {name}[{', '.join(iterators)}] }}")
        )
        relation = relation.union(kernel.outer.apply_range(named))
    root = isl.Schedule.from_domain(domain).get_root()
    found = _grow(tree.root.child(0), root.child(0), [0], kernels)
    return Launches(ScheduleTree(found.get_schedule()), tuple(statements), relation)


def _grow(
    source: isl.ScheduleNode,
    leaf: isl.ScheduleNode,
    next_kernel: list[int],
    kernels: Sequence[KernelMap],
) -> isl.ScheduleNode:
    """Put at a leaf what stands above the kernels below a node; the node put there."""
    if _count_kernels(source) == 0:
        return leaf
    if mark_words(source)[0] == MARK_KERNEL:
        next_kernel[0] += 1
        return leaf
    kind = node_kind(source)
    if kind == "band":
        first = next_kernel[0]
        last = first + _count_kernels(source)
        band = _band(source, range(first, last), kernels)
        leaf = leaf.insert_partial_schedule(band).child(0)
        return _grow(source.child(0), leaf, next_kernel, kernels).parent()
    if source.n_children() == 1:
        return _grow(source.child(0), leaf, next_kernel, kernels)
    parts = [source.child(k) for k in range(source.n_children())]
    parts = [part for part in parts if _count_kernels(part)]
    if len(parts) == 1:
        return _grow(parts[0], leaf, next_kernel, kernels)
    filters = isl.UnionSetList.alloc(leaf.get_ctx(), len(parts))
    start = next_kernel[0]
    for part in parts:
        end = start + _count_kernels(part)
        filters = filters.add(_universes(range(start, end), kernels))
        start = end
    node = leaf.insert_sequence(filters)
    for k, part in enumerate(parts):
        inner = node.child(k).child(0)
        node = _grow(part, inner, next_kernel, kernels).parent().parent()
    return node


def _count_kernels(node: isl.ScheduleNode) -> int:
    """Kernels with instances at or below a node."""
    if mark_words(node)[0] == MARK_KERNEL:
        return int(not node.get_domain().is_empty())
    return sum(_count_kernels(node.child(k)) for k in range(node.n_children()))


def _universes(
    numbers: Sequence[int] | range, kernels: Sequence[KernelMap]
) -> isl.UnionSet:
    total = isl.UnionSet("{ }")
    for number in numbers:
        dims = ", ".join(f"h{k}" for k in range(kernels[number].n_outer))
        total = total.union(isl.UnionSet(f"{{ {KERNEL}{number}[{dims}] }}"))
    return total


def _band(
    source: isl.ScheduleNode, numbers: range, kernels: Sequence[KernelMap]
) -> isl.MultiUnionPwAff:
    """The members of a band as functions of launches."""
    depth = source.get_schedule_depth()
    members = []
    for member in range(depth, depth + source.band_n_member()):
        pieces = []
        for number in numbers:
            dims = ", ".join(f"h{k}" for k in range(kernels[number].n_outer))
            pieces.append(f"{KERNEL}{number}[{dims}] -> [(h{member})]")
        members.append(f"{{ {'; '.join(pieces)} }}")
    return isl.MultiUnionPwAff(f"[{', '.join(members)}]")
