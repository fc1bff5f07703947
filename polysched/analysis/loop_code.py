"""What the code of a tree will look like, without building it."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from functools import lru_cache

import islpy as isl

from polysched.analysis.places import Member
from polysched.analysis.statement_nest import StatementNest
from polysched.base import LimitError
from polysched.ir import NodePath, Scop
from polysched.sets import dim_names, operation_limit

MAX_OPERATIONS = 200_000  # of one comparison; the largest example needs a tenth

_Rows = tuple[tuple[tuple[int, ...], int, tuple[tuple[str, int], ...]], ...]


def row_matrix(nest: StatementNest) -> list[tuple[int, ...]]:
    """The independent point rows of a statement, outermost first."""
    return [
        nest.members[k].coefficients
        for k, direction in enumerate(nest.directions)
        if direction is not None
    ]


def determinant(rows: Sequence[Sequence[int]]) -> Fraction:
    """Of a square matrix."""
    left, result = [[Fraction(c) for c in row] for row in rows], Fraction(1)
    for k in range(len(left)):
        pivot = next((r for r in range(k, len(left)) if left[r][k]), None)
        if pivot is None:
            return Fraction(0)
        if pivot != k:
            left[k], left[pivot] = left[pivot], left[k]
            result = -result
        result *= left[k][k]
        for r in range(k + 1, len(left)):
            factor = left[r][k] / left[k][k]
            left[r] = [a - factor * b for a, b in zip(left[r], left[k], strict=True)]
    return result


def is_unimodular(nest: StatementNest) -> bool:
    """Whether consecutive instances are consecutive points of time, without gaps."""
    return _is_unimodular(tuple(row_matrix(nest)))


@lru_cache(maxsize=1024)
def _is_unimodular(rows: tuple[tuple[int, ...], ...]) -> bool:
    width = len(rows[0]) if rows else 0
    return len(rows) == width and (not rows or abs(determinant(rows)) == 1)


def guarded_statements(nests: Sequence[StatementNest], scop: Scop) -> frozenset[str]:
    """Statements that run in a part of a loop that they share with others.

    Tile loops are not looked at: what differs there differs in the point loops too.
    """
    groups: dict[tuple[NodePath, int], list[StatementNest]] = {}
    for nest in nests:
        for member in nest.members:
            if member.kind == "point":
                groups.setdefault((member.path, member.position), []).append(nest)
    found: set[str] = set()
    for (path, position), sharing in groups.items():
        if len(sharing) > 1:
            entries = tuple((n.name, _prefix(n, path, position)) for n in sharing)
            found |= _partial(scop, entries)
    return frozenset(found)


def _prefix(nest: StatementNest, path: NodePath, position: int) -> _Rows:
    """The point rows from the outermost to one of them."""
    rows = []
    for m in nest.members:
        if m.kind == "point":
            rows.append((m.coefficients, m.constant, m.parameters))
        if (m.path, m.position) == (path, position):
            break
    return tuple(rows)


@lru_cache(maxsize=2048)
def _partial(scop: Scop, entries: tuple[tuple[str, _Rows], ...]) -> frozenset[str]:
    """The statements whose image under their rows is less than that of all."""
    try:
        with operation_limit(scop.context.get_ctx(), MAX_OPERATIONS):
            images = {name: _image(scop, name, rows) for name, rows in entries}
            total = isl.Set.empty(next(iter(images.values())).get_space())
            for image in images.values():
                total = total.union(image)
            return frozenset(n for n, i in images.items() if not total.is_subset(i))
    except (LimitError, isl.Error):  # a parse cut short is a "syntax error" to isl
        return frozenset(name for name, _ in entries)


@lru_cache(maxsize=4096)
def _image(scop: Scop, name: str, rows: _Rows) -> isl.Set:
    domain = scop.statement(name).domain.intersect_params(scop.context)
    names = dim_names(domain)
    texts = []
    for coefficients, constant, parameters in rows:
        terms = [f"{c}{n}" for c, n in zip(coefficients, names, strict=True) if c]
        terms += [f"{c}{n}" for n, c in parameters]
        texts.append(" + ".join([*terms, str(constant)]))
    prefix = ", ".join(dict.fromkeys(n for *_, pairs in rows for n, _ in pairs))
    tuple_text = f"{name}[{', '.join(names)}]"
    function = f"[{prefix}] -> {{ {tuple_text} -> [{', '.join(texts)}] }}"
    return domain.apply(isl.Map(function))


def n_copies(nest: StatementNest) -> int:
    """Copies of a statement that unrolling makes."""
    copies = 1
    for member in nest.members:
        if member.unrolled:
            copies *= min(nest.tile_sizes(member), default=1)
    return copies


def loop_keys(nests: Sequence[StatementNest]) -> dict[tuple[NodePath, int], Member]:
    """Rolled members that move some statement: the loops of the code."""
    return {
        (nest.members[k].path, nest.members[k].position): nest.members[k]
        for nest in nests
        for k in nest.moving
        if not nest.members[k].unrolled
    }
