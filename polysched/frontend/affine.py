"""Integer expressions as piecewise quasi-affine functions of iterators and parameters.

C's division truncates, isl's floors: a dividend that may be negative on the domain is
split by its sign, so that the model is exact. Unsigned operands of comparisons and
divisions must neither be negative nor, with four bytes, too large, where C would wrap
them around: that is required of the domain through `Affine.require`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce

import islpy as isl

from polysched.frontend.exact_values import (
    ExactValues,
    NotAffine,
    Require,
    is_computed,
)
from polysched.frontend.least_values import find_chain
from polysched.frontend.literals import fold, integer, nearest_zero
from polysched.frontend.polynomial import read_polynomial
from polysched.ir import (
    Binary,
    Call,
    Cast,
    Expr,
    Iter,
    Load,
    Local,
    Lookup,
    Param,
    ScalarType,
    Select,
    Unary,
    common_type,
    walk,
)
from polysched.ir.expr import COMPARISONS, LOGICAL, MIRRORED

Expand = Callable[[Call], Expr | None]
FindProduct = Callable[[tuple[Expr, ...], ScalarType], Param | None]
Quotient = tuple[int, isl.PwAff, isl.Set]

_MAX_PIECES = 64
_QUOTIENTS = (-1, 0, 1, 2)  # of divisions by what is not a constant
_USUAL_SIZE = 1000  # of a parameter of which nothing is known


class Affine:
    """Reads expressions over the iterators of one loop nest.

    Parameters
    ----------
    iterators : sequence of str
        Names of the nest's iterators, outermost first.
    expand : callable
        The expression that a call stands for, if it can be inlined.
    require : callable
        Told of instances at which the model would be wrong, the domain they are part
        of, the expression at fault and a reason; it refuses or records an assumption
        on the parameters.
    find_product : callable
        The parameter that a product of factors is, as computed in a type.
    """

    def __init__(
        self,
        iterators: Sequence[str],
        expand: Expand,
        require: Require,
        find_product: FindProduct,
    ) -> None:
        self.iterators = tuple(iterators)
        self._find_product = find_product
        self._expand = expand
        self.require = require
        self.exact = ExactValues(self._value, self.constant, require)
        self._tuple = f"[{', '.join(self.iterators)}]"

    def universe(self) -> isl.Set:
        """All points of the iteration space."""
        return isl.Set(f"{{ {self._tuple} }}")

    def constant(self, value: int) -> isl.PwAff:
        """A constant function."""
        return isl.PwAff(f"{{ {self._tuple} -> [({value})] }}")

    def iterator(self, name: str) -> isl.PwAff:
        """The value of an iterator."""
        return isl.PwAff(f"{{ {self._tuple} -> [({name})] }}")

    def parameter(self, name: str) -> isl.PwAff:
        """The value of a parameter."""
        return isl.PwAff(f"[{name}] -> {{ {self._tuple} -> [({name})] }}")

    def value(self, expr: Expr, domain: isl.Set) -> isl.PwAff:
        """The function that an expression computes on `domain`.

        Raises
        ------
        NotAffine
            If it is none of the quasi-affine functions.
        """
        result = self._value(expr, domain)
        if result.n_piece() > _MAX_PIECES:
            result = result.gist(domain).coalesce()
        return result

    def place(self, subscript: Expr, domain: isl.Set) -> isl.PwAff:
        """The value of a subscript, which must not have wrapped around."""
        value = self.value(subscript, domain)
        self.exact.require_within(subscript, value, subscript.dtype, domain)
        return value

    def condition(self, expr: Expr, domain: isl.Set) -> isl.Set:
        """The part of `domain` on which a condition holds."""
        return self._condition(expr, domain).intersect(domain).coalesce()

    def _value(self, expr: Expr, domain: isl.Set) -> isl.PwAff:
        if expr.dtype.is_float:
            raise NotAffine(expr, f"it is a value of type {expr.dtype}")
        constant = fold(expr)
        if constant is not None:
            return self.constant(constant)
        match expr:
            case Iter(name, _):
                return self.iterator(name)
            case Param(name, _):
                return self.parameter(name)
            case Unary("-", operand):
                return self._value(operand, domain).neg()
            case Unary("+", operand):
                return self._value(operand, domain)
            case Load(array, subscripts, _) | Lookup(array, subscripts, _):
                what = f"an element of {array!r}" if subscripts else f"{array!r}"
                raise NotAffine(expr, f"it depends on data: {what} is read")
            case Local(name, _):
                reason = f"it depends on data: {name!r} changes in a loop that data end"
                raise NotAffine(expr, reason)
        return self._composed(expr, domain)

    def _composed(self, expr: Expr, domain: isl.Set) -> isl.PwAff:
        match expr:
            case Binary(op, _, _) if op in COMPARISONS or op in LOGICAL:
                return self._indicator(expr, domain)
            case Unary("!", _):
                return self._indicator(expr, domain)
            case Binary():
                return self._binary(expr, domain)
            case Cast():
                return self._cast(expr, domain)
            case Select():
                return self._select(expr, domain)
            case Call():
                return self._call(expr, domain)
        raise NotAffine(expr, "it is not an affine expression")

    def _binary(self, expr: Binary, domain: isl.Set) -> isl.PwAff:
        left, right = expr.left, expr.right
        if expr.op in {"+", "-"}:
            self._require_widening(expr, domain)
            a, b = self._operand(left, domain), self._operand(right, domain)
            return a.add(b) if expr.op == "+" else a.sub(b)
        if expr.op == "*":
            return self._product(expr, domain)
        if expr.op in {"&", "|", "^"} and fold(left) is not None:
            expr, left, right = Binary(expr.op, right, left), right, left
        amount = fold(right)
        if amount is None and expr.op in {"/", "%"}:
            return self._divide_by_size(expr, domain)
        if amount is None:
            raise NotAffine(expr, f"the right operand of {expr.op!r} is not a constant")
        if expr.op in {"/", "%"} and amount > 0:
            return self._divide(expr, amount, domain)
        if expr.op == "<<" and 0 <= amount < 32:
            return self._value(left, domain).scale_val(isl.Val(1 << amount))
        if expr.op == ">>" and 0 <= amount < 32:
            self.exact.require_exact(left, expr.dtype, domain)
            value = self._value(left, domain)
            return value.scale_down_val(isl.Val(1 << amount)).floor()
        if expr.op in {"&", "|", "^"}:
            return self._masked(expr, amount, domain)
        raise NotAffine(expr, f"the operator {expr.op!r} with {amount} is not affine")

    def _operand(self, expr: Expr, domain: isl.Set) -> isl.PwAff:
        """A part of a sum or product."""
        constant = fold(expr)
        if constant is None:
            return self._value(expr, domain)
        return self.constant(nearest_zero(constant, expr.dtype))

    def _masked(self, expr: Binary, amount: int, domain: isl.Set) -> isl.PwAff:
        """Bits that a mask keeps, sets or turns; both are in two's complement.

        With low bits r = value mod 2^k: ``& 2^k - 1`` is r, ``& -2^k`` is value - r,
        ``| 2^k - 1`` is value - r + 2^k - 1, ``^ 2^k - 1`` is value + 2^k - 1 - 2r.
        """
        self._require_widening(expr, domain)
        unsigned = expr.dtype.kind == "uint"
        n_bits = 8 * expr.dtype.n_bytes
        if expr.op == "&" and unsigned and amount > 0 and amount >> (n_bits - 1):
            amount -= 1 << n_bits  # as `~3u`; `~3` is below zero as it stands
        low = ~amount if expr.op == "&" and amount < 0 else amount
        if low <= 0 or low & (low + 1):
            raise NotAffine(
                expr, f"the operator {expr.op!r} with {amount} is not affine"
            )
        value = self._value(expr.left, domain)
        rest = value.mod_val(isl.Val(low + 1))
        if expr.op == "&":
            return rest if amount > 0 else value.sub(rest)
        twice = rest if expr.op == "|" else rest.scale_val(isl.Val(2))
        return value.sub(twice).add(self.constant(low))

    def _require_widening(self, expr: Binary, domain: isl.Set) -> None:
        """An unsigned operand that is widened must not have wrapped around before."""
        for side in (expr.left, expr.right):
            if side.dtype.n_bytes < expr.dtype.n_bytes:
                self.exact.require_exact(side, side.dtype, domain)

    def _product(self, expr: Binary, domain: isl.Set) -> isl.PwAff:
        self._require_widening(expr, domain)
        a, b = self._operand(expr.left, domain), self._operand(expr.right, domain)
        try:
            return a.mul(b)
        except isl.Error:
            return self._product_of_parameters(expr, domain)

    def _product_of_parameters(self, expr: Binary, domain: isl.Set) -> isl.PwAff:
        """A product of values that stay: products of parameters are parameters."""
        terms = read_polynomial(expr).terms
        if any(term.atom is not None for term in terms):
            raise NotAffine(expr, "it multiplies two values that both vary")
        for part in walk(expr):
            if part.dtype.kind == "uint" and 4 <= part.dtype.n_bytes < 8:
                raise NotAffine(expr, "its unsigned factors may wrap around")
            if isinstance(part, Binary):
                for side in (part.left, part.right):
                    self.exact.require_not_negative(side, part.dtype, domain)
        total = self.constant(0)
        for term in terms:
            factors = term.monomial.factors
            value = self.constant(1) if not factors else None
            if len(factors) == 1:
                value = self._value(factors[0], domain)
            if value is None:
                param = self._find_product(factors, expr.dtype)
                if param is None:
                    raise NotAffine(expr, "it multiplies what is no plain size")
                value = self.parameter(param.name)
            total = total.add(value.scale_val(isl.Val(term.factor)))
        return total

    def _divide(self, expr: Binary, divisor: int, domain: isl.Set) -> isl.PwAff:
        self.exact.require_exact(expr.left, expr.dtype, domain)
        value = self._value(expr.left, domain)
        val = isl.Val(divisor)
        if domain.is_subset(value.nonneg_set()):
            if expr.op == "%":
                return value.mod_val(val)
            return value.scale_down_val(val).floor()
        by = self.constant(divisor)
        return value.tdiv_r(by) if expr.op == "%" else value.tdiv_q(by)

    def quotients(self, expr: Binary, domain: isl.Set) -> list[Quotient]:
        """Where on `domain` a division has which of a few quotients, and the remainder.

        The divisor need not be a constant: ``(i + n - 1) % n`` is i + n - 1, or n less.
        """
        for side in (expr.left, expr.right):
            self.exact.require_exact(side, expr.dtype, domain)
        value, by = self._value(expr.left, domain), self._value(expr.right, domain)
        found, open_ = [], domain
        for quotient in _QUOTIENTS:
            remainder = value.sub(by.scale_val(isl.Val(quotient)))
            where = remainder.lt_set(by).intersect(remainder.neg().lt_set(by))
            if quotient:  # the remainder has the dividend's sign, as C truncates
                sign = remainder if quotient > 0 else remainder.neg()
                where = where.intersect(sign.nonneg_set())
            found.append((quotient, remainder, open_.intersect(where).coalesce()))
            open_ = open_.subtract(where).coalesce()
        return found

    def _divide_by_size(self, expr: Binary, domain: isl.Set) -> isl.PwAff:
        """A quotient or remainder; that the quotient is another is excluded."""
        found = self.quotients(expr, domain)
        pieces = [
            (remainder if expr.op == "%" else self.constant(q)).intersect_domain(where)
            for q, remainder, where in found
        ]
        total, *others = pieces
        for piece in others:
            total = total.union_add(piece)
        open_ = domain.subtract(total.domain())
        if not open_.is_empty():
            reason = f"the right operand of {expr.op!r} is not a constant"
            if total.domain().is_empty() or not _at_usual_sizes(open_).is_empty():
                raise NotAffine(expr, reason)
            few = f"{_QUOTIENTS[0]} to {_QUOTIENTS[-1]}"
            reason += f", and the quotient may be another than {few}"
            self.require(open_, domain, expr, reason)
        return total.coalesce()

    def _cast(self, expr: Cast, domain: isl.Set) -> isl.PwAff:
        value = self._value(expr.operand, domain)
        source, target = expr.operand.dtype, expr.type
        if target.name == "_Bool":
            return self._indicator(expr.operand, domain)
        if target.n_bytes < 4:
            self.exact.require_fits(expr, value, target, domain)
        elif target.kind != source.kind or target.n_bytes > source.n_bytes:
            self.exact.require_exact(expr.operand, source, domain)
        self.exact.require_within(expr, value, target, domain)
        return value

    def _select(self, expr: Select, domain: isl.Set) -> isl.PwAff:
        chain = find_chain(expr)
        if chain is not None:
            for e in chain.values:
                self.exact.require_exact(e, expr.dtype, domain)
            first, *others = (self._value(e, domain) for e in chain.values)
            for other in others:
                first = first.min(other) if chain.is_least else first.max(other)
            return first.coalesce()
        holds = self.condition(expr.cond, domain)
        fails = domain.subtract(holds).coalesce()
        parts: list[isl.PwAff] = []
        for branch, part in ((expr.then, holds), (expr.other, fails)):
            if not part.is_empty():
                if branch.dtype.n_bytes < expr.dtype.n_bytes:
                    self.exact.require_exact(branch, branch.dtype, part)
                parts.append(self._value(branch, part).intersect_domain(part))
        if not parts:
            return self.constant(0)
        total = parts[0]
        for other in parts[1:]:
            total = total.union_add(other)
        return total.coalesce()

    def _call(self, expr: Call, domain: isl.Set) -> isl.PwAff:
        if expr.name in {"abs", "labs", "llabs"} and len(expr.args) == 1:
            self.exact.require_exact(expr.args[0], expr.args[0].dtype, domain)
            value = self._value(expr.args[0], domain)
            return value.max(value.neg())
        expanded = self._expand(expr)
        if expanded is None:
            raise NotAffine(expr, f"it calls {expr.name!r}, which cannot be inlined")
        return self._value(expanded, domain)

    def _indicator(self, expr: Expr, domain: isl.Set) -> isl.PwAff:
        """1 where a condition holds, 0 elsewhere on the domain."""
        holds = self.condition(expr, domain)
        fails = domain.subtract(holds)
        one = self.constant(1).intersect_domain(holds)
        return one.union_add(self.constant(0).intersect_domain(fails)).coalesce()

    def _condition(self, expr: Expr, domain: isl.Set) -> isl.Set:
        constant = fold(expr)
        if constant is not None:
            return domain if constant else domain.subtract(domain)
        match expr:
            case Unary("!", operand):
                return domain.subtract(self.condition(operand, domain))
            case Binary("&&", left, right):
                first = self.condition(left, domain)
                return self.condition(right, first)
            case Binary("||", left, right):
                first = self.condition(left, domain)
                rest = domain.subtract(first).coalesce()
                return first.union(self.condition(right, rest))
            case Binary(op, left, right) if op in COMPARISONS:
                return self._comparison(op, left, right, domain)
            case Select(cond, then, other):
                holds = self.condition(cond, domain)
                rest = domain.subtract(holds).coalesce()
                chosen = self.condition(then, holds)
                return chosen.union(self.condition(other, rest))
        if expr.dtype.kind == "uint" and is_computed(expr):
            return self._comparison("!=", expr, integer(0), domain)
        return self._value(expr, domain).non_zero_set()

    def _comparison(self, op: str, left: Expr, right: Expr, domain: isl.Set) -> isl.Set:
        for side in (left, right):
            if side.dtype.is_float:
                raise NotAffine(side, f"it compares values of type {side.dtype}")
        mirrored = MIRRORED.get(op)
        for side, other, seen in ((left, right, op), (right, left, mirrored)):
            chain = find_chain(side)
            if chain is not None and mirrored is not None and seen is not None:
                parts = [self._comparison(seen, e, other, domain) for e in chain.values]
                put = isl.Set.union if chain.suffices(seen) else isl.Set.intersect
                return reduce(put, parts).coalesce()
        compared = common_type(left.dtype, right.dtype)
        a, b = self._value(left, domain), self._value(right, domain)
        is_equality = op in {"==", "!="}
        for side, value in ((left, a), (right, b)):
            if side.dtype.n_bytes < compared.n_bytes:
                self.exact.require_exact(side, side.dtype, domain)
            if not is_equality:
                self.exact.require_not_negative(side, compared, domain)
            self.exact.require_within(side, value, compared, domain)
        if is_equality and compared.kind == "uint":
            equal = self.exact.equal_where((a, b), (left, right), compared)
            return equal if op == "==" else domain.subtract(equal).coalesce()
        result: isl.Set = getattr(a, _SET_METHODS[op])(b)
        return result


def read_exactly(iterators: Sequence[str]) -> Affine:
    """Reads what needs neither a function's body nor an assumption."""
    return Affine(iterators, _expand_nothing, _require_nothing, _find_no_product)


def _expand_nothing(_: Call) -> None:
    return None


def _find_no_product(_: tuple[Expr, ...], __: ScalarType) -> None:
    return None


def _require_nothing(_: isl.Set, __: isl.Set, expr: Expr, reason: str) -> None:
    raise NotAffine(expr, reason)


_SET_METHODS = {
    "<": "lt_set", "<=": "le_set", ">": "gt_set", ">=": "ge_set", "==": "eq_set",
    "!=": "ne_set",
}  # fmt: skip


def _at_usual_sizes(instances: isl.Set) -> isl.Set:
    """Some instances at sizes that no program finds unusual.

    What holds for none of these is nothing to ask a program for: that
    ``((n - 1) << 16) / m`` be 2 at most.
    """
    for k in range(instances.dim(isl.dim_type.param)):
        size = isl.Val(_USUAL_SIZE)
        instances = instances.fix_val(isl.dim_type.param, k, size)
    return instances
