"""The order in which a schedule tree executes the instances of a SCoP."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import islpy as isl
import numpy as np
from numpy.typing import NDArray

from polysched.base import AnalysisError, LimitError
from polysched.ir import (
    MARK_GRID,
    MARK_ORDERED,
    MARK_PARALLEL,
    MARK_THREADS,
    MARK_VECTOR,
    ScheduleTree,
    Scop,
    is_ordered,
)
from polysched.sets import (
    Points,
    contains_points,
    fix_parameters,
    list_maps,
    list_points,
    list_sets,
    map_names,
    map_points,
    node_kind,
)

UNORDERED_MARKS = frozenset({MARK_PARALLEL, MARK_VECTOR, MARK_GRID, MARK_THREADS})


@dataclass(frozen=True, eq=False)
class Execution:
    """All instances of a SCoP at concrete parameters, in order of execution.

    Attributes
    ----------
    names : tuple of str
        Names of the statements that have instances.
    statements : array of int64, shape (n_instances,)
        For each step, the position in `names` of what is executed.
    rows : array of int64, shape (n_instances,)
        For each step, the row of `points` of that statement.
    points : dict of str to array of int64, shape (n, n_loops)
        Iterator values of each statement's instances.
    """

    names: tuple[str, ...]
    statements: Points
    rows: Points
    points: dict[str, Points]

    def describe(self, step: int) -> str:
        """The instance of one step, as in ``S0[3, 1]``."""
        name = self.names[self.statements[step]]
        values = ", ".join(str(v) for v in self.points[name][self.rows[step]])
        return f"{name}[{values}]"


def order_instances(
    scop: Scop,
    tree: ScheduleTree,
    parameters: Mapping[str, int],
    *,
    shuffle_seed: int | None = None,
    allow_ties: bool = False,
    max_instances: int = 5_000_000,
) -> Execution:
    """Instances in the order of a schedule tree.

    Parameters
    ----------
    scop : Scop
        Gives the instances.
    tree : ScheduleTree
        Must give every instance a time of its own.
    parameters : mapping of str to int
        A value for each parameter.
    shuffle_seed : int, optional
        Iterations of loops marked "parallel", "vector", "grid" or "threads" and the
        children of set nodes are interleaved at random, each keeping its own order;
        what is marked "ordered" keeps that of the iterations.
    allow_ties : bool
        Instances with equal times run in the order of their statements, or at random
        with a `shuffle_seed`; otherwise they are refused.
    max_instances : int
        More than that are refused.

    Raises
    ------
    AnalysisError
        If an instance has no time, or two have the same, or parameters are missing or
        outside of the SCoP's context.
    LimitError
        If there are too many instances.
    """
    parameters = scop.with_products(parameters)
    _check_context(scop, parameters)
    points = {}
    for domain in list_sets(fix_parameters(scop.domain, parameters)):
        found = list_points(domain)
        if len(found):
            points[domain.get_tuple_name()] = found
        if sum(len(p) for p in points.values()) > max_instances:
            raise LimitError(f"{scop.name} has more than {max_instances} instances")
    names = tuple(s.name for s in scop.statements if s.name in points)
    if not names:
        empty = np.zeros(0, dtype=np.int64)
        return Execution((), empty, empty, {})
    times = _times(tree, parameters, {n: points[n] for n in names})
    statements = np.concatenate(
        [np.full(len(points[n]), k, dtype=np.int64) for k, n in enumerate(names)]
    )
    rows = np.concatenate([np.arange(len(points[n]), dtype=np.int64) for n in names])
    order: Points = np.arange(len(rows))
    rng = np.random.default_rng(shuffle_seed)
    if allow_ties and shuffle_seed is not None:
        rng.shuffle(order)
    if times.shape[1]:
        order = order[np.lexsort(times[order].T[::-1])]
    execution = Execution(names, statements[order], rows[order], points)
    if not allow_ties:
        _check_total(execution, times[order])
    if shuffle_seed is not None:
        inside = {n: points[n] for n in names}
        free = _dimensions_of(_unordered_dims(tree.root, 0), tree, parameters, inside)
        taken = _dimensions_of(_ordered_dims(tree.root, 0), tree, parameters, inside)
        shuffler = _Shuffler(times, free, taken, rng)
        order = shuffler.shuffle(order, 0)
        execution = Execution(names, statements[order], rows[order], points)
    return execution


def _check_context(scop: Scop, parameters: Mapping[str, int]) -> None:
    missing = [p.name for p in scop.parameters if p.name not in parameters]
    if missing:
        raise AnalysisError(f"no value for the parameter {missing[0]!r}")
    if fix_parameters(scop.context, parameters).is_empty():
        values = ", ".join(f"{k}={v}" for k, v in parameters.items())
        raise AnalysisError(f"{values} is outside of the context {scop.context}")


def _times(
    tree: ScheduleTree, parameters: Mapping[str, int], points: Mapping[str, Points]
) -> Points:
    """Time vectors of all instances, one below the other."""
    if any(node_kind(node) in ("extension", "expansion") for _, node in tree.nodes()):
        raise AnalysisError("the interpreter runs no extension or expansion nodes")
    maps = {map_names(m)[0]: m for m in list_maps(fix_parameters(tree.map, parameters))}
    blocks = []
    for name, rows in points.items():
        if name not in maps:
            raise AnalysisError(f"the schedule gives no time to {name}")
        blocks.append(map_points(maps[name], rows))
    width = max(b.shape[1] for b in blocks)
    assert all(b.shape[1] == width for b in blocks)
    return np.concatenate(blocks)


def _check_total(execution: Execution, times: Points) -> None:
    """Refuse two instances at one time; `times` is sorted."""
    same = (times[1:] == times[:-1]).all(axis=1)
    if same.any():
        step = int(np.argmax(same))
        first, second = execution.describe(step), execution.describe(step + 1)
        raise AnalysisError(
            f"the schedule does not order {first} and {second}: "
            f"both run at {times[step].tolist()}"
        )


_Dims = list[tuple[int, isl.UnionSet]]


def _dimensions_of(
    dims: _Dims,
    tree: ScheduleTree,
    parameters: Mapping[str, int],
    points: Mapping[str, Points],
) -> NDArray[np.bool_]:
    """For each instance and time dimension, whether it is one of those listed."""
    n_time = max((int(m.dim(isl.dim_type.out)) for m in list_maps(tree.map)), default=0)
    n_rows = sum(len(p) for p in points.values())
    free = np.zeros((n_rows, n_time), dtype=bool)
    for dim, domain in dims:
        sets = {
            s.get_tuple_name(): s for s in list_sets(fix_parameters(domain, parameters))
        }
        start = 0
        for name, rows in points.items():
            if name in sets:
                inside = contains_points(sets[name], rows)
                free[start : start + len(rows), dim] |= inside
            start += len(rows)
    return free


def _unordered_dims(node: isl.ScheduleNode, dim: int) -> _Dims:
    """Time dimensions without order, and for which instances."""
    kind = node_kind(node)
    found = []
    if kind == "set":
        found.append((dim, node.get_domain()))
    if kind == "mark" and _mark_name(node) in UNORDERED_MARKS:
        n_free = 1
        if _mark_name(node) in (MARK_GRID, MARK_THREADS):
            n_free = int(node.child(0).band_n_member())
        found += [(dim + k, node.get_domain()) for k in range(n_free)]
    for k in range(node.n_children()):
        found += _unordered_dims(node.child(k), dim + _n_dims(node))
    return found


def _ordered_dims(node: isl.ScheduleNode, dim: int, loop: int = 0) -> _Dims:
    """Time dimensions of loops shared in order, and what keeps their order."""
    if node_kind(node) == "mark":
        if is_ordered(str(node.mark_get_id().get_name())):
            loop = dim
        if _mark_name(node) == MARK_ORDERED:
            return [(loop, node.get_domain())]
    found = []
    for k in range(node.n_children()):
        found += _ordered_dims(node.child(k), dim + _n_dims(node), loop)
    return found


def _n_dims(node: isl.ScheduleNode) -> int:
    """Time dimensions that a node adds."""
    kind = node_kind(node)
    if kind == "band":
        return int(node.band_n_member())
    return int(kind in ("sequence", "set"))


def _mark_name(node: isl.ScheduleNode) -> str:
    """The mark's name without options, as in ``parallel:dynamic``."""
    return str(node.mark_get_id().get_name()).split(":", maxsplit=1)[0]


