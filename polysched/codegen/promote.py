"""Copies of what a tile reads, made when the tile begins: marks become statements.

A mark ``pack:S1:1,2`` says that below it S1 reads each expression over its iterators 1
and 2 from a private buffer, in which iterator 2 is contiguous. Per run of the loops
outside the mark a copy statement fills the buffer, then the rest follows::

    for jt, kt:                         for jt, kt:
      mark pack:S1:1,2                    for k, j of the tile:
        for i, k, j of the tile:  ==>       q[k - kt][j - jt] = B[k][j]
          C[i][j] += A[i][k] * B[k][j]    for i, k, j of the tile:
                                            C[i][j] += A[i][k] * q[k - kt][j - jt]

A copy is right when nothing below the mark writes what was copied; isl decides it. What
is copied may be an expression (``alpha * A[i][k]``), which is then computed once, with
the same rounding, and may change the order of subscripts, so that vectors find
neighbours.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from math import prod

import islpy as isl

from polysched.analysis import find_operands, find_overwritten, load_relations
from polysched.base import CodegenError
from polysched.codegen.storage import Buffer
from polysched.codegen.window import constant_size, find_window
from polysched.ir import (
    MARK_PACK,
    Access,
    Array,
    Assign,
    Const,
    Expr,
    Iter,
    Load,
    ScheduleTree,
    Scop,
    Statement,
    map_expr,
    walk,
)
from polysched.ir.types import INT
from polysched.sets import list_maps, list_sets, map_names, node_kind

_BAD_ROW_BYTES = 512  # rows a multiple of this apart compete for few cache sets
_LINE_BYTES = 64
_MAX_BYTES = 1 << 20  # of one buffer; it lives on the stack


@dataclass(frozen=True, eq=False)
class Promoted:
    """A SCoP with its copy statements, their place in the tree, and their storage.

    Attributes
    ----------
    scop : Scop
        Reads the buffers.
    tree : ScheduleTree
        Without ``pack`` marks.
    buffers : tuple of Buffer
        One per copy.
    """

    scop: Scop
    tree: ScheduleTree
    buffers: tuple[Buffer, ...] = ()


def promote(
    scop: Scop, tree: ScheduleTree, origin: Mapping[str, str] | None = None
) -> Promoted:
    """Turn every ``pack`` mark of a tree into copy statements and buffers.

    Marks name a statement of the user; `origin` says which statements are parts of
    one, see `name_parts`.

    Raises
    ------
    CodegenError
        If a copy would miss what is written below its mark, there is nothing that the
        mark means, or a buffer has no constant size.
    """
    done = Promoted(scop, tree)
    while True:
        found = next(_pack_marks(done.tree), None)
        if found is None:
            return done
        mark, name, positions = found
        name = _find_part(mark, name, origin or {})
        done = _promote_one(done, mark, name, positions)


def _find_part(mark: isl.ScheduleNode, name: str, origin: Mapping[str, str]) -> str:
    """The part of a statement that stands below a mark."""
    below = {s.get_tuple_name() for s in list_sets(mark.get_domain())}
    return next((p for p, s in origin.items() if s == name and p in below), name)


def _pack_marks(
    tree: ScheduleTree,
) -> Iterator[tuple[isl.ScheduleNode, str, tuple[int, ...]]]:
    """Pack marks, the innermost of several first: node, statement, iterators."""
    for _, node in reversed(list(tree.nodes())):
        if node_kind(node) != "mark":
            continue
        kind, *words = str(node.mark_get_id().get_name()).split(":")
        if kind == MARK_PACK:
            name, positions = words
            yield node, name, tuple(int(k) for k in positions.split(","))


def _promote_one(
    done: Promoted, mark: isl.ScheduleNode, name: str, positions: tuple[int, ...]
) -> Promoted:
    scop, statement = done.scop, done.scop.statement(name)
    iterators = tuple(statement.iterators[k] for k in positions)
    times = {
        map_names(m)[0]: m for m in list_maps(mark.get_prefix_schedule_union_map())
    }
    below = mark.child(0)
    buffers = list(done.buffers)
    copied = find_operands(statement, frozenset(iterators))
    if not copied:
        raise CodegenError(
            f"nothing to pack: {name} reads no expression of {', '.join(iterators)}"
        )
    filled = {b.array.name for b in done.buffers}  # of marks below, or beside
    for expr in copied:
        again = next((e for e in _loads(expr) if e.array in filled), None)
        if again is not None:
            raise CodegenError(
                f"cannot pack {again.array}: it is a copy that is filled in the same "
                f"tile, {name} is packed there already"
            )
        copy = _Copy(scop, statement, expr, positions, times[name])
        overwritten = find_overwritten(mark, scop, statement, expr)
        if overwritten is not None:
            raise CodegenError(
                f"cannot pack {overwritten}: what {name} reads is written in the same "
                "tile"
            )
        scop = copy.rewritten()
        buffers.append(copy.buffer())
        below = below.graft_before(copy.graft())
        statement = scop.statement(name)
    while not (node_kind(below) == "mark" and _is_same_mark(below, mark)):
        below = below.parent()
    tree = ScheduleTree(below.delete().get_schedule())
    return Promoted(scop, tree, tuple(buffers))


def _loads(expr: Expr) -> Iterator[Load]:
    return (e for e in walk(expr) if isinstance(e, Load))


def _is_same_mark(node: isl.ScheduleNode, mark: isl.ScheduleNode) -> bool:
    return bool(node.mark_get_id().get_name() == mark.mark_get_id().get_name())


@dataclass(frozen=True, eq=False)
class _Copy:
    """One copied expression.

    Attributes
    ----------
    scop, statement : Scop, Statement
        Before the rewriting.
    expr : Expr
        What is copied.
    positions : tuple of int
        Iterators of the statement that index the buffer, the contiguous one last.
    time : isl.Map
        Instances of the statement to the loops around the mark.
    """

    scop: Scop
    statement: Statement
    expr: Expr
    positions: tuple[int, ...]
    time: isl.Map

    @property
    def n_outer(self) -> int:
        """Loops around the mark."""
        return int(self.time.dim(isl.dim_type.out))

    @property
    def iterators(self) -> tuple[str, ...]:
        return tuple(self.statement.iterators[k] for k in self.positions)

    @property
    def array(self) -> Array:
        """The buffer, expanded by the loops around the mark."""
        load = next(e for e in _loads(self.expr) if e.subscripts)
        name = _fresh(f"{load.array}_packed", {a.name for a in self.scop.arrays})
        return Array(
            name, self.expr.dtype, (None,) * len(self.positions), "scop",
            live_in=False, live_out=False, n_expanded=self.n_outer,
        )  # fmt: skip

    @property
    def copy_name(self) -> str:
        return _fresh("P0", {s.name for s in self.scop.statements})

    def rewritten(self) -> Scop:
        """The SCoP whose statement reads the buffer, with the copy statement."""
        array, statement = self.array, self.statement
        load = Load(
            array.name,
            (
                *(Const(0, INT, "0") for _ in range(self.n_outer)),
                *(_iter_of(self.expr, name) for name in self.iterators),
            ),
            array.type,
        )

        def change(expr: Expr) -> Expr | None:
            return load if expr == self.expr else None

        (assign,) = statement.body
        assert isinstance(assign, Assign)
        body = replace(assign, value=map_expr(assign.value, change))
        relation = self.time.flat_range_product(self._index_map())
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

    def _index_map(self) -> isl.Map:
        """Instances of the statement to the values of the buffer's iterators."""
        names = ", ".join(self.statement.iterators)
        kept = ", ".join(self.iterators)
        return isl.Map(f"{{ {self.statement.name}[{names}] -> [{kept}] }}")

    def _elements(self) -> isl.Map:
        """Times to the copied elements, by the values of the buffer's iterators."""
        domain = self.statement.domain.intersect_params(self.scop.context)
        time = self.time.intersect_domain(domain)
        seen = time.reverse().apply_range(self._index_map()).coalesce()
        hull = isl.Map.from_basic_map(seen.simple_hull())
        return hull if hull.is_equal(seen) else seen

    def _outer(self) -> tuple[str, ...]:
        taken = set(self.statement.iterators) | {p.name for p in self.scop.parameters}
        return tuple(_fresh(f"tile{k}", taken) for k in range(self.n_outer))

    def _copy_statement(self) -> Statement:
        array, name = self.array, self.copy_name
        iterators = (*self._outer(), *self.iterators)
        domain = self._elements().wrap().flatten().set_tuple_name(name)
        target = Load(
            array.name,
            (
                *(Iter(t) for t in self._outer()),
                *(_iter_of(self.expr, i) for i in self.iterators),
            ),
            array.type,
        )
        inner = f"{name}[{', '.join(iterators)}]"
        write = isl.Map(f"{{ {inner} -> {array.name}[{', '.join(iterators)}] }}")
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
        iterators = (*self._outer(), *self.iterators)
        elements = self._elements()
        n = self.n_outer
        wrapped = isl.Map.from_domain_and_range(
            elements.domain(), elements.wrap().flatten()
        )
        for k in range(n):
            wrapped = wrapped.equate(isl.dim_type.in_, k, isl.dim_type.out, k)
        wrapped = wrapped.set_tuple_name(isl.dim_type.out, name)
        node = isl.ScheduleNode.from_extension(isl.UnionMap.from_map(wrapped))
        inner = f"{name}[{', '.join(iterators)}]"
        members = ", ".join(f"{{ {inner} -> [({i})] }}" for i in self.iterators)
        partial = isl.MultiUnionPwAff(f"[{members}]")
        return node.child(0).insert_partial_schedule(partial).parent()

    def buffer(self) -> Buffer:
        """Storage of constant size for one run of the loops around the mark."""
        array, n = self.array, self.n_outer
        elements = self._elements()
        names = {self.statement.name: self.time, self.copy_name: self._copy_time()}
        sizes: list[int] = []
        offsets: dict[str, dict[int, isl.PwAff]] = {s: {} for s in names}
        for k in range(len(self.positions)):
            seen = elements.project_out(
                isl.dim_type.out, k + 1, len(self.positions) - k - 1
            ).project_out(isl.dim_type.out, 0, k)
            window = find_window(seen, self.scop.context)
            size = None if window is None else constant_size(window.size)
            if window is None or size is None:
                raise CodegenError(
                    f"cannot pack {array.name}: {self.iterators[k]} has no constant "
                    "range in a tile"
                )
            sizes.append(size)
            for name, time in names.items():
                at = isl.PwMultiAff.from_map(time)
                offsets[name][n + k] = window.first.pullback_pw_multi_aff(at)
        if sizes[-1] * array.type.n_bytes % _BAD_ROW_BYTES == 0 and len(sizes) > 1:
            sizes[-1] += _LINE_BYTES // array.type.n_bytes
        kept = tuple(range(n, n + len(sizes)))
        if prod(sizes) * array.type.n_bytes > _MAX_BYTES:
            raise CodegenError(
                f"cannot pack {array.name}: {prod(sizes) * array.type.n_bytes} bytes "
                f"are more than {_MAX_BYTES}",
                hint="smaller tiles around the mark need less",
            )
        return Buffer(array, n, kept, tuple(sizes), offsets, alignment=_LINE_BYTES)

    def _copy_time(self) -> isl.Map:
        """Instances of the copy statement to the loops around the mark."""
        iterators = (*self._outer(), *self.iterators)
        inner = f"{self.copy_name}[{', '.join(iterators)}]"
        return isl.Map(f"{{ {inner} -> [{', '.join(self._outer())}] }}")


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
