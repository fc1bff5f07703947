"""What an objective is, and the open set of all of them."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from polysched.base import PolyschedError
from polysched.ilp import Linear
from polysched.schedule.model import Bands, ScheduleModel

Forms = list[tuple[str, Linear]]
FormsOf = Callable[[ScheduleModel], Forms]
NumberedFormsOf = Callable[[ScheduleModel, int], Forms]


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


@dataclass(frozen=True)
class Family:
    """Objectives that differ in a number behind the name.

    Attributes
    ----------
    name, summary, source : str
        As in `Objective`; an objective's name is the family's with the number.
    forms : callable
        Model and number to (label, linear form) pairs.
    """

    name: str
    summary: str
    forms: NumberedFormsOf
    source: str = ""


LEXICON: dict[str, Objective] = {}
FAMILIES: dict[str, Family] = {}


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


def objective_family(
    name: str, summary: str, *, source: str = ""
) -> Callable[[NumberedFormsOf], NumberedFormsOf]:
    """Register a function as one objective per number: ``RANDOM0``, ``RANDOM1``, ...

    The function takes the model and the number. Parameters and errors are those of
    `objective`.
    """

    def register(forms: NumberedFormsOf) -> NumberedFormsOf:
        if name in FAMILIES:
            raise PolyschedError(f"the lexicon has a family named {name} already")
        FAMILIES[name] = Family(name, summary, forms, source)
        return forms

    return register


def has_objective(name: str) -> bool:
    """Whether the lexicon has an objective of that name, alone or in a family."""
    return name in LEXICON or _family_of(name) is not None


def find_objective(name: str) -> Objective:
    """The objective of that name; the error lists all names."""
    if name in LEXICON:
        return LEXICON[name]
    family = _family_of(name)
    if family is None:
        known = ", ".join([*sorted(LEXICON), *(f"{f}<number>" for f in FAMILIES)])
        raise PolyschedError(f"no objective named {name!r}; the lexicon has: {known}")
    number = int(name.removeprefix(family.name))

    def forms(model: ScheduleModel) -> Forms:
        return family.forms(model, number)

    return Objective(name, f"{family.summary} {number}", forms, "none", family.source)


def _family_of(name: str) -> Family | None:
    found = re.fullmatch(r"(.*?)(0|[1-9][0-9]*)", name)
    return None if found is None else FAMILIES.get(found[1])
