"""Expressions: what one statement instance computes, with C's meaning.

Nodes are immutable and carry their C type. Subscripts are expressions over iterators
and parameters; the polyhedral view of the same access is `Access.relation`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from polysched.ir.types import INT, ScalarType, common_type, promote

COMPARISONS = frozenset({"<", "<=", ">", ">=", "==", "!="})
MIRRORED = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}  # with operands exchanged
LOGICAL = frozenset({"&&", "||"})
SHIFTS = frozenset({"<<", ">>"})


@dataclass(frozen=True)
class Expr:
    """Base of all expression nodes; `dtype` is the C type of the value."""

    @property
    def dtype(self) -> ScalarType:
        """The C type of the value."""
        raise NotImplementedError

    @property
    def operands(self) -> tuple[Expr, ...]:
        """Direct sub-expressions, in order of evaluation."""
        return ()


@dataclass(frozen=True)
class Const(Expr):
    """A literal. `text` is its exact C spelling (``1.5f``), kept for printing."""

    value: int | float
    type: ScalarType
    text: str

    @property
    def dtype(self) -> ScalarType:
        return self.type


@dataclass(frozen=True)
class Iter(Expr):
    """The value of a loop iterator of the statement."""

    name: str
    type: ScalarType = INT

    @property
    def dtype(self) -> ScalarType:
        return self.type


@dataclass(frozen=True)
class Param(Expr):
    """The value of a parameter: an integer scalar that the SCoP never writes."""

    name: str
    type: ScalarType = INT

    @property
    def dtype(self) -> ScalarType:
        return self.type


@dataclass(frozen=True)
class Element(Expr):
    """An element of an array, or a scalar: what `Load` and `Lookup` have in common."""

    array: str
    subscripts: tuple[Expr, ...]
    type: ScalarType

    @property
    def dtype(self) -> ScalarType:
        return self.type

    @property
    def operands(self) -> tuple[Expr, ...]:
        return self.subscripts

    @property
    def is_chosen_by_data(self) -> bool:
        """Whether it is another element when other elements or variables change."""
        return any(map(depends_on_data, self.subscripts))


@dataclass(frozen=True)
class Load(Element):
    """One array element, or a scalar; also the target of `Assign`."""


@dataclass(frozen=True)
class Lookup(Element):
    """An element at a place that depends on data.

    What it may read is all of the array; in everything else it is like a call. Where
    the array is written as well, its elements stay where they are: nothing holds,
    copies or expands them (`Scop.looked_up`).
    """


@dataclass(frozen=True)
class Local(Expr):
    """The value of a variable that lives within one statement instance (`Let`)."""

    name: str
    type: ScalarType

    @property
    def dtype(self) -> ScalarType:
        return self.type


@dataclass(frozen=True)
class Unary(Expr):
    """``-x``, ``+x``, ``!x`` or ``~x``."""

    op: str
    operand: Expr

    @property
    def dtype(self) -> ScalarType:
        return INT if self.op == "!" else promote(self.operand.dtype)

    @property
    def operands(self) -> tuple[Expr, ...]:
        return (self.operand,)


@dataclass(frozen=True)
class Binary(Expr):
    """A C binary operator; `&&` and `||` evaluate lazily, `/` and `%` truncate."""

    op: str
    left: Expr
    right: Expr

    @property
    def dtype(self) -> ScalarType:
        if self.op in COMPARISONS or self.op in LOGICAL:
            return INT
        if self.op in SHIFTS:
            return promote(self.left.dtype)
        return common_type(self.left.dtype, self.right.dtype)

    @property
    def operands(self) -> tuple[Expr, ...]:
        return (self.left, self.right)


@dataclass(frozen=True)
class Call(Expr):
    """A call of a pure function; `type` is what it returns.

    `n_operations` says how many operations of arithmetic it takes, as an estimate.
    `is_own` says that the user's file defines it, whatever the C library has of that
    name.
    """

    name: str
    args: tuple[Expr, ...]
    type: ScalarType
    n_operations: int = 1
    is_own: bool = False

    @property
    def dtype(self) -> ScalarType:
        return self.type

    @property
    def operands(self) -> tuple[Expr, ...]:
        return self.args


@dataclass(frozen=True)
class Cast(Expr):
    """An explicit conversion ``(type)operand``."""

    type: ScalarType
    operand: Expr

    @property
    def dtype(self) -> ScalarType:
        return self.type

    @property
    def operands(self) -> tuple[Expr, ...]:
        return (self.operand,)


@dataclass(frozen=True)
class Select(Expr):
    """``cond ? then : other``; only the chosen side is evaluated."""

    cond: Expr
    then: Expr
    other: Expr

    @property
    def dtype(self) -> ScalarType:
        return common_type(self.then.dtype, self.other.dtype)

    @property
    def operands(self) -> tuple[Expr, ...]:
        return (self.cond, self.then, self.other)


def depends_on_data(subscript: Expr) -> bool:
    """Whether a subscript reads an element, or a variable of its instance."""
    return any(isinstance(e, Element | Local) for e in walk(subscript))


def walk(expr: Expr) -> Iterator[Expr]:
    """All nodes of an expression, parents before children."""
    todo = [expr]
    while todo:
        node = todo.pop()
        yield node
        todo.extend(reversed(node.operands))


def walk_evaluated(expr: Expr) -> Iterator[Expr]:
    """The nodes that are evaluated whatever conditions say, parents before children."""
    yield expr
    match expr:
        case Select(first, _, _) | Binary("&&" | "||", first, _):
            yield from walk_evaluated(first)
        case _:
            for operand in expr.operands:
                yield from walk_evaluated(operand)


def map_expr(expr: Expr, change: Callable[[Expr], Expr | None]) -> Expr:
    """A copy with nodes replaced from the root down; the same object if none is.

    `change` returns the replacement of a node (taken as it is, not descended into) or
    None to keep the node and go on with its operands.
    """
    replaced = change(expr)
    if replaced is not None:
        return replaced

    parts = tuple(map_expr(e, change) for e in expr.operands)
    if all(new is old for new, old in zip(parts, expr.operands, strict=True)):
        return expr
    match expr:
        case Load(array, _, type_):
            return Load(array, parts, type_)
        case Lookup(array, _, type_):
            return Lookup(array, parts, type_)
        case Unary(op, _):
            return Unary(op, *parts)
        case Binary(op, _, _):
            return Binary(op, *parts)
        case Call():
            return replace(expr, args=parts)
        case Cast(type_, _):
            return Cast(type_, *parts)
        case Select():
            return Select(*parts)
    raise AssertionError(f"no such expression: {expr!r}")
