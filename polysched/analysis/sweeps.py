"""Sweeps over a grid: two statements that write two arrays in turn.

``B[i][j] = f(A[i][j], A[i][j - 1], ...)`` for all points of a box, then the same from
``B`` to ``A``, and so on: Jacobi's iteration with two arrays.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

import islpy as isl

from polysched.analysis.dependences import Dependences
from polysched.analysis.operands import load_relations
from polysched.base import AnalysisError
from polysched.ir import (
    Assign,
    Binary,
    Cast,
    Const,
    Expr,
    Load,
    Param,
    Scop,
    Statement,
    Unary,
)
from polysched.ir.types import DOUBLE, FLOAT
from polysched.sets import list_sets, union_of_maps

Offset = tuple[int, ...]
N_SWEEPS = 2  # of a time step
DIMENSIONS = (2, 3)  # of the grid


@dataclass(frozen=True, eq=False)
class Sweep:
    """One statement that computes a grid from another.

    Attributes
    ----------
    statement : Statement
        One assignment.
    target : Load
        What it writes: the element at the point.
    source : str
        The array that it reads.
    value : Expr
        What it computes.
    offsets : mapping of Load to tuple of int
        Where the elements lie that it reads of `source`, from the point on.
    lows, highs : tuple of isl.PwAff
        First and last point per loop, over the parameters.
    """

    statement: Statement
    target: Load
    source: str
    value: Expr
    offsets: Mapping[Load, Offset]
    lows: tuple[isl.PwAff, ...]
    highs: tuple[isl.PwAff, ...]


@dataclass(frozen=True, eq=False)
class Sweeps:
    """The sweeps of one time step, in order.

    Attributes
    ----------
    sweeps : tuple of Sweep
        Each reads what the one before has written, the first what the last has.
    times : isl.Set
        Values of the time loop.
    """

    sweeps: tuple[Sweep, ...]
    times: isl.Set

    @property
    def n_dim(self) -> int:
        """Dimensions of the grid."""
        return len(self.sweeps[0].lows)

    @cached_property
    def radius(self) -> Offset:
        """How far any sweep reads, per dimension."""
        offsets = [o for s in self.sweeps for o in s.offsets.values()]
        return tuple(
            max((abs(o[k]) for o in offsets), default=0) for k in range(self.n_dim)
        )


def read_sweeps(scop: Scop, deps: Dependences, domain: isl.UnionSet) -> Sweeps:
    """The sweeps that a loop over time runs.

    Parameters
    ----------
    scop : Scop
        Says what statements compute.
    deps : Dependences
        Its dependences: each value has to come from the sweep before.
    domain : isl.UnionSet
        All instances of the loop.

    Raises
    ------
    AnalysisError
        If the loop runs anything else; says what.
    """
    sets = [s for s in list_sets(domain) if not s.is_empty()]
    sets.sort(key=lambda s: scop.statement(s.get_tuple_name()).position)
    if len(sets) != N_SWEEPS:
        raise AnalysisError(f"found {len(sets)} statements, expected {N_SWEEPS} sweeps")
    context = scop.context.intersect(scop.assumptions).params()
    sweeps = tuple(_read(scop, s.intersect_params(context)) for s in sets)
    targets = [sweep.target.array for sweep in sweeps]
    for k, sweep in enumerate(sweeps):
        if len(set(targets)) != N_SWEEPS or sweep.source != targets[k - 1]:
            raise AnalysisError(
                f"{sweep.statement.name} does not read what the sweep before it writes"
            )
    times = [_times(s) for s in sets]
    if not times[0].is_equal(times[1]):
        raise AnalysisError("the sweeps do not run equally often")
    found = Sweeps(sweeps, times[0])
    inside = deps.flow.intersect_domain(domain).intersect_range(domain)
    if not inside.is_equal(_expected(found, sets)):
        raise AnalysisError("a sweep reads other values than those of the sweep before")
    return found


def _times(instances: isl.Set) -> isl.Set:
    n = int(instances.dim(isl.dim_type.set))
    return instances.project_out(isl.dim_type.set, 1, n - 1).reset_tuple_id()


def _read(scop: Scop, instances: isl.Set) -> Sweep:
    """What one statement does."""
    statement = scop.statement(instances.get_tuple_name())
    name, iterators = statement.name, statement.iterators
    points = iterators[1:]
    match statement.body:
        case (Assign(target, "=", value),) if target.type in (FLOAT, DOUBLE):
            pass
        case _:
            raise AnalysisError(f"{name} is no plain assignment of a float or double")
    if len(points) not in DIMENSIONS or statement.directions[0] < 0:
        raise AnalysisError(f"{name} is no sweep over two or three dimensions")
    space = f"{name}[{', '.join(iterators)}]"
    own = isl.Map(f"{{ {space} -> {target.array}[{', '.join(points)}] }}")
    ((_, written),) = load_relations(scop, target, iterators, name)
    if not written.is_equal(own.align_params(written.get_space())):
        raise AnalysisError(f"{name} does not write the element at its point")
    offsets: dict[Load, Offset] = {}
    source = ""
    for load in dict.fromkeys(_loads(value, name)):
        if not load.subscripts and not _is_written(scop, load.array):
            continue
        if source not in ("", load.array):
            raise AnalysisError(f"{name} reads {source!r} and {load.array!r}")
        source = load.array
        if load.type != target.type:
            raise AnalysisError(f"{name} reads elements of another type")
        offsets[load] = _offset(scop, load, statement)
    lows, highs = _box(instances)
    return Sweep(statement, target, source, value, offsets, lows, highs)


def _is_written(scop: Scop, array: str) -> bool:
    return any(a.array == array and a.is_write for _, a in scop.iter_accesses())


def _loads(value: Expr, name: str) -> Iterator[Load]:
    """Elements that an expression reads; it does nothing that could fail anywhere."""
    match value:
        case Load():
            yield value
        case Const() | Param():
            pass
        case Binary("+" | "-" | "*", _, _) | Unary("+" | "-", _) | Cast():
            for operand in value.operands:
                yield from _loads(operand, name)
        case Binary("/", left, right) if value.dtype.is_float:
            yield from _loads(left, name)
            yield from _loads(right, name)
        case _:
            raise AnalysisError(
                f"{name} computes more than sums, products and quotients of elements"
            )


def _offset(scop: Scop, load: Load, statement: Statement) -> Offset:
    """From a statement's point to an element that it reads."""
    name, iterators = statement.name, statement.iterators
    relation = next(
        r for found, r in load_relations(scop, load, iterators, name) if found == load
    )
    n = len(iterators) - 1
    if relation.dim(isl.dim_type.out) != n:
        raise AnalysisError(f"{name} reads an array of another dimension")
    points = ", ".join(iterators[1:])
    space = f"{name}[{', '.join(iterators)}]"
    at = isl.Map(f"{{ {load.array}[{points}] -> {space} }}")
    distances = at.apply_range(relation).deltas()
    if not distances.is_singleton():
        raise AnalysisError(f"{name} reads elements at no fixed distance of its point")
    return tuple(int(distances.dim_max_val(k).to_python()) for k in range(n))


