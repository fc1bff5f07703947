"""Smaller programs that still fail."""

from __future__ import annotations

from collections.abc import Callable

from polysched.testing.unit import RandomUnit, smaller_units


def shrink(
    unit: RandomUnit, still_fails: Callable[[RandomUnit], bool], *, max_tries: int = 200
) -> RandomUnit:
    """Remove pieces of a failing function as long as it goes on failing.

    Parameters
    ----------
    unit : RandomUnit
        A function that fails.
    still_fails : callable
        Whether a smaller one fails in the same way.
    max_tries : int
        Most calls of `still_fails`.

    Returns
    -------
    RandomUnit
        One of which no single piece can be removed, unless the tries ran out.
    """
    tries = 0
    progress = True
    while progress and tries < max_tries:
        progress = False
        for smaller in smaller_units(unit):
            tries += 1
            if still_fails(smaller):
                unit, progress = smaller, True
                break
            if tries >= max_tries:
                break
    return unit
