"""Where arrays live on the device: which are copied, how large, how spelled."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import reduce

import islpy as isl

from polysched.base import CodegenError
from polysched.codegen.cuda.mapping import KernelMap
from polysched.codegen.cuda.memory_range import (
    MemoryRange,
    everywhere,
    has_whole_rows,
    in_declared_rows,
    memory_range,
)
from polysched.codegen.expr import Spelling
from polysched.ir import Array, Binary, Cast, Const, Expr, Param, ScalarType, Scop
from polysched.ir.types import INT, LONG
from polysched.sets import list_sets, only_value, union_of_maps

MAX_INDEX = 2**31 - 1


@dataclass(frozen=True, eq=False)
class DeviceArray:
    """An array in device memory.

    Attributes
    ----------
    array : Array
        What it holds.
    name : str
        Of the pointer in kernels.
    pitches : tuple of Expr
        Elements per step of each subscript but the last.
    firsts : tuple of (isl.PwAff or None)
        Lowest value per subscript; None for zero.
    lasts : tuple of isl.PwAff
        Highest value per subscript, over the parameters; -1 where nothing is touched.
    sizes : dict of str to isl.PwAff
        Values of parameters that stand in `pitches` and are not the program's own.
    copied_in, copied_out : bool
        Whether its values come from and return to the host.
    memory : MemoryRange or None
        What is stored of an array that the program has; None for the device's own.
    """

    array: Array
    name: str
    pitches: tuple[Expr, ...]
    firsts: tuple[isl.PwAff | None, ...]
    lasts: tuple[isl.PwAff, ...]
    sizes: dict[str, isl.PwAff]
    copied_in: bool
    copied_out: bool
    memory: MemoryRange | None = None

    @property
    def spelling(self) -> Spelling:
        """How kernels write it: one subscript."""
        if not self.lasts:
            return Spelling(f"*{self.name}")
        return Spelling(self.name, None, self.pitches)

    @property
    def type(self) -> ScalarType:
        """Of an element."""
        return self.array.type

    @property
    def stored_firsts(self) -> tuple[isl.PwAff, ...]:
        """First values of the leading subscripts whose values below are not stored."""
        if self.memory is None:
            return tuple(first for first in self.firsts if first is not None)
        first = self.memory.first
        return () if all(only_value(value) == 0 for value in first) else first

    @property
    def begins_below(self) -> bool:
        """Whether something in front of the program's element 0 is stored."""
        return self.memory is not None and bool(self.stored_firsts)

    @property
    def stored_ends(self) -> Iterator[tuple[isl.PwAff | None, isl.PwAff]]:
        """First and last value that are stored, of each subscript; None for 0.

        Of the last row all is there that any row has.
        """
        lows = self.firsts if self.memory is None else self.stored_firsts
        return zip(lows or (None,) * len(self.lasts), self.lasts, strict=True)

    @property
    def copied_ends(self) -> Iterator[tuple[isl.PwAff | None, isl.PwAff]]:
        """First and last value that are copied, of each subscript."""
        lasts = self.lasts if self.memory is None else self.memory.last
        lows = (low for low, _ in self.stored_ends)
        return zip(lows, lasts, strict=True)

    @property
    def n_elements(self) -> int | None:
        """Its size, where that is a known number."""
        if not self.lasts:
            return 1
        weights = [*(constant_value(p) for p in self.pitches), 1]
        total = 1
        for (low, high), weight in zip(self.stored_ends, weights, strict=True):
            length = high if low is None else high.sub(low)
            known = only_value(length)
            if weight is None or known is None:
                return None
            total += weight * int(known.to_python())
        return max(0, total)  # where nothing is touched, the last values lie before 0

    def fits_int(self, context: isl.Set) -> bool:
        """Whether no index computed with int can exceed it.

        Pitches that are no numbers are of a longer type, and so are indices with them.
        """
        if not self.lasts:  # a scalar
            return True
        weights = [*(constant_value(p) for p in self.pitches), 1]
        total = 0
        for low, high, weight in zip(self.firsts, self.lasts, weights, strict=True):
            if weight is None or (weight == 1 and len(weights) == 1):
                continue  # a subscript of the program's own
            length = high if low is None else high.sub(low)
            most = length.intersect_domain(_over(context, length)).max_val()
            if not most.is_int() and weight > 1:
                return False
            total += weight * (int(most.to_python()) + 1) if most.is_int() else 0
        return total <= MAX_INDEX


