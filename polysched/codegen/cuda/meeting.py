"""Kernels whose threads meet: who runs what, and where they wait for each other.

Below a mark ``grid`` there may be bands and sequences that every thread of a block
runs, and on each way down from it one mark ``threads``. An *epoch* is one run of what
is below one such mark: the values of the bands around it, and its position in the
sequences. Behind every epoch stands a barrier, so that what threads do in one epoch is
seen by all in the next; but for epochs that a thread runs alone, one behind the other.

Every thread reaches every barrier, as often as all others and in the same order:
the barriers are statements of their own in the tree (an extension node), whose
instances are the epochs of the *block*. Neither these nor the loops around them depend
on the thread; what one thread runs is cut out by a filter below, where no barrier is.
isl's AST builder runs exactly the instances that it is given. `check_ast` proves it
once more on the loops that it built.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import reduce

import islpy as isl

from polysched.base import CodegenError
from polysched.codegen.cuda.marks import mark_words, read_counts
from polysched.ir import MARK_STAGE, MARK_THREADS, ScheduleTree, Statement
from polysched.sets import node_kind

BARRIER = "Barrier"  # statements are S0, S1, ...


@dataclass(frozen=True, eq=False)
class Meeting:
    """How the threads of a block share its instances.

    Attributes
    ----------
    threads : isl.UnionMap
        Instances to their thread.
    epochs : isl.UnionMap
        Instances to their epoch.
    n_threads, runs : tuple of int
        As in `KernelMap`.
    """

    threads: isl.UnionMap
    epochs: isl.UnionMap
    n_threads: tuple[int, ...]
    runs: tuple[int, ...]


def threads_meet(grid: isl.ScheduleNode) -> bool:
    """Whether anything stands between a grid's band and what threads share."""
    below = grid.child(0).child(0)
    return mark_words(below)[0] not in (MARK_THREADS, MARK_STAGE)


def read_meeting(tree: ScheduleTree, grid: isl.ScheduleNode) -> Meeting:
    """What the marks below a grid say.

    Raises
    ------
    CodegenError
        If an instance is below none of them, or they speak of different blocks.
    """
    shapes, pieces = set(), []
    for mark in thread_marks(grid.child(0)):
        words = mark_words(mark)
        counts = read_counts(words[1])
        runs = read_counts(words[2]) if len(words) > 2 else (1,) * len(counts)
        shapes.add((counts, runs))
        band = mark.child(0)
        if node_kind(band) != "band" or band.band_n_member() != len(counts):
            raise CodegenError("a mark 'threads' needs a band of as many members")
        points = band.band_get_partial_schedule_union_map()
        points = points.intersect_domain(mark.get_domain())
        pieces.append(points.apply_range(_deal(counts, runs)))
    if len(shapes) != 1:
        raise CodegenError("the parts of a kernel share out different blocks")
    ((n_threads, runs),) = shapes
    threads = reduce(lambda a, b: a.union(b), pieces)
    return Meeting(threads, _epochs(tree, grid.get_domain()), n_threads, runs)


def thread_marks(node: isl.ScheduleNode) -> Iterator[isl.ScheduleNode]:
    """The marks ``threads`` below a node, in order.

    Raises
    ------
    CodegenError
        If a leaf has none above it: all threads of a block would run it.
    """
    if mark_words(node)[0] == MARK_THREADS:
        yield node
        return
    if node.n_children() == 0 and not node.get_domain().is_empty():
        raise CodegenError(
            f"every thread of a block would run {node.get_domain().sample_point()}",
            hint="below a mark 'grid' every way down needs a mark 'threads'",
        )
    for k in range(node.n_children()):
        yield from thread_marks(node.child(k))


def _deal(n_threads: Sequence[int], runs: Sequence[int]) -> isl.UnionMap:
    """Points to threads: runs of values are dealt out in turn."""
    n = len(n_threads)
    ins = ", ".join(f"p{k}" for k in range(n))
    outs = ", ".join(f"t{k}" for k in range(n))
    terms = " and ".join(
        f"(floor(p{k}/{run}) - t{k}) mod {count} = 0 and 0 <= t{k} < {count}"
        for k, (count, run) in enumerate(zip(n_threads, runs, strict=True))
    )
    return isl.UnionMap(f"{{ [{ins}] -> [{outs}] : {terms} }}")


def _epochs(tree: ScheduleTree, instances: isl.UnionSet) -> isl.UnionMap:
    """Instances to the values of the bands and sequences around their mark."""
    node = tree.schedule.intersect_domain(instances).get_root()

    def cut(node: isl.ScheduleNode) -> isl.ScheduleNode:
        if mark_words(node)[0] == MARK_THREADS:
            return node.cut()
        for k in range(node.n_children()):
            node = cut(node.child(k)).parent()
        return node

    times = cut(node).get_schedule().get_map()
    return times.intersect_domain(instances)


