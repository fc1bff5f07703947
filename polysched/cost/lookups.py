"""Elements at places that data decide: which lines they need, by the model."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from math import prod

from polysched.analysis import DATA_TURNS, known_size
from polysched.cost.calls import N_CACHED
from polysched.cost.nest import Nest
from polysched.ir import (
    Action,
    Assign,
    Const,
    Element,
    Expr,
    Iter,
    Let,
    Local,
    Repeat,
    Scop,
    Statement,
    depends_on_data,
    inner_actions,
    own_expressions,
    walk,
)
from polysched.ir.types import INT

_ONE = Const(1, INT, "1")


def looked_up_bytes(
    nest: Nest,
    capacity_bytes: int,
    line_bytes: int,
    met: frozenset[str] = frozenset(),
) -> float:
    """Bytes that enter a cache for elements at places that data decide.

    Any element comes as often as any other: what of them the cache cannot hold is
    missed, a line each time, or only as much as is read where the innermost loop runs
    along a row. Rows that a loop of data runs along come one behind the other: they are
    no more than what is touched. What is written goes back as well.

    Parameters
    ----------
    nest : Nest
        One statement in its loops.
    capacity_bytes, line_bytes : int
        Of the cache.
    met : frozenset of str
        Arrays whose row an earlier statement of the same iteration has brought in.
    """
    total = 0.0
    rows = _rows_of(nest.statement)
    for (array, _), row in rows.items():
        n_bytes = row.turns * row.n_bytes
        among = choice_bytes(nest.scop, row.element) or nest.n_instances * n_bytes
        if among > capacity_bytes:
            total += (row.is_written + (array not in met)) * n_bytes
    for element, turns, is_written in chosen_elements(nest):
        if (element.array, element.subscripts) in rows:
            continue
        n_bytes = choice_bytes(nest.scop, element)
        if n_bytes > capacity_bytes:
            missed = 1.0 - capacity_bytes / n_bytes
            run = _is_run(nest, element)
            each = element.dtype.n_bytes if run else line_bytes
            total += (1 + is_written) * turns * missed * each
    return nest.n_instances * total


@dataclass(frozen=True)
class _Row:
    """An element that moves to its neighbour with each turn of a loop of data."""

    element: Element
    turns: float
    is_written: bool

    @property
    def n_bytes(self) -> int:
        return self.element.dtype.n_bytes


_Rows = dict[tuple[str, tuple[Expr, ...]], _Row]


def row_arrays(nest: Nest) -> frozenset[str]:
    """Arrays of which loops of data run along rows."""
    return frozenset(array for array, _ in _rows_of(nest.statement))


@lru_cache(maxsize=N_CACHED)
def _rows_of(statement: Statement) -> _Rows:
    return _rows(statement.body, 1.0)


def _rows(
    actions: tuple[Action, ...], turns: float, counters: frozenset[Local] = frozenset()
) -> _Rows:
    """The elements that move to their neighbours, by array and subscripts."""
    found: _Rows = {}
    for action in actions:
        target = action.target if isinstance(action, Assign) else None
        parts = [e for top in own_expressions(action) for e in walk(top)]
        for e in parts:
            if isinstance(e, Element) and _is_row(e, counters):
                key = e.array, e.subscripts
                is_written = e is target or (key in found and found[key].is_written)
                found[key] = _Row(e, turns, is_written)
        is_loop = isinstance(action, Repeat)
        inside = turns * DATA_TURNS if is_loop else turns
        known = _counters(action) if isinstance(action, Repeat) else counters
        for key, row in _rows(inner_actions(action), inside, known).items():
            is_known = key in found and found[key].is_written
            found[key] = replace(row, is_written=row.is_written or is_known)
    return found


def _counters(loop: Repeat) -> frozenset[Local]:
    """Variables that a loop advances by one behind each turn."""
    return frozenset(
        step.local
        for step in loop.step
        if isinstance(step, Let) and step.op in ("+=", "-=") and step.value == _ONE
    )


def _is_row(element: Element, counters: frozenset[Local]) -> bool:
    """Whether an element's last subscript alone depends on data, and counts."""
    *outer, last = element.subscripts or (None,)
    return last in counters and not any(depends_on_data(e) for e in outer if e)


def leaves_its_order(nest: Nest) -> bool:
    """Whether a loop of data runs in loops of another order than the source has.

    Of what data choose nobody but the author knows which loop uses it again: the rows
    of one table after another may stay in a cache, a row of each in turn may not.
    """
    if not nest.statement.has_data_loops:
        return False
    moved = [along for along in nest.directions if along is not None]
    return bool(moved) and len(moved[-1]) > 1 and not moved[-1][-1]


def scattered_bytes(nest: Nest, array: str) -> float:
    """Bytes of an array of which data decide what the statement writes; 0 otherwise."""
    found = [
        choice_bytes(nest.scop, e)
        for e, _, is_written in chosen_elements(nest)
        if is_written and e.array == array
    ]
    return max(found, default=0.0)


def chosen_elements(nest: Nest) -> tuple[tuple[Element, float, bool], ...]:
    """Elements at such places, how often one instance meets each, and if it writes."""
    return _elements_of(nest.statement)


@lru_cache(maxsize=N_CACHED)
def _elements_of(statement: Statement) -> tuple[tuple[Element, float, bool], ...]:
    return tuple(_elements(statement.body, 1.0))


def _elements(
    actions: tuple[Action, ...], turns: float
) -> Iterator[tuple[Element, float, bool]]:
    """Elements at such places, how often one instance meets each, and if it writes."""
    for action in actions:
        target = action.target if isinstance(action, Assign) else None
        for top in own_expressions(action):
            for e in walk(top):
                if isinstance(e, Element) and e.is_chosen_by_data:
                    yield e, turns, e is target
        inside = turns * DATA_TURNS if isinstance(action, Repeat) else turns
        yield from _elements(inner_actions(action), inside)


def choice_bytes(scop: Scop, element: Element) -> float:
    """Bytes among which data choose, 0 where nothing says how many."""
    array = scop.array(element.array)
    own = element.subscripts[array.n_expanded :]
    first = next((k for k, s in enumerate(own) if depends_on_data(s)), 0)
    sizes = [known_size(scop, e) for e in array.extents[first:]]
    return float(array.type.n_bytes * prod(sizes))


def _is_run(nest: Nest, element: Element) -> bool:
    """Whether the innermost loop goes along a row, which data chose before."""
    if nest.inner is None:
        return False
    direction = nest.directions[nest.inner]
    if direction is None:
        return False
    moving = {
        i for i, step in zip(nest.statement.iterators, direction, strict=True) if step
    }
    if not _iterators(element.subscripts[-1]) & moving:
        return False
    read = (e for s in element.subscripts for e in walk(s) if isinstance(e, Element))
    return not any(_iterators(e) & moving for e in read)


def _iterators(expr: Expr) -> set[str]:
    return {e.name for e in walk(expr) if isinstance(e, Iter)}
