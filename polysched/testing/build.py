"""SCoPs written by hand in a few lines, for tests that need no front end."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence

import islpy as isl

from polysched.ir import (
    Access,
    Action,
    Array,
    Assign,
    Binary,
    Call,
    Const,
    Expr,
    Guard,
    Iter,
    Load,
    Param,
    Parameter,
    ScalarType,
    Scop,
    Select,
    Statement,
    Storage,
    Unary,
    action_expressions,
    walk,
)
from polysched.ir.types import ALL_TYPES, DOUBLE, INT
from polysched.sets import read_map, read_set

_OPERATORS: dict[type[ast.AST], str] = {
    ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.Mod: "%",
    ast.BitAnd: "&", ast.BitOr: "|", ast.BitXor: "^", ast.LShift: "<<",
    ast.RShift: ">>", ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=",
    ast.Eq: "==", ast.NotEq: "!=", ast.And: "&&", ast.Or: "||",
    ast.USub: "-", ast.UAdd: "+", ast.Not: "!", ast.Invert: "~",
}  # fmt: skip


class ScopBuilder:
    """Collects arrays and statements of one SCoP.

    Parameters
    ----------
    name : str
        Name of the SCoP.
    parameters : sequence of str
        Integer parameters.
    context : str
        Constraint on the parameters, in isl's notation.

    Examples
    --------
    >>> b = ScopBuilder("sum", ["n"])
    >>> b.array("A", "double[n]")
    >>> b.array("s", "double")
    >>> b.statement("i", "0 <= i < n", "s += A[i]", position=(0, 0))
    >>> b.build().statement("S0").domain
    Set("[n] -> { S0[i] : 0 <= i < n }")
    """

    def __init__(
        self, name: str, parameters: Sequence[str] = (), context: str = ""
    ) -> None:
        self._name = name
        self._parameters = tuple(parameters)
        self._context = context
        self._arrays: dict[str, Array] = {}
        self._statements: list[Statement] = []

    def array(
        self,
        name: str,
        declaration: str,
        *,
        storage: Storage = "global",
        live_in: bool = True,
        live_out: bool = True,
    ) -> None:
        """Declare ``double[n][m]``; a missing extent, as in ``[]``, is unknown."""
        type_name, _, rest = declaration.partition("[")
        types: Mapping[str, ScalarType] = {t.name: t for t in ALL_TYPES}
        extents = [e.rstrip("]") for e in rest.split("[")] if rest else []
        self._arrays[name] = Array(
            name,
            types[type_name.strip()],
            tuple(self._expression(e, ()) if e else None for e in extents),
            storage,
            live_in,
            live_out,
        )

    def statement(
        self,
        iterators: str,
        domain: str,
        text: str,
        *,
        position: tuple[int, ...],
        directions: tuple[int, ...] | None = None,
        guard: str | None = None,
    ) -> None:
        """Add ``target op= value`` for all iterations in `domain`.

        Expressions are Python's (``x if c else y``); several assignments are separated
        by semicolons. `guard` is a data-dependent condition around all of them.
        """
        names = tuple(n.strip() for n in iterators.split(",") if n.strip())
        name = f"S{len(self._statements)}"
        prefix = f"[{', '.join(self._parameters)}] -> " if self._parameters else ""
        instances = read_set(f"{prefix}{{ {name}[{', '.join(names)}] : {domain} }}")
        body: tuple[Action, ...] = tuple(
            self._assignment(part, names) for part in text.split(";")
        )
        if guard is not None:
            body = (Guard(self._expression(guard, names), body),)
        reads, writes = [], []
        for action in body:
            for load, is_target in _loads(action):
                kind = "may_write" if guard is not None else "must_write"
                relation = self._relation(load, name, names, instances)
                if is_target:
                    writes.append(Access(load.array, kind, relation))  # type: ignore[arg-type]
                else:
                    reads.append(Access(load.array, "read", relation))
        self._statements.append(
            Statement(
                name,
                names,
                instances,
                position,
                directions or (1,) * len(names),
                body,
                tuple(reads + writes),
                text=text,
            )
        )

    def build(self) -> Scop:
        """The SCoP."""
        prefix = f"[{', '.join(self._parameters)}] -> " if self._parameters else ""
        return Scop(
            self._name,
            tuple(Parameter(p) for p in self._parameters),
            read_set(f"{prefix}{{ : {self._context} }}"),
            tuple(self._statements),
            tuple(self._arrays.values()),
        )

    def _relation(
        self, load: Load, name: str, names: tuple[str, ...], domain: isl.Set
    ) -> isl.Map:
        prefix = f"[{', '.join(self._parameters)}] -> " if self._parameters else ""
        subscripts = ", ".join(_isl_text(s) for s in load.subscripts)
        text = f"{prefix}{{ {name}[{', '.join(names)}] -> {load.array}[{subscripts}] }}"
        return read_map(text).intersect_domain(domain)

    def _assignment(self, text: str, names: tuple[str, ...]) -> Assign:
        node = ast.parse(text.strip()).body[0]
        target: ast.expr
        if isinstance(node, ast.AugAssign):
            op, target, value = _OPERATORS[type(node.op)] + "=", node.target, node.value
        else:
            assert isinstance(node, ast.Assign)
            op, target, value = "=", node.targets[0], node.value
        load = self._convert(target, names)
        assert isinstance(load, Load)
        return Assign(load, op, self._convert(value, names))

    def _expression(self, text: str, names: tuple[str, ...]) -> Expr:
        return self._convert(ast.parse(text, mode="eval").body, names)

    def _convert(self, node: ast.expr, names: tuple[str, ...]) -> Expr:
        def sub(n: ast.expr) -> Expr:
            return self._convert(n, names)

        match node:
            case ast.Constant(value=int(value)):
                return Const(value, INT, str(value))
            case ast.Constant(value=float(value)):
                return Const(value, DOUBLE, repr(value))
            case ast.Name(id=name):
                return self._name_of(name, names)
            case ast.Subscript():
                return self._element(node, names)
            case ast.BinOp(left, op, right):
                return Binary(_OPERATORS[type(op)], sub(left), sub(right))
            case ast.Compare(left, [op], [right]):
                return Binary(_OPERATORS[type(op)], sub(left), sub(right))
            case ast.BoolOp(op, [left, right]):
                return Binary(_OPERATORS[type(op)], sub(left), sub(right))
            case ast.UnaryOp(op, operand):
                return Unary(_OPERATORS[type(op)], sub(operand))
            case ast.IfExp(test, body, orelse):
                return Select(sub(test), sub(body), sub(orelse))
            case ast.Call(ast.Name(id=name), args):
                return Call(name, tuple(sub(a) for a in args), DOUBLE)
        raise ValueError(f"not an expression of the builder: {ast.unparse(node)}")

    def _name_of(self, name: str, names: tuple[str, ...]) -> Expr:
        if name in names:
            return Iter(name)
        if name in self._parameters:
            return Param(name)
        return Load(name, (), self._arrays[name].type)

    def _element(self, node: ast.expr, names: tuple[str, ...]) -> Expr:
        subscripts: list[Expr] = []
        while isinstance(node, ast.Subscript):
            subscripts.insert(0, self._convert(node.slice, names))
            node = node.value
        assert isinstance(node, ast.Name)
        return Load(node.id, tuple(subscripts), self._arrays[node.id].type)


def _loads(action: Action) -> list[tuple[Load, bool]]:
    """Loads of an action; targets of assignments are flagged as written."""
    if isinstance(action, Guard):
        found = [(e, False) for e in walk(action.cond) if isinstance(e, Load)]
        return found + [pair for inner in action.then for pair in _loads(inner)]
    assert isinstance(action, Assign)
    target, value = action_expressions(action)
    found = [(e, False) for e in walk(value) if isinstance(e, Load)]
    assert isinstance(target, Load)
    if action.op != "=":
        found.append((target, False))
    return [*found, (target, True)]


def _isl_text(expr: Expr) -> str:
    match expr:
        case Const(value):
            return str(value)
        case Iter(name) | Param(name):
            return name
        case Unary(op, operand):
            return f"({op}{_isl_text(operand)})"
        case Binary("%", left, right):
            return f"({_isl_text(left)} mod {_isl_text(right)})"
        case Binary("/", left, right):
            return f"floor(({_isl_text(left)})/{_isl_text(right)})"
        case Binary(op, left, right):
            return f"({_isl_text(left)} {op} {_isl_text(right)})"
    raise ValueError(f"not an affine subscript: {expr}")
