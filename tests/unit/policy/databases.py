"""Small databases, made by hand and measured."""

from __future__ import annotations

from polysched.policy import MEASURES, DependenceKey, NanoDatabase, NanoEntry
from polysched.policy import objective_lists as lists

OBJECTIVES = ("IP", "SO", "DGF")


def key(**changes) -> DependenceKey:
    values = {
        "n_statements": 2,
        "par_priority": 0,
        "dim_source": 2,
        "dim_sink": 2,
        "rect_source": True,
        "rect_sink": True,
        "dim_data": 2,
        "has_dependence": True,
        "self_dependence": False,
        "kinds": 1,
        "cardinality": "1-1",
    }
    return DependenceKey(**{**values, **changes})


def measures(**changes) -> dict[str, float]:
    return {**dict.fromkeys(MEASURES, 0.0), **changes}


def entry(name: str, of: DependenceKey, best: tuple[str, ...], failed=()) -> NanoEntry:
    """Every list has stride score 6, but one: 1. Some have no result."""
    row = tuple(
        -1 if listed in failed else int(listed == best) for listed in lists(OBJECTIVES)
    )
    outcomes = (measures(stride_score=6.0), measures(stride_score=1.0))
    return NanoEntry(name, of, outcomes, {"few": row, "many": row})


def database(*entries: NanoEntry) -> NanoDatabase:
    return NanoDatabase(OBJECTIVES, ("few", "many"), entries, 1.5)
