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

    def clause(self, schedule: isl.UnionMap) -> str:
        """The ``if`` clause of a loop, with a space before it.

        Parameters
        ----------
        schedule : isl.UnionMap
            Instances in the loop to their schedule dimensions, the loop's own last.

        Returns
        -------
        str
            The size of the largest box around the instances of one statement in one
            run of the loop, compared with `instances`; its sides are those of the
            whole domain where a run's take conditions to tell. Empty where no size
            matters or the box takes many words.
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
        number, factors = max(filter(None, boxes), key=lambda b: (len(b[1]), b[0]))
        least = ceil(self.instances / number)
        if not factors or least <= 1:
            return ""
        text = factors[0].text
        if len(factors) > 1:
            text = "(double)" + " * ".join(f.at_least(UNARY) for f in factors)
        return f" if({text} >= {least})" if len(text) <= _MAX_LENGTH else ""

    def _box(self, schedule: isl.Map) -> tuple[int, list[Text]] | None:
        """Sides of the box around a run's instances: their fixed part, the others."""
        last = schedule.dim(isl.dim_type.out) - 1
        runs = schedule.project_out(isl.dim_type.out, last, 1).reverse()
        hull = isl.Map.from_basic_map(runs.simple_hull().remove_divs())
        moves = hull.reverse().apply_range(hull).deltas()
        domain = schedule.domain()
        build = isl.AstBuild.from_context(self.context)
        fixed, factors = [], []
        for k in range(domain.dim(isl.dim_type.set)):
            side = next(self._sides(_reaches(moves, domain, k)), None)
            if side is None:
                return None
            text = self.exprs.text(build.expr_from_pw_aff(side))
            if text.text.isdecimal():
                fixed.append(int(text.text))
            else:
                factors.append(text)
        return prod(fixed), factors

    def _sides(self, reaches: Iterable[isl.PwAff]) -> Iterator[isl.PwAff]:
        """One more than those differences that are told without conditions."""
        for reach in reaches:
            found = reach.intersect_params(self.context).gist(self.context).coalesce()
            if found.n_piece() == 1:
                yield found.add_constant_val(isl.Val(1))


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
