"""Statement bodies as lines of C."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Set
from dataclasses import replace

from polysched.codegen.choices import name_choices
from polysched.codegen.ctext import Text
from polysched.codegen.expr import Bound, ExprPrinter, renaming_printer
from polysched.codegen.linear import Linear
from polysched.ir import (
    Action,
    Assign,
    Binary,
    Cast,
    Const,
    Expr,
    Guard,
    Iter,
    Leave,
    Let,
    Load,
    Local,
    Repeat,
    Return,
    ScalarType,
    Statement,
    Unary,
    action_expressions,
    walk,
)

_DECLARATION = re.compile(r"[A-Za-z_]\w*( [A-Za-z_]\w*)+( =|;)")


def print_actions(
    body: tuple[Action, ...],
    rename: Mapping[str, str] | None = None,
    indent: str = "  ",
) -> tuple[str, ...]:
    """The lines of a statement body, with names replaced as in `print_expr`."""
    return tuple(_lines(body, renaming_printer(rename or {}), indent))


def print_instance(
    statement: Statement,
    printer: ExprPrinter,
    taken: Set[str],
    indent: str,
    *,
    in_lanes: bool = False,
) -> tuple[str, ...]:
    """The lines of one statement instance.

    An iterator whose value is long and used often, or of another type than the
    generated loops and used as a number, becomes a constant of its own name in
    front; the lines then need a block of their own, which `needs_block` sees. Not so
    where it is divided without a rest, as ``2 * t / 2`` reads better as ``t``. One
    that is a subscript gets no narrower than the loops: behind a conversion to ``int``
    compilers know no longer that the next iteration has the next element.

    Parameters
    ----------
    statement : Statement
        What to print.
    printer : ExprPrinter
        Knows the values of the statement's iterators.
    taken : set of str
        Names that such a constant must not hide.
    indent : str
        White space per level.
    in_lanes : bool
        Whether it runs in vector lanes.
    """
    uses = _count_uses(statement.body, printer)
    divided = _find_divided(statement.body, printer)
    declared, bounds = [], dict(printer.iterators)
    for name, (type_, n_uses, n_values) in uses.items():
        bound = bounds.get(name)
        if bound is None or name in taken:
            continue
        is_narrow = bound.type is not None and type_.n_bytes < bound.type.n_bytes
        retyped = n_values > 0 and not bound.has_type_of(type_)
        retyped &= n_values == n_uses or not is_narrow
        is_long = not bound.value.is_simple and name not in divided
        if retyped or (n_uses > 1 and is_long):
            kept = None if retyped else bound.type
            c_type = kept or type_
            declared.append(f"const {c_type.name} {name} = {bound.value.to_text()};")
            bounds[name] = Bound(Linear.atom(Text(name)), kept)
    printer = replace(printer, iterators=bounds)
    actions, named = name_choices(
        statement.body, taken | uses.keys(), in_lanes=in_lanes
    )
    for name, value in named.items():
        text = printer.value(value)
        declared.append(f"const {value.dtype.name} {name} = {text};")
    return (*declared, *_lines(actions, printer, indent))


def needs_block(lines: tuple[str, ...]) -> bool:
    """Whether lines of an instance declare constants or variables of their own."""
    return any(map(_DECLARATION.match, lines))


def _lines(
    body: tuple[Action, ...], printer: ExprPrinter, indent: str
) -> Iterator[str]:
    """Those of actions; declarations know the rest of the list that they stand in."""
    for action in body:
        match action:
            case Assign() | Let():
                yield f"{_simple(action, printer)};"
            case Guard(cond, then, other):
                yield f"if ({printer.value(cond)}) {{"
                yield from _deeper(then, printer, indent)
                if other:
                    yield "} else {"
                    yield from _deeper(other, printer, indent)
                yield "}"
            case Repeat():
                yield from _loop_lines(action, printer, indent)
            case Leave():
                yield "break;"
            case Return(value):
                yield f"return {printer.value(value)};"


def _deeper(
    body: tuple[Action, ...], printer: ExprPrinter, indent: str
) -> Iterator[str]:
    return (indent + line for line in _lines(body, printer, indent))


def _simple(action: Action, printer: ExprPrinter) -> str:
    """An assignment or declaration without its semicolon."""
    match action:
        case Let(Local(name, _), "+=" | "-=" as op, Const(1)):
            return name + 2 * op[0]
        case Assign(target, op, value) if op.isidentifier():
            same = value.dtype == target.type
            pointer = "" if same else f"({value.dtype.name} *)"
            return f"{op}({pointer}&{printer.load(target)}, {printer.value(value)})"
        case Assign(target, op, value):
            return f"{printer.load(target)} {op} {printer.value(value)}"
        case Let(Local(name, type_), op, value, is_new):
            declared = f"{type_.name} {name}" if is_new else name
            return (
                declared if value is None else f"{declared} {op} {printer.value(value)}"
            )
    raise AssertionError(f"no plain action: {action!r}")


def _loop_lines(loop: Repeat, printer: ExprPrinter, indent: str) -> Iterator[str]:
    cond = printer.value(loop.cond)
    if not loop.asks_first:
        yield "do {"
        yield from _deeper(loop.body, printer, indent)
        yield f"}} while ({cond});"
        return
    start, step = (
        ", ".join(_simple(a, printer) for a in part) for part in (loop.start, loop.step)
    )
    yield f"for ({start}; {cond}; {step}) {{" if start or step else f"while ({cond}) {{"
    yield from _deeper(loop.body, printer, indent)
    yield "}"


def _find_divided(body: tuple[Action, ...], printer: ExprPrinter) -> set[str]:
    """Iterators in quotients of which nothing is left of a division."""
    return {
        e.name
        for action in body
        for top in action_expressions(action)
        for quotient in walk(top)
        if isinstance(quotient, Binary) and quotient.op == "/"
        if printer.divides(quotient)
        for e in walk(quotient)
        if isinstance(e, Iter)
    }


def _count_uses(
    body: tuple[Action, ...], printer: ExprPrinter
) -> dict[str, tuple[ScalarType, int, int]]:
    """For each iterator its type, how often it is written, how often as a number."""
    types: dict[str, ScalarType] = {}
    total: Counter[str] = Counter()
    values: Counter[str] = Counter()

    def visit(expr: Expr, as_index: bool) -> None:
        match expr:
            case Iter(name, type_):
                types.setdefault(name, type_)
                total[name] += 1
                values[name] += not as_index
            case Load(array, subscripts, _):
                spelling = printer.arrays.get(array)
                kept = spelling.kept if spelling else None
                for k, subscript in enumerate(subscripts):
                    if kept is None or k in kept:
                        visit(subscript, True)
            case Binary("+" | "-" | "*", left, right):
                visit(left, as_index)
                visit(right, as_index)
            case Unary("+" | "-", operand):
                visit(operand, as_index)
            case Cast(_, Iter() as operand):
                visit(operand, True)
            case _:
                for operand in expr.operands:
                    visit(operand, False)

    for action in body:
        for expr in action_expressions(action):
            visit(expr, False)
    return {name: (types[name], total[name], values[name]) for name in types}
