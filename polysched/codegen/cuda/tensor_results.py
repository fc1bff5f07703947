"""Results of tensor cores: squares of 16 x 16 in a warp's registers.

With g = lane / 4 and t = lane % 4 a lane has of each square, for f, h, i = 0, 1, row
g + 8 h and column 8 f + 2 t + i at [f][2 h + i].
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property

import islpy as isl

from polysched.analysis import load_relations
from polysched.codegen.cuda.mapping import WARP
from polysched.codegen.cuda.text import type_name
from polysched.codegen.cuda.tiled import TiledPrinter
from polysched.codegen.linear import Linear
from polysched.ir import Const

SIDE = 16  # of a square
PER_LANE = SIDE * SIDE // WARP  # results of a square


class TensorResults(TiledPrinter):
    """Prints what holds results, and how they come from device memory and go back."""

    @property
    def _shares(self) -> list[int]:
        """Points of each member that a warp holds; of the last two, squares."""
        shares = super()._shares
        return [*shares[:-2], *(share // SIDE for share in shares[-2:])]

    def _offset(self, k: int, share: int) -> str:
        """Offset in the tile of a warp's r-th point or square."""
        size = SIDE if k >= len(self._shares) - 2 else 1
        warp, r = self.threads[k], self._local.shares[k]
        total = f"{share * size} * {warp}" if share * size > 1 else warp
        if share == 1:
            return total
        return f"{total} + {size} * {r}" if size > 1 else f"{total} + {r}"

    @cached_property
    def _lane(self) -> str:
        return self.free.take("lane")

    @property
    def _type(self) -> str:
        return type_name(self.form.target.type)

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
        extents = "".join(f"[{n}]" for n in self._shares if n > 1)
        yield f"{self._type} {self._local.held}{extents}[2][4];"
        place, held = self._element(), self._held
        test = self._has_result()
        value = f"({test}) ? {place} : ({self._type})0" if test else place
        pair, kind = self._local.inside, f"{self._type}2"
        pairs = [
            f"const {kind} {pair} = *(const {kind} *)&{place};",
            f"{held} = {pair}.x;",
            f"{self._next} = {pair}.y;",
        ]
        yield from self._in_whole_blocks(
            pairs if self._has_aligned_pairs else [f"{held} = {place};"],
            [f"{held} = {value};"],
        )

    def _store_results(self) -> Iterator[str]:
        place, held = self._element(), self._held
        test = self._has_result()
        line = f"{place} = {held};"
        guarded = [f"if ({test})", self.options.indent + line] if test else [line]
        kind = f"{self._type}2"
        pair = f"*({kind} *)&{place} = make_{kind}({held}, {self._next});"
        yield from self._in_whole_blocks(
            [pair if self._has_aligned_pairs else line], guarded
        )

    def _in_whole_blocks(
        self, plain: Sequence[str], guarded: Sequence[str]
    ) -> Iterator[str]:
        """Lines for each result: plain where a block computes all that it covers."""
        whole, is_never = self._is_whole_block
        if is_never:
            yield from self._over_lane(guarded, in_pairs=False)
            return
        lines = list(self._over_lane(plain, in_pairs=self._has_aligned_pairs))
        if not whole:
            yield from lines
            return
        indent = self.options.indent
        yield f"if ({whole}) {{"
        yield from (indent + line for line in lines)
        yield "} else {"
        yield from (indent + line for line in self._over_lane(guarded, in_pairs=False))
        yield "}"

    @cached_property
    def _is_whole_block(self) -> tuple[str, bool]:
        """The condition, empty for always, and whether it never holds."""
        names, form = self.names, self.form
        dims = [f"p{k}" for k in range(form.n_shared)]
        bounds = " and ".join(
            f"{b} <= {p} < {b} + {size}"
            for b, p, size in zip(names.blocks, dims, self.mapped.steps, strict=True)
        )
        box = isl.Set(
            f"[{', '.join(names.blocks)}] -> {{ [{', '.join(dims)}] : {bounds} }}"
        )
        whole = box.subtract(form.results).params().complement()
        is_never = whole.intersect(self._tile_context).is_empty()
        return "" if is_never else self._condition(whole), is_never

    @property
    def _held(self) -> str:
        """A lane's register for a result."""
        return f"{self._result}[{self._local.round}][{self._local.element}]"

    @property
    def _next(self) -> str:
        """The one for its neighbour."""
        return f"{self._result}[{self._local.round}][{self._local.element} + 1]"

    def _over_lane(self, inside: Sequence[str], *, in_pairs: bool) -> Iterator[str]:
        """Unrolled loops over a lane's results, with their offsets."""
        local, lane, shares = self._local, self._lane, self._shares
        e, f = local.element, local.round
        loops = [
            *((r, n, 1) for r, n in zip(local.shares, shares, strict=True) if n > 1),
            (f, 2, 1),
            (e, 4, 2 if in_pairs else 1),
        ]
        row = f" + {lane} / 4 + 8 * ({e} / 2)"
        column = f" + 8 * {f} + 2 * ({lane} % 4)"
        column += "" if in_pairs else f" + {e} % 2"
        inner = [*[""] * (len(shares) - 2), row, column]
        kind, indent = self.index_type.name, ""
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
        moving = [moving_with(place, {columns}) for place in places]
        rows_fit = all(
            isinstance(p, Const) and int(p.value) % 2 == 0 for p in device.pitches
        )
        if any(moving[:-1]) or moving[-1:] != [{columns: 1}] or not rows_fit:
            return False
        even = isl.Set(f"[{columns}] -> {{ : {columns} mod 2 = 0 }}")
        last = isl.Set.from_pw_aff(at.get_pw_aff(len(places) - 1))
        last = last.intersect_params(self._tile_context.intersect(even))
        return not device.begins_below and bool(
            last.is_subset(isl.Set("{ [x] : x mod 2 = 0 }"))
        )


def moving_with(place: Linear, offsets: set[str]) -> dict[str, int]:
    """Weights of offsets in a subscript."""
    return {atom.text: w for atom, w in place.terms if atom.text in offsets}
