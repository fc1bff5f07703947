"""A SCoP with the schedules to try on it."""

from __future__ import annotations

from dataclasses import dataclass

from polysched.analysis import (
    Dependences,
    compute_dependences,
    prepare_scop,
)
from polysched.ir import ScheduleTree, Scop


@dataclass(frozen=True, eq=False)
class Candidate:
    """One schedule to try.

    Attributes
    ----------
    tree : ScheduleTree
        What is checked.
    origin : str
        What asked for the affine schedule: an objective list, "isl", "original".
    shape : str
        Form of its rows: "unit", "lower", ..., empty where nobody asked for one.
    steps : tuple of str
        The script that shaped it, one text per step.
    """

    tree: ScheduleTree
    origin: str = ""
    shape: str = ""
    steps: tuple[str, ...] = ()

    @property
    def kinds(self) -> frozenset[str]:
        """Origin, shape and the names of the steps: what a report counts."""
        names = {step.partition("(")[0] for step in self.steps}
        return frozenset(names | {self.origin, self.shape} - {""})

    def __str__(self) -> str:
        shape = f" ({self.shape})" if self.shape else ""
        return "; ".join([f"{self.origin}{shape}", *self.steps])


@dataclass(frozen=True, eq=False)
class Candidates:
    """A SCoP as its schedules see it, with the schedules.

    Attributes
    ----------
    scop : Scop
        Private arrays expanded as the trees expect them.
    dependences : Dependences
        Of this SCoP.
    listed : tuple of Candidate
        What to try.
    faults : tuple of str
        What went wrong while they were made, one sentence each; a check reports them.
    """

    scop: Scop
    dependences: Dependences
    listed: tuple[Candidate, ...]
    faults: tuple[str, ...] = ()


def prepare(scop: Scop) -> tuple[Scop, Dependences]:
    """A SCoP of the front end with its private arrays expanded, and its dependences."""
    scop = prepare_scop(scop)
    return scop, compute_dependences(scop, with_input=False)
