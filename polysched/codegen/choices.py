"""Values between which an expression chooses, with names of their own."""

from __future__ import annotations

from collections.abc import Iterator, Set

from polysched.ir import (
    Action,
    Assign,
    Binary,
    Call,
    Cast,
    Const,
    Expr,
    Load,
    Local,
    Lookup,
    Select,
    Unary,
    map_expr,
    walk,
)

_CHEAP = frozenset(("+", "-", "*", "<", "<=", ">", ">=", "==", "!=", "&&", "||", "!"))


def name_choices(
    body: tuple[Action, ...], taken: Set[str], *, in_lanes: bool = False
) -> tuple[tuple[Action, ...], dict[str, Expr]]:
    """A body that chooses between names, and the values of these.

    Functions like ``max(a, max(b, c))`` were read as what they return, ``a > (b > c ?
    b : c) ? a : (b > c ? b : c)``. Compilers make branches of a choice that stands
    there twice, and of ``x - 1 > y - 4 ? x - 1 : y - 4``, whose comparison they
    simplify to one of other values; ``u > v ? u : v`` is an instruction. Only what
    every instance computes in any case gets a name.

    In vector lanes so does a choice that another one skips, as in the limiter ``p > 0 ?
    (a < b ? a : b) : 0``: compilers keep masks for what a lane must not compare, and
    even multiply once for each side. It is of floating point, made of values that
    every instance loads, and nothing in it is divided or called.

    Of ``x < 0 ? x - 0.5 : x + 0.5`` what is added is chosen, ``x + (x < 0 ? -0.5 :
    0.5)``, which is the same number: an addition that may not be made for nothing, for
    it might trap, is a branch.

    Parameters
    ----------
    body : tuple of Action
        Of a statement; one of several assignments stays as it is.
    taken : set of str
        Names that must not be hidden.
    in_lanes : bool
        Whether the statement runs in vector lanes.

    Returns
    -------
    tuple of Action, dict of str to Expr
        The new body; values by name, of which later ones may use earlier ones.
    """
    named: dict[str, Expr] = {}
    match body:
        case (Assign(target, op, value),):
            value = _chosen_before(value)
            loaded = frozenset(_always_loaded(value)) if in_lanes else frozenset()
            found = _with_names(value, named, taken, loaded)
            return (Assign(target, op, found),), named
    return body, named


def _with_names(
    value: Expr, named: dict[str, Expr], taken: Set[str], loaded: Set[Expr]
) -> Expr:
    """The value with names, which are added in the order in which they are needed."""
    while (found := _find_chosen(value) or _find_skipped(value, loaded)) is not None:
        inner = _with_names(found, named, taken, loaded)
        name = next(
            n
            for k in range(len(named) + len(taken) + 1)
            if (n := f"choice{k + 1}") not in taken | named.keys()
        )
        named[name] = inner
        value = _replaced(value, found, Load(name, (), found.dtype))
    return value


def _chosen_before(expr: Expr) -> Expr:
    """The value with operands chosen in place of sums, products and quotients."""

    def change(part: Expr) -> Expr | None:
        if not isinstance(part, Select) or not part.dtype.is_float:
            return None
        cond, then, other = map(_chosen_before, (part.cond, part.then, part.other))
        return _with_operand(cond, then, other) or Select(cond, then, other)

    return map_expr(expr, change)


def _with_operand(cond: Expr, then: Expr, other: Expr) -> Expr | None:
    """What chooses an operand of an operation; None where that is not the same."""
    if not isinstance(then, Binary) or not isinstance(other, Binary):
        return None
    operands = then.operands + other.operands
    if len({e.dtype for e in operands}) > 1 or then.op not in ("+", "-", "*", "/"):
        return None
    if then.op == other.op and then.left == other.left:
        return Binary(then.op, then.left, Select(cond, then.right, other.right))
    if then.op == other.op and then.right == other.right:
        return Binary(then.op, Select(cond, then.left, other.left), then.right)
    if {then.op, other.op} == {"+", "-"} and then.left == other.left:
        added = [e.right if e.op == "+" else Unary("-", e.right) for e in (then, other)]
        return Binary("+", then.left, Select(cond, *added))
    return None


def _replaced(value: Expr, old: Expr, new: Expr) -> Expr:
    return map_expr(value, lambda e: new if e == old else None)


def _find_chosen(value: Expr) -> Expr | None:
    """A value that is compared in any case and then chosen, worth a name."""
    for choice in _always_made(value):
        cond = choice.cond
        if isinstance(cond, Binary) and cond.op in ("<", "<=", ">", ">="):
            for compared in cond.operands:
                if compared in (choice.then, choice.other) and _is_long(compared):
                    return compared
    return None


def _find_skipped(value: Expr, loaded: Set[Expr]) -> Expr | None:
    """A choice that another one skips, and that may be made in any case."""
    for choice in _always_made(value):
        for side in (choice.then, choice.other):
            for expr in walk(side):
                if isinstance(expr, Select) and _is_free(expr, loaded):
                    return expr
    return None


def _is_free(expr: Expr, loaded: Set[Expr]) -> bool:
    """Whether a value of floating point may be computed where nobody asks for it."""
    match expr:
        case Load():
            return expr in loaded
        case Const(_, type_, _):
            return type_.is_float
        case Select(cond, then, other):
            parts = cond, then, other
            return expr.dtype.is_float and all(_is_free(e, loaded) for e in parts)
        case Binary(op, _, _) | Unary(op, _):
            return op in _CHEAP and all(_is_free(e, loaded) for e in expr.operands)
    return False


def _always_loaded(expr: Expr) -> Iterator[Load]:
    """What an expression loads of floating point, whatever it chooses."""
    match expr:
        case Load(_, _, type_):
            if type_.is_float:
                yield expr
        case Select(first, _, _) | Binary("&&" | "||", first, _):
            yield from _always_loaded(first)
        case Binary() | Unary() | Call() | Cast():
            for operand in expr.operands:
                yield from _always_loaded(operand)


def _is_long(expr: Expr) -> bool:
    """Whether it holds a choice, or is an integer computed from data."""
    if any(isinstance(e, Select) for e in walk(expr)):
        return True
    has_data = any(isinstance(e, Load | Local | Call | Lookup) for e in walk(expr))
    return has_data and not expr.dtype.is_float and not isinstance(expr, Load)


def _always_made(expr: Expr) -> Iterator[Select]:
    """The choices in an expression that no other one skips."""
    match expr:
        case Select(cond, _, _):
            yield expr
            yield from _always_made(cond)
        case Binary("&&" | "||", left, _):
            yield from _always_made(left)
        case Binary() | Unary() | Call() | Lookup() | Cast():
            for operand in expr.operands:
                yield from _always_made(operand)
