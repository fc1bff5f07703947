"""Arrays in rows of equal parts: neighbours become whole vectors.

A mark ``lift:250`` says that below it every array of one dimension that is longer than
that lies in an order of its own, element ``e`` at ``[e mod 250][floor(e / 250)]``. In
front of what is below the mark its elements are copied, and those that are written are
copied back behind it::

    mark lift:250                           for p, r: A_lifted[r][p] = A[250 * p + r]
      for t, r = i mod 250, p = i / 250:    for t, r, p:
        A[i] = ... A[i - 1]           ==>     A_lifted[r][p] = ... A_lifted[r - 1][p]
                                            for p, r: A[250 * p + r] = A_lifted[r][p]

Every access below the mark goes to the copies, each with the place that isl finds for
it: where parts meet, ``A_lifted[249][p - 1]``. (Henretty et al., CC 2011.)
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import islpy as isl

from polysched.analysis import load_relations
from polysched.base import AnalysisError, CodegenError
from polysched.codegen.linear import Offsets, StoragePlace
from polysched.codegen.storage import Buffer
from polysched.ir import (
    MARK_LIFT,
    MAX_COPY_BYTES,
    Access,
    Array,
    Assign,
    Const,
    Expr,
    Iter,
    Load,
    Rolled,
    ScheduleTree,
    Scop,
    Statement,
    action_expressions,
    map_action,
    walk,
)
from polysched.ir.types import INT
from polysched.sets import list_sets, node_kind

_LINE_BYTES = 64
_ZERO = Const(0, INT, "0")


@dataclass(frozen=True, eq=False)
class Lifted:
    """A SCoP whose statements access copies, and the tree that fills these.

    Attributes
    ----------
    scop : Scop
        With the copies, and the statements that fill and empty them.
    tree : ScheduleTree
        Without ``lift`` marks.
    buffers : tuple of Buffer
        One per copy.
    offsets : mapping of statement to mapping of (Load, position) to isl.PwAff
        What is subtracted from the subscripts of each load of a copy.
    """

    scop: Scop
    tree: ScheduleTree
    buffers: tuple[Buffer, ...] = ()
    offsets: Offsets = field(default_factory=dict)


def lift(scop: Scop, tree: ScheduleTree) -> Lifted:
    """Turn every ``lift`` mark of a tree into copies of arrays.

    Raises
    ------
    CodegenError
        If a mark stands inside a loop or above a part of a statement, or no array is
        of constant size and long enough, one is too large, or subscripts are not known.
    """
    done = Lifted(scop, tree)
    while True:
        mark = next(_lift_marks(done.tree), None)
        if mark is None:
            return done
        done = _lift_below(done, mark)


def _lift_marks(tree: ScheduleTree) -> Iterator[isl.ScheduleNode]:
    for _, node in tree.nodes():
        if node_kind(node) == "mark" and _size(node):
            yield node


def _size(mark: isl.ScheduleNode) -> int:
    kind, *words = str(mark.mark_get_id().get_name()).split(":")
    return int(words[0]) if kind == MARK_LIFT else 0


def _lift_below(done: Lifted, mark: isl.ScheduleNode) -> Lifted:
    scop, size = done.scop, _size(mark)
    if mark.get_schedule_depth():
        raise CodegenError("cannot lift arrays inside a loop")
    inside = [scop.statement(s.get_tuple_name()) for s in list_sets(mark.get_domain())]
    for statement in inside:
        domain = statement.domain.intersect_params(scop.context)
        if not isl.UnionSet.from_set(domain).is_subset(mark.get_domain()):
            raise CodegenError(f"cannot lift what a part of {statement.name} accesses")
    taken = {s.name for s in scop.statements} | {a.name for a in scop.arrays}
    copies = []
    for array in scop.arrays:
        copy = _copy(scop, array, inside, size, taken)
        if copy is not None:
            copies.append(copy)
    if not copies:
        raise CodegenError(
            "nothing to lift: no array of one dimension has a constant size above "
            f"{size} elements"
        )
    below, buffers = mark.child(0), list(done.buffers)
    offsets = dict(done.offsets)
    for copy in copies:
        scop, found = copy.rewritten(scop, {s.name for s in inside})
        for name, places in found.items():
            offsets[name] = {**offsets.get(name, {}), **places}
        below = below.graft_before(copy.graft(copy.into, copy.touched))
        if not copy.written.is_empty():
            below = below.graft_after(copy.graft(copy.back, copy.written))
        buffers.append(copy.buffer())
    while not (node_kind(below) == "mark" and _size(below) == size):
        below = below.parent()
    tree = ScheduleTree(below.delete().get_schedule())
    tree = _with_copies_rolled(tree, {copy.array.name: copy.name for copy in copies})
    return Lifted(scop, tree, tuple(buffers), offsets)


def _with_copies_rolled(tree: ScheduleTree, names: dict[str, str]) -> ScheduleTree:
    """The tree in which rolling loops keep copies where they kept arrays."""
    for path, node in tree.nodes():
        old = str(node.mark_get_id().get_name()) if node_kind(node) == "mark" else ""
        rolled = Rolled.of_mark(old)
        if rolled is not None:
            kept = tuple(names.get(array, array) for array in rolled.arrays)
            mark = isl.Id(replace(rolled, arrays=kept).mark, context=node.get_ctx())
            node = tree.node(path).delete().insert_mark(mark)
            tree = ScheduleTree(node.get_schedule())
    return tree


def _copy(
    scop: Scop, array: Array, inside: list[Statement], size: int, taken: set[str]
) -> _LiftedCopy | None:
    """The copy of an array, None if it is no vector of more than `size` elements."""
    if len(array.extents) != 1 or array.n_expanded or array.storage == "scop":
        return None
    if array.name in scop.looked_up:
        return None
    touched = isl.Set(f"{{ {array.name}[e] : false }}")
    written = touched
    for statement in inside:
        domain = statement.domain.intersect_params(scop.context)
        for access in statement.accesses:
            if access.array == array.name:
                elements = access.relation.intersect_domain(domain).range()
                touched = touched.union(elements)
                written = written.union(elements) if access.is_write else written
    declared = _declared(array)
    if array.storage == "parameter" and not touched.is_subset(declared):
        return None  # a pointer into the middle of an array
    touched, written = touched.intersect(declared), written.intersect(declared)
    last = touched.dim_max_val(0)
    if touched.is_empty() or not last.is_int() or last.to_python() < size:
        return None
    iterator = inside[0].iterators[-1]  # a name that means nothing else there
    name = _fresh(f"{array.name}_lifted", taken)
    into, back = _fresh("P0", taken), _fresh("P0", taken)
    n_parts = last.to_python() // size + 1
    copy = _LiftedCopy(
        array, name, into, back, iterator, size, n_parts, touched, written
    )
    if copy.n_bytes > MAX_COPY_BYTES:
        raise CodegenError(
            f"cannot lift {array.name}: {copy.n_bytes} bytes are more than "
            f"{MAX_COPY_BYTES}"
        )
    return copy


def _declared(array: Array) -> isl.Set:
    """The elements that an array has, as far as its declaration says.

    A function's array parameter has as many as the caller's, whatever it is declared.
    """
    (extent,) = array.extents
    bound = ""
    if isinstance(extent, Const) and array.storage != "parameter":
        bound = f" and e < {extent.value}"
    return isl.Set(f"{{ {array.name}[e] : e >= 0{bound} }}")


@dataclass(frozen=True, eq=False)
class _LiftedCopy:
    """One copied array.

    Attributes
    ----------
    array : Array
        What is copied.
    name, into, back : str
        Of the copy, and of the statements that fill and empty it.
    iterator : str
        Of these statements.
    size, n_parts : int
        Rows, and elements of a row.
    touched, written : isl.Set
        Elements of the array.
    """

    array: Array
    name: str
    into: str
    back: str
    iterator: str
    size: int
    n_parts: int
    touched: isl.Set
    written: isl.Set

    @property
    def n_bytes(self) -> int:
        return self.size * self.n_parts * self.array.type.n_bytes

    @property
    def place_map(self) -> isl.Map:
        """Elements of the array to those of the copy."""
        size = self.size
        return isl.Map(
            f"{{ {self.array.name}[e] -> {self.name}[e mod {size}, floor(e/{size})] }}"
        )

    def buffer(self) -> Buffer:
        sizes = self.size, self.n_parts
        return Buffer(self._array(), 0, (0, 1), sizes, {}, _LINE_BYTES)

    def _array(self) -> Array:
        return Array(
            self.name, self.array.type, (None, None), "scop", live_in=False,
            live_out=False,
        )  # fmt: skip

    def rewritten(self, scop: Scop, inside: set[str]) -> tuple[Scop, Offsets]:
        """The SCoP in which statements access the copy, and where its elements lie."""
        statements: list[Statement] = []
        offsets: dict[str, dict[StoragePlace, isl.PwAff]] = {}
        for statement in scop.statements:
            if statement.name in inside:
                offsets[statement.name] = dict(self._places(scop, statement))
                statement = self._with_copy(statement)
            statements.append(statement)
        for name, elements in ((self.into, self.touched), (self.back, self.written)):
            moving = self._copy_statement(name, elements)
            offsets[name] = dict(self._places(scop, moving))
            statements.append(self._with_copy_side(moving, is_target=name == self.into))
        arrays = (*scop.arrays, self._array())
        return replace(scop, statements=tuple(statements), arrays=arrays), offsets

    def _places(
        self, scop: Scop, statement: Statement
    ) -> Iterator[tuple[StoragePlace, isl.PwAff]]:
        """For each load of the array: what is subtracted from its two subscripts."""
        size = isl.Val(self.size)
        iterators, name = statement.iterators, statement.name
        for load in self._loads(statement):
            try:
                ((_, relation),) = load_relations(scop, load, iterators, name)
            except AnalysisError as error:
                raise CodegenError(f"cannot lift {self.array.name}: {error}") from error
            relation = relation.intersect_domain(statement.domain)
            element = isl.PwMultiAff.from_map(relation).get_pw_aff(0)
            part = element.scale_down_val(size).floor()
            lifted = self._element(load.subscripts[0])
            yield (lifted, 0), part.scale_val(size)
            yield (lifted, 1), part.neg()

    def _loads(self, statement: Statement) -> list[Load]:
        tops = (top for a in statement.body for top in action_expressions(a))
        found = {
            e
            for top in tops
            for e in walk(top)
            if isinstance(e, Load) and e.array == self.array.name
        }
        return sorted(found, key=str)

    def _element(self, subscript: Expr) -> Load:
        """Element of the copy before offsets: ``[e][0]``."""
        return Load(self.name, (subscript, _ZERO), self.array.type)

    def _change(self, expr: Expr) -> Expr | None:
        if isinstance(expr, Load) and expr.array == self.array.name:
            return self._element(expr.subscripts[0])
        return None

    def _with_copy(self, statement: Statement) -> Statement:
        body = tuple(map_action(a, self._change) for a in statement.body)
        accesses = tuple(map(self._moved, statement.accesses))
        return replace(statement, body=body, accesses=accesses)

    def _moved(self, access: Access) -> Access:
        if access.array != self.array.name:
            return access
        relation = access.relation.apply_range(self.place_map)
        return replace(access, array=self.name, relation=relation)

    def _copy_statement(self, name: str, elements: isl.Set) -> Statement:
        """``A[e] = A[e]``, of which one side is yet to become the copy."""
        domain = elements.set_tuple_name(name)
        one = isl.Map(f"{{ {name}[e] -> {self.array.name}[e] }}")
        one = one.intersect_domain(domain)
        load = Load(self.array.name, (Iter(self.iterator, INT),), self.array.type)
        accesses = (
            Access(self.array.name, "read", one),
            Access(self.array.name, "must_write", one),
        )
        body = (Assign(load, "=", load),)
        return Statement(name, (self.iterator,), domain, (0, 0), (1,), body, accesses)

    def _with_copy_side(self, statement: Statement, *, is_target: bool) -> Statement:
        (assign,) = statement.body
        assert isinstance(assign, Assign)
        lifted = self._element(assign.target.subscripts[0])
        read, write = statement.accesses
        if is_target:
            assign, write = replace(assign, target=lifted), self._moved(write)
        else:
            assign, read = replace(assign, value=lifted), self._moved(read)
        return replace(statement, body=(assign,), accesses=(read, write))

    def graft(self, name: str, elements: isl.Set) -> isl.ScheduleNode:
        """The subtree that moves elements, part by part."""
        domain = isl.UnionSet.from_set(elements.set_tuple_name(name))
        outside = isl.UnionSet("{ [] }")
        extension = isl.UnionMap.from_domain_and_range(outside, domain)
        node = isl.ScheduleNode.from_extension(extension)
        size = self.size
        members = (f"floor(e/{size})", f"e mod {size}")
        listed = ", ".join(f"{{ {name}[e] -> [({m})] }}" for m in members)
        partial = isl.MultiUnionPwAff(f"[{listed}]")
        return node.child(0).insert_partial_schedule(partial).parent()


def _fresh(stem: str, taken: set[str]) -> str:
    """A name that is not taken yet, and now is."""
    name, number = stem, 0
    while name in taken:
        number += 1
        name = f"{stem.rstrip('0')}{number}" if stem == "P0" else f"{stem}_{number}"
    taken.add(name)
    return name
