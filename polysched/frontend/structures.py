"""Structures of numbers, seen as rows of these numbers, one for each type."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
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
class Layout:
    """Where members of one type lie in a structure that is seen as a row of numbers.

    Attributes
    ----------
    type : ScalarType
        Of all the numbers.
    places : mapping of tuple of str to (int, int or None)
        Members, by the names that lead there, to their first number and, for arrays,
        how many they are.
    n : int
        Numbers of this type that the structure has room for.
    first, end : int
        The numbers that are these members lie from `first` to before `end`; what lies
        around them has other types.
    others : tuple of tuple of str
        Members of the structure that are no numbers.
    """

    type: ScalarType
    places: Mapping[Path, tuple[int, int | None]]
    n: int
    first: int
    end: int
    others: tuple[Path, ...] = ()

    @property
    def is_whole(self) -> bool:
        """Whether the structure holds nothing else."""
        return self.end - self.first == self.n

    def numbers(self, path: Path) -> list[int]:
        """Positions of all numbers of a member that is a structure, or of the whole.

        Empty where the member is a number or a row of numbers.
        """
        inside = [p for p in self.places if p[: len(path)] == path and p != path]
        found = [self.places[p] for p in inside]
        return [k for first, n in found for k in range(first, first + (n or 1))]

    def alone(self) -> Layout:
        """Without what lies around the members, as a private structure may be."""
        places = {p: (k - self.first, n) for p, (k, n) in self.places.items()}
        n = self.end - self.first
        return Layout(self.type, places, n, 0, n, self.others)


@dataclass(frozen=True)
class Member:
    """A number of a structure, or a row of them; `type` is None for anything else."""

    path: Path
    type: ScalarType | None
    offset: int
    count: int | None = None

    @property
    def n(self) -> int:
        """How many numbers it is."""
        return 1 if self.count is None else self.count


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
        for type_, run in groupby(self.list, key=lambda m: m.type):
            members = tuple(run)
            if type_ is None:
                continue
            size = type_.n_bytes
            if self.n_bytes % size:
                raise NoLayout(f"its size is no multiple of its member {type_}")
            places = {m.path: (m.offset // size, m.count) for m in members}
            last = members[-1]
            end = last.offset // size + last.n
            first = members[0].offset // size
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
    n_bytes = finder.add((), structure, 0)
    return Members(tuple(finder.found), n_bytes)


@dataclass
class _Finder:
    fold: Callable[[Any], int | None]
    found: list[Member] = field(default_factory=list)

    def add(self, path: Path, ctype: CType, offset: int) -> int:
        """Put a member behind an offset; where it ends."""
        offset = _rounded(offset, self._alignment(path, ctype))
        if isinstance(ctype, StructC):
            end = offset
            for name, inner in ctype.members:
                end = self.add((*path, name), inner, end)
            return _rounded(end, self._alignment(path, ctype))
        sizes, element = self._sizes(path, ctype)
        width = self._size(path, element)
        if isinstance(element, ScalarC) and len(sizes) < 2:
            count = sizes[0] if sizes else None
            self.found.append(Member(path, element.type, offset, count))
        else:
            self.found.append(Member(path, None, offset))
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
        """Bytes of an element; structures in an array are no numbers of their own."""
        if isinstance(ctype, StructC):
            return _Finder(self.fold).add(path, ctype, 0)
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
        facts += [
            f"__builtin_offsetof({spelling}, {'.'.join(m.path)}) == {m.offset}"
            for m in members.list
        ]
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
