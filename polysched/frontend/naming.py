"""Names that isl can carry: unique, and none of its own words."""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import count

ISL_WORDS = frozenset(
    {
        "exists", "and", "or", "not", "implies", "min", "max", "floor", "floord",
        "ceil", "ceild", "mod", "rat", "true", "false", "infty", "infinity", "nan",
    }
)  # fmt: skip
_STATEMENT_NAME = re.compile(r"S\d+$")


def is_free_for_isl(name: str) -> bool:
    """Whether isl reads the name as an identifier (its words ignore case)."""
    return name.lower() not in ISL_WORDS


class Names:
    """Hands out names of arrays and iterators that collide with nothing.

    Parameters
    ----------
    reserved : set of str
        C names that may become parameters: they keep their names.
    """

    def __init__(self, reserved: set[str]) -> None:
        self._reserved = reserved
        self._taken: set[str] = set()

    def array(self, wanted: str, keep: bool) -> str:
        """A name for an array; `keep` says that `wanted` itself is reserved for it."""
        allowed = keep or wanted not in self._reserved
        name = wanted
        number = 1
        while (
            name in self._taken
            or _STATEMENT_NAME.match(name)
            or not is_free_for_isl(name)
            or not ((allowed and name == wanted) or name not in self._reserved)
        ):
            name = f"{wanted}_{number}"
            number += 1
        self._taken.add(name)
        return name

    def local(self, wanted: str, active: set[str]) -> str:
        """A name for a variable of a statement, different from all active ones."""
        name = wanted
        number = 1
        while name in active | self._taken | self._reserved:
            name = f"{wanted}_{number}"
            number += 1
        self._taken.add(name)
        return name

    def iterator(self, wanted: str, active: set[str]) -> str:
        """A name for a loop's iterator, different from all active ones."""
        name = wanted
        number = 1
        while name in active or name in self._reserved or not is_free_for_isl(name):
            name = f"{wanted}_{number}"
            number += 1
        return name


class FreshNames:
    """Makes names that are none of a file's.

    Parameters
    ----------
    words : iterable of str
        All names that the file has.
    """

    def __init__(self, words: Iterable[str]) -> None:
        self._taken = set(words)

    def __call__(self, wanted: str) -> str:
        """A new name."""
        names = (f"{wanted}_{k}" for k in count())
        name = next(n for n in names if n not in self._taken)
        self._taken.add(name)
        return name

    def plain(self, wanted: str) -> str:
        """The name itself, if it is new."""
        if wanted in self._taken:
            return self(wanted)
        self._taken.add(wanted)
        return wanted
