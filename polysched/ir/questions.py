"""What generated code asks before it runs."""

from __future__ import annotations

from polysched.ir.scop import Scop


def list_questions(scop: Scop) -> tuple[str, ...]:
    """What the model of a SCoP rests on, in words; asked when generated code runs.

    Where one of them does not hold, the original text runs.
    """
    found = []
    if not scop.context.is_subset(scop.assumptions):
        found.append(str(scop.assumptions.gist(scop.context)))
    found += [f"{fact.array} never falls" for fact in scop.in_order]
    if scop.asked_overlaps:
        found.append(describe_overlaps(scop))
    return tuple(found)


def describe_overlaps(scop: Scop) -> str:
    """The names that may mean the same memory, and are taken not to."""
    pairs = ", ".join(dict.fromkeys(map(str, scop.overlaps)))
    return f"no overlap of {pairs}"
