"""Structures of numbers, seen as rows of these numbers, one for each type."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby, product
from math import prod
from typing import Any

from polysched.frontend.declarations import (
    ArrayC,
    CType,
    PointerC,
    ScalarC,
    StructC,
)
from polysched.frontend.preprocess import check_syntax, preprocessor_flags, run_compiler
from polysched.frontend.source import SourceFile
from polysched.ir import ScalarType

Path = tuple[str, ...]


@dataclass(frozen=True)
class Place:
    """Where a member lies, and its elements if it is an array, or in one.

    Attributes
    ----------
    first : int
        Position of its first number.
    dims : tuple of Dim
        Of the arrays on the way to it and of its own, outermost first.
    """

    first: int
    dims: tuple[Dim, ...] = ()

    @property
    def n(self) -> int:
        """How many numbers it is."""
        return prod(d.count for d in self.dims)

    @property
    def end(self) -> int:
        """Position behind its last number."""
        return self.first + sum((d.count - 1) * d.step for d in self.dims) + 1

    def given(self, depth: int) -> tuple[Dim, ...]:
        """Dimensions whose subscripts stand behind one of so many names."""
        return tuple(d for d in self.dims if d.depth <= depth)

    def numbers(self, depth: int = 0) -> Iterator[tuple[tuple[int, ...], int]]:
        """Subscripts that stand behind further names, and the number's position."""
        inner = [d for d in self.dims if d.depth > depth]
        for indices in product(*(range(d.count) for d in inner)):
            moves = (k * d.step for k, d in zip(indices, inner, strict=True))
            yield indices, self.first + sum(moves)


@dataclass(frozen=True)
class Dim:
    """One subscript of a member.

    Attributes
    ----------
    depth : int
        How many names stand in front of it.
    count, step : int
        Elements, and how far apart they are.
    """

    depth: int
    count: int
    step: int


@dataclass(frozen=True)
class Layout:
    """Where members of one type lie in a structure that is seen as a row of numbers.

    Attributes
    ----------
    type : ScalarType
        Of all the numbers.
    places : mapping of tuple of str to Place
        Members, by the names that lead there.
    n : int
        Numbers of this type that the structure has room for.
    first, end : int
        The numbers that are these members lie from `first` to before `end`; what lies
        around them has other types.
    others : tuple of tuple of str
        Members of the structure that are no numbers.
    before : int
        Numbers in front of the first one in the structure as C has it.
    """

    type: ScalarType
    places: Mapping[Path, Place]
    n: int
    first: int
    end: int
    others: tuple[Path, ...] = ()
    before: int = 0

    @property
    def is_whole(self) -> bool:
        """Whether the structure holds nothing else."""
        return sum(place.n for place in self.places.values()) == self.n

    def inside(self, path: Path) -> list[Place]:
        """All members of a member that is a structure, or of the whole.

        Empty where the member is a number or a row of numbers.
        """
        inner = (p for p in self.places if p[: len(path)] == path and p != path)
        return [self.places[p] for p in inner]

    def alone(self) -> Layout:
        """Without what lies around the members, as a private structure may be."""
        places = {
            path: replace(place, first=place.first - self.first)
            for path, place in self.places.items()
        }
        n = self.end - self.first
        return Layout(self.type, places, n, 0, n, self.others, self.first)


