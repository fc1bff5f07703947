"""Memory that a SCoP may reach by two names."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import islpy as isl

if TYPE_CHECKING:
    from polysched.ir.scop import Array

OverlapRule = Literal["ask", "promise"]
OVERLAP_RULE: OverlapRule = "ask"  # unless something else is said


@dataclass(frozen=True, eq=False)
class Touched:
    """What a SCoP touches of the memory behind one name.

    Attributes
    ----------
    array : Array
        As the program has it.
    elements : isl.Set
        All subscripts that the SCoP may touch. Where data decide a subscript and no
        size bounds it, the set has no bound either.
    is_written : bool
        Whether it may write there.
    address : str
        C expression for the address of a variable that has no name of its own, a
        structure's member.
    """

    array: Array
    elements: isl.Set
    is_written: bool
    address: str = ""


@dataclass(frozen=True, eq=False)
class MayOverlap:
    """Two names of what may be one piece of memory; the SCoP writes through one.

    Attributes
    ----------
    first, second : Touched
        What it touches through each; one and the same for an array whose rows lie
        behind pointers and may overlap each other.
    """

    first: Touched
    second: Touched

    @property
    def has_rows(self) -> bool:
        """Whether rows behind pointers are among what is compared."""
        return self.first.array.in_rows or self.second.array.in_rows

    def __str__(self) -> str:
        if self.first is self.second:
            return f"the rows of {self.first.array.source_name}"
        return f"{self.first.array.source_name} and {self.second.array.source_name}"
