"""Reading an AST back: which instances its loops and guards run, and in which order.

The AST builder is a large program with bugs of its own; what it built is turned into a
relation again, from the printed bounds and guards alone, and can be checked like any
other schedule.
"""

from __future__ import annotations

from dataclasses import dataclass

import islpy as isl

from polysched.base import AnalysisError
from polysched.sets.ast import ast_expr_kind, ast_node_kind, ast_operation
from polysched.sets.unions import param_names, union_of_maps

_INFIX = {
    "add": "+", "sub": "-", "eq": "=", "le": "<=", "lt": "<", "ge": ">=", "gt": ">",
    "and": "and", "and_then": "and", "or": "or", "or_else": "or",
}  # fmt: skip
_QUOTIENTS = frozenset({"fdiv_q", "pdiv_q", "div"})
_REMAINDERS = frozenset({"pdiv_r", "zdiv_r"})
_SELECTIONS = frozenset({"cond", "select"})


@dataclass(frozen=True)
class _Place:
    """Where the walk is: time coordinates so far, loop variables, conditions."""

    times: tuple[str, ...] = ()
    variables: tuple[str, ...] = ()
    conditions: tuple[str, ...] = ()

    def at(self, position: int) -> _Place:
        return _Place((*self.times, str(position)), self.variables, self.conditions)

    def when(self, *conditions: str) -> _Place:
        return _Place(self.times, self.variables, self.conditions + conditions)

    def read(self, *expressions: isl.AstExpr) -> tuple[_Place, list[str]]:
        """Texts of expressions, and the place with the variables they need."""
        choices: list[str] = []
        first = len(self.variables)
        texts = [_text(e, first, choices) for e in expressions]
        names = tuple(f"z_{first + k}" for k in range(len(choices)))
        variables = self.variables + names
        return _Place(self.times, variables, (*self.conditions, *choices)), texts


@dataclass(frozen=True)
class _Leaf:
    statement: str
    values: tuple[str, ...]
    place: _Place


def read_ast_order(root: isl.AstNode, domain: isl.UnionSet) -> isl.UnionMap:
    """The execution order of an AST as a map from instances to time.

    Parameters
    ----------
    root : isl.AstNode
        From `build_ast`.
    domain : isl.UnionSet
        The instances that it should run; names the parameters.

    Returns
    -------
    isl.UnionMap
        Every instance that the code runs, to a vector of block positions and loop
        variables; lexicographic order is execution order.

    Raises
    ------
    AnalysisError
        If the AST has an expression that is not read (none is known).
    isl.Error
        If an operation limit in force is exceeded.
    """
    leaves: list[_Leaf] = []
    _visit(root, _Place(), leaves)
    n_times = max((len(leaf.place.times) for leaf in leaves), default=0)
    params = ", ".join(param_names(domain))
    prefix = f"[{params}] -> " if params else ""
    maps = [isl.Map(prefix + _map_text(leaf, n_times)) for leaf in leaves]
    return union_of_maps(maps)


def _map_text(leaf: _Leaf, n_times: int) -> str:
    place = leaf.place
    times = place.times + ("0",) * (n_times - len(place.times))
    inner = " and ".join(f"({c})" for c in place.conditions) or "true"
    xs = [f"x_{k}" for k in range(len(leaf.values))]
    ts = [f"y_{k}" for k in range(n_times)]
    equal = [f"{x} = {v}" for x, v in zip(xs, leaf.values, strict=True)]
    equal += [f"{t} = {v}" for t, v in zip(ts, times, strict=True)]
    where = " and ".join([*equal, inner])
    if place.variables:
        where = f"exists {', '.join(place.variables)} : {where}"
    return f"{{ {leaf.statement}[{', '.join(xs)}] -> [{', '.join(ts)}] : {where} }}"


