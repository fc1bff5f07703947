"""Buffers that take turns: ``t = p; p = q; q = t;`` leaves two that are apart."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pycparser import c_ast

from polysched.frontend.trees import STEP_OPS, parts

Turns = tuple[set[str], dict[str, str]]
_IN_ORDER = (c_ast.Compound, c_ast.ExprList)
_ENDS = (c_ast.Pragma, c_ast.Break, c_ast.Continue, c_ast.Goto, c_ast.Return)


def turn_key(node: Any) -> str:
    """What a name, or what it points to, is called among those that take turns."""
    if isinstance(node, c_ast.ID):
        return str(node.name)
    is_pointed = isinstance(node, c_ast.UnaryOp) and node.op == "*"
    if is_pointed and isinstance(node.expr, c_ast.ID):
        return f"*{node.expr.name}"
    return ""


def find_turns(node: Any, defined: set[str]) -> Iterator[tuple[int, Turns]]:
    """What variables are set to, and what is then assigned in the same block.

    The latter is for variables that other functions see: of them, it tells what is
    assigned up to the region, which may use both, a jump or a call. For others it
    tells the variable that is set anew in an exchange which is one beyond doubt.
    """
    items = [child for _, child in node.children()]
    near = _exchanged(items) if isinstance(node, _IN_ORDER) else {}
    lasting: dict[str, str] = {}
    for item in reversed(items):
        yield from find_turns(item, defined)
        inner = list(parts(item))
        if any(isinstance(n, _ENDS) for n in inner):
            lasting = {}
        for one in reversed(_in_turn(item)):
            if isinstance(one, c_ast.Assignment) and turn_key(one.lvalue):
                yield id(one.rvalue), (near.get(id(one.rvalue), set()), dict(lasting))
                lasting[turn_key(one.lvalue)] = (
                    turn_key(one.rvalue) if one.op == "=" else ""
                )
            elif isinstance(one, c_ast.Decl) and one.init is not None:
                yield id(one.init), (near.get(id(one.init), set()), dict(lasting))
        if any(_is_call_of(n, defined) for n in inner):
            lasting = {}


@dataclass(frozen=True)
class _Setting:
    """A variable that is set to what another one holds; no source: to anything else."""

    target: str
    source: str
    value: Any


def _exchanged(items: Sequence[Any]) -> dict[int, set[str]]:
    """Values that are handed on where a block only exchanges what variables hold."""
    found: dict[int, set[str]] = {}
    run: list[_Setting] = []
    for item in items:
        if any(isinstance(n, _ENDS) for n in parts(item)):
            found |= _turns_of(run)
            run = []
            continue
        for one in _in_turn(item):
            run += _settings(one)
    return found | _turns_of(run)


def _settings(item: Any) -> list[_Setting]:
    """What a statement sets, its parts first."""
    match item:
        case c_ast.Decl(init=value) if value is not None:
            own = [_Setting(str(item.name), _plain_name(value), value)]
            within = value
        case c_ast.Assignment(op="=", lvalue=c_ast.ID(name=name), rvalue=value):
            own, within = [_Setting(name, _plain_name(value), value)], value
        case _:
            own, within = [], item
    others = [_Setting(name, "", None) for name in sorted(_changed(within))]
    return [*others, *own]


def _plain_name(node: Any) -> str:
    return str(node.name) if isinstance(node, c_ast.ID) else ""


def _changed(node: Any) -> set[str]:
    """Names that a piece of syntax sets or steps somewhere."""
    found = set()
    for part in parts(node):
        target = None
        if isinstance(part, c_ast.Assignment):
            target = part.lvalue
        elif isinstance(part, c_ast.UnaryOp) and part.op in STEP_OPS:
            target = part.expr
        if isinstance(target, c_ast.ID):
            found.add(str(target.name))
    return found


def _turns_of(run: Sequence[_Setting]) -> dict[int, set[str]]:
    """The values in statements after which some variables hold what others held.

    Those others are the same variables: each of them gets what one of them had, by way
    of variables that do not count.
    """
    after: dict[str, str] = {}
    for one in run:
        after[one.target] = after.get(one.source, one.source)
    members = dict(after)
    while True:
        outside = {
            v for v, held in members.items()
            if held not in members or v not in members.values()
        }  # fmt: skip
        if not outside:
            break
        members = {v: held for v, held in members.items() if v not in outside}
    found: dict[int, set[str]] = {}
    set_before: set[str] = set()
    for k, one in enumerate(run):
        is_first = one.source in members and one.source not in set_before
        if is_first and (one.target in members or _is_handed_on(run[k:], members)):
            found[id(one.value)] = {one.source}
        set_before.add(one.target)
    return found


def _is_handed_on(run: Sequence[_Setting], members: Mapping[str, str]) -> bool:
    """Whether a member gets what the first statement keeps."""
    name = run[0].target
    for one in run[1:]:
        if one.source == name and one.target in members:
            return True
        if one.target == name:
            return False
    return False


def _is_call_of(node: Any, defined: set[str]) -> bool:
    if not isinstance(node, c_ast.FuncCall):
        return False
    return not isinstance(node.name, c_ast.ID) or node.name.name in defined


def _in_turn(item: Any) -> list[Any]:
    """A statement, or what commas join."""
    return list(item.exprs) if isinstance(item, c_ast.ExprList) else [item]
