"""Rows of overlapped tiles in device memory: which elements, loaded and stored how."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import islpy as isl

from polysched.codegen.ast_expr import AstExprPrinter
from polysched.codegen.ctext import Names, Text
from polysched.codegen.cuda.arrays import DeviceArray
from polysched.codegen.cuda.kernel_names import KernelNames
from polysched.codegen.cuda.overlap_form import OverlapForm
from polysched.codegen.cuda.overlap_names import OverlapNames
from polysched.codegen.cuda.overlap_points import Place, ThreadPoints
from polysched.codegen.cuda.run_elements import COMPONENTS, VECTOR_BYTES, aligned_when
from polysched.codegen.cuda.text import type_name
from polysched.codegen.expr import Bound, ExprPrinter, Spelling
from polysched.codegen.linear import Linear
from polysched.ir import Const, Iter, Load, ScalarType
from polysched.sets import ast_options, only_value

Side = tuple[Linear, Linear]  # first and last point along a loop


@dataclass(frozen=True, eq=False)
class RowText:
    """Prints where the points of a thread lie, and moves them to and from memory.

    Attributes
    ----------
    form : OverlapForm
        The sweeps.
    arrays : mapping of str to DeviceArray
        What lives in device memory.
    values : sequence of str
        Scalars that are arguments.
    names : KernelNames
        Of blocks and threads.
    context : isl.Set
        What is known of parameters, of launch, block and thread.
    exprs : AstExprPrinter
        Prints bounds.
    indent : str
        White space per level.
    index_type : ScalarType
        Of loop variables.
    free : Names
        Fresh identifiers.
    """

    form: OverlapForm
    arrays: Mapping[str, DeviceArray]
    values: Sequence[str]
    names: KernelNames
    context: isl.Set
    exprs: AstExprPrinter
    indent: str
    index_type: ScalarType
    free: Names

    @cached_property
    def _points(self) -> ThreadPoints:
        return ThreadPoints(self.form)

    @property
    def _element(self) -> ScalarType:
        return self.form.sweeps[0].target.type

    @cached_property
    def _local(self) -> OverlapNames:
        return OverlapNames.take(self.free, self._points, self.names.threads[1:])

    def _value(self, value: isl.PwAff, context: isl.Set | None = None) -> Linear:
        """A bound as a sum."""
        known = only_value(value)
        if known is not None:
            return Linear((), int(known.to_python()))
        value = value.gist_params(self.context).coalesce()
        with ast_options(self.context.get_ctx()):
            build = isl.AstBuild.from_context(self.context)
            return self.exprs.linear(build.expr_from_pw_aff(value))

    def _box(self, sweep: int) -> list[Side]:
        """First and last points of a sweep, per loop over space."""
        one = self.form.sweeps[sweep]
        return [
            (self._value(low), self._value(high))
            for low, high in zip(one.lows, one.highs, strict=True)
        ]

    def _reach(self, sweep: int) -> list[Side]:
        """The same of the elements that a sweep reads."""
        offsets = list(self.form.sweeps[sweep].offsets.values())
        return [
            (
                low.plus(Linear((), min(o[k] for o in offsets))),
                high.plus(Linear((), max(o[k] for o in offsets))),
            )
            for k, (low, high) in enumerate(self._box(sweep))
        ]

    def _at(self, member: int, place: Place, more: int = 0) -> Linear:
        """A point's place along a loop that threads share."""
        first = Linear.atom(Text(self._local.firsts[member]))
        return first.plus(Linear((), place[member] + more))

    def _within(
        self,
        sides: Sequence[Side],
        place: Place,
        members: Sequence[int],
        last: Place | None = None,
    ) -> str:
        """Whether points are inside of a box along some loops that threads share."""
        end = last or place
        return " && ".join(
            f"{self._at(m, place).to_text()} >= {sides[m + 1][0].to_text()} && "
            f"{self._at(m, end).to_text()} <= {sides[m + 1][1].to_text()}"
            for m in members
        )

    def _in_row(self, sides: Sequence[Side], row: str) -> str:
        low, high = sides[0]
        return f"{row} >= {low.to_text()} && {row} <= {high.to_text()}"

    def _printer(self, row: Linear, place: Place) -> ExprPrinter:
        """Prints elements of device memory at a point."""
        at = [row, *(self._at(m, place) for m in range(len(place)))]
        bounds = {f"@{k}": Bound(v, self.index_type) for k, v in enumerate(at)}
        spellings = {n: d.spelling for n, d in self.arrays.items()}
        spellings |= {n: Spelling(n) for n in self.values}
        return ExprPrinter(iterators=bounds, arrays=spellings)

    def _device(self, array: str, row: str, place: Place) -> str:
        """The text of an element in device memory."""
        n = len(place) + 1
        subscripts = tuple(Iter(f"@{k}", self.index_type) for k in range(n))
        load = Load(array, subscripts, self._element)
        printer = self._printer(Linear.atom(Text(row)), place)
        return printer.load(load).text

    def _vectors(self, array: str) -> tuple[int, str]:
        """Elements of vectors along the last loop, and when rows are aligned."""
        device = self.arrays[array]
        n = min(self._points.runs[-1], VECTOR_BYTES // device.type.n_bytes)
        if n == 1 or device.begins_below or any(device.firsts):
            return 1, ""
        conditions = []
        for pitch in device.pitches:
            if isinstance(pitch, Const):
                if int(pitch.value) % n:
                    return 1, ""
                continue
            conditions.append(aligned_when(ExprPrinter().index(pitch).to_text(), n))
        return n, " && ".join(dict.fromkeys(conditions))

    def _groups(self, length: int) -> Iterator[tuple[Place, ...]]:
        """Points side by side, so many at a time."""
        places = self._points.places
        for k in range(0, len(places), length):
            yield places[k : k + length]

    def _load_places(
        self,
        source: str,
        places: Sequence[Place],
        reach: Sequence[Side],
        length: int,
        aligned: str,
    ) -> Iterator[str]:
        """Loads of points side by side, as vectors where all of them are read."""
        local, points, member = self._local, self._points, len(places[0]) - 1
        single = []
        for place in places:
            test = self._within(reach, place, [member])
            element = self._device(source, local.row, place)
            single.append(f"if ({test})")
            single.append(
                f"{self.indent}{local.ahead}[{points.number(place)}] = {element};"
            )
        if length == 1:
            yield from single
            return
        vectors = []
        for k in range(0, len(places), length):
            vector = f"{type_name(self._element)}{length}"
            at = self._device(source, local.row, places[k])
            name = f"{local.vector}{k // length}"
            vectors.append(f"const {vector} {name} = *(const {vector} *)&{at};")
            for c, place in enumerate(places[k : k + length]):
                to = f"{local.ahead}[{points.number(place)}]"
                vectors.append(f"{to} = {name}.{COMPONENTS[c]};")
        test = self._within(reach, places[0], [member], places[-1])
        yield from self._either(test, aligned, vectors, single)

    def _tile_side(self, member: int) -> Side:
        """First and last point of the block's tile along a loop that threads share."""
        block = Linear.atom(Text(self.names.blocks[member + 1]))
        size = self.form.overlap.tile[member + 1]
        return block, block.plus(Linear((), size - 1))

    def _store_places(
        self,
        target: str,
        places: Sequence[Place],
        box: Sequence[Side],
        length: int,
        aligned: str,
    ) -> Iterator[str]:
        """Stores of points side by side, as vectors where all of them are written."""
        local, points, member = self._local, self._points, len(places[0]) - 1
        single = []
        for place in places:
            element = self._device(target, local.row, place)
            single.append(f"if ({self._within(box, place, [member])})")
            single.append(
                f"{self.indent}{element} = {local.next}[{points.number(place)}];"
            )
        if length == 1:
            yield from single
            return
        vectors = []
        for k in range(0, len(places), length):
            element = type_name(self._element)
            at = self._device(target, local.row, places[k])
            values = ", ".join(
                f"{local.next}[{points.number(p)}]" for p in places[k : k + length]
            )
            made = f"make_{element}{length}({values})"
            vectors.append(f"*({element}{length} *)&{at} = {made};")
        test = self._within(box, places[0], [member], places[-1])
        yield from self._either(test, aligned, vectors, single)

    def _either(
        self, test: str, aligned: str, vectors: Sequence[str], single: Sequence[str]
    ) -> Iterator[str]:
        """Vectors where all of their points are meant and aligned, else points."""
        yield f"if ({' && '.join(filter(None, (test, aligned)))}) {{"
        yield from (self.indent + line for line in vectors)
        yield "} else {"
        yield from (self.indent + line for line in single)
        yield "}"
