"""Asks in front of generated code whether names mean pieces of memory that lie apart.

Of each name the first and the last byte touched are compared, as addresses: whole rows
of an array with several dimensions. Two arrays in which columns take turns thus count
as one. Where data decide a subscript, and no size says how far, the first element alone
is asked about.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

import islpy as isl

from polysched.codegen.ast_expr import AstExprPrinter, signed_parameters
from polysched.codegen.ctext import ADD, PRIMARY, Text, binary, integer
from polysched.codegen.expr import ExprPrinter
from polysched.codegen.row_ranges import ask_rows_apart
from polysched.ir import (
    Array,
    Binary,
    Cast,
    Const,
    Expr,
    MayOverlap,
    Param,
    Scop,
    Touched,
)
from polysched.sets import ast_options, read_set

MAX_PAIRS = 6
"""More pairs are compared in a loop over all ranges, whose text grows with their number
instead of that of the pairs."""


@dataclass(frozen=True)
class Question:
    """What is asked, as C text.

    Attributes
    ----------
    lines : tuple of str
        Declarations and loops in front of the conditions.
    conditions : tuple of Text
        All must hold.
    """

    lines: tuple[str, ...] = ()
    conditions: tuple[Text, ...] = ()


def ask_apart(
    scop: Scop, exprs: AstExprPrinter, indent: str, *, from_start: bool = False,
    reserved: Collection[str] = (),
) -> Question:  # fmt: skip
    """The question whether what a SCoP takes for different memory is different.

    Parameters
    ----------
    scop : Scop
        Has the pairs.
    exprs : AstExprPrinter
        Knows the helper macros, and names that are free.
    indent : str
        White space per level.
    from_start : bool
        Whether arrays are touched from their first element on, as copies for a device
        are.
    reserved : collection of str
        Names that loops in the question must avoid.
    """
    printer = _RangePrinter(scop, exprs, from_start)
    pairs = [p for p in scop.asked_overlaps if not p.has_rows]
    plain = _ask_plain(pairs, exprs, printer, indent)
    rows = [p for p in scop.asked_overlaps if p.has_rows]
    if not rows:
        return plain
    ranges = [
        (printer.range(t), t.is_written) for t in _members(rows) if not t.array.in_rows
    ]
    lines, apart = ask_rows_apart(scop, rows, ranges, exprs.macros, indent, reserved)
    return Question((*plain.lines, *lines), (*plain.conditions, apart))


def _ask_plain(
    pairs: Sequence[MayOverlap], exprs: AstExprPrinter, printer: _RangePrinter,
    indent: str,
) -> Question:  # fmt: skip
    """The question about names that each mean one piece of memory."""
    if not pairs:
        return Question()
    if len(pairs) <= MAX_PAIRS or not _are_all(pairs):
        macros = exprs.macros
        asked = [(*printer.range(p.first), *printer.range(p.second)) for p in pairs]
        return Question((), tuple(macros.call("apart", *texts) for texts in asked))
    return _ask_in_loop(_members(pairs), exprs, printer, indent)


def _members(pairs: Sequence[MayOverlap]) -> list[Touched]:
    """What the pairs are made of, what is written first."""
    found = dict.fromkeys(t for p in pairs for t in (p.first, p.second))
    return sorted(found, key=lambda t: not t.is_written)


def _are_all(pairs: Sequence[MayOverlap]) -> bool:
    """Whether all may be compared: what is not asked about are two objects of C."""
    asked = {frozenset({p.first, p.second}) for p in pairs}
    members = _members(pairs)
    return all(
        frozenset({one, other}) in asked
        or not (one.is_written or other.is_written)
        or (_is_object(one) and _is_object(other))
        for k, one in enumerate(members)
        for other in members[k + 1 :]
    )


def _is_object(touched: Touched) -> bool:
    """Whether a name stands for memory of its own."""
    array = touched.array
    return array.storage != "parameter" and array.extents[:1] != (None,)


def _ask_in_loop(
    members: Sequence[Touched], exprs: AstExprPrinter, printer: _RangePrinter,
    indent: str,
) -> Question:  # fmt: skip
    """Lines that compare each range that is written with all behind it."""
    names = exprs.macros.names
    ends, apart, i, k = (names.take(name) for name in ("ends", "apart", "i", "k"))
    rows = [exprs.macros.call("ends", *printer.range(t)) for t in members]
    n_written = sum(t.is_written for t in members)
    lines = [
        f"const __UINTPTR_TYPE__ {ends}[][2] = {{",
        *(f"{indent}{row}," for row in rows),
        "};",
        f"int {apart} = 1;",
        f"for (int {i} = 0; {i} < {n_written}; {i}++)",
        f"{indent}for (int {k} = {i} + 1; {k} < {len(members)}; {k}++)",
        f"{indent * 2}{apart} &= {ends}[{i}][1] <= {ends}[{k}][0] || "
        f"{ends}[{k}][1] <= {ends}[{i}][0];",
    ]
    return Question(tuple(lines), (Text(apart),))


class _RangePrinter:
    """Prints a name, its first element that is touched, and the one behind the last."""

    def __init__(self, scop: Scop, exprs: AstExprPrinter, from_start: bool) -> None:
        self._context = scop.context.intersect(scop.assumptions).params()
        self._from_start = from_start
        self._exprs = exprs
        long_names = signed_parameters(scop, is_wide=True)
        self._long_exprs = AstExprPrinter(exprs.macros, long_names)
        self._long_sizes = ExprPrinter(index_parameters=long_names)

    def range(self, touched: Touched) -> tuple[Text, Text, Text]:
        """Three arguments for a macro."""
        array = touched.array
        if array.is_scalar:
            place = touched.address or f"&{array.source_name}"
            return Text(place), integer(0), integer(1)
        nonempty = self._context.intersect(touched.elements.params())
        if nonempty.is_empty():
            return Text(array.base), integer(0), integer(0)
        base, pitches = array.base, array.pitches
        if not pitches and not _stays_in_rows(touched, nonempty):
            base, pitches = f"{'*' * (array.n_dim - 1)}{base}", _pitches(array)
        n = len(pitches) + 1  # without pitches, rows are what C counts
        sides = [_sides(touched.elements, k) for k in range(n)]
        lows = [self._low(low, nonempty) for low, _ in sides]
        first = self._sum([self._text(low, nonempty) for low in lows], pitches)
        lasts = [high for _, high in sides]
        return Text(base), first, self._end(lasts, pitches, nonempty)

    def _low(self, low: isl.PwAff, nonempty: isl.Set) -> isl.PwAff:
        """The first subscript, or 0 before it where arrays count from their start."""
        return low.union_min(_zero(nonempty)) if self._from_start else low

    def _end(
        self, lasts: list[isl.PwAff], pitches: Sequence[Expr], nonempty: isl.Set
    ) -> Text:
        """The element behind the last one."""
        *outer, end = [
            self._text(
                last.add_constant_val(1) if k == len(pitches) else last, nonempty
            )
            for k, last in enumerate(lasts)
        ]
        if not outer or end != ExprPrinter().index(_uncast(pitches[-1])).to_text():
            return self._sum([*outer, end], pitches)
        rows = self._text(lasts[-2].add_constant_val(1), nonempty)
        return self._sum([*outer[:-1], rows, integer(0)], pitches)

    def _sum(self, subscripts: Sequence[Text], pitches: Sequence[Expr]) -> Text:
        """How many elements before the one with these subscripts."""
        total = None
        sizes = [self._long_sizes.index(p).to_text() for p in pitches]
        for subscript, size in zip(subscripts, [*sizes, None], strict=True):
            if subscript == integer(0):
                continue
            if size is None:
                term = subscript
            elif subscript == integer(1):
                term = size
            else:
                term = binary("*", subscript, size)
            total = term if total is None else _plus(total, term)
        return integer(0) if total is None else total

    def _text(self, value: isl.PwAff, context: isl.Set) -> Text:
        """A subscript, counted in a type that no size is too large for."""
        value = value.gist_params(context).coalesce()
        with ast_options(context.get_ctx()):
            expr = isl.AstBuild.from_context(context).expr_from_pw_aff(value)
        text = self._exprs.text(expr)
        is_name_or_number = text.level == PRIMARY
        return text if is_name_or_number else self._long_exprs.text(expr)


def _uncast(size: Expr) -> Expr:
    return size.operand if isinstance(size, Cast) else size


def _plus(left: Text, right: Text) -> Text:
    """A sum, without parentheses around one on its right."""
    if right.level != ADD or right.text.startswith("-"):
        return binary("+", left, right)
    return Text(f"{left.at_least(ADD)} + {right.text}", ADD)


def _sides(elements: isl.Set, k: int) -> tuple[isl.PwAff, isl.PwAff]:
    """First and last subscript; 0 and the first where there is no bound."""
    low = _bound(elements.dim_min, k) or _zero(elements)
    return low, _bound(elements.dim_max, k) or low


def _bound(find: Callable[[int], isl.PwAff], k: int) -> isl.PwAff | None:
    """A bound of a subscript; None where there is none."""
    try:
        return find(k)
    except isl.Error as error:
        if "unbounded" not in str(error):
            raise
        return None


def _stays_in_rows(touched: Touched, nonempty: isl.Set) -> bool:
    """Whether inner subscripts plainly lie within the extents, as C wants it.

    Nobody can say where extents are no sums of parameters.
    """
    if None in touched.array.extents[1:]:
        return True
    elements = touched.elements.intersect_params(nonempty)
    names = [f"i{k}" for k in range(touched.array.n_dim)]
    for name, extent in zip(names[1:], touched.array.extents[1:], strict=True):
        match extent:
            case Const(int() as end):
                box = f"{{ [{', '.join(names)}] : 0 <= {name} < {end} }}"
            case Param(end):
                box = f"[{end}] -> {{ [{', '.join(names)}] : 0 <= {name} < {end} }}"
            case _:
                return False
        if not elements.reset_tuple_id().is_subset(read_set(box)):
            return False
    return True


def _pitches(array: Array) -> tuple[Expr, ...]:
    """Elements in a step of each subscript but the last of an array of C's own."""
    found: list[Expr] = []
    for extent in reversed(array.extents[1:]):
        assert extent is not None  # see `_stays_in_rows`
        found.insert(0, Binary("*", extent, found[0]) if found else extent)
    return tuple(found)


def _zero(of: isl.Set) -> isl.PwAff:
    """The number 0, for all parameters of a set."""
    space = isl.LocalSpace.from_space(of.get_space().params())
    return isl.PwAff.from_aff(isl.Aff.zero_on_domain(space))
