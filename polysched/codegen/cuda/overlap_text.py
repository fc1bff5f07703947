"""The kernel of overlapped tiles: a block walks along rows, all sweeps at once.

In each step of the walk the first sweep computes a row, the second the row before it,
and so on. A thread has the same columns in all rows: it holds the rows that the next
sweep reads in registers, and hands what its neighbours read through shared memory,
which they read a step later. One barrier stands in a step, whatever the number of
sweeps (in the manner of Matsumura et al., "AN5D", CGO 2020)::

    for each row s:
      held[0] <- row s of the array that is read, asked for a step ago
      held[1] <- first sweep, row s - 1
      held[2] <- second sweep, row s - 2
      ...
      last sweep, row s - n -> the array that is written
      wait

Points at which no sweep writes keep what device memory has there.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from polysched.base import CodegenError
from polysched.codegen.ctext import Text
from polysched.codegen.cuda.overlap_points import Place, Read
from polysched.codegen.cuda.overlap_rows import RowText
from polysched.codegen.cuda.text import SHARED_BYTES, STATIC_BYTES, type_name
from polysched.codegen.linear import Linear
from polysched.ir import Expr, Load, Local, map_expr

MAX_REGISTERS = 255  # of a thread
WORK_REGISTERS = 36  # of a thread, for addresses, conditions and the loop
WORD_BYTES = 4


@dataclass(frozen=True, eq=False)
class OverlapPrinter(RowText):
    """Prints the body of one kernel."""

    def body(self) -> list[str]:
        """The lines behind the definitions of block and thread.

        Raises
        ------
        CodegenError
            If threads have no room for the rows.
        """
        if self.n_registers > MAX_REGISTERS:
            raise CodegenError(
                f"{len(self.form.sweeps)} sweeps of {self._points.n} points take more "
                f"than the {MAX_REGISTERS} registers of a thread",
                hint="fewer sweeps in a launch, or shorter runs",
            )
        if self._shared_bytes > SHARED_BYTES:
            raise CodegenError(
                f"neighbours share {self._shared_bytes} bytes, a block has "
                f"{SHARED_BYTES}",
                hint="fewer threads, or fewer sweeps in a launch",
            )
        return [
            *self._declare(),
            *self._load_row(),
            *self._walk(),
        ]

    @property
    def _shared_bytes(self) -> int:
        return self._points.shared_elements * self._element.n_bytes

    @property
    def asked_bytes(self) -> int:
        """Shared memory to ask for at launch; 0 where that is not needed."""
        return self._shared_bytes if self._shared_bytes > STATIC_BYTES else 0

    @property
    def n_registers(self) -> int:
        """That a thread needs: rows of every sweep, two more, and addresses."""
        rows = len(self.form.sweeps) * self.form.n_rows + 2
        words = max(1, self._element.n_bytes // WORD_BYTES)
        return rows * self._points.n * words + WORK_REGISTERS

    def _declare(self) -> Iterator[str]:
        """Where the thread's points are, and room for rows."""
        local, points, element = self._local, self._points, type_name(self._element)
        kind, overlap = self.index_type.name, self.form.overlap
        for m, first in enumerate(local.firsts):
            halo, run = overlap.halos[m + 1], points.runs[m]
            step = f"{run} * " if run > 1 else ""
            block, thread = self.names.blocks[m + 1], self.names.threads[m + 1]
            yield f"const {kind} {first} = {block} - {halo} + {step}{thread};"
        for (m, far), name in local.threads.items():
            thread, count = self.names.threads[m + 1], points.counts[m]
            test = f"{thread} >= {-far}" if far < 0 else f"{thread} < {count - far}"
            moved = f"{thread} {'-' if far < 0 else '+'} {abs(far)}"
            end = 0 if far < 0 else count - 1
            yield f"const {kind} {name} = {test} ? {moved} : {end};"
        if points.shared_elements:
            yield from self._declare_shared()
        n, rows = points.n, self.form.n_rows
        yield f"{element} {local.held}[{len(self.form.sweeps)}][{rows}][{n}] = {{}};"
        yield f"{element} {local.ahead}[{n}] = {{}}, {local.next}[{n}];"

    def _declare_shared(self) -> Iterator[str]:
        """The array through which neighbours read, zero at first."""
        local, element = self._local, type_name(self._element)
        first, *extents = self._points.shared_extents
        inner = "".join(f"[{n}]" for n in extents)
        if self.asked_bytes:
            yield "extern __shared__ __align__(128) unsigned char ps_shared[];"
            yield (
                f"{element} (*{local.near}){inner} = "
                f"reinterpret_cast<{element} (*){inner}>(ps_shared);"
            )
        else:
            yield f"__shared__ {element} {local.near}[{first}]{inner};"
        names = (local.turn, local.sweep, local.point)
        deep = ""
        for name, n in zip(names, (first, *extents[:2]), strict=True):
            yield f"{deep}for (int {name} = 0; {name} < {n}; {name}++)"
            deep += self.indent
        threads = "".join(f"[{t}]" for t in self.names.threads[1:])
        at = "".join(f"[{name}]" for name in names)
        yield f"{deep}{local.near}{at}{threads} = 0;"
        yield "__syncthreads();"

    def _load_row(self) -> Iterator[str]:
        """A function that asks for a row of the array that is read."""
        local, indent, source = self._local, self.indent, self.form.sweeps[0].source
        n_dim = len(self._points.runs)
        reach = self._reach(0)
        kind = self.index_type.name
        yield f"const auto {local.load} = [&](const {kind} {local.row}) {{"
        yield f"{indent}if ({self._in_row(reach, local.row)}) {{"
        length, aligned = self._vectors(source)
        for places in self._groups(self._points.runs[-1]):
            lines = list(self._load_places(source, places, reach, length, aligned))
            outside = self._within(reach, places[0], range(n_dim - 1))
            if outside:
                yield f"{indent * 2}if ({outside}) {{"
                yield from (indent * 3 + line for line in lines)
                yield f"{indent * 2}}}"
            else:
                yield from (indent * 2 + line for line in lines)
        yield f"{indent}}}"
        yield "};"

    def _walk(self) -> Iterator[str]:
        """The loop along the rows."""
        local, form, kind, indent = (
            self._local,
            self.form,
            self.index_type.name,
            self.indent,
        )
        n = len(form.sweeps)
        low, high = self._box(n - 1)[0]
        block, size = self.names.blocks[0], form.overlap.tile[0]
        yield (
            f"const {kind} {local.begin} = {block} > {low.to_text()} ? {block} : "
            f"{low.to_text()};"
        )
        yield (
            f"const {kind} {local.end} = {block} + {size - 1} < {high.to_text()} ? "
            f"{block} + {size - 1} : {high.to_text()};"
        )
        before, behind = form.radius[0] * n, form.lag * n
        yield f"int {local.turn} = 0;"
        start = f"{local.begin} - {before}" if before else local.begin
        yield f"{local.load}({start});"
        yield f"#pragma unroll {form.n_rows}"
        s = local.step
        yield f"for ({kind} {s} = {start}; {s} <= {local.end} + {behind}; {s}++) {{"
        for line in self._step():
            yield indent + line
        yield "}"

    def _step(self) -> Iterator[str]:
        """One step of the walk."""
        local, points = self._local, self._points
        for age, name in local.slots.items():
            slots = points.n_slots
            yield f"const int {name} = ({local.turn} + {slots - age}) % {slots};"
        yield from self._keep(0, local.ahead)
        yield f"{local.load}({local.step} + 1);"
        for number in range(len(self.form.sweeps)):
            yield "{"
            yield from (self.indent + line for line in self._sweep(number))
            yield "}"
        if points.shared_elements:
            yield "__syncthreads();"
            yield f"{local.turn} = ({local.turn} + 1) % {points.n_slots};"

    def _keep(self, number: int, values: str) -> Iterator[str]:
        """Make the values of a row those that the next sweep reads first."""
        local, points, last = self._local, self._points, self.form.n_rows - 1
        held = f"{local.held}[{number}]"
        yield "#pragma unroll"
        m = local.point
        yield f"for (int {m} = 0; {m} < {points.n}; {m}++) {{"
        for row in range(last):
            yield f"{self.indent}{held}[{row}][{m}] = {held}[{row + 1}][{m}];"
        yield f"{self.indent}{held}[{last}][{m}] = {values}[{m}];"
        yield "}"
        threads = "".join(f"[{t}]" for t in self.names.threads[1:])
        for k, place in enumerate(points.shared):
            at = f"{local.near}[{local.turn}][{number}][{k}]{threads}"
            yield f"{at} = {values}[{points.number(place)}];"

    def _sweep(self, number: int) -> Iterator[str]:
        """What one sweep does in a step."""
        local, points, form = self._local, self._points, self.form
        kind = self.index_type.name
        behind = form.lag * (number + 1)
        yield f"const {kind} {local.row} = {local.step} - {behind};"
        for place in points.places:
            value = self._compute(number, place)
            yield f"{local.next}[{points.number(place)}] = {value};"
        if number == len(form.sweeps) - 1:
            yield from self._store(number)
            return
        yield from self._unwritten(number)
        yield from self._keep(number + 1, local.next)

    def _compute(self, number: int, place: Place) -> str:
        """The value of a point."""
        sweep = self.form.sweeps[number]

        def change(expr: Expr) -> Expr | None:
            if isinstance(expr, Load) and expr in sweep.offsets:
                read = self._points.read(place, expr, number)
                return Local(self._text_of(read, number), expr.type)
            return None

        printer = self._printer(Linear.atom(Text(self._local.row)), place)
        return printer.value(map_expr(sweep.value, change)).text

    def _text_of(self, read: Read, number: int) -> str:
        """A value of the sweep before."""
        local, points = self._local, self._points
        if read.is_own:
            row = read.row + self.form.radius[0]
            return f"{local.held}[{number}][{row}][{points.number(read.place)}]"
        slot = local.slots[points.age(read.row)]
        place = points.shared.index(read.place)
        threads = "".join(
            f"[{local.threads[m, t] if t else self.names.threads[m + 1]}]"
            for m, t in enumerate(read.thread)
        )
        return f"{local.near}[{slot}][{number}][{place}]{threads}"

    def _unwritten(self, number: int) -> Iterator[str]:
        """What device memory has where a sweep writes nothing."""
        local, points, indent = self._local, self._points, self.indent
        members = range(len(points.runs))
        box, reach = self._box(number), self._reach(number + 1)
        array = self.form.sweeps[number].target.array
        in_row = self._in_row(box, local.row)
        whole = self._within(box, points.places[0], members, points.places[-1])
        yield f"if (!({in_row} && {whole})) {{"
        for place in points.places:
            inside = f"{in_row} && {self._within(box, place, members)}"
            read = f"{self._in_row(reach, local.row)} && "
            read += self._within(reach, place, members)
            yield f"{indent}if (!({inside}) && {read})"
            element = self._device(array, local.row, place)
            yield f"{indent * 2}{local.next}[{points.number(place)}] = {element};"
        yield "}"

    def _store(self, number: int) -> Iterator[str]:
        """The rows of the last sweep."""
        local, points, indent = self._local, self._points, self.indent
        target = self.form.sweeps[number].target.array
        last = len(points.runs) - 1
        box = self._box(number)
        tile = [self._tile_side(m) for m in range(last + 1)]
        sides = [box[0], *tile]
        length, aligned = self._vectors(target)
        yield f"if ({local.row} >= {local.begin} && {local.row} <= {local.end}) {{"
        for places in self._groups(points.runs[-1]):
            members = range(last + 1)
            tests = [
                self._within(sides, places[0], members),
                self._within(box, places[0], range(last)),
            ]
            yield f"{indent}if ({' && '.join(filter(None, tests))}) {{"
            for line in self._store_places(target, places, box, length, aligned):
                yield indent * 2 + line
            yield f"{indent}}}"
        yield "}"
