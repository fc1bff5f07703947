"""A part of an iteration domain that is small enough to be drawn point by point."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import islpy as isl
import numpy as np

from polysched.base import AnalysisError
from polysched.ir import Statement
from polysched.sets import (
    Points,
    dim_names,
    fix_parameters,
    list_points,
    n_dims,
    param_names,
    read_set,
)

_ANY_SIZE = 12  # of a parameter that nobody has given a value
SetOrMap = TypeVar("SetOrMap", isl.Set, isl.Map)
MAX_SHOWN = 3  # dimensions that a picture can hold


@dataclass(frozen=True, eq=False)
class Window:
    """Some instances of a statement at chosen sizes.

    Attributes
    ----------
    statement : Statement
    parameters : mapping of str to int
        The sizes.
    shown : tuple of int
        Positions of the iterators that span the picture, at most three.
    fixed : mapping of str to int
        The other iterators, each at one value.
    instances : isl.Set
        What is drawn, without parameters.
    points : array of int64, shape (n_points, n_loops)
    is_whole : bool
        Whether these are all instances at these sizes.
    """

    statement: Statement
    parameters: Mapping[str, int]
    shown: tuple[int, ...]
    fixed: Mapping[str, int]
    instances: isl.Set
    points: Points
    is_whole: bool

    @property
    def names(self) -> tuple[str, ...]:
        """The iterators that span the picture."""
        return tuple(self.statement.iterators[k] for k in self.shown)

    @property
    def note(self) -> str:
        """Sizes and what is left out, in words."""
        told = [f"{n} = {v}" for n, v in {**self.parameters, **self.fixed}.items()]
        if not self.is_whole:
            told.append("a part of the domain")
        return ", ".join(told)


def open_window(
    statement: Statement,
    parameters: Mapping[str, int] | None = None,
    iterators: Sequence[str] | None = None,
    extent: int = 12,
) -> Window:
    """The instances of a statement near the first corner of its domain.

    Parameters
    ----------
    statement : Statement
        With at least one loop around it.
    parameters : mapping of str to int, optional
        Sizes; those that are not given become `extent` where that leaves instances.
    iterators : sequence of str, optional
        Those to draw, one to three; by default the outermost. The others are held at
        the least value that they have.
    extent : int
        Values of each iterator that are drawn, at most.

    Raises
    ------
    AnalysisError
        If the statement has no loop or no instance, or an iterator is not there.
    """
    names = statement.iterators
    chosen = tuple(iterators or names[:MAX_SHOWN])
    missing = [n for n in chosen if n not in names]
    if missing or not 1 <= len(chosen) <= MAX_SHOWN:
        told = ", ".join(names) or "none"
        raise AnalysisError(
            f"cannot draw {statement.name} over {', '.join(chosen) or 'no iterator'}; "
            f"its iterators are: {told}"
        )
    sizes = _choose_sizes(statement.domain, parameters or {}, extent)
    whole = fix_parameters(statement.domain, sizes)
    if whole.is_empty():
        raise AnalysisError(f"{statement.name} has no instance to draw")
    shown = tuple(names.index(n) for n in chosen)
    fixed: dict[str, int] = {}
    part = whole
    for k, name in enumerate(names):
        if k not in shown:
            value = _least(part, k)
            fixed[name] = value
            part = _between(part, k, value, value)
    inside = part
    for k in shown:
        low = _least(part, k)
        inside = _between(inside, k, low, low + extent - 1)
    if inside.is_empty():
        inside = _around_sample(part, shown, extent)
    is_whole = bool(whole.is_subset(inside))
    points = list_points(inside)
    return Window(statement, sizes, shown, fixed, inside, points, is_whole)


def _choose_sizes(
    domain: SetOrMap, given: Mapping[str, int], extent: int
) -> dict[str, int]:
    """A value for each parameter: the given one, else `extent`, else any that works."""
    sizes: dict[str, int] = {}
    left = domain
    for name in param_names(domain):
        value = given.get(name, extent)
        at = _fix_parameter(left, name, value)
        if name not in given and at.is_empty():
            value = _sample_parameter(left, name)
            at = _fix_parameter(left, name, value)
        sizes[name], left = value, at
    return sizes


def _fix_parameter(s: SetOrMap, name: str, value: int) -> SetOrMap:
    return s.intersect_params(read_set(f"[{name}] -> {{ : {name} = {value} }}"))


def _sample_parameter(s: isl.Set | isl.Map, name: str) -> int:
    if s.is_empty():
        raise AnalysisError("the domain has no instance at these sizes")
    point = s.params().sample_point()
    position = point.get_space().find_dim_by_name(isl.dim_type.param, name)
    return int(point.get_coordinate_val(isl.dim_type.param, position).to_python())


def _least(s: isl.Set, k: int) -> int:
    value = s.dim_min_val(k)
    if not value.is_int():
        raise AnalysisError(f"dimension {dim_names(s)[k]} has no least value")
    return int(value.to_python())


def _between(s: isl.Set, k: int, low: int, high: int) -> isl.Set:
    axes = ", ".join(f"d{n}" for n in range(n_dims(s)))
    box = read_set(f"{{ {s.get_tuple_name()}[{axes}] : {low} <= d{k} <= {high} }}")
    return s.intersect(box)


def _around_sample(s: isl.Set, shown: Sequence[int], extent: int) -> isl.Set:
    """The part around any point, where the first corner of the box is empty."""
    point = s.sample_point()
    for k in shown:
        value = int(point.get_coordinate_val(isl.dim_type.set, k).to_python())
        s = _between(s, k, value - extent // 2, value + (extent - 1) // 2)
    return s


def fix_sizes(relation: isl.Map, window: Window) -> isl.Map:
    """A relation at the sizes of a window, without parameters.

    Parameters that the statement's domain does not have get any value that leaves
    pairs.
    """
    given = window.parameters
    known = relation
    for name in param_names(relation):
        if name in given:
            known = _fix_parameter(known, name, given[name])
    if known.is_empty():
        sizes = {n: given.get(n, 0) for n in param_names(relation)}
    else:
        sizes = _choose_sizes(known, given, _ANY_SIZE)
    return fix_parameters(known, sizes)


def list_pairs(window: Window, relation: isl.Map) -> tuple[Points, Points]:
    """Sources and sinks, both inside a window, of a relation of its statement.

    Returns
    -------
    pair of arrays of int64, shape (n_pairs, n_loops)
    """
    pairs = fix_sizes(relation, window)
    pairs = pairs.intersect_domain(window.instances).intersect_range(window.instances)
    n = window.points.shape[1]
    if pairs.is_empty():
        none = np.zeros((0, n), dtype=np.int64)
        return none, none
    found = list_points(pairs.wrap().reset_tuple_id())
    return found[:, :n], found[:, n:]
