"""From which element of an array to which other its memory is touched.

Copies between host and device are of all that lies between the two: not one element
more, as nobody knows what memory the program has there. Elements lie in the order of
their subscripts, once those that leave their rows, as ``A[i][j - 1]`` of a column 0
does, are taken for elements of the rows beside them.
"""

from __future__ import annotations

from dataclasses import dataclass

import islpy as isl

from polysched.analysis import size_names, size_text
from polysched.base import CodegenError
from polysched.ir import Array, Const
from polysched.sets import param_names

MAX_ROWS_BESIDE = 2  # that an inner subscript may leave its row by
SET = isl.dim_type.set


@dataclass(frozen=True, eq=False)
class MemoryRange:
    """Part of an array's memory.

    Attributes
    ----------
    first : tuple of isl.PwAff
        Subscripts of its first element, of element 0 at most, over the parameters.
    last : tuple of isl.PwAff
        Subscripts of its last element; -1 where nothing is touched.
    """

    first: tuple[isl.PwAff, ...]
    last: tuple[isl.PwAff, ...]


def memory_range(array: Array, touched: isl.Set, context: isl.Set) -> MemoryRange:
    """The memory from the first element to the last one, and from where the array is.

    Parameters
    ----------
    array : Array
        Not expanded.
    touched : isl.Set
        Elements.
    context : isl.Set
        What is known of parameters.

    Raises
    ------
    CodegenError
        If an inner subscript is not known to stay near its row, or nothing bounds the
        elements.
    """
    touched = touched.intersect_params(context)
    for k in reversed(range(1, array.n_dim)):
        touched = _in_rows(array, touched, k)
    zero = isl.Set.universe(touched.get_space())
    for k in range(array.n_dim):
        zero = zero.fix_val(SET, k, isl.Val.zero(zero.get_ctx()))
    try:
        first = touched.union(zero).lexmin_pw_multi_aff()
        last = touched.lexmax_pw_multi_aff()
    except isl.Error as error:
        raise CodegenError(f"no bound found for array {array.name!r}") from error
    return MemoryRange(_parts(first, 0), _parts(last, -1))


def in_declared_rows(array: Array, touched: isl.Set, *, chosen: bool) -> isl.Set:
    """The elements that an array with declared rows has, as C has no others.

    How many rows there are is not a parameter's to say: they are clipped where data
    have `chosen` some of what is touched.
    """
    if array.pitches or None in array.extents:
        return touched
    for k, extent in enumerate(array.extents):
        length = size_text(extent)
        if length is not None and (k or chosen or array.storage != "parameter"):
            touched = touched.intersect(_where(touched, k, ">="))
            touched = touched.intersect(_where(touched, k, "<", length))
    return touched.coalesce()


def has_whole_rows(
    array: Array, lasts: tuple[isl.PwAff, ...], context: isl.Set
) -> bool:
    """Whether declared rows that are touched have elements up to these subscripts."""
    if array.pitches or None in array.extents:
        return False
    for extent, last in zip(array.extents[1:], lasts[1:], strict=True):
        length = size_text(extent)
        if length is None:
            return False
        names = ", ".join(size_names(length))
        beyond = isl.PwAff(f"[{names}] -> {{ [({length})] }}")
        if not context.is_subset(last.lt_set(beyond)):
            return False
    return True


def _parts(element: isl.PwMultiAff, otherwise: int) -> tuple[isl.PwAff, ...]:
    n = element.dim(isl.dim_type.out)
    return tuple(everywhere(element.get_pw_aff(k), otherwise) for k in range(n))


def everywhere(value: isl.PwAff, otherwise: int) -> isl.PwAff:
    """The value, and a number for parameters that leave it undefined."""
    rest = value.domain().complement()
    if rest.is_empty():
        return value.coalesce()
    local = isl.LocalSpace.from_space(value.get_space().domain())
    constant = isl.Aff.zero_on_domain(local).add_constant_val(otherwise)
    return value.union_add(
        isl.PwAff.from_aff(constant).intersect_domain(rest)
    ).coalesce()


def _in_rows(array: Array, touched: isl.Set, k: int) -> isl.Set:
    """The same elements with a subscript that stays in its row."""
    length = _row_length(array, k)
    below = _where(touched, k, "<")
    if length is None:
        if not touched.is_disjoint(below):
            raise _refused(array)
        return touched
    names = size_names(length)
    if names:  # rows have elements
        known = isl.Set(f"[{', '.join(names)}] -> {{ : {length} >= 1 }}")
        touched = touched.intersect_params(known)
    above = _where(touched, k, ">=", length)
    for _ in range(MAX_ROWS_BESIDE):
        for outside, sign in ((below, "-"), (above, "+")):
            left = touched.intersect(outside)
            if not left.is_empty():
                moved = left.apply(_beside(touched, k, sign, length))
                touched = touched.subtract(outside).union(moved)
    if not touched.is_disjoint(below):
        raise _refused(array)
    return touched.subtract(above).coalesce()  # C has no elements there


def _refused(array: Array) -> CodegenError:
    return CodegenError(
        f"an inner subscript of {array.source_name!r} is not known to stay within "
        f"{MAX_ROWS_BESIDE} rows: nobody knows which memory to copy"
    )


def _row_length(array: Array, k: int) -> str | None:
    """Elements of a subscript's row, as isl writes it; None where that is not known."""
    if not array.pitches:
        return size_text(array.extents[k])
    outer, inner = array.pitches[k - 1], (*array.pitches[k:], None)[0]
    if inner is None:
        return size_text(outer)
    if isinstance(outer, Const) and isinstance(inner, Const):
        return str(outer.value // inner.value)
    return None


def _where(touched: isl.Set, k: int, op: str, length: str = "0") -> isl.Set:
    """Where a subscript compares with a number as said."""
    dims = [f"d{d}" for d in range(touched.dim(SET))]
    text = f"{{ [{', '.join(dims)}] : d{k} {op} {length} }}"
    return _named(touched, text, length)


def _beside(touched: isl.Set, k: int, sign: str, length: str) -> isl.Map:
    """From elements beyond a row to their places in the one before or behind."""
    back = {"-": "+", "+": "-"}[sign]
    dims = [f"d{d}" for d in range(touched.dim(SET))]
    to = list(dims)
    to[k - 1], to[k] = f"d{k - 1} {sign} 1", f"d{k} {back} {length}"
    head, pair = _parameters(touched, length), (", ".join(dims), ", ".join(to))
    moved = isl.Map(f"{head} -> {{ [{pair[0]}] -> [{pair[1]}] }}")
    name = touched.get_tuple_name()
    if name is None:
        return moved
    for kind in (isl.dim_type.in_, isl.dim_type.out):
        moved = moved.set_tuple_name(kind, name)
    return moved


def _named(touched: isl.Set, text: str, length: str) -> isl.Set:
    found = isl.Set(f"{_parameters(touched, length)} -> {text}")
    name = touched.get_tuple_name()
    return found if name is None else found.set_tuple_name(name)


def _parameters(touched: isl.Set, length: str) -> str:
    """Those of elements, and the length of their rows where it is one."""
    return f"[{', '.join(dict.fromkeys([*param_names(touched), *size_names(length)]))}]"
