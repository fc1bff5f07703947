"""Private scalars that end up in an array element live there from the start."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import islpy as isl

from polysched.ir import (
    Access,
    Action,
    Array,
    Assign,
    Expr,
    Iter,
    Load,
    Scop,
    Statement,
    action_expressions,
    map_action,
    map_expr,
    walk,
)
from polysched.sets import read_map


def coalesce_scalars(scop: Scop) -> Scop:
    """Let private scalars live in the array element that takes their last value.

    ``w = A[i][j]; for k: w -= ...; A[i][j] = w / d`` becomes ``for k: A[i][j] -= ...;
    A[i][j] = A[i][j] / d``. The scalar ties its loops together, since one iteration
    must be done with it before the next may begin; an element per iteration does not,
    and loops over it may be interchanged, tiled and shared. Results do not change.

    Parameters
    ----------
    scop : Scop
        With private scalars expanded, see `privatize`.

    Returns
    -------
    Scop
        Rewritten for every expanded scalar of which each value is begun by one plain
        assignment, changed by others, and stored by one statement at the same depth
        into an element of the same type that nothing else touches in between.
        Statements that would copy an element to itself are left out.
    """
    for array in scop.arrays:
        if array.is_private and array.is_scalar and array.n_expanded:
            home = _find_home(scop, array)
            if home is not None:
                scop = _move(scop, array, home)
    return scop


@dataclass(frozen=True, eq=False)
class _Home:
    """The statement that begins a value, the one that stores it, and all others."""

    first: Statement
    last: Statement
    users: tuple[Statement, ...]


def _find_home(scop: Scop, scalar: Array) -> _Home | None:
    users = tuple(
        s for s in scop.statements if any(a.array == scalar.name for a in s.accesses)
    )
    depth = scalar.n_expanded
    writers = [s for s in users if _target(s) == scalar.name]
    stores = [s for s in users if s not in writers]
    begins = [s for s in writers if s.n_loops == depth and not _reads(s, scalar.name)]
    if len(stores) != 1 or len(begins) != 1 or any(len(s.body) != 1 for s in users):
        return None
    home = _Home(begins[0], stores[0], users)
    is_sound = (
        _stores_plainly(scop, home, scalar)
        and _begins_every_value(home, depth)
        and not _is_disturbed(scop, home, depth)
    )
    return home if is_sound else None


def _target(statement: Statement) -> str | None:
    """The array that a statement of one unconditional assignment writes."""
    action = statement.body[0] if len(statement.body) == 1 else None
    return action.target.array if isinstance(action, Assign) else None


def _reads(statement: Statement, array: str) -> bool:
    return any(a.array == array for a in statement.reads)


def _stores_plainly(scop: Scop, home: _Home, scalar: Array) -> bool:
    """Whether the last statement sets an element of the scalar's own type."""
    action = home.last.body[0]
    if not isinstance(action, Assign) or action.op != "=":
        return False
    if action.target.is_chosen_by_data:
        return False
    array = scop.array(action.target.array)
    return (
        bool(array.extents)
        and not array.n_expanded
        and array.type == scalar.type
        and home.last.n_loops == scalar.n_expanded
    )


def _begins_every_value(home: _Home, depth: int) -> bool:
    """Whether the first statement runs before all others, whenever the last does."""
    if any(
        s.position[depth] <= home.first.position[depth]
        for s in home.users
        if s is not home.first
    ):
        return False
    begun = _leading(home.first, depth)
    if not begun.is_equal(_leading(home.last, depth)):
        return False
    return all(_leading(s, depth).is_subset(begun) for s in home.users)


def _leading(statement: Statement, depth: int) -> isl.Set:
    """The iterations of the outer loops in which a statement runs, without a name."""
    domain = statement.domain.reset_tuple_id()
    n = domain.dim(isl.dim_type.set)
    return domain.project_out(isl.dim_type.set, depth, n - depth)


