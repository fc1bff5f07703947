"""The range of one subscript at one moment: where it begins and how long it is."""

from __future__ import annotations

from dataclasses import dataclass

import islpy as isl

from polysched.ir import Const, Expr

Size = int | Expr | isl.PwAff

_SMALL = 1024  # a constant bound up to here beats an exact symbolic size


@dataclass(frozen=True, eq=False)
class Window:
    """A range ``first <= x < first + size``.

    Attributes
    ----------
    first : isl.PwAff
        A function of the moment.
    size : int or isl.PwAff
        A constant, or a function of parameters alone.
    """

    first: isl.PwAff
    size: int | isl.PwAff


def find_window(
    seen: isl.Map, context: isl.Set, largest: int = _SMALL
) -> Window | None:
    """A window for all values of a one-dimensional range.

    Parameters
    ----------
    seen : isl.Map
        Moments to the values that are used then.
    context : isl.Set
        Possible parameter values.
    largest : int
        Up to which size a constant is preferred.

    Returns
    -------
    Window or None
        None when the values have no bound. A constant size that follows from one pair
        of affine bounds is preferred, then the exact one.
    """
    fixed = _fixed_window(seen, largest)
    if fixed is not None:
        return fixed
    try:
        low, high = seen.dim_min(0), seen.dim_max(0)
        length = high.sub(low).add_constant_val(isl.Val.one(seen.get_ctx()))
        lengths = isl.Map.from_pw_aff(length).range()
        size = lengths.intersect_params(context.params()).dim_max(0)
    except isl.Error:
        return None
    size = size.gist_params(context.params()).coalesce()
    most = size.max_val()
    if most.is_int() and int(str(most)) <= largest:
        return Window(low, max(1, int(str(most))))
    one = isl.PwAff("{ [1] }")
    return Window(low, size.union_max(one))


def constant_size(size: Size) -> int | None:
    """The number, when it is known at compile time."""
    match size:
        case int():
            return size
        case Const(int(value), _, _):
            return value
    return None


def _fixed_window(seen: isl.Map, largest: int) -> Window | None:
    """A window from two affine bounds with a constant difference."""
    hull = seen.simple_hull().remove_divs()
    lows: list[isl.Aff] = []
    highs: list[isl.Aff] = []
    for constraint in hull.get_constraints():
        weight = int(str(constraint.get_coefficient_val(isl.dim_type.out, 0)))
        if abs(weight) == 1:
            (lows if weight > 0 else highs).append(_bound(constraint, -weight))
        if constraint.is_equality() and abs(weight) == 1:
            (highs if weight > 0 else lows).append(_bound(constraint, -weight))
    found: list[tuple[int, str, isl.Aff]] = []
    for low in lows:
        for high in highs:
            length = high.sub(low)
            if length.is_cst():
                size = int(str(length.get_constant_val())) + 1
                found.append((size, str(low), low))
    found = [f for f in found if f[0] <= largest]
    if not found:
        return None
    size, _, first = min(found, key=lambda f: f[:2])
    return Window(isl.PwAff.from_aff(first), max(1, size))


def solve_equality(constraint: isl.Constraint) -> isl.Aff | None:
    """The one value that a map's equality leaves, None where it says nothing of it."""
    weight = constraint.get_coefficient_val(isl.dim_type.out, 0)
    if not constraint.is_equality() or weight.is_zero():
        return None
    return _bound(constraint, -1).scale_down_val(weight)


def _bound(constraint: isl.Constraint, factor: int) -> isl.Aff:
    """The rest of a constraint, over the domain of its map, times a factor."""
    space = constraint.get_space().domain()
    aff = isl.Aff.zero_on_domain(isl.LocalSpace.from_space(space))
    times = isl.Val(factor)
    for kind, n in (
        (isl.dim_type.param, space.dim(isl.dim_type.param)),
        (isl.dim_type.in_, space.dim(isl.dim_type.set)),
    ):
        for k in range(n):
            value = constraint.get_coefficient_val(kind, k).mul(times)
            aff = aff.set_coefficient_val(kind, k, value)
    return aff.set_constant_val(constraint.get_constant_val().mul(times))
