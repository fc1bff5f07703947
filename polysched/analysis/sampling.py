"""How many instances a statement has, by samples of its loops."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from math import ceil, floor, prod, sqrt

import islpy as isl

from polysched.analysis.footprint import LARGE_EXTENT
from polysched.ir import Scop
from polysched.sets import n_dims

N_SAMPLES = 64
_PRIMES = (2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37)


@dataclass(frozen=True)
class _Bound:
    """``coefficient * x[k] + sum(outer[i] * x[i]) + constant >= 0``."""

    coefficient: int
    outer: tuple[int, ...]
    constant: int

    def limit(self, point: list[int]) -> Fraction:
        """The value of the loop at which it is met with equality."""
        rest = self.constant + sum(
            c * x for c, x in zip(self.outer, point, strict=True)
        )
        return Fraction(-rest, self.coefficient)


@lru_cache(maxsize=1024)
def estimate_instances(scop: Scop, statement: str) -> float | None:
    """Points of a statement's domain, near to exact for boxes and simplices.

    Loops are walked from the outside in along a few evenly spread points; the product
    of the loops' lengths on the way is the number of points, on average. Sizes that
    neither the context nor the SCoP's estimates say are 1000.

    Returns
    -------
    float or None
        None where a loop has no bound.
    """
    return estimate_points(scop, scop.statement(statement).domain)


def estimate_points(scop: Scop, domain: isl.Set) -> float | None:
    """The same for a part of a statement's domain."""
    domain = at_likely_sizes(scop, domain)
    if domain.is_empty():
        return 0.0
    n = n_dims(domain)
    hull = isl.Set.from_basic_set(domain.simple_hull().remove_divs())
    levels = [_bounds(hull, k) for k in range(n)]
    density = prod(_density(domain, k) for k in range(n))
    total = 0.0
    for sample in range(N_SAMPLES):
        found = _walk(levels, sample)
        if found is None:
            return None
        total += found
    return total / N_SAMPLES * density


def at_likely_sizes(scop: Scop, domain: isl.Set) -> isl.Set:
    """The domain without parameters: at their estimates, or 1000."""
    found = domain.intersect_params(scop.estimated_context)
    for k in range(found.dim(isl.dim_type.param)):
        value = found.params().plain_get_val_if_fixed(isl.dim_type.param, k)
        if value.is_nan():
            likely = found.fix_val(isl.dim_type.param, k, isl.Val(LARGE_EXTENT))
            found = found if likely.is_empty() else likely
    return found.project_out(isl.dim_type.param, 0, found.dim(isl.dim_type.param))


def _bounds(hull: isl.Set, k: int) -> list[_Bound]:
    """What bounds loop `k`, given the loops around it."""
    upto = hull.project_out(isl.dim_type.set, k + 1, n_dims(hull) - k - 1)
    found = []
    for c in upto.simple_hull().remove_divs().get_constraints():
        row = [c.get_coefficient_val(isl.dim_type.set, i) for i in range(k + 1)]
        *outer, own = (int(v.to_python()) for v in row)
        if own:
            constant = int(c.get_constant_val().to_python())
            found.append(_Bound(own, tuple(outer), constant))
            if c.is_equality():
                turned = tuple(-x for x in outer)
                found.append(_Bound(-own, turned, -constant))
    return found


def _density(domain: isl.Set, k: int) -> float:
    stride = domain.get_stride(k)
    return 1.0 / int(stride.to_python()) if stride.is_int() and stride.is_pos() else 1.0


def _walk(levels: list[list[_Bound]], sample: int) -> float | None:
    """The product of the loops' lengths along one way in."""
    point: list[int] = []
    total = 1.0
    for k, bounds in enumerate(levels):
        lower = [b.limit(point) for b in bounds if b.coefficient > 0]
        upper = [b.limit(point) for b in bounds if b.coefficient < 0]
        if not lower or not upper:
            return None
        first, last = ceil(max(lower)), floor(min(upper))
        if last < first:
            return 0.0
        length = last - first + 1
        total *= length
        point.append(first + min(length - 1, int(_spread(sample, k) * length)))
    return total


def _spread(sample: int, k: int) -> float:
    """Evenly spread numbers in [0, 1), other ones for each loop."""
    step = 1.0 / N_SAMPLES if k == 0 else sqrt(_PRIMES[(k - 1) % len(_PRIMES)])
    return ((sample + 0.5) * step) % 1.0