def _visit(node: isl.AstNode, place: _Place, leaves: list[_Leaf]) -> None:
    kind = ast_node_kind(node)
    if kind == "block":
        parts: list[isl.AstNode] = []
        node.block_get_children().foreach(parts.append)
        for position, part in enumerate(parts):
            _visit(part, place.at(position), leaves)
    elif kind == "mark":
        _visit(node.mark_get_node(), place, leaves)
    elif kind == "for":
        _visit(node.for_get_body(), _enter_loop(node, place), leaves)
    elif kind == "if":
        place, (condition,) = place.read(node.if_get_cond())
        _visit(node.if_get_then_node(), place.at(0).when(condition), leaves)
        if node.if_has_else_node():
            other = place.at(0).when(f"not ({condition})")
            _visit(node.if_get_else_node(), other, leaves)
    else:
        name, *values = _arguments(node.user_get_expr())
        place, texts = place.read(*values)
        leaves.append(_Leaf(str(name.get_id().get_name()), tuple(texts), place))


def _enter_loop(node: isl.AstNode, place: _Place) -> _Place:
    name = str(node.for_get_iterator().get_id().get_name())
    place, (first,) = place.read(node.for_get_init())
    inner = _Place((*place.times, name), (*place.variables, name), place.conditions)
    if node.for_is_degenerate():
        return inner.when(f"{name} = {first}")
    inner, (condition,) = inner.read(node.for_get_cond())
    inner = inner.when(f"{name} >= {first}", condition)
    step = int(str(node.for_get_inc().get_val()))
    return inner if step == 1 else inner.when(f"({name} - ({first})) mod {step} = 0")


def _arguments(expr: isl.AstExpr) -> list[isl.AstExpr]:
    return [expr.get_op_arg(k) for k in range(expr.get_op_n_arg())]


def _text(expr: isl.AstExpr, first: int, choices: list[str]) -> str:
    """An AST expression in isl's set notation.

    The notation has no ``c ? a : b``: that becomes a new variable ``z_k``, numbered
    from `first` on, with a condition on it in `choices`.
    """
    kind = ast_expr_kind(expr)
    if kind == "int":
        return f"({expr.get_val()})"
    if kind == "id":
        return str(expr.get_id().get_name())
    operation = ast_operation(expr)
    arguments = _arguments(expr)
    parts = [_text(a, first, choices) for a in arguments]
    if operation == "mul":
        return _product(arguments, parts)
    if operation in _INFIX:
        return f"({f' {_INFIX[operation]} '.join(parts)})"
    if operation in _QUOTIENTS or operation in _REMAINDERS:
        divisor = int(str(arguments[1].get_val()))
        if operation in _QUOTIENTS:
            return f"floor(({parts[0]})/{divisor})"
        return f"(({parts[0]}) mod {divisor})"
    if operation in _SELECTIONS:
        variable = f"z_{first + len(choices)}"
        condition, a, b = parts
        yes, no = f"{variable} = {a}", f"{variable} = {b}"
        choices.append(f"({condition} and {yes}) or (not {condition} and {no})")
        return variable
    return _operation_text(operation, parts)


def _product(arguments: list[isl.AstExpr], parts: list[str]) -> str:
    """A product with a number; isl reads no negative factor in parentheses."""
    numbers = [k for k, a in enumerate(arguments) if ast_expr_kind(a) == "int"]
    if not numbers:
        raise AnalysisError("isl built a product without a number")
    factor = int(str(arguments[numbers[0]].get_val()))
    sign = "-" if factor < 0 else "+"
    return f"(0 {sign} {abs(factor)} * {parts[1 - numbers[0]]})"


def _operation_text(operation: str, parts: list[str]) -> str:
    match operation, parts:
        case "minus", [a]:
            return f"(-{a})"
        case (("min" | "max"), [first, *rest]):
            text = first
            for other in rest:
                text = f"{operation}({text}, {other})"
            return text
    raise AnalysisError(f"isl built an expression that is not read back: {operation}")
