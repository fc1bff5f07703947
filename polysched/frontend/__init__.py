"""frontend: C loop nests between pragmas become SCoPs.

Takes a C file with its preprocessor flags, gives an `ir.Program`: the SCoPs that were
understood and, for each region that was not, an error with place and reason. May import
`ir`, `sets` and `base`. The user's compiler preprocesses, pycparser parses, isl holds
domains and accesses; flat subscripts are delinearised after Grosser et al., ICS 2015.
Taken for granted: distinct pointers do not overlap, and integers do not overflow.
"""

from polysched.frontend.cases import (
    Case,
    Condition,
    Division,
    Remainder,
    SizeRemainder,
    find_cases,
)
from polysched.frontend.parse import parse_c

__all__ = [
    "Case",
    "Condition",
    "Division",
    "Remainder",
    "SizeRemainder",
    "find_cases",
    "parse_c",
]
