"""Elements that exist for certain, so that they may be read ahead of a condition.

In ``x > 0 && m[i + 1] > x`` the second operand is read only where the first holds, and
might lie outside of the array elsewhere. Not so where the SCoP accesses the same
elements in any case, or where the array is known to have them.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

import islpy as isl

from polysched.ir import (
    Array,
    Binary,
    Const,
    Guard,
    Lookup,
    Repeat,
    Scop,
    Select,
    Statement,
    action_expressions,
    inner_actions,
    walk,
)
from polysched.ir.expr import LOGICAL


@lru_cache(maxsize=256)
def certain_arrays(scop: Scop, name: str) -> frozenset[str]:
    """Arrays of which a statement reads only elements that exist for certain.

    Parameters
    ----------
    scop, name : Scop, str
        The statement.

    Returns
    -------
    frozenset of str
        Every element that the statement may read of them is written, or read by a
        statement without conditions, for the same parameters, or lies within an object
        of known size.
    """
    reads: dict[str, list[isl.Map]] = {}
    for access in scop.statement(name).reads:
        reads.setdefault(access.array, []).append(access.relation)
    looked_up = {
        e.array
        for action in scop.statement(name).body
        for top in action_expressions(action)
        for e in walk(top)
        if isinstance(e, Lookup)
    }
    return frozenset(
        array
        for array, relations in reads.items()
        if array not in looked_up and _all_exist(scop, array, relations)
    )


def _all_exist(scop: Scop, array: str, relations: list[isl.Map]) -> bool:
    found = _existing(scop, array)
    context = scop.context.params()
    return found is not None and all(
        r.range().intersect_params(context).is_subset(found) for r in relations
    )


@lru_cache(maxsize=256)
def _existing(scop: Scop, array: str) -> isl.Set | None:
    """Elements that are accessed in any case; None if there are no such."""
    every = [_declared(scop.array(array), access) for access in _accesses(scop, array)]
    every += [access.range() for access in _certain_accesses(scop, array)]
    known = [s for s in every if s is not None]
    result = known[0] if known else None
    for one in known[1:]:
        assert result is not None
        result = result.union(one)
    return None if result is None else result.coalesce()


def _accesses(scop: Scop, array: str) -> Iterator[isl.Map]:
    """One access of an array, for its space."""
    for statement in scop.statements:
        for access in statement.accesses:
            if access.array == array:
                yield access.relation
                return


def _certain_accesses(scop: Scop, array: str) -> Iterator[isl.Map]:
    for statement in scop.statements:
        asks = _asks(statement)
        for access in statement.accesses:
            is_certain = access.kind == "must_write" or (
                access.kind == "read" and not asks
            )
            if access.array == array and is_certain:
                yield access.relation


def _asks(statement: Statement) -> bool:
    """Whether some of what a statement reads is read under a condition."""
    todo = list(statement.body)
    while todo:
        action = todo.pop()
        if isinstance(action, (Guard, Repeat)):
            return True
        todo += inner_actions(action)
    return any(
        isinstance(e, (Select, Lookup)) or (isinstance(e, Binary) and e.op in LOGICAL)
        for action in statement.body
        for top in action_expressions(action)
        for e in walk(top)
    )


def _declared(array: Array, relation: isl.Map) -> isl.Set | None:
    """All elements of an object whose size is known, as of what is passed by value."""
    is_object = array.storage in {"global", "static", "local"} or not array.extents
    if not is_object or array.n_expanded:
        return None
    sizes = [e.value for e in array.extents if isinstance(e, Const)]
    if len(sizes) != len(array.extents):
        return None
    box = isl.Set.universe(relation.range().get_space())
    for k, size in enumerate(sizes):
        box = box.lower_bound_val(isl.dim_type.set, k, isl.Val(0))
        box = box.upper_bound_val(isl.dim_type.set, k, isl.Val(int(size) - 1))
    return box
