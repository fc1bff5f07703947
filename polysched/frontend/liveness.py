"""Whether a variable's value may be read after the SCoP, and who holds its address.

A walk over the statements that may run after the SCoP, in the order of the text. It
errs on the safe side: a value that cannot be shown dead is live.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from pycparser import c_ast

from polysched.frontend.scoping import ScopSite
from polysched.frontend.trees import parts

JUMPS = (c_ast.Goto, c_ast.Label)


@dataclass(frozen=True)
class Flow:
    """What a piece of program does to one variable.

    Attributes
    ----------
    reads : bool
        It may read the value that the variable had before.
    kills : bool
        It surely overwrites the variable, or never hands on control.
    """

    reads: bool = False
    kills: bool = False


_NOTHING = Flow()


def is_read_after(site: ScopSite, name: str) -> bool:
    """Whether a scalar of the function may be read after the SCoP.

    Parameters
    ----------
    site : ScopSite
        Where the SCoP stands.
    name : str
        The variable, declared outside the SCoP.
    """
    if contains(site.function.body, JUMPS):
        return mentions(site.function.body, name)
    leaves = False  # on the way: what stands behind may be left out
    for step in reversed(site.path):
        if step.loop is not None:
            if _again(step.loop, name).reads:
                return True
            leaves = False
            continue
        rest = step.items[step.index + 1 :]
        flow = _sequence(rest, name)
        if flow.reads:
            return True
        leaves = leaves or any(map(_leaves, rest))
        if flow.kills and not leaves:
            return False
    return False


def is_mentioned_after(site: ScopSite, name: str) -> bool:
    """Whether an array of the function may be used after the SCoP."""
    if contains(site.function.body, JUMPS):
        return True
    for step in reversed(site.path):
        if step.loop is not None:
            if mentions(step.loop, name):
                return True
        elif any(mentions(item, name) for item in step.items[step.index + 1 :]):
            return True
    return False


def find_start(site: ScopSite, name: str) -> Any | None:
    """What a variable is declared with, if it is that at the start of the SCoP.

    None unless it is the function's own, only the SCoP changes it, and that runs once.
    """
    symbol = site.scope.find(name)
    if symbol is None or symbol.storage != "local" or symbol.node is None:
        return None
    runs_again = any(step.loop is not None for step in site.path)
    if runs_again or contains(site.function.body, JUMPS):
        return None
    if has_escaped(site.function, name, False):
        return None
    counts = [
        sum(1 for node in nodes for part in parts(node) if changes(part, name))
        for nodes in ([site.function.body], site.items)
    ]
    return symbol.node.init if counts[0] == counts[1] else None


def changes(node: Any, name: str) -> bool:
    """Whether a node itself assigns to a variable or steps it."""
    target = getattr(node, "lvalue", None)
    if isinstance(node, c_ast.UnaryOp) and node.op in {"++", "--", "p++", "p--"}:
        target = node.expr
    return isinstance(target, c_ast.ID) and bool(target.name == name)


def has_escaped(function: Any, name: str, is_array: bool) -> bool:
    """Whether the function may have handed on the address of a variable."""
    return _escapes(function.body, name, is_array)


def _escapes(node: Any, name: str, is_array: bool) -> bool:
    if isinstance(node, c_ast.UnaryOp) and node.op in {"&", "sizeof"}:
        return node.op == "&" and mentions(node.expr, name)
    if isinstance(node, c_ast.ArrayRef):
        base = node
        while isinstance(base, c_ast.ArrayRef):
            if _escapes(base.subscript, name, is_array):
                return True
            base = base.name
        return not isinstance(base, c_ast.ID) and _escapes(base, name, is_array)
    if is_array and isinstance(node, c_ast.ID):
        return bool(node.name == name)
    if isinstance(node, c_ast.Decl):
        return node.init is not None and _escapes(node.init, name, is_array)
    return any(_escapes(child, name, is_array) for _, child in node.children())


def contains(node: Any, kinds: tuple[type, ...]) -> bool:
    """Whether something of these kinds is in a piece of a program."""
    if isinstance(node, kinds):
        return True
    return any(contains(child, kinds) for _, child in node.children())


_LEAVES: tuple[type, ...] = (c_ast.Break, c_ast.Continue)


def _leaves(node: Any, kinds: tuple[type, ...] = _LEAVES) -> bool:
    """Whether a piece of a loop's body may leave an iteration of that loop."""
    if isinstance(node, kinds):
        return True
    if isinstance(node, (c_ast.For, c_ast.While, c_ast.DoWhile)):
        return False
    if isinstance(node, c_ast.Switch):
        kinds = (c_ast.Continue,)
    return any(_leaves(child, kinds) for _, child in node.children())


