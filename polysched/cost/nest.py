"""One statement with the loops around it, as the model counts it."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator
from copy import copy
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from math import log2, prod
from operator import sub

from polysched.analysis import (
    Member,
    Reference,
    StrideClass,
    Vector,
    computed_bytes,
    fused_count,
    keeps_low_bits,
    operation_count,
    stride_classes,
)
from polysched.cost.chains import Link, carried_chain
from polysched.cost.lane_sums import adds_integers
from polysched.cost.nest_data import NestData
from polysched.ir import (
    MARK_LIFT,
    MARK_PACK,
    MARK_PARALLEL,
    Rolled,
    Statement,
    assignments,
    grouped_terms,
    held_lanes,
    is_whole,
    packed_iterators,
    promote,
)

MAX_GUARDED = 4  # copies in a body whose conditions compilers take out of the loop
MAX_ROWS = 64  # in lanes, whose data compilers keep in registers
MAX_TERMS = 27  # of a sum that registers hold
SIMPLE_OPERATIONS = 2.0  # of a statement whose body is unknown


@dataclass(frozen=True, eq=False)
class Nest(NestData):
    """A statement with its loops, what it computes in them, and what it touches.

    Attributes
    ----------
    waits : bool
        Whether an iteration of the innermost loop needs what the statement itself
        computed in an earlier one.
    is_versioned : bool
        Whether full tiles have a version of the loops around the innermost one, whose
        number of iterations is known there.
    mates : tuple of Reference
        Accesses with gaps of other statements that run for the same values.
    beside : tuple of Reference
        Their accesses to arrays that the statement touches as well.
    is_guarded : bool
        Whether other statements under the innermost band run at few of its iterations.
    is_scalar : bool
        Whether something that the innermost loop runs keeps it out of vector lanes.
    reads_ahead : bool
        Whether iterations of the innermost loop read what later ones change, and wait
        for each other in no other way.
    is_beside_sums : bool
        Whether iterations of the innermost loop wait for nothing but integers that
        other statements add up.
    n_wraps : int
        Remainders in subscripts of one instance that the innermost loop changes.
    link : Link or None
        What it adds to a ring of statements that iterations wait for.
    """

    waits: bool = True
    is_versioned: bool = False
    mates: tuple[Reference, ...] = ()
    beside: tuple[Reference, ...] = ()
    is_guarded: bool = False
    is_scalar: bool = False
    reads_ahead: bool = False
    is_beside_sums: bool = False
    n_wraps: int = 0
    link: Link | None = None

    def moved_to(self, members: tuple[Member, ...]) -> Nest:
        """The same loops on other paths; what is known of them stays known."""
        other = copy(self)
        object.__setattr__(other, "members", members)
        return other

    @cached_property
    def is_inner_parallel(self) -> bool:
        """Whether iterations of the innermost loop wait for none of each other."""
        if self.inner is None:
            return True
        member = self.members[self.inner]
        if member.coincident or member.is_vector or member.is_parallel:
            return True
        return self.is_beside_sums or self.adds_integers

    @cached_property
    def adds_integers(self) -> bool:
        """Whether the innermost loop adds up integers in a variable, see `lane_sums`.

        What an iteration computes first and keeps to itself is another term each time.
        """
        if self.inner is None or self.members[self.inner].coincident:
            return False  # each iteration has a variable
        terms = [(r, "1" if self._is_local(r) else c) for r, c in self._inner_classes]
        return adds_integers(self.statement, terms)

    @cached_property
    def is_vectorizable(self) -> bool:
        """Whether the innermost loop runs in vector lanes with profit."""
        if self.inner is None or self.is_scalar:
            return False
        if not self.is_inner_parallel and (self.copies > 1 or not self.reads_ahead):
            return False
        if self.statement.has_data_loops or scatters(self.statement):
            return False
        if self.is_guarded and self.copies > MAX_GUARDED:
            return False  # each copy asks whether the others run
        found = [(r, c) for r, c in self.inner_classes() if not self._is_row_held(r)]
        classes = [c for _, c in found]
        writes = [c for r, c in found if r.is_write]
        return "N" not in writes and classes.count("N") <= len(classes) // 2

    @cached_property
    def n_operations(self) -> float:
        """Arithmetic operations of one instance."""
        if not self.statement.body:
            return SIMPLE_OPERATIONS
        return float(sum(operation_count(action) for action in self.statement.body))

    @cached_property
    def n_fused(self) -> float:
        """Of these, additions that are one instruction with a multiplication."""
        return float(sum(map(fused_count, self.statement.body)))

    @cached_property
    def chain(self) -> float:
        """Operations of one iteration that the next one waits for."""
        writes = [c for r, c in self.inner_classes() if r.is_write]
        return 1.0 if "0" in writes else max(2.0, self.n_operations / 2)

    @cached_property
    def hands_on(self) -> bool:
        """Whether iterations of the innermost loop hand elements on in memory."""
        if self.inner is None or self.is_inner_parallel or not self.waits:
            return False
        return all(c != "0" for r, c in self.inner_classes() if r.is_write)

    def carried_chain(self, *, fused: bool) -> float | None:
        """Operations from the last iteration's element to this one's, if it is read."""
        along = None if self.inner is None else self.directions[self.inner]
        if along is None:
            return None
        found = carried_chain(self.statement, along, fused=fused)
        return None if found is None else max(1.0, found)

    @cached_property
    def _carried(self) -> frozenset[Reference]:
        """Reads of what the last iteration wrote: without copies, in a register."""
        along = None if self.inner is None else self.directions[self.inner]
        if along is None or self.copies > 1 or not self.hands_on:
            return frozenset()
        written = {
            (w.array, w.rows, tuple(map(sub, w.offsets, w.moves(along))))
            for w in self.references
            if w.is_write
        }
        return frozenset(
            r
            for r in self.references
            if not r.is_write and (r.array, r.rows, r.offsets) in written
        )

    @cached_property
    def lanes(self) -> int:
        """Elements of the vectors of a register tile, 0 where there is none."""
        return next((n for n in map(held_lanes, self.marks) if n), 0)

    @cached_property
    def element_bytes(self) -> int:
        """Size of what the statement computes with.

        C computes with bytes as `int`, but of sums, products and choices compilers
        compute no more bytes than are kept, and of others than values may take.
        """
        written = [r.array for r in self.references if r.is_write]
        if not written:
            return 8
        type_ = self.scop.array(written[0]).type
        if not keeps_low_bits(self.statement):
            known = None if type_.is_float else computed_bytes(self.statement)
            return max(known or promote(type_).n_bytes, type_.n_bytes)
        return max(self.scop.array(r.array).type.n_bytes for r in self.references)

    @property
    def n_conversions(self) -> float:
        """Loads and stores of one instance of integers shorter than is computed.

        None in sums along the lanes, for whose terms there are instructions.
        """
        if self.adds_integers:
            return 0.0
        size = self.element_bytes
        types = {r.array: self.scop.array(r.array).type for r in self.references}
        short = {a for a, t in types.items() if not t.is_float and t.n_bytes < size}
        found = {
            place
            for r, moved in self.inner_classes()
            if r.array in short and moved == "1"
            for place in self._touched(r)
        }
        return len(found) / self.copies

    @property
    def shares_lines(self) -> bool:
        """Whether threads write neighbours in one cache line at the same time.

        So they do where single iterations are handed out and neighbours lie in
        neighbouring iterations.
        """
        if self.shared is None:
            return False
        member, direction = self.members[self.shared], self.directions[self.shared]
        if direction is None or f"{MARK_PARALLEL}:dynamic" not in member.marks:
            return False
        return any(
            r.is_write and r.stride_class(direction) == "1" for r in self.references
        )

    def memory_operations(self) -> tuple[float, float]:
        """Loads and stores of one instance: to neighbours, and to far elements.

        What stays in place along the innermost loop stays in a register; copies that
        touch the same element share one operation. Short loops of full tiles have no
        more values than registers hold, see `_is_held`.
        """
        near: set[tuple[Hashable, ...]] = set()
        far: set[tuple[Hashable, ...]] = set()
        for reference, found in self.inner_classes():
            is_kept = self._is_held(reference) or reference in self._carried
            if found != "0" and not is_kept:
                is_far = found == "N" and self.is_vectorizable
                (far if is_far else near).update(self._touched(reference))
        return len(near) / self.copies, len(far) / self.copies

    def n_handed(self) -> float:
        """Loads, or stores, of one run of the innermost loop: elements it adds to.

        They stay in registers while it runs, and are in memory before and behind it.
        """
        kept = {
            place
            for reference, found in self.inner_classes()
            if reference.is_write and found == "0" and reference.rows
            for place in self._touched(reference)
        }
        return 0.0 if self.inner is None else float(len(kept))

    def n_stores(self) -> float:
        """Of the operations on neighbours, those that store."""
        stored = {
            place
            for reference, found in self.inner_classes()
            if reference.is_write and found != "0" and not self._is_held(reference)
            for place in self._touched(reference)
            if not (found == "N" and self.is_vectorizable)
        }
        return len(stored) / self.copies

    @property
    def n_spilled(self) -> float:
        """Loads and stores of one instance of what registers cannot hold.

        Compilers may add integers in any order, and load all terms of an unrolled sum
        first.
        """
        is_float = any(
            self.scop.array(r.array).type.is_float
            for r in self.references
            if r.is_write
        )
        if is_float or self.lanes or self.chains >= self.copies:
            return 0.0
        n_terms = self.memory_operations()[0] * self.copies
        return 2 * max(0.0, n_terms - MAX_TERMS) / self.copies

    def _is_held(self, reference: Reference) -> bool:
        """Whether vectors of a short innermost loop stay in registers from run to run.

        They do where the loop is unrolled, the loop around it does not move them, and
        nothing that is stored meanwhile might be they: private, or never written.
        """
        if not self._stays_around(reference):
            return False
        if self._is_row_held(reference):
            return True
        written = {w.array for s in self.scop.statements for w in s.writes}
        is_private = dict(self.stored).get(reference.array, 0) > 0
        return is_private or reference.array not in written

    def _stays_around(self, reference: Reference) -> bool:
        """Whether the loop around a short innermost one does not move a reference."""
        if not self.is_versioned or self.inner is None:
            return False
        around = [d for d in self.directions[: self.inner] if d is not None]
        return bool(around) and not any(reference.moves(around[-1]))

    def _is_row_held(self, reference: Reference) -> bool:
        """Whether it is in an array of its own while that loop runs, see `HeldRows`."""
        if self.inner_trips > MAX_ROWS:
            return False
        every = (*self.references, *self.beside)
        mates = [r for r in every if r.array == reference.array]
        return self._stays_around(reference) and (
            not any(r.is_write for r in mates) or all(map(self._stays_around, mates))
        )

    def _lies_in_registers(self, reference: Reference) -> bool:
        """Whether rows in lanes keep what it touches in registers as they go on."""
        is_short = self.is_versioned and self.inner_trips <= MAX_ROWS
        depth = dict(self.stored).get(reference.array)
        is_scalar = is_short and depth == len(self.members)
        return is_scalar or self._is_row_held(reference)

    @cached_property
    def _points(self) -> list[int]:
        """Positions of the loops within a register tile."""
        return [k for k, m in enumerate(self.members) if m.unrolled]

    @property
    def _lane(self) -> Vector | None:
        """How the lanes of a register tile move, which are its last loop."""
        return self.directions[self._points[-1]] if self._points else None

    def register_loads(self) -> float:
        """Loads of one instance in a register tile: vectors, and single values.

        Copies that stay along the lanes are loaded once for each row, the others once
        for each vector; what does not move inside the tile stays in registers. What is
        turned counts for its vectors and for as many exchanges as turn a square.
        """
        lane = self._lane
        total = 0.0
        seen = set()
        for reference, found in self.inner_classes():
            key = (reference.array, reference.rows, reference.offsets)
            if found == "0" or key in seen:
                continue
            seen.add(key)
            share = self._distinct(reference) / self.copies
            moves = lane is not None and any(reference.moves(lane))
            if moves and lane and reference.stride_class(lane) == "N":
                share *= 1 + log2(max(1, self.lanes))
            total += share / max(1, self.lanes) if moves else share
        return total

    @cached_property
    def is_turned(self) -> bool:
        """Whether lanes run across rows that another loop, of all far ones, runs along.

        The innermost one, or one within the tile.
        """
        lane = self._lane
        if not self.lanes or not lane:
            return False
        classes = self.inner_classes()
        far = [(r, c) for r, c in classes if r.stride_class(lane) == "N"]
        if not self._have_one_type(r.array for r, _ in far):
            return False
        if all(c == "1" for _, c in far):
            return bool(far)
        within = [d for d in map(self.directions.__getitem__, self._points[:-1]) if d]
        return all(c != "0" for r, c in classes if r.is_write) and any(
            all(r.stride_class(d) == "1" for r, _ in far) for d in within
        )

    @cached_property
    def is_scalar_tile(self) -> bool:
        """Whether a register tile has no vectors, and nothing is packed that helps.

        Its lanes read elements of another type that lie far apart, or several terms at
        a time.
        """
        if self.is_packed:
            return False
        lane = self._lane
        if max(map(grouped_terms, self.marks), default=1) > 1:
            return True
        if not lane:
            return False
        far = {r.array for r in self.references if r.stride_class(lane) == "N"}
        return bool(far) and not self._have_one_type(far)

    def _have_one_type(self, arrays: Iterable[str]) -> bool:
        """Whether elements are of the type that is written, as squares turn them."""
        written = {r.array for r in self.references if r.is_write}
        return len({self.scop.array(a).type for a in written.union(arrays)}) == 1

    @cached_property
    def has_whole_vectors(self) -> bool:
        """Whether vectors of the innermost loop begin at multiples of their length."""
        return any(map(is_whole, self.marks))

    @cached_property
    def is_lifted(self) -> bool:
        """Whether lanes are parts of a loop, and arrays lie in rows of them."""
        return bool(self.lanes) and any(m.startswith(MARK_LIFT) for m in self.marks)

    @property
    def lifted_operations(self) -> float:
        """Loads and stores of whole rows, for each row that is computed."""
        moving = [r for r in self.references if r.rows]
        rolled = next(filter(None, map(Rolled.of_mark, self.marks)), None)
        if rolled is not None:  # one row of an array is new, the others are kept
            return float(len({r.array for r in moving} - {*rolled.arrays}))
        touched = {place for r in moving for place in self._touched(r)}
        return len(touched) / self.copies

    @cached_property
    def is_packed(self) -> bool:
        """Whether what moves with the lanes is read from a packed copy."""
        return any(m.startswith(MARK_PACK) for m in self.marks)

    def passing_bytes(self, first: int, line_bytes: int, array: str | None) -> int:
        """The same without what lies in registers as the loops around go on."""
        passing = [r for r in self.references if not self._lies_in_registers(r)]
        if len(passing) == len(self.references):
            return self.footprint(first, line_bytes, array)
        return self.measure(first, line_bytes, array, passing)

    def inner_classes(self) -> list[tuple[Reference, StrideClass]]:
        """Each access, and how it moves with the innermost loop: 0, 1 or N."""
        return self._inner_classes

    @cached_property
    def _inner_classes(self) -> list[tuple[Reference, StrideClass]]:
        direction = None if self.inner is None else self.directions[self.inner]
        if direction is None:
            return [(r, "0") for r in self.references]
        moved = [(r, direction) for r in (*self.references, *self.mates)]
        copies = [
            (along, round(self.trips[k]))
            for k, member in enumerate(self.members)
            if member.unrolled and (along := self.directions[k]) is not None
        ]
        classes = stride_classes(moved, copies)
        return [
            (r, "0" if self._is_local(r) else "1" if self._is_turned(r) else c)
            for r, c in zip(self.references, classes, strict=False)
        ]

    def _is_turned(self, reference: Reference) -> bool:
        """Whether a copy has beside each other what the innermost loop reads."""
        return self._turned_at(reference) is not None

    def _turned_at(self, reference: Reference) -> int | None:
        """The first loop below such a copy; register tiles have their own account."""
        along = None if self.inner is None else self.directions[self.inner]
        if along is None or reference.is_write or self.lanes:
            return None
        used = {k for row in reference.rows for k, c in enumerate(row) if c}
        moving = [k for k, c in enumerate(along) if c]
        for position, member in enumerate(self.members):
            for name, packed in filter(None, map(packed_iterators, member.marks)):
                is_own = name == self.statement.name and used == set(packed)
                if is_own and moving == [packed[-1]]:
                    return position
        return None

    @cached_property
    def n_turned(self) -> float:
        """Elements that are put into such copies, for each instance."""
        found = 0.0
        for reference in dict.fromkeys(self.references):
            start = self._turned_at(reference)
            if start is not None:
                again = [
                    self.trips[k]
                    for k, d in enumerate(self.directions)
                    if k >= start and d is not None and not any(reference.moves(d))
                ]
                found += 1.0 / max(1.0, prod(again))
        return found

    def _is_local(self, reference: Reference) -> bool:
        """Whether an iteration of the innermost loop has a private copy of its own.

        Its elements are then at places that compilers know: variables like any other.
        """
        start = dict(self.stored).get(reference.array)
        return start is not None and self.inner is not None and start > self.inner

    def _touched(self, reference: Reference) -> Iterator[tuple[Hashable, ...]]:
        """The elements that the copies of the body touch by one access."""
        moves = [
            [tuple(n * m for m in reference.moves(direction)) for n in range(n_copies)]
            for k, member in enumerate(self.members)
            if member.unrolled and (direction := self.directions[k])
            for n_copies in [round(self.trips[k])]
        ]
        for shifts in product(*moves):
            place = tuple(map(sum, zip(reference.offsets, *shifts, strict=True)))
            yield reference.array, reference.rows, reference.is_write, place

    def _distinct(self, reference: Reference) -> float:
        """Different elements that the copies of the body touch."""
        distinct = 1.0
        for k, member in enumerate(self.members):
            direction = self.directions[k]
            if member.unrolled and direction and any(reference.moves(direction)):
                distinct *= self.trips[k]
        return distinct


def scatters(statement: Statement) -> bool:
    """Whether data decide where it writes, now here, now there."""
    return any(
        assign.target.is_chosen_by_data
        for action in statement.body
        for assign in assignments(action)
    )
