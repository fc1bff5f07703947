"""isl's own schedulers as members of the space."""

from __future__ import annotations

from typing import Literal

import islpy as isl

from polysched.analysis import Dependences, check_legal, set_band_flags
from polysched.base import LimitError
from polysched.ir import ScheduleTree, Scop
from polysched.schedule.solve import Solved

Algorithm = Literal["isl", "feautrier"]
_MAX_OPERATIONS = 40_000_000  # a few seconds; seen: adi needs about a tenth


def isl_schedule(
    scop: Scop,
    dependences: Dependences,
    algorithm: Algorithm = "isl",
    *,
    outer_coincidence: bool = False,
    serialize: bool = False,
) -> Solved:
    """Isl's schedule for the SCoP's dependences, proven legal.

    Parameters
    ----------
    algorithm : {"isl", "feautrier"}
        The Pluto-like scheduler of isl, or Feautrier's.
    outer_coincidence : bool
        Whether outermost loops must be parallel when possible.
    serialize : bool
        Whether strongly connected components are kept apart (no fusion).

    Raises
    ------
    LimitError
        When isl exceeds its operation budget.

    References
    ----------
    .. [1] Verdoolaege and Janssens, "Scheduling for PPCG", KU Leuven CW 706, 2017.
    """
    context = isl.DEFAULT_CONTEXT
    validity = dependences.validity
    constraints = isl.ScheduleConstraints.on_domain(scop.domain)
    constraints = constraints.set_validity(validity)
    constraints = constraints.set_coincidence(validity)
    constraints = constraints.set_proximity(dependences.flow)
    context.set_schedule_algorithm(1 if algorithm == "feautrier" else 0)
    context.set_schedule_outer_coincidence(int(outer_coincidence))
    context.set_schedule_serialize_sccs(int(serialize))
    context.reset_operations()
    context.set_max_operations(_MAX_OPERATIONS)
    try:
        schedule = constraints.compute_schedule()
    except isl.Error as error:
        raise LimitError(
            f"isl's {algorithm} scheduler ran out of its budget"
        ) from error
    finally:
        context.set_max_operations(0)
        context.reset_operations()
        context.set_schedule_algorithm(0)
        context.set_schedule_outer_coincidence(0)
        context.set_schedule_serialize_sccs(0)
    tree = set_band_flags(ScheduleTree(schedule), dependences)
    check_legal(tree, dependences, scop)
    name = (
        algorithm
        + ("+outer" if outer_coincidence else "")
        + ("+serial" if serialize else "")
    )
    return Solved(tree, (name,))