@dataclass(frozen=True)
class Member:
    """Numbers in a structure; `type` is None for anything else.

    Attributes
    ----------
    path : tuple of str
        Names that lead there.
    type : ScalarType or None
    offset : int
        Bytes in front of the first one.
    dims : tuple of Dim
        As of `Place`; steps are bytes.
    array : tuple of str
        The array of structures that it is in, the innermost one.
    """

    path: Path
    type: ScalarType | None
    offset: int
    dims: tuple[Dim, ...] = ()
    array: Path = ()

    def place(self, n_bytes: int) -> Place:
        """Its place among numbers of so many bytes."""
        dims = (replace(d, step=d.step // n_bytes) for d in self.dims)
        return Place(self.offset // n_bytes, tuple(dims))

    def offset_facts(self, spelling: str) -> Iterator[str]:
        """What C has to say of the first and of the last number of a structure."""
        for at_end in {False, any(d.count > 1 for d in self.dims)}:
            words: list[str] = []
            for depth, name in enumerate(self.path, 1):
                own = [d for d in self.dims if d.depth == depth]
                indices = (d.count - 1 if at_end else 0 for d in own)
                words.append(name + "".join(f"[{k}]" for k in indices))
            offset = self.offset
            offset += sum(d.step * (d.count - 1) for d in self.dims) if at_end else 0
            text = ".".join(words)
            yield f"__builtin_offsetof({spelling}, {text}) == {offset}"


@dataclass(frozen=True)
class Members:
    """All that lies in a structure, as C lays it out.

    Attributes
    ----------
    list : tuple of Member
        In their order.
    n_bytes : int
        Size of the structure.
    """

    list: tuple[Member, ...]
    n_bytes: int

    def layouts(self) -> tuple[Layout, ...]:
        """One for each run of members of one type, without those that are no numbers.

        Raises
        ------
        NoLayout
            If there are none, or the structure's size is no multiple of a number's.
        """
        found = []
        others = tuple(m.path for m in self.list if m.type is None)
        for (type_, _), run in groupby(self.list, key=lambda m: (m.type, m.array)):
            if type_ is None:
                continue
            size = type_.n_bytes
            if self.n_bytes % size:
                raise NoLayout(f"its size is no multiple of its member {type_}")
            places = {m.path: m.place(size) for m in run}
            first = min(place.first for place in places.values())
            end = max(place.end for place in places.values())
            n = self.n_bytes // size
            found.append(Layout(type_, places, n, first, end, others))
        if not found:
            raise NoLayout("it has no members that are numbers")
        return tuple(found)


class NoLayout(Exception):  # noqa: N818  a verdict inside the room
    """Why a structure's members are no numbers at known places."""


def find_members(structure: StructC, fold: Callable[[Any], int | None]) -> Members:
    """The members of a structure, each at the next place that suits its type.

    Parameters
    ----------
    structure : StructC
        Its declaration.
    fold : callable
        Value of an extent, or None.

    Raises
    ------
    NoLayout
        If it has bit fields, or members of unknown size or that are volatile.
    """
    finder = _Finder(fold)
    n_bytes = finder.add(Member((), None, 0), structure)
    return Members(tuple(finder.found), n_bytes)


@dataclass
class _Finder:
    fold: Callable[[Any], int | None]
    found: list[Member] = field(default_factory=list)

    def add(self, where: Member, ctype: CType) -> int:
        """Put a member behind an offset; where it ends."""
        path = where.path
        offset = _rounded(where.offset, self._alignment(path, ctype))
        if isinstance(ctype, StructC):
            end = offset
            for name, inner in ctype.members:
                end = self.add(replace(where, path=(*path, name), offset=end), inner)
            return _rounded(end, self._alignment(path, ctype))
        sizes, element = self._sizes(path, ctype)
        width = step = self._size(path, element)
        dims: list[Dim] = []
        for size in reversed(sizes):
            dims.insert(0, Dim(len(path), size, step))
            step *= size
        here = replace(where, offset=offset, dims=(*where.dims, *dims))
        if isinstance(element, StructC):
            if prod(sizes):
                self.add(replace(here, array=path), element)
        else:
            type_ = element.type if isinstance(element, ScalarC) else None
            self.found.append(replace(here, type=type_))
        return offset + prod(sizes) * width

    def _sizes(self, path: Path, ctype: CType) -> tuple[list[int], CType]:
        """Extents of a member, and the type of its elements."""
        sizes = []
        while isinstance(ctype, ArrayC):
            count = self.fold(ctype.extent) if ctype.extent is not None else None
            if count is None:
                raise NoLayout(f"the size of its member {path[-1]!r} is no constant")
            sizes.append(count)
            ctype = ctype.element
        return sizes, ctype

    def _size(self, path: Path, ctype: CType) -> int:
        """Bytes of an element."""
        if isinstance(ctype, StructC):
            return _Finder(self.fold).add(Member(path, None, 0), ctype)
        return self._alignment(path, ctype)

    def _alignment(self, path: Path, ctype: CType) -> int:
        """Bytes of which C begins a member at a multiple."""
        match ctype:
            case StructC():
                if ctype.has_bits:
                    raise NoLayout("it has bit fields")
                inner = (self._alignment((*path, n), t) for n, t in ctype.members)
                return max(inner, default=1)
            case ArrayC():
                return self._alignment(path, ctype.element)
            case PointerC():
                return _POINTER_BYTES
            case ScalarC():
                if ctype.volatile:
                    raise NoLayout(f"its member {path[-1]!r} is volatile")
                return ctype.type.n_bytes
        raise NoLayout(f"its member {path[-1]!r} is no number and no row of numbers")


_POINTER_BYTES = 8  # as LP64 has it; the compiler is asked


def _rounded(n_bytes: int, alignment: int) -> int:
    """The next multiple."""
    return -(-n_bytes // alignment) * alignment


@dataclass
class SizeChecker:
    """Asks the compiler whether a type is laid out so: attributes may change that.

    Parameters
    ----------
    source : SourceFile
        The C file, in whose outermost scope the types are.
    flags : sequence of str
        As of `parse_c`.
    cc : str
        The C compiler.
    """

    source: SourceFile
    flags: Sequence[str]
    cc: str
    _known: dict[tuple[str, Members], bool] = field(default_factory=dict)

    def is_laid_out(self, spelling: str, members: Members) -> bool:
        """Whether a type that the file declares has its members where they should be.

        Raises
        ------
        FrontendError
            If the compiler refuses the file itself.
        """
        key = (spelling, members)
        if key not in self._known:
            self._known[key] = self._ask(spelling, members)
        return self._known[key]

    def _ask(self, spelling: str, members: Members) -> bool:
        path = os.path.abspath(self.source.path)
        quoted = path.replace("\\", "\\\\").replace('"', '\\"')
        facts = [f"sizeof({spelling}) == {members.n_bytes}"]
        facts += [f for m in members.list for f in m.offset_facts(spelling)]
        lines = [f'_Static_assert({fact}, "");' for fact in facts]
        text = "\n".join([f'#include "{quoted}"', *lines, ""])
        flags = preprocessor_flags(self.flags)
        arguments = ["-fsyntax-only", "-w", *flags, "-x", "c", "-"]
        if not run_compiler(self.cc, arguments, text.encode()).returncode:
            return True
        refused = check_syntax(self.source, self.flags, self.cc)
        if refused is not None:
            raise refused
        return False
