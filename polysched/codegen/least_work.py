"""When a loop has too little work to share: the ``if`` clause of its pragma.

Sizes that are known only at run time may be small, and then threads take longer to
start than to work.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from math import ceil, prod

import islpy as isl

from polysched.base import LimitError
from polysched.codegen.ast_expr import AstExprPrinter
from polysched.codegen.ctext import UNARY, Text
from polysched.sets import list_maps, operation_limit

_MAX_OPERATIONS = 100_000  # of isl, for one loop: a third of a second
_MAX_LENGTH = 100  # of a condition that is still read


@dataclass(frozen=True)
class LeastWork:
    """Prints the sizes from which on loops are shared.

    Attributes
    ----------
    instances : int
        Statement instances in one run of a loop that are worth its threads; 0 to
        share always.
    context : isl.Set
        Parameter values that can occur.
    exprs : AstExprPrinter
        Prints functions of the parameters.
    """

    instances: int
    context: isl.Set
    exprs: AstExprPrinter

    def clause(self, schedule: isl.UnionMap, step: int = 1) -> str | None:
        """The ``if`` clause of a loop, with a space before it.

        Parameters
        ----------
        schedule : isl.UnionMap
            Instances in the loop to their schedule dimensions, the loop's own last.
        step : int
            Of the loop: tiles are shared from two on.

        Returns
        -------
        str or None
            The size of the largest box around the instances of one statement in one
            run of the loop, compared with `instances`; where a run's sides take
            conditions to tell, they are numbers that bound them, or those of the whole
            domain. Empty where no size matters or the box takes many words; None where
            such numbers say that no run has enough.
        """
        if not self.instances:
            return ""
        try:
            with operation_limit(self.context.get_ctx(), _MAX_OPERATIONS):
                boxes = [self._box(one) for one in list_maps(schedule)]
        except LimitError:
            return ""
        if not all(boxes):
            return ""
        largest = max(filter(None, boxes), key=lambda b: (len(b.others), b.fixed))
        least = ceil(self.instances / largest.fixed)
        if least > 1 and all(b.is_bound and not b.others for b in filter(None, boxes)):
            return None
        conditions = self._several_turns(schedule) if step > 1 else []
        if largest.others and least > 1:
            text = largest.others[0].text
            if len(largest.others) > 1:
                sides = (f.at_least(UNARY) for f in largest.others)
                text = "(double)" + " * ".join(sides)
            conditions.insert(0, f"{text} >= {least}")
        whole = " && ".join(conditions)
        return f" if({whole})" if whole and len(whole) <= _MAX_LENGTH else ""

    def _several_turns(self, schedule: isl.UnionMap) -> list[str]:
        """The sizes for which a run has more than one turn, in a few words."""
        try:
            with operation_limit(self.context.get_ctx(), _MAX_OPERATIONS):
                sizes = _with_several_turns(schedule).intersect_params(self.context)
                some = schedule.domain().params().intersect(self.context)
                found = sizes.params().gist(some).coalesce()
        except LimitError:
            return []
        if found.is_empty() or found.complement().is_empty() or found.n_basic_set() > 1:
            return []
        build = isl.AstBuild.from_context(self.context)
        return [self.exprs.text(build.expr_from_set(found)).text]

    def _box(self, schedule: isl.Map) -> _Box | None:
        """Sides of the box around a run's instances."""
        last = schedule.dim(isl.dim_type.out) - 1
        runs = schedule.project_out(isl.dim_type.out, last, 1).reverse()
        hull = isl.Map.from_basic_map(runs.simple_hull().remove_divs())
        moves = hull.reverse().apply_range(hull).deltas()
        domain = schedule.domain()
        build = isl.AstBuild.from_context(self.context)
        fixed, factors, is_bound = [], [], False
        for k in range(domain.dim(isl.dim_type.set)):
            side = next(self._sides(_reaches(moves, domain, k)), None)
            if side is None:
                return None
            if isinstance(side, int):
                is_bound = True
                fixed.append(side)
                continue
            text = self.exprs.text(build.expr_from_pw_aff(side))
            if text.text.isdecimal():
                fixed.append(int(text.text))
            else:
                factors.append(text)
        return _Box(prod(fixed), tuple(factors), is_bound)

    def _sides(self, reaches: Iterable[isl.PwAff]) -> Iterator[isl.PwAff | int]:
        """One more than those differences that are told without conditions.

        Or than a number that they never pass: min(n - 1, 24).
        """
        for reach in reaches:
            found = reach.intersect_params(self.context).gist(self.context).coalesce()
            if found.n_piece() == 1:
                yield found.add_constant_val(isl.Val(1))
                continue
            most = reach.floor().intersect_params(self.context).max_val()
            if most.is_int():
                yield int(most.to_python()) + 1


@dataclass(frozen=True)
class _Box:
    """Sides of a box around a run's instances.

    Attributes
    ----------
    fixed : int
        The product of those that are numbers.
    others : tuple of Text
    is_bound : bool
        Whether one of the numbers is no size, but more than all of them.
    """

    fixed: int
    others: tuple[Text, ...]
    is_bound: bool


def _with_several_turns(schedule: isl.UnionMap) -> isl.Set:
    """Differences of the loop's own dimension in one run that are not zero."""
    found = None
    for one in list_maps(schedule):
        times = one.range()
        last = times.dim(isl.dim_type.set) - 1
        pairs = isl.Map.universe(times.get_space().map_from_set())
        for k in range(last):
            pairs = pairs.equate(isl.dim_type.in_, k, isl.dim_type.out, k)
        pairs = pairs.intersect_domain(times).intersect_range(times)
        moved = pairs.deltas().lower_bound_val(isl.dim_type.set, last, isl.Val(1))
        sizes = moved.params()
        found = sizes if found is None else found.union(sizes)
    assert found is not None, "a loop without instances"
    return found


def _reaches(moves: isl.Set, domain: isl.Set, k: int) -> Iterator[isl.PwAff]:
    """How far instances lie apart in one run, and in all, as far as that has a bound.

    A hull that simple constraints describe may have none where the runs do.
    """
    try:
        yield moves.dim_max(k)
    except isl.Error as error:
        if "unbounded" not in str(error):
            raise
    yield domain.dim_max(k).sub(domain.dim_min(k))
