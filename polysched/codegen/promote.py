"""Copies of what a tile reads, made when the tile begins: marks become statements.

A mark ``pack:S1:1,2`` says that below it S1 reads each expression over its iterators 1
and 2 from a private buffer, in which iterator 2 is contiguous. Per run of the loops
outside the mark a copy statement fills the buffer, then the rest follows::

    for jt, kt:                         for jt, kt:
      mark pack:S1:1,2                    for k, j of the tile:
        for i, k, j of the tile:  ==>       q[k - kt][j - jt] = B[k][j]
          C[i][j] += A[i][k] * B[k][j]    for i, k, j of the tile:
                                            C[i][j] += A[i][k] * q[k - kt][j - jt]

A mark ``pack:S1:1,2:32`` asks for panels: 32 values of iterator 2 side by side, and all
rows of them one below the other, then the next 32. A register tile of that width then
reads one piece of memory from end to end, not a part of every row::

    for jt, kt:
      for p, k, j of the tile with p = j - j % 32:
        q[(p - jt) / 32][k - kt][j - p] = B[k][j]

A copy is right when nothing below the mark writes what was copied; isl decides it. What
is copied may be an expression (``alpha * A[i][k]``), which is then computed once, with
the same rounding, and may change the order of subscripts, so that vectors find
neighbours.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

import islpy as isl

from polysched.analysis import find_operands, find_overwritten
from polysched.base import CodegenError
from polysched.codegen.pack_dims import Wanted
from polysched.codegen.packed import PackedCopy, loads
from polysched.codegen.storage import Buffer
from polysched.ir import MARK_PACK, ScheduleTree, Scop
from polysched.sets import list_maps, list_sets, map_names, node_kind


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
    times : mapping of str to isl.Map
        For each copy statement, its instances to the loops around it.
    """

    scop: Scop
    tree: ScheduleTree
    buffers: tuple[Buffer, ...] = ()
    times: Mapping[str, isl.Map] = field(default_factory=dict)

    def sources(self, storage: Iterable[Buffer]) -> tuple[Buffer, ...]:
        """Storage of private arrays, with the places that copy statements read.

        Every copy is made inside of the loops that storage is made anew in: its mark is
        below all that writes there, or beside it.
        """
        found = []
        for buffer in storage:
            for name, time in self.times.items():
                reads = self.scop.statement(name).reads
                if any(a.array == buffer.array.name for a in reads):
                    buffer = buffer.seen_by(name, time)
            found.append(buffer)
        return tuple(found)


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
        mark, wanted = found
        name = _find_part(mark, wanted.statement, origin or {})
        done = _promote_one(done, mark, replace(wanted, statement=name))


def _find_part(mark: isl.ScheduleNode, name: str, origin: Mapping[str, str]) -> str:
    """The part of a statement that stands below a mark."""
    below = {s.get_tuple_name() for s in list_sets(mark.get_domain())}
    return next((p for p, s in origin.items() if s == name and p in below), name)


def _pack_marks(tree: ScheduleTree) -> Iterator[tuple[isl.ScheduleNode, Wanted]]:
    """Pack marks and what they say, the innermost of several first."""
    for _, node in reversed(list(tree.nodes())):
        if node_kind(node) != "mark":
            continue
        kind, *words = str(node.mark_get_id().get_name()).split(":")
        if kind == MARK_PACK:
            name, positions, *layout = words
            numbers = tuple(int(k) for k in positions.split(","))
            yield node, Wanted(name, numbers, *map(int, layout))


def _promote_one(done: Promoted, mark: isl.ScheduleNode, wanted: Wanted) -> Promoted:
    name = wanted.statement
    scop, statement = done.scop, done.scop.statement(name)
    iterators = tuple(statement.iterators[k] for k in wanted.positions)
    times = {
        map_names(m)[0]: m for m in list_maps(mark.get_prefix_schedule_union_map())
    }
    below = mark.child(0)
    buffers, copied_at = list(done.buffers), dict(done.times)
    copied = find_operands(statement, frozenset(iterators))
    if not copied:
        raise CodegenError(
            f"nothing to pack: {name} reads no expression of {', '.join(iterators)}"
        )
    filled = {b.array.name for b in done.buffers}  # of marks below, or beside
    for expr in copied:
        again = next((e for e in loads(expr) if e.array in filled), None)
        if again is not None:
            raise CodegenError(
                f"cannot pack {again.array}: it is a copy that is filled in the same "
                f"tile, {name} is packed there already"
            )
        copy = PackedCopy(scop, statement, expr, wanted, times[name])
        overwritten = find_overwritten(mark, scop, statement, expr)
        if overwritten is not None:
            raise CodegenError(
                f"cannot pack {overwritten}: what {name} reads is written in the same "
                "tile"
            )
        scop = copy.rewritten()
        buffers.append(copy.buffer())
        copied_at[copy.copy_name] = copy.copy_time()
        below = below.graft_before(copy.graft())
        statement = scop.statement(name)
    while not (node_kind(below) == "mark" and _is_same_mark(below, mark)):
        below = below.parent()
    tree = ScheduleTree(below.delete().get_schedule())
    return Promoted(scop, tree, tuple(buffers), copied_at)


def _is_same_mark(node: isl.ScheduleNode, mark: isl.ScheduleNode) -> bool:
    return bool(node.mark_get_id().get_name() == mark.mark_get_id().get_name())
