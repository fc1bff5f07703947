"""A SCoP as it is scheduled."""

from __future__ import annotations

from dataclasses import replace

from polysched.analysis.arguments import choose_arguments
from polysched.analysis.bounded_factors import bound_factors
from polysched.analysis.clamps import order_clamps
from polysched.analysis.coalesce import coalesce_scalars
from polysched.analysis.commute import order_updates
from polysched.analysis.data_rows import take_in_order
from polysched.analysis.guarded_sums import split_guarded_sums
from polysched.analysis.join_loops import join_loops
from polysched.analysis.last_values import copy_last_values
from polysched.analysis.liveness import drop_dead_statements, infer_liveness
from polysched.analysis.narrow import narrow_scalars
from polysched.analysis.privatize import privatize
from polysched.analysis.substitute import substitute_scalars
from polysched.analysis.versions import copy_versions
from polysched.ir import Scop

_OUTSIDE = ("local", "static")  # declared in the function, in front of the SCoP


def prepare_scop(scop: Scop, *, with_copies: bool = True) -> Scop:
    """The SCoP as it is scheduled: the same results with fewer dependences.

    Liveness is inferred, statements whose values nobody reads are gone, cuts at two
    ends are extrema of extrema, work arrays are private but for what the last iteration
    leaves, dead scalars are private or gone, those that one statement reads, or some of
    a sweep, computed there, those that hold small values of a shorter type, loops that
    go on with what the last one did are one with it, extrema and what is kept beside
    them choices in statements of their own, sums that share their condition with
    something else have statements of their own, updates that commute begin with the
    term that is known first, and updates in place read copies of what they change
    later. The last is done where all sizes are known, as the code explodes otherwise.
    Arrays whose order makes rows of data independent are taken to be in order, offsets
    that keep factors short to be small.
    """
    live = order_clamps(drop_dead_statements(infer_liveness(scop)))
    private = substitute_scalars(privatize(*copy_last_values(live)))
    moved = narrow_scalars(coalesce_scalars(private))
    updated = order_updates(split_guarded_sums(choose_arguments(join_loops(moved))))
    has_known_sizes = not updated.parameters
    done = copy_versions(updated) if with_copies and has_known_sizes else updated
    return _with_gone(scop, bound_factors(take_in_order(done)))


def _with_gone(scop: Scop, prepared: Scop) -> Scop:
    """With the names of declared variables that only the user's text uses."""
    kept = {a.source_name for a in prepared.arrays}
    gone = (
        a.source_name
        for a in scop.arrays
        if (a.storage in _OUTSIDE or a.confined) and not a.is_private and not a.held
    )
    unused = dict.fromkeys(name for name in gone if name not in kept)
    return replace(prepared, mentioned=(*prepared.mentioned, *unused))