def count_mentions(nodes: Iterable[Any]) -> Counter[str]:
    """How often pieces of a program use each name; a declaration is no use."""
    found: Counter[str] = Counter()
    todo = list(nodes)
    while todo:
        node = todo.pop()
        if isinstance(node, c_ast.ID):
            found[node.name] += 1
        todo += (child for _, child in node.children())
    return found


def mentions(node: Any, name: str) -> bool:
    """Whether a piece of a program uses a name."""
    if isinstance(node, c_ast.ID):
        return bool(node.name == name)
    return any(mentions(child, name) for _, child in node.children())


def _sequence(items: Iterable[Any], name: str) -> Flow:
    """Statements one after another; a declaration of the same name hides the rest."""
    for item in items:
        if isinstance(item, c_ast.Decl) and item.name == name:
            reads = item.init is not None and mentions(item.init, name)
            return Flow(reads, False)
        flow = _flow(item, name)
        if flow.reads or flow.kills:
            return flow
    return _NOTHING


def _again(loop: Any, name: str) -> Flow:
    """The rest of the iterations of a loop around the SCoP."""
    if isinstance(loop, c_ast.For):
        if isinstance(loop.init, c_ast.DeclList) and _declares(loop.init, name):
            return _NOTHING
        parts = [loop.next, loop.cond, loop.stmt]
    else:
        parts = [loop.cond, loop.stmt]
    return _sequence([p for p in parts if p is not None], name)


def _declares(node: Any, name: str) -> bool:
    return any(getattr(d, "name", None) == name for d in node.decls)


def _flow(node: Any, name: str) -> Flow:
    """What one statement or expression does."""
    if node is None:
        return _NOTHING
    method = _FLOWS.get(type(node).__name__)
    if method is not None:
        return method(node, name)
    return _sequence([child for _, child in node.children()], name)


def _flow_id(node: Any, name: str) -> Flow:
    return Flow(reads=node.name == name)


def _flow_compound(node: Any, name: str) -> Flow:
    return _sequence(node.block_items or (), name)


def _flow_assignment(node: Any, name: str) -> Flow:
    target = isinstance(node.lvalue, c_ast.ID) and node.lvalue.name == name
    if not target or node.op != "=":
        return _sequence([node.rvalue, node.lvalue], name)
    value = _flow(node.rvalue, name)
    return value if value.reads else Flow(kills=True)


def _flow_choice(cond: Any, then: Any, other: Any, name: str) -> Flow:
    first = _flow(cond, name)
    if first.reads or first.kills:
        return first
    a, b = _flow(then, name), _flow(other, name)
    return Flow(a.reads or b.reads, a.kills and b.kills)


def _flow_if(node: Any, name: str) -> Flow:
    return _flow_choice(node.cond, node.iftrue, node.iffalse, name)


def _flow_for(node: Any, name: str) -> Flow:
    if isinstance(node.init, c_ast.DeclList) and _declares(node.init, name):
        return Flow(any(d.init and mentions(d.init, name) for d in node.init.decls))
    first = _sequence([p for p in (node.init, node.cond) if p is not None], name)
    if first.reads or first.kills:
        return first
    if _leaves(node.stmt):
        return Flow(reads=mentions(node.stmt, name) or _flow(node.next, name).reads)
    body = _sequence([p for p in (node.stmt, node.next) if p is not None], name)
    return Flow(reads=body.reads)


def _flow_while(node: Any, name: str) -> Flow:
    first = _flow(node.cond, name)
    if first.reads or first.kills:
        return first
    return Flow(reads=_flow(node.stmt, name).reads)


def _flow_dowhile(node: Any, name: str) -> Flow:
    if _leaves(node.stmt):
        return Flow(reads=mentions(node, name))
    return _sequence([node.stmt, node.cond], name)


def _flow_switch(node: Any, name: str) -> Flow:
    return Flow(reads=mentions(node, name))


def _flow_return(node: Any, name: str) -> Flow:
    return Flow(node.expr is not None and mentions(node.expr, name), True)


def _flow_jump(node: Any, name: str) -> Flow:
    return _NOTHING


def _flow_binary(node: Any, name: str) -> Flow:
    if node.op not in {"&&", "||"}:
        return _sequence([node.left, node.right], name)
    first = _flow(node.left, name)
    if first.reads or first.kills:
        return first
    return Flow(reads=_flow(node.right, name).reads)


def _flow_struct(node: Any, name: str) -> Flow:
    return _flow(node.name, name)


_FLOWS = {
    "ID": _flow_id, "Compound": _flow_compound, "Assignment": _flow_assignment,
    "If": _flow_if, "TernaryOp": _flow_if, "For": _flow_for, "While": _flow_while,
    "DoWhile": _flow_dowhile, "Switch": _flow_switch, "Return": _flow_return,
    "Break": _flow_jump, "Continue": _flow_jump, "BinaryOp": _flow_binary,
    "StructRef": _flow_struct,
}  # fmt: skip
