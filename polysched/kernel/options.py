"""How a kernel is built, as one value."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, get_args

from polysched.base import PolyschedError

if TYPE_CHECKING:
    from polysched.machine import Machine
    from polysched.policy import Chooser, Policy

Sums = Literal["strict", "promised", "reassociate"]


@dataclass(frozen=True)
class KernelOptions:
    """How a kernel is built and run.

    Attributes
    ----------
    tune : bool
        Whether the first call with new types measures a few schedules, where otherwise
        the one that the model ranks first is taken.
    budget : int
        How many schedules are measured then.
    policy : str, Policy or callable
        What chooses recipes, as `build_space` takes it.
    fp : {"strict", "promised", "reassociate"}
        Which sums may be added up in another order: by default those of NumPy
        (``@``, ``np.sum``, ``np.mean``, ``np.einsum``), which promises none; with
        ``strict`` no sum, with ``reassociate`` those of the function's own loops, too.
        Except with ``strict``, loops may call functions like exp for several numbers
        at once, within 4 units in the last place.
    machine : Machine, optional
        What the code will run on; detected by default.
    threads : int, optional
        OpenMP threads of a call; by default what ``OMP_NUM_THREADS`` says, or as many
        as there are cores.
    timeout : float
        Seconds that the search for schedules may take at a first call.
    cache : path or None
        Directory of built kernels; by default ``POLYSCHED_CACHE``, or
        ``polysched/kernels`` in the user's cache directory.
    cc : str
        The C compiler.
    """

    tune: bool = False
    budget: int = 6
    policy: str | Policy | Chooser = "balanced"
    fp: Sums = "promised"
    machine: Machine | None = None
    threads: int | None = None
    timeout: float = 10.0
    cache: str | Path | None = None
    cc: str = "gcc"

    def __post_init__(self) -> None:
        """Refuse what no kernel could be built with, before anything is called."""
        if self.fp not in get_args(Sums):
            known = ", ".join(map(repr, get_args(Sums)))
            raise PolyschedError(f"fp is {self.fp!r}, expected one of {known}")
        if not self.timeout >= 0:
            raise PolyschedError(
                f"timeout is {self.timeout}, expected seconds from 0 on"
            )
        for name, number in (("threads", self.threads), ("budget", self.budget)):
            if number is not None and number < 1:
                raise PolyschedError(f"{name} is {number}, expected at least 1")