class _Shuffler:
    """Interleaves iterations of unordered dimensions at random."""

    def __init__(
        self,
        times: Points,
        free: NDArray[np.bool_],
        taken: NDArray[np.bool_],
        rng: np.random.Generator,
    ) -> None:
        self._times = times
        self._free = free
        self._taken = taken  # in the order of a dimension that is free for others
        self._rng = rng

    def shuffle(self, block: Points, dim: int) -> Points:
        """Shuffle instances that agree before `dim` and are in order."""
        free = self._free[block]
        while dim < free.shape[1]:
            if not free[:, dim:].any():
                return block
            values = self._times[block, dim]
            cuts = np.flatnonzero(np.diff(values)) + 1
            if len(cuts):
                break
            dim += 1
        else:
            return block
        parts = [self.shuffle(part, dim + 1) for part in np.split(block, cuts)]
        if free[:, dim].all():
            return self._interleave(parts, dim)
        return np.concatenate(parts)

    def _interleave(self, parts: list[Points], dim: int) -> Points:
        """A random merge that keeps the order inside each part.

        What is taken in order stays so from part to part: a part that comes to it too
        early leaves its place to the first one that has not done with it.
        """
        labels = np.repeat(np.arange(len(parts)), [len(p) for p in parts])
        labels = self._rng.permutation(labels)
        taken = [self._taken[p, dim] for p in parts]
        if any(t.any() for t in taken):
            labels = _take_turns(labels, [t.tolist() for t in taken])
        places = np.argsort(labels, kind="stable")
        merged = np.empty(len(labels), dtype=np.int64)
        merged[places] = np.concatenate(parts)
        return merged


def _take_turns(labels: Points, taken: list[list[bool]]) -> Points:
    """Labels in an order in which parts come to what is taken one after the other.

    Parameters
    ----------
    labels : array of int64
        Which part has its next step, as often as it has steps.
    taken : list of list of bool
        For each step of each part, whether it waits for all earlier parts.
    """
    done = [0] * len(taken)
    left = [sum(t) for t in taken]
    found = []
    for wanted in labels.tolist():
        first = next((k for k, n in enumerate(left) if n), len(taken))
        label = wanted
        is_over = done[label] == len(taken[label])
        if is_over or (taken[label][done[label]] and label != first):
            label = _next_part(done, taken, first)
        left[label] -= taken[label][done[label]]
        done[label] += 1
        found.append(label)
    return np.array(found, dtype=np.int64)


def _next_part(done: list[int], taken: list[list[bool]], first: int) -> int:
    """The first part that waits for none, or any one with steps left."""
    if first < len(taken):
        return first
    return next(k for k, t in enumerate(taken) if done[k] < len(t))
