"""What the body of a loop makes of pointers that it exchanges, and of numbers.

A number that chooses a buffer, ``cur = 1 - cur;``, goes through a cycle. What it is
after so many steps has a name here, ``cur'1``, as the place of a pointer has the name
of the pointer that began there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pycparser import c_ast

from polysched.frontend.iterators import changed_names
from polysched.frontend.trees import copied, names, parts
from polysched.frontend.turn_counts import number

_LEAVES = (c_ast.Goto, c_ast.Label, c_ast.Return, c_ast.Switch)
_LOOPS = (c_ast.For, c_ast.While, c_ast.DoWhile)


class TurnBody:
    """Follows pointers and numbers through the statements of a loop's body.

    Parameters
    ----------
    items : sequence of nodes
        The statements.
    cycles : mapping of str to int
        How many values each number takes in turn.

    Attributes
    ----------
    others : list of nodes or None
        The statements that set none of them; names mean what these were at the start
        of the body. None where that is not clear.
    setters : list of nodes
        The statements that do.
    held : dict of str to str
        For what is set, whose place or which value it has at the end.
    declared : set of str
        Pointers of the body itself.
    read_first : set of str
        Those that are read before they are set.
    """

    def __init__(self, items: Sequence[Any], cycles: Mapping[str, int]) -> None:
        self._cycles = cycles
        settings = [s for s in map(setting, items) if s is not None]
        self._set = {target for target, _ in settings} | set(cycles)
        self._watched = self._set | {source for _, source in settings}
        self.held: dict[str, str] = {}
        self.declared: set[str] = set()
        self.read_first: set[str] = set()
        self.setters: list[Any] = []
        self.others: list[Any] | None = self._read(items)

    def _read(self, items: Sequence[Any]) -> list[Any] | None:
        found = []
        for item in items:
            pair = setting(item)
            stepped = step_target(item)
            if pair is not None:
                self._set_to(item, *pair)
            elif stepped in self._cycles:
                self._step(item, stepped)
            elif self._is_bare(item):
                self.declared.add(item.name)
                self.setters.append(item)
            elif self._touches(item) or _jumps_out(item):
                return None
            else:
                for name in names(item):
                    self._note(name)
                found.append(with_names(item, self.held))
        return found

    def _set_to(self, item: Any, target: str, source: str) -> None:
        self._note(source)
        self.held[target] = self.held.get(source, source)
        if isinstance(item, c_ast.Decl):
            self.declared.add(target)
        self.setters.append(item)

    def _step(self, item: Any, name: str) -> None:
        at = value_number(self.held.get(name, name))
        self.held[name] = value_name(name, (at + 1) % self._cycles[name])
        self.setters.append(item)

    def _note(self, name: str) -> None:
        if name in self._set and name not in self.held:
            self.read_first.add(name)

    def _is_bare(self, item: Any) -> bool:
        """Whether a statement declares a pointer that the body then sets."""
        if not isinstance(item, c_ast.Decl) or item.init is not None:
            return False
        return isinstance(item.type, c_ast.PtrDecl) and item.name in self._set

    def _touches(self, item: Any) -> bool:
        """Whether a statement sets, declares or hands on what is exchanged."""
        for part in parts(item):
            if isinstance(part, c_ast.Decl) and part.name in self._watched:
                return True
            asks = isinstance(part, c_ast.UnaryOp) and part.op in {"&", "sizeof"}
            if asks and getattr(part.expr, "name", None) in self._watched:
                return True
        return bool(self._watched & changed_names(item))


def setting(item: Any) -> tuple[str, str] | None:
    """The names in ``p = q;`` or ``T *p = q;``."""
    match item:
        case c_ast.Assignment(
            op="=", lvalue=c_ast.ID(name=target), rvalue=c_ast.ID(name=source)
        ):
            return target, source
        case c_ast.Decl(
            name=target, type=c_ast.PtrDecl(), storage=[], init=c_ast.ID(name=source)
        ):
            return target, source
    return None


def step_target(item: Any) -> str:
    """The variable that a statement changes without reading another one."""
    match item:
        case c_ast.Assignment(op=op, lvalue=c_ast.ID(name=name), rvalue=value):
            used = set(names(value))
            if (used == {name} and op == "=") or (not used and op != "="):
                return str(name)
    return ""


def value_name(name: str, at: int) -> str:
    """What a number is called after so many steps."""
    return f"{name}'{at}" if at else name


def value_number(name: str) -> int:
    """After how many steps a number is called that."""
    _, _, at = name.partition("'")
    return int(at or 0)


def closed(held: Mapping[str, str]) -> dict[str, str]:
    """The variables that hold, in the end, what these held, and no others."""
    found = dict(held)
    while True:
        known = set(found.values())
        kept = {v: h for v, h in found.items() if h in found and v in known}
        if len(kept) == len(found):
            return kept
        found = kept


def with_names(
    node: Any, other: Mapping[str, str | int], counted: str = "", place: Any = None
) -> Any:
    """A copy of all nodes with other names or numbers, and a value for a variable."""

    def put(part: Any) -> Any:
        if not isinstance(part, c_ast.ID):
            return None
        if part.name == counted and place is not None:
            return copied(place)
        name = other.get(part.name, part.name)
        if isinstance(name, int):
            return number(name, part.coord)
        return c_ast.ID(name, part.coord)

    return copied(node, put)


def flat_items(body: Any) -> list[Any]:
    """The statements of a loop's body, those between commas and in blocks apart.

    Blocks that exchange nothing stay, and those that declare what has another meaning
    outside of them.
    """
    if not isinstance(body, c_ast.Compound):
        return [body]
    items = list(body.block_items or ())
    found = []
    for k, item in enumerate(items):
        inner = [item]
        if isinstance(item, c_ast.ExprList):
            inner = list(item.exprs)
        elif isinstance(item, c_ast.Compound):
            others = [*items[:k], *items[k + 1 :]]
            used = {name for other in others for name in names(other)}
            opened = flat_items(item)
            declared = {p.name for p in opened if isinstance(p, c_ast.Decl)}
            if any(map(setting, opened)) and not declared & used:
                inner = opened
        found += inner
    return found


def _jumps_out(node: Any, in_loop: bool = False) -> bool:
    """Whether a statement may go to the next iteration, or out of the loop."""
    if isinstance(node, (c_ast.Break, c_ast.Continue)):
        return not in_loop
    inner = in_loop or isinstance(node, _LOOPS)
    return isinstance(node, _LEAVES) or any(
        _jumps_out(child, inner) for _, child in node.children()
    )
