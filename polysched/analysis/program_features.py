"""What a SCoP is like, as numbers: size, shape, operations, patterns."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

import islpy as isl

from polysched.analysis.reductions import find_reductions
from polysched.ir import (
    Access,
    Action,
    Assign,
    Binary,
    Call,
    Cast,
    Const,
    Expr,
    Guard,
    Iter,
    Let,
    Load,
    Lookup,
    Param,
    Repeat,
    Scop,
    Select,
    Statement,
    Unary,
    action_expressions,
    inner_actions,
    walk,
)
from polysched.ir.expr import COMPARISONS
from polysched.sets import list_basic_sets

_INSTRUCTIONS = frozenset(
    name + suffix
    for name in (
        "abs", "labs", "llabs", "sqrt", "fabs", "copysign", "fma", "fmin", "fmax",
        "floor", "ceil", "trunc", "round", "rint", "nearbyint", "lrint", "llrint",
        "lround", "llround", "isnan", "isinf", "isfinite", "signbit",
    )
    for suffix in ("", "f")
)  # fmt: skip
DATA_TURNS = 16  # of a loop that ends when data say so: nobody knows
_LOW_BITS = frozenset("+-*&|^~")  # operators of which low bits need no others
_MIN_STENCIL_POINTS = 3  # a value and a neighbour on either side


def operation_count(action: Action) -> int:
    """Arithmetic operations of one execution, the dearer branch of conditions.

    Operators, calls of library functions and conditional selections count one each, of
    the file's functions what is in them; subscripts, casts and comparisons inside of
    conditions do not count. Loops that data end are taken to make `DATA_TURNS` turns.
    """
    match action:
        case Assign(_, op, value) | Let(_, op, Expr() as value):
            return expression_operations(value) + (op != "=")
        case Guard(cond, then, other):
            dearer = max(sum(map(operation_count, side)) for side in (then, other))
            return expression_operations(cond) + dearer
        case Repeat(cond, body, start, step):
            turn = sum(map(operation_count, (*body, *step)))
            turn += expression_operations(cond)
            return sum(map(operation_count, start)) + DATA_TURNS * turn
    return 0


def division_count(action: Action, *, by_shifts: bool = False) -> int:
    """Quotients and remainders of integers in one execution, outside of subscripts.

    Those by a power of two, which are shifts, or all others.
    """
    expressions = action_expressions(action)
    return sum(_divisions(expr, by_shifts=by_shifts) for expr in expressions)


def call_count(action: Action) -> int:
    """Calls of one execution that stay calls, outside of subscripts.

    Processors have instructions for the others, or a few that compilers know.
    """
    return sum(_calls(expr) for expr in action_expressions(action))


def is_instruction(name: str) -> bool:
    """Whether calls of a library's function become an instruction, or a few."""
    return name in _INSTRUCTIONS


@lru_cache(maxsize=1024)  # statements, of which each schedule asks the same
def keeps_low_bits(statement: Statement) -> bool:
    """Whether the result's bytes depend on no others of what is computed on the way.

    So it is for sums, products and choices between elements, and not for quotients,
    shifts to the right and conversions.
    """
    computed = [
        e
        for action in statement.body
        for top in action_expressions(action)
        for e in walk(top)
        if not isinstance(e, Load | Const | Iter | Param | Select)
    ]
    kept = _LOW_BITS | COMPARISONS
    return bool(statement.body) and all(
        isinstance(e, Unary | Binary) and e.op in kept for e in computed
    )


def _calls(expr: Expr) -> int:
    if isinstance(expr, Load):
        return 0
    own = isinstance(expr, Call) and (expr.is_own or not is_instruction(expr.name))
    return own + sum(map(_calls, expr.operands))


def _divisions(expr: Expr, *, by_shifts: bool) -> int:
    if isinstance(expr, Load):
        return 0
    own = isinstance(expr, Binary) and expr.op in ("/", "%")
    own = own and not expr.dtype.is_float
    own = own and _is_by_power_of_two(expr) == by_shifts
    return own + sum(_divisions(e, by_shifts=by_shifts) for e in expr.operands)


def _is_by_power_of_two(expr: Expr) -> bool:
    match expr:
        case Binary(_, _, Const(int(divisor))):
            return divisor > 0 and not divisor & (divisor - 1)
    return False


def expression_operations(expr: Expr) -> int:
    """Arithmetic operations of one evaluation, as `operation_count` counts them."""
    match expr:
        case Load():
            return 0
        case Select(cond, then, other):
            dearer = max(expression_operations(then), expression_operations(other))
            return 1 + expression_operations(cond) + dearer
        case Binary("<" | "<=" | ">" | ">=" | "==" | "!=" | "&&" | "||"):
            own = 0
        case Call(_, _, _, n_operations):
            own = n_operations
        case Binary() | Lookup():
            own = 1
        case Unary(op):
            own = int(op in ("-", "~"))
        case _:
            own = 0
    return own + sum(expression_operations(e) for e in expr.operands)


def fused_count(action: Action) -> int:
    """Additions of one execution that a multiplication before them takes along.

    Those of a product that stands on either side: ``a * b + c``; of several such pairs
    in branches of conditions, all.
    """
    if isinstance(action, Repeat):
        return DATA_TURNS * sum(map(fused_count, action.body))
    if not isinstance(action, Assign):
        return sum(map(fused_count, inner_actions(action)))
    own = action.op in ("+=", "-=") and _is_product(action.value)
    return _fused(action.value) + own


