"""Work arrays that somebody may read behind the region: private, and copied at the end.

A row that every iteration of a loop fills and uses anew makes iterations wait for each
other, and would be private but for one thing: the caller handed it in, and finds in it
what the last iteration left. So iterations get rows of their own, and the last one
copies its row into the caller's::

    for k:                          for k:
      for i: acc[i] = A[k][i]         for i: own[i] = A[k][i]
      for i: s[k] += acc[i]    →      for i: s[k] += own[i]
                                      for i, if k is the last: acc[i] = own[i]

Array expansion with the values that the program reads later taken from it [1]_.

References
----------
.. [1] Feautrier, "Array expansion", ICS 1988.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from typing import TypeVar

import islpy as isl

from polysched.analysis.liveness import value_flow
from polysched.analysis.privatize import (
    common_depth,
    connected,
    flow_through,
    is_small,
    kept_subscripts,
    names_in_use,
)
from polysched.ir import (
    Access,
    Array,
    Assign,
    Binary,
    Const,
    Expr,
    Guard,
    Iter,
    Load,
    Param,
    Scop,
    Statement,
    Unary,
    map_action,
    map_expr,
    original_tree,
)
from polysched.ir.types import INT
from polysched.sets import list_basic_sets, list_maps, map_names, read_map, read_set

_Relation = TypeVar("_Relation", isl.Map, isl.Set)
MAX_STATEMENTS = 40  # of a program in which anything is looked for


@dataclass(frozen=True, eq=False)
class _Work:
    """A work array, and the nest whose last iteration leaves what is in it.

    Attributes
    ----------
    array : Array
        The user's.
    depth : int
        Loops around the nest in whose iterations it is filled and used.
    member : Statement
        One of the nest.
    iterations : isl.Set
        Of these loops.
    last : tuple of Expr
        The iterators in the last one.
    left : isl.Map
        From the last iteration to the elements that it leaves.
    """

    array: Array
    depth: int
    member: Statement
    iterations: isl.Set
    last: tuple[Expr, ...]
    left: isl.Map


def copy_last_values(scop: Scop) -> tuple[Scop, frozenset[str]]:
    """Private arrays in place of work arrays, with a copy of what the last ones hold.

    That is done where the loop around may then run in parallel, as far as values tell:
    each iteration uses what it wrote itself, of every array. Every element that the
    region writes is written by the last iteration for certain, and by nothing later.

    Tables that nobody reads behind the region, but that are too large for a stack, are
    private in the same way, without a copy.

    Parameters
    ----------
    scop : Scop
        With liveness inferred, see `infer_liveness`.

    Returns
    -------
    (Scop, frozenset of str)
        With a statement for each copy, and the names of the private arrays.
    """
    if len(scop.statements) > MAX_STATEMENTS:
        return scop, frozenset()
    candidates = [a for a in scop.arrays if _may_be_work(scop, a)]
    tables = [a for a in scop.arrays if _is_table(scop, a)]
    if not candidates and not tables:
        return scop, frozenset()
    flow = value_flow(scop)
    order = original_tree(scop).map
    own: set[str] = set()
    for array in tables:
        if _is_worth_apart(scop, array, flow.pairs):
            of_its_own = replace(array, is_work=True)
            arrays = (of_its_own if a is array else a for a in scop.arrays)
            scop = replace(scop, arrays=tuple(arrays))
            own.add(array.name)
    for array in candidates:
        usual = _sizes_without_values_from_outside(scop, array, flow.exposed)
        if usual is None:
            continue
        there = _assuming(scop, usual)
        work = _find_work(there, array, flow.pairs, order)
        if work is not None:
            scop, name = _with_copy(there, work)
            own.add(name)
    return scop, frozenset(own)


def _is_table(scop: Scop, array: Array) -> bool:
    """Whether an array is private, but too large for a stack."""
    is_large = array.extents and not is_small(array, range(len(array.extents)))
    return array.is_private and bool(is_large) and _is_plain(scop, array)


def _is_worth_apart(scop: Scop, array: Array, values: isl.UnionMap) -> bool:
    """Whether loops around all uses of an array would be parallel without it."""
    flow = flow_through(scop, array.name, values)
    users = [
        s for s in scop.statements if any(a.array == array.name for a in s.accesses)
    ]
    groups = connected([s.name for s in users], [map_names(m) for m in flow])
    for group in groups:
        depth = common_depth(scop, array, group, flow)
        members = [s for s in users if s.name in group]
        around = members[0].position[:depth]
        nest = [s.name for s in scop.statements if s.position[:depth] == around]
        if not depth or _is_carried(nest, values, depth):
            return False
        if is_small(array, kept_subscripts(scop, array, group, depth)):
            return False  # private anyhow
    return bool(groups)


def _may_be_work(scop: Scop, array: Array) -> bool:
    """Whether an array is written and read, and read behind the region."""
    if not array.live_out or array.storage == "scop":
        return False
    return _is_plain(scop, array)


def _is_plain(scop: Scop, array: Array) -> bool:
    """Whether each iteration may have one: every access names one element of it."""
    if array.n_expanded or array.in_rows:
        return False
    if array.live_in and not scop.parameters:  # read first, for no sizes otherwise
        return False
    if array.name in scop.looked_up or any(
        a.relation.dim(isl.dim_type.out) != array.n_dim
        for _, a in scop.iter_accesses()
        if a.array == array.name
    ):
        return False
    kinds = {a.kind for _, a in scop.iter_accesses() if a.array == array.name}
    return "read" in kinds and "must_write" in kinds


def _sizes_without_values_from_outside(
    scop: Scop, array: Array, exposed: isl.UnionMap
) -> isl.Set | None:
    """Where no value of an array comes from in front of the region, as sizes.

    A last element that is read, ``row[n]``, comes from there if nothing was written, as
    n is below zero. None where values come from there also for sizes above zero.
    """
    found = scop.context.params()
    for relation in list_maps(exposed):
        if map_names(relation)[1] == array.name:
            found = found.subtract(relation.params())
    names = ", ".join(p.name for p in scop.parameters)
    above = " and ".join(f"{p.name} > 0" for p in scop.parameters)
    usual = read_set(f"[{names}] -> {{ : {above or 'true'} }}")
    usual = usual.intersect(_known(scop))
    if not usual.is_subset(found):
        return None
    convex = (isl.Set.from_basic_set(b) for b in list_basic_sets(found.coalesce()))
    return next((c for c in convex if usual.is_subset(c)), found)


def _assuming(scop: Scop, usual: isl.Set) -> Scop:
    """The SCoP, whose generated code runs the original text for other sizes."""
    if scop.context.intersect(scop.assumptions).params().is_subset(usual):
        return scop
    return replace(scop, assumptions=scop.assumptions.intersect_params(usual))


def _known(scop: Scop) -> isl.Set:
    """Sizes for which generated code runs at all."""
    return scop.context.params().intersect(scop.assumptions.params())


def _find_work(
    scop: Scop, array: Array, values: isl.UnionMap, order: isl.UnionMap
) -> _Work | None:
    """The work that the innermost loops do that can, of those around the last use."""
    users = [
        s for s in scop.statements if any(a.array == array.name for a in s.accesses)
    ]
    last = max(users, key=lambda s: s.position)
    pairs = [set(map_names(m)) for m in flow_through(scop, array.name, values)]
    for depth in range(last.n_loops, 0, -1):
        around = last.position[:depth]
        members = [s for s in users if s.position[:depth] == around]
        names = {s.name for s in members}
        if any(len(names & pair) == 1 < len(pair) for pair in pairs):
            continue  # to or from another nest
        work = _find_work_in(scop, array, users, members, depth, values, order)
        if work is not None:
            return work
    return None


def _find_work_in(
    scop: Scop,
    array: Array,
    users: Sequence[Statement],
    members: Sequence[Statement],
    depth: int,
    values: isl.UnionMap,
    order: isl.UnionMap,
) -> _Work | None:
    """The work of the users that so many loops are around, if it is one."""
    if any(d < 0 for d in members[0].directions[:depth]):
        return None
    around = members[0].position[:depth]
    nest = [s for s in scop.statements if s.position[:depth] == around]
    if _is_carried([s.name for s in nest], values, depth):
        return None
    written = {
        s.name: _union(a.relation.intersect_domain(s.domain) for a in _writes(s, array))
        for s in users
        if _writes(s, array)
    }
    if not all(a.kind == "must_write" for s in members for a in _writes(s, array)):
        return None
    here = _union(
        _prefix(written[s.name], depth) for s in members if s.name in written
    ).intersect_params(_known(scop))
    if _beside_outer(here, depth - 1).is_injective():  # each has its part already
        return None
    prefixes = _union(_first(s.domain, depth) for s in nest)
    at_last = _numbers(prefixes.intersect_params(_known(scop)).lexmax())
    if at_last is None:
        return None
    left = here.intersect_domain(prefixes.lexmax())
    names = {s.name for s in members}
    if not _is_left(written, left, depth, names, order, scop):
        return None
    return _Work(array, depth, members[0], prefixes, at_last, left.coalesce())


def _is_carried(names: Sequence[str], values: isl.UnionMap, depth: int) -> bool:
    """Whether values go from one iteration of the last of some loops to another."""
    for pairs in list_maps(values):
        if not set(map_names(pairs)) <= set(names):
            continue
        for k in range(depth - 1):
            pairs = pairs.equate(isl.dim_type.in_, k, isl.dim_type.out, k)
        same = pairs.equate(isl.dim_type.in_, depth - 1, isl.dim_type.out, depth - 1)
        if not pairs.is_subset(same):
            return True
    return False


def _is_left(
    written: dict[str, isl.Map], left: isl.Map, depth: int, members: set[str],
    order: isl.UnionMap, scop: Scop,
) -> bool:  # fmt: skip
    """Whether the last writes of all elements are those of the last iteration."""
    times = {map_names(m)[0]: m for m in list_maps(order)}

    def moments(name: str, relation: isl.Map) -> isl.Map:
        found = relation.reverse().apply_range(times[name])
        return found.intersect_params(_known(scop)).reset_tuple_id(isl.dim_type.out)

    every = [moments(name, relation) for name, relation in written.items()]
    last = left.domain()
    of_last = []
    for name, relation in written.items():
        if name in members:
            n = relation.dim(isl.dim_type.in_)
            inside = last.add_dims(isl.dim_type.set, n - depth)
            inside = inside.set_tuple_id(relation.get_tuple_id(isl.dim_type.in_))
            of_last.append(moments(name, relation.intersect_domain(inside)))
    return bool(_union(every).lexmax().is_equal(_union(of_last).lexmax()))


def _with_copy(scop: Scop, work: _Work) -> tuple[Scop, str]:
    """The SCoP with a private array in the place of a work array, and its name."""
    array = work.array
    taken = names_in_use(scop)
    name = next(n for n in _candidates(f"{array.name}_own") if n not in taken)
    own = Array(
        name,
        array.type,
        (None,) * array.n_dim,
        "scop",
        live_in=False,
        live_out=False,
        is_work=True,
    )
    statements = [_renamed(s, array.name, name) for s in scop.statements]
    statements.append(_copy_of(scop, work, name, taken))
    arrays = (*scop.arrays, own)
    return replace(scop, statements=tuple(statements), arrays=arrays), name


def _copy_of(scop: Scop, work: _Work, own: str, taken: set[str]) -> Statement:
    """The statement that copies what the last iteration leaves."""
    array, n = work.array, work.array.n_dim
    number = 1 + max(int(s.name[1:]) for s in scop.statements)
    outer, around = work.member.iterators[: work.depth], work.member.position
    around = around[: work.depth]
    nest = (s for s in scop.statements if s.position[: work.depth] == around)
    place = 1 + max(s.position[work.depth] for s in nest)
    free = (e for e in _candidates("at") if e not in taken)
    inner = tuple(next(free) for _ in range(n))
    instance = f"S{number}"
    every = isl.Map.from_domain_and_range(work.iterations, work.left.range())
    domain = every.wrap().flatten().set_tuple_name(instance)
    for k, iterator in enumerate((*outer, *inner)):
        domain = domain.set_dim_name(isl.dim_type.set, k, iterator)
    at_last = work.left.wrap().flatten().set_tuple_name(instance)
    names = f"{instance}[{', '.join((*outer, *inner))}]"

    def touched(name: str) -> isl.Map:
        relation = read_map(f"{{ {names} -> {name}[{', '.join(inner)}] }}")
        return relation.intersect_domain(at_last.intersect(domain))

    subscripts: tuple[Expr, ...] = tuple(map(Iter, inner))
    target, value = (Load(a, subscripts, array.type) for a in (array.name, own))
    is_last = reduce(
        lambda a, b: Binary("&&", a, b),
        (Binary("==", Iter(i), e) for i, e in zip(outer, work.last, strict=True)),
    )
    places = "".join(f"[{e}]" for e in inner)
    return Statement(
        instance,
        (*outer, *inner),
        domain,
        (*around, place, *(0 for _ in inner)),
        (*work.member.directions[: work.depth], *(1 for _ in inner)),
        (Guard(is_last, (Assign(target, "=", value),), ()),),
        (
            Access(own, "read", touched(own)),
            Access(array.name, "must_write", touched(array.name)),
        ),
        work.member.where,
        f"{array.source_name}{places} = what the last iteration left there",
    )


def _renamed(statement: Statement, old: str, new: str) -> Statement:
    """A statement that uses another array."""
    if all(a.array != old for a in statement.accesses):
        return statement

    def change(expr: Expr) -> Expr | None:
        if not isinstance(expr, Load) or expr.array != old:
            return None
        inner = tuple(map_expr(e, change) for e in expr.subscripts)
        return Load(new, inner, expr.type)

    accesses = tuple(
        replace(a, array=new, relation=a.relation.set_tuple_name(isl.dim_type.out, new))
        if a.array == old
        else a
        for a in statement.accesses
    )
    body = tuple(map_action(action, change) for action in statement.body)
    return replace(statement, body=body, accesses=accesses)


def _numbers(point: isl.Set) -> tuple[Expr, ...] | None:
    """The coordinates of one point as sums of parameters; None if they are no such."""
    found = []
    for k in range(point.dim(isl.dim_type.set)):
        value = isl.PwMultiAff.from_set(point).get_pw_aff(k).coalesce()
        if value.n_piece() != 1:
            return None
        ((_, aff),) = value.get_pieces()
        if aff.dim(isl.dim_type.div) or aff.get_denominator_val().to_python() != 1:
            return None
        found.append(_sum(aff))
    return tuple(found)


def _sum(aff: isl.Aff) -> Expr:
    """An affine function of parameters, with whole coefficients."""
    total: Expr | None = None
    for k in range(aff.dim(isl.dim_type.param)):
        factor = aff.get_coefficient_val(isl.dim_type.param, k).to_python()
        if factor:
            term: Expr = Param(str(aff.get_dim_name(isl.dim_type.param, k)))
            if abs(factor) != 1:
                term = Binary("*", _number(abs(factor)), term)
            if total is None:
                total = term if factor > 0 else Unary("-", term)
            else:
                total = Binary("+" if factor > 0 else "-", total, term)
    constant = aff.get_constant_val().to_python()
    if total is None:
        return _number(constant)
    if constant:
        total = Binary("+" if constant > 0 else "-", total, _number(abs(constant)))
    return total


def _number(value: int) -> Expr:
    if value < 0:
        return Unary("-", _number(-value))
    return Const(value, INT, str(value))


def _writes(statement: Statement, array: Array) -> list[Access]:
    return [a for a in statement.writes if a.array == array.name]


def _beside_outer(relation: isl.Map, count: int) -> isl.Map:
    """Iterations to the first so many of their loops' values and the elements."""
    outer = isl.Map.identity(relation.domain().get_space().map_from_set())
    rest = outer.dim(isl.dim_type.out) - count
    outer = outer.project_out(isl.dim_type.out, count, rest)
    return outer.flat_range_product(relation.reset_tuple_id(isl.dim_type.out))


def _prefix(relation: isl.Map, depth: int) -> isl.Map:
    """Values of the outer loops to elements."""
    n = relation.dim(isl.dim_type.in_)
    relation = relation.project_out(isl.dim_type.in_, depth, n - depth)
    return relation.reset_tuple_id(isl.dim_type.in_)


def _first(domain: isl.Set, depth: int) -> isl.Set:
    """Values of the outer loops."""
    n = domain.dim(isl.dim_type.set)
    return domain.project_out(isl.dim_type.set, depth, n - depth).reset_tuple_id()


def _union(relations: Iterable[_Relation]) -> _Relation:
    return reduce(lambda a, b: a.union(b), relations)


def _candidates(name: str) -> Iterator[str]:
    yield name
    number = 1
    while True:
        yield f"{name}{number}"
        number += 1
