"""Conditions on sizes, as values: what is kept of them with a built kernel."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from polysched.base import SourceLocation
from polysched.tensor import CFunction, SizeExpr

LARGEST_INTEGER = 1 << 40  # that loops count to: conditions on it cannot overflow


@dataclass(frozen=True)
class Reach:
    """An access that leaves its array for some sizes.

    Attributes
    ----------
    array : str
        The array's name.
    text : str
        The statement, as the user wrote it.
    where : SourceLocation or None
        Its place.
    elements : str
        What it reaches outside of the array, as isl's text of a set.
    """

    array: str
    text: str
    where: SourceLocation | None
    elements: str


@dataclass(frozen=True)
class Bounds:
    """Conditions on sizes.

    Attributes
    ----------
    inside : str
        C text of what holds where no access leaves its array.
    scheduled : str
        C text of what holds where the model of the program is exact, so that its
        schedules are right.
    extents : dict of str to SizeExpr
        Names in these conditions that stand for an extent.
    counted : frozenset of str
        Integer arguments besides sizes that the conditions are about.
    reaches : tuple of Reach
        The accesses that leave an array for some sizes.
    """

    inside: str
    scheduled: str
    extents: Mapping[str, SizeExpr]
    counted: frozenset[str]
    reaches: tuple[Reach, ...]

    def values(self, known: Mapping[str, int]) -> dict[str, int]:
        """The known sizes with the extents that the conditions name."""
        return {**known, **{n: e.evaluate(known) for n, e in self.extents.items()}}


def name_in_c(function: CFunction, values: Mapping[str, int]) -> dict[str, int]:
    """Sizes and integers by their names in C, from those by their names in Python."""
    return {
        p.name: values[p.source]
        for p in function.parameters
        if p.kind != "array" and p.source in values
    }
