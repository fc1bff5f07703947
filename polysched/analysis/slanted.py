"""How far a function moves inside a box of other functions."""

from __future__ import annotations

from collections.abc import Mapping

from polysched.analysis.rationals import combination

Row = tuple[int, ...]


def box_terms(row: Row, box: Mapping[Row, float]) -> dict[Row, float] | None:
    """What each side of a box adds to the range of a function.

    Parameters
    ----------
    row : tuple of int
        Coefficients of the function, per iterator.
    box : mapping of tuple of int to float
        Functions and the numbers of their values.

    Returns
    -------
    dict of tuple of int to float, or None
        For every function that takes part, the difference that its values make; they
        add up to one less than the values of the row. A side without values makes
        none. None where the box leaves the row open.

    Examples
    --------
    Time inside a diamond with sides of 9 values, ``t = ((2t + i) + (2t - i)) / 4``:

    >>> box_terms((1, 0), {(2, 1): 9, (2, -1): 9})
    {(2, 1): 2.0, (2, -1): 2.0}
    """
    weights = combination(list(box), row) if box else None
    if weights is None or not any(weights):
        return None
    sides = zip(box.items(), map(float, weights), strict=True)
    return {side: abs(w) * max(0.0, n - 1) for (side, n), w in sides if w}
