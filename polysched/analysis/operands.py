"""Operands of a statement: what it reads as a function of some of its iterators."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import islpy as isl

from polysched.base import AnalysisError
from polysched.ir import (
    Assign,
    Binary,
    Cast,
    Const,
    Expr,
    Iter,
    Load,
    Lookup,
    Param,
    Scop,
    Statement,
    Unary,
    map_expr,
    walk,
)
from polysched.sets import list_maps, map_names, node_kind


def find_operands(statement: Statement, iterators: frozenset[str]) -> list[Expr]:
    """Largest subexpressions over exactly some iterators that load array elements.

    Parameters
    ----------
    statement : Statement
        One assignment; anything else has none.
    iterators : frozenset of str
        Names; every one of them occurs in each operand, and no other.

    Returns
    -------
    list of Expr
        Values that do not depend on the statement's target, each once,
        in source order.
    """
    match statement.body:
        case (Assign(target, _, value),):
            pass
        case _:
            return []
    found: dict[Expr, None] = {}

    def look(expr: Expr) -> None:
        nodes = list(walk(expr))
        used = {e.name for e in nodes if isinstance(e, Iter)}
        loads = [e for e in nodes if isinstance(e, Load) and e.subscripts]
        stays = target not in nodes and not any(isinstance(e, Lookup) for e in nodes)
        if used == iterators and loads and stays:
            found[expr] = None
        elif not isinstance(expr, Load):
            for operand in expr.operands:
                look(operand)

    look(value)
    return list(found)


def load_relations(
    scop: Scop,
    expr: Expr,
    iterators: tuple[str, ...],
    instance: str,
    *,
    with_quotients: bool = False,
) -> Iterator[tuple[Load, isl.Map]]:
    """Every load of an expression with its relation.

    Parameters
    ----------
    scop : Scop
        Names the parameters.
    expr : Expr
        Over iterators of some statement.
    iterators : tuple of str
        Names of the instance's dimensions, those of the expression among them.
    instance : str
        Tuple name of the instances.
    with_quotients : bool
        Whether subscripts may have quotients and remainders by positive constants.

    Raises
    ------
    AnalysisError
        For other subscripts with divisions or products, and whatever else C and isl
        read differently.
    """
    products = {
        _factors(p.value): Param(p.name, p.type)
        for p in scop.products
        if p.value is not None and _factors(p.value)
    }
    params = ", ".join(p.name for p in scop.parameters)
    prefix = f"[{params}] -> " if params else ""
    space = f"{instance}[{', '.join(iterators)}]"
    for load in walk(expr):
        if isinstance(load, Load):
            named = [_with_products_named(e, products) for e in load.subscripts]
            subscripts = ", ".join(
                _affine_text(e, with_quotients=with_quotients) for e in named
            )
            text = f"{prefix}{{ {space} -> {load.array}[{subscripts}] }}"
            yield load, isl.Map(text)


def find_overwritten(
    node: isl.ScheduleNode, scop: Scop, statement: Statement, expr: Expr
) -> str | None:
    """An array of which a copy made in front of a node would miss writes, or None.

    What is written below the node once it has been read may be copied: the copy holds
    the value that the reads find.

    Parameters
    ----------
    node : isl.ScheduleNode
        The copy is made once per iteration of the loops around it, and used below it.
    scop : Scop
        Its statements may write.
    statement : Statement
        Reads the copy of `expr` below the node.
    expr : Expr
        What is copied.
    """
    here = node.get_domain()
    time = node.get_prefix_schedule_union_map().intersect_domain(here)
    own = [m for m in list_maps(time) if map_names(m)[0] == statement.name]
    writes = scop.may_writes.apply_domain(time)
    for load, relation in load_relations(
        scop, expr, statement.iterators, statement.name, with_quotients=True
    ):
        read = relation.intersect_domain(statement.domain)
        for moment in own:
            seen = isl.UnionMap.from_map(read.apply_domain(moment))
            if seen.intersect(writes).is_empty():
                continue
            if _finds_new_value(node, time, scop.may_writes, read):
                return load.array
    return None


def _finds_new_value(
    node: isl.ScheduleNode, time: isl.UnionMap, writes: isl.UnionMap, read: isl.Map
) -> bool:
    """Whether some instance below a node reads what one before it has written there.

    Both in the same iteration, `time`, of the loops around the node.
    """
    here = node.get_domain()
    readers = isl.UnionMap.from_map(read).intersect_domain(here)
    pairs = readers.apply_range(writes.intersect_domain(here).reverse())
    return _has_later(node, pairs.intersect(time.apply_range(time.reverse())))


def _has_later(node: isl.ScheduleNode, pairs: isl.UnionMap) -> bool:
    """Whether below a node the first of some pair of instances runs behind the other.

    Copies that the tree makes already are passed over.
    """
    if pairs.is_empty():
        return False
    kind = node_kind(node)
    if kind == "leaf":
        return False
    if kind == "band":
        time = node.band_get_partial_schedule_union_map()
        if not pairs.intersect(time.lex_gt_union_map(time)).is_empty():
            return True
        pairs = pairs.intersect(time.apply_range(time.reverse()))
    elif kind in ("sequence", "set"):
        return _has_later_part(node, pairs, in_order=kind == "sequence")
    elif kind not in ("filter", "mark", "extension", "context", "guard"):
        return True
    return _has_later(node.child(0), pairs)


def _has_later_part(
    node: isl.ScheduleNode, pairs: isl.UnionMap, *, in_order: bool
) -> bool:
    """The same for a node whose children run one after the other, or in any order."""
    children = [node.child(k) for k in range(node.n_children())]
    for k, child in enumerate(children):
        first = pairs.intersect_domain(child.filter_get_filter())
        others = children[:k] if in_order else children[:k] + children[k + 1 :]
        for other in others:
            if not first.intersect_range(other.filter_get_filter()).is_empty():
                return True
        if _has_later(child, first.intersect_range(child.filter_get_filter())):
            return True
    return False


def _factors(expr: Expr) -> tuple[str, ...]:
    """Names of the parameters whose product an expression is; empty for all others."""
    match expr:
        case Param(name, _):
            return (name,)
        case Cast(operand=operand):
            return _factors(operand)
        case Binary("*", left, right):
            parts = _factors(left), _factors(right)
            return tuple(sorted((*parts[0], *parts[1]))) if all(parts) else ()
    return ()


def _with_products_named(expr: Expr, products: Mapping[tuple[str, ...], Param]) -> Expr:
    """A subscript with the parameters that stand for products of parameters."""

    def change(part: Expr) -> Expr | None:
        if not isinstance(part, Binary) or part.op != "*":
            return None
        return products.get(_factors(part))

    return map_expr(expr, change)


def _affine_text(expr: Expr, *, with_quotients: bool) -> str:
    """A subscript in isl's notation."""

    def text(part: Expr) -> str:
        return _affine_text(part, with_quotients=with_quotients)

    match expr:
        case Const(int(value), _, _):
            return str(value)  # isl reads no factor in parentheses
        case Iter(name, _) | Param(name, _):
            return name
        case Unary("-" | "+" as op, operand):
            return f"({op}{text(operand)})"
        case Binary("*", left, Const() as right):
            return f"({text(right)} * {text(left)})"
        case Binary("*", Const() as left, right):
            return f"({text(left)} * {text(right)})"
        case Binary("+" | "-" as op, left, right):
            return f"({text(left)} {op} {text(right)})"
        case Binary("/", left, Const(int(n))) if with_quotients and n > 0:
            e, above, below = text(left), *_quotients(text(left), n)
            return f"({e} >= 0 ? {above} : -{below})"
        case Binary("%", left, Const(int(n))) if with_quotients and n > 0:
            e, above, below = text(left), *_quotients(text(left), n)
            return f"({e} >= 0 ? {e} - {n}*{above} : {e} + {n}*{below})"
    raise AnalysisError(f"the subscript {expr!r} is not taken in an operand")


def _quotients(text: str, n: int) -> tuple[str, str]:
    """Absolute values of a quotient cut towards zero, from zero on and below."""
    return f"floor({text} / {n})", f"floor((-({text})) / {n})"
