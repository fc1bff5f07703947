"""Large pages for large arrays that are written before anybody has touched them.

A process gets the pages of an array when it first writes them, one after the other: a
microsecond or two for each 4 KiB, as long as some hundred multiply-adds of vectors.
Linux gives 2 MiB at once to those who ask for it (``madvise``). It is advice, changes
no value, and systems that have no such pages ignore it. The call may set `errno`, which
is put back.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import prod

from polysched.codegen.ctext import Names
from polysched.ir import Array, Const, Scop

LEAST_BYTES = 4 << 20  # two large pages: of a smaller array too little is whole ones
PAGE_BYTES = 4096
HUGE_PAGE = 14  # MADV_HUGEPAGE of Linux
CALLS = ("madvise", "__errno_location")


@dataclass(frozen=True)
class Untouched:
    """An array whose pages nobody needs to have asked for yet.

    Attributes
    ----------
    name : str
        In C, of what its elements lie in.
    n_bytes : int
        Its size.
    """

    name: str
    n_bytes: int


def find_untouched(scop: Scop) -> list[Untouched]:
    """Arrays of known size that a SCoP writes and reads no earlier value of."""
    written = {a.array for _, a in scop.iter_accesses() if a.is_write}
    found = []
    for array in scop.arrays:
        n_bytes = _count_bytes(array)
        is_own = array.storage == "scop" or array.n_expanded or array.view
        if n_bytes and array.name in written and not array.live_in and not is_own:
            found.append(Untouched(array.source_name, n_bytes))
    return found


def advise_large_pages(
    arrays: Iterable[Untouched], names: Names, indent: str
) -> list[str]:
    """Lines that ask for large pages; none where there is nothing to ask for.

    Parameters
    ----------
    arrays : iterable of Untouched
        For which.
    names : Names
        Source of identifiers. A program that calls such functions itself, or has
        others of their names, is left alone.
    indent : str
        White space per level.
    """
    wanted = [one for one in arrays if one.n_bytes >= LEAST_BYTES]
    if not wanted or any(map(names.is_taken, CALLS)):
        return []
    kept = names.take("kept_errno")
    lines = [
        "extern int madvise(void *, __SIZE_TYPE__, int), *__errno_location(void);",
        f"const int {kept} = *__errno_location();",
    ]
    lines += [
        f"madvise((char *){one.name} - {_behind_page(one)}, "
        f"{one.n_bytes} + {_behind_page(one)}, {HUGE_PAGE});"
        for one in wanted
    ]
    lines.append(f"*__errno_location() = {kept};")
    inside = [indent + line for line in lines]
    return [
        "#if defined(__linux__) && !defined(__ANDROID__)",
        "{",
        *inside,
        "}",
        "#endif",
    ]


def _behind_page(one: Untouched) -> str:
    """Bytes from the begin of a page to the array, as C text."""
    return f"(__SIZE_TYPE__){one.name} % {PAGE_BYTES}"


def _count_bytes(array: Array) -> int:
    """Size of an array, 0 where it is not a known number."""
    sizes = [e.value for e in array.extents if isinstance(e, Const)]
    if len(sizes) < len(array.extents) or array.pitches:
        return 0
    return prod(int(size) for size in sizes) * array.type.n_bytes
