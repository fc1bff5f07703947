"""Sums of integers, which compilers take apart for vector lanes, by the model."""

from __future__ import annotations

from polysched.analysis import Reference, StrideClass
from polysched.ir import Assign, Binary, Load, Statement

SUM_CYCLES = 4.0  # to add up the lanes behind a loop
MULTIPLIED_BYTES = 2  # of factors of which instructions take pairs, and add them


def adds_integers(
    statement: Statement, accesses: list[tuple[Reference, StrideClass]]
) -> bool:
    """Whether a loop adds to one integer what lies side by side.

    Terms of integers may come in any order, so that compilers need no permission.

    Parameters
    ----------
    statement : Statement
        What the loop runs.
    accesses : list of (Reference, {"0", "1", "N"})
        How each moves along the loop.
    """
    match statement.body:
        case (Assign(Load() as target, "+=" | "-=" as op),):
            moves = [c for r, c in accesses if r.is_write]
            others = {c for r, c in accesses if not r.is_write}
            is_sum = not target.dtype.is_float and set(moves) == {"0"}
            return is_sum and bool(op) and others <= {"0", "1"} and "1" in others
    return False


def terms_per_lane(statement: Statement) -> int:
    """Products that one lane of a sum takes at once: two of factors that are short."""
    match statement.body:
        case (Assign(_, _, Binary("*", left, right)),):
            narrow = [e.dtype.n_bytes <= MULTIPLIED_BYTES for e in (left, right)]
            return 2 if all(narrow) else 1
    return 1
