"""Sums under a condition that decides over other things, too, become statements."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import islpy as isl

from polysched.analysis.reductions import match_update
from polysched.ir import (
    Action,
    Assign,
    Element,
    Expr,
    Guard,
    Local,
    Scop,
    Statement,
    action_expressions,
    assignments,
    walk,
)


def split_guarded_sums(scop: Scop) -> Scop:
    """Give sums that share their condition with other assignments own statements.

    ``if (c) { mask[i] = 1; n += 1; }`` becomes ``if (c) n += 1; if (c) mask[i] = 1;``,
    so that the sum is found (`find_updates`), and threads may share the loop. Results
    do not change: only the sum mentions its element, and what it adds is not written by
    the others.

    Parameters
    ----------
    scop : Scop
        Any SCoP.

    Returns
    -------
    Scop
        With the sums in front of the statements that they are taken from, and numbered
        behind all others.
    """
    return with_parts_apart(
        scop,
        {
            s.name: (*(_part(s, (a,)) for a in sums), _part(s, _others(s, sums)))
            for s in scop.statements
            if (sums := _find_sums(s))
        },
    )


def with_parts_apart(scop: Scop, parts: Mapping[str, Sequence[Statement]]) -> Scop:
    """The SCoP with several statements, one behind the other, in the place of one.

    Parameters
    ----------
    scop : Scop
        Any SCoP.
    parts : mapping of str to sequence of Statement
        Names of statements, and what stands for them, of the same name. The last keeps
        it, the others are numbered behind all statements.
    """
    if not parts:
        return scop
    room = max(map(len, parts.values()))
    number = 1 + max(int(s.name[1:]) for s in scop.statements)
    statements: list[Statement] = []
    for s in scop.statements:
        *ahead, last = parts.get(s.name, (s,))
        base = tuple(room * p for p in s.position)
        for k, part in enumerate(ahead):
            own = rename_statement(part, f"S{number}")
            statements.append(replace(own, position=(*base[:-1], base[-1] + k)))
            number += 1
        statements.append(replace(last, position=(*base[:-1], base[-1] + len(ahead))))
    return replace(scop, statements=tuple(statements))


def _find_sums(statement: Statement) -> tuple[Assign, ...]:
    """The assignments under a condition that could stand alone; not all of them."""
    guard = statement.body[0] if len(statement.body) == 1 else None
    if not isinstance(guard, Guard) or guard.other or len(guard.then) < 2:
        return ()
    written = {a.target.array for action in guard.then for a in assignments(action)}
    written |= _variables(guard.then)
    found = []
    for action in guard.then:
        if not isinstance(action, Assign) or match_update(action) is None:
            continue
        target = action.target.array
        others = (a for a in guard.then if a is not action)
        mentioned = _mentioned((Guard(guard.cond, tuple(others)),))
        read = _mentioned((action,)) - {target}
        if target not in mentioned and not read & written:
            found.append(action)
    return tuple(found[len(found) == len(guard.then) :])  # one may stay where it is


def _mentioned(actions: tuple[Action, ...]) -> set[str]:
    """Arrays, and variables of the instance."""
    arrays = {e.array for e in _nodes(actions) if isinstance(e, Element)}
    return arrays | _variables(actions)


def _variables(actions: tuple[Action, ...]) -> set[str]:
    return {e.name for e in _nodes(actions) if isinstance(e, Local)}


def _nodes(actions: tuple[Action, ...]) -> Iterator[Expr]:
    for action in actions:
        for top in action_expressions(action):
            yield from walk(top)


def _others(statement: Statement, sums: tuple[Assign, ...]) -> tuple[Action, ...]:
    (guard,) = statement.body
    assert isinstance(guard, Guard)
    return tuple(a for a in guard.then if not any(a is s for s in sums))


def _part(statement: Statement, actions: tuple[Action, ...]) -> Statement:
    """The statement with some of the actions under its condition."""
    (guard,) = statement.body
    assert isinstance(guard, Guard)
    body = (replace(guard, then=actions),)
    arrays = _mentioned(body)
    kept = tuple(a for a in statement.accesses if a.array in arrays)
    return replace(statement, body=body, accesses=kept)


def rename_statement(statement: Statement, name: str) -> Statement:
    """The same statement under another name, in its domain and accesses as well."""
    accesses = (
        replace(a, relation=a.relation.set_tuple_name(isl.dim_type.in_, name))
        for a in statement.accesses
    )
    domain = statement.domain.set_tuple_name(name)
    return replace(statement, name=name, domain=domain, accesses=tuple(accesses))
