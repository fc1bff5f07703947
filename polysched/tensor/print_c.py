"""The statements of a kernel as C text, with the Python line behind each line."""

from __future__ import annotations

import math
from collections.abc import Sequence

from polysched.tensor.argument import C_TYPES
from polysched.tensor.ast_source import Place
from polysched.tensor.cfunction import PythonLine
from polysched.tensor.dtypes import is_float, is_narrow
from polysched.tensor.expr import (
    Assign,
    Break,
    Const,
    Expr,
    For,
    If,
    Index,
    Load,
    Node,
    Op,
    Storage,
    While,
    expressions_of,
    walk,
    walk_nodes,
)
from polysched.tensor.helpers import PREFIX, helper_text
from polysched.tensor.private import Declarations, find_private
from polysched.tensor.size import Size

_PRECEDENCE = {
    "*": 10, "/": 10, "+": 9, "-": 9, "<<": 8, ">>": 8, "<": 7, "<=": 7, ">": 7,
    ">=": 7, "==": 6, "!=": 6, "&": 5, "^": 4, "|": 3, "&&": 2, "||": 1, "?:": 0,
}  # fmt: skip
_UNARY = {"neg": "-", "!": "!", "~": "~"}
_ATOM = 12
_PREFIX = 11
_MAX_INT = 2**31
_COMPOUND = frozenset({"+", "*"})
_GROWING = frozenset({"+", "-", "*", "<<", "neg", "~"})


def print_expr(expr: Expr) -> str:
    """An expression as C."""
    return _text(expr)[0]


def _text(expr: Expr) -> tuple[str, int]:
    """The text and how tightly its outermost operator binds."""
    if isinstance(expr, Const):
        text = constant_text(expr)
        return text, _PREFIX if text.startswith("-") else _ATOM
    if isinstance(expr, Index):
        return size_text(expr.size)
    if isinstance(expr, Load):
        return load_text(expr), _ATOM
    assert isinstance(expr, Op)
    if expr.op in _GROWING and is_narrow(expr.dtype):
        return f"({C_TYPES[expr.dtype]})({_operation(expr)[0]})", _PREFIX
    return _operation(expr)


def _operation(expr: Op) -> tuple[str, int]:
    """The text as C computes it: narrow integers as int."""
    op = expr.op
    if op in _UNARY:
        inner = _inside(expr.operands[0], _PREFIX + 1)
        return f"{_UNARY[op]}{inner}", _PREFIX
    if op == "cast":
        return f"({C_TYPES[expr.dtype]}){_inside(expr.operands[0], _ATOM)}", _PREFIX
    if op == "?:":
        test, then, other = (_inside(a, 1) for a in expr.operands)
        return f"{test} ? {then} : {other}", 0
    if op in _PRECEDENCE:
        return _binary(op, expr), _PRECEDENCE[op]
    args = ", ".join(print_expr(a) for a in expr.operands)
    return f"{op}({args})", _ATOM


def _binary(op: str, expr: Op) -> str:
    level = _PRECEDENCE[op]
    left, right = expr.operands
    strict = level + 1
    if op in ("&&", "||", "&", "|", "^", "<<", ">>", "==", "!="):
        inner = 6 if level < 6 else 8
        return f"{_inside(left, inner)} {op} {_inside(right, inner)}"
    return f"{_inside(left, level)} {op} {_inside(right, strict)}"


def _inside(expr: Expr, level: int) -> str:
    text, found = _text(expr)
    return text if found >= level else f"({text})"


def size_text(size: Size) -> tuple[str, int]:
    """A size as C and how tightly it binds."""
    text = size.to_text("c")
    if size.is_constant:
        return text, _ATOM if size.constant >= 0 else _PREFIX
    if len(size.terms) == 1 and not size.constant and size.terms[0][1] == 1:
        return (text, _ATOM) if text.isidentifier() else (f"({text})", _ATOM)
    return text, 9


def constant_text(value: Const) -> str:
    """A number as C."""
    number = value.value
    if not is_float(value.dtype):
        whole = int(number)
        if value.dtype == "int64" and not -_MAX_INT < whole < _MAX_INT:
            return f"{whole}L" if whole > -(2**63) else "(-9223372036854775807L - 1)"
        if value.dtype == "int64" and not value.is_weak:
            return f"{whole}L"  # beside another one C would compute with `int`
        return "(-2147483647 - 1)" if whole == -(2**31) else str(whole)
    suffix = "f" if value.dtype == "float32" else ""
    if math.isnan(number):
        return "(0.0f / 0.0f)" if suffix else "(0.0 / 0.0)"
    if math.isinf(number):
        text = "(1.0f / 0.0f)" if suffix else "(1.0 / 0.0)"
        return text if number > 0 else f"(-{text})"
    return repr(float(number)) + suffix


def load_text(load: Load) -> str:
    """An element or variable as C."""
    if load.storage.kind == "result" and not load.subscripts:
        return f"{load.storage.name}[0]"
    return load.storage.name + "".join(f"[{s.to_text('c')}]" for s in load.subscripts)


