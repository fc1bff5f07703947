"""How much work makes a schedule worth its threads."""

from __future__ import annotations

from collections.abc import Mapping

import sympy
from sympy.printing.c import C99CodePrinter

from polysched.analysis import count_points
from polysched.base import AnalysisError
from polysched.codegen import LEAST_SHARED
from polysched.ir import Scop
from polysched.kernel.reach import ALWAYS, NEVER

_TELLING_INSTANCES = 1_000_000  # about a millisecond
_MAX_DOUBLINGS = 20


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
        return ALWAYS if number >= LEAST_SHARED else NEVER
    return f"({_Printer().doprint(number)}) >= {LEAST_SHARED}.0"


def enlarge(scop: Scop, sizes: Mapping[str, int]) -> dict[str, int]:
    """Sizes for which there is something to choose: all doubled until there is.

    One build serves all sizes, and a first call is often a small one.

    Parameters
    ----------
    scop : Scop
        Its instances are counted.
    sizes : mapping of str to int
        Values of its parameters; when some are missing they stay as they are.
    """
    found = dict(sizes)
    names = [p.name for p in scop.parameters]
    if not names or any(found.get(name, 0) < 1 for name in names):
        return found
    counted = count_points([(s.domain, 1) for s in scop.statements], scop.context)
    if not counted.exact:
        return found
    for _ in range(_MAX_DOUBLINGS):
        if counted.evaluate(found) >= _TELLING_INSTANCES:
            break
        found.update({name: 2 * found[name] for name in names})
    return found


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