def _box(instances: isl.Set) -> tuple[tuple[isl.PwAff, ...], tuple[isl.PwAff, ...]]:
    """First and last points of a statement whose instances are a box.

    Raises
    ------
    AnalysisError
        If they are none.
    """
    name = instances.get_tuple_name()
    total = isl.Set("{ [] }")
    sides = []
    for k in range(int(instances.dim(isl.dim_type.set))):
        n = int(instances.dim(isl.dim_type.set))
        one = instances.project_out(isl.dim_type.set, k + 1, n - k - 1)
        one = one.project_out(isl.dim_type.set, 0, k).reset_tuple_id().coalesce()
        if not one.is_equal(isl.Set.from_basic_set(one.simple_hull())):
            raise AnalysisError(f"the values of loop {k} of {name} have gaps")
        sides.append(one)
        total = total.flat_product(one)
    if not total.set_tuple_name(name).is_equal(instances):
        raise AnalysisError(f"the instances of {name} are no box")
    lows = tuple(side.dim_min(0).coalesce() for side in sides[1:])
    return lows, tuple(side.dim_max(0).coalesce() for side in sides[1:])


def _expected(found: Sweeps, sets: list[isl.Set]) -> isl.UnionMap:
    """The flows of sweeps that read the one before, and nothing else."""
    pieces = []
    for k, sweep in enumerate(found.sweeps):
        before = found.sweeps[k - 1].statement
        step = 1 if k == 0 else 0
        names = [f"i{m}" for m in range(found.n_dim)]
        for offset in dict.fromkeys(sweep.offsets.values()):
            at = [f"{i} + {d}" for i, d in zip(names, offset, strict=True)]
            piece = isl.Map(
                f"{{ {sweep.statement.name}[{', '.join(['t', *names])}] -> "
                f"{before.name}[{', '.join([f't - {step}', *at])}] }}"
            ).reverse()
            pieces.append(piece.intersect_domain(sets[k - 1]).intersect_range(sets[k]))
    return union_of_maps(pieces)