class Printer:
    """Writes lines and remembers where they come from."""

    def __init__(self, private: Declarations) -> None:
        self.lines: list[str] = []
        self.places: dict[int, PythonLine] = {}
        self._private = private

    def add(
        self, text: str, place: Place | None = None, is_unordered: bool = False
    ) -> None:
        """Write a line."""
        self.lines.append(text)
        if place is not None:
            line = PythonLine(place.where, place.text, is_unordered)
            self.places[len(self.lines)] = line

    def block(self, nodes: Sequence[Node], depth: int) -> None:
        """Write statements."""
        declared = self._private.get(id(nodes), {})
        for k, node in enumerate(nodes):
            self._declared(node, declared.get(k, []), depth)

    def _declared(self, node: Node, variables: Sequence[Storage], depth: int) -> None:
        """Write a statement and the declarations in front of it."""
        pad = "  " * depth
        for variable in variables:
            if isinstance(node, Assign) and node.target.storage is variable:
                text = _assignment(node)
                self.add(f"{pad}{_type_of(variable)} {text}", node.place)
                return
            self.add(f"{pad}{_type_of(variable)} {variable.name};", node.place)
        self._node(node, depth)

    def _node(self, node: Node, depth: int) -> None:
        pad = "  " * depth
        if isinstance(node, Assign):
            self.add(f"{pad}{_assignment(node)}", node.place, node.is_unordered)
        elif isinstance(node, For):
            self._body(f"{pad}{_header(node)}", node, node.body, depth)
        elif isinstance(node, While):
            head = f"{pad}while ({print_expr(node.condition)})"
            self._body(head, node, node.body, depth)
        elif isinstance(node, Break):
            self.add(f"{pad}break;", node.place)
        else:
            assert isinstance(node, If)
            test = print_expr(node.condition)
            self._body(f"{pad}if ({test})", node, node.body, depth, bool(node.orelse))
            if node.orelse:
                self._body(f"{pad}else", node, node.orelse, depth)

    def _body(
        self, head: str, node: Node, body: Sequence[Node], depth: int,
        braces: bool = False,
    ) -> None:  # fmt: skip
        single = len(body) == 1 and not braces and not _ends_open(body[0])
        single = single and id(body) not in self._private
        self.add(head if single else f"{head} {{", node.place)
        self.block(body, depth + 1)
        if not single:
            self.add("  " * depth + "}")


def _type_of(variable: Storage) -> str:
    return "int" if variable.dtype == "bool" else C_TYPES[variable.dtype]


def _ends_open(node: Node) -> bool:
    """Whether a following else could be taken for the statement's own."""
    return isinstance(node, If)


def _header(node: For) -> str:
    name, start, stop = node.iterator, node.start.to_text("c"), node.stop.to_text("c")
    if node.step > 0:
        step = f"{name}++" if node.step == 1 else f"{name} += {node.step}"
        return f"for (long {name} = {start}; {name} < {stop}; {step})"
    step = f"{name}--" if node.step == -1 else f"{name} -= {-node.step}"
    return f"for (long {name} = {start}; {name} > {stop}; {step})"


def _assignment(node: Assign) -> str:
    target, value = load_text(node.target), node.value
    if isinstance(value, Op) and value.op in _COMPOUND and value.dtype != "bool":
        first, second = value.operands
        if isinstance(first, Load) and _is_same(first, node.target):
            return f"{target} {value.op}= {print_expr(second)};"
    if isinstance(value, Op) and value.dtype == node.target.dtype:
        return f"{target} = {_operation(value)[0]};"  # being written cuts it back
    return f"{target} = {print_expr(value)};"


def _is_same(one: Load, two: Load) -> bool:
    return one.storage is two.storage and one.subscripts == two.subscripts


def used_helpers(nodes: Sequence[Node]) -> list[str]:
    """Names of the helper functions that statements call, sorted."""
    found = set()
    for node in walk_nodes(list(nodes)):
        for expr in expressions_of(node):
            found |= {
                e.op
                for e in walk(expr)
                if isinstance(e, Op) and e.op.startswith(PREFIX)
            }
    return sorted(found)


def array_declarator(storage: Storage) -> str:
    """An array parameter: ``double A[restrict N][M]``."""
    c_type = C_TYPES[storage.dtype]
    if not storage.extents:
        return f"{c_type} {storage.name}[restrict 1]"
    first, *rest = (e.to_text("c") for e in storage.extents)
    inner = "".join(f"[{e}]" for e in rest)
    return f"{c_type} {storage.name}[restrict {first}]{inner}"


def print_file(
    name: str, parameters: Sequence[str], variables: Sequence[Storage],
    nodes: Sequence[Node], origin: str,
) -> tuple[str, dict[int, PythonLine]]:  # fmt: skip
    """The whole C file, and the Python line behind its lines."""
    private = find_private(nodes, variables)
    hidden = {id(s) for k in private.values() for found in k.values() for s in found}
    printer = Printer(private)
    printer.add(f"/* {origin} */")
    printer.add("#include <math.h>")
    for helper in used_helpers(nodes):
        printer.add("")
        for line in helper_text(helper).splitlines():
            printer.add(line)
    printer.add("")
    printer.add(f"void {name}({', '.join(parameters) or 'void'})")
    printer.add("{")
    for storage in variables:
        if id(storage) not in hidden:
            printer.add(f"  {_type_of(storage)} {storage.name};")
    printer.add("#pragma scop")
    printer.block(nodes, 1)
    printer.add("#pragma endscop")
    printer.add("}")
    return "\n".join(printer.lines) + "\n", printer.places
