"""Scalar expressions and statements: the small program that is printed as C."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from itertools import dropwhile

from polysched.tensor.ast_source import Place
from polysched.tensor.size import Size

COMPARISONS = frozenset({"<", "<=", ">", ">=", "==", "!="})
LOGICAL = frozenset({"&&", "||", "!"})


@dataclass(eq=False)
class Storage:
    """An array, or a scalar variable when it has no extents.

    Attributes
    ----------
    name : str
        The C identifier.
    dtype : str
        Element type.
    extents : tuple of Size
        Over sizes and integer arguments only.
    kind : str
        "argument", "temporary", "result", or "local" for a scalar variable.
    is_weak : bool
        Whether a scalar variable holds Python numbers.
    place : Place, optional
        Where in the Python source it comes into being.
    is_fixed : bool
        Whether it never changes (a scalar argument).
    copied_from : set of str
        Arrays that it was copied from though in Python its name means the array
        itself: neither may be changed while both are in use.
    shape : tuple of Size
        Elements per dimension in Python, of an argument that is flat in C.
    """

    name: str
    dtype: str
    extents: tuple[Size, ...] = ()
    kind: str = "temporary"
    is_weak: bool = False
    place: Place | None = None
    is_fixed: bool = False
    copied_from: set[str] = field(default_factory=set)
    shape: tuple[Size, ...] = ()


@dataclass(frozen=True)
class Expr:
    """Base of scalar expressions: a NumPy type, and whether it is a Python number."""

    dtype: str
    is_weak: bool = False

    @property
    def args(self) -> tuple[Expr, ...]:
        """Operands."""
        return ()


@dataclass(frozen=True)
class Const(Expr):
    """A number."""

    value: int | float | bool = 0


@dataclass(frozen=True)
class Index(Expr):
    """An integer that is quasi-affine in sizes and iterators."""

    size: Size = field(default_factory=Size)


@dataclass(frozen=True)
class Load(Expr):
    """The value of an element, or of a scalar variable."""

    storage: Storage = field(kw_only=True)
    subscripts: tuple[Size, ...] = ()


@dataclass(frozen=True)
class Op(Expr):
    """An operator of C, "cast", "?:", or a call (the name of the function).

    Operands have the types that C is to see: no conversion is left to C, but that
    of an `Index` or `Const` to a wider type.
    """

    op: str = ""
    operands: tuple[Expr, ...] = ()

    @property
    def args(self) -> tuple[Expr, ...]:
        return self.operands


@dataclass(frozen=True, eq=False)
class Node:
    """Base of statements; `place` is the Python statement's."""

    place: Place | None


@dataclass(frozen=True, eq=False)
class Assign(Node):
    """``target = value``.

    `is_unordered` says that it adds a term to a sum, or a factor to a product, for
    which NumPy promises no order.
    """

    target: Load
    value: Expr
    is_unordered: bool = False


@dataclass(frozen=True, eq=False)
class For(Node):
    """A loop from `start` (inclusive) to `stop` (exclusive) by a constant step.

    `is_written` says that the Python program has it: others run over the elements of
    one operation on arrays.
    """

    iterator: str
    start: Size
    stop: Size
    step: int
    body: list[Node]
    is_written: bool = False


@dataclass(frozen=True, eq=False)
class If(Node):
    """A condition around statements."""

    condition: Expr
    body: list[Node]
    orelse: list[Node] = field(default_factory=list)


@dataclass(frozen=True, eq=False)
class While(Node):
    """A loop that goes on as long as a condition on data holds."""

    condition: Expr
    body: list[Node]


@dataclass(frozen=True, eq=False)
class Break(Node):
    """Leaves the innermost loop."""


def walk(expr: Expr) -> Iterator[Expr]:
    """The expression and everything in it."""
    yield expr
    for arg in expr.args:
        yield from walk(arg)


def loads(expr: Expr) -> list[Load]:
    """All loads of an expression."""
    return [e for e in walk(expr) if isinstance(e, Load)]


