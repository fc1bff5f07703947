"""Farkas: the cone of affine forms that are non-negative on a polyhedron."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import combinations

import islpy as isl

from polysched.sets.unions import list_basic_maps

LIFTED_PREFIX = "lifted_size_"  # of a parameter that stands for the number behind it
MANY_BOUNDS = 5  # dimensions with an end: a box of as many has 32 corners
MAX_SLANTED = 6  # constraints of several dimensions, which a box has few of


@dataclass(frozen=True)
class ConeRow:
    """One linear condition on the coefficients of an affine form.

    The form is ``constant + sum(parameters) + sum(source) + sum(sink)``; the condition
    is that the weighted sum of its coefficients is non-negative (or zero).

    Attributes
    ----------
    constant : int
        Weight of the form's constant term.
    parameters : int
        Summed weight of the size parameters: those that are never negative on the
        polyhedron. They share one coefficient in a scheduling constraint, and the
        others have none (their sign is open, so they bound nothing).
    source, sink : tuple of int
        Weights of the iterators of both statements.
    equality : bool
        Whether the sum must be zero.
    by_parameter : tuple of int
        Weight of every parameter of the polyhedron's space, in its order.
    """

    constant: int
    parameters: int
    source: tuple[int, ...]
    sink: tuple[int, ...]
    equality: bool
    by_parameter: tuple[int, ...] = ()


def dependence_cone(piece: isl.BasicMap) -> tuple[ConeRow, ...]:
    """Conditions for an affine form over source and sink to be non-negative on `piece`.

    Multipliers are already eliminated by isl; this is Farkas' lemma in the form of
    Feautrier, "Some efficient solutions to the affine scheduling problem I", 1992.

    A box in n dimensions has as many rows as corners, 2^n. One of `MANY_BOUNDS`
    dimensions or more is seen as if each of its sizes were a parameter of its own,
    which has three rows or so for a dimension. What is non-negative for all sizes is so
    for these, and only what follows from their values is lost.
    """
    n_source = piece.dim(isl.dim_type.in_)
    n_known = piece.dim(isl.dim_type.param)
    wrapped = _with_own_sizes(piece).wrap()
    cone = wrapped.coefficients()
    n_param = wrapped.dim(isl.dim_type.param)
    is_size = [
        wrapped.is_subset(
            isl.BasicSet.universe(wrapped.get_space()).add_constraint(
                isl.Constraint.alloc_inequality(
                    isl.LocalSpace.from_space(wrapped.get_space())
                ).set_coefficient_val(isl.dim_type.param, k, isl.Val(1))
            )
        )
        for k in range(n_param)
    ]
    order = (isl.dim_type.set, isl.dim_type.cst, isl.dim_type.param, isl.dim_type.div)
    rows = []
    for matrix, equality in (
        (cone.equalities_matrix(*order), True),
        (cone.inequalities_matrix(*order), False),
    ):
        for r in range(matrix.rows()):
            v = [
                int(str(matrix.get_element_val(r, c)))
                for c in range(1 + n_param + wrapped.dim(isl.dim_type.set))
            ]
            weights = zip(v[1 : 1 + n_param], is_size, strict=True)
            first = 1 + n_param
            rows.append(
                ConeRow(
                    v[0],
                    sum(w for w, counts in weights if counts),
                    tuple(v[first : first + n_source]),
                    tuple(v[first + n_source :]),
                    equality,
                    tuple(v[1 : 1 + n_known]),
                )
            )
    return tuple(rows)


def _with_own_sizes(piece: isl.BasicMap) -> isl.BasicMap:
    """A box in many dimensions with a parameter for the end of each, else the piece."""
    if piece.dim(isl.dim_type.div):
        return piece
    rows = _constraints(piece)
    ends = {k: _ended(row) for k, row in enumerate(rows)}
    n_ends = len({place for place in ends.values() if place is not None})
    n_slanted = sum(not row.equality and _n_moved(row) > 1 for row in rows)
    if n_ends < MANY_BOUNDS or n_slanted > MAX_SLANTED:
        return piece
    own = {place: f"own_size_{place}" for place in ends.values() if place is not None}
    conditions = []
    names = [*_parameters(piece), *own.values()]
    source = [f"s{k}" for k in range(piece.dim(isl.dim_type.in_))]
    sink = [f"t{k}" for k in range(piece.dim(isl.dim_type.out))]
    for k, row in enumerate(rows):
        place = ends[k]
        if place is not None:
            conditions.append(f"{(source + sink)[place]} <= {own[place]}")
            continue
        weights = row.parameters + row.source + row.sink
        pairs = zip(weights, [*_parameters(piece), *source, *sink], strict=True)
        terms = [f"{c}{name}" for c, name in pairs if c]
        sign = "=" if row.equality else ">="
        conditions.append(f"{' + '.join([*terms, str(row.constant)])} {sign} 0")
    text = (
        f"[{', '.join(names)}] -> {{ S[{', '.join(source)}] -> T[{', '.join(sink)}] : "
        f"{' and '.join(conditions)} }}"
    )
    return list_basic_maps(isl.Map(text))[0]


def _n_moved(row: _Constraint) -> int:
    return sum(weight != 0 for weight in row.source + row.sink)


def _ended(row: _Constraint) -> int | None:
    """The dimension that a constraint is an end of, and nothing else."""
    weights = row.source + row.sink
    lowered = [k for k, weight in enumerate(weights) if weight < 0]
    is_end = _n_moved(row) == 1 and not row.equality
    return lowered[0] if is_end and lowered else None


def _parameters(piece: isl.BasicMap) -> list[str]:
    space = piece.get_space()
    n = space.dim(isl.dim_type.param)
    return [str(space.get_dim_name(isl.dim_type.param, k)) for k in range(n)]


def lift_constants(
    pieces: Iterable[isl.BasicMap], threshold: int = 16, slack: int = 8
) -> list[isl.BasicMap]:
    """Replace large constants by parameters, the same constant by the same parameter.

    A size fixed by a macro makes Farkas rows with coefficients in the thousands, and
    big-M constants to match. Seen as a parameter it costs a small integer. The result
    contains the original piece (at one parameter value), so what holds for all values
    holds for it: legality is preserved, never invented.

    Parameters
    ----------
    pieces : iterable of isl.BasicMap
        Dependence polyhedra without existential dimensions.
    threshold : int
        Smallest magnitude to replace.
    slack : int
        Constants this close share a parameter: 999 becomes ``p - 1`` beside 1000. So do
        sums and differences of others: 936 becomes ``p - q`` beside 999 and 63.
    """
    given = list(pieces)
    texts = [_constraints(p) for p in given]
    sizes = sorted(
        {
            abs(c.constant)
            for rows in texts
            for c in rows
            if abs(c.constant) >= threshold
        },
        reverse=True,
    )
    if not sizes:
        return given
    told = _told_by_few(sizes, slack)
    return [_rebuild(p, rows, told) for p, rows in zip(given, texts, strict=True)]


def _told_by_few(sizes: Iterable[int], slack: int) -> dict[int, tuple[int, ...]]:
    """Which sizes, added up with their signs, are nearly each of some sizes.

    The largest comes first, and what differs from all others has a name of its own.
    Of three that are a sum, the bounds of the loops at the edges of windows, the least
    is told by the others: legality may follow from their sum alone.
    """
    told: dict[int, tuple[int, ...]] = {}
    named: list[int] = []
    for size in sizes:
        near = [b for b in named if 0 <= b - size <= slack]
        pairs = [p for p in combinations(named, 2) if abs(p[0] - p[1] - size) <= slack]
        if near:
            told[size] = (near[-1],)
        elif pairs:
            told[size] = pairs[0][0], -pairs[0][1]
        else:
            told[size] = (size,)
            named.append(size)
    return told


@dataclass(frozen=True)
class _Constraint:
    parameters: tuple[int, ...]
    source: tuple[int, ...]
    sink: tuple[int, ...]
    constant: int
    equality: bool


def _constraints(piece: isl.BasicMap) -> list[_Constraint]:
    found = []
    for c in piece.get_constraints():
        parts = [
            tuple(
                int(str(c.get_coefficient_val(kind, k))) for k in range(piece.dim(kind))
            )
            for kind in (isl.dim_type.param, isl.dim_type.in_, isl.dim_type.out)
        ]
        constant = int(str(c.get_constant_val()))
        found.append(
            _Constraint(parts[0], parts[1], parts[2], constant, c.is_equality())
        )
    return found


def _rebuild(
    piece: isl.BasicMap, rows: list[_Constraint], told: dict[int, tuple[int, ...]]
) -> isl.BasicMap:
    """The piece with constants written as lifted parameter plus small rest."""
    space = piece.get_space()
    params = _parameters(piece)
    bases = sorted({abs(b) for parts in told.values() for b in parts})
    lifted = {b: f"{LIFTED_PREFIX}{b}" for b in bases}
    source = [f"s{k}" for k in range(piece.dim(isl.dim_type.in_))]
    sink = [f"t{k}" for k in range(piece.dim(isl.dim_type.out))]
    conditions = [f"{name} >= 0" for name in lifted.values()]
    for row in rows:
        terms = [
            f"{c}{name}"
            for c, name in zip(
                row.parameters + row.source + row.sink,
                params + source + sink,
                strict=True,
            )
            if c
        ]
        size = abs(row.constant)
        if size in told:
            sign = 1 if row.constant > 0 else -1
            terms += [f"{sign if b > 0 else -sign}{lifted[abs(b)]}" for b in told[size]]
            terms.append(str(sign * (size - sum(told[size]))))
        else:
            terms.append(str(row.constant))
        conditions.append(f"{' + '.join(terms)} {'=' if row.equality else '>='} 0")
    names = ", ".join(params + list(lifted.values()))
    text = (
        f"[{names}] -> {{ {space.get_tuple_name(isl.dim_type.in_)}[{', '.join(source)}]"
        f" -> {space.get_tuple_name(isl.dim_type.out)}[{', '.join(sink)}] : "
        f"{' and '.join(conditions)} }}"
    )
    return list_basic_maps(isl.Map(text))[0]
