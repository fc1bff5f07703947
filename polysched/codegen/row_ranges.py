"""Asks in front of generated code whether rows behind pointers lie apart.

Where the rows of ``double **A`` lie is data: they may be got one by one, be cut from
one piece, be exchanged, or be one row several times. What is touched of each, and of
other names that may be such a row, is noted as a range of addresses. The ranges are
merged in order, as runs of them that rise already, and compared with the ends of those
before: for n rows in n log n steps, and in n where they rise.

Only rows are looked up that the original surely looks up, too; their elements are not
touched.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

import islpy as isl

from polysched.codegen.ctext import Text
from polysched.codegen.macros import Macros
from polysched.codegen.scan import print_scan
from polysched.ir import MayOverlap, Scop, Touched
from polysched.sets import n_dims, read_map

Range = tuple[Text, Text, Text]


def ask_rows_apart(
    scop: Scop, pairs: Sequence[MayOverlap], ranges: Sequence[tuple[Range, bool]],
    macros: Macros, indent: str, reserved: Collection[str],
) -> tuple[list[str], Text]:  # fmt: skip
    """Lines that compare rows with each other and with all else, and what must hold.

    Parameters
    ----------
    scop : Scop
        Has the arrays.
    pairs : sequence of MayOverlap
        Those with rows behind pointers.
    ranges : sequence of (three Text, bool)
        Of names in these pairs that have no such rows: a pointer, its first element
        and the one behind the last, and whether it is written.
    macros : Macros
        Knows the helpers, and names that are free.
    indent : str
        White space per level.
    reserved : collection of str
        Names that loops must avoid.
    """
    touched = dict.fromkeys(t for p in pairs for t in (p.first, p.second))
    tables = [t for t in touched if t.array.in_rows]
    has_bytes = any(t.is_written and t.array.type.n_bytes == 1 for t in touched)
    names = macros.names
    writer = _RowWriter(scop, macros, indent, reserved)
    apart, n, k = (names.take(word) for word in ("apart", "n", "k"))
    note = _Notes(names.take("ranges"), k, has_bytes)
    counting, inner = list[str](), list[str]()
    for (pointer, first, end), is_written in ranges:
        inner += note.range(pointer.text, first.text, end.text, is_written)
    for t in tables:
        counting += writer.scan(t, f"{n} += {note.count(t)};", None)
        inner += writer.scan(t, "", note)
    test = macros.call("rows_apart", Text(k), Text(note.ranges))
    lines = [
        *writer.copies,
        f"long {n} = {len(ranges) + 1}, {k} = 0;",
        *counting,
        "struct { __UINTPTR_TYPE__ first_, end_; int is_written_; }",
        f"{indent}*{note.ranges} = __builtin_malloc(2 * {n} * sizeof *{note.ranges});",
        f"int {apart} = {note.ranges} != 0;",
        f"if ({apart}) {{",
        *(indent + line for line in inner),
        f"{indent}{apart} = {test.text};",
        "}",
        f"__builtin_free({note.ranges});",
    ]
    return lines, Text(apart)


@dataclass(frozen=True)
class _Notes:
    """Writes lines that note ranges.

    Attributes
    ----------
    ranges, counter : str
        Where, and the number of those that are noted.
    has_bytes : bool
        Whether bytes are written, which may be those of the pointers to rows.
    """

    ranges: str
    counter: str
    has_bytes: bool

    def count(self, touched: Touched) -> int:
        """Ranges for each row."""
        return touched.array.n_dim if self.has_bytes else 1

    def row(
        self, touched: Touched, outer: Sequence[str], low: str, high: str
    ) -> list[str]:
        """What is touched of one row, and the pointers on the way there."""
        steps = [f"[{s}]" for s in outer]
        base = touched.array.base
        row = base + "".join(steps)
        lines = self.range(row, low, f"({high}) + 1", touched.is_written)
        for depth in range(1, self.count(touched)):
            lines += self.range(f"&{base}{''.join(steps[:depth])}", "0", "1", False)
        return lines

    def range(self, pointer: str, first: str, end: str, is_written: bool) -> list[str]:
        """Elements of a pointer from a first one to before another."""
        sides = [
            f"(__UINTPTR_TYPE__)({pointer}) + ({side}) * sizeof *({pointer})"
            for side in (first, end)
        ]
        place = f"{self.ranges}[{self.counter}]"
        return [
            f"{place}.first_ = {sides[0]};",
            f"{place}.end_ = {sides[1]};",
            f"{self.ranges}[{self.counter}++].is_written_ = {int(is_written)};",
        ]


class _RowWriter:
    """Writes loops over the rows of an array."""

    def __init__(
        self, scop: Scop, macros: Macros, indent: str, reserved: Collection[str]
    ) -> None:
        self._scop = scop
        self._macros = macros
        self._indent = indent
        self._known = scop.context.intersect(scop.assumptions).params()
        self._copy_of = {p.name: macros.names.take(p.name) for p in scop.parameters}
        self._reserved = {*reserved, *self._copy_of, *self._copy_of.values()}

    @property
    def copies(self) -> Iterator[str]:
        """Lines that give parameters a type that no size is too large for."""
        for name, copy in self._copy_of.items():
            yield f"const long {copy} = (long)({name});"

    def scan(self, touched: Touched, line: str, notes: _Notes | None) -> list[str]:
        """Loops over the rows of an array, with a line or notes of each."""

        def visit(values: tuple[str, ...]) -> str:
            *outer, low, high = values
            if notes is None:
                return line
            return "\n".join(notes.row(touched, outer, low, high))

        rows = self._renamed(_rows(touched.elements.intersect_params(self._known)))
        context = self._renamed(self._scop.context.params())
        text = print_scan(
            rows, visit, context=context, reserved=self._reserved, indent=self._indent,
            macros=self._macros,
        )  # fmt: skip
        return text.splitlines()

    def _renamed(self, found: isl.Set) -> isl.Set:
        for name, copy in self._copy_of.items():
            at = found.find_dim_by_name(isl.dim_type.param, name)
            if at >= 0:
                found = found.set_dim_name(isl.dim_type.param, at, copy)
        return found


def _rows(elements: isl.Set) -> isl.Set:
    """Outer subscripts with the first and last of the innermost."""
    n = n_dims(elements)
    outer = [f"i{k}" for k in range(n - 1)]
    rows, whole = ", ".join(outer), ", ".join([*outer, "last"])
    name = elements.get_tuple_name()
    by_row = elements.apply(
        read_map(f"{{ {name}[{whole}] -> [[{rows}] -> [last]] }}")
    ).unwrap()
    bounds = by_row.lexmin().range_product(by_row.lexmax())
    flat = ", ".join([*outer, "low", "high"])
    flatten = read_map(f"{{ [[{rows}] -> [[low] -> [high]]] -> {name}[{flat}] }}")
    return bounds.wrap().apply(flatten).coalesce()
