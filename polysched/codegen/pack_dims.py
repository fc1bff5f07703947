"""Dimensions of a packed copy: whole rows, panels, groups."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import islpy as isl

Kind = Literal["plain", "number", "inside", "aligned"]


@dataclass(frozen=True)
class Wanted:
    """What a mark asks for.

    Attributes
    ----------
    statement : str
        Whose operand.
    positions : tuple of int
        Iterators of the statement that index the buffer, the contiguous one last.
    panel : int
        Values of the last one that lie side by side; 0 for whole rows.
    terms : int
        Of the iterator before the last, or of the last where there are no panels, so
        many values lie side by side, in 4 bytes; 0 for none.
    shift : int
        Added to each value of such a group.
    """

    statement: str
    positions: tuple[int, ...]
    panel: int = 0
    terms: int = 0
    shift: int = 0

    @property
    def dims(self) -> tuple[Dim, ...]:
        """The dimensions of the buffer, from the outside in."""
        *others, last = range(len(self.positions))
        if not self.panel:
            end = Dim("aligned", last, self.terms) if self.terms else Dim("plain", last)
            return (*(Dim("plain", k) for k in others), end)
        inside = [Dim("inside", last, self.panel)]
        if self.terms:
            k = others.pop()
            inside = [Dim("number", k, self.terms), *inside]
            inside.append(Dim("inside", k, self.terms))
        return (
            Dim("number", last, self.panel),
            *(Dim("plain", k) for k in others),
            *inside,
        )


@dataclass(frozen=True)
class Dim:
    """One dimension of a buffer.

    Attributes
    ----------
    kind : str
        Of an iterator: its values (``plain``), the numbers of blocks of them
        (``number``), its values counted from the begin of a block (``inside``), or from
        the begin of the first block (``aligned``).
    iterator : int
        Its position among those that index the buffer.
    size : int
        Values in a block.
    """

    kind: Kind
    iterator: int
    size: int = 1

    def place(self, name: str) -> str:
        """The subscript over the iterator's name, as isl reads it."""
        return f"floor({name}/{self.size})" if self.kind == "number" else name

    def n_values(self, first: isl.PwAff, size: int) -> int:
        """Elements along the dimension, of the iterator's first value and their number.

        Blocks may begin before the first value.
        """
        match self.kind:
            case "plain":
                return size
            case "inside":
                return self.size
        rest = first.mod_val(isl.Val(self.size)).max_val()
        before = int(str(rest)) if rest.is_int() else self.size - 1
        n_blocks = -(-(size + before) // self.size)
        return n_blocks if self.kind == "number" else n_blocks * self.size

    def offset(self, value: isl.PwAff, first: isl.PwAff) -> isl.PwAff:
        """What is subtracted from the subscript, or from 0 for numbers of blocks."""
        match self.kind:
            case "plain":
                return first
            case "aligned":
                return self._begin(first)
            case "inside":
                return self._begin(value)
        return self._number(first).sub(self._number(value))

    def _number(self, value: isl.PwAff) -> isl.PwAff:
        return value.scale_down_val(isl.Val(self.size)).floor()

    def _begin(self, value: isl.PwAff) -> isl.PwAff:
        return self._number(value).scale_val(isl.Val(self.size))
