"""Integer expressions as piecewise quasi-affine functions of iterators and parameters.

C's division truncates, isl's floors: a dividend that may be negative on the domain is
split by its sign, so that the model is exact. Unsigned operands of comparisons and
divisions must neither be negative nor, with four bytes, too large, where C would wrap
them around: that is required of the domain through `Affine.require`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import reduce

import islpy as isl

from polysched.frontend.least_values import find_chain
from polysched.frontend.literals import fold, integer, nearest_zero
from polysched.frontend.polynomial import read_polynomial
from polysched.ir import (
    Binary,
    Call,
    Cast,
    Const,
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
Require = Callable[[isl.Set, isl.Set, Expr, str], None]
FindProduct = Callable[[tuple[Expr, ...], ScalarType], Param | None]
Quotient = tuple[int, isl.PwAff, isl.Set]

_MAX_PIECES = 64
_INT_BITS = 32
_HASHING = 1 << 20
_LARGE = 1 << 32  # a number that only eight bytes hold
_QUOTIENTS = (-1, 0, 1, 2)  # of divisions by what is not a constant


class NotAffine(Exception):  # noqa: N818  a verdict inside the room, not a user's error
    """An expression that is not affine, the part at fault, and why."""

    def __init__(self, expr: Expr, reason: str) -> None:
        super().__init__(reason)
        self.expr = expr
        self.reason = reason


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
        self._is_rough = False
        self._tuple = f"[{', '.join(self.iterators)}]"

    @contextmanager
    def roughly(self) -> Iterator[None]:
        """Domains have points that the program never has: no value is too large there.

        Whoever reads an expression so reads it again on the domain itself.
        """
        self._is_rough = True
        try:
            yield
        finally:
            self._is_rough = False

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
        self._require_within(subscript, value, subscript.dtype, domain)
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
            self.require_exact(left, expr.dtype, domain)
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
                self.require_exact(side, side.dtype, domain)

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
                    self.require_not_negative(side, part.dtype, domain)
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
        self.require_exact(expr.left, expr.dtype, domain)
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
            self.require_exact(side, expr.dtype, domain)
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
            if total.domain().is_empty():
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
            self._require_fits(expr, value, target, domain)
        elif target.kind != source.kind or target.n_bytes > source.n_bytes:
            self.require_exact(expr.operand, source, domain)
        self._require_within(expr, value, target, domain)
        return value

    def _select(self, expr: Select, domain: isl.Set) -> isl.PwAff:
        chain = find_chain(expr)
        if chain is not None:
            for e in chain.values:
                self.require_exact(e, expr.dtype, domain)
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
                    self.require_exact(branch, branch.dtype, part)
                parts.append(self._value(branch, part).intersect_domain(part))
        if not parts:
            return self.constant(0)
        total = parts[0]
        for other in parts[1:]:
            total = total.union_add(other)
        return total.coalesce()

    def _call(self, expr: Call, domain: isl.Set) -> isl.PwAff:
        if expr.name in {"abs", "labs", "llabs"} and len(expr.args) == 1:
            self.require_exact(expr.args[0], expr.args[0].dtype, domain)
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
        if expr.dtype.kind == "uint" and _computes(expr):
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
                self.require_exact(side, side.dtype, domain)
            if not is_equality:
                self.require_not_negative(side, compared, domain)
            self._require_within(side, value, compared, domain)
        if is_equality and compared.kind == "uint":
            equal = self._same_rest((a, b), (left, right), compared)
            return equal if op == "==" else domain.subtract(equal).coalesce()
        result: isl.Set = getattr(a, _SET_METHODS[op])(b)
        return result

    def _same_rest(
        self,
        values: tuple[isl.PwAff, isl.PwAff],
        sides: tuple[Expr, Expr],
        compared: ScalarType,
    ) -> isl.Set:
        """Where unsigned numbers are equal, of which some are written as others.

        The number before zero is the greatest one: ``i - 1 == UINT_MAX``, ``x == -1``.
        """
        n_bits = 8 * compared.n_bytes
        half = 1 << (n_bits - 1)
        parts = [e for side in sides for e in walk(side)]
        gap = values[0].sub(values[1])
        equal: isl.Set = gap.zero_set()
        if all(v is None or 0 <= v < half for v in map(fold, parts)):
            return equal
        for turn in (1 << n_bits, -(1 << n_bits)):
            equal = equal.union(gap.add_constant_val(isl.Val(str(turn))).zero_set())
        if n_bits > _INT_BITS and any(isinstance(e, Iter) for e in parts):
            for side, value in zip(sides, values, strict=True):
                if fold(side) is None:  # no loop counts that far
                    equal = equal.intersect(value.lt_set(self.constant(half)))
        return equal.coalesce()

    def require_exact(self, expr: Expr, type_: ScalarType, domain: isl.Set) -> None:
        """What is computed must not have wrapped around, nor wrap if converted.

        Sums, products and shifts to the left may on the way: whatever else is done
        with them asks.
        """
        self.require_not_negative(expr, type_, domain)
        if not _computes(expr):
            return
        if expr.dtype.n_bytes < type_.n_bytes:
            self.require_not_negative(expr, expr.dtype, domain)
        value = self._value(expr, domain)
        self._require_within(expr, value, expr.dtype, domain)

    def require_not_negative(
        self, expr: Expr, type_: ScalarType, domain: isl.Set, least: int = 0
    ) -> None:
        """An expression converted to `type_` must not wrap around.

        If `least` is -1, it may be the greatest value of the type.
        """
        if type_.kind != "uint" or fold(expr) is not None or isinstance(expr, Const):
            return
        value = self._value(expr, domain)
        bad = domain.intersect(value.lt_set(self.constant(least)))
        if not bad.is_empty():
            self.require(
                bad,
                domain,
                expr,
                f"its type is {type_}, and a value below zero wraps around",
            )

    def _require_within(
        self, expr: Expr, value: isl.PwAff, type_: ScalarType, domain: isl.Set
    ) -> None:
        """A value must not be too large for a type of four bytes.

        Sums of type `int` never are, as C leaves open what they would be, and what
        stands for a variable of the type itself is not. Of eight bytes only products
        with large numbers are.
        """
        source = expr.operand.dtype if isinstance(expr, Cast) else expr.dtype
        is_sum = type_.kind == "uint" and _computes(expr)
        if type_.n_bytes < 4 or self._is_rough or fold(expr) is not None:
            return
        if type_.n_bytes > 4 and not (is_sum and _has_large(expr)):
            return
        if not is_sum and (not isinstance(expr, Cast) or _holds(type_, source)):
            return
        greatest = (1 << (8 * type_.n_bytes - (type_.kind == "int"))) - 1
        bad = value.gt_set(self.constant(greatest))
        if type_.kind == "int":
            bad = bad.union(value.lt_set(self.constant(-greatest - 1)))
        bad = domain.intersect(bad)
        if not bad.is_empty():
            reason = f"its type is {type_}, and it may be too large for it"
            if is_sum and _is_hash(expr):  # nobody means the few numbers that fit
                raise NotAffine(expr, f"it is computed in {type_} and wraps around")
            self.require(bad, domain, expr, reason)

    def _require_fits(
        self, expr: Expr, value: isl.PwAff, type_: ScalarType, domain: isl.Set
    ) -> None:
        """A value converted to a narrow type must fit."""
        n_bits = 8 * type_.n_bytes
        low, high = (0, (1 << n_bits) - 1)
        if type_.kind == "int":
            low, high = -(1 << (n_bits - 1)), (1 << (n_bits - 1)) - 1
        bad = domain.intersect(
            value.lt_set(self.constant(low)).union(value.gt_set(self.constant(high)))
        )
        if not bad.is_empty():
            raise NotAffine(expr, f"its value may not fit into {type_}")


def _computes(expr: Expr) -> bool:
    """Whether something is computed, perhaps converted to its own type."""
    while isinstance(expr, Cast) and expr.type == expr.operand.dtype:
        expr = expr.operand
    return isinstance(expr, Binary | Unary | Select | Call)


def _is_hash(expr: Expr) -> bool:
    """Whether an element of it is multiplied by a number that makes it wrap soon."""
    products = (e for e in walk(expr) if isinstance(e, Binary) and e.op == "*")
    numbers = (fold(side) for e in products for side in e.operands)
    return any(v is not None and v >= _HASHING for v in numbers)


def _has_large(expr: Expr) -> bool:
    """Whether a number of more than four bytes is part of it."""
    numbers = (fold(e) for e in walk(expr))
    return any(v is not None and _LARGE <= v < 1 << 63 for v in numbers)


def _holds(type_: ScalarType, source: ScalarType) -> bool:
    """Whether a type of four bytes has all values of another that are not negative."""
    return source.n_bytes < 4 or (
        source.n_bytes == 4 and (type_.kind == "uint" or source.kind == "int")
    )


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