def _over(context: isl.Set, value: isl.PwAff) -> isl.Set:
    return context.params().align_params(value.get_space().params())


def constant_value(expr: Expr) -> int | None:
    """A size that is a known number; None for any other."""
    return int(expr.value) if isinstance(expr, Const) else None


def touched_elements(scop: Scop, array: Array) -> isl.Set:
    """All elements of an array that the SCoP may touch."""
    found = [
        a.relation.intersect_domain(s.domain).range()
        for s, a in scop.iter_accesses()
        if a.array == array.name
    ]
    total = reduce(lambda a, b: a.union(b), found)
    return total.intersect_params(scop.context.params()).coalesce()


def is_value(scop: Scop, array: Array) -> bool:
    """Whether a kernel gets the array as a plain argument: a scalar never written."""
    return array.n_dim == 0 and not any(
        a.is_write for _, a in scop.iter_accesses() if a.array == array.name
    )


def stays_in_thread(
    scop: Scop, array: Array, kernels: Sequence[KernelMap], reach: isl.UnionMap
) -> bool:
    """Whether each element is used by one thread of one launch only.

    Parameters
    ----------
    scop : Scop
        Says who accesses the array.
    array : Array
        A private array.
    kernels : sequence of KernelMap
        All of the tree.
    reach : isl.UnionMap
        Instances to a name of kernel, launch, block and thread.
    """
    touching = union_of_maps(
        [
            a.relation.intersect_domain(s.domain)
            for s, a in scop.iter_accesses()
            if a.array == array.name
        ]
    )
    users = touching.reverse().apply_range(reach)
    if users.is_empty():
        return True
    if not users.is_single_valued():
        return False
    # two kernels are two spaces, so that a union map may be single valued per space
    homes = [s.get_tuple_name() for s in list_sets(users.range())]
    spread = [
        touching.intersect_domain(k.instances).range()
        for n, k in enumerate(kernels)
        if f"K{n}" in homes
    ]
    seen = isl.UnionSet("{ }")
    for part in spread:
        if not part.is_disjoint(seen):
            return False
        seen = seen.union(part)
    return True


def place_array(scop: Scop, array: Array, name: str) -> DeviceArray:
    """An array in device memory.

    Raises
    ------
    CodegenError
        If no bound is found for what the SCoP touches of it, or it is a part of
        structures and written: members of other types would come back old with it.
    """
    if array.in_rows:
        raise CodegenError(
            f"the rows of {array.source_name!r} lie behind pointers: a device has "
            "copies of whole arrays only",
            hint="let the rows be those of one array, double A[n][m]",
        )
    if array.name in scop.open_arrays:
        raise CodegenError(
            f"data say which elements of {array.source_name!r} are touched, and its "
            "size is not declared: no device can have a copy of it"
        )
    touched = touched_elements(scop, array)
    if not array.n_expanded:
        here = (a for _, a in scop.iter_accesses() if a.array == array.name)
        chosen = not all(a.relation.is_single_valued() for a in here)
        touched = in_declared_rows(array, touched, chosen=chosen)
    lasts, firsts = [], []
    for k in range(array.n_dim):
        try:
            high, low = touched.dim_max(k), touched.dim_min(k)
        except isl.Error as error:
            raise CodegenError(f"no bound found for array {array.name!r}") from error
        lasts.append(everywhere(high, -1))
        firsts.append(everywhere(low, 0))
    kept = tuple(
        None if k >= array.n_expanded else first for k, first in enumerate(firsts)
    )
    memory = None
    if array.n_expanded or array.storage == "scop":
        for k in range(array.n_expanded, array.n_dim):
            low = firsts[k].intersect_domain(_over(scop.context, firsts[k]))
            if low.min_val().is_neg():
                name = array.source_name
                raise CodegenError(f"array {name!r} is touched below a row's begin")
    elif array.n_dim:
        context = scop.context.intersect(scop.assumptions).params()
        memory = memory_range(array, touched, context)
        if has_whole_rows(array, tuple(lasts), context):
            memory = replace(memory, last=tuple(lasts))
    pitches, sizes = _pitches(array, name, kept, tuple(lasts))
    writes = [
        a for _, a in scop.iter_accesses() if a.array == array.name and a.is_write
    ]
    if writes and array.is_part:
        raise CodegenError(
            f"{array.source_name!r} holds structures of several types, and some are "
            "written: a device's copies are of numbers of one type"
        )
    out = bool(writes) and array.live_out
    whole = out and _overwrites(scop, array, tuple(lasts))
    enters = not array.is_private and (array.live_in or (out and not whole))
    return DeviceArray(
        array, name, pitches, kept, tuple(lasts), sizes, enters, out, memory
    )


