"""How many values a loop takes, how many bytes a box of iterations touches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import pairwise
from math import prod

import islpy as isl

from polysched.analysis.places import Member
from polysched.analysis.rationals import Rational, Vector
from polysched.analysis.strides import Reference, subscript_moves
from polysched.ir import Array, Const, Expr, Param, Scop
from polysched.sets import list_basic_sets, n_dims

LARGE_EXTENT = 1000  # assumed trip count of a loop with unknown bounds
MAX_EXTENT = 10**9

Extents = Mapping[int, int]  # loop index -> iterations inside the box; others are 1


@lru_cache(maxsize=4096)
def iterator_extent(
    scop: Scop, statement: str, coefficients: tuple[int, ...]
) -> int | None:
    """Values from least to greatest of an affine function over a domain.

    Parameters
    ----------
    coefficients : tuple of int
        Of the function, one per iterator of the statement.

    Returns
    -------
    int or None
        None where it depends on parameters that neither the context bounds nor the
        SCoP's estimates say.
    """
    domain = scop.statement(statement).domain.intersect_params(scop.estimated_context)
    space = domain.get_space()
    aff = isl.Aff.zero_on_domain(isl.LocalSpace.from_space(space))
    for k, c in enumerate(coefficients):
        aff = aff.set_coefficient_val(isl.dim_type.in_, k, isl.Val(c))
    low, high = domain.min_val(aff), domain.max_val(aff)
    if low.is_nan() or high.is_nan():
        return 0
    if not (low.is_int() and high.is_int()):
        return None
    return min(MAX_EXTENT, int(high.to_python()) - int(low.to_python()) + 1)


@lru_cache(maxsize=4096)
def has_gap(scop: Scop, statement: str, coefficients: tuple[int, ...]) -> bool:
    """Whether an affine function leaves out values between its least and greatest.

    So does the iterator of a layer at both ends of a grid, ``j < np || j >= n - np``.
    Steps of a loop leave none out.

    Parameters
    ----------
    coefficients : tuple of int
        Of the function, one per iterator of the statement.
    """
    domain = scop.statement(statement).domain.intersect_params(scop.context)
    value = isl.Aff.zero_on_domain(isl.LocalSpace.from_space(domain.get_space()))
    for k, c in enumerate(coefficients):
        value = value.set_coefficient_val(isl.dim_type.in_, k, isl.Val(c))
    values = domain.apply(isl.Map.from_aff(value)).coalesce().remove_divs().coalesce()
    if len(list_basic_sets(values)) < 2:
        return False
    return not isl.Set.from_basic_set(values.convex_hull()).is_subset(values)


@lru_cache(maxsize=1024)
def reached_elements(scop: Scop, statement: str, array: str) -> int:
    """Elements of an array in the least box of all that a statement touches.

    `MAX_EXTENT` where its sides depend on what is not known.
    """
    found = [
        access.relation.intersect_params(scop.estimated_context).range()
        for access in scop.statement(statement).accesses
        if access.array == array
    ]
    touched = found[0]
    for other in found[1:]:
        touched = touched.union(other)
    elements = 1
    for k in range(n_dims(touched)):
        low, high = touched.dim_min_val(k), touched.dim_max_val(k)
        if not (low.is_int() and high.is_int()):
            return MAX_EXTENT
        elements *= max(1, int(high.to_python()) - int(low.to_python()) + 1)
    return min(MAX_EXTENT, elements)


Windows = tuple[tuple[tuple[int, ...], int], ...]  # functions, values each may take


@lru_cache(maxsize=8192)
def run_extent(
    scop: Scop, statement: str, coefficients: tuple[int, ...], windows: Windows
) -> int | None:
    """Most values of an affine function while others stay within windows.

    Parameters
    ----------
    coefficients : tuple of int
        Of the function, one per iterator of the statement.
    windows : tuple of (coefficients, int)
        Other functions, and how many successive values each may take: one where it
        stays as it is, more in the tile of a loop.

    Returns
    -------
    int or None
        None as for `iterator_extent`; an upper bound where the domain is not convex.
    """
    hull = _bounds_of(scop, statement)
    n = n_dims(hull)
    pairs = hull.product(hull).flatten()
    space = isl.LocalSpace.from_space(pairs.get_space())
    for row, width in windows:
        step = _difference(space, row, n)
        furthest = isl.Aff.val_on_domain(space, isl.Val(width - 1))
        pairs = pairs.intersect(step.le_set(furthest))
        pairs = pairs.intersect(step.neg().le_set(furthest))
    largest = pairs.max_val(_difference(space, coefficients, n))
    if largest.is_nan():
        return 0
    return min(MAX_EXTENT, int(largest.to_python()) + 1) if largest.is_int() else None


@lru_cache(maxsize=1024)
def _bounds_of(scop: Scop, statement: str) -> isl.Set:
    """A convex set around a statement's domain."""
    domain = scop.statement(statement).domain.intersect_params(scop.estimated_context)
    return isl.Set.from_basic_set(domain.simple_hull())


