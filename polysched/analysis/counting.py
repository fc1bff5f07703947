"""How many points a parametric set has, as a closed form, exact or refused.

Barvinok's counting is not part of isl; what loops need is summed dimension by dimension
(`summation`), which is exact for every bounded set and quick where few bounds compete.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import islpy as isl
import sympy
from sympy.printing.str import StrPrinter

from polysched.analysis.piece import read_pieces, symbol, to_sympy
from polysched.analysis.summation import Summation
from polysched.base import AnalysisError, LimitError
from polysched.sets import list_basic_sets, operation_limit, param_names, read_set

MAX_OPERATIONS = 2_000_000  # the largest example needs less than a million
MAX_REGIONS = 40
MAX_FACTORED_TERMS = 20

Region = tuple[isl.Set, sympy.Expr]


@dataclass(frozen=True)
class ClosedForm:
    """A number as a function of the parameters.

    Attributes
    ----------
    parameters : tuple of str
        Names of the parameters; they are integer symbols of the expressions.
    pieces : tuple of (sympy condition, sympy.Expr)
        Where each expression holds; conditions exclude each other and the number is 0
        elsewhere. Quotients are rounded with ``floor``.
    reason : str
        Why there is no closed form; empty when there is one.
    """

    parameters: tuple[str, ...]
    pieces: tuple[tuple[sympy.logic.boolalg.Boolean, sympy.Expr], ...]
    reason: str = ""

    @property
    def exact(self) -> bool:
        """Whether the number is known for all values of the parameters."""
        return not self.reason

    @property
    def expression(self) -> sympy.Expr:
        """One expression, piecewise where needed.

        Raises
        ------
        AnalysisError
            If there is none, with the reason.
        """
        if self.reason:
            raise AnalysisError(f"no closed form: {self.reason}")
        if not self.pieces:
            return sympy.Integer(0)
        if len(self.pieces) == 1 and self.pieces[0][0] == sympy.true:
            return self.pieces[0][1]
        pieces = [(value, condition) for condition, value in self.pieces]
        return sympy.Piecewise(*pieces, (sympy.Integer(0), True))

    def scaled(self, factor: int) -> ClosedForm:
        """The number times a positive integer."""
        pieces = tuple((c, _factored(factor * value)) for c, value in self.pieces)
        return ClosedForm(self.parameters, pieces, self.reason)

    def evaluate(self, values: Mapping[str, int]) -> int:
        """The number for given parameters.

        Raises
        ------
        AnalysisError
            If a parameter has no value, or there is no closed form.
        """
        missing = [name for name in self.parameters if name not in values]
        if missing:
            raise AnalysisError(f"no value for the parameter {missing[0]!r}")
        known = {sympy.Symbol(n, integer=True): values[n] for n in self.parameters}
        return int(self.expression.subs(known))

    def __str__(self) -> str:
        if self.reason:
            return f"no closed form: {self.reason}"
        if not self.pieces:
            return "0"
        if len(self.pieces) == 1 and self.pieces[0][0] == sympy.true:
            return _print(self.pieces[0][1])
        told = [f"{_print(value)} for {_condition_text(c)}" for c, value in self.pieces]
        return f"{'; '.join(told)}; else 0"


def count_points(
    s: isl.Set | Sequence[tuple[isl.Set, int]], context: isl.Set | None = None
) -> ClosedForm:
    """The number of integer points of a set in terms of its parameters.

    Parameters
    ----------
    s : isl.Set, or sequence of (isl.Set, int)
        Several sets are counted together, each point with the given weight.
    context : isl.Set, optional
        Parameter values that can occur; others need no right answer.

    Returns
    -------
    ClosedForm
        Exact; or without pieces and with a reason, when the set is infinite or falls
        into too many pieces.

    Examples
    --------
    >>> import islpy as isl
    >>> triangle = isl.Set("[n] -> { [i, j] : 0 <= i < n and 0 <= j < i }")
    >>> print(count_points(triangle, isl.Set("[n] -> { : n >= 1 }")))
    n*(n - 1)/2
    """
    weighted = [(s, 1)] if isinstance(s, isl.Set) else list(s)
    context = read_set("{ : }") if context is None else context
    parameters = tuple(
        dict.fromkeys(n for part, _ in weighted for n in param_names(part))
    )
    try:
        with operation_limit(context.get_ctx(), MAX_OPERATIONS):
            regions = _count(weighted, context, parameters)
    except (AnalysisError, LimitError) as error:
        return ClosedForm(parameters, (), error.message)
    except isl.Error:  # a text cut short by the limit is a "syntax error" to isl
        reason = f"more than {MAX_OPERATIONS} isl operations"
        return ClosedForm(parameters, (), reason)
    return ClosedForm(parameters, regions)


def _count(
    weighted: Sequence[tuple[isl.Set, int]],
    context: isl.Set,
    parameters: tuple[str, ...],
) -> tuple[tuple[sympy.logic.boolalg.Boolean, sympy.Expr], ...]:
    summation = Summation(len(parameters))
    context = _restricted(context, parameters)
    parts = [
        part
        for s, weight in weighted
        for piece in read_pieces(s.intersect_params(context), parameters, weight)
        for part in summation.sum(piece)
    ]
    known = _renamed(context, parameters, summation)
    regions = _merged(_arranged(parts, known))
    names = {symbol(f"p{k}"): n for k, n in enumerate(parameters)}
    values = {s: sympy.Symbol(n, integer=True) for s, n in names.items()}
    for name, (numerator, denominator) in summation.quotients.found.items():
        quotient = sympy.floor(to_sympy(numerator) / denominator)
        values[symbol(name)] = quotient.xreplace(values)
    ranked = sorted(regions, key=lambda region: (-_degree(region[1]), str(region[1])))
    return tuple(
        (_condition(where.gist(known), values), _factored(value).xreplace(values))
        for where, value in ranked
        if value != 0
    )


def _degree(value: sympy.Expr) -> int:
    """Total degree, so that the formula for large sizes comes first."""
    names = sorted(value.free_symbols, key=str)
    return int(sympy.Poly(value, *names).total_degree()) if names else 0


def _factored(value: sympy.Expr) -> sympy.Expr:
    """The value as a product, where that is cheap to find."""
    few = len(sympy.Add.make_args(value)) <= MAX_FACTORED_TERMS
    return sympy.factor(value) if few else value


def _restricted(context: isl.Set, parameters: tuple[str, ...]) -> isl.Set:
    """What a context says about some of its parameters."""
    for name in [n for n in param_names(context) if n not in parameters]:
        position = context.find_dim_by_name(isl.dim_type.param, name)
        context = context.project_out(isl.dim_type.param, position, 1)
    return context


def _renamed(
    context: isl.Set, parameters: tuple[str, ...], summation: Summation
) -> isl.Set:
    """The context over ``p0``, ``p1``, ..., with the quotients defined."""
    positions = [parameters.index(name) for name in param_names(context)]
    for end in ("'", ""):  # no C name has a prime, but some C name may be p0
        for k, position in enumerate(positions):
            context = context.set_dim_name(isl.dim_type.param, k, f"p{position}{end}")
    rows = list(summation.quotients.rows())
    return context.intersect(summation.parameter_set(rows))


def _arranged(parts: Iterable[Region], context: isl.Set) -> list[Region]:
    """Disjoint regions of the context with the sum of the parts that hold there."""
    regions: list[Region] = [(context, sympy.Integer(0))]
    for where, value in parts:
        split: dict[sympy.Expr, isl.Set] = {}
        for region, total in regions:
            for piece, sum_ in (
                (region.intersect(where), sympy.expand(total + value)),
                (region.subtract(where), total),
            ):
                if not piece.is_empty():
                    known = split.get(sum_)
                    union = piece if known is None else known.union(piece)
                    split[sum_] = _joined(union)
        regions = [(region, total) for total, region in split.items()]
        if len(regions) > MAX_REGIONS:
            raise LimitError(f"more than {MAX_REGIONS} cases of the parameters")
    return regions


def _merged(regions: list[Region]) -> list[Region]:
    """Regions with thin parts given to neighbours whose formula agrees there.

    Only where the neighbour then needs no more convex pieces than before.
    """
    wheres = [where for where, _ in regions]
    for mine, (region, value) in enumerate(regions):
        for thin in list_basic_sets(region):
            ties = _equalities(thin)
            part = isl.Set.from_basic_set(thin)
            if not ties or not part.is_subset(wheres[mine]):
                continue
            for other, (_, formula) in enumerate(regions):
                if other == mine or formula == 0:
                    continue
                union = _joined(wheres[other].union(part))
                fits = union.n_basic_set() <= wheres[other].n_basic_set()
                if fits and _agree(value, formula, ties):
                    wheres[other] = union
                    wheres[mine] = wheres[mine].subtract(part)
                    break
    return [
        (_joined(where), value)
        for where, (_, value) in zip(wheres, regions, strict=True)
        if not where.is_empty()
    ]


def _joined(where: isl.Set) -> isl.Set:
    """The same set in as few convex pieces as is cheap to find."""
    where = where.coalesce()
    if where.n_basic_set() > 1:
        hull = isl.Set.from_basic_set(where.simple_hull())
        if hull.is_subset(where):
            return hull
    return where


def _equalities(b: isl.BasicSet) -> list[sympy.Expr]:
    hull = b.affine_hull()
    return [_linear(c) for c in hull.get_constraints() if c.is_equality()]


def _agree(a: sympy.Expr, b: sympy.Expr, ties: Sequence[sympy.Expr]) -> bool:
    """Whether two formulas are equal where all ties are zero."""
    difference = a - b
    for tie in ties:
        names = sorted(tie.free_symbols, key=str)
        if names:
            factor = tie.coeff(names[0])
            solution = names[0] - tie / factor
            difference = difference.xreplace({names[0]: sympy.expand(solution)})
    return bool(sympy.expand(difference) == 0)


def _linear(constraint: isl.Constraint) -> sympy.Expr:
    """The left side of a constraint over parameters, ``... = 0`` or ``... >= 0``."""
    for k in range(constraint.dim(isl.dim_type.div)):
        if not constraint.get_coefficient_val(isl.dim_type.div, k).is_zero():
            raise AnalysisError("the context restricts parameters by a division")
    total = sympy.Integer(int(constraint.get_constant_val().to_python()))
    for k in range(constraint.dim(isl.dim_type.param)):
        name = constraint.get_dim_name(isl.dim_type.param, k) or ""
        value = constraint.get_coefficient_val(isl.dim_type.param, k)
        total += int(value.to_python()) * symbol(name)
    return total


def _condition(
    where: isl.Set, values: Mapping[sympy.Symbol, sympy.Expr]
) -> sympy.logic.boolalg.Boolean:
    """A parameter set as a condition."""
    cases = []
    for b in list_basic_sets(where):
        rows = []
        for constraint in b.remove_redundancies().get_constraints():
            linear = _linear(constraint).xreplace(values)
            rows.append(_relation(linear, constraint.is_equality()))
        cases.append(sympy.And(*rows))
    return sympy.Or(*cases)


def _relation(linear: sympy.Expr, is_equality: bool) -> sympy.logic.boolalg.Boolean:
    """``n - m - 1 >= 0`` as ``n >= m + 1``: no minus where none is needed."""
    terms = [t for t in sympy.Add.make_args(linear) if not t.is_number]
    constant = linear - sympy.Add(*terms)
    right = [-t for t in terms if t.could_extract_minus_sign()]
    left = [t for t in terms if -t not in right]
    if is_equality:
        return sympy.Eq(sympy.Add(*left), sympy.Add(*right, -constant))
    if not left:
        return sympy.Le(sympy.Add(*right), constant)
    return sympy.Ge(sympy.Add(*left), sympy.Add(*right, -constant))


def _condition_text(condition: sympy.logic.boolalg.Boolean) -> str:
    """The condition in words, the way C would write the comparisons."""
    if isinstance(condition, sympy.And):
        return " and ".join(_condition_text(c) for c in _ordered(condition.args))
    if isinstance(condition, sympy.Or):
        return " or ".join(_condition_text(c) for c in _ordered(condition.args))
    if isinstance(condition, sympy.Eq):
        return f"{_print(condition.lhs)} == {_print(condition.rhs)}"
    return _print(condition)


class _Printer(StrPrinter):  # type: ignore[misc]
    """Quotients as one fraction: ``floor((n + 1)/2)``."""

    def _print_floor(self, expr: sympy.floor) -> str:
        return f"floor({self._print(sympy.together(expr.args[0]))})"


def _print(expr: sympy.Basic) -> str:
    return str(_Printer().doprint(expr))


def _ordered(
    conditions: Iterable[sympy.logic.boolalg.Boolean],
) -> list[sympy.logic.boolalg.Boolean]:
    return sorted(conditions, key=str)
