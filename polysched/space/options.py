"""How a space is built, as one value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import get_args

from polysched.analysis import FREEDOMS, FloatingPoint
from polysched.base import PolyschedError
from polysched.codegen import Target
from polysched.policy import Chooser, Policy
from polysched.schedule import IslVariant, Pin
from polysched.schedule.rowwise import RowwiseRecipe
from polysched.space.ask import ISL_VARIANTS, ROWWISE


@dataclass(frozen=True)
class SpaceOptions:
    """How a space is built.

    Attributes
    ----------
    policy : str, Policy or callable
        What chooses recipes, as `find_policy` takes it: a name, an objective list, a
        policy or a function of one's own.
    seconds : float
        Time limit of the whole construction.
    grace_seconds : float or None
        Past the limit, for what every space begins with: the analysis and the source
        order. None, so long as they take, and the source order is always in.
    limit : int
        Most schedules to keep.
    shapes_per_schedule : int
        Most scripts (tilings, mappings) per affine schedule.
    parameters : mapping of str to int
        Sizes to predict times for, to rank by, and to choose tiles for, which are legal
        for all sizes; others are assumed large.
    fp : {"strict", "promised", "reassociate", "tf32"}
        Whether sums may be added up in another order, and factors of floats be rounded,
        as `allow_reordering` has it.
    pins : tuple of Pin
        What every schedule must obey, after tiling and mapping, too. The source order
        stays in as the baseline, ranked last when it does not obey them.
    bulk : bool
        For kernels: copy long rows of tiles in bulk, as processors from sm_90 on can.
    isl_variants : tuple of IslVariant
        Which of isl's own schedules are candidates.
    target : {"openmp", "cuda"}
        What the schedules are for: threads of the processor, or kernels of a graphics
        processor. For the latter the policy "balanced" asks for what "gpu" does, too;
        the source order stays in as the baseline, ranked last: the processor runs it.
    rowwise : tuple of RowwiseRecipe
        Schedules to find row by row, Pluto's by default; they know nothing of pins
        and are dropped where they break some.
    """

    policy: str | Policy | Chooser = "balanced"
    seconds: float = 15.0
    grace_seconds: float | None = None
    limit: int = 40
    shapes_per_schedule: int = 4
    parameters: Mapping[str, int] = field(default_factory=dict)
    fp: FloatingPoint = "strict"
    pins: tuple[Pin, ...] = ()
    target: Target = "openmp"
    bulk: bool = False
    isl_variants: tuple[IslVariant, ...] = ISL_VARIANTS
    rowwise: tuple[RowwiseRecipe, ...] = ROWWISE

    def __post_init__(self) -> None:
        """Refuse words that mean nothing: silence would be taken for assent."""
        asked = (("fp", self.fp, FREEDOMS), ("target", self.target, get_args(Target)))
        for name, value, known in asked:
            if value not in known:
                expected = ", ".join(map(repr, known))
                raise PolyschedError(f"{name} is {value!r}, expected one of {expected}")
        if not self.seconds >= 0:
            raise PolyschedError(
                f"the time limit is {self.seconds} s, expected 0 or more"
            )
