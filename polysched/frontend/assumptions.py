"""What must hold of the parameters for the model to be exact."""

from __future__ import annotations

import islpy as isl

from polysched.ir import ScalarType
from polysched.sets import read_set


def values_of(name: str, type_: ScalarType) -> isl.Set:
    """The values that a parameter's type allows, as far as they help."""
    if type_.kind != "uint":
        return read_set("{ : }")
    limit = f" and {name} <= 1" if type_.name == "_Bool" else ""
    return read_set(f"[{name}] -> {{ : {name} >= 0{limit} }}")


class Assumptions:
    """Gathers conditions on the parameters.

    Attributes
    ----------
    holds : isl.Set
        Parameter values for which the model is exact.
    context : isl.Set
        Parameter values that are possible at all.
    """

    def __init__(self) -> None:
        self.holds = read_set("{ : }")
        self.context = read_set("{ : }")

    def exclude(self, bad: isl.Set, domain: isl.Set) -> bool:
        """Exclude the parameters for which `bad` has a point.

        Parameters
        ----------
        bad, domain : isl.Set
            Instances at which the model is wrong, and all those it is made for.

        Returns
        -------
        bool
            False, with nothing changed, when no parameters would be left for which
            `domain` has a point.
        """
        wrong = bad.params().intersect(self.context)
        if wrong.is_empty():
            return True
        left = self.holds.subtract(wrong).coalesce()
        if domain.params().intersect(left).intersect(self.context).is_empty():
            return False
        self.holds = left
        return True

    def know(self, fact: isl.Set) -> None:
        """Add what is known of the parameters."""
        self.context = self.context.intersect(fact)
