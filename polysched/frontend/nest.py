"""Domains of loop nests, from headers and conditions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import islpy as isl

from polysched.frontend.affine import Affine
from polysched.frontend.literals import fold, wrap
from polysched.frontend.objects import Loop
from polysched.ir import Binary, Cast, Expr, Iter, walk
from polysched.ir.expr import MIRRORED

_GREATEST_INT, _INT_BYTES = (1 << 31) - 1, 4


@dataclass(frozen=True, eq=False)
class Nest:
    """The loops around a place, and the iterations that reach it.

    Attributes
    ----------
    loops : tuple of Loop
        Outermost first.
    domain : isl.Set
        ``{ [i, j] : ... }``, conditions around the place included.
    affine : Affine
        Reads expressions over the iterators.
    headers : tuple of Entered
        How each of the loops is entered.
    """

    loops: tuple[Loop, ...]
    domain: isl.Set
    affine: Affine
    headers: tuple[Entered, ...] = ()

    @property
    def iterators(self) -> tuple[str, ...]:
        """Names of the iterators."""
        return tuple(loop.name for loop in self.loops)

    def within(self, domain: isl.Set) -> Nest:
        """The same nest with fewer iterations."""
        return replace(self, domain=domain)


class EndlessLoop(Exception):  # noqa: N818  a verdict inside the room
    """A loop that has no last iteration, and why."""


@dataclass(frozen=True)
class Bounds:
    """Start and condition of a loop, over the iterators of its body."""

    loop: Loop
    start: Expr
    condition: Expr


@dataclass(frozen=True, eq=False)
class Entered:
    """A loop at its place.

    Attributes
    ----------
    bounds : Bounds
        Of its header.
    outer : Nest
        Around it, conditions included.
    body : isl.Set
        The iterations of its body.
    """

    bounds: Bounds
    outer: Nest
    body: isl.Set


def enter_loop(outer: Nest, affine: Affine, bounds: Bounds) -> isl.Set:
    """The domain of a loop's body.

    Parameters
    ----------
    outer : Nest
        Around the loop.
    affine : Affine
        Reads expressions over the iterators of the body.
    bounds : Bounds
        Start, condition and step.

    Raises
    ------
    NotAffine
        If start or condition are not affine.
    EndlessLoop
        If the loop has no last iteration.
    """
    loop = bounds.loop
    domain = _extend(outer.domain, affine)
    here = affine.iterator(loop.name)
    ends_below_zero = _ends_below_zero(bounds)
    least = -1 if ends_below_zero else 0
    affine.exact.require_not_negative(bounds.start, loop.type, domain, least)
    start = affine.value(bounds.start, domain)
    if loop.type.kind == "uint":
        domain = domain.intersect(here.nonneg_set())
    if loop.step > 0:
        reached = domain.intersect(here.ge_set(start))
    else:
        reached = domain.intersect(here.le_set(start))
    if abs(loop.step) != 1:
        offset = here.sub(start).mod_val(isl.Val(abs(loop.step)))
        reached = reached.intersect(offset.zero_set())
    if ends_below_zero and not_equal_bound(bounds.condition, loop) is not None:
        return reached.coalesce()
    with affine.exact.roughly():
        continues = affine.condition(bounds.condition, reached)
    if not all(_is_plain(c, loop) for c in conjuncts(bounds.condition)):
        continues = _until_first_failure(reached, continues, loop.step)
    if not ends_below_zero:
        _check_ends(continues, loop)
    _check_overrun(continues, bounds, affine)
    if has_unsigned(bounds.condition):
        first = reached.intersect(here.eq_set(start))
        asked = first.union(_advanced(continues, loop.step)).coalesce()
        if ends_below_zero:
            asked = asked.intersect(here.nonneg_set())
        affine.condition(bounds.condition, asked)
    return continues.coalesce()


def within_types(domain: isl.Set, loops: Sequence[Loop], condition: Expr) -> isl.Set:
    """The domain without what a condition tells from it, but no iterator ever is.

    Sizes are any in the model. A branch for an `int` beyond its greatest value,
    ``if (i < 0x80000000) ... else ...``, never runs, and no loop could count there.
    """
    values = (fold(e) for e in walk(condition))
    if all(v is None or abs(v) < _GREATEST_INT for v in values):
        return domain
    for position, loop in enumerate(loops):
        if loop.type.n_bytes <= _INT_BYTES and loop.type.kind == "int":
            domain = domain.upper_bound_val(
                isl.dim_type.set, position, isl.Val(_GREATEST_INT)
            ).lower_bound_val(isl.dim_type.set, position, isl.Val(-_GREATEST_INT - 1))
    return domain


def conjuncts(condition: Expr) -> list[Expr]:
    """The operands of nested ``&&``."""
    if isinstance(condition, Binary) and condition.op == "&&":
        return conjuncts(condition.left) + conjuncts(condition.right)
    return [condition]


def behind_first_turn(condition: Expr, loop: Loop, start: Expr) -> Expr | None:
    """The other side of a loop condition ``i == START || ...``."""
    if not isinstance(condition, Binary) or condition.op != "||":
        return None
    first = condition.left
    if not isinstance(first, Binary) or first.op != "==" or _mentions(start, loop):
        return None
    is_start = first.right == start or fold(first.right) == fold(start) is not None
    return condition.right if _is_iterator(first.left, loop) and is_start else None


def passes_zero_only(condition: Expr, loop: Loop) -> bool:
    """Whether ``i != (size_t)-1`` ends a loop that counts down."""
    end = not_equal_bound(condition, loop)
    value = None if end is None else fold(end)
    if end is None or value is None or loop.step != -1 or loop.type.kind != "uint":
        return False
    is_wide = _INT_BYTES <= loop.type.n_bytes >= end.dtype.n_bytes
    return is_wide and value in (-1, wrap(-1, loop.type))


def not_equal_bound(condition: Expr, loop: Loop) -> Expr | None:
    """The other side of a loop condition ``i != END``."""
    if not isinstance(condition, Binary) or condition.op != "!=":
        return None
    for side, other in (
        (condition.left, condition.right), (condition.right, condition.left),
    ):  # fmt: skip
        if _is_iterator(side, loop) and not _mentions(other, loop):
            return other
    return None


def _extend(domain: isl.Set, affine: Affine) -> isl.Set:
    """The domain with one more, innermost, dimension."""
    extended = domain.add_dims(isl.dim_type.set, 1)
    for position, name in enumerate(affine.iterators):
        extended = extended.set_dim_name(isl.dim_type.set, position, name)
    return extended


def _is_plain(condition: Expr, loop: Loop) -> bool:
    """Whether a comparison, once false, stays false as the loop goes on."""
    if not isinstance(condition, Binary):
        return False
    op, left, right = condition.op, condition.left, condition.right
    if _is_iterator(right, loop):
        op = MIRRORED.get(op, op)
        left, right = right, left
    if not _is_iterator(left, loop) or _mentions(right, loop):
        return False
    return op in ({"<", "<="} if loop.step > 0 else {">", ">="})


def _is_iterator(expr: Expr, loop: Loop) -> bool:
    while isinstance(expr, Cast) and not expr.type.is_float:
        expr = expr.operand
    return isinstance(expr, Iter) and expr.name == loop.name


def _mentions(expr: Expr, loop: Loop) -> bool:
    return any(isinstance(e, Iter) and e.name == loop.name for e in walk(expr))


def _until_first_failure(reached: isl.Set, holds: isl.Set, step: int) -> isl.Set:
    """The iterations before the first at which the condition fails."""
    fails = reached.subtract(holds)
    last = reached.dim(isl.dim_type.set) - 1
    order = isl.Map.universe(reached.get_space().map_from_set())
    for position in range(last):
        order = order.equate(isl.dim_type.in_, position, isl.dim_type.out, position)
    compare = order.order_lt if step > 0 else order.order_gt
    later = compare(isl.dim_type.in_, last, isl.dim_type.out, last)
    return holds.subtract(fails.apply(later)).coalesce()


def _ends_below_zero(bounds: Bounds) -> bool:
    """Whether ``i < END`` ends a loop over an unsigned `i` that counts down.

    ``for (unsigned i = n - 1; i < n; i--)``: what follows zero, and what `n - 1` is for
    no elements, is the greatest value of the type, which none exceeds.
    """
    loop = bounds.loop
    if loop.step != -1 or loop.type.kind != "uint" or loop.type.n_bytes < 4:
        return False
    if passes_zero_only(bounds.condition, loop):
        return True
    for part in conjuncts(bounds.condition):
        if not isinstance(part, Binary) or part.op not in {"<", ">"}:
            continue
        less, more = (part.left, part.right)[:: 1 if part.op == "<" else -1]
        is_iterator = isinstance(less, Iter) and less.name == loop.name
        if is_iterator and not _mentions(more, loop):
            return not more.dtype.is_float and more.dtype.n_bytes <= loop.type.n_bytes
    return False


def _check_ends(domain: isl.Set, loop: Loop) -> None:
    last = domain.dim(isl.dim_type.set) - 1
    if domain.is_empty():
        return
    if loop.step > 0:
        bounded = domain.dim_has_upper_bound(isl.dim_type.set, last)
    else:
        bounded = domain.dim_has_lower_bound(isl.dim_type.set, last)
    if not bounded:
        raise EndlessLoop(
            f"the condition does not bound {loop.name!r}, which "
            f"{'grows' if loop.step > 0 else 'shrinks'}"
        )
    if loop.type.kind == "uint" and loop.step < 0:
        _check_unsigned_end(domain, loop, last)


def _check_unsigned_end(domain: isl.Set, loop: Loop, last: int) -> None:
    """An unsigned iterator that counts down must not have to pass below zero."""
    low = domain.upper_bound_val(isl.dim_type.set, last, isl.Val(-loop.step - 1))
    if not low.is_empty():
        raise EndlessLoop(
            f"the iterator {loop.name!r} is of type {loop.type} and never falls "
            "below zero, so that this condition never fails"
        )


def has_unsigned(expr: Expr) -> bool:
    """Whether something of it is computed in an unsigned type of four bytes."""
    return any(e.dtype.kind == "uint" and e.dtype.n_bytes == 4 for e in walk(expr))


def _advanced(domain: isl.Set, step: int) -> isl.Set:
    """The values of the innermost iterator after each iteration."""
    last = domain.dim(isl.dim_type.set) - 1
    moves = isl.MultiAff.identity_on_domain_space(domain.get_space())
    moved = moves.get_at(last).add_constant_val(isl.Val(step))
    return domain.apply(isl.Map.from_multi_aff(moves.set_at(last, moved)))


def _check_overrun(domain: isl.Set, bounds: Bounds, affine: Affine) -> None:
    """An iterator must not run over its greatest value, unless C leaves that open."""
    loop = bounds.loop
    n_bytes = loop.type.n_bytes
    wraps = n_bytes < 4 or (n_bytes == 4 and loop.type.kind == "uint")
    if not wraps or loop.step < 0:
        return
    n_bits = 8 * loop.type.n_bytes - (loop.type.kind == "int")
    last = domain.dim(isl.dim_type.set) - 1
    greatest = isl.Val((1 << n_bits) - loop.step)
    bad = domain.lower_bound_val(isl.dim_type.set, last, greatest)
    if not bad.is_empty():
        affine.require(
            bad,
            domain,
            bounds.condition,
            f"the iterator of type {loop.type} runs over",
        )
