"""Quotients and remainders of integers, by the model: long chains of operations."""

from __future__ import annotations

from functools import lru_cache

from polysched.analysis import division_count
from polysched.cost.calls import N_CACHED
from polysched.cost.nest import Nest
from polysched.ir import Statement

DIVISION_OPERATIONS = 5.0  # by a constant: multiplications, a shift, a subtraction
DIVISION_CYCLES = 10.0  # of those, one after the other
SHIFT_OPERATIONS = 3.0  # beside the shift by which C's truncation divides
WAITING = 96.0  # operations without their operands that a core looks at
BYTES_IN_LANES = 4  # vectors have no upper halves of longer products


def n_divisions(nest: Nest) -> int:
    """Quotients and remainders of integers in one instance, but those by shifts."""
    return _n_divisions(nest.statement, by_shifts=False)


def n_shifts(nest: Nest) -> int:
    """Quotients and remainders by powers of two in one instance."""
    return _n_divisions(nest.statement, by_shifts=True)


@lru_cache(maxsize=2 * N_CACHED)
def _n_divisions(statement: Statement, *, by_shifts: bool) -> int:
    return sum(division_count(a, by_shifts=by_shifts) for a in statement.body)


def has_lanes(nest: Nest) -> bool:
    """Whether its quotients and remainders, if any, can be had in vector lanes."""
    return not n_divisions(nest) or nest.element_bytes <= BYTES_IN_LANES


def waiting_cycles(nest: Nest) -> float:
    """Cycles of one instance in a register tile whose copies wait for each other.

    Iterations of the innermost loop do not wait, but a core holds only so many
    operations that do; a chain of copies fills that with fewer iterations at a time.
    """
    divisions = n_divisions(nest)
    if not divisions:
        return 0.0
    n_operations = nest.n_operations + divisions * DIVISION_OPERATIONS
    return (
        divisions * DIVISION_CYCLES * nest.copies / nest.chains * n_operations / WAITING
    )
