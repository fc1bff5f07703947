"""Initialisers in braces, ``{1, 2}`` and ``{.at = {x, y}, .m = 1}``, as assignments."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any, NoReturn

from pycparser import c_ast

from polysched.frontend.literals import fold, integer
from polysched.frontend.objects import Object
from polysched.frontend.refusal import Refuser
from polysched.frontend.structures import Path, Place
from polysched.ir import Assign, Cast, Expr, Load

MAX_NUMBERS = 64  # each is a statement

Key = tuple[str | int, ...]


@dataclass(frozen=True)
class Slot:
    """A number of an object.

    Attributes
    ----------
    key : tuple of str or int
        Names of members and subscripts that lead to it.
    load : Load
        The number.
    """

    key: Key
    load: Load


def read_initialiser(
    parts: Sequence[Object], node: Any, refuser: Refuser, read: Callable[[Any], Expr]
) -> list[Assign]:
    """What an initialiser in braces sets; what it does not name becomes zero.

    Parameters
    ----------
    parts : sequence of Object
        The object: an array, or each run of a structure.
    node : InitList
        The initialiser.
    refuser : Refuser
        Says no to what is not one number for each that is named.
    read : callable
        Reads an expression.
    """
    slots = find_slots(parts)
    if not 0 < len(slots) <= MAX_NUMBERS:
        refuser.unsupported(
            node, "found an initialiser of an object that has no known size, or more "
            f"than {MAX_NUMBERS} numbers, or members that are none",
            hint="assign the elements in a loop",
        )  # fmt: skip
    filler = _Filler(refuser, read, {})
    filler.fill(slots, node, 0)
    given = filler.values
    return [
        Assign(s.load, "=", given.get(s.key, Cast(s.load.type, integer(0))))
        for s in slots
    ]


def find_slots(parts: Sequence[Object]) -> list[Slot]:
    """The numbers of an object in C's order; none if they are not known."""
    first = parts[0]
    if first.layout is None:
        extents = [None if e is None else fold(e) for e in first.extents]
        sizes = [n for n in extents if n is not None]
        if len(sizes) < len(extents):
            return []
        keys = product(*map(range, sizes))
        return [Slot(key, _number(first, *key)) for key in keys]
    if first.layout.others or len(first.extents) > 1:
        return []
    found: list[tuple[int, Slot]] = []
    for part in parts:
        layout = part.layout
        assert layout is not None
        for path, place in layout.places.items():
            for indices, k in place.numbers():
                offset = (layout.before + k) * part.type.n_bytes
                slot = Slot(_key(path, place, indices), _number(part, k))
                found.append((offset, slot))
    return [slot for _, slot in sorted(found, key=lambda item: item[0])]


def _key(path: Path, place: Place, indices: Sequence[int]) -> Key:
    """Names and subscripts in the order in which C has them."""
    words = list(enumerate(path, 1))
    numbered = [(d.depth, k) for d, k in zip(place.dims, indices, strict=True)]
    merged: list[tuple[int, str | int]] = [*words, *numbered]
    return tuple(word for _, word in sorted(merged, key=lambda item: item[0]))


def _number(found: Object, *subscripts: int) -> Load:
    return Load(found.name, (*found.prefix, *map(integer, subscripts)), found.type)


@dataclass(frozen=True)
class _Filler:
    """Puts the values of an initialiser into slots, as C11 6.7.9 has it."""

    refuser: Refuser
    read: Callable[[Any], Expr]
    values: dict[Key, Expr]

    def fill(self, slots: Sequence[Slot], node: Any, depth: int) -> None:
        """Fill an object whose slots have the first `depth` words of keys in common."""
        position = 0
        for item in node.exprs:
            value, length = item, depth + 1
            if isinstance(item, c_ast.NamedInitializer):
                words = (*slots[0].key[:depth], *map(self._word, item.name))
                position, length = self._find(slots, words, item), len(words)
                value = item.expr
            if position >= len(slots):
                self._refuse(item)
            slot = slots[position]
            if isinstance(value, c_ast.InitList):
                inner = [s for s in slots if s.key[:length] == slot.key[:length]]
                if slot.key == slot.key[:length]:
                    self._refuse(item)
                self.fill(inner, value, length)
                position += len(inner)
            else:
                self.values[slot.key] = self.read(value)
                position += 1

    def _find(self, slots: Sequence[Slot], words: Key, item: Any) -> int:
        for k, slot in enumerate(slots):
            if slot.key[: len(words)] == words:
                return k
        self._refuse(item)

    def _word(self, name: Any) -> str | int:
        """A member's name, or a subscript, of a designator."""
        if hasattr(name, "name"):
            return str(name.name)
        subscript = fold(self.read(getattr(name, "expr", name)))
        return self._refuse(name) if subscript is None else subscript

    def _refuse(self, item: Any) -> NoReturn:
        self.refuser.unsupported(
            item, "this names no number of what is initialised",
            hint="members that are numbers, and elements of rows of them, are taken",
        )  # fmt: skip
