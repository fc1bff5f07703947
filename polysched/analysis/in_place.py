"""Statements that update an array in place, and read it where they change it later."""

from __future__ import annotations

from dataclasses import dataclass

import islpy as isl

from polysched.analysis.operands import load_relations
from polysched.base import AnalysisError
from polysched.ir import (
    Array,
    Assign,
    Const,
    Guard,
    Iter,
    Load,
    Param,
    Scop,
    Select,
    Statement,
    promote,
    walk,
    walk_evaluated,
)

MIN_LOOPS = 3  # around an update: with two, copies are as many as updates


@dataclass(frozen=True, eq=False)
class Read:
    """An element of the array that is not the updated one.

    Attributes
    ----------
    load : Load
        As the body has it.
    relation : isl.Map
        Instances to the element.
    index : tuple of int
        The statement's iterators that choose it, besides the outermost.
    """

    load: Load
    relation: isl.Map
    index: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Update:
    """A statement that changes one element, and what it reads of the array besides."""

    statement: Statement
    action: Assign
    write: isl.Map
    reads: tuple[Read, ...]


def find_update(scop: Scop, s: Statement) -> Update | None:
    """What a statement updates and reads, None where it is no such update."""
    is_alone = sum(o.position[0] == s.position[0] for o in scop.statements) == 1
    action = _as_assignment(s)
    if not is_alone or s.n_loops < MIN_LOOPS or action is None:
        return None
    name = action.target.array
    array = scop.array(name)
    if array.is_scalar or array.n_expanded or name in scop.looked_up:
        return None
    found = _relations(scop, s, action)
    write = found.pop(action.target, None)
    if write is None or any(r.is_equal(write) for r in found.values()):
        return None
    reads = []
    for load, relation in found.items():
        index = _index(s, load)
        is_there = load in walk_evaluated(action.value) or _is_inside(array, relation)
        if index is None or not is_there:
            return None
        reads.append(Read(load, relation, index))
    own = action.op != "=" or action.target in walk(action.value)
    update = Update(s, action, write, tuple(reads))
    return update if own and reads and _is_in_place(update) else None


def _as_assignment(s: Statement) -> Assign | None:
    """What a statement does as one assignment; None where it is none.

    Under a condition that reads the element it is one that may leave it as it is.
    """
    match s.body:
        case (Assign() as action,):
            return action
        case (Guard(cond, (Assign(target, "=", value),), ()),):
            is_read = target in walk_evaluated(cond)
            if is_read and value.dtype == promote(target.type):
                return Assign(target, "=", Select(cond, value, target))
    return None


def _is_inside(array: Array, relation: isl.Map) -> bool:
    """Whether only elements are meant that the array is known to have."""
    sizes = []
    for extent in array.extents:
        match extent:
            case Const(int(value), _, _):
                sizes.append(str(value))
            case Param(name, _):
                sizes.append(name)
            case _:
                return False
    params = ", ".join(sorted({size for size in sizes if not size.isdigit()}))
    names = [f"d{k}" for k in range(len(sizes))]
    inside = " and ".join(
        f"0 <= {name} < {size}" for name, size in zip(names, sizes, strict=True)
    )
    box = f"[{params}] -> {{ {array.name}[{', '.join(names)}] : {inside} }}"
    return bool(relation.range().is_subset(isl.Set(box)))


def _relations(scop: Scop, s: Statement, action: Assign) -> dict[Load, isl.Map]:
    """What an assignment touches of its target's array; empty where that is unknown."""
    try:
        return {
            load: relation.intersect_domain(s.domain)
            for top in (action.target, action.value)
            for load, relation in load_relations(scop, top, s.iterators, s.name)
            if load.array == action.target.array
        }
    except AnalysisError:
        return {}


def _index(s: Statement, load: Load) -> tuple[int, ...] | None:
    """Positions of the iterators that choose an element, less the outermost.

    None where that is not among them, or all of them are.
    """
    used = {e.name for e in walk(load) if isinstance(e, Iter)}
    found = [k for k, name in enumerate(s.iterators) if name in used]
    if found[:1] != [0] or len(found) == s.n_loops:
        return None
    return tuple(found[1:])


def _is_in_place(update: Update) -> bool:
    """Whether an iteration writes no element twice, and later ones what it has read."""
    turn = outermost(update.statement)
    written = update.write.range_product(turn)
    if not written.is_injective():
        return False
    later = turn.lex_lt_map(turn)
    return any(
        not r.relation.apply_range(update.write.reverse()).intersect(later).is_empty()
        for r in update.reads
    )


def outermost(s: Statement) -> isl.Map:
    """Instances to the turns of their outermost loop, counted as it runs."""
    sign = "-" if s.directions[0] < 0 else ""
    names = ", ".join(s.iterators)
    return isl.Map(f"{{ {s.name}[{names}] -> [{sign}{s.iterators[0]}] }}")
