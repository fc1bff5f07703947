"""Whether a run may be computed beyond its loop: what is read there exists."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

import islpy as isl

from polysched.analysis import load_relations
from polysched.base import AnalysisError
from polysched.codegen.cuda.arrays import DeviceArray
from polysched.codegen.cuda.run_elements import aligned_when
from polysched.codegen.expr import ExprPrinter
from polysched.ir import (
    Assign,
    Binary,
    Call,
    Cast,
    Const,
    Expr,
    Lookup,
    Param,
    Scop,
    Statement,
    walk,
)
from polysched.sets import list_maps, map_names


def may_run_beyond(
    scop: Scop,
    statements: Sequence[Statement],
    schedule: isl.UnionMap,
    length: int,
    arrays: Mapping[str, DeviceArray],
    known: Collection[str] = (),
) -> bool:
    """Whether all values of a run may be computed as soon as one of them is wanted.

    What is computed too much is thrown away. It must do no harm: no division of
    integers, no call of the program's own functions, no load that is no element of a
    device array, or of one whose elements have no values yet or are written meanwhile.

    Parameters
    ----------
    scop : Scop
        What the kernel runs, with its context.
    statements : sequence of Statement
        Those of the run.
    schedule : isl.UnionMap
        Instances to loops, the run's last.
    length : int
        Values of a run, the first a multiple of this.
    arrays : mapping of str to DeviceArray
        What lives in device memory.
    known : collection of str
        Conditions under which they are.
    """
    written = {a.array for _, a in scop.iter_accesses() if a.is_write}
    context = scop.context.params()
    for name in _aligned_parameters(arrays, length, known):
        rows = isl.Set(f"[{name}] -> {{ : {name} mod {length} = 0 }}")
        context = context.intersect(rows)
    for statement in statements:
        if not all(isinstance(action, Assign) for action in statement.body):
            return False
        values = [a.value for a in statement.body if isinstance(a, Assign)]
        if not all(_is_harmless(e) for value in values for e in walk(value)):
            return False
        points = _beyond(schedule, statement, length)
        if points is None:
            return False
        points = points.intersect_params(context)
        try:
            loads = [
                pair
                for value in values
                for pair in load_relations(
                    scop, value, statement.iterators, statement.name
                )
            ]
        except AnalysisError:
            return False
        for load, relation in loads:
            device = arrays.get(load.array)
            if device is None:
                if load.subscripts or load.array in written:
                    return False
                continue
            if load.array in written or not device.copied_in:
                return False
            if not _exists(points.apply(relation), device, length, known):
                return False
    return True


def _is_harmless(expr: Expr) -> bool:
    """Whether any numbers will do."""
    match expr:
        case Binary("/" | "%", _, _):
            return expr.dtype.is_float
        case Call():
            return not expr.is_own
    return not isinstance(expr, Lookup)


def _beyond(
    schedule: isl.UnionMap, statement: Statement, length: int
) -> isl.Set | None:
    """The points of all runs of which one is an instance; None where nobody knows."""
    own = next(m for m in list_maps(schedule) if map_names(m)[0] == statement.name)
    own = own.flatten_range()
    place = isl.PwMultiAff.from_map(own.reverse()).coalesce()
    if place.n_piece() != 1:
        return None
    function: list[isl.MultiAff] = []
    place.foreach_piece(lambda _, value: function.append(value))
    outer = "".join(f"d{k}, " for k in range(own.dim(isl.dim_type.out) - 1))
    same_run = f"floor(c/{length}) = floor(x/{length})"
    mates = isl.Map(f"{{ [{outer}c] -> [{outer}x] : {same_run} }}")
    return own.range().apply(mates).apply(isl.Map.from_multi_aff(function[0]))


def _exists(
    touched: isl.Set, device: DeviceArray, length: int, known: Collection[str]
) -> bool:
    """Whether elements, some of them beyond their row, lie in the array's memory."""
    total = device.n_elements
    if total is None:
        return _exists_in_rows(touched, device, length, known)
    if not device.lasts:
        return True
    weights = [*_numbers(device), 1]
    dims = [f"x{k}" for k in range(len(weights))]
    index = " + ".join(f"{w} {d}" for w, d in zip(weights, dims, strict=True))
    place = isl.Map(f"{{ [{', '.join(dims)}] -> [{index}] }}")
    plain = touched.reset_tuple_id()
    return bool(plain.apply(place).is_subset(isl.Set(f"{{ [e] : 0 <= e < {total} }}")))


def _exists_in_rows(
    touched: isl.Set, device: DeviceArray, length: int, known: Collection[str]
) -> bool:
    """Whether elements are in a row, or at most a run away from one within others.

    Where rows are as long as a run: the row behind, or before, is there then.
    """
    if device.stored_firsts or len(device.lasts) < 2:
        return False
    if not all(_is_long(p, length, known) for p in device.pitches):
        return False
    space = touched.get_space()
    local = isl.LocalSpace.from_space(space)
    one, reach = isl.Val(1), isl.Val(length - 1)
    values = [
        isl.PwAff.from_aff(isl.Aff.var_on_domain(local, isl.dim_type.set, k))
        for k in range(len(device.lasts))
    ]
    lasts = [last.insert_domain(space) for last in device.lasts]
    zero = values[0].sub(values[0])
    inside = isl.Set.universe(space)
    earlier = later = isl.Set.empty(space)
    for value, last in zip(values[:-1], lasts[:-1], strict=True):
        inside = inside.intersect(value.ge_set(zero)).intersect(value.le_set(last))
        later = later.union(value.ge_set(zero.add_constant_val(one)))
        earlier = earlier.union(value.le_set(last.add_constant_val(one.neg())))
    value, last = values[-1], lasts[-1]
    before = value.ge_set(zero.add_constant_val(reach.neg())).intersect(later)
    behind = value.le_set(last.add_constant_val(reach)).intersect(earlier)
    begins = before.union(value.ge_set(zero))
    ends = behind.union(value.le_set(last))
    return bool(touched.is_subset(inside.intersect(begins).intersect(ends)))


def _aligned_parameters(
    arrays: Mapping[str, DeviceArray], length: int, known: Collection[str]
) -> Iterator[str]:
    """Parameters that are distances of rows which begin at multiples of a run."""
    for pitch in {p for device in arrays.values() for p in device.pitches}:
        inner = pitch.operand if isinstance(pitch, Cast) else pitch
        if isinstance(inner, Param) and _is_long(pitch, length, known):
            yield inner.name


def _is_long(pitch: Expr, length: int, known: Collection[str]) -> bool:
    """Whether rows are as far apart as a run is long, or further."""
    if isinstance(pitch, Const):
        return int(pitch.value) >= length
    return aligned_when(ExprPrinter().index(pitch).to_text(), length) in known


def _numbers(device: DeviceArray) -> Iterator[int]:
    for pitch in device.pitches:
        assert isinstance(pitch, Const)
        yield int(pitch.value)
