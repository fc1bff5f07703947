"""One copied operand: its buffer, and who fills and who reads it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import prod

import islpy as isl

from polysched.analysis import load_relations
from polysched.base import CodegenError
from polysched.codegen.pack_dims import Wanted
from polysched.codegen.storage import Buffer
from polysched.codegen.window import constant_size, find_window
from polysched.ir import (
    MAX_COPY_BYTES,
    Access,
    Array,
    Assign,
    Binary,
    Const,
    Expr,
    Iter,
    Load,
    ScalarType,
    Scop,
    Statement,
    map_expr,
    promote,
    range_of,
    range_of_type,
    walk,
)
from polysched.ir.types import INT, SCHAR, SHORT, UCHAR

_GROUPED = {4: (SCHAR, UCHAR), 2: (SHORT,)}  # elements of a group, by their number
_BAD_ROW_BYTES = 512  # rows a multiple of this apart compete for few cache sets
_LINE_BYTES = 64
_TURNED = 8  # elements of a row that are copied into a column at a time


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
        """Dimensions of the buffer, those of panels and groups among them."""
        return len(self.wanted.dims)

    @property
    def array(self) -> Array:
        """The buffer, expanded by the loops around the mark.

        What is shorter than `int` is copied as `int`, as C computes with it; what is in
        groups as the shortest type that holds it.
        """
        load = next(e for e in loads(self.expr) if e.subscripts)
        name = _fresh(f"{load.array}_packed", {a.name for a in self.scop.arrays})
        return Array(
            name, self._element_type, (None,) * self.n_dim, "scop",
            live_in=False, live_out=False, n_expanded=self.n_outer,
        )  # fmt: skip

    @property
    def _element_type(self) -> ScalarType:
        wanted = self.wanted
        if not wanted.terms:
            return promote(self.expr.dtype)
        values = range_of(self._shifted, self.scop.known_ranges)
        for type_ in _GROUPED[wanted.terms]:
            if values is not None and range_of_type(type_).holds(values):
                return type_
        raise CodegenError(
            f"cannot pack {wanted.terms} values side by side in 4 bytes: "
            f"{wanted.statement} reads more than they hold"
        )

    @property
    def _shifted(self) -> Expr:
        """What the copy holds."""
        return self._plus(self.expr, self.wanted.shift)

    def _plus(self, expr: Expr, number: int) -> Expr:
        if not number:
            return expr
        amount = Const(abs(number), INT, str(abs(number)))
        return Binary("+" if number > 0 else "-", expr, amount)

    @property
    def copy_name(self) -> str:
        return _fresh("P0", {s.name for s in self.scop.statements})

    def rewritten(self) -> Scop:
        """The SCoP whose statement reads the buffer, with the copy statement."""
        array, statement = self.array, self.statement
        load = self._element(array, tuple(_zero() for _ in range(self.n_outer)))
        value = self._plus(load, -self.wanted.shift)

        def change(expr: Expr) -> Expr | None:
            return value if expr == self.expr else None

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
        """One element of the buffer; offsets tell its panel and group."""
        inner = (
            _zero()
            if dim.kind == "number"
            else _iter_of(self.expr, self.iterators[dim.iterator])
            for dim in self.wanted.dims
        )
        return Load(array.name, (*outer, *inner), array.type)

    @property
    def _places(self) -> str:
        """The subscripts behind those of the loops around the mark, for isl."""
        dims = self.wanted.dims
        return ", ".join(dim.place(self.iterators[dim.iterator]) for dim in dims)

    def _accesses_of(self, body: Assign) -> Iterator[Access]:
        """The accesses of the statement without the reads that copies replace."""
        statement = self.statement
        left = {*walk(body.value), *walk(body.target)}
        written = [a.relation for a in statement.accesses if a.is_write]
        copied = self._reads(statement.iterators, statement.name)
        lost = [
            relation.intersect_domain(statement.domain)
            for load, relation in copied
            if load not in left
        ]
        lost = [r for r in lost if not any(r.is_equal(w) for w in written)]
        for access in statement.accesses:
            if access.is_write or not any(access.relation.is_equal(r) for r in lost):
                yield access

    def _reads(
        self, iterators: tuple[str, ...], instance: str
    ) -> Iterator[tuple[Load, isl.Map]]:
        """The loads of what is copied."""
        return load_relations(
            self.scop, self.expr, iterators, instance, with_quotients=True
        )

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
            for load, relation in self._reads(iterators, name)
        ]
        accesses.append(
            Access(array.name, "must_write", write.intersect_domain(domain))
        )
        n = len(iterators)
        return Statement(
            name, iterators, domain, (0,) * (n + 1), (1,) * n,
            (Assign(target, "=", self._shifted),), tuple(accesses),
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
        if self.wanted.panel and (n := self.wanted.terms):
            *others, inner = others
            loops = [*others, f"{n}*floor({inner}/{n})", last, inner]
        elif along in others:
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
        dims, width = self.wanted.dims, self.wanted.panel
        sizes = [dim.n_values(*windows[dim.iterator]) for dim in dims]
        is_bad = sizes[-1] * array.type.n_bytes % _BAD_ROW_BYTES == 0
        if is_bad and not width and len(sizes) > 1:
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
        terms = self.wanted.terms
        return Buffer(
            array, n, kept, tuple(sizes), offsets, _LINE_BYTES,
            panel=width, terms=terms, shift=self.wanted.shift,
            starts_as_zero=bool(terms) and not self._fills_groups(),
        )  # fmt: skip

    def _fills_groups(self) -> bool:
        """Whether every group that is touched holds a value in each place."""
        n, position = self.wanted.terms, len(self.iterators) - 1
        position -= bool(self.wanted.panel)
        seen = _only(self._elements(), position)
        first, last = (
            isl.PwMultiAff.from_map(end).get_pw_aff(0).mod_val(isl.Val(n))
            for end in (seen.lexmin(), seen.lexmax())
        )
        past = last.max_val(), last.min_val()
        return first.max_val().is_zero() and all(v == isl.Val(n - 1) for v in past)

    def _window(self, position: int) -> tuple[isl.PwAff, int]:
        """First value of an iterator in one run of the mark, and how many it has."""
        seen = _only(self._elements(), position)
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
        values = [isl.PwAff(f"{{ {instance} -> [({i})] }}") for i in self.iterators]
        return [
            dim.offset(values[dim.iterator], firsts[dim.iterator])
            for dim in self.wanted.dims
        ]

    def _instance(self) -> str:
        """An instance of the copy statement, as isl reads it."""
        return f"{self.copy_name}[{', '.join((*self._outer(), *self.iterators))}]"

    def copy_time(self) -> isl.Map:
        """Instances of the copy statement to the loops around the mark."""
        return isl.Map(f"{{ {self._instance()} -> [{', '.join(self._outer())}] }}")


def _only(elements: isl.Map, position: int) -> isl.Map:
    """Times to one of the values of an element."""
    n = elements.dim(isl.dim_type.out)
    seen = elements.project_out(isl.dim_type.out, position + 1, n - position - 1)
    return seen.project_out(isl.dim_type.out, 0, position)


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
