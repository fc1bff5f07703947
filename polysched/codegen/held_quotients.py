"""Quotients and choices that do not move with a loop, computed once before it.

A division may fail, so that compilers leave one where it is reached under a condition,
and where they cannot tell that it is reached at all::

    for (int j = 0; j < m; j++)                   const int rest = n ? (i + 1) % n : 0;
      if (a[j] > 0)                        ==>    for (int j = 0; j < m; j++)
        g[i][j] = f[(i + 1) % n][j];                if (a[j] > 0)
                                                      g[i][j] = f[rest][j];

Divisors that are numbers are left alone: compilers multiply by their inverse. Of one
division within another both divisors are asked for, `n && m ? i / m % n : 0`: where the
loop does not run, neither division may.

A choice such as ``i > 0 ? i - 1 : 0``, the row above the first one, is a branch for
compilers, too, or as many reads as it has sides::

    for (int j = 0; j < m; j++)                   const int chosen = i > 0 ? i - 1 : 0;
      g[i][j] = f[i > 0 ? i - 1 : 0][j];   ==>    for (int j = 0; j < m; j++)
                                                    g[i][j] = f[chosen][j];
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from polysched.codegen.ctext import Names, identifiers
from polysched.codegen.nodes import (
    Block,
    Instance,
    Loop,
    Node,
    change_blocks,
    instances,
    walk_nodes,
)
from polysched.ir import (
    Binary,
    Cast,
    Const,
    Expr,
    Iter,
    Param,
    Select,
    Statement,
    Unary,
    action_expressions,
)

MAX_QUOTIENTS = 48  # before one loop
_DIVIDES = ("%", "/")
_COMPUTES = ("+", "-", "*", *_DIVIDES)
_COMPARES = ("<", "<=", ">", ">=", "==", "!=", "&&", "||")
_MOVES_BITS = ("<<", ">>", "&", "|", "^")


@dataclass(frozen=True)
class HeldQuotients:
    """Gives divisions and choices that do not move with a loop their variables.

    Attributes
    ----------
    statement : callable
        The statement of an instance, as it is printed.
    text : callable
        An expression of the statement at an instance, as C text.
    names : Names
        Source of identifiers.
    """

    statement: Callable[[Instance], Statement]
    text: Callable[[Expr, Instance], str]
    names: Names

    def convert(self, block: Block) -> Block:
        """The block with the variables in place."""
        return replace(block, items=tuple(map(self._convert, block.items)))

    def _convert(self, node: Node) -> Node:
        if not isinstance(node, Loop):
            return change_blocks(node, self.convert)
        found = {} if node.is_shared else self._held(node)
        if not found:
            return replace(node, body=self.convert(node.body))
        words = {
            text: "rest" if guard else "chosen" for text, guard, _ in found.values()
        }
        named = {text: self.names.take(word) for text, word in words.items()}
        variables: dict[Instance, list[tuple[Expr, str]]] = {}
        for (instance, expr), (text, _, _) in found.items():
            variables.setdefault(instance, []).append((expr, named[text]))
        lines = {
            f"const {type_} {named[text]} = {_guarded(text, guard)};"
            for text, guard, type_ in found.values()
        }
        body = self.convert(_with_quotients(node.body, variables))
        return Block((replace(node, body=body),), tuple(sorted(lines)))

    def _held(self, loop: Loop) -> dict[tuple[Instance, Expr], tuple[str, str, str]]:
        """What no loop here moves: text, when it may be computed, and type.

        Choices always may.
        """
        moving = {n.iterator for n in walk_nodes(loop) if isinstance(n, Loop)}
        found: dict[tuple[Instance, Expr], tuple[str, str, str]] = {}
        for instance in instances(loop):
            known = {expr for expr, _ in instance.quotients}
            for expr in dict.fromkeys(_numbers(self.statement(instance))):
                text = self.text(expr, instance)
                if expr not in known and not identifiers(text) & moving:
                    divisors = [self.text(d, instance) for d in _divisors(expr)]
                    guard = " && ".join(dict.fromkeys(map(_operand, divisors)))
                    found[instance, expr] = text, guard, expr.dtype.name
        is_few = len({text for text, _, _ in found.values()}) <= MAX_QUOTIENTS
        return found if is_few else {}


def _guarded(text: str, guard: str) -> str:
    return f"{guard} ? {text} : 0" if guard else text


def _numbers(statement: Statement) -> Iterator[Expr]:
    """Choices and divisions of integers that iterators and sizes decide.

    No choice divides, and no division is by a number.
    """
    for action in statement.body:
        for expr in action_expressions(action):
            yield from _numbers_in(expr)


def _numbers_in(expr: Expr) -> Iterator[Expr]:
    if isinstance(expr, Select) and _is_harmless(expr):
        yield expr
        return
    divides = isinstance(expr, Binary) and expr.op in _DIVIDES
    if divides and not expr.dtype.is_float and _is_known(expr):
        assert isinstance(expr, Binary)
        if not isinstance(expr.right, Const):
            yield expr
            return
    for operand in expr.operands:
        yield from _numbers_in(operand)


def _divisors(expr: Expr) -> Iterator[Expr]:
    """What an expression divides by, numbers aside, its own divisor first."""
    divides = isinstance(expr, Binary) and expr.op in _DIVIDES
    if divides and not isinstance(expr.operands[1], Const):
        yield expr.operands[1]
    for operand in expr.operands:
        yield from _divisors(operand)


def _operand(text: str) -> str:
    return text if text.isidentifier() else f"({text})"


def _is_known(expr: Expr) -> bool:
    match expr:
        case Iter() | Param() | Const():
            return True
        case Binary(op):
            return op in _COMPUTES and all(map(_is_known, expr.operands))
        case Unary() | Cast():
            return all(map(_is_known, expr.operands))
    return False


def _is_harmless(expr: Expr) -> bool:
    """Whether an integer of iterators and sizes may be computed anywhere."""
    match expr:
        case Iter() | Param() | Const():
            return not expr.dtype.is_float
        case Binary(op, _, right):
            fails = op in _DIVIDES and not (isinstance(right, Const) and right.value)
            is_known = op in (*_COMPUTES, *_COMPARES, *_MOVES_BITS)
            return is_known and not fails and all(map(_is_harmless, expr.operands))
        case Unary() | Cast() | Select():
            is_integer = not expr.dtype.is_float
            return is_integer and all(map(_is_harmless, expr.operands))
    return False


def _with_quotients(
    block: Block, variables: dict[Instance, list[tuple[Expr, str]]]
) -> Block:
    def change(node: Node) -> Node:
        if isinstance(node, Instance) and node in variables:
            return replace(node, quotients=(*node.quotients, *variables[node]))
        return change_blocks(node, changed)

    def changed(inner: Block) -> Block:
        return replace(inner, items=tuple(map(change, inner.items)))

    return changed(block)