@dataclass(frozen=True, eq=False)
class ThreadTree:
    """The code of a thread, before and after barriers are put in.

    Attributes
    ----------
    plain, tree : ScheduleTree
        Without and with barriers.
    barriers : tuple of Statement
        One per part that threads share, but those behind which nothing comes.
    orders : isl.UnionMap
        Instances of a block to the barrier behind their epoch.
    """

    plain: ScheduleTree
    tree: ScheduleTree
    barriers: tuple[Statement, ...] = ()
    orders: isl.UnionMap = field(default_factory=lambda: isl.UnionMap("{ }"))

    def with_barriers(self, deps: isl.UnionMap) -> isl.UnionMap:
        """Dependences, and that barriers stand between source and sink.

        An instance runs before the barrier behind it, and that before whatever depends
        on the instance in a later epoch.
        """
        if not self.barriers:
            return deps
        later = deps.apply_domain(self.orders)
        # what depends on it within its own epoch is ahead of the barrier, and its own
        same = self.orders.reverse()
        return deps.union(self.orders).union(later.subtract(same))


def add_barriers(
    block: isl.ScheduleNode, thread: isl.UnionSet, context: isl.Set
) -> ThreadTree:
    """The tree of one thread, from what its block runs.

    Parameters
    ----------
    block : isl.ScheduleNode
        Root of a tree over the block's instances, without bands of tiles and launches.
    thread : isl.UnionSet
        Those that the thread runs.
    context : isl.Set
        Of parameters.
    """
    plain = tree = ScheduleTree(block.get_schedule())
    barriers: list[Statement] = []
    orders = isl.UnionMap("{ }")
    while (mark := _next_threads(plain)) is not None:
        mine = thread.intersect(mark.get_domain())
        # the same place in the tree with barriers, of which marks know nothing
        twin = _next_threads(tree)
        assert twin is not None
        node = twin.delete().insert_filter(mine)
        if not _is_last(mark) and not _goes_on_alone(mark):
            name = f"{BARRIER}{len(barriers)}"
            epochs, times = _block_epochs(mark, context)
            barriers.append(_statement(name, epochs.set_tuple_name(name)))
            barrier = _named(epochs, name)
            node = node.graft_after(isl.ScheduleNode.from_extension(barrier))
            orders = orders.union(times.apply_range(barrier))
        tree = ScheduleTree(node.get_schedule())
        plain = ScheduleTree(mark.delete().insert_filter(mine).get_schedule())
    return ThreadTree(plain, tree, tuple(barriers), orders)


def _next_threads(tree: ScheduleTree) -> isl.ScheduleNode | None:
    """The first mark ``threads`` of a tree."""
    found = (n for _, n in tree.nodes() if mark_words(n)[0] == MARK_THREADS)
    return next(found, None)


def _named(values: isl.Set, name: str) -> isl.UnionMap:
    """Vectors to themselves under a name."""
    same = isl.Map.identity(values.get_space().map_from_set()).intersect_domain(values)
    return isl.UnionMap.from_map(same.set_tuple_name(isl.dim_type.out, name))


def _block_epochs(
    mark: isl.ScheduleNode, context: isl.Set
) -> tuple[isl.Set, isl.UnionMap]:
    """The block's values of the bands around a mark, and instances to them."""
    here = mark.get_domain().intersect_params(context)
    times = mark.get_prefix_schedule_union_map().intersect_domain(here)
    reached = times.range()
    if reached.is_empty():
        return isl.Set("{ [] : false }"), times
    return isl.Set.from_union_set(reached).coalesce(), times


def _is_last(node: isl.ScheduleNode) -> bool:
    """Whether nothing runs behind a node."""
    while node.has_parent():
        parent = node.parent()
        kind = node_kind(parent)
        if kind in ("band", "set"):
            return False
        if kind == "sequence":
            position = node.get_child_position()
            for k in range(position + 1, parent.n_children()):
                if not parent.child(k).get_domain().is_empty():
                    return False
        node = parent
    return True


def _goes_on_alone(mark: isl.ScheduleNode) -> bool:
    """Whether the thread that runs all of a part runs the next one as well."""
    sequence = mark.parent().parent()
    if node_kind(mark.parent()) != "filter" or node_kind(sequence) != "sequence":
        return False
    position = mark.parent().get_child_position() + 1
    if position == sequence.n_children():
        return False
    return _has_one_thread(mark) and _has_one_thread(sequence.child(position).child(0))


def _has_one_thread(part: isl.ScheduleNode) -> bool:
    """Whether the first thread of a block runs a part alone."""
    band = part.child(0) if mark_words(part)[0] == MARK_THREADS else part
    if mark_words(part)[0] != MARK_THREADS or node_kind(band) != "band":
        return False
    values = band.band_get_partial_schedule_union_map().range()
    zeros = ", ".join("0" for _ in range(band.band_n_member()))
    return bool(values.is_subset(isl.UnionSet(f"{{ [{zeros}] }}")))


def _statement(name: str, domain: isl.Set) -> Statement:
    """A barrier as a statement that does nothing."""
    n = int(domain.dim(isl.dim_type.set))
    iterators = tuple(f"e{k}" for k in range(n))
    return Statement(name, iterators, domain, (0,) * (n + 1), (1,) * n, (), ())
