"""What the pointers of a file are set to, in all of its functions.

Initialisers and assignments count, arguments of calls for parameters, what functions
return, and what is stored where a pointer's address went. The order of statements does
not, but for buffers that take turns, ``t = p; p = q; q = t;``. What the file does not
define, as ``malloc`` or ``posix_memalign``, gives memory of its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

from pycparser import c_ast

from polysched.frontend.declarations import (
    ArrayC,
    CType,
    PointerC,
    ScalarC,
    Scope,
    Symbol,
    element_type,
    is_indirect,
    read_type,
)
from polysched.frontend.trees import STEP_OPS
from polysched.frontend.turns import Turns, find_turns, turn_key

Kind = Literal["file", "static", "parameter", "local", "result", "stored"]


@dataclass(frozen=True, eq=False)
class Value:
    """What a variable is set to at one place.

    Attributes
    ----------
    node : node
        The expression.
    sources : tuple of Variable
        Variables whose address or value it starts from.
    function : FuncDef, optional
        Where it stands; None at file level.
    kind : {"set", "argument", "pointed", "moved", "turn"}
        An argument is one of a call; "pointed" where the variable's address went;
        "moved" where a distance is added; a "turn" takes another variable's place,
        which is then set anew.
    is_member : bool
        Whether it is read from a structure.
    turns : tuple of Variable
        Those whose place it takes.
    """

    node: Any
    sources: tuple[Variable, ...]
    function: Any
    kind: Literal["set", "argument", "pointed", "moved", "turn"] = "set"
    is_member: bool = False
    turns: tuple[Variable, ...] = ()


@dataclass(eq=False)
class Variable:
    """A variable, what a function returns, or what is stored behind a variable.

    Attributes
    ----------
    takers : set of Variable
        Those that take its place in an exchange.
    """

    name: str
    kind: Kind
    ctype: CType | None = None
    function: Any = None
    values: list[Value] = field(default_factory=list)
    takers: set[Variable] = field(default_factory=set)

    @cached_property
    def stored(self) -> Variable:
        """What is stored in its elements or members, or where it points to."""
        return Variable(f"*{self.name}", "stored", None, self.function)

    @property
    def lasts(self) -> bool:
        """Whether it keeps its value from call to call."""
        return self.kind in {"file", "static"}

    @property
    def is_array(self) -> bool:
        """Whether it is an array, and no parameter that is written like one."""
        return isinstance(self.ctype, ArrayC) and self.kind != "parameter"

    @property
    def holds_numbers(self) -> bool:
        """Whether it is an array or a pointer to something but pointers."""
        is_address = isinstance(self.ctype, (ArrayC, PointerC))
        return is_address and self.ctype is not None and not is_indirect(self.ctype)

    def has_address(self, n_derefs: int) -> bool:
        """Whether what so many dereferences lead to may be an address."""
        ctype, depth = self.ctype, 0
        while isinstance(ctype, (ArrayC, PointerC)):
            ctype = ctype.element if isinstance(ctype, ArrayC) else ctype.target
            depth += 1
        return not isinstance(ctype, ScalarC) or depth > n_derefs


Names = Mapping[str, Variable]
_NO_TURNS: Turns = (set(), {})


class PointerValues:
    """The variables of a file and what they are set to; read when first asked.

    Parameters
    ----------
    ast : FileAST
        The file.
    scope : Scope
        Its names.
    """

    def __init__(self, ast: Any, scope: Scope) -> None:
        self._ast = ast
        self._scope = scope

    @cached_property
    def _reading(self) -> _Reading:
        return _Reading(self._ast, self._scope)

    def variable(self, symbol: Symbol) -> Variable | None:
        """The variable behind a symbol."""
        return self._reading.variable(symbol)


class _Reading:
    """Walks a file once."""

    def __init__(self, ast: Any, scope: Scope) -> None:
        self._scope = scope.inner()
        self._of_node: dict[int, Variable] = {}
        self._functions: dict[str, tuple[list[Variable], Variable]] = {}
        self._turns: dict[int, Turns] = {}
        names: dict[str, Variable] = {}
        for item in ast.ext:
            if isinstance(item, c_ast.Decl) and _is_variable(item):
                names.setdefault(item.name, self._new(item, "file", None))
            elif isinstance(item, c_ast.FuncDef):
                self._enter(item)
        self._file = names
        for item in ast.ext:
            if isinstance(item, c_ast.FuncDef):
                defined = set(self._functions)
                self._turns.update(find_turns(item.body, defined))
                given, _ = self._functions[item.decl.name]
                self._walk(item.body, {**names, **{v.name: v for v in given}}, item)
            else:
                self._walk(item, names, None)

    def variable(self, symbol: Symbol) -> Variable | None:
        if symbol.storage == "global":
            return self._file.get(symbol.name)
        return self._of_node.get(id(symbol.node))

    def _new(self, node: Any, kind: Kind, function: Any) -> Variable:
        ctype = read_type(node.type, self._scope)
        found = Variable(node.name, kind, ctype, function)
        self._of_node[id(node)] = found
        return found

    def _enter(self, function: Any) -> None:
        arguments = function.decl.type.args
        items = arguments.params if arguments else []
        declared = {d.name: d for d in function.param_decls or ()}
        found = []
        for item in items:
            node = declared.get(getattr(item, "name", None), item)
            if isinstance(node, c_ast.Decl):
                found.append(self._new(node, "parameter", function))
        result = Variable(function.decl.name, "result", None, function)
        self._functions[function.decl.name] = found, result

    def _walk(self, node: Any, names: dict[str, Variable], function: Any) -> None:
        """Note what is set in a piece of syntax; `names` are those of its block."""
        if isinstance(node, (c_ast.Compound, c_ast.For)):
            names = dict(names)
        if isinstance(node, c_ast.Decl) and _is_variable(node):
            self._declare(node, names, function)
        elif isinstance(node, (c_ast.Assignment, c_ast.UnaryOp)):
            self._assign(node, names, function)
        elif isinstance(node, c_ast.FuncCall) and node.args is not None:
            for parameters in self._called(node, names):
                for variable, value in zip(parameters, node.args.exprs, strict=False):
                    self._set(variable, value, names, function, "argument")
        elif isinstance(node, c_ast.Return) and node.expr is not None:
            result = self._functions[function.decl.name][1]
            self._set(result, node.expr, names, function)
        for child in _looked_at(node):
            self._walk(child, names, function)

    def _called(self, node: Any, names: Names) -> list[list[Variable]]:
        """Parameters of what a call may be of: any function, through a pointer."""
        name = node.name.name if isinstance(node.name, c_ast.ID) else None
        if name is None or name in names:
            n = len(node.args.exprs)
            return [p for p, _ in self._functions.values() if len(p) == n]
        return [self._functions[name][0]] if name in self._functions else []

    def _assign(self, node: Any, names: dict[str, Variable], function: Any) -> None:
        is_step = isinstance(node, c_ast.UnaryOp)
        if is_step and node.op not in STEP_OPS:
            return
        place = node.expr if is_step else node.lvalue
        found = names.get(_base(place))
        if found is None:
            return
        is_whole = isinstance(place, c_ast.ID)
        if not is_step and node.op == "=":
            target = found if is_whole else found.stored
            self._set(target, node.rvalue, names, function)
        elif is_whole:
            _note(found, node, (), function, "moved")

    def _declare(self, node: Any, names: dict[str, Variable], function: Any) -> None:
        if function is not None and "extern" in node.storage:
            found = self._file.setdefault(node.name, self._new(node, "file", None))
        elif function is not None:
            kind: Kind = "static" if "static" in node.storage else "local"
            found = self._new(node, kind, function)
        else:
            found = names[node.name]
        names[node.name] = found
        if node.init is not None:
            self._set(found, node.init, names, function)

    def _set(
        self, target: Variable, value: Any, names: Names, function: Any,
        kind: Literal["set", "argument"] = "set",
    ) -> None:  # fmt: skip
        if not target.has_address(0):
            return
        sources, turns = [], []
        is_member = turned = False
        for node, n_derefs, inside in self._starts(value):
            if isinstance(node, c_ast.FuncCall):
                found: Variable | None = self._functions[node.name.name][1]
            else:
                found = names.get(node.name)
            if found is None or not found.has_address(n_derefs):
                continue
            if not found.holds_numbers or n_derefs < 0:
                _note(found if n_derefs < 0 else found.stored, value,
                      (target.stored,), function, "pointed")  # fmt: skip
            if self._is_turn(value, found, names):
                turned = True
                if n_derefs == 0:
                    turns.append(found)
                    found.takers.add(target)
            else:
                sources.append(found)
                if not found.holds_numbers:
                    sources.append(found.stored)
                is_member |= inside
        how = "turn" if turned else kind
        _note(target, value, tuple(sources), function, how, is_member, tuple(turns))

    def _is_turn(self, value: Any, source: Variable, names: Names) -> bool:
        """Whether a variable takes another one's place, which is then set anew.

        What lasts has to be exchanged, by way of a variable that does not.
        """
        key = turn_key(value)
        near, lasting = self._turns.get(id(value), _NO_TURNS)
        if not source.lasts and not key.startswith("*"):
            return source.kind in {"local", "parameter"} and key in near
        seen: set[str] = set()
        while key in lasting and key not in seen:
            seen.add(key)
            key = lasting[key]
        last = names.get(key)
        if not seen or last is None or last.kind != "local":
            return False
        return not any(v.sources for v in last.values)

    def _starts(
        self, value: Any, n_derefs: int = 0, inside: bool = False
    ) -> Iterator[tuple[Any, int, bool]]:
        """Names that an address starts from, dereferenced so often; own calls."""
        if isinstance(value, c_ast.FuncCall):
            name = value.name.name if isinstance(value.name, c_ast.ID) else None
            if name in self._functions:
                yield value, n_derefs, inside
        elif isinstance(value, c_ast.ID):
            yield value, n_derefs, inside
        else:
            n_derefs += _n_derefs(value)
            inside |= isinstance(value, c_ast.StructRef)
            for child in _addressed(value):
                yield from self._starts(child, n_derefs, inside)


def _n_derefs(value: Any) -> int:
    if isinstance(value, c_ast.UnaryOp):
        return {"*": 1, "&": -1}.get(value.op, 0)
    return int(isinstance(value, c_ast.ArrayRef))


def _addressed(value: Any) -> list[Any]:
    """Parts of an expression that may be where its address comes from."""
    match value:
        case c_ast.ArrayRef() | c_ast.StructRef():
            return [value.name]
        case c_ast.TernaryOp():
            return [value.iftrue, value.iffalse]
        case c_ast.Assignment():
            return [value.rvalue]
        case c_ast.ExprList():
            return [value.exprs[-1]]
        case c_ast.CompoundLiteral():
            return [value.init]
        case c_ast.UnaryOp() | c_ast.Cast() | c_ast.NamedInitializer():
            return [value.expr]
        case c_ast.InitList() | c_ast.BinaryOp():
            return [child for _, child in value.children()]
    return []


def reach(
    start: Variable,
    function: Any,
    *,
    through_members: bool = True,
    in_turn: bool = True,
) -> dict[Variable, Value]:
    """Variables that a pointer may point into, or have its value from.

    Parameters
    ----------
    start : Variable
        The pointer.
    function : FuncDef
        The one around the SCoP: what calls give it as arguments is not looked at.
    through_members : bool
        Whether to follow values that structures hold, and that functions return.
    in_turn : bool
        Whether to follow what variables exchange.

    Returns
    -------
    dict of Variable to Value
        With what `start` is set to on the way there.
    """
    found: dict[Variable, Value] = {}
    waiting: list[tuple[Variable, Value | None]] = [(start, None)]
    while waiting:
        variable, first = waiting.pop()
        if variable.kind == "result" and not through_members:
            continue
        for value in variable.values:
            if value.kind == "argument" and variable.function is function:
                continue
            if value.is_member and not through_members:
                continue
            turns = value.turns if in_turn else ()
            for source in (*value.sources, *turns):
                if source is not start and source not in found:
                    found[source] = first or value
                    waiting.append((source, first or value))
    return found


def number_type(variable: Variable) -> Any:
    """The type of the numbers that an array or pointer leads to."""
    bottom = None if variable.ctype is None else element_type(variable.ctype)
    return bottom.type if isinstance(bottom, ScalarC) else None


def _is_variable(node: Any) -> bool:
    return bool(node.name) and not isinstance(node.type, c_ast.FuncDecl)


def _base(node: Any) -> str:
    """The variable that an assigned place belongs to."""
    while not isinstance(node, c_ast.ID):
        if isinstance(node, (c_ast.ArrayRef, c_ast.StructRef)):
            node = node.name
        elif isinstance(node, (c_ast.UnaryOp, c_ast.Cast)):
            node = node.expr
        elif isinstance(node, c_ast.BinaryOp):
            node = node.left
        else:
            return ""
    return str(node.name)


def _note(
    variable: Variable, node: Any, sources: tuple[Variable, ...], function: Any,
    kind: Any = "set", is_member: bool = False, turns: tuple[Variable, ...] = (),
) -> None:  # fmt: skip
    variable.values.append(Value(node, sources, function, kind, is_member, turns))


def _looked_at(node: Any) -> list[Any]:
    """Parts of a piece of syntax that may set variables: none of types."""
    if isinstance(node, (c_ast.Typedef, c_ast.Typename)):
        return []
    if isinstance(node, c_ast.Decl):
        return [] if node.init is None else [node.init]
    return [child for _, child in node.children()]
