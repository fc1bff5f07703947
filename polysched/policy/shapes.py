"""Which form of rows an objective list needs."""

from __future__ import annotations

from collections.abc import Collection

from polysched.schedule import Shape

_WAVEFRONT = {"SKEWPAR", "FEAU"}
_SKEWED = {"PERM", "BAND", "OBAND", "PROX", "SPC", "SDC", "VSKW"}


def shape_for(objectives: Collection[str]) -> Shape:
    """Plain loop orders, unless an objective is about skewed rows.

    Free coefficients let a skewed row carry what an inner loop then need not, so rows
    are unit vectors unless skewing is asked for: outside by inner iterators for
    wavefronts, inside by outer ones for bands and stencils, either where both are.

    Examples
    --------
    >>> shape_for(("SO", "IP")), shape_for(("SKEWPAR",)), shape_for(("PERM", "IP"))
    ('unit', 'upper', 'lower')
    """
    names = set(objectives)
    if names & _WAVEFRONT:
        return "any" if names & _SKEWED else "upper"
    return "lower" if names & _SKEWED else "unit"
