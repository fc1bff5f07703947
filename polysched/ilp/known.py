"""What the optimum of one problem says of another that asks for more."""

from __future__ import annotations

from dataclasses import dataclass

from polysched.ilp.linear import Linear
from polysched.ilp.session import Point


@dataclass(frozen=True)
class Known:
    """A proven optimum of a problem that has fewer rows and fewer objectives.

    Attributes
    ----------
    values : tuple of int
        Of the variables that both problems begin with.
    optima : tuple of (name, value)
        The objectives in order; all of them are among those of the larger problem, in
        the same order, perhaps with others in between.
    """

    values: tuple[int, ...]
    optima: tuple[tuple[str, int], ...]


class Bounds:
    """Lower bounds of the objectives of a larger problem, as long as they hold.

    Let F be the points of the smaller problem, f1, f2, ... its objectives, and v1, v2,
    ... their optima. A point of the larger problem, less the variables that only rows
    of its own are about, is one of F, and has the same f1, f2, ... The larger problem
    minimises fk over those of its points where f1 to f(k-1) are least, and objectives
    in between, too. While f1 to f(k-1) came to v1 to v(k-1), all of these are among
    those over which vk is the minimum, so that ``fk >= vk``: a point with ``fk = vk``
    is optimal, and nothing is to be solved. Once an objective comes to more than its
    optimum in the smaller problem, nothing is known of those behind it.
    """

    def __init__(self, known: Known | None) -> None:
        self._left = list(known.optima) if known else []

    def of(self, name: str) -> int | None:
        """The bound of the next objective; None when there is none."""
        if self._left and self._left[0][0] == name:
            return self._left[0][1]
        return None

    def note(self, name: str, value: int | None) -> None:
        """Say what an objective came to."""
        bound = self.of(name)
        if bound is not None:
            self._left = self._left[1:] if value == bound else []


def rest_of(form: Linear, first: Point) -> Linear:
    """A form in the variables behind the known ones, which go into its constant."""
    n = len(first)
    constant = form.constant + sum(c * first[v] for v, c in form.terms.items() if v < n)
    return Linear({v - n: c for v, c in form.terms.items() if v >= n and c}, constant)
