"""Calls of functions that compute long, and not in vector lanes, by the model."""

from __future__ import annotations

from polysched.analysis import call_count
from polysched.cost.nest import Nest

CALL_CYCLES = 15.0  # of `expf` and its kin, which neighbouring calls overlap


def n_calls(nest: Nest) -> int:
    """Calls in one instance that compilers leave as they are."""
    return sum(call_count(action) for action in nest.statement.body)
