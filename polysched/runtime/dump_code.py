"""C text that dumps what a SCoP wrote: exactly the elements, in runs where possible."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

import islpy as isl

from polysched.analysis import declared_elements
from polysched.base import RunError
from polysched.codegen import (
    declare_held,
    identifiers,
    print_expr,
    print_parameter,
    print_scan,
)
from polysched.ir import Array, Expr, Param, Scop, map_expr
from polysched.runtime.reach_code import (
    Reach,
    find_reached,
    name_reaches,
    print_reach,
)
from polysched.sets import list_sets, n_dims, read_map, read_set

_DECLARATIONS = (
    "extern void polysched_parameter(int, long long);",
    "extern void polysched_array(int, unsigned long, int);",
    "extern void polysched_row(const void *, long, ...);",
    "extern void polysched_array_end(void);",
)
_PREFIX = "polysched_e"
BLOCK_ROWS = "polysched_block_rows"


@dataclass(frozen=True)
class DumpCode:
    """The text behind a region, and what its numbers stand for.

    Attributes
    ----------
    text : str
        C statements, to be run when a call's results are wanted.
    before : str
        What stands in front of the region, if anything.
    asks_blocks : bool
        Whether it asks how large blocks of the heap are.
    arrays : tuple of str
        Names of the dumped arrays, by their number in the dump.
    parameters : tuple of str
        Names of the parameters whose values are dumped, by number.
    """

    text: str
    arrays: tuple[str, ...]
    parameters: tuple[str, ...]
    before: str = ""
    asks_blocks: bool = False


def dumped_arrays(scop: Scop) -> tuple[Array, ...]:
    """Arrays that the SCoP writes and the program may read later, in their order."""
    written = {a.array for _, a in scop.iter_accesses() if a.is_write}
    return tuple(
        a
        for a in scop.arrays
        if a.name in written
        and a.live_out
        and a.storage != "scop"
        and a.n_expanded == 0
    )


def written_elements(scop: Scop) -> dict[str, isl.Set]:
    """For each array to be dumped, the elements that any instance may write."""
    ranges = list_sets(scop.may_writes.range().coalesce())
    by_name = {s.get_tuple_name(): s for s in ranges}
    found = {}
    for array in dumped_arrays(scop):
        elements = by_name.get(array.name)
        if elements is not None and not elements.is_empty():
            found[array.name] = elements.intersect_params(scop.context).coalesce()
    return found


def print_dump(scop: Scop, reserved: Collection[str] = ()) -> DumpCode:
    """The dump of every element that the SCoP may have written and that lives on.

    Parameters
    ----------
    scop : Scop
        Its arrays and parameters are named in the text as the C source names them.
    reserved : collection of str
        Identifiers of the source, which macros of the text must avoid.

    Returns
    -------
    DumpCode
        Loops over isl's scan of the written elements; consecutive elements of the
        last dimension become a single call. Of arrays whose size is not known, and
        which are written where data say, elements from the first that is reached to
        the last. Scalars are copied first, so that their
        address is not taken and they may stay in registers. Parameters are copied to
        ``long``, so that unsigned ones do not wrap around; in front of the region if it
        changes them, as pointers that walk are.
    """
    lines, before = [*_DECLARATIONS, *declare_held(scop)], list[str]()
    names = tuple(p.name for p in scop.parameters)
    for k, parameter in enumerate(scop.parameters):
        value = print_parameter(parameter)
        copy = f"const long {_copy_of(k)} = (long)({value});"
        (before if identifiers(value) & scop.moved else lines).append(copy)
        lines.append(f"polysched_parameter({k}, (long long){_copy_of(k)});")
    elements = written_elements(scop)
    arrays = [a for a in dumped_arrays(scop) if a.name in elements]
    reaching = _find_reaches(scop, elements, arrays)
    asks_blocks = any(BLOCK_ROWS in line for line in reaching)
    if asks_blocks:
        sizes = "const void *, unsigned long, const char *"
        before.append(f"extern long {BLOCK_ROWS}({sizes});")
    if reaching:
        before += ["extern int polysched_is_wanted(void);", *reaching]
    for k, array in enumerate(arrays):
        if scop.moved & identifiers(array.base):
            start = f"polysched_start{k}"
            place = array.held or array.base
            before.append(f"__typeof__(&({place})[0]) const {start} = {place};")
            array = replace(array, view=start)
        size = f"(unsigned long)sizeof({array.type.name})"
        lines.append(f"polysched_array({k}, {size}, {array.n_dim});")
        lines += _array_lines(array, elements[array.name], names, reserved)
        lines.append("polysched_array_end();")
    text = "\n".join(lines)
    numbers = tuple(a.name for a in arrays)
    return DumpCode(text, numbers, names, "\n".join(before), asks_blocks)


def _find_reaches(
    scop: Scop, elements: dict[str, isl.Set], arrays: Sequence[Array]
) -> tuple[str, ...]:
    """The text that finds out how far arrays are written; `elements` are fewer then.

    Where nothing can be found out in front of the region, an array is taken to have
    the elements that it is declared with, or those of its block of the heap.
    """
    open_ = find_reached(scop, elements, arrays)
    reaches = name_reaches(open_)
    declared: dict[str, isl.Set] = {}
    try:
        lines = print_reach(scop, reaches, "polysched_is_wanted()")
    except RunError:
        found = {a.name: declared_elements(a) for a in open_}
        declared = {name: some for name, some in found.items() if some is not None}
        in_blocks = [a for a in open_ if a.name not in declared]
        if any(a.pitches for a in in_blocks):
            raise
        lines = tuple(_rows_in_block(a, reaches[a.name]) for a in in_blocks)
    for name, reach in reaches.items():
        some = declared.get(name, _between(reach, elements[name]))
        elements[name] = elements[name].intersect(some).coalesce()
    return lines


def _rows_in_block(array: Array, reach: Reach) -> str:
    """The line that asks how many rows an array's block of the heap has."""
    place = array.held or array.base
    size = f'sizeof(({place})[0]), "{array.source_name}"'
    return (
        f"const long {reach.low} = 0, {reach.high} = polysched_is_wanted() ? "
        f"{BLOCK_ROWS}((const void *)({place}), {size}) - 1 : -1;"
    )


