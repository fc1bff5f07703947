"""Variables of loops inside statements that lie between affine bounds.

In ``for (k = row[i]; k < row[i + 1]; k++) for (v = 0; v < n; v++) y[i*n + v] += ...;``
data end the outer loop, and both are part of one statement. What ``v`` can be is known
all the same, and that the subscript stays in its row.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import product

from polysched.frontend.literals import fold, integer
from polysched.frontend.polynomial import read_polynomial
from polysched.ir import (
    Action,
    Binary,
    Expr,
    Let,
    Local,
    Repeat,
    depends_on_data,
    inner_actions,
    map_expr,
    walk,
)


@dataclass(frozen=True)
class Between:
    """``first <= variable <= last`` wherever the loop's body runs."""

    first: Expr
    last: Expr


def find_ranges(body: Iterable[Action]) -> dict[Local, Between]:
    """The iterators of plain loops in a statement whose bounds are no data.

    A variable that several loops count with has one range in each: it is left out.
    """
    met: dict[Local, set[Between | None]] = {}
    for action in _everything(body):
        known = _iterator(action)
        if known is not None:
            met.setdefault(known[0], set()).add(known[1])
        elif isinstance(action, Repeat):
            for start in action.start:
                if isinstance(start, Let):
                    met.setdefault(start.local, set()).add(None)
    only = {local: next(iter(r)) for local, r in met.items() if len(r) == 1}
    return {local: between for local, between in only.items() if between is not None}


def is_within(subscript: Expr, ranges: Mapping[Local, Between]) -> bool:
    """Whether a subscript is known but for multiples of such variables."""
    atoms = [term.atom for term in read_polynomial(subscript).terms]
    return not any(
        a is not None and depends_on_data(a) and a not in ranges for a in atoms
    )


def at_corners(
    expr: Expr, ranges: Mapping[Local, Between]
) -> Iterator[tuple[Expr, tuple[Between, ...]]]:
    """An expression with the first and last values of the variables in it.

    What is a sum of multiples of them lies between these. Each comes with the ranges,
    which hold something where it is met at all.
    """
    used = [
        e for e in dict.fromkeys(walk(expr)) if isinstance(e, Local) and e in ranges
    ]
    met = tuple(ranges[e] for e in used)
    for ends in product(*((r.first, r.last) for r in met)):
        values = dict(zip(used, ends, strict=True))

        def change(part: Expr) -> Expr | None:
            return values.get(part) if isinstance(part, Local) else None  # noqa: B023

        yield map_expr(expr, change), met


def _everything(body: Iterable[Action]) -> Iterator[Action]:
    for action in body:
        yield action
        yield from _everything(inner_actions(action))


def _iterator(action: Action) -> tuple[Local, Between] | None:
    """The iterator of ``for (int v = a; v < b; v += c)`` and its values."""
    match action:
        case Repeat(
            Binary("<" | "<=" as op, Local() as local, bound),
            body,
            (Let(started, "=", Expr() as first, True),),
            (Let(stepped, "+=", Expr() as step),),
            True,
        ) if local == started == stepped:
            size = fold(step)
            changed = any(
                isinstance(a, Let) and a.local == local for a in _everything(body)
            )
            is_plain = size is not None and size > 0 and not changed
            if not is_plain or depends_on_data(first) or depends_on_data(bound):
                return None
            last = bound if op == "<=" else Binary("-", bound, integer(1))
            return local, Between(first, last)
    return None
