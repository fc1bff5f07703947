"""Integer points of sets and values of maps at them, as numpy arrays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeVar

import islpy as isl
import numpy as np
from numpy.typing import NDArray

from polysched.base import AnalysisError
from polysched.sets.unions import (
    list_basic_sets,
    map_names,
    n_dims,
    param_names,
    read_set,
)

Points = NDArray[np.int64]
SetOrMap = TypeVar("SetOrMap", isl.Set, isl.Map, isl.UnionSet, isl.UnionMap)


def fix_parameters(s: SetOrMap, values: Mapping[str, int]) -> SetOrMap:
    """The set or map at concrete parameter values, without parameters.

    Parameters
    ----------
    s : isl.Set, isl.Map, isl.UnionSet or isl.UnionMap
        What to specialise.
    values : mapping of str to int
        A value for each of its parameters; further names are ignored.

    Raises
    ------
    AnalysisError
        If a parameter has no value.
    """
    names = param_names(s)
    missing = [n for n in names if n not in values]
    if missing:
        raise AnalysisError(f"no value for the parameter {missing[0]!r}")
    if names:
        fixed = " and ".join(f"{n} = {int(values[n])}" for n in names)
        s = s.intersect_params(read_set(f"[{', '.join(names)}] -> {{ : {fixed} }}"))
    return s.project_out_all_params()


def list_points(s: isl.Set) -> Points:
    """All points of a bounded set without parameters.

    Parameters
    ----------
    s : isl.Set
        Bounded; see `fix_parameters`.

    Returns
    -------
    array of int64, shape (n_points, n_dims)
        Each point once, in lexicographic order.

    Raises
    ------
    AnalysisError
        If the set is not bounded.
    """
    depth = n_dims(s)
    points: Points = np.zeros((0 if s.is_empty() else 1, 0), dtype=np.int64)
    for k in range(depth):
        if not len(points):
            break
        prefix = s.project_out(isl.dim_type.set, k + 1, depth - k - 1)
        values = _dim_range(prefix, k)
        n_old = len(points)
        points = np.column_stack(
            [np.repeat(points, len(values), axis=0), np.tile(values, n_old)]
        )
        points = points[contains_points(prefix, points)]
    return points.reshape(len(points), depth)


def _dim_range(s: isl.Set, k: int) -> Points:
    """All values between the least and the greatest of dimension k."""
    try:
        low, high = s.dim_min_val(k), s.dim_max_val(k)
    except isl.Error as error:
        raise AnalysisError(f"the set is not bounded: {s}") from error
    if not (low.is_int() and high.is_int()):
        raise AnalysisError(f"the set is not bounded: {s}")
    return np.arange(low.to_python(), high.to_python() + 1, dtype=np.int64)


def contains_points(s: isl.Set, points: Points) -> NDArray[np.bool_]:
    """For each row of `points`, whether it is in the set (which has no parameters)."""
    columns = [points[:, k] for k in range(points.shape[1])]
    inside = np.zeros(len(points), dtype=bool)
    for piece in list_basic_sets(s.compute_divs()):
        inside |= _in_piece(piece, columns, len(points))
    return inside


def _in_piece(
    piece: isl.BasicSet, columns: Sequence[Points], n_points: int
) -> NDArray[np.bool_]:
    inside = np.ones(n_points, dtype=bool)
    for constraint in piece.get_constraints():
        value = np.full(n_points, constraint.get_constant_val().to_python())
        for k, column in enumerate(columns):
            c = constraint.get_coefficient_val(isl.dim_type.set, k).to_python()
            if c:
                value += c * column
        for k in range(constraint.dim(isl.dim_type.div)):
            c = constraint.get_coefficient_val(isl.dim_type.div, k).to_python()
            if c:
                value += c * _evaluate_floor(constraint.get_div(k), columns, n_points)
        inside &= (value == 0) if constraint.is_equality() else (value >= 0)
    return inside


def _evaluate_floor(aff: isl.Aff, columns: Sequence[Points], n_points: int) -> Points:
    """Floor of a quasi-affine expression at all points."""
    denominator = aff.get_denominator_val().to_python()

    def scaled(value: isl.Val) -> int:
        return int(value.get_num_si()) * (
            denominator // int(value.get_den_val().to_python())
        )

    total = np.full(n_points, scaled(aff.get_constant_val()), dtype=np.int64)
    for k, column in enumerate(columns):
        c = scaled(aff.get_coefficient_val(isl.dim_type.in_, k))
        if c:
            total += c * column
    for k in range(aff.dim(isl.dim_type.div)):
        c = scaled(aff.get_coefficient_val(isl.dim_type.div, k))
        if c:
            total += c * _evaluate_floor(aff.get_div(k), columns, n_points)
    return total // denominator


def map_points(relation: isl.Map, points: Points) -> Points:
    """The image of each point under a single-valued map without parameters.

    Parameters
    ----------
    relation : isl.Map
        Single-valued, defined at every point.
    points : array of int64, shape (n_points, n_in)
        Where to evaluate it.

    Returns
    -------
    array of int64, shape (n_points, n_out)

    Raises
    ------
    AnalysisError
        If the map is not single-valued or not defined at some point.
    """
    if not relation.is_single_valued():
        raise AnalysisError(f"one instance has several images under {relation}")
    pieces: list[tuple[isl.Set, isl.MultiAff]] = []
    isl.PwMultiAff.from_map(relation).foreach_piece(
        lambda where, affs: pieces.append((where, affs))
    )
    n_out = int(relation.dim(isl.dim_type.out))
    images = np.zeros((len(points), n_out), dtype=np.int64)
    found = np.zeros(len(points), dtype=bool)
    for where, affs in pieces:
        chosen = contains_points(where, points) & ~found
        columns = [points[chosen, k] for k in range(points.shape[1])]
        n_chosen = int(chosen.sum())
        for k in range(n_out):
            images[chosen, k] = _evaluate_floor(affs.get_at(k), columns, n_chosen)
        found |= chosen
    if not found.all():
        lost = ", ".join(str(v) for v in points[~found][0])
        raise AnalysisError(f"no image of {map_names(relation)[0]}[{lost}]")
    return images
