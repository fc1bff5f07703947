"""Loops that end when data say so, and the statements that such a loop belongs to.

``for (k = row[i]; k < row[i + 1]; k++)``, ``while (z < 4)``, a loop with a ``break``:
how often they turn is no matter of polyhedra. Each becomes part of one statement
(`ir.Repeat`), together with the variables that are declared for it alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from pycparser import c_ast

from polysched.frontend.declarations import ScalarC, Symbol
from polysched.frontend.loops import iterator_node, step_node
from polysched.frontend.survey import Survey

_LOOPS = (c_ast.For, c_ast.While, c_ast.DoWhile)
_SIMPLE = (c_ast.Assignment, c_ast.UnaryOp, c_ast.EmptyStatement)
_BOUNDS = "the bounds or step of this loop are not affine, and it"
_MEMORY = (c_ast.ArrayRef, c_ast.StructRef)


@dataclass(frozen=True)
class Run:
    """Neighbouring statements of a block.

    Attributes
    ----------
    items : tuple of nodes
        The statements.
    locals : tuple of Symbol
        Variables that nothing else uses; empty if the statements stay apart.
    is_one : bool
        Whether they become one statement.
    """

    items: tuple[Any, ...]
    locals: tuple[Symbol, ...] = ()
    is_one: bool = False


class DataLoops:
    """Knows the loops of a SCoP that data end.

    Parameters
    ----------
    survey : Survey
        What the names mean.
    """

    def __init__(self, survey: Survey) -> None:
        self._survey = survey

    def is_one(self, node: Any) -> bool:
        """Whether a statement is a loop that data end."""
        if isinstance(node, (c_ast.While, c_ast.DoWhile)):
            return True
        if not isinstance(node, c_ast.For):
            return False
        iterator = self._survey.symbol(iterator_node(node))
        if node.init is None or node.cond is None or find_break(node.stmt):
            return True
        if iterator is not None and iterator in self._survey.writes:
            return True
        header = self._header(node)
        if self._steps_freely(node, iterator):
            return True
        return any(self._data_in(c, {iterator}) is not None for c in header)

    def cause(self, node: Any) -> tuple[Any, str]:
        """What makes a loop one that data end: the place, and in words."""
        if not isinstance(node, c_ast.For):
            kind = "do-while" if isinstance(node, c_ast.DoWhile) else "while"
            return node, f"found a {kind} loop that"
        if node.init is None or node.cond is None:
            lacks = "start value" if node.init is None else "condition"
            return node, f"found a for loop without a {lacks} that"
        leaves = find_break(node.stmt)
        if leaves is not None:
            return leaves, "found a break in a loop that"
        iterator = self._survey.symbol(iterator_node(node))
        if iterator is not None and iterator in self._survey.writes:
            change = self._survey.writes[iterator][0]
            return change, f"the loop iterator {iterator.name!r} is changed; the loop"
        if self._steps_freely(node, iterator):
            return node.next, _BOUNDS
        data = (self._data_in(c, {iterator}) for c in self._header(node))
        place = next((p for p in data if p is not None), node)
        return place, _BOUNDS

    def has_plain_loop(self, node: Any) -> bool:
        """Whether a statement holds a loop that is not inside of one that data end."""
        if self.is_one(node):
            return False
        if isinstance(node, c_ast.For):
            return True
        return any(self.has_plain_loop(child) for _, child in node.children())

    def variables(self, items: Iterable[Any]) -> tuple[Symbol, ...]:
        """What statements declare, anywhere in them, and the iterators of loops."""
        nodes = (
            iterator_node(part) if isinstance(part, c_ast.For) else part
            for part in _parts(items)
            if isinstance(part, (c_ast.For, c_ast.Decl))
        )
        symbols = (self._survey.symbol(node) for node in nodes)
        found = (s for s in symbols if s is not None and s.kind == "object")
        return tuple(dict.fromkeys(found))

    def runs(self, items: Sequence[Any]) -> Iterator[Run]:
        """A block in pieces: loops that data end with what belongs to them."""
        k = 0
        while k < len(items):
            run = self._run_from(items, k)
            yield run
            k += len(run.items)

    def _run_from(self, items: Sequence[Any], first: int) -> Run:
        """The piece that begins at a statement, longer than one at a declaration."""
        single = Run((items[first],))
        symbol = self._declared(items[first])
        if symbol is None:
            return single
        last = self._last_loop(items, first, {symbol})
        if last is None:
            return single
        own = {s for s in map(self._declared, items[first:last]) if s is not None}
        while last + 1 < len(items) and self._hands_on(items[last + 1], own):
            last += 1
        last = self._last_reading(items, last, own & self._survey.iterators.keys())
        run = tuple(items[first : last + 1])
        later = {self._survey.symbol(n) for n in _names(items[last + 1 :])}
        kept = tuple(s for s in self.variables(run) if s not in later)
        return Run(run, kept, True)

    def _last_loop(
        self, items: Sequence[Any], first: int, own: set[Symbol]
    ) -> int | None:
        """The last statement with a loop that data end and uses what was declared.

        None if there is no such, or something between that stays apart.
        """
        last = None
        for k in range(first, len(items)):
            item = items[k]
            if not self._may_join(item):
                break
            symbol = self._declared(item)
            if symbol is not None:
                own.add(symbol)
            if self.holds_one(item) and self._mentions(item, own):
                last = k
        return last

    def _last_reading(
        self, items: Sequence[Any], last: int, iterators: set[Symbol]
    ) -> int:
        """The last statement that asks for an iterator, if all up to it may join.

        An iterator is no variable outside of the statement that has its loop.
        """
        for k in range(last + 1, len(items)):
            if not self._may_join(items[k]):
                break
            if self._mentions(items[k], iterators):
                last = k
        return last

    def _may_join(self, item: Any) -> bool:
        if isinstance(item, c_ast.Decl):
            return self._declared(item) is not None
        if isinstance(item, _SIMPLE) or self.is_one(item):
            return True
        is_control = isinstance(item, (c_ast.If, c_ast.Compound))
        return is_control and not self.has_plain_loop(item)

    def holds_one(self, item: Any) -> bool:
        """Whether a statement is a loop that data end, or holds one."""
        return self.first(item) is not None

    def first(self, item: Any) -> Any | None:
        """The first loop that data end in a statement."""
        if self.is_one(item):
            return item
        found = (self.first(child) for _, child in item.children())
        return next((loop for loop in found if loop is not None), None)

    def _hands_on(self, item: Any, own: set[Symbol]) -> bool:
        """Whether a statement puts what a loop found into its place.

        Those that add it up stay apart: sums are worth knowing.
        """
        if not isinstance(item, c_ast.Assignment) or item.op != "=":
            return False
        if not self._mentions(item.rvalue, own):
            return False
        target = _base(item.lvalue)
        return target is not None and not any(
            name.name == target.name for name in _names((item.rvalue,))
        )

    def _declared(self, item: Any) -> Symbol | None:
        """The scalar that a statement declares."""
        if not isinstance(item, c_ast.Decl):
            return None
        symbol = self._survey.symbol(item)
        if symbol is None or not isinstance(symbol.ctype, ScalarC):
            return None
        return symbol if symbol.storage == "scop" else None

    def _mentions(self, node: Any, symbols: set[Symbol]) -> bool:
        return any(self._survey.symbol(n) in symbols for n in _names((node,)))

    def _steps_freely(self, node: Any, iterator: Symbol | None) -> bool:
        """Whether a loop's step is none that adds something to its iterator."""
        if iterator is None or node.next is None:
            return False
        return step_node(node.next, iterator.name) is None

    def _header(self, node: Any) -> list[Any]:
        return [child for name, child in node.children() if name != "stmt"]

    def _data_in(self, node: Any, known: set[Symbol | None]) -> Any | None:
        """What makes an expression more than one of iterators and parameters.

        What stands where a call stands is decided where it is read.
        """
        for part in _parts((node,)):
            is_memory = isinstance(part, c_ast.UnaryOp) and part.op == "*"
            if is_memory or isinstance(part, _MEMORY):
                return part
            symbol = self._survey.symbol(part)
            is_name = isinstance(part, c_ast.ID) and symbol is not None
            if is_name and symbol not in known and self._is_data(symbol, known):
                return part
        return None

    def _is_data(self, symbol: Any, known: set[Symbol | None]) -> bool:
        """Whether a variable is neither parameter nor iterator, nor stands for some."""
        if symbol.kind != "object" or symbol.value is not None:
            return False
        if symbol in self._survey.iterators:
            return False
        if symbol in self._survey.writes:
            return True
        declared = self._survey.declared.get(symbol)
        if declared is None:
            return False
        init = declared.init
        return init is None or self._data_in(init, {*known, symbol}) is not None


def find_break(node: Any) -> Any | None:
    """The first ``break`` in a loop's body that ends the loop."""
    if isinstance(node, c_ast.Break):
        return node
    if node is None or isinstance(node, (*_LOOPS, c_ast.Switch)):
        return None
    found = (find_break(child) for _, child in node.children())
    return next((leaves for leaves in found if leaves is not None), None)


def _base(target: Any) -> Any | None:
    """The name that an assignment changes."""
    while isinstance(target, c_ast.ArrayRef):
        target = target.name
    return target if isinstance(target, c_ast.ID) else None


def _names(items: Iterable[Any]) -> Iterator[Any]:
    return (part for part in _parts(items) if isinstance(part, c_ast.ID))


def _parts(items: Iterable[Any]) -> Iterator[Any]:
    """Pieces of syntax and everything in them, in the order of the text.

    What ``sizeof`` asks about is not read.
    """
    for node in items:
        if node is not None:
            yield node
            if not (isinstance(node, c_ast.UnaryOp) and node.op == "sizeof"):
                yield from _parts(child for _, child in node.children())
