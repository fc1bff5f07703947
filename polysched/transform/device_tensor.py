"""Products of matrices for tensor cores: which bands are some, and their tiles."""

from __future__ import annotations

from dataclasses import dataclass

from polysched.analysis import (
    AddedProduct,
    Dependences,
    Reduction,
    match_product,
)
from polysched.ir import Expr, Iter, Load, NodePath, Scop, walk
from polysched.ir.types import DOUBLE, FLOAT
from polysched.transform.band_view import view_band
from polysched.transform.contract import DEPTH, HALF_DEPTH, TENSOR_SIDE, Contract
from polysched.transform.draft import Draft, has_band_below
from polysched.transform.launch import MAX_GRID_MEMBERS
from polysched.transform.order import Order
from polysched.transform.roles import Contraction, find_contraction


@dataclass(frozen=True)
class TensorShape:
    """How a block of a product looks whose warps multiply doubles in tensor cores.

    Attributes
    ----------
    rows, columns : int
        Results of a block; of floats twice as many columns.
    depth : int
        Terms of a tile; of numbers of two bytes twice as many.
    warps : tuple of int
        Over rows and columns.
    stages : int
        Tiles in shared memory.
    """

    rows: int
    columns: int
    depth: int
    warps: tuple[int, int]
    stages: int


def may_multiply(deps: Dependences) -> bool:
    """Whether any sum may be added up as tensor cores do."""
    return any(_is_allowed(deps, r.statement) for r in deps.reductions)


def stage_tensor(
    draft: Draft, scop: Scop, shape: TensorShape, path: NodePath
) -> Draft | None:
    """Tile a product of matrices, or None where the band runs none that they take."""
    if has_band_below(draft.node(path)):
        return None
    band = view_band(draft, scop, path)
    found = find_contraction(band)
    if found is None or found.statement.single or len(found.inside) != 1:
        return None
    name = found.statement.name
    shared = (*found.outside, found.row, found.lane)
    is_free = all(band.coincident[k] for k in shared)
    if len(shared) > MAX_GRID_MEMBERS or not is_free:
        return None
    if not _is_allowed(draft.deps, name) or not _is_product(found, scop):
        return None
    halves = _reduction(draft.deps, name).halves
    depth = (
        _choose_depth(found, scop, shape.depth)
        if halves is None
        else _fit_depth(found, 2 * shape.depth, HALF_DEPTH)
    )
    if depth is None:
        return None
    order = (*shared, *found.inside)
    if order != tuple(range(band.n_members)):
        draft = draft.do(Order(path, order))
    is_float = _reduction(draft.deps, name).target.type == FLOAT
    rows, row_run = _fit(shape.rows, shape.warps[0], found.extent(found.row))
    columns = shape.columns * (2 if is_float else 1)
    columns, column_run = _fit(columns, shape.warps[1], found.extent(found.lane))
    ones = (1,) * len(found.outside)
    return draft.attempt(
        Contract(
            path,
            (*ones, rows, columns, depth),
            (*ones, rows // row_run, columns // column_run),
            (*ones, row_run, column_run),
            shape.stages,
            tensor=True,
        )
    )


def _choose_depth(found: Contraction, scop: Scop, most: int) -> int | None:
    """Terms of a tile; None where a factor that is scaled would meet an edge."""
    extent = found.extent(found.inside[0])
    product = match_product(scop.statement(found.statement.name).body[0])
    assert product is not None
    if isinstance(product.left, Load) and isinstance(product.right, Load):
        return _fit_depth(found, most, DEPTH)
    if found.band.extent(found.inside[0]) is None:
        return None
    sizes = range(most, 0, -DEPTH)
    return next((size for size in sizes if extent % size == 0), None)


def _fit_depth(found: Contraction, most: int, step: int) -> int:
    """Terms of a tile: no more than there are, but a multiple of an instruction's."""
    return min(most, -(-found.extent(found.inside[0]) // step) * step)


def _fit(size: int, n_warps: int, extent: int) -> tuple[int, int]:
    """Results of a block along a member, and of a warp: no more than there are."""
    run = size // n_warps
    while size > TENSOR_SIDE and size >= 2 * extent:
        size //= 2
    return size, min(run, size)


def _reduction(deps: Dependences, name: str) -> Reduction:
    return next(r for r in deps.reductions if r.statement == name)


def _is_allowed(deps: Dependences, name: str) -> bool:
    """Whether a statement's terms may be reordered and, where they are, rounded."""
    for r in deps.reductions:
        if r.statement == name and r.op in ("+", "-"):
            is_exact = deps.may_round or r.halves is not None
            return r.target.type == DOUBLE or (r.target.type == FLOAT and is_exact)
    return False


def _is_product(found: Contraction, scop: Scop) -> bool:
    """Whether one factor moves with rows, the other with columns, both with terms."""
    statement = scop.statement(found.statement.name)
    if len(statement.body) != 1:
        return False
    product = match_product(statement.body[0])
    if product is None or (product.halves is None and _has_halves(product)):
        return False
    names = statement.iterators
    row, lane, term = (
        names[found.iterator(k)] for k in (found.row, found.lane, found.inside[0])
    )
    moved = {
        frozenset(_iterators(side) & {row, lane, term})
        for side in (product.left, product.right)
    }
    return moved == {frozenset((row, term)), frozenset((lane, term))}


def _has_halves(product: AddedProduct) -> bool:
    """Whether elements of two bytes are in it."""
    parts = (e for side in (product.left, product.right) for e in walk(side))
    return any(isinstance(e, Load) and e.type.is_half for e in parts)


def _iterators(side: Expr) -> set[str]:
    """Of the one element with subscripts that a factor has; none where it has more."""
    loads = {e for e in walk(side) if isinstance(e, Load) and e.subscripts}
    if len(loads) != 1:
        return set()
    return {e.name for e in walk(loads.pop()) if isinstance(e, Iter)}