def _between(reach: Reach, elements: isl.Set) -> isl.Set:
    """The elements whose first subscript is one of those that were looked at."""
    others = "".join(f", k{k}" for k in range(1, n_dims(elements)))
    return read_set(
        f"[{reach.low}, {reach.high}] -> {{ {elements.get_tuple_name()}[k0{others}]"
        f" : {reach.low} <= k0 <= {reach.high} }}"
    )


def _copy_of(number: int) -> str:
    """Name of the long variable that holds a parameter's value."""
    return f"polysched_p{number}"


def _array_lines(
    array: Array, elements: isl.Set, names: Sequence[str], reserved: Collection[str]
) -> list[str]:
    """The dump of one array."""
    if array.is_scalar:
        copy = "polysched_copy"
        return [
            f"{{ {array.type.name} {copy} = {array.source_name};"
            f" polysched_row((const void *)&{copy}, 1L); }}"
        ]
    rows = _find_rows(elements)

    def visit(values: tuple[str, ...]) -> str:
        if rows is None:
            return _row(array, values, "1L", names)
        *outer, low, high = values
        count = f"({high}) - ({low}) + 1L"
        return _row(array, (*outer, low), count, names)

    scanned = elements if rows is None else rows
    for k, name in enumerate(names):
        position = scanned.find_dim_by_name(isl.dim_type.param, name)
        if position >= 0:
            scanned = scanned.set_dim_name(isl.dim_type.param, position, _copy_of(k))
    text = print_scan(scanned, visit, reserved=reserved, prefix=_PREFIX)
    return text.splitlines()


def _find_rows(elements: isl.Set) -> isl.Set | None:
    """Outer subscripts with the first and last of the innermost; None with holes."""
    n = n_dims(elements)
    outer = [f"i{k}" for k in range(n - 1)]
    rows, whole = ", ".join(outer), ", ".join([*outer, "last"])
    name = elements.get_tuple_name()
    split = read_map(f"{{ {name}[{whole}] -> [[{rows}] -> [last]] }}")
    by_row = elements.apply(split).unwrap()
    bounds = by_row.lexmin().range_product(by_row.lexmax())
    between = read_map(
        f"{{ [[{rows}] -> [[low] -> [high]]] -> {name}[{whole}]"
        " : low <= last <= high }"
    )
    if not bounds.wrap().apply(between).is_subset(elements):
        return None
    flat = ", ".join([*outer, "low", "high"])
    flatten = read_map(f"{{ [[{rows}] -> [[low] -> [high]]] -> {name}[{flat}] }}")
    return bounds.wrap().apply(flatten).coalesce()


def _row(
    array: Array, subscripts: Sequence[str], count: str, names: Sequence[str]
) -> str:
    """The call that dumps a run of elements."""
    values = "".join(f", (long)({s})" for s in subscripts)
    first = f"(const void *)&{_element(array, subscripts, names)}"
    return f"polysched_row({first}, {count}{values});"


def _element(array: Array, subscripts: Sequence[str], names: Sequence[str]) -> str:
    """C text of one element."""
    if not array.pitches:
        return array.base + "".join(f"[{s}]" for s in subscripts)
    terms = [
        f"({s}) * (long)({_print_size(pitch, names)})"
        for s, pitch in zip(subscripts, array.pitches, strict=False)
    ]
    return f"{array.base}[{' + '.join([*terms, f'({subscripts[-1]})'])}]"


def _print_size(size: Expr, names: Sequence[str]) -> str:
    """C text of a size, over the copies of the parameters."""

    def rename(expr: Expr) -> Expr | None:
        if isinstance(expr, Param) and expr.name in names:
            return Param(_copy_of(names.index(expr.name)))
        return None

    return print_expr(map_expr(size, rename))
