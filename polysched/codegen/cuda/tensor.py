"""Contractions in tensor cores: warps multiply and add squares of results.

One instruction multiplies 16 x 8 elements of the left factor by 8 x 8 of the right one
and adds to 16 x 8 results, in an order of terms that the hardware chooses; of floats it
takes 10 bits of mantissa. With g = lane / 4 and t = lane % 4 a lane has of the factors

    left     rows g + 8 h, terms t + 4 s       at 2 s + h
    right    columns g + 8 f, terms t + 4 s    at [f][s], f is the instruction

for f, h, s = 0, 1. Factors of two bytes come as 16 terms, in pairs i = 0, 1:

    left     rows g + 8 h, terms 2 t + i + 8 s       at 4 s + 2 h + i
    right    columns g + 8 f, terms 2 t + i + 8 s    at [f][2 s + i]

There is no place for guards inside: a block at an edge has results
that are not stored, and in a tile at an edge both factors of the terms that are not
there have to be zero, as the copies leave what nobody reads.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import islpy as isl

from polysched.analysis import load_relations, match_product
from polysched.base import CodegenError
from polysched.codegen.ctext import Text
from polysched.codegen.cuda.operands import CHUNK_BYTES, Operand, tile_box
from polysched.codegen.cuda.runs import HALF_VECTORS
from polysched.codegen.cuda.tensor_results import (
    PER_LANE,
    TensorResults,
    moving_with,
)
from polysched.codegen.cuda.tensor_text import (
    ROUND_CALL,
    SQUARE_CALL,
    TENSOR_CALL,
    TURNED_CALL,
)
from polysched.codegen.cuda.text import type_name
from polysched.codegen.cuda.tile_text import WORD_BYTES
from polysched.codegen.expr import Bound, Spelling
from polysched.codegen.linear import Linear
from polysched.ir import Binary, Const, Expr, Iter, Load, Unary, map_expr, walk
from polysched.ir.types import DOUBLE, FLOAT

ROW = 8  # elements of two bytes that are 16 bytes
DEPTH, HALF_DEPTH = 8, 16  # terms of an instruction; of factors of two bytes
_NO_PRODUCT = "tensor cores add products of two array elements"
WORK_REGISTERS = 40  # of a thread, for addresses and counters


@dataclass(frozen=True)
class _Factor:
    """One side of the product.

    Attributes
    ----------
    operand : Operand
        The window that it is made of.
    value : Expr
        What is multiplied: the operand's element, or more around it.
    member : int
        Of the shared members the one it moves with, from the end.
    name : str
        Of what a lane has of it.
    """

    operand: Operand
    value: Expr
    member: int
    name: str

    @property
    def is_plain(self) -> bool:
        """Whether it is the element itself: zero where nobody reads one."""
        return self.value == self.operand.load

    @property
    def is_half(self) -> bool:
        """Whether it has two bytes."""
        return self.operand.load.type.is_half


class TensorPrinter(TensorResults):
    """Prints the body of a kernel whose warps multiply in tensor cores."""

    @property
    def n_registers(self) -> int:
        """Registers that a thread needs: its results, and factors of 8 terms."""
        words = self.form.target.type.n_bytes // WORD_BYTES
        *outside, rows, columns = self._shares
        values = PER_LANE * rows * columns + DEPTH // 2 * (rows + columns)
        for n in outside:
            values += PER_LANE * rows * columns * (n - 1)
        return words * values + WORK_REGISTERS

    def _multiply(self, operands: Sequence[Operand]) -> Iterator[str]:
        """A function that adds the terms of one tile to a warp's results."""
        if len(self.form.steps) != 1:
            raise CodegenError("tensor cores take one loop of terms")
        (depth,) = self.form.steps
        left, right = self._factors(operands)
        step = HALF_DEPTH if left.is_half else DEPTH
        if depth % step:
            raise CodegenError(f"tensor cores take {step} terms at a time, not {depth}")
        local, indent = self._local, self.options.indent
        kind, n = self.index_type.name, local.round
        head = f"[&](const int {local.stage}, const {kind} {self.names.tiles[0]})"
        yield f"const auto {local.multiply} = {head} {{"
        yield f"{indent}#pragma unroll"
        yield f"{indent}for (int {n} = 0; {n} < {depth}; {n} += {step}) {{"
        deep = indent * 2
        in_rows = all(o.n_bytes % CHUNK_BYTES == 0 for o in operands)
        for factor in (left, right):
            yield from (deep + line for line in self._load(factor, in_rows))
        f, shares = local.element, self._shares
        loops = [*zip(local.shares, shares, strict=True), (f, 2)]
        loops = [(name, count) for name, count in loops if count > 1]
        for name, count in loops:
            yield f"{deep}#pragma unroll"
            yield f"{deep}for (int {name} = 0; {name} < {count}; {name}++) {{"
            deep += indent
        r, c = (
            name if count > 1 else "0"
            for name, count in zip(local.shares[-2:], shares[-2:], strict=True)
        )
        parts = f"{left.name}[{r}], {right.name}[{c}][{f}]"
        yield f"{deep}{TENSOR_CALL}{self._result}[{f}], {parts});"
        for _ in loops:
            deep = deep[: -len(indent)]
            yield f"{deep}}}"
        yield f"{indent}}}"
        yield "};"

    def _factors(self, operands: Sequence[Operand]) -> tuple[_Factor, _Factor]:
        """What moves with rows, and what moves with columns."""
        target = self.form.target
        (action,) = self.form.statement.body
        product = match_product(action)
        if product is None:
            raise CodegenError(_NO_PRODUCT)
        found: dict[int, _Factor] = {}
        sides = [product.left, product.right]
        if product.halves is not None:  # which conversions leave as they are
            sides = [e for side in sides for e in side.operands]
        for side in sides:
            for factor in self._sides(side, operands):
                found[factor.member] = factor
        if len(found) != 2 or found[-2].operand is found[-1].operand:
            raise CodegenError("tensor cores take a row and a column of tiles")
        left, right = found[-2], found[-1]
        types = {e.dtype for x in (left.value, right.value) for e in _parts(x)}
        is_half = product.halves is not None and target.type == FLOAT
        if not is_half and {target.type, *types} not in ({FLOAT}, {DOUBLE}):
            raise CodegenError("tensor cores multiply and add numbers of one type")
        self._check_terms(left, right)
        if product.is_subtracted:
            left = replace(left, value=Unary("-", left.value))
        return left, right

    def _sides(self, side: Expr, operands: Sequence[Operand]) -> Iterator[_Factor]:
        """The factors that one side of the product may be: of one window alone."""
        own = {e for e in walk(side) if isinstance(e, Load)}
        here = [o for o in operands if o.load in own]
        if len(here) != 1:
            raise CodegenError(_NO_PRODUCT)
        rest = own - {here[0].load}
        if any(e.array not in self.values for e in rest) or not all(
            isinstance(e, Load | Const | Binary | Unary) for e in _parts(side)
        ):
            raise CodegenError(_NO_PRODUCT)
        for member in (-2, -1):
            if self._is_matrix(here[0], member):
                name = self.free.take(f"{here[0].device.name}_part")
                yield _Factor(here[0], side, member, name)

    def _is_matrix(self, operand: Operand, member: int) -> bool:
        """Whether a window's last subscripts are a member's and that of the terms."""
        offsets = {*self.names.offsets, *self.names.inner}
        moving = [moving_with(self._linear(i), offsets) for i in operand.index]
        (terms,), name = self.names.inner, self.names.offsets[member]
        ways = ([{name: 1}, {terms: 1}], [{terms: 1}, {name: 1}])
        return not any(moving[:-2]) and moving[-2:] in ways

    def _load(self, factor: _Factor, in_rows: bool) -> Iterator[str]:
        """What a lane has of one factor for the terms of an instruction.

        `in_rows` says that windows begin where rows of squares may.
        """
        local, indent, names = self._local, self.options.indent, self.names
        lane, e = self._lane, local.element
        kind, n, r = self.index_type.name, local.round, local.shares[factor.member]
        offset, (terms,) = names.offsets[factor.member], names.inner
        count = self._shares[factor.member]
        if in_rows and factor.is_half and self._has_squares(factor):
            yield from self._load_squares(factor)
            return
        in_pairs = factor.is_half and self._has_pairs(factor.operand)
        at, half, term, extents = _places(factor, e, lane)
        kind_of = type_name(factor.operand.load.type)
        yield f"{kind_of} {factor.name}[{count}]{extents};"
        n_own = HALF_DEPTH // 2 if factor.is_half else DEPTH // 2
        more = f"{e} += 2" if in_pairs else f"{e}++"
        for name, times, step in ((r, count, f"{r}++"), (e, n_own, more)):
            yield "#pragma unroll"
            yield f"for (int {name} = 0; {name} < {times}; {step})"
        first = self._offset(len(names.offsets) + factor.member, count)
        yield "{"
        yield f"{indent}const {kind} {offset} = {first} + {lane} / 4 + 8 * ({half});"
        yield f"{indent}const int {terms} = {n} + {term};"
        if in_pairs:
            yield from (indent + line for line in self._pair(factor, f"{r}][{at}"))
            yield "}"
            return
        value = self._value(factor)
        if self.form.target.type == FLOAT and not factor.is_half:
            value = f"{ROUND_CALL}{value})"
        yield f"{indent}{factor.name}[{r}][{at}] = {value};"
        yield "}"

    def _has_squares(self, factor: _Factor) -> bool:
        """Whether 8 elements side by side, and all rows of 8, begin at 16 bytes."""
        (terms,), place = self.names.inner, self._linear(factor.operand.index[-1])
        known = {terms, self.names.offsets[factor.member]}
        return (
            factor.is_plain
            and len(place.terms) == 1
            and {atom.text for atom, _ in place.terms} <= known
            and place.constant % ROW == 0
            and factor.operand.pitch % ROW == 0
        )

    def _load_squares(self, factor: _Factor) -> Iterator[str]:
        """Four squares of 8 x 8 elements at a time: each lane points to a row of one.

        Left factors come as rows h and terms s at 2 s + h, right ones as columns f and
        terms s at 2 f + s; where rows of the window are terms, squares are turned.
        """
        local, indent, names = self._local, self.options.indent, self.names
        lane, kind, o = self._lane, self.index_type.name, factor.operand
        n, r = local.round, local.shares[factor.member]
        offset, (terms,) = names.offsets[factor.member], names.inner
        count, is_column = self._shares[factor.member], factor.member == -1
        is_turned = terms not in {
            atom.text for atom, _ in self._linear(o.index[-1]).terms
        }
        extents = "[2][4]" if is_column else "[8]"
        yield f"{type_name(o.load.type)} {factor.name}[{count}]{extents};"
        yield "#pragma unroll"
        yield f"for (int {r} = 0; {r} < {count}; {r}++)"
        yield "{"
        first = self._offset(len(names.offsets) + factor.member, count)
        inside, low, high = f"{lane} % 8", f"{lane} / 8 % 2", f"{lane} / 16"
        own, other = (high, low) if is_column else (low, high)
        at, term = f"8 * ({own})", f"8 * ({other})"
        if is_turned:
            term += f" + {inside}"
        else:
            at += f" + {inside}"
        yield f"{indent}const {kind} {offset} = {first} + {at};"
        yield f"{indent}const int {terms} = {n} + {term};"
        call = TURNED_CALL if is_turned else SQUARE_CALL
        to = f"{factor.name}[{r}]" + ("[0]" if is_column else "")
        yield f"{indent}{call}{to}, &{self._value(factor)});"
        yield "}"

    def _has_pairs(self, operand: Operand) -> bool:
        """Whether an even term and the next one are an aligned pair in the window."""
        (terms,), place = self.names.inner, self._linear(operand.index[-1])
        atoms = [(atom.text, weight) for atom, weight in place.terms]
        return (
            atoms == [(terms, 1)] and place.constant % 2 == 0 and operand.pitch % 2 == 0
        )

    def _pair(self, factor: _Factor, at: str) -> Iterator[str]:
        """Two terms side by side, in one load."""
        o, pair = factor.operand, self._local.inside
        vector = HALF_VECTORS[type_name(o.load.type)]
        place = self._value(replace(factor, value=o.load))
        yield f"const {vector} {pair} = *(const {vector} *)&{place};"
        sign = "" if factor.is_plain else "-"
        yield f"{factor.name}[{at}] = {sign}{pair}.x;"
        yield f"{factor.name}[{at} + 1] = {sign}{pair}.y;"

    def _value(self, factor: _Factor) -> str:
        """A factor with its operand in shared memory."""
        o = factor.operand
        bounds = {"@stage": Bound(Linear.atom(Text(self._local.stage)))}
        subscripts: list[Expr] = [Iter("@stage", self.index_type)]
        for k, index in enumerate(o.index):
            bounds[f"@{k}"] = Bound(self._linear(index))
            subscripts.append(Iter(f"@{k}", self.index_type))
        shared = Load("@factor", tuple(subscripts), o.load.type)
        value = map_expr(factor.value, lambda e: shared if e == o.load else None)
        printer = self._printer({"@factor": Spelling(o.name)}, bounds)
        return printer.value(value).text

    def _check_terms(self, left: _Factor, right: _Factor) -> None:
        """Refuse terms inside a tile that are not there, unless they are zero."""
        form = self.form
        box = tile_box(form, self.names)
        known = form.results.add_dims(isl.dim_type.set, form.n_inner)
        missing = known.intersect(box).subtract(form.member_domain)
        if not self._condition(missing.params().complement()):
            return
        for factor in (left, right):
            if not factor.is_plain or not self._is_zero(factor.operand, missing):
                raise CodegenError(
                    "tensor cores take whole tiles of terms only, unless both factors "
                    "end with them"
                )

    def _is_zero(self, operand: Operand, points: isl.Set) -> bool:
        """Whether a window holds zeros at all points: what the launch does not read."""
        form = self.form
        statement = form.statement
        pairs = load_relations(
            self.scop, operand.load, statement.iterators, statement.name
        )
        relation = next(r for load, r in pairs if load == operand.load)
        at = isl.PwMultiAff.from_map(relation).pullback_pw_multi_aff(form.instance)
        elements = points.apply(isl.Map.from_pw_multi_aff(at))
        elements = elements.intersect_params(self._tile_context)
        return bool(elements.is_disjoint(operand.touched))


def _places(factor: _Factor, e: str, lane: str) -> tuple[str, str, str, str]:
    """Of a lane's e-th element subscripts, half of the rows, and term; extents."""
    is_column = factor.member == -1
    if factor.is_half:
        pair, by = f"2 * ({lane} % 4) + {e} % 2", f"{e} / 4"
        if is_column:
            term = f"{pair} + 8 * ({e} / 2 % 2)"
            return f"{e} / 4][{e} % 4", by, term, "[2][4]"
        return e, f"{e} / 2 % 2", f"{pair} + 8 * ({e} / 4)", "[8]"
    first, second = f"{e} % 2", f"{e} / 2"
    if is_column:
        return f"{second}][{first}", second, f"{lane} % 4 + 4 * ({first})", "[2][2]"
    return e, first, f"{lane} % 4 + 4 * ({second})", "[4]"


def _parts(expr: Expr) -> Iterator[Expr]:
    """An expression and what it is made of, subscripts left out."""
    yield expr
    if not isinstance(expr, Load):
        for part in expr.operands:
            yield from _parts(part)
