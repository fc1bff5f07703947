"""What must hold of the parameters for the model to be exact."""

from __future__ import annotations

import islpy as isl

from polysched.sets import read_set


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

    def exclude(self, bad: isl.Set) -> bool:
        """Exclude the parameters for which `bad` has a point.

        Returns
        -------
        bool
            False, with nothing changed, when `bad` has points for all parameters for
            which the SCoP does anything at all.
        """
        wrong = bad.params()
        left = self.holds.subtract(wrong).coalesce()
        if left.intersect(self.context).is_empty():
            return False
        self.holds = left
        return True

    def know(self, fact: isl.Set) -> None:
        """Add what is known of the parameters."""
        self.context = self.context.intersect(fact)
