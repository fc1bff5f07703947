"""Statements that accumulate into one element with an associative operator."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from typing import Literal

import islpy as isl

from polysched.analysis.extrema import (
    Extremum,
    find_extremum,
    match_call_or_choice,
    match_guarded,
)
from polysched.analysis.products import factors_of_two_bytes
from polysched.ir import (
    Action,
    Assign,
    Binary,
    Cast,
    Const,
    Element,
    Expr,
    Guard,
    Load,
    Lookup,
    ScalarType,
    Scop,
    Statement,
    Unary,
    assignments,
    map_action,
    map_expr,
    original_tree,
    walk,
)
from polysched.sets import list_maps, map_names

ReductionOp = Literal["+", "-", "*", "min", "max"]


@dataclass(frozen=True, eq=False)
class Reduction:
    """A statement ``x = x op e`` whose instances accumulate into shared elements.

    Attributes
    ----------
    statement : str
        Name of the statement.
    array : str
        The array (or scalar) that accumulates.
    op : {"+", "-", "*", "min", "max"}
        ``-`` subtracts every term; partial results are added and subtracted once.
    relation : isl.Map
        Self dependences that the reduction explains: pairs of instances that
        accumulate into the same element, first before second in the original order.
        Their order may change when the operator counts as associative.
    is_closed : bool
        Whether no other read of the statement, in any instance, can touch an element
        that the statement writes (``A[i][j] -= A[i][k] * A[k][j]`` is not closed: a
        partial result must not be read there).
    is_exact : bool
        Whether a change of order cannot change the result: integers (they wrap), min
        and max (of numbers: NaN and signed zeros aside).
    extremum : Extremum or None
        How parts of an extremum of floating-point numbers are put together where its
        terms are such that not even those matter.
    target : Load
        What accumulates, as the statement has it.
    element : isl.Map
        Instance to the element that accumulates, or to all that it may be.
    others : tuple of isl.Map
        Instance to elements of the same array that it reads besides.
    halves : ScalarType or None
        Of both factors, where the terms are products of two elements of two bytes,
        which a `float` holds exactly.
    """

    statement: str
    array: str
    op: ReductionOp
    relation: isl.Map
    is_closed: bool
    is_exact: bool
    target: Load
    element: isl.Map
    others: tuple[isl.Map, ...]
    halves: ScalarType | None = None
    extremum: Extremum | None = None

    @property
    def has_identity(self) -> bool:
        """Whether a number of every type changes nothing, for a sum to begin with."""
        return self.op not in ("min", "max")

    @property
    def is_scattered(self) -> bool:
        """Whether data decide which element an instance adds to."""
        return self.target.is_chosen_by_data


def find_reductions(scop: Scop) -> tuple[Reduction, ...]:
    """All reductions of a SCoP, in statement order.

    Parameters
    ----------
    scop : Scop
        Any SCoP.

    Returns
    -------
    tuple of Reduction
        The statements among `find_updates` of which some element is written by two
        instances.
    """
    return tuple(r for r in find_updates(scop) if not r.relation.is_empty())


def find_updates(scop: Scop) -> tuple[Reduction, ...]:
    """All statements ``x = x op e``, even where no element is updated twice.

    Recognised are ``x op= e`` and ``x = x op e`` with the operands in any order, sums
    and products of several terms, min and max by function, by conditional expression
    or by ``if (e > x) x = e``, each also below a data-dependent condition.

    Parameters
    ----------
    scop : Scop
        Any SCoP.

    Returns
    -------
    tuple of Reduction
        In statement order; only statements whose term never reads the accumulated
        element itself.
    """
    order = {map_names(m)[0]: m for m in list_maps(original_tree(scop).map)}
    found = []
    for statement in scop.statements:
        if len(statement.body) != 1 or statement.name not in order:
            continue
        matched = match_update(statement.body[0])
        if matched is None:
            continue
        target, op, terms = matched
        if not all(_accumulates(target, op, term) for term in terms):
            continue
        if target.is_chosen_by_data and _reads_besides(target, terms):
            continue
        n_others = len({e for t in terms for e in _loads(t, target.array)})
        reduction = _describe(scop, statement, matched, n_others, order[statement.name])
        if reduction is not None:
            found.append(reduction)
    return tuple(found)


_Match = tuple[Load, ReductionOp, list[Expr]]


def match_update(action: Action) -> _Match | None:
    """Target, operator and the terms that must not read the target."""
    if isinstance(action, Guard):
        extremum = match_guarded(_name_updated(action))
        if extremum is not None:
            return extremum[0], extremum[1], [extremum[2]]
        if len(action.then) != 1 or action.other:
            return None
        inner = match_update(action.then[0])
        if inner is None:
            return None
        target, op, terms = inner
        return target, op, [*terms, action.cond]
    if not isinstance(action, Assign):
        return None
    if action.op in ("+=", "-=", "*="):
        return action.target, action.op[0], [action.value]  # type: ignore[return-value]
    if action.op != "=":
        return None
    value = _without_casts(action.value)
    for matcher in (_match_sum, _match_product):
        matched = matcher(action.target, value)
        if matched is not None:
            return matched
    return _match_extremum(action.target, map_expr(value, _naming({action.target})))


def _name_updated(guard: Guard) -> Guard:
    """An action with what it writes as such, also where data choose the element."""
    named = map_action(guard, _naming({a.target for a in assignments(guard)}))
    assert isinstance(named, Guard)
    return named


def _naming(written: Collection[Load]) -> Callable[[Expr], Expr | None]:
    def change(expr: Expr) -> Expr | None:
        if not isinstance(expr, Lookup):
            return None
        same = Load(expr.array, expr.subscripts, expr.type)
        return same if same in written else None

    return change


def _without_casts(expr: Expr) -> Expr:
    """The expression without conversions to the type that it has already."""
    while isinstance(expr, Cast) and expr.type == expr.operand.dtype:
        expr = expr.operand
    return expr


def has_terms(action: Action) -> bool:
    """Whether it adds several terms to what it updates, as ``c += a * b + d * e``."""
    match action:
        case Assign(target, "+=" | "-=", value) if value.dtype == target.type:
            return len(sum_leaves(value, positive=True)) > 1
    return False


def _match_sum(target: Load, value: Expr) -> _Match | None:
    leaves = sum_leaves(value, positive=True)
    own = [positive for leaf, positive in leaves if leaf == target]
    others = [(leaf, positive) for leaf, positive in leaves if leaf != target]
    if own != [True] or not others:
        return None
    op: ReductionOp = "+" if any(positive for _, positive in others) else "-"
    return target, op, [leaf for leaf, _ in others]


def sum_leaves(expr: Expr, positive: bool) -> list[tuple[Expr, bool]]:
    """Terms of nested sums and differences of one type, each with its sign.

    Parameters
    ----------
    expr : Expr
        The sum; a conversion inside of it ends a term.
    positive : bool
        Whether it is added itself.

    Returns
    -------
    list of (Expr, bool)
        In the order of the text; True for those that are added.
    """
    match expr:
        case Binary("+" | "-" as op, left, right):
            same = positive if op == "+" else not positive
            return _leaves_or_self(left, expr, positive) + _leaves_or_self(
                right, expr, same
            )
        case Unary("-", operand):
            return _leaves_or_self(operand, expr, not positive)
    return [(expr, positive)]


def _leaves_or_self(
    part: Expr, parent: Expr, positive: bool
) -> list[tuple[Expr, bool]]:
    """Descend only where no conversion lies between."""
    if part.dtype == parent.dtype:
        return sum_leaves(part, positive)
    return [(part, positive)]


def _match_product(target: Load, value: Expr) -> _Match | None:
    leaves = _product_leaves(value)
    others = [leaf for leaf in leaves if leaf != target]
    if len(leaves) - len(others) != 1 or not others:
        return None
    return target, "*", others


def _product_leaves(expr: Expr) -> list[Expr]:
    if isinstance(expr, Binary) and expr.op == "*":
        leaves = []
        for part in expr.operands:
            same = part.dtype == expr.dtype
            leaves += _product_leaves(part) if same else [part]
        return leaves
    return [expr]


def _match_extremum(target: Load, value: Expr) -> _Match | None:
    found = match_call_or_choice(target, value)
    return None if found is None else (target, found[0], [found[1]])


def _loads(expr: Expr, array: str) -> list[Load]:
    return [e for e in walk(expr) if isinstance(e, Load) and e.array == array]


def _reads_besides(target: Load, terms: Iterable[Expr]) -> bool:
    """Whether terms or the target's subscripts may read any element of its array.

    As that may be the one that accumulates, whichever data choose.
    """
    read = (e for top in (*terms, *target.subscripts) for e in walk(top))
    return any(isinstance(e, Element) and e.array == target.array for e in read)


def _accumulates(target: Load, op: ReductionOp, term: Expr) -> bool:
    """Whether a term leaves the target's own value alone, and its type as well.

    An integer that accumulates floating terms is cut at every step; an extremum that
    cannot hold all values of its terms wraps.
    """
    if target in _loads(term, target.array):
        return False
    if target.type.is_float:
        return True
    if term.dtype.is_float:
        return False
    if op in ("min", "max"):
        if isinstance(term, Const):
            return _holds(target.type, int(term.value))
        same_kind = term.dtype.kind == target.type.kind
        return same_kind and term.dtype.n_bytes <= target.type.n_bytes
    return True


def _holds(type_: ScalarType, value: int) -> bool:
    """Whether an integer type has a value."""
    n_bits = 8 * type_.n_bytes
    if type_.kind == "uint":
        return 0 <= value < 1 << n_bits
    return -(1 << n_bits - 1) <= value < 1 << n_bits - 1


def _describe(
    scop: Scop, statement: Statement, matched: _Match, n_others: int, order: isl.Map
) -> Reduction | None:
    """The reduction, unless a term may read its element.

    `n_others` counts the different loads of the accumulating array in the terms.
    """
    target, op, terms = matched
    write = next(
        a.relation for a in statement.writes if a.array == target.array
    ).intersect_params(scop.context)
    relation = write.apply_range(write.reverse()).intersect(order.lex_lt_map(order))
    reads = [
        a.relation.intersect_params(scop.context)
        for a in statement.reads
        if a.array == target.array
    ]
    others = [read for read in reads if not read.is_equal(write)]
    if len(others) < n_others:
        return None
    if any(not read.intersect(write).is_empty() for read in others):
        return None
    written = write.range()
    return Reduction(
        statement.name,
        target.array,
        op,
        relation.coalesce(),
        all(read.range().intersect(written).is_empty() for read in others),
        op in ("min", "max") or not target.type.is_float,
        target,
        write,
        tuple(others),
        factors_of_two_bytes(statement.body),
        find_extremum(statement.body[0], target, op, terms),
    )
