"""Which elements of a run are components of vectors."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from polysched.codegen.ctext import MULTIPLY, Names, Text, binary, identifiers
from polysched.codegen.cuda.arrays import DeviceArray
from polysched.codegen.expr import Bound, ExprPrinter
from polysched.codegen.linear import Linear
from polysched.ir import (
    Action,
    Assign,
    Binary,
    Expr,
    Guard,
    Load,
    Lookup,
    Select,
    Statement,
    action_expressions,
    inner_actions,
    map_action,
    own_expressions,
    walk,
)

VECTOR_BYTES = 16  # the longest load of a thread
HALF_LANES = 2  # of vectors of two bytes, which CUDA has no others of
COMPONENTS = "xyzw"

Placed = tuple[Statement, tuple[Linear, ...]]
_Row = frozenset[tuple[Text, int]]


@dataclass(frozen=True, eq=False)
class Vector:
    """Elements of an array, side by side and aligned.

    Attributes
    ----------
    device : DeviceArray
        Where they come from.
    name : str
        Of the variable.
    address : Linear
        Subscript of the first, over the run's loop.
    length : int
        How many; 1 for an element alone.
    is_read, is_written : bool
        Whether it is loaded in front, and stored behind.
    steps : tuple of int
        For each element the value of the run that touches it first.
    """

    device: DeviceArray
    name: str
    address: Linear
    length: int
    is_read: bool
    is_written: bool
    steps: tuple[int, ...]

    def component(self, position: int) -> str:
        """The text of one of its elements."""
        return f"{self.name}.{COMPONENTS[position]}" if self.length > 1 else self.name


@dataclass(frozen=True, eq=False)
class RunElements:
    """What a run's statements are with vectors.

    Attributes
    ----------
    vectors : tuple of Vector
        In order of their first use.
    statements : tuple of tuple of Statement
        For each value of the run its statements, components in place of elements.
    conditions : tuple of str
        When rows are aligned, where that is known at run time only.
    """

    vectors: tuple[Vector, ...]
    statements: tuple[tuple[Statement, ...], ...]
    conditions: tuple[str, ...]

    @property
    def length(self) -> int:
        """Values of the run."""
        return len(self.statements)


@dataclass(frozen=True)
class _Place:
    """An element: a row that all values of the run share, and a place in it."""

    array: str
    row: _Row
    weight: int  # of the loop's variable
    position: int


@dataclass(frozen=True, eq=False)
class _Use:
    """One access of one value of the run."""

    place: _Place
    step: int
    is_write: bool
    is_certain: bool


def find_elements(
    placed: Sequence[Placed],
    iterator: str,
    length: int,
    arrays: Mapping[str, DeviceArray],
    written: Collection[str],
    free: Names,
) -> RunElements:
    """The vectors of a whole run, and its statements with their components.

    Parameters
    ----------
    placed : sequence of (Statement, tuple of Linear)
        What the loop runs, and the values of iterators over the loop's variable.
    iterator : str
        That variable: a multiple of `length` where the run begins.
    length : int
        Values of the run.
    arrays : mapping of str to DeviceArray
        What lives in device memory.
    written : collection of str
        Arrays that the kernel writes: no compiler loads their elements before it has
        stored others, as pointers may be to the same place.
    free : Names
        Source of names.
    """
    finder = _Finder(iterator, length, arrays, written, _looked_up(placed))
    uses = [u for step in range(length) for u in finder.uses(placed, step)]
    starts = finder.choose(uses)
    first: dict[_Place, _Use] = {}
    for use in uses:
        first.setdefault(use.place, use)
    vectors: dict[_Place, Vector] = {}
    for start in dict.fromkeys(starts[u.place] for u in uses if u.place in starts):
        own = [first[place] for place, begin in starts.items() if begin == start]
        own.sort(key=lambda use: use.place.position)
        vectors[start] = Vector(
            arrays[start.array],
            free.take(f"{arrays[start.array].name}_run"),
            finder.address(start),
            len(own),
            is_read=not all(u.is_write for u in own),
            is_written=any(u.is_write and starts.get(u.place) == start for u in uses),
            steps=tuple(u.step for u in own),
        )
    components = {
        place: vectors[start].component(place.position - start.position)
        for place, start in starts.items()
    }
    statements = tuple(
        tuple(finder.rewrite(one, step, components) for one in placed)
        for step in range(length)
    )
    conditions = finder.conditions(vectors)
    return RunElements(tuple(vectors.values()), statements, conditions)


@dataclass
class _Finder:
    """Reads where elements lie."""

    iterator: str
    length: int
    arrays: Mapping[str, DeviceArray]
    written: Collection[str]
    stay: Collection[str]  # arrays of which elements are looked up
    pitches: dict[Text, Text] = field(default_factory=dict)  # that divide an atom
    orders: dict[_Row, tuple[Text, ...]] = field(default_factory=dict)  # as first seen

    def lanes(self, array: str) -> int:
        """Elements of an array's vectors, 1 for none."""
        type_ = self.arrays[array].type
        most = HALF_LANES if type_.is_half else VECTOR_BYTES // type_.n_bytes
        return min(self.length, most)

    def uses(self, placed: Sequence[Placed], step: int) -> Iterator[_Use]:
        """What one value of the run touches in device memory, in order."""
        for statement, values in placed:
            printer = _bind(statement, values)
            for load, is_write, is_certain in _accesses(statement.body):
                if load.array in self.arrays:
                    place = self._place(load, printer, step)
                    yield _Use(place, step, is_write, is_certain)

    def choose(self, uses: Sequence[_Use]) -> dict[_Place, _Place]:
        """Elements that are components, and the first element of their vector."""
        chosen: dict[_Place, _Place] = {}
        for array in dict.fromkeys(u.place.array for u in uses):
            own = [u for u in uses if u.place.array == array]
            if array in self.stay:
                continue
            if any(u.is_write for u in own):
                chosen |= self._choose_written(own)
                continue
            certain = [u.place for u in own if u.is_certain]
            chosen |= self._often(certain) | self._whole(set(certain))
        return chosen

    def _often(self, places: Sequence[_Place]) -> dict[_Place, _Place]:
        """What is loaded in front, alone: what several values of the run read.

        Of an array that the kernel writes elsewhere, all that the run reads.
        """
        counts = Counter(places)
        return {
            p: p
            for p, n in counts.items()
            if (n > 1 or p.array in self.written) and self._is_plain(p)
        }

    def _choose_written(self, uses: Sequence[_Use]) -> dict[_Place, _Place]:
        """All elements of an array that is written, or none."""
        places = {u.place for u in uses}
        owners = {(u.place, u.step) for u in uses}
        written = {u.place for u in uses if u.is_write}
        is_certain = all(u.is_certain for u in uses if u.is_write)
        in_one_row = len({(p.row, p.weight) for p in places}) == 1
        found = self._whole(written)
        if is_certain and in_one_row and len(owners) == len(places) == len(found):
            return found
        return {}

    def _whole(self, places: set[_Place]) -> dict[_Place, _Place]:
        """The elements of whole, aligned vectors."""
        found: dict[_Place, _Place] = {}
        for place in places:
            n = self.lanes(place.array)
            if not self._is_aligned(place, n):
                continue
            first = place.position - place.position % n
            vector = [replace(place, position=first + k) for k in range(n)]
            if places.issuperset(vector):
                found[place] = vector[0]
        return found

    def _is_aligned(self, place: _Place, n: int) -> bool:
        """Whether a place's row begins at a multiple of so many elements, two or more.

        Allocations begin at such a multiple, pointers to a part of one may not.
        """
        device = self.arrays[place.array]
        is_moved = device.begins_below or any(device.firsts)
        if is_moved or not device.lasts or n == 1 or not self._is_plain(place):
            return False
        return all(w % n == 0 or atom in self.pitches for atom, w in place.row)

    def _is_plain(self, place: _Place) -> bool:
        """Whether the loop's variable moves a place by its weight alone."""
        names = (identifiers(atom.text) for atom, _ in place.row)
        return not any(self.iterator in found for found in names)

    def conditions(self, vectors: Mapping[_Place, Vector]) -> tuple[str, ...]:
        """When rows begin at such multiples."""
        found = {
            aligned_when(self.pitches[atom], n)
            for place in vectors
            for n in [vectors[place].length]
            for atom, weight in place.row
            if weight % n and atom in self.pitches
        }
        return tuple(sorted(found))

    def rewrite(
        self, placed: Placed, step: int, components: Mapping[_Place, str]
    ) -> Statement:
        """A statement with components in place of elements."""
        statement, values = placed
        printer = _bind(statement, values)

        def change(expr: Expr) -> Expr | None:
            if not isinstance(expr, Load) or expr.array not in self.arrays:
                return None
            name = components.get(self._place(expr, printer, step))
            return None if name is None else Load(name, (), expr.type)

        body = tuple(map_action(action, change) for action in statement.body)
        return replace(statement, body=body)

    def _place(self, load: Load, printer: ExprPrinter, step: int) -> _Place:
        address = self._subscript(load, printer)
        loop = Text(self.iterator)
        row = frozenset((atom, w) for atom, w in address.terms if atom != loop)
        weight = dict(address.terms).get(loop, 0)
        self.orders.setdefault(row, tuple(a for a, _ in address.terms if a != loop))
        return _Place(load.array, row, weight, address.constant + weight * step)

    def _subscript(self, load: Load, printer: ExprPrinter) -> Linear:
        """The one subscript of an element in device memory."""
        *leading, last = [printer.index(s) for s in load.subscripts] or [Linear()]
        total = last
        for value, size in zip(leading, self.arrays[load.array].pitches, strict=True):
            pitch = printer.index(size)
            if pitch.is_constant:
                total = total.plus(value.times(pitch.constant))
            elif value != Linear():
                product = binary("*", value.to_text(), pitch.to_text())
                self.pitches[product] = pitch.to_text()
                total = total.plus(Linear.atom(product))
        return total

    def address(self, place: _Place) -> Linear:
        """The subscript of a place, over the loop's variable."""
        weights = dict(place.row)
        terms = tuple((atom, weights[atom]) for atom in self.orders[place.row])
        total = Linear(terms, place.position)
        return total.plus(Linear.atom(Text(self.iterator)), place.weight)


