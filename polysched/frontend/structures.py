"""Structures of numbers of one type, seen as rows of these numbers."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from polysched.frontend.declarations import ArrayC, CType, ScalarC, StructC
from polysched.frontend.preprocess import check_syntax, preprocessor_flags, run_compiler
from polysched.frontend.source import SourceFile
from polysched.ir import ScalarType

Path = tuple[str, ...]


@dataclass(frozen=True)
class Layout:
    """Where the members of a structure lie.

    Attributes
    ----------
    type : ScalarType
        Of all the numbers.
    places : mapping of tuple of str to (int, int or None)
        Members, by the names that lead there, to their first number and, for arrays,
        how many they are.
    n : int
        Numbers in the structure.
    """

    type: ScalarType
    places: Mapping[Path, tuple[int, int | None]]
    n: int

    def numbers(self, path: Path) -> list[int]:
        """Positions of all numbers of a member that is a structure, or of the whole.

        Empty where the member is a number or a row of numbers.
        """
        inside = [p for p in self.places if p[: len(path)] == path and p != path]
        found = [self.places[p] for p in inside]
        return [k for first, n in found for k in range(first, first + (n or 1))]


class NoLayout(Exception):  # noqa: N818  a verdict inside the room
    """Why a structure is no row of numbers of one type."""


def find_layout(structure: StructC, fold: Callable[[Any], int | None]) -> Layout:
    """The layout of a structure without gaps.

    Parameters
    ----------
    structure : StructC
        Its declaration.
    fold : callable
        Value of an extent, or None.

    Raises
    ------
    NoLayout
        If it has members of several types, pointers, bit fields, or arrays whose
        size is not a constant or that have several dimensions.
    """
    found = _Members(fold)
    found.add((), structure)
    if not found.types:
        raise NoLayout("it has no members")
    if len(found.types) > 1:
        names = " and ".join(sorted(t.name for t in found.types))
        raise NoLayout(f"its members are of several types, {names}")
    return Layout(found.types.pop(), found.places, found.n)


@dataclass
class _Members:
    fold: Callable[[Any], int | None]
    types: set[ScalarType] = field(default_factory=set)
    places: dict[Path, tuple[int, int | None]] = field(default_factory=dict)
    n: int = 0

    def add(self, path: Path, ctype: CType) -> None:
        """A member, or those of a structure, behind what is there."""
        if isinstance(ctype, StructC):
            if ctype.has_bits:
                raise NoLayout("it has bit fields")
            for name, inner in ctype.members:
                self.add((*path, name), inner)
            return
        count = None
        if isinstance(ctype, ArrayC):
            count = self.fold(ctype.extent) if ctype.extent is not None else None
            ctype = ctype.element
            if count is None:
                raise NoLayout(f"the size of its member {path[-1]!r} is no constant")
        if not isinstance(ctype, ScalarC):
            raise NoLayout(
                f"its member {path[-1]!r} is no number and no row of numbers"
            )
        if ctype.volatile:
            raise NoLayout(f"its member {path[-1]!r} is volatile")
        self.types.add(ctype.type)
        self.places[path] = (self.n, count)
        self.n += 1 if count is None else count


@dataclass
class SizeChecker:
    """Asks the compiler for the size of a type: attributes may leave gaps.

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
    _known: dict[tuple[str, int], bool] = field(default_factory=dict)

    def has_size(self, spelling: str, n_bytes: int) -> bool:
        """Whether a type that the file declares has so many bytes.

        Raises
        ------
        FrontendError
            If the compiler refuses the file itself.
        """
        key = (spelling, n_bytes)
        if key not in self._known:
            self._known[key] = self._ask(spelling, n_bytes)
        return self._known[key]

    def _ask(self, spelling: str, n_bytes: int) -> bool:
        path = os.path.abspath(self.source.path)
        quoted = path.replace("\\", "\\\\").replace('"', '\\"')
        text = (
            f'#include "{quoted}"\n'
            f'_Static_assert(sizeof({spelling}) == {n_bytes}, "");\n'
        )
        flags = preprocessor_flags(self.flags)
        arguments = ["-fsyntax-only", "-w", *flags, "-x", "c", "-"]
        if not run_compiler(self.cc, arguments, text.encode()).returncode:
            return True
        refused = check_syntax(self.source, self.flags, self.cc)
        if refused is not None:
            raise refused
        return False
