"""Whether a run may be computed beyond its loop: what is read there exists."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import islpy as isl

from polysched.analysis import load_relations
from polysched.base import AnalysisError
from polysched.codegen.cuda.arrays import DeviceArray
from polysched.ir import (
    Assign,
    Binary,
    Call,
    Const,
    Expr,
    Lookup,
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
    """
    written = {a.array for _, a in scop.iter_accesses() if a.is_write}
    for statement in statements:
        if not all(isinstance(action, Assign) for action in statement.body):
            return False
        values = [a.value for a in statement.body if isinstance(a, Assign)]
        if not all(_is_harmless(e) for value in values for e in walk(value)):
            return False
        points = _beyond(schedule, statement, length)
        if points is None:
            return False
        points = points.intersect_params(scop.context)
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
            if not _exists(points.apply(relation), device):
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


def _exists(touched: isl.Set, device: DeviceArray) -> bool:
    """Whether elements, some of them beyond their row, lie in the array's memory."""
    total = device.n_elements
    if total is None:
        return False
    if not device.lasts:
        return True
    weights = [*_numbers(device), 1]
    dims = [f"x{k}" for k in range(len(weights))]
    index = " + ".join(f"{w} {d}" for w, d in zip(weights, dims, strict=True))
    place = isl.Map(f"{{ [{', '.join(dims)}] -> [{index}] }}")
    plain = touched.reset_tuple_id()
    return bool(plain.apply(place).is_subset(isl.Set(f"{{ [e] : 0 <= e < {total} }}")))


def _numbers(device: DeviceArray) -> Iterator[int]:
    for pitch in device.pitches:
        assert isinstance(pitch, Const)
        yield int(pitch.value)
