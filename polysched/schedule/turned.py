"""Loops to be run from their other end, so that updates of an element stay in order."""

from __future__ import annotations

import islpy as isl

from polysched.ir import Access, Scop, Statement
from polysched.sets import component_functions


def turned_directions(statement: Statement) -> tuple[int, ...]:
    """The directions of a statement's loops, those of scattered updates turned.

    What ``x[i + a] += ...`` adds to one element comes with rising i and falling a. With
    a counted down both have distances of one sign: each may be the outer loop, and
    loops inside it need not wait. Of the iterators that a subscript of an updated
    element adds up, all but the outermost one are turned.

    Parameters
    ----------
    statement : Statement

    Returns
    -------
    tuple of int, length n_loops
        +1 or -1; the statement's own directions where it scatters nothing.
    """
    directions = list(statement.directions)
    for form in _scattered(statement):
        for j in _behind(form, statement):
            directions[j] = -statement.directions[j]
    return tuple(directions)


def gathered_directions(statement: Statement) -> tuple[int, ...]:
    """The directions of a statement's loops, of scattered updates as elements count.

    What ``x[i + a] += ...`` adds to one element lies on ``i + a``: with both counted
    upwards that is a row of a schedule, and updates on different values of it do not
    wait for each other. Where a is counted down in the program, it is turned.

    Parameters
    ----------
    statement : Statement

    Returns
    -------
    tuple of int, length n_loops
        +1 or -1; the statement's own directions where it scatters nothing.
    """
    directions = list(statement.directions)
    for form in _scattered(statement):
        for j, sign in enumerate(form):
            if sign:
                directions[j] = sign
    return tuple(directions)


def has_gathered_updates(scop: Scop) -> bool:
    """Whether statements of a SCoP update elements that sums of iterators tell."""
    return any(map(_scattered, scop.statements))


def _scattered(statement: Statement) -> list[tuple[int, ...]]:
    """Signs in the subscripts of updated elements that several iterators move."""
    read = [a.relation for a in statement.reads]
    return [
        form
        for access in statement.writes
        if any(access.relation.is_subset(r) for r in read)
        for form in _subscripts(access)
        if sum(map(abs, form)) > 1
    ]


def has_scattered_updates(scop: Scop) -> bool:
    """Whether some loops of a SCoP are turned by `turned_directions`."""
    return any(turned_directions(s) != s.directions for s in scop.statements)


def _subscripts(access: Access) -> list[tuple[int, ...]]:
    """Signs of the iterators' coefficients in each subscript of a function."""
    return [
        tuple(
            aff.get_coefficient_val(isl.dim_type.in_, j).sgn()
            for j in range(aff.dim(isl.dim_type.in_))
        )
        for aff in component_functions(access.relation) or []
    ]


def _behind(form: tuple[int, ...], statement: Statement) -> list[int]:
    """Iterators that move a subscript as one outside of them does, step by step."""
    steps = [c * d for c, d in zip(form, statement.directions, strict=True)]
    moving = [j for j, step in enumerate(steps) if step]
    return [j for j in moving[1:] if steps[j] == steps[moving[0]]]