def _is_disturbed(scop: Scop, home: _Home, depth: int) -> bool:
    """Whether an iteration of the outer loops touches the element meanwhile.

    Allowed are what the first statement reads before the value begins, the last one's
    store, and whatever runs before or behind these two.
    """
    store = next(a for a in home.last.accesses if a.is_write)
    element = store.relation.reset_tuple_id(isl.dim_type.in_)
    for statement in scop.statements:
        if statement.position[:depth] != home.last.position[:depth]:
            continue
        if not _is_between(statement, home, depth):
            continue
        for access in statement.accesses:
            if access.array != store.array or access is store:
                continue
            if statement is home.first:
                continue
            touched = access.relation.reset_tuple_id(isl.dim_type.in_)
            n = touched.dim(isl.dim_type.in_)
            touched = touched.project_out(isl.dim_type.in_, depth, n - depth)
            if not touched.intersect(element).is_empty():
                return True
    return False


def _is_between(statement: Statement, home: _Home, depth: int) -> bool:
    """Whether it runs while the scalar has a value."""
    place = statement.position[depth]
    return home.first.position[depth] <= place <= home.last.position[depth]


def _move(scop: Scop, scalar: Array, home: _Home) -> Scop:
    """The SCoP in which the element takes the scalar's place."""
    names = {s.name for s in home.users}
    moved = [
        _rewrite(s, scalar, home.last) if s.name in names else s
        for s in scop.statements
    ]
    kept = tuple(s for s in moved if s.name not in names or not _copies_itself(s))
    arrays = tuple(a for a in scop.arrays if a.name != scalar.name)
    return replace(scop, statements=kept, arrays=arrays)


def _copies_itself(statement: Statement) -> bool:
    action = statement.body[0]
    return (
        isinstance(action, Assign)
        and action.op == "="
        and action.value == action.target
    )


def _rewrite(statement: Statement, scalar: Array, last: Statement) -> Statement:
    renamed = dict(zip(last.iterators, statement.iterators, strict=False))
    used = {e.name: e for a in statement.body for e in _iterators(a)}
    action = last.body[0]
    assert isinstance(action, Assign)

    def rename(expr: Expr) -> Expr | None:
        if not isinstance(expr, Iter):
            return None
        name = renamed[expr.name]
        return used.get(name, Iter(name, expr.type))

    element = map_expr(action.target, rename)

    def replace_scalar(expr: Expr) -> Expr | None:
        is_scalar = isinstance(expr, Load) and expr.array == scalar.name
        return element if is_scalar else None

    store = next(a for a in last.accesses if a.is_write)
    return replace(
        statement,
        body=tuple(map_action(a, replace_scalar) for a in statement.body),
        accesses=merge_accesses(
            _rewrite_access(a, store, statement) if a.array == scalar.name else a
            for a in statement.accesses
        ),
    )


def _iterators(action: Action) -> list[Iter]:
    tops = action_expressions(action)
    return [e for top in tops for e in walk(top) if isinstance(e, Iter)]


def _rewrite_access(access: Access, store: Access, statement: Statement) -> Access:
    """An access of the scalar as one of the element that its value is stored to."""
    relation = store.relation
    depth = relation.dim(isl.dim_type.in_)
    outer = ", ".join(statement.iterators[:depth])
    target = relation.get_tuple_name(isl.dim_type.in_)
    names = ", ".join(statement.iterators)
    prefix = read_map(f"{{ {statement.name}[{names}] -> {target}[{outer}] }}")
    moved = prefix.apply_range(relation).intersect_domain(statement.domain)
    return replace(access, array=store.array, relation=moved.coalesce())


def merge_accesses(accesses: Iterable[Access]) -> tuple[Access, ...]:
    """The accesses without those that repeat another one."""
    found: list[Access] = []
    for access in accesses:
        is_known = any(
            (a.array, a.kind) == (access.array, access.kind)
            and a.relation.is_equal(access.relation)
            for a in found
        )
        if not is_known:
            found.append(access)
    return tuple(found)
