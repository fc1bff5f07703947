"""What an objective is, and the open set of all of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from polysched.base import PolyschedError
from polysched.ilp import Linear
from polysched.schedule.model import Bands, ScheduleModel

Forms = list[tuple[str, Linear]]
FormsOf = Callable[[ScheduleModel], Forms]


@dataclass(frozen=True)
class Objective:
    """One goal of the lexicon.

    Attributes
    ----------
    name : str
        Short upper-case name, as in the papers.
    summary : str
        What it asks for, in a sentence a user understands.
    forms : callable
        Model to (label, linear form) pairs, minimised in order. It may add variables
        and rows to the model; groups of rows that may be given up when they cannot be
        met are named in the model's `soft_groups`.
    bands : {"none", "all", "outer"}
        Whether it speaks about permutable bands (variables rho), of all rows or of all
        but each statement's innermost.
    source : str
        The publication that defines it.
    """

    name: str
    summary: str
    forms: FormsOf
    bands: Bands = "none"
    source: str = ""


LEXICON: dict[str, Objective] = {}


def objective(
    name: str, summary: str, *, bands: Bands = "none", source: str = ""
) -> Callable[[FormsOf], FormsOf]:
    """Register a function as an objective of the lexicon.

    Parameters
    ----------
    name : str
        Name to use in recipes; must be new.
    summary : str
        One sentence for tables and explanations.
    bands : {"none", "all", "outer"}
        See `Objective`.
    source : str
        The publication that defines it, if any.

    Raises
    ------
    PolyschedError
        When the name is taken.
    """

    def register(forms: FormsOf) -> FormsOf:
        if name in LEXICON:
            raise PolyschedError(f"the lexicon has an objective named {name} already")
        LEXICON[name] = Objective(name, summary, forms, bands, source)
        return forms

    return register


def find_objective(name: str) -> Objective:
    """The objective of that name; the error lists all names."""
    if name not in LEXICON:
        known = ", ".join(sorted(LEXICON))
        raise PolyschedError(f"no objective named {name!r}; the lexicon has: {known}")
    return LEXICON[name]
