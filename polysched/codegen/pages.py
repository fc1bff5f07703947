"""Pages for large arrays that nobody has touched before.

A process gets the pages of an array when it first writes them, one after the other: a
microsecond or two for each 4 KiB, as long as some hundred multiply-adds of vectors.
Linux gives 2 MiB at once to those who ask for it (``madvise``). It is advice, changes
no value, and systems that have no such pages ignore it.

What a region reads and then writes, as ``h[i] += ...``, has the system's page of zeros
at the first read, and one of its own at the write: of a process with several threads
every processor forgets the old one then, which takes longer than all else. Where the
middle of such an array has no page, Linux is asked for all of them at once.

The calls may set `errno`, which is put back.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from math import prod

import islpy as isl

from polysched.codegen.ctext import Names
from polysched.ir import Array, Const, Scop

LEAST_BYTES = 4 << 20  # two large pages: of a smaller array too little is whole ones
PAGE_BYTES = 4096
HUGE_PAGE = 14  # MADV_HUGEPAGE of Linux
LEAST_CHANGED_BYTES = 1 << 20  # some hundred pages
FILL_SHARE = 0.75  # of an array that is written, for which all of it has pages
POPULATE = 23  # MADV_POPULATE_WRITE of Linux 5.14 and later
CALLS = ("madvise", "mincore", "__errno_location")


@dataclass(frozen=True)
class Untouched:
    """An array whose pages nobody needs to have asked for yet.

    Attributes
    ----------
    name : str
        In C, of what its elements lie in.
    n_bytes : int
        Its size.
    is_changed : bool
        Whether what it holds is read before it is written.
    """

    name: str
    n_bytes: int
    is_changed: bool = False


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


def find_changed(scop: Scop) -> list[Untouched]:
    """Arrays of known size that a file declares, and a SCoP reads and fills.

    They are zero when the program begins, and the region may be the first to touch
    them. Nearly all elements are written, so that no more pages are asked for than it
    needs in any case.
    """
    written: dict[str, list[isl.Set]] = {}
    for statement, access in scop.iter_accesses():
        if access.kind == "must_write":
            touched = access.relation.intersect_domain(statement.domain).range()
            written.setdefault(access.array, []).append(touched)
    found = []
    for array in scop.arrays:
        n_bytes = _count_bytes(array)
        is_declared = array.storage in ("global", "static") and not array.view
        if (
            n_bytes >= LEAST_CHANGED_BYTES
            and is_declared
            and array.live_in
            and not array.n_expanded
            and array.name in written
            and _is_filled(array, written[array.name])
        ):
            found.append(Untouched(array.source_name, n_bytes, is_changed=True))
    return found


def _is_filled(array: Array, written: list[isl.Set]) -> bool:
    """Whether writes fill a box that is nearly all of an array."""
    union = written[0]
    for one in written[1:]:
        union = union.union(one)
    low, high, share = [], [], 1.0
    for k, extent in enumerate(array.extents):
        first, last = union.dim_min_val(k), union.dim_max_val(k)
        if not (first.is_int() and last.is_int() and isinstance(extent, Const)):
            return False
        low.append(int(first.to_python()))
        high.append(int(last.to_python()))
        share *= (high[-1] - low[-1] + 1) / int(extent.value)
    if share < FILL_SHARE:
        return False
    box = isl.Set.universe(union.get_space().drop_all_params())
    for k, (a, b) in enumerate(zip(low, high, strict=True)):
        box = box.lower_bound_val(isl.dim_type.set, k, isl.Val(a))
        box = box.upper_bound_val(isl.dim_type.set, k, isl.Val(b))
    return bool(box.intersect_params(union.params()).is_subset(union))


def ask_for_pages(arrays: Iterable[Untouched], names: Names, indent: str) -> list[str]:
    """Lines that ask for pages; none where there is nothing to ask for.

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
    given = list(arrays)
    large = [a for a in given if a.n_bytes >= LEAST_BYTES and not a.is_changed]
    changed = [a for a in given if a.is_changed]
    if not (large or changed) or any(map(names.is_taken, CALLS)):
        return []
    kept = names.take("kept_errno")
    lines = [
        "extern int madvise(void *, __SIZE_TYPE__, int), *__errno_location(void);",
        f"const int {kept} = *__errno_location();",
    ]
    lines += [
        f"madvise((char *){one.name} - {_behind_page(one)}, "
        f"{one.n_bytes} + {_behind_page(one)}, {HUGE_PAGE});"
        for one in large
    ]
    if changed:
        lines.insert(1, "extern int mincore(void *, __SIZE_TYPE__, unsigned char *);")
        lines += _ask_for_missing(changed, names, indent)
    lines.append(f"*__errno_location() = {kept};")
    inside = [indent + line for line in lines]
    return [
        "#if defined(__linux__) && !defined(__ANDROID__)",
        "{",
        *inside,
        "}",
        "#endif",
    ]


def _ask_for_missing(
    arrays: list[Untouched], names: Names, indent: str
) -> Iterator[str]:
    """Lines that give arrays all of their pages whose middle has none."""
    fresh, turn, page, there, behind = map(
        names.take, ("fresh", "turn", "page", "is_there", "behind")
    )
    start, n_bytes = f"{fresh}[{turn}].start", f"{fresh}[{turn}].n_bytes"
    yield f"const struct {{ char *start; __SIZE_TYPE__ n_bytes; }} {fresh}[] = {{"
    for one in arrays:
        yield f"{indent}{{(char *){one.name}, {one.n_bytes}}},"
    yield "};"
    yield f"for (int {turn} = 0; {turn} < {len(arrays)}; {turn}++) {{"
    body = [
        f"char *{page} = {start} + {n_bytes} / 2;",
        f"unsigned char {there} = 1;",
        f"{page} -= (__SIZE_TYPE__){page} % {PAGE_BYTES};",
        f"if (!mincore({page}, 1, &{there}) && !({there} & 1)) {{",
        f"{indent}const __SIZE_TYPE__ {behind} ="
        f" (__SIZE_TYPE__){start} % {PAGE_BYTES};",
        f"{indent}madvise({start} - {behind}, {n_bytes} + {behind}, {POPULATE});",
        "}",
    ]
    yield from (indent + line for line in body)
    yield "}"


def _behind_page(one: Untouched) -> str:
    """Bytes from the begin of a page to the array, as C text."""
    return f"(__SIZE_TYPE__){one.name} % {PAGE_BYTES}"


def _count_bytes(array: Array) -> int:
    """Size of an array, 0 where it is not a known number."""
    sizes = [e.value for e in array.extents if isinstance(e, Const)]
    if len(sizes) < len(array.extents) or array.pitches:
        return 0
    return prod(int(size) for size in sizes) * array.type.n_bytes
