"""The copies of a tiled kernel: from device memory to shared memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import prod

import islpy as isl

from polysched.codegen.ctext import MULTIPLY, Text
from polysched.codegen.cuda.mapping import WARP
from polysched.codegen.cuda.operands import Operand, tile_box
from polysched.codegen.cuda.text import type_name
from polysched.codegen.cuda.tile_text import TileText
from polysched.codegen.expr import Bound
from polysched.codegen.linear import Linear
from polysched.ir import Expr, Iter, Load

MAX_COPIES = 8  # of a thread that are unrolled
FEW_COPIES = (
    2  # where another form is more likely: the others' addresses cost registers
)


class CopyText(TileText):
    """Prints the function that begins the copies of one tile."""

    def _copy(self, operands: Sequence[Operand]) -> Iterator[str]:
        """A function that begins the copies of one tile."""
        indent, kind = self.options.indent, self.index_type.name
        arguments = ", ".join(f"const {kind} {q}" for q in self.names.tiles)
        local = self._local
        head = f"[&](const int {local.stage}, {arguments})"
        yield f"const auto {local.copy} = {head} {{"
        box = tile_box(self.form, self.names)
        partial = box.subtract(self.form.member_domain).params()
        is_whole = partial.complement().intersect(self._tile_context)
        is_never = is_whole.is_empty()
        whole = "" if is_never else self._condition(is_whole)
        rows = [o for o in operands if o.is_bulk]
        fast: list[str] = []
        slow: list[str] = []
        if rows:
            fast += self._announce(rows)
            fast += self._copy_rows(
                rows, self._has_whole_after_partial(partial, is_whole)
            )
            slow += self._announce([])
        for o in operands:
            fast += () if o.is_bulk else self._copy_whole(o)
            slow += self._copy_one(o, guarded=True, n_unrolled=int(bool(whole)))
        if not whole:
            yield from (indent + line for line in (slow if is_never else fast))
        else:
            yield f"{indent}if ({whole}) {{"
            yield from (indent * 2 + line for line in fast)
            yield f"{indent}}} else {{"
            yield from (indent * 2 + line for line in slow)
            yield f"{indent}}}"
        yield "};"

    def _announce(self, operands: Sequence[Operand]) -> Iterator[str]:
        """The one arrival in a slot's phase: how many bytes come in bulk."""
        local = self._local
        n_bytes = sum(o.n_rows * o.row_bytes for o in operands)
        barrier = f"&{local.filled}[{local.stage}]"
        yield f"if ({local.thread} == 0)"
        yield f"{self.options.indent}ps_phase_expect({barrier}, {n_bytes});"

    def _copy_rows(
        self, operands: Sequence[Operand], needs_fence: bool
    ) -> Iterator[str]:
        """Copies of whole windows, row by row, dealt out to one lane of each warp."""
        indent = self.options.indent
        yield f"if (ps_elect({self._local.thread})) {{"
        if needs_fence:
            yield f"{indent}ps_bulk_fence();"
        for o in operands:
            yield from (indent + line for line in self._rows_of(o))
        yield "}"

    def _rows_of(self, o: Operand) -> Iterator[str]:
        """The loop over a warp's rows of a window."""
        local = self._local
        warp = f"{local.thread} / {WARP}"
        head, is_ragged = self._rounds(o.n_rows, self.mapped.block_size // WARP, warp)
        yield from head
        deep = self.options.indent
        if is_ragged:
            yield f"{deep}if ({local.element} < {o.n_rows}) {{"
            deep *= 2
        *rows, last = local.local[: len(o.sizes)]
        yield from (deep + line for line in self._spread(o, 1, 1)[:-1])
        yield f"{deep}const int {last} = 0;"
        place = f"{o.name}[{local.stage}]" + "".join(f"[{n}]" for n in rows)
        yield f"{deep}ps_bulk_copy("
        yield f"{deep}  {place}, &{self._source(o)},"
        yield f"{deep}  {o.row_bytes}, &{local.filled}[{local.stage}]);"
        if is_ragged:
            yield f"{self.options.indent}}}"
        yield "}"

    def _has_whole_after_partial(self, partial: isl.Set, whole: isl.Set) -> bool:
        """Whether a block copies whole tiles behind partial ones.

        What threads write to a slot comes before a bulk copy to it only by a fence.
        """
        dims = ", ".join(self.names.tiles)
        at = isl.Map(f"[{dims}] -> {{ [] -> [{dims}] }}")
        first, later = (
            self._of_tiles(at.intersect_params(self._tile_context.intersect(values)))
            for values in (partial, whole)
        )
        after = isl.Map.lex_lt(isl.Space.range(first.get_space()))
        return not first.apply_range(after).is_disjoint(later)

    def _of_tiles(self, at: isl.Map) -> isl.Map:
        """The same without parameters for tiles and for what is inside of them."""
        names = self.names
        for name in (*names.tiles, *names.offsets, *names.inner):
            position = at.find_dim_by_name(isl.dim_type.param, name)
            if position >= 0:
                at = at.project_out(isl.dim_type.param, position, 1)
        return at

    def _rounds(
        self, total: int, size: int, first: str, n_unrolled: int = 0
    ) -> tuple[list[str], bool]:
        """The head of a loop that deals numbers below `total` out to `size` takers.

        So many turns are unrolled at a time, as many as are good where 0 is given.
        """
        n_rounds = -(-total // size)
        n, e = self._local.round, self._local.element
        few = n_rounds <= MAX_COPIES  # each keeps an address in registers
        unroll = "" if few else f" {MAX_COPIES // 2}"
        unroll = f" {n_unrolled}" if n_unrolled else unroll
        head = [
            f"#pragma unroll{unroll}",
            f"for (int {n} = 0; {n} < {n_rounds}; {n}++) {{",
            f"{self.options.indent}const int {e} = {first} + {size} * {n};",
        ]
        return head, total % size != 0

    def _copy_whole(self, o: Operand) -> Iterator[str]:
        """The copy of a whole window, by long pieces if rows turn out to be aligned."""
        if o.wide == o.chunk:
            yield from self._copy_one(o)
            return
        printer, indent = self._printer({}, {}), self.options.indent
        pitches = (printer.index(p).to_text().at_least(MULTIPLY) for p in o.asked)
        yield f"if ({' && '.join(f'{p} % {o.wide} == 0' for p in pitches)}) {{"
        yield from (indent + line for line in self._copy_one(o, chunk=o.wide))
        yield "} else {"
        narrow = self._copy_one(o, n_unrolled=FEW_COPIES)
        yield from (indent + line for line in narrow)
        yield "}"

    def _copy_one(
        self, o: Operand, guarded: bool = False, n_unrolled: int = 0, chunk: int = 0
    ) -> Iterator[str]:
        """The copy of a window: whole, or with zeros where the launch reads nothing."""
        indent = self.options.indent
        chunk = chunk or o.chunk
        if guarded and not self._is_even(o):
            chunk = 1
        test = self._in_array(o) if guarded else ""
        length = o.sizes[-1] // chunk
        total = prod(o.sizes[:-1]) * length
        takers, thread = self.mapped.block_size, self._local.thread
        head, is_ragged = self._rounds(total, takers, thread, n_unrolled)
        yield from head
        deep = indent
        if is_ragged:
            yield f"{indent}if ({self._local.element} < {total}) {{"
            deep += indent
        yield from (deep + line for line in self._spread(o, length, chunk))
        names = self._local.local[: len(o.sizes)]
        place = f"{o.name}[{self._local.stage}]" + "".join(f"[{n}]" for n in names)
        n_bytes = chunk * o.device.type.n_bytes
        source = self._source(o)
        if n_bytes < 4:  # shorter than any asynchronous copy
            zero = f"({type_name(o.device.type)})0"
            value = f"({test}) ? {source} : {zero}" if test else source
            yield f"{deep}{place} = {value};"
        elif test:
            inside = self._local.inside
            yield f"{deep}const bool {inside} = {test};"
            yield f"{deep}__pipeline_memcpy_async("
            yield f"{deep}  &{place}, {inside} ? &{source} : {o.device.name},"
            yield f"{deep}  {n_bytes}, {inside} ? 0 : {n_bytes});"
        else:
            yield f"{deep}__pipeline_memcpy_async(&{place}, &{source}, {n_bytes});"
        if is_ragged:
            yield f"{indent}}}"
        yield "}"

    def _is_even(self, o: Operand) -> bool:
        """Whether the launch reads all elements of a copy or none."""
        if o.chunk == 1:
            return True
        touched, context = self._touched(o)
        last = self._local.local[len(o.sizes) - 1]
        aligned = isl.Set(f"[{last}] -> {{ : {last} mod {o.chunk} = 0 }}")
        context = context.intersect(aligned)
        first = touched.intersect(context)
        for k in range(1, o.chunk):
            shifted = _shift(touched, last, k).intersect(context)
            if not first.is_equal(shifted):
                return False
        return True

    def _spread(self, o: Operand, length: int, chunk: int) -> list[str]:
        """A number as subscripts in the window."""
        lines = []
        e = self._local.element
        sizes = (*o.sizes[:-1], length)
        scale = prod(sizes)
        for k, size in enumerate(sizes):
            scale //= size
            value = e if scale == 1 else f"{e} / {scale}"
            if k:
                value = f"{value} % {size}"
            if k == len(sizes) - 1 and chunk > 1:
                value = f"{chunk} * ({value})"
            lines.append(f"const int {self._local.local[k]} = {value};")
        return lines

    def _source(self, o: Operand) -> str:
        """The element of the array for subscripts in the window."""
        bounds = {}
        subscripts: list[Expr] = []
        for k, first in enumerate(o.firsts):
            value = self._linear(first).plus(Linear.atom(Text(self._local.local[k])))
            bounds[f"@{k}"] = Bound(value)
            subscripts.append(Iter(f"@{k}", self.index_type))
        load = Load(o.load.array, tuple(subscripts), o.load.type)
        printer = self._printer({}, bounds)
        return printer.load(load).text

    def _touched(self, o: Operand) -> tuple[isl.Set, isl.Set]:
        """Subscripts in the window that the launch reads, and all there are."""
        names = self._local.local[: len(o.sizes)]
        params = ", ".join(names)
        at = None
        for k, first in enumerate(o.firsts):
            local = isl.PwAff(f"[{params}] -> {{ [({names[k]})] }}")
            value = isl.PwMultiAff.from_pw_aff(first.add(local))
            at = value if at is None else at.flat_range_product(value)
        assert at is not None
        bounds = " and ".join(
            f"0 <= {n} < {size}" for n, size in zip(names, o.sizes, strict=True)
        )
        window = isl.Set(f"[{params}] -> {{ : {bounds} }}")
        touched = o.touched.reset_tuple_id().preimage_pw_multi_aff(at).params()
        return touched, self._tile_context.intersect(window)

    def _in_array(self, o: Operand) -> str:
        """Whether the launch reads an element of the window."""
        touched, context = self._touched(o)
        return self._condition(touched, context)


def _shift(values: isl.Set, name: str, distance: int) -> isl.Set:
    """The parameter values at which a parameter plus a distance is in a set."""
    position = values.find_dim_by_name(isl.dim_type.param, name)
    if position < 0:
        return values
    moved = values.move_dims(isl.dim_type.set, 0, isl.dim_type.param, position, 1)
    at = isl.PwMultiAff(f"[{name}] -> {{ [{name} + {distance}] }}")
    return moved.reset_tuple_id().preimage_pw_multi_aff(at).params()