def _fused(expr: Expr) -> int:
    if isinstance(expr, Load):
        return 0
    own = isinstance(expr, Binary) and expr.op in "+-"
    own = own and any(map(_is_product, expr.operands))
    return own + sum(map(_fused, expr.operands))


def _is_product(expr: Expr) -> bool:
    return isinstance(expr, Binary) and expr.op == "*"


def program_features(scop: Scop) -> dict[str, float]:
    """Features of a SCoP that hold for all its schedules.

    Parameters
    ----------
    scop : Scop
        Any SCoP.

    Returns
    -------
    dict of str to float
        Counts (``n_...``), operations per instance (``flops_...``) and flags (0 or 1):
        ``is_stencil``: a statement reads three or more elements of one array that
        differ by constants only; ``is_iterative_stencil``: it does so inside of a loop
        that no subscript of what it writes contains; ``is_reduction``: there are
        reductions; ``is_dense_linear_algebra``: a product of two array elements is
        accumulated; ``is_streaming``: every array element is touched by one instance of
        each statement only; ``is_triangular``: some domain is no box.
    """
    statements = scop.statements
    reductions = find_reductions(scop)
    flops = [sum(operation_count(a) for a in s.body) for s in statements]
    stencils = [s for s in statements if _is_stencil(s)]
    accumulating = {r.statement for r in reductions}
    return {
        "n_statements": float(len(statements)),
        "n_parameters": float(len(scop.parameters)),
        "n_arrays": float(sum(not a.is_scalar for a in scop.arrays)),
        "n_scalars": float(sum(a.is_scalar for a in scop.arrays)),
        "n_private": float(sum(a.is_private for a in scop.arrays)),
        "n_dims_max": float(max((len(a.extents) for a in scop.arrays), default=0)),
        "n_loops_max": float(max((s.n_loops for s in statements), default=0)),
        "n_loops_min": float(min((s.n_loops for s in statements), default=0)),
        "n_nests": float(len({s.position[0] for s in statements})),
        "n_accesses": float(sum(len(s.accesses) for s in statements)),
        "n_reductions": float(len(reductions)),
        "n_conditional": float(sum(_is_conditional(s) for s in statements)),
        "flops_max": float(max(flops, default=0)),
        "flops_sum": float(sum(flops)),
        "is_floating": float(any(a.type.is_float for a in scop.arrays)),
        "is_single": float(any(a.type.name == "float" for a in scop.arrays)),
        "is_stencil": float(bool(stencils)),
        "is_iterative_stencil": float(any(_has_time_loop(s) for s in stencils)),
        "is_reduction": float(bool(reductions)),
        "is_dense_linear_algebra": float(
            any(s.name in accumulating and _multiplies(s) for s in statements)
        ),
        "is_streaming": float(all(_touches_once(s) for s in statements)),
        "is_triangular": float(any(not is_box(s.domain) for s in statements)),
        "is_downward": float(any(-1 in s.directions for s in statements)),
    }


def _is_conditional(statement: Statement) -> bool:
    return any(a.kind == "may_write" for a in statement.accesses)


def _is_stencil(statement: Statement) -> bool:
    """Whether enough reads of one array are shifts of each other."""
    by_array: dict[str, list[Access]] = {}
    for access in statement.reads:
        if access.relation.dim(isl.dim_type.out):
            by_array.setdefault(access.array, []).append(access)
    return any(
        1 + sum(_is_shift(first.relation, other.relation) for other in rest)
        >= _MIN_STENCIL_POINTS
        for first, *rest in by_array.values()
    )


def _is_shift(a: isl.Map, b: isl.Map) -> bool:
    """Whether two accesses of each instance differ by one constant, not zero."""
    difference = a.range_product(b).range().unwrap().deltas()
    return bool(difference.is_singleton()) and not a.is_equal(b)


def _has_time_loop(statement: Statement) -> bool:
    """Whether some loop repeats the statement's writes."""
    return any(not w.relation.is_injective() for w in statement.writes)


def _touches_once(statement: Statement) -> bool:
    return all(
        a.relation.is_injective()
        for a in statement.accesses
        if a.relation.dim(isl.dim_type.out)
    )


def _multiplies(statement: Statement) -> bool:
    """Whether a product of two array elements is computed."""

    def expressions(actions: tuple[Action, ...]) -> Iterator[Expr]:
        for action in actions:
            if isinstance(action, Assign):
                yield action.value
            yield from expressions(inner_actions(action))

    return any(
        sum(_has_element(factor) for factor in _factors(node)) >= 2
        for top in expressions(statement.body)
        for node in _products(top)
    )


def _products(expr: Expr) -> Iterator[Expr]:
    if isinstance(expr, Binary) and expr.op == "*":
        yield expr
    if not isinstance(expr, Load):
        for operand in expr.operands:
            yield from _products(operand)


def _factors(expr: Expr) -> list[Expr]:
    if isinstance(expr, Binary) and expr.op == "*":
        return _factors(expr.left) + _factors(expr.right)
    return [expr]


def _has_element(expr: Expr) -> bool:
    while isinstance(expr, Cast):
        expr = expr.operand
    return isinstance(expr, Load) and bool(expr.subscripts)


def is_box(domain: isl.Set) -> bool:
    """Whether a domain is rectangular: every constraint bounds a single dimension."""
    for piece in list_basic_sets(domain):
        for constraint in piece.get_constraints():
            used = [
                k
                for k in range(int(piece.dim(isl.dim_type.set)))
                if constraint.involves_dims(isl.dim_type.set, k, 1)
            ]
            if len(used) > 1:
                return False
    return True
