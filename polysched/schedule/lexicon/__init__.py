"""The lexicon: named objectives over the space of legal schedules.

An objective turns a `ScheduleModel` into one or more linear forms to be minimised, most
important first. Most follow Kong and Pouchet, "Model-driven transformations for multi-
and many-core CPUs", PLDI 2019, and Chelini et al., "Automatic Generation of
Multi-Objective Polyhedral Compiler Transformations", PACT 2020; where we differ, the
docstring says how. Importing this package registers them all.
"""

from polysched.schedule.lexicon import (  # noqa: F401 - importing registers them
    bands,
    chance,
    classical,
    fusion,
    own,
    parallelism,
    reuse,
    stencil,
)
from polysched.schedule.lexicon.references import (
    Subscripts,
    is_stencil,
    stride_weights,
    subscripts,
)
from polysched.schedule.lexicon.registry import (
    LEXICON,
    Forms,
    Objective,
    find_objective,
    has_objective,
    objective,
    objective_family,
)

__all__ = [
    "LEXICON",
    "Forms",
    "Objective",
    "Subscripts",
    "find_objective",
    "has_objective",
    "is_stencil",
    "objective",
    "objective_family",
    "stride_weights",
    "subscripts",
]
