"""Contractions in tensor cores: warps hold results in squares of 16 x 16.

One instruction multiplies 16 x 8 elements of the left factor by 8 x 8 of the right one
and adds to 16 x 8 results, in an order of terms that the hardware chooses; of floats it
takes 10 bits of mantissa. With g = lane / 4 and t = lane % 4 a lane has of them

    left factor     rows g + 8 h, terms t + 4 s
    right factor    columns g + 8 f, terms t + 4 s
    results         rows g + 8 h, columns 8 f + 2 t + i

for h, s, i = 0, 1, and f = 0, 1 in two instructions. There is no place for guards:
every tile has to be whole.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import islpy as isl

from polysched.analysis import load_relations
from polysched.base import CodegenError
from polysched.codegen.cuda.mapping import WARP
from polysched.codegen.cuda.operands import Operand, tile_box
from polysched.codegen.cuda.tensor_text import TENSOR_CALL
from polysched.codegen.cuda.text import type_name
from polysched.codegen.cuda.tile_text import WORD_BYTES
from polysched.codegen.cuda.tiled import TiledPrinter
from polysched.codegen.linear import Linear
from polysched.ir import Assign, Binary, Const, Load
from polysched.ir.types import DOUBLE, FLOAT

SIDE, DEPTH = 16, 8  # results along a side of a square, and terms of an instruction
PER_LANE = SIDE * SIDE // WARP  # results of a square
WORK_REGISTERS = 40  # of a thread, for addresses and counters


@dataclass(frozen=True)
class _Factor:
    """An operand of the product.

    Attributes
    ----------
    operand : Operand
        The window.
    member : int
        Of the shared members the one it moves with, from the end.
    count : int
        Squares of a warp along that member.
    """

    operand: Operand
    member: int
    count: int

    @property
    def name(self) -> str:
        """Of what a lane has of it."""
        return f"{self.operand.name}_part"


class TensorPrinter(TiledPrinter):
    """Prints the body of a kernel whose warps multiply in tensor cores."""

    @property
    def _shares(self) -> list[int]:
        """Squares along each shared member that a warp holds."""
        shares = super()._shares
        return [*shares[:-2], *(share // SIDE for share in shares[-2:])]

    def _offset(self, k: int, share: int) -> str:
        warp, n = self.threads[k], len(self.mapped.n_threads)
        if k < n - 2:
            return warp
        total = f"{self._shares[k] * SIDE} * {warp}"
        r = self._local.shares[k]
        return f"{total} + {SIDE} * {r}" if share > 1 else total

    @cached_property
    def _lane(self) -> str:
        return self.free.take("lane")

    @property
    def _type(self) -> str:
        return type_name(self.form.target.type)

    @property
    def _is_rounded(self) -> bool:
        """Whether factors lose all but 10 bits of mantissa."""
        return self.form.target.type == FLOAT

    @property
    def n_registers(self) -> int:
        """Registers that a thread needs: its results, and factors of 8 terms."""
        words = self.form.target.type.n_bytes // WORD_BYTES
        rows, columns = self._shares[-2:]
        values = PER_LANE * rows * columns + DEPTH // 2 * (rows + columns)
        return words * values + WORK_REGISTERS

    def _thread_number(self) -> Iterator[str]:
        """One number for all threads of a block, lanes of a warp as neighbours."""
        total = "(int)threadIdx.x"
        scale = self.mapped.lanes * self.mapped.n_threads[-1]
        for axis, count in zip(
            "yz", reversed(self.mapped.n_threads[:-1]), strict=False
        ):
            if count > 1:
                total += f" + {scale} * (int)threadIdx.{axis}"
                scale *= count
        yield f"const int {self._local.thread} = {total};"
        yield f"const int {self._lane} = {self._local.thread} % {WARP};"

    def _load_results(self) -> Iterator[str]:
        if self._has_result():
            raise CodegenError("tensor cores take whole tiles only")
        extents = "".join(f"[{n}]" for n in self._shares if n > 1)
        yield f"{self._type} {self._local.held}{extents}[2][4];"
        place, e = self._element(), self._local.element
        lines = [f"{self._sums}[{e}] = {place};"]
        if self._has_aligned_pairs:
            pair, kind = self._local.inside, f"{self._type}2"
            lines = [
                f"const {kind} {pair} = *(const {kind} *)&{place};",
                f"{self._sums}[{e}] = {pair}.x;",
                f"{self._sums}[{e} + 1] = {pair}.y;",
            ]
        yield from self._scoped(self._over_results(lines))

    def _store_results(self) -> Iterator[str]:
        place, e = self._element(), self._local.element
        line = f"{place} = {self._sums}[{e}];"
        if self._has_aligned_pairs:
            kind = f"{self._type}2"
            pair = f"make_{kind}({self._sums}[{e}], {self._sums}[{e} + 1])"
            line = f"*({kind} *)&{place} = {pair};"
        yield from self._scoped(self._over_results([line]))

    @property
    def _sums(self) -> str:
        """A lane's results of one instruction."""
        return f"{self._result}[{self._local.round}]"

    def _over_results(self, inside: Sequence[str], deep: int = 0) -> Iterator[str]:
        """Unrolled loops over a lane's results, with their offsets."""
        local, lane, shares = self._local, self._lane, self._shares
        e, f = local.element, local.round
        is_paired = self._has_aligned_pairs
        loops = [
            *((r, n, 1) for r, n in zip(local.shares, shares, strict=True) if n > 1),
            (f, 2, 1),
            (e, 4, 2 if is_paired else 1),
        ]
        row = f" + {lane} / 4 + 8 * ({e} / 2)"
        column = f" + 8 * {f} + 2 * ({lane} % 4)"
        column += "" if is_paired else f" + {e} % 2"
        inner = [*[""] * (len(shares) - 2), row, column]
        kind, indent = self.index_type.name, self.options.indent * deep
        for name, n, step in loops:
            yield f"{indent}#pragma unroll"
            more = f"{name}++" if step == 1 else f"{name} += {step}"
            yield f"{indent}for (int {name} = 0; {name} < {n}; {more}) {{"
            indent += self.options.indent
        for k, (share, own) in enumerate(zip(shares, inner, strict=True)):
            offset = self._offset(k, share) + own
            yield f"{indent}const {kind} {self.names.offsets[k]} = {offset};"
        for line in inside:
            yield indent + line
        for _ in loops:
            indent = indent[: -len(self.options.indent)]
            yield f"{indent}}}"

    @cached_property
    def _has_aligned_pairs(self) -> bool:
        """Whether results of even columns and the next ones are aligned pairs."""
        form, target = self.form, self.form.target
        device, columns = self.arrays[target.array], self.names.offsets[-1]
        pairs = load_relations(
            self.scop, target, form.statement.iterators, form.statement.name
        )
        relation = next(r for load, r in pairs if load == target)
        at = isl.PwMultiAff.from_map(relation).pullback_pw_multi_aff(form.instance)
        at = at.pullback_pw_multi_aff(form.values(self.names))
        places = [self._linear(at.get_pw_aff(k)) for k in range(len(target.subscripts))]
        moving = [_moving(place, {columns}) for place in places]
        rows_fit = all(
            isinstance(p, Const) and int(p.value) % 2 == 0 for p in device.pitches
        )
        if any(moving[:-1]) or moving[-1:] != [{columns: 1}] or not rows_fit:
            return False
        even = isl.Set(f"[{columns}] -> {{ : {columns} mod 2 = 0 }}")
        last = isl.Set.from_pw_aff(at.get_pw_aff(len(places) - 1))
        last = last.intersect_params(self._tile_context.intersect(even))
        return device.base is None and bool(
            last.is_subset(isl.Set("{ [x] : x mod 2 = 0 }"))
        )

    def _multiply(self, operands: Sequence[Operand]) -> Iterator[str]:
        """A function that adds the terms of one tile to a warp's results."""
        (depth,) = self.form.steps
        left, right = self._factors(operands)
        local, indent = self._local, self.options.indent
        kind, n = self.index_type.name, local.round
        head = f"[&](const int {local.stage}, const {kind} {self.names.tiles[0]})"
        yield f"const auto {local.multiply} = {head} {{"
        yield f"{indent}#pragma unroll"
        yield f"{indent}for (int {n} = 0; {n} < {depth}; {n} += {DEPTH}) {{"
        deep = indent * 2
        for factor in (left, right):
            yield from (deep + line for line in self._load(factor))
        r, c = local.shares[-2:]
        f = local.element
        for name, count in ((r, left.count), (c, right.count), (f, 2)):
            yield f"{deep}#pragma unroll"
            yield f"{deep}for (int {name} = 0; {name} < {count}; {name}++) {{"
            deep += indent
        parts = f"{left.name}[{r}], {right.name}[{c}][{f}]"
        yield f"{deep}{TENSOR_CALL}{self._result}[{f}], {parts});"
        for _ in range(5):
            deep = deep[: -len(indent)]
            yield f"{deep}}}" + (";" if not deep else "")

    def _factors(self, operands: Sequence[Operand]) -> tuple[_Factor, _Factor]:
        """The operand that moves with rows, and the one that moves with columns."""
        (action,) = self.form.statement.body
        match action:
            case Assign(_, "+=", Binary("*", Load() as first, Load() as second)):
                by_load = {o.load: o for o in operands}
                pair = [by_load.get(first), by_load.get(second)]
            case _:
                raise CodegenError("tensor cores add products of two array elements")
        found: dict[int, _Factor] = {}
        for operand in pair:
            for member in (-2, -1):
                if operand is not None and self._is_matrix(operand, member):
                    found[member] = _Factor(operand, member, self._shares[member])
        types = {self.form.target.type, *(o.load.type for o in operands)}
        if len(types) != 1 or not types <= {FLOAT, DOUBLE}:
            raise CodegenError("tensor cores multiply and add numbers of one type")
        if len(found) != 2 or found[-2].operand is found[-1].operand:
            raise CodegenError("tensor cores take a row and a column of tiles")
        if not self._is_dense():
            raise CodegenError("tensor cores take whole tiles only")
        return found[-2], found[-1]

    def _is_matrix(self, operand: Operand, member: int) -> bool:
        """Whether a window's last subscripts are a member's and that of the terms."""
        offsets = {*self.names.offsets, *self.names.inner}
        moving = [_moving(self._linear(i), offsets) for i in operand.index]
        (terms,), name = self.names.inner, self.names.offsets[member]
        ways = ([{name: 1}, {terms: 1}], [{terms: 1}, {name: 1}])
        return not any(moving[:-2]) and moving[-2:] in ways

    def _load(self, factor: _Factor) -> Iterator[str]:
        """What a lane has of one operand for the terms of an instruction."""
        operand, local, indent = factor.operand, self._local, self.options.indent
        names, lane, e = self.names, self._lane, local.element
        kind, n, r = self.index_type.name, local.round, local.shares[factor.member]
        offset, (terms,) = names.offsets[factor.member], names.inner
        at, half, part = f"{e}", f"{e} % 2", f"{e} / 2"
        extents = "[4]"
        if factor.member == -1:
            half, part, extents = part, half, "[2][2]"
            at = f"{half}][{part}"
        yield f"{self._type} {factor.name}[{factor.count}]{extents};"
        for name, count in ((r, factor.count), (e, DEPTH // 2)):
            yield "#pragma unroll"
            yield f"for (int {name} = 0; {name} < {count}; {name}++)"
        first = self._offset(len(names.offsets) + factor.member, factor.count)
        lane_at = f"{lane} / 4 + 8 * ({half})"
        place = "".join(f"[{self._linear(i).to_text()}]" for i in operand.index)
        yield "{"
        yield f"{indent}const {kind} {offset} = {first} + {lane_at};"
        yield f"{indent}const int {terms} = {n} + {lane} % 4 + 4 * ({part});"
        source = f"{operand.name}[{local.stage}]{place}"
        value = f"ps_round({source})" if self._is_rounded else source
        yield f"{indent}{factor.name}[{r}][{at}] = {value};"
        yield "}"

    def _is_dense(self) -> bool:
        """Whether every tile has all its terms."""
        form = self.form
        box = tile_box(form, self.names)
        known = form.results.add_dims(isl.dim_type.set, form.n_inner)
        missing = known.intersect(box).subtract(form.member_domain).params()
        return not self._condition(missing.complement())


def _moving(place: Linear, offsets: set[str]) -> dict[str, int]:
    """Weights of offsets in a subscript."""
    return {atom.text: w for atom, w in place.terms if atom.text in offsets}
