"""Elements at places that data decide: which lines they need, by the model."""

from __future__ import annotations

from collections.abc import Iterator
from math import prod

from polysched.analysis import DATA_TURNS, known_size
from polysched.cost.nest import Nest
from polysched.ir import (
    Action,
    Assign,
    Element,
    Expr,
    Iter,
    Repeat,
    Scop,
    depends_on_data,
    inner_actions,
    own_expressions,
    walk,
)


def looked_up_bytes(nest: Nest, capacity_bytes: int, line_bytes: int) -> float:
    """Bytes that enter a cache for elements at places that data decide.

    Any element comes as often as any other: what of them the cache cannot hold is
    missed, a line each time, or only as much as is read where the innermost loop runs
    along a row. What is written goes back as well.

    Parameters
    ----------
    nest : Nest
        One statement in its loops.
    capacity_bytes, line_bytes : int
        Of the cache.
    """
    total = 0.0
    for element, turns, is_written in chosen_elements(nest):
        n_bytes = choice_bytes(nest.scop, element)
        if n_bytes > capacity_bytes:
            missed = 1.0 - capacity_bytes / n_bytes
            run = _is_run(nest, element)
            each = element.dtype.n_bytes if run else line_bytes
            total += (1 + is_written) * turns * missed * each
    return nest.n_instances * total


def scattered_bytes(nest: Nest, array: str) -> float:
    """Bytes of an array of which data decide what the statement writes; 0 otherwise."""
    found = [
        choice_bytes(nest.scop, e)
        for e, _, is_written in chosen_elements(nest)
        if is_written and e.array == array
    ]
    return max(found, default=0.0)


def chosen_elements(nest: Nest) -> Iterator[tuple[Element, float, bool]]:
    """Elements at such places, how often one instance meets each, and if it writes."""
    return _elements(nest.statement.body, 1.0)


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