def _pitches(
    array: Array,
    name: str,
    firsts: tuple[isl.PwAff | None, ...],
    lasts: tuple[isl.PwAff, ...],
) -> tuple[tuple[Expr, ...], dict[str, isl.PwAff]]:
    """Elements per step of each subscript but the last, and sizes to compute first."""
    if array.pitches and not array.n_expanded:
        given = array.pitches
        return tuple(
            p if constant_value(p) is not None else _long(p) for p in given
        ), {}
    sizes: dict[str, isl.PwAff] = {}
    lengths: list[Expr] = []
    extents = (None,) * array.n_expanded + array.extents
    for k, extent in enumerate(extents):
        if k == 0:
            continue
        if extent is not None:
            lengths.append(extent)
            continue
        if k >= array.n_expanded and array.storage != "scop":
            raise CodegenError(f"array {array.name!r} has an unknown inner extent")
        low = firsts[k]
        length = lasts[k] if low is None else lasts[k].sub(low)
        length = length.add_constant_val(isl.Val.one(length.get_ctx()))
        lengths.append(_size(length, f"{name}_n{k}", sizes))
    pitches: list[Expr] = []
    total: Expr | None = None
    for inner in reversed(lengths):
        total = inner if total is None else times(inner, total)
        pitches.append(total if constant_value(total) is not None else _long(total))
    return tuple(reversed(pitches)), sizes


def _size(length: isl.PwAff, name: str, sizes: dict[str, isl.PwAff]) -> Expr:
    known = only_value(length)
    if known is not None:
        value = int(known.to_python())
        return Const(value, INT, str(value))
    sizes[name] = length
    return Param(name, LONG)


def times(left: Expr, right: Expr) -> Expr:
    """A product, folded where both are numbers."""
    a, b = constant_value(left), constant_value(right)
    if a is not None and b is not None:
        type_ = INT if a * b <= MAX_INDEX else LONG
        return Const(a * b, type_, f"{a * b}")
    return Binary("*", _long(left), right)


def _long(expr: Expr) -> Expr:
    """The same value in a type that holds any size."""
    return expr if expr.dtype == LONG else Cast(LONG, expr)


def _overwrites(scop: Scop, array: Array, lasts: tuple[isl.PwAff, ...]) -> bool:
    """Whether every element up to the last one touched is written for certain."""
    if array.pitches:
        return False
    for extent, last in zip(array.extents[1:], lasts[1:], strict=True):
        full = constant_value(extent) if extent is not None else None
        known = only_value(last)
        if full is None or known is None or int(known.to_python()) + 1 != full:
            return False
    box = isl.Set.universe(touched_elements(scop, array).get_space())
    for k, last in enumerate(lasts):
        position = isl.PwAff.from_aff(
            isl.Aff.var_on_domain(
                isl.LocalSpace.from_space(box.get_space()), isl.dim_type.set, k
            )
        )
        limit = last.insert_domain(box.get_space())
        zero = position.sub(position)
        box = box.intersect(position.ge_set(zero)).intersect(position.le_set(limit))
    written = [
        a.relation.intersect_domain(s.domain).range()
        for s, a in scop.iter_accesses()
        if a.array == array.name and a.kind == "must_write"
    ]
    if not written:
        return False
    total = reduce(lambda a, b: a.union(b), written)
    return bool(box.intersect_params(scop.context.params()).is_subset(total))