def aligned_when(pitch: Text, n: int) -> str:
    """The question whether rows begin at multiples of so many elements."""
    return f"{pitch.at_least(MULTIPLY)} % {n} == 0"


def _looked_up(placed: Sequence[Placed]) -> set[str]:
    return {
        e.array
        for statement, _ in placed
        for action in statement.body
        for top in action_expressions(action)
        for e in walk(top)
        if isinstance(e, Lookup)
    }


def _bind(statement: Statement, values: tuple[Linear, ...]) -> ExprPrinter:
    pairs = zip(statement.iterators, values, strict=True)
    return ExprPrinter(iterators={name: Bound(value) for name, value in pairs})


def _accesses(
    body: tuple[Action, ...], is_certain: bool = True
) -> Iterator[tuple[Load, bool, bool]]:
    """Loads and stores as they come: the element, is it stored, is it whatever data."""
    for action in body:
        match action:
            case Assign(target, op, value):
                yield from _reads(value, is_certain)
                if op != "=":
                    yield target, False, is_certain
                yield target, True, is_certain
            case Guard(cond, _, _):
                yield from _reads(cond, is_certain)
            case _:
                for expr in own_expressions(action):
                    yield from _reads(expr, False)
        yield from _accesses(inner_actions(action), False)


def _reads(expr: Expr, is_certain: bool) -> Iterator[tuple[Load, bool, bool]]:
    match expr:
        case Load():
            yield expr, False, is_certain
        case Select(cond, then, other):
            yield from _reads(cond, is_certain)
            yield from _reads(then, False)
            yield from _reads(other, False)
        case Binary("&&" | "||", left, right):
            yield from _reads(left, is_certain)
            yield from _reads(right, False)
        case _:
            for operand in expr.operands:
                yield from _reads(operand, is_certain)