def _difference(space: isl.LocalSpace, row: tuple[int, ...], n: int) -> isl.Aff:
    """Of a function's values at two points, which stand behind each other."""
    value = isl.Aff.zero_on_domain(space)
    for k, c in enumerate(row):
        value = value.set_coefficient_val(isl.dim_type.in_, k, isl.Val(-c))
        value = value.set_coefficient_val(isl.dim_type.in_, n + k, isl.Val(c))
    return value


def member_extent(scop: Scop, statement: str, loop: Member) -> int | None:
    """Iterations of a loop over the whole domain; tiles count once each."""
    extent = iterator_extent(scop, statement, loop.coefficients)
    return None if extent is None else -(-extent // loop.size)


def box_footprint(
    scop: Scop,
    references: Sequence[Reference],
    directions: Sequence[Vector | None],
    extents: Extents,
    line_bytes: int = 1,
    *,
    apart: bool = False,
) -> int:
    """Bytes that a box of one statement's iterations touches.

    References of one array that differ by a constant count once, by the rows that any
    of their boxes has (five for the cross of seven points of a stencil) and the hull
    of what they touch along these, unless the constant is in a subscript that no loop
    moves, as in ``A[0][i]`` and ``A[1][i - 1]``; whole cache lines are counted when
    `line_bytes` is given. Exact for images that are boxes; for others, as diagonals,
    not more than their points touch.

    Parameters
    ----------
    references : sequence of Reference
        Of the statement (or of several with the same loops).
    directions : sequence of vectors
        From `member_directions`.
    extents : mapping of int to int
        Trip count of the loops inside the box, by loop index.
    line_bytes : int
        Cache line, 1 to count elements alone.
    apart : bool
        Whether every row has lines of its own; rows behind each other share some.
    """
    total = 0
    for n_bytes, pitch, rows, spans, starts in _groups(scop, tuple(references)):
        widths: list[Rational] = list(spans)
        steps: list[Rational] = [0] * len(spans)
        walks: list[list[tuple[Rational, int]]] = [[] for _ in spans]
        points = 1
        for k, extent in extents.items():
            direction = directions[k]
            if direction is not None and extent > 1:
                moves = [max(m, -m) for m in subscript_moves(rows, direction)]
                if any(moves):
                    points *= extent
                for p, moved in enumerate(moves):
                    widths[p] += moved * (extent - 1)
                    steps[p] = max(steps[p], moved)
                    walks[p].append((moved, extent))
        elements = 1
        for width in widths[:-1]:
            elements *= max(1, int(width))
        if starts:
            sides = [int(w - s) + 1 for w, s in zip(widths[:-1], spans, strict=False)]
            elements = min(elements, boxes_volume(starts, tuple(sides)))
        last = max(1, int(widths[-1])) if widths else 1
        last_bytes = -(-last * n_bytes // line_bytes) * line_bytes
        is_dense = all(map(_leave_no_gap, spans[:-1], walks[:-1]))
        if not apart and elements > 1 and last <= pitch and is_dense:
            last_bytes = min(last_bytes, pitch * n_bytes)
        box_bytes = elements * last_bytes
        n_rows = len(starts) or prod(int(span) for span in spans[:-1])
        of_a_point = _point_bytes(spans, n_rows, steps, n_bytes, line_bytes)
        total += min(box_bytes, points * of_a_point)
    return total


def _leave_no_gap(span: Rational, walks: Sequence[tuple[Rational, int]]) -> bool:
    """Whether steps of some lengths, so many of each, reach all rows of a box."""
    reached = span
    for step, extent in sorted(walks):
        if step > reached:
            return False
        reached += step * (extent - 1)
    return True


@lru_cache(maxsize=4096)
def boxes_volume(starts: tuple[Vector, ...], sides: tuple[int, ...]) -> int:
    """How many points any of some boxes of the same size has.

    Parameters
    ----------
    starts : tuple of vectors of int
        Least corners of the boxes.
    sides : tuple of int
        Of each box, 1 or more.

    Examples
    --------
    >>> boxes_volume(((0, 1), (1, 0), (1, 1), (1, 2), (2, 1)), (1, 1))
    5
    >>> boxes_volume(((0,), (3,)), (5,))
    8
    """
    if not sides:
        return 1
    side = sides[0]
    cuts = sorted({c for start in starts for c in (start[0], start[0] + side)})
    volume = 0
    for low, high in pairwise(cuts):
        here = {s[1:] for s in starts if s[0] <= low < s[0] + side}
        if here:
            slab = boxes_volume(tuple(sorted(here)), sides[1:])
            volume += int(high - low) * slab
    return volume


def _point_bytes(
    spans: Sequence[Rational],
    n_rows: int,
    steps: Sequence[Rational],
    n_bytes: int,
    line_bytes: int,
) -> int:
    """Bytes that a point of a box touches, without what its neighbours touch as well.

    A window of w bytes lies in ``1 + w / line`` lines on average; rows that the next
    point comes to are counted there, where the window has moved on.
    """
    if not spans:
        return max(n_bytes, line_bytes)
    rows = prod(
        max(1, int(min(span, step)))
        for span, step in zip(spans[:-1], steps[:-1], strict=True)
    )
    window = int(spans[-1]) - 1 + (n_rows - 1) * int(steps[-1])
    return rows * (max(n_bytes, line_bytes) + window * n_bytes)


@lru_cache(maxsize=1024)
def _groups(
    scop: Scop, references: tuple[Reference, ...]
) -> tuple[tuple[int, int, tuple[Vector, ...], Vector, tuple[Vector, ...]], ...]:
    """References that differ by constants where loops move them, by array.

    Element bytes, elements of a row where that is known, rows, widths of a point, and
    where its rows begin, but for points that have all rows of their box.
    """
    groups: dict[tuple[str, tuple[Vector, ...], Vector], list[Vector]] = {}
    for r in references:
        groups.setdefault((r.array, r.rows, _plane(r)), []).append(r.offsets)
    found = []
    for (array, rows, _), offsets in groups.items():
        columns = list(zip(*offsets, strict=True))
        spans = tuple(1 + max(column) - min(column) for column in columns)
        found.append(
            (
                scop.array(array).type.n_bytes,
                _row_length(scop, scop.array(array)),
                rows,
                spans,
                _starts(offsets, spans),
            )
        )
    return tuple(found)


def _starts(offsets: Sequence[Vector], spans: Vector) -> tuple[Vector, ...]:
    """The rows that a point touches, none where they are all of a box."""
    starts = sorted({tuple(offset[:-1]) for offset in offsets})
    whole = all(span == int(span) for span in spans)
    return () if not whole or len(starts) == prod(spans[:-1]) else tuple(starts)


def _plane(reference: Reference) -> Vector:
    """Subscripts that no loop moves, but for the last one, which counts within a row.

    Where these differ, as in ``A[t % 2][i]`` and ``A[(t + 1) % 2][i]``, elements do.
    """
    outer = zip(reference.rows[:-1], reference.offsets[:-1], strict=True)
    return tuple(offset for row, offset in outer if not any(row))


def _row_length(scop: Scop, array: Array) -> int:
    """Elements from one row of an array to the next; 0 where that is unknown."""
    lengths = array.pitches[-1:] or array.extents[1:][-1:]
    return known_size(scop, lengths[0]) if lengths else 0


def known_size(scop: Scop, extent: Expr | None) -> int:
    """How many elements an extent or a pitch stands for; 0 where that is unknown."""
    if isinstance(extent, Const):
        return int(extent.value)
    if not isinstance(extent, Param):
        return 0
    context = scop.estimated_context
    k = context.find_dim_by_name(isl.dim_type.param, extent.name)
    if k < 0:
        return 0
    value = context.plain_get_val_if_fixed(isl.dim_type.param, k)
    return int(value.to_python()) if value.is_int() else 0


def step_bytes(scop: Scop, reference: Reference, direction: Vector) -> int | None:
    """How far apart the elements are that an access reaches along a direction.

    Without a sign. None where an array's rows are of a length that is not known, where
    not every step moves, and for copies of a private array, which storage lays out
    later.
    """
    array = scop.array(reference.array)
    lengths = array.pitches or array.extents[1:]
    moves = reference.moves(direction)
    if any(subscript_moves(reference.expanded, direction)) or not moves:
        return None
    if len(lengths) != len(moves) - 1 or any(move != int(move) for move in moves):
        return None
    step, length = 0, 1
    for k in reversed(range(len(moves))):
        step += int(moves[k]) * length
        length *= known_size(scop, lengths[k - 1]) if k else 1
        if not length and any(moves[:k]):
            return None
    return abs(step) * array.type.n_bytes
