"""Statement bodies as lines of C."""

from __future__ import annotations

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
    Expr,
    Guard,
    Iter,
    Load,
    ScalarType,
    Statement,
    Unary,
    action_expressions,
)


def print_actions(
    body: tuple[Action, ...],
    rename: Mapping[str, str] | None = None,
    indent: str = "  ",
) -> tuple[str, ...]:
    """The lines of a statement body, with names replaced as in `print_expr`."""
    return tuple(_lines(body, renaming_printer(rename or {}), indent))


def print_instance(
    statement: Statement, printer: ExprPrinter, taken: Set[str], indent: str
) -> tuple[str, ...]:
    """The lines of one statement instance.

    An iterator whose value is long and used often, or of another type than the
    generated loops and used as a number, becomes a constant of its own name in front;
    the lines then need a block of their own, which `needs_block` sees.

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
    """
    uses = _count_uses(statement.body, printer)
    declared, bounds = [], dict(printer.iterators)
    for name, (type_, n_uses, n_values) in uses.items():
        bound = bounds.get(name)
        if bound is None or name in taken:
            continue
        retyped = n_values > 0 and not bound.has_type_of(type_)
        if retyped or (n_uses > 1 and not bound.value.is_simple):
            declared.append(f"const {type_.name} {name} = {bound.value.to_text()};")
            bounds[name] = Bound(Linear.atom(Text(name)))
    printer = replace(printer, iterators=bounds)
    actions, named = name_choices(statement.body, taken | uses.keys())
    for name, value in named.items():
        text = printer.value(value)
        declared.append(f"const {value.dtype.name} {name} = {text};")
    return (*declared, *_lines(actions, printer, indent))


def needs_block(lines: tuple[str, ...]) -> bool:
    """Whether lines of an instance begin with constants of their own."""
    return bool(lines) and lines[0].startswith("const ")


def _lines(
    body: tuple[Action, ...], printer: ExprPrinter, indent: str
) -> Iterator[str]:
    for action in body:
        if isinstance(action, Assign):
            target, value = printer.load(action.target), printer.value(action.value)
            yield f"{target} {action.op} {value};"
        else:
            yield from _guard_lines(action, printer, indent)


def _guard_lines(guard: Guard, printer: ExprPrinter, indent: str) -> Iterator[str]:
    yield f"if ({printer.value(guard.cond)}) {{"
    for line in _lines(guard.then, printer, indent):
        yield indent + line
    if guard.other:
        yield "} else {"
        for line in _lines(guard.other, printer, indent):
            yield indent + line
    yield "}"


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
