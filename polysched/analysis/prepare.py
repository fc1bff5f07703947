"""A SCoP as it is scheduled."""

from __future__ import annotations

from polysched.analysis.coalesce import coalesce_scalars
from polysched.analysis.commute import order_updates
from polysched.analysis.guarded_sums import split_guarded_sums
from polysched.analysis.liveness import drop_dead_statements, infer_liveness
from polysched.analysis.narrow import narrow_scalars
from polysched.analysis.privatize import privatize
from polysched.analysis.substitute import substitute_scalars
from polysched.ir import Scop


def prepare_scop(scop: Scop) -> Scop:
    """The SCoP as it is scheduled: the same results with fewer dependences.

    Liveness is inferred, statements whose values nobody reads are gone, dead scalars
    are private or gone, those that one statement reads computed there, those
    that hold small values of a shorter type, sums that share their condition with
    something else have statements of their own, and updates that commute begin with
    the term that is known first.
    """
    live = drop_dead_statements(infer_liveness(scop))
    private = substitute_scalars(privatize(live))
    moved = narrow_scalars(coalesce_scalars(private))
    return order_updates(split_guarded_sums(moved))
