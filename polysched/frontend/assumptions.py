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


def range_of(name: str, type_: ScalarType) -> isl.Set:
    """All values that a type of at most four bytes has."""
    if type_.n_bytes > 4:
        return read_set("{ : }")
    n_bits = 8 * type_.n_bytes - (type_.kind == "int")
    low = 0 if type_.kind == "uint" else -(1 << n_bits)
    return read_set(f"[{name}] -> {{ : {low} <= {name} < {1 << n_bits} }}")


class Assumptions:
    """Gathers conditions on the parameters.

    Attributes
    ----------
    holds : isl.Set
        Parameter values for which the model is exact.
    context : isl.Set
        Parameter values that are possible at all.
    range : isl.Set
        Those that fit into the parameters' types; apart from `context`, as it says
        nothing for sizes that occur.
    """

    def __init__(self) -> None:
        self.holds = read_set("{ : }")
        self.context = read_set("{ : }")
        self.range = read_set("{ : }")

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
        if wrong.is_empty() or wrong.intersect(self.range).is_empty():
            return True
        left = self.holds.subtract(wrong).coalesce()
        if domain.params().intersect(left).intersect(self.context).is_empty():
            return False
        self.holds = left
        return True

    def know_type(self, name: str, type_: ScalarType) -> None:
        """Add what a parameter's type says of its values."""
        self.context = self.context.intersect(values_of(name, type_))
        self.range = self.range.intersect(range_of(name, type_))
