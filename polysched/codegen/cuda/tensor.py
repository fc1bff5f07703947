"""Contractions of doubles in tensor cores: warps hold results in fragments.

One step multiplies 8 x 4 by 4 x 8 elements and adds to 8 x 8 results, in double
precision but in an order of terms that the hardware chooses. A fragment has no place
for guards: every tile has to be whole.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import islpy as isl

from polysched.base import CodegenError
from polysched.codegen.cuda.operands import Operand, tile_box
from polysched.codegen.cuda.tiled import TiledPrinter
from polysched.codegen.linear import Linear
from polysched.ir import Assign, Binary, Const, Load

SIDE, DEPTH = 8, 4
WMMA = "nvcuda::wmma"


class TensorPrinter(TiledPrinter):
    """Prints the body of a kernel whose warps multiply in tensor cores."""

    @property
    def _shares(self) -> list[int]:
        """Fragments of each shared member that a warp holds."""
        shares = super()._shares
        return [*shares[:-2], *(share // SIDE for share in shares[-2:])]

    def _offset(self, k: int, share: int) -> str:
        warp, n = self.threads[k], len(self.mapped.n_threads)
        if k < n - 2:
            return warp
        total = f"{self._shares[k] * SIDE} * {warp}"
        r = self._local.shares[k]
        return f"{total} + {SIDE} * {r}" if share > 1 else total

    @property
    def n_registers(self) -> int:
        """Registers that a thread needs: two results of every fragment."""
        rows, columns = self._shares[-2:]
        return 4 * rows * columns + 2 * (rows + columns) + 48

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

    def _fragment(self, use: str, layout: str = "") -> str:
        order = f", {WMMA}::{layout}" if layout else ""
        return (
            f"{WMMA}::fragment<{WMMA}::{use}, {SIDE}, {SIDE}, {DEPTH}, double{order}>"
        )

    def _load_results(self) -> Iterator[str]:
        if self._has_result() or len(self.form.target.subscripts) < 2:
            raise CodegenError("tensor cores take whole tiles only")
        extents = "".join(f"[{n}]" for n in self._shares if n > 1)
        yield f"{self._fragment('accumulator')} {self._local.held}{extents};"
        line = (
            f"{WMMA}::load_matrix_sync({self._result}, &{self._element()}, "
            f"{self._pitch()}, {WMMA}::mem_row_major);"
        )
        yield from self._scoped(self._over_results([line]))

    def _store_results(self) -> Iterator[str]:
        line = (
            f"{WMMA}::store_matrix_sync(&{self._element()}, {self._result}, "
            f"{self._pitch()}, {WMMA}::mem_row_major);"
        )
        yield from self._scoped(self._over_results([line]))

    def _pitch(self) -> int:
        """Elements between two rows of results."""
        device = self.arrays[self.form.target.array]
        printer = self._printer({}, {})
        places = [printer.index(e) for e in self.form.target.subscripts]
        offsets = set(self.names.offsets)
        moving = [_moving(place, offsets) for place in places]
        rows, columns = self.names.offsets[-2:]
        pitch = device.pitches[-1]
        plain = moving[-2:] == [{rows: 1}, {columns: 1}]
        if not isinstance(pitch, Const) or not plain:
            raise CodegenError("tensor cores take results in rows of a known length")
        return int(pitch.value)

    def _multiply(self, operands: Sequence[Operand]) -> Iterator[str]:
        """A function that adds the terms of one tile to a warp's results."""
        (name,), (depth,) = self.names.inner, self.form.steps
        left, right = self._factors(operands)
        local, indent = self._local, self.options.indent
        kind = self.index_type.name
        head = f"[&](const int {local.stage}, const {kind} {self.names.tiles[0]})"
        rows, columns = self._shares[-2:]
        yield f"const auto {local.multiply} = {head} {{"
        yield f"{indent}#pragma unroll"
        yield f"{indent}for (int {name} = 0; {name} < {depth}; {name} += {DEPTH}) {{"
        deep = indent * 2
        for operand, use, member, count in (
            (left, "matrix_a", -2, rows),
            (right, "matrix_b", -1, columns),
        ):
            yield from (deep + line for line in self._load(operand, use, member, count))
        r, c = local.shares[-2:]
        a, b = (f"{o.name}_part[{i}]" for o, i in ((left, r), (right, c)))
        yield f"{deep}#pragma unroll"
        yield f"{deep}for (int {r} = 0; {r} < {rows}; {r}++) {{"
        yield f"{deep}{indent}#pragma unroll"
        yield f"{deep}{indent}for (int {c} = 0; {c} < {columns}; {c}++) {{"
        held = self._result
        yield f"{deep}{indent * 2}{WMMA}::mma_sync({held}, {a}, {b}, {held});"
        yield f"{deep}{indent}}}"
        yield f"{deep}}}"
        yield f"{indent}}}"
        yield "};"

    def _factors(self, operands: Sequence[Operand]) -> tuple[Operand, Operand]:
        """The operand that moves with rows, and the one that moves with columns."""
        (action,) = self.form.statement.body
        match action:
            case Assign(_, "+=", Binary("*", Load() as first, Load() as second)):
                by_load = {o.load: o for o in operands}
                pair = [by_load.get(first), by_load.get(second)]
            case _:
                raise CodegenError("tensor cores add products of two array elements")
        rows, columns = self.names.offsets[-2:]
        found = {}
        for operand in pair:
            if operand is not None:
                for member in (rows, columns):
                    if self._layout(operand, member) is not None:
                        found[member] = operand
        if len(found) != 2 or found[rows] is found[columns]:
            raise CodegenError("tensor cores take a row and a column of tiles")
        if not self._is_dense():
            raise CodegenError("tensor cores take whole tiles only")
        return found[rows], found[columns]

    def _layout(self, operand: Operand, member: str) -> str | None:
        """How a window lies, if one of its last subscripts is a member's offset.

        The other has to be that of the terms.
        """
        offsets = {*self.names.offsets, *self.names.inner}
        moving = [_moving(self._linear(i), offsets) for i in operand.index]
        (terms,) = self.names.inner
        if any(moving[:-2]):
            return None
        if moving[-2:] == [{member: 1}, {terms: 1}]:
            return "member first"
        if moving[-2:] == [{terms: 1}, {member: 1}]:
            return "terms first"
        return None

    def _load(
        self, operand: Operand, use: str, member: int, count: int
    ) -> Iterator[str]:
        """Fragments of one operand for a step."""
        offset, indent = self.names.offsets[member], self.options.indent
        is_left = use == "matrix_a"
        by_member = self._layout(operand, offset) == "member first"
        order = "row_major" if is_left == by_member else "col_major"
        r = self._local.shares[member]
        n = len(self.names.offsets)
        place = "".join(f"[{self._linear(i).to_text()}]" for i in operand.index)
        name = f"{operand.name}_part"
        yield f"{self._fragment(use, order)} {name}[{count}];"
        yield "#pragma unroll"
        yield f"for (int {r} = 0; {r} < {count}; {r}++) {{"
        total = (
            self._offset(n + member, 2) if count > 1 else self._offset(n + member, 1)
        )
        kind = self.index_type.name
        yield f"{indent}const {kind} {offset} = {total};"
        yield (
            f"{indent}{WMMA}::load_matrix_sync({name}[{r}], "
            f"&{operand.name}[{self._local.stage}]{place}, {operand.pitch});"
        )
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