def map_expr(expr: Expr, change: Callable[[Expr], Expr | None]) -> Expr:
    """The expression with every node that `change` answers for replaced."""
    new = change(expr)
    if new is not None:
        return new
    if isinstance(expr, Op):
        return replace(expr, operands=tuple(map_expr(a, change) for a in expr.operands))
    return expr


def substitute(expr: Expr, values: dict[str, Size]) -> Expr:
    """The expression with symbols in subscripts and integers replaced."""

    def change(node: Expr) -> Expr | None:
        if isinstance(node, Index):
            return replace(node, size=node.size.substitute(values))
        if isinstance(node, Load):
            subs = tuple(s.substitute(values) for s in node.subscripts)
            return replace(node, subscripts=subs)
        return None

    return map_expr(expr, change)


def walk_nodes(nodes: list[Node]) -> Iterator[Node]:
    """All statements of a block and of the blocks in it, in order."""
    for node in nodes:
        yield node
        for block in blocks_of(node):
            yield from walk_nodes(block)


def blocks_of(node: Node) -> tuple[list[Node], ...]:
    """The blocks of statements in a statement."""
    if isinstance(node, (For, While)):
        return (node.body,)
    return (node.body, node.orelse) if isinstance(node, If) else ()


def expressions_of(node: Node) -> tuple[Expr, ...]:
    """What a statement itself computes, without the blocks in it."""
    if isinstance(node, Assign):
        return (node.value,)
    return (node.condition,) if isinstance(node, (If, While)) else ()


def is_left_early(node: Node) -> bool:
    """Whether it is a loop that may end before all of its iterations are done."""
    if isinstance(node, While):
        return True
    return isinstance(node, For) and any(map(_leaves, node.body))


def is_ended_by_data(node: Node) -> bool:
    """Whether it is a loop of which data say how often it turns.

    Sizes and iterators say it where an iteration begins with ``if ...: break``.
    """
    if not isinstance(node, For):
        return isinstance(node, While)
    rest = dropwhile(_begins_with_exit, node.body)
    return any(map(_leaves, rest))


def _begins_with_exit(node: Node) -> bool:
    if not isinstance(node, If) or node.orelse or not is_affine(node.condition):
        return False
    return len(node.body) == 1 and isinstance(node.body[0], Break)


def _leaves(node: Node) -> bool:
    """Whether a statement may leave the loop around it."""
    if isinstance(node, Break):
        return True
    return isinstance(node, If) and any(_leaves(n) for b in blocks_of(node) for n in b)


def is_affine(condition: Expr) -> bool:
    """Whether a condition depends on sizes and iterators only."""
    if isinstance(condition, Op) and condition.op in LOGICAL:
        return all(is_affine(a) for a in condition.operands)
    if isinstance(condition, Op) and condition.op in COMPARISONS:
        return all(as_index(a) is not None for a in condition.operands)
    return isinstance(condition, Const)


def as_index(expr: Expr) -> Size | None:
    """The integer as a quasi-affine `Size`; None if it is not one."""
    if isinstance(expr, Index):
        return expr.size
    if isinstance(expr, Const) and not isinstance(expr.value, float):
        return Size((), int(expr.value))
    return None


def condition_text(condition: Expr) -> str:
    """An affine condition in isl's language, `Wrapped` atoms excluded."""
    if isinstance(condition, Const):
        return "1 = 1" if condition.value else "1 = 0"
    assert isinstance(condition, Op)
    if condition.op == "!":
        return f"not ({condition_text(condition.operands[0])})"
    if condition.op in LOGICAL:
        word = " and " if condition.op == "&&" else " or "
        return word.join(f"({condition_text(a)})" for a in condition.operands)
    left, right = (as_index(a) for a in condition.operands)
    assert left is not None
    assert right is not None
    op = {"==": "=", "!=": "!="}.get(condition.op, condition.op)
    return f"{left.to_text('isl')} {op} {right.to_text('isl')}"
