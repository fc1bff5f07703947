"""How much work makes a schedule worth its threads."""

from __future__ import annotations

import sympy
from sympy.printing.c import C99CodePrinter

from polysched.analysis import count_points
from polysched.base import AnalysisError
from polysched.ir import Scop
from polysched.kernel.reach import ALWAYS, NEVER

LEAST_INSTANCES = 4096
"""Statement instances below which threads take longer to start than to work: a few
microseconds against one or two nanoseconds for each instance."""


def print_worth(scop: Scop) -> str:
    """Sizes for which the scheduled text is worth running, as a condition in C.

    For others the text as it is gives the same results sooner. Quotients are not
    rounded: the number is a guess anyway.

    Parameters
    ----------
    scop : Scop
        Its instances are counted.
    """
    counted = count_points([(s.domain, 1) for s in scop.statements], scop.context)
    try:
        number = counted.expression.replace(sympy.floor, lambda x: x)
    except AnalysisError:
        return ALWAYS
    if number.has(sympy.Mod):
        return ALWAYS
    if number.is_number:
        return ALWAYS if number >= LEAST_INSTANCES else NEVER
    return f"({_Printer().doprint(number)}) >= {LEAST_INSTANCES}.0"


class _Printer(C99CodePrinter):  # type: ignore[misc]
    """C text without functions, computed in ``double``."""

    def _print_Symbol(self, expr: sympy.Symbol) -> str:  # noqa: N802 - sympy's name
        return f"(double){expr.name}"

    def _print_Pow(self, expr: sympy.Pow) -> str:  # noqa: N802
        base, exponent = expr.args
        if exponent.is_Integer and exponent > 0:
            factor = f"({self._print(base)})"
            return f"({'*'.join([factor] * int(exponent))})"
        return str(super()._print_Pow(expr))
