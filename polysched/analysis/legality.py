"""Is a schedule legal, which loops are parallel: decided by isl, with witnesses."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import islpy as isl

from polysched.analysis.atomics import leave_to_atomics
from polysched.analysis.carried import (
    active_dependences,
    equal_at,
    loop_is_parallel,
    member_distances,
)
from polysched.analysis.dependences import Dependence, Dependences
from polysched.analysis.ordered import leave_in_order
from polysched.analysis.overlapped import find_unstored
from polysched.analysis.reordering import find_accumulation
from polysched.analysis.rolled import find_lost
from polysched.analysis.squares import find_torn
from polysched.analysis.sums import find_outsider, leave_to_copies
from polysched.base import IllegalScheduleError, check_time
from polysched.ir import (
    MARK_ACCUMULATE,
    MARK_GRID,
    MARK_OVERLAP,
    MARK_PARALLEL,
    MARK_REGISTERS,
    MARK_ROLL,
    MARK_SQUARES,
    MARK_STAGE,
    MARK_THREADS,
    MARK_VECTOR,
    ScheduleTree,
    Scop,
    adds_terms_in_turn,
    atomic_sums,
    copied_sums,
    is_ordered,
    partial_sums,
)
from polysched.ir.types import FLOAT
from polysched.sets import (
    describe_pair,
    list_maps,
    list_sets,
    node_kind,
    union_of_maps,
)


@dataclass(frozen=True, eq=False)
class Violation:
    """A dependence that a schedule does not respect, with one pair that shows it.

    Attributes
    ----------
    dependence : Dependence
        The violated one.
    source, sink : str
        Instances, ``S0[i = 1, j = 0]``; the source must run first and does not.
    lines : tuple of int
        Of the two statements in the source text; empty where they are not known.
    element : str
        Array element that both touch, ``A[1][0]``.
    parameters : str
        Parameter values of the witness, ``n = 2``; empty without parameters.
    reason : str
        What the schedule does with the pair.
    """

    dependence: Dependence
    source: str
    sink: str
    element: str
    parameters: str
    reason: str
    lines: tuple[int, ...] = ()

    @property
    def order(self) -> str:
        """What must run first: ``S1[i = 0] must run before S0[i = 1] (line 4)``."""
        told = f"{self.source} must run before {self.sink}"
        numbers = [str(line) for line in dict.fromkeys(self.lines)]
        if not numbers:
            return told
        return f"{told} (line{'s' * (len(numbers) > 1)} {' and '.join(numbers)})"

    def __str__(self) -> str:
        at = f" ({self.parameters})" if self.parameters else ""
        return (
            f"{self.dependence} violated: {self.order}, "
            f"both touch {self.element}{at}; {self.reason}"
        )


def find_violation(
    tree: ScheduleTree, dependences: Dependences, scop: Scop | None = None
) -> Violation | None:
    """The first violated dependence of a schedule tree, or None when it is legal.

    Checks the order of the final tree, and that loops marked parallel or vector, and
    the lanes of register tiles, carry no dependence. The test is exact: isl decides
    emptiness over the integers.

    Parameters
    ----------
    tree : ScheduleTree
        Any tree over the SCoP's instances, tiled or not.
    dependences : Dependences
        Of the SCoP in its original order.
    scop : Scop, optional
        Lets the witness name lines and the array element; the dependences' by default.
    """
    scop = scop or dependences.scop
    schedule = tree.map
    suspects = dependences.items
    if _not_in_order(dependences.validity, schedule) is None:
        suspects = ()
    for dependence in suspects:
        if not dependence.orders:
            continue
        bad = _not_in_order(isl.UnionMap.from_map(dependence.relation), schedule)
        if bad is not None:
            reason = "the schedule runs it no earlier"
            return describe_violation(dependence, bad, scop, reason)
    for _, node in tree.nodes():
        for found, reason in _broken_by_mark(node, dependences):
            if found is not None:
                dependence, bad = found
                return describe_violation(dependence, bad, scop, reason)
    return None


_Broken = tuple[Dependence, isl.Map] | None


def _broken_by_mark(
    node: isl.ScheduleNode, dependences: Dependences
) -> Iterator[tuple[_Broken, str]]:
    """Dependences that a mark leaves unordered, and why; None where there is none."""
    mark = _mark_name(node)
    if mark == MARK_STAGE:
        reason = "tensor cores leave the order of terms open"
        if _is_for_tensor_cores(node):
            yield _reordered_terms(node, dependences), reason
        yield _rounded_terms(node, dependences), "tensor cores round factors of floats"
    if mark == MARK_REGISTERS and adds_terms_in_turn(_whole_mark(node)):
        yield _reordered_terms(node, dependences), "terms of an update come in turn"
    if mark == MARK_SQUARES:
        reason = "squares run statements, and rows or columns, one by one"
        yield find_torn(node, dependences), reason
    if mark == MARK_ROLL:
        reason = "the rolling loop does not store it"
        yield find_lost(node, dependences), reason
    if mark == MARK_OVERLAP:
        reason = "a launch of overlapped tiles stores its last sweep alone"
        yield find_unstored(node, dependences), reason
    if mark in (MARK_PARALLEL, MARK_GRID, MARK_THREADS):
        found = _hidden_by_copies(node, dependences)
        if found is not None:
            is_atomic = bool(atomic_sums(_whole_mark(node)))
            how = "updates all of" if is_atomic else "adds to a copy of"
            yield found, f"each thread {how} {found[0].array}"
    if mark in _OPEN_MARKS and node_kind(node.child(0)) == "band":
        reason = f"the {mark} loop leaves their order open"
        yield _carried_by_mark(node, node.child(0), dependences), reason


def _is_for_tensor_cores(node: isl.ScheduleNode) -> bool:
    return "tensor" in _whole_mark(node).split(":")


def _reordered_terms(
    node: isl.ScheduleNode, dependences: Dependences
) -> tuple[Dependence, isl.Map] | None:
    """Terms that a mark adds in an order of its own, and must not."""
    free = {r.statement for r in dependences.reductions}
    for instances in list_sets(node.get_domain()):
        name = instances.get_tuple_name()
        if name in free:
            continue
        for d in dependences.items:
            if d.orders and d.source == d.sink == name:
                return d, d.relation
    return None


def _rounded_terms(
    node: isl.ScheduleNode, dependences: Dependences
) -> tuple[Dependence, isl.Map] | None:
    """Terms whose factors tensor cores round to 10 bits of mantissa, and must not.

    Factors of two bytes they take as they are.
    """
    if not _is_for_tensor_cores(node) or dependences.may_round:
        return None
    here = {s.get_tuple_name() for s in list_sets(node.get_domain())}
    floats = {
        r.statement
        for r in dependences.reductions
        if r.target.type == FLOAT and r.halves is None
    }
    for d in dependences.items:
        if d.orders and d.source == d.sink and d.source in here & floats:
            return d, d.relation
    return None


def _own_sums(node: isl.ScheduleNode) -> tuple[str, ...]:
    """The arrays of whose sums a mark gives threads parts of their own."""
    mark = _whole_mark(node)
    return copied_sums(mark) or partial_sums(mark) or atomic_sums(mark)


def _leave_to_parts(
    node: isl.ScheduleNode, below: isl.ScheduleNode, dependences: Dependences
) -> Dependences:
    """The dependences without those between terms that a mark gives threads."""
    mark, arrays = _whole_mark(node), _own_sums(node)
    if atomic_sums(mark):
        return leave_to_atomics(below, arrays, dependences)
    is_device = bool(partial_sums(mark))
    return leave_to_copies(below, arrays, dependences, on_device=is_device)


def _hidden_by_copies(
    node: isl.ScheduleNode, dependences: Dependences
) -> tuple[Dependence, isl.Map] | None:
    """A dependence that needs in an array what threads have in copies of it."""
    arrays = _own_sums(node)
    if not arrays:
        return None
    below = node.child(0)
    while node_kind(below) == "mark":
        below = below.child(0)
    return find_outsider(below, arrays, _leave_to_parts(node, below, dependences))


def _carried_by_mark(
    node: isl.ScheduleNode, band: isl.ScheduleNode, dependences: Dependences
) -> tuple[Dependence, isl.Map] | None:
    """A dependence carried by a member of a band that its mark leaves unordered."""
    mark, last = _mark_name(node), band.band_n_member() - 1
    arrays = _own_sums(node)
    if arrays:
        dependences = _leave_to_parts(node, band, dependences)
    if is_ordered(_whole_mark(node)):
        dependences = leave_in_order(node, dependences)
    if mark == MARK_ACCUMULATE and find_accumulation(band, last, dependences):
        return None
    members = [0] if mark == MARK_PARALLEL else [last]
    if mark in (MARK_GRID, MARK_THREADS):
        members = list(range(last + 1))
    found = (_carried_by_marked_loop(band, m, dependences) for m in members)
    return next((f for f in found if f is not None), None)


def check_legal(
    tree: ScheduleTree, dependences: Dependences, scop: Scop | None = None
) -> None:
    """Raise `IllegalScheduleError` with a witness unless the tree is legal."""
    violation = find_violation(tree, dependences, scop)
    if violation is not None:
        raise IllegalScheduleError(str(violation))


def set_band_flags(tree: ScheduleTree, dependences: Dependences) -> ScheduleTree:
    """The same tree with exact `permutable` and `coincident` flags on every band.

    A band is permutable when every dependence not carried outside it has non-negative
    distance along each member; a member is coincident when that distance is zero.
    """
    for path, node in tree.bands():
        active = active_dependences(node, dependences.validity)
        n_members = node.band_n_member()
        deltas = [member_distances(node, m, active) for m in range(n_members)]
        changed = tree.node(path)
        permutable = all(d.is_subset(_AT_LEAST_ZERO) for d in deltas)
        changed = changed.band_set_permutable(int(permutable))
        for m, delta in enumerate(deltas):
            changed = changed.band_member_set_coincident(m, int(delta.is_subset(_ZERO)))
        tree = ScheduleTree(changed.get_schedule())
    return tree


# order within left open
_OPEN_MARKS = (
    MARK_PARALLEL, MARK_VECTOR, MARK_REGISTERS, MARK_ACCUMULATE, MARK_GRID,
    MARK_THREADS,
)  # fmt: skip
_ZERO = isl.Set("{ [0] }")
_AT_LEAST_ZERO = isl.Set("{ [d] : d >= 0 }")


def _mark_name(node: isl.ScheduleNode) -> str:
    if node_kind(node) != "mark":
        return ""
    return _whole_mark(node).split(":", maxsplit=1)[0]


def _whole_mark(node: isl.ScheduleNode) -> str:
    return str(node.mark_get_id().get_name())


def _not_in_order(pairs: isl.UnionMap, schedule: isl.UnionMap) -> isl.Map | None:
    """Some of the pairs whose sink does not run strictly later, or None."""
    # relation by relation: one call for all may take seconds, and cannot be stopped
    for relation in list_maps(pairs):
        check_time()
        some = isl.UnionMap.from_map(relation)
        moved = some.apply_domain(schedule).apply_range(schedule)
        wrong = isl.UnionMap("{ }")
        for m in list_maps(moved):
            later = m.intersect(isl.Map.lex_ge(m.get_space().domain()))
            wrong = wrong.union(isl.UnionMap.from_map(later))
        if not wrong.is_empty():
            back = schedule.reverse()
            guilty = wrong.apply_domain(back).apply_range(back).intersect(some)
            return list_maps(guilty)[0]
    domain = schedule.domain()
    missing = pairs.subtract_domain(domain).union(pairs.subtract_range(domain))
    return None if missing.is_empty() else list_maps(missing)[0]


def _carried_by_marked_loop(
    band: isl.ScheduleNode, member: int, dependences: Dependences
) -> tuple[Dependence, isl.Map] | None:
    """A dependence carried by the marked member of a band, with the carried pairs."""
    if loop_is_parallel(band, member, dependences.validity):
        return None
    for dependence in dependences.items:
        if not dependence.orders:
            continue
        pairs = union_of_maps([dependence.relation])
        if loop_is_parallel(band, member, pairs):
            continue
        active = active_dependences(band, pairs)
        partial = band.band_get_partial_schedule()
        for outer in range(member):
            active = equal_at(active, partial.get_union_pw_aff(outer))
        marked = partial.get_union_pw_aff(member)
        carried = active.subtract(equal_at(active, marked))
        return dependence, list_maps(carried)[0]
    return None


def describe_violation(
    dependence: Dependence, bad: isl.Map, scop: Scop | None, reason: str
) -> Violation:
    """One pair of `bad`, a part of the dependence, in words."""
    pair = bad.sample()
    source, sink, parameters = describe_pair(pair)
    element = dependence.array
    lines: tuple[int, ...] = ()
    if scop is not None:
        element = _shared_element(dependence, pair, scop)
        places = [scop.statement(s).where for s in (dependence.source, dependence.sink)]
        lines = tuple(w.line for w in places if w is not None)
    return Violation(dependence, source, sink, element, parameters, reason, lines)


def _shared_element(dependence: Dependence, pair: isl.BasicMap, scop: Scop) -> str:
    """The array element that one instance of a pair writes and the other touches."""
    pair_map = isl.Map.from_basic_map(pair)
    touched = []
    for name, side, writes in (
        (dependence.source, pair_map.domain(), dependence.kind in ("flow", "output")),
        (dependence.sink, pair_map.range(), dependence.kind in ("anti", "output")),
    ):
        elements = [
            side.apply(a.relation)
            for a in scop.statement(name).accesses
            if a.array == dependence.array and a.is_write == writes
        ]
        total = elements[0]
        for e in elements[1:]:
            total = total.union(e)
        touched.append(total)
    common = touched[0].intersect(touched[1])
    if common.is_empty():
        return dependence.array
    point = common.sample_point()
    space = common.get_space()
    subscripts = "".join(
        f"[{point.get_coordinate_val(isl.dim_type.set, k)}]"
        for k in range(space.dim(isl.dim_type.set))
    )
    return f"{dependence.array}{subscripts}"
