"""What random programs look like."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Shape:
    """What random programs look like.

    Attributes
    ----------
    max_depth : int
        Deepest nest.
    max_statements : int
        Most statements of one SCoP.
    max_size : int
        Largest trip count of a rectangular loop.
    run_time_sizes : float
        Probability that a program has parameters.
    oddity : float
        Probability of each unusual feature (steps, quasi-affine terms, conditions).
    stencils : float
        Probability that a statement updates an element from its neighbours; such
        programs have schedules with skewed bands, time tiles and wavefronts.
    private_arrays : float
        Probability that a statement becomes two short loops, the first filling a local
        array that the second reads.
    jumps : float
        Probability that a condition around statements depends on data; half of it that
        a statement stands behind a ``continue``, or a loop's first behind a ``break``.
    """

    max_depth: int = 3
    max_statements: int = 4
    max_size: int = 7
    run_time_sizes: float = 0.6
    oddity: float = 0.25
    stencils: float = 0.0
    private_arrays: float = 0.0
    jumps: float = 0.0
