"""One copied operand: its buffer, and who fills and who reads it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import prod

import islpy as isl

from polysched.analysis import load_relations
from polysched.base import CodegenError
from polysched.codegen.storage import Buffer
from polysched.codegen.window import constant_size, find_window
from polysched.ir import (
    MAX_COPY_BYTES,
    Access,
    Array,
    Assign,
    Const,
    Expr,
    Iter,
    Load,
    Scop,
    Statement,
    map_expr,
    promote,
    walk,
)
from polysched.ir.types import INT

_BAD_ROW_BYTES = 512  # rows a multiple of this apart compete for few cache sets
_LINE_BYTES = 64
_TURNED = 8  # elements of a row that are copied into a column at a time


@dataclass(frozen=True)
class Wanted:
    """What a mark asks for.

    Attributes
    ----------
    statement : str
        Whose operand.
    positions : tuple of int
        Iterators of the statement that index the buffer, the contiguous one last.
    panel : int
        Values of the last one that lie side by side; 0 for whole rows.
    """

    statement: str
    positions: tuple[int, ...]
    panel: int = 0


@dataclass(frozen=True, eq=False)
class PackedCopy:
    """One copied expression.

    Attributes
    ----------
    scop, statement : Scop, Statement
        Before the rewriting.
    expr : Expr
        What is copied.
    wanted : Wanted
        How it lies in the buffer.
    time : isl.Map
        Instances of the statement to the loops around the mark.
    """

    scop: Scop
    statement: Statement
    expr: Expr
    wanted: Wanted
    time: isl.Map

    @property
    def n_outer(self) -> int:
        """Loops around the mark."""
        return int(self.time.dim(isl.dim_type.out))

    @property
    def iterators(self) -> tuple[str, ...]:
        """Those that index the buffer."""
        return tuple(self.statement.iterators[k] for k in self.wanted.positions)

    @property
    def n_dim(self) -> int:
        """Dimensions of the buffer: one of panels, where there are any, besides."""
        return len(self.wanted.positions) + bool(self.wanted.panel)

    @property
    def array(self) -> Array:
        """The buffer, expanded by the loops around the mark.

        What is shorter than `int` is copied as `int`, as C computes with it.
        """
        load = next(e for e in loads(self.expr) if e.subscripts)
        name = _fresh(f"{load.array}_packed", {a.name for a in self.scop.arrays})
        return Array(
            name, promote(self.expr.dtype), (None,) * self.n_dim, "scop",
            live_in=False, live_out=False, n_expanded=self.n_outer,
        )  # fmt: skip

    @property
    def copy_name(self) -> str:
        return _fresh("P0", {s.name for s in self.scop.statements})

    def rewritten(self) -> Scop:
        """The SCoP whose statement reads the buffer, with the copy statement."""
        array, statement = self.array, self.statement
        load = self._element(array, tuple(_zero() for _ in range(self.n_outer)))

        def change(expr: Expr) -> Expr | None:
            return load if expr == self.expr else None

        (assign,) = statement.body
        assert isinstance(assign, Assign)
        body = replace(assign, value=map_expr(assign.value, change))
        relation = self.time.flat_range_product(self._index_map(self._places))
        relation = relation.set_tuple_name(isl.dim_type.out, array.name)
        access = Access(array.name, "read", relation.intersect_domain(statement.domain))
        kept = self._accesses_of(body)
        reader = replace(statement, body=(body,), accesses=(access, *kept))
        statements = [reader if s is statement else s for s in self.scop.statements]
        return replace(
            self.scop,
            statements=(*statements, self._copy_statement()),
            arrays=(*self.scop.arrays, array),
        )

    def _element(self, array: Array, outer: tuple[Expr, ...]) -> Load:
        """One element of the buffer; an offset tells its panel."""
        panel = (_zero(),) if self.wanted.panel else ()
        inner = (_iter_of(self.expr, name) for name in self.iterators)
        return Load(array.name, (*outer, *panel, *inner), array.type)

    @property
    def _places(self) -> str:
        """The subscripts behind those of the loops around the mark, for isl."""
        names = ", ".join(self.iterators)
        if not self.wanted.panel:
            return names
        return f"floor({self.iterators[-1]}/{self.wanted.panel}), {names}"

    def _accesses_of(self, body: Assign) -> Iterator[Access]:
        """The accesses of the statement without the reads that copies replace."""
        statement = self.statement
        left = {*walk(body.value), *walk(body.target)}
        written = [a.relation for a in statement.accesses if a.is_write]
        copied = load_relations(
            self.scop, self.expr, statement.iterators, statement.name
        )
        lost = [
            relation.intersect_domain(statement.domain)
            for load, relation in copied
            if load not in left
        ]
        lost = [r for r in lost if not any(r.is_equal(w) for w in written)]
        for access in statement.accesses:
            if access.is_write or not any(access.relation.is_equal(r) for r in lost):
                yield access

    def _index_map(self, values: str) -> isl.Map:
        """Instances of the statement to values over its iterators."""
        names = ", ".join(self.statement.iterators)
        return isl.Map(f"{{ {self.statement.name}[{names}] -> [{values}] }}")

    def _elements(self) -> isl.Map:
        """Times to the copied elements, by the values of the buffer's iterators."""
        domain = self.statement.domain.intersect_params(self.scop.context)
        time = self.time.intersect_domain(domain)
        values = self._index_map(", ".join(self.iterators))
        seen = time.reverse().apply_range(values).coalesce()
        hull = isl.Map.from_basic_map(seen.simple_hull())
        return hull if hull.is_equal(seen) else seen

    def _outer(self) -> tuple[str, ...]:
        taken = set(self.statement.iterators) | {p.name for p in self.scop.parameters}
        return tuple(_fresh(f"tile{k}", taken) for k in range(self.n_outer))

    def _copy_statement(self) -> Statement:
        array, name = self.array, self.copy_name
        iterators = (*self._outer(), *self.iterators)
        domain = self._elements().wrap().flatten().set_tuple_name(name)
        target = self._element(array, tuple(Iter(t) for t in self._outer()))
        places = ", ".join((*self._outer(), self._places))
        write = isl.Map(f"{{ {self._instance()} -> {array.name}[{places}] }}")
        accesses = [
            Access(load.array, "read", relation.intersect_domain(domain))
            for load, relation in load_relations(self.scop, self.expr, iterators, name)
        ]
        accesses.append(
            Access(array.name, "must_write", write.intersect_domain(domain))
        )
        n = len(iterators)
        return Statement(
            name, iterators, domain, (0,) * (n + 1), (1,) * n,
            (Assign(target, "=", self.expr),), tuple(accesses),
        )  # fmt: skip

    def graft(self) -> isl.ScheduleNode:
        """The subtree that fills the buffer."""
        name = self.copy_name
        elements = self._elements()
        n = self.n_outer
        wrapped = isl.Map.from_domain_and_range(
            elements.domain(), elements.wrap().flatten()
        )
        for k in range(n):
            wrapped = wrapped.equate(isl.dim_type.in_, k, isl.dim_type.out, k)
        wrapped = wrapped.set_tuple_name(isl.dim_type.out, name)
        node = isl.ScheduleNode.from_extension(isl.UnionMap.from_map(wrapped))
        members = ", ".join(
            f"{{ {self._instance()} -> [({i})] }}" for i in self._copy_loops()
        )
        partial = isl.MultiUnionPwAff(f"[{members}]")
        return node.child(0).insert_partial_schedule(partial).parent()

    def _copy_loops(self) -> tuple[str, ...]:
        """The loops that fill the buffer, from the outside in, as isl reads them.

        What lies in columns is turned in blocks: of a line that is read all elements
        are used before others take its place in the cache.
        """
        *others, last = self.iterators
        loops = [*others, last]
        along = self._contiguous()
        if along in others:
            others.remove(along)
            loops = [*others, f"{_TURNED}*floor({along}/{_TURNED})", last, along]
        if width := self.wanted.panel:
            loops.insert(0, f"{width}*floor({last}/{width})")
        return tuple(loops)

    def _contiguous(self) -> str | None:
        """The iterator along which what is copied lies side by side in memory."""
        for load in loads(self.expr):
            match load.subscripts:
                case (_, *_, Iter(name=name)):
                    return name
        return None

    def buffer(self) -> Buffer:
        """Storage of constant size for one run of the loops around the mark."""
        array, n = self.array, self.n_outer
        windows = [self._window(k) for k in range(len(self.iterators))]
        sizes = [size for _, size in windows]
        width = self.wanted.panel
        if width:
            sizes = [_count_panels(*windows[-1], width), *sizes[:-1], width]
        elif sizes[-1] * array.type.n_bytes % _BAD_ROW_BYTES == 0 and len(sizes) > 1:
            sizes[-1] += _LINE_BYTES // array.type.n_bytes
        kept = tuple(range(n, n + len(sizes)))
        if prod(sizes) * array.type.n_bytes > MAX_COPY_BYTES:
            raise CodegenError(
                f"cannot pack {array.name}: {prod(sizes) * array.type.n_bytes} bytes "
                f"are more than {MAX_COPY_BYTES}",
                hint="smaller tiles around the mark need less",
            )
        names = ", ".join(self.statement.iterators)
        users = {
            self.statement.name: (self.time, f"{self.statement.name}[{names}]"),
            self.copy_name: (self.copy_time(), self._instance()),
        }
        offsets = {
            name: dict(enumerate(self._offsets(windows, time, instance), n))
            for name, (time, instance) in users.items()
        }
        return Buffer(array, n, kept, tuple(sizes), offsets, _LINE_BYTES, width)

    def _window(self, position: int) -> tuple[isl.PwAff, int]:
        """First value of an iterator in one run of the mark, and how many it has."""
        n = len(self.iterators)
        seen = self._elements().project_out(
            isl.dim_type.out, position + 1, n - position - 1
        )
        seen = seen.project_out(isl.dim_type.out, 0, position)
        most = MAX_COPY_BYTES // self.array.type.n_bytes
        window = find_window(seen, self.scop.context, most)
        size = None if window is None else constant_size(window.size)
        if window is None or size is None:
            raise CodegenError(
                f"cannot pack {self.array.name}: {self.iterators[position]} has no "
                "constant range in a tile"
            )
        return window.first.intersect_domain(self._elements().domain()), size

    def _offsets(
        self, windows: list[tuple[isl.PwAff, int]], time: isl.Map, instance: str
    ) -> list[isl.PwAff]:
        """What is subtracted from the subscripts behind those of the loops around."""
        at = isl.PwMultiAff.from_map(time)
        firsts = [first.pullback_pw_multi_aff(at) for first, _ in windows]
        width = self.wanted.panel
        if not width:
            return firsts
        lane = isl.PwAff(f"{{ {instance} -> [({self.iterators[-1]})] }}")
        panel, first = _panel_of(lane, width), _panel_of(firsts[-1], width)
        begin = panel.scale_val(isl.Val(width))
        return [first.sub(panel), *firsts[:-1], begin]

    def _instance(self) -> str:
        """An instance of the copy statement, as isl reads it."""
        return f"{self.copy_name}[{', '.join((*self._outer(), *self.iterators))}]"

    def copy_time(self) -> isl.Map:
        """Instances of the copy statement to the loops around the mark."""
        return isl.Map(f"{{ {self._instance()} -> [{', '.join(self._outer())}] }}")


def _count_panels(first: isl.PwAff, size: int, width: int) -> int:
    """The most panels that so many values touch; they may begin within one."""
    rest = first.mod_val(isl.Val(width)).max_val()
    return -(-(size + (int(str(rest)) if rest.is_int() else width - 1)) // width)


def _panel_of(value: isl.PwAff, width: int) -> isl.PwAff:
    return value.scale_down_val(isl.Val(width)).floor()


def _zero() -> Const:
    return Const(0, INT, "0")


def loads(expr: Expr) -> Iterator[Load]:
    """Every element that an expression reads."""
    return (e for e in walk(expr) if isinstance(e, Load))


def _fresh(name: str, taken: set[str]) -> str:
    candidate, number = name, 0
    while candidate in taken:
        number += 1
        stem = name.rstrip("0123456789") if name != name.rstrip("0") else f"{name}_"
        candidate = f"{stem}{number}"
    return candidate


def _iter_of(expr: Expr, name: str) -> Iter:
    """The iterator as the expression has it, with its C type."""
    return next(e for e in walk(expr) if isinstance(e, Iter) and e.name == name)
