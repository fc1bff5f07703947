"""Sums of which every thread adds up a part of its own: which, and where they lie.

A mark ``parallel:static:s`` says that threads share a loop that adds to ``s``. The
statement then adds to a copy of the elements that it touches at all; see
`SumCopies` in `sum_copies.py` for the text around the loop.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import islpy as isl

from polysched.analysis import Reduction, choose_copied, find_reductions
from polysched.base import CodegenError
from polysched.codegen.storage import Buffer
from polysched.ir import (
    Access,
    Array,
    Const,
    ScheduleTree,
    Scop,
    Statement,
    copied_sums,
    map_action,
)
from polysched.sets import node_kind, read_set


@dataclass(frozen=True, eq=False)
class CopiedSum:
    """An array that threads have copies of.

    Attributes
    ----------
    array : Array
        The user's.
    reduction : Reduction
        What the one statement that adds to it does there, in the user's array.
    copy : Array
        What it adds to instead: one box of elements.
    lows, sizes : tuple of isl.PwAff
        For each subscript the first value that is touched, and how many from there
        on, as functions of the parameters; the first size is 0 where nothing is.
    is_there : bool
        Whether the user's array is known to have all of these elements; of others only
        those may be touched to which something was added.
    """

    array: Array
    reduction: Reduction
    copy: Array
    lows: tuple[isl.PwAff, ...]
    sizes: tuple[isl.PwAff, ...]
    is_there: bool

    @property
    def copied_reduction(self) -> Reduction:
        """The same accumulation, into the copy."""
        target = replace(self.reduction.target, array=self.copy.name)
        return replace(self.reduction, target=target)

    @property
    def buffer(self) -> Buffer:
        """Where the statement's subscripts begin in the copy."""
        target = self.reduction.element.domain()
        offsets = {
            k: low.insert_domain(target.get_space()) for k, low in enumerate(self.lows)
        }
        kept = tuple(range(self.array.n_dim))
        name = self.reduction.statement
        return Buffer(self.copy, 0, kept, self.sizes, {name: offsets})


def copy_sums(scop: Scop, tree: ScheduleTree) -> tuple[Scop, tuple[CopiedSum, ...]]:
    """The SCoP whose statements add to copies where marks say so, and the copies.

    Raises
    ------
    CodegenError
        If a mark names an array that cannot be copied: more than one statement adds to
        it, or only some instances do, or to elements without bounds, or to no full box.
    """
    found: list[CopiedSum] = []
    for domain, array in _marked(tree):
        copied = _describe(scop, domain, array)
        scop = _rewrite(scop, copied)
        found.append(copied)
    return scop, tuple(found)


def _marked(tree: ScheduleTree) -> Iterator[tuple[isl.UnionSet, str]]:
    """Instances below the marks, with each array that is to be copied there."""
    for _, node in tree.nodes():
        if node_kind(node) == "mark":
            for array in copied_sums(str(node.mark_get_id().get_name())):
                yield node.get_domain(), array


def _describe(scop: Scop, domain: isl.UnionSet, name: str) -> CopiedSum:
    """How an array is copied for the threads that run a part of the instances."""
    array = scop.array(name)
    here = {s.name for s in scop.statements if not _part(s, domain).is_empty()}
    reduction = choose_copied(find_reductions(scop), name, here)
    if reduction is None:
        raise CodegenError(f"no copies of {name}: it is not one sum or product")
    if array.n_expanded or array.storage == "scop":
        raise CodegenError(f"no copies of {name}: it is private already")
    statement = scop.statement(reduction.statement)
    if not statement.domain.is_subset(_part(statement, domain)):
        raise CodegenError(f"no copies of {name}: a part of its sum is elsewhere")
    (write,) = (a for a in statement.writes if a.array == name)
    touched = write.relation.intersect_domain(statement.domain).range()
    touched = touched.intersect_params(scop.context).coalesce()
    lows, sizes = _measure(touched, name)
    is_there = write.kind == "must_write" or touched.is_subset(_declared(array))
    taken = {a.name for a in scop.arrays}
    copy_name = next(n for n in _candidates(f"{name}_own") if n not in taken)
    copy = Array(
        copy_name, array.type, (None,) * array.n_dim, "local",
        live_in=False, live_out=False,
    )  # fmt: skip
    return CopiedSum(array, reduction, copy, lows, sizes, is_there)


def _part(statement: Statement, domain: isl.UnionSet) -> isl.Set:
    return domain.extract_set(statement.domain.get_space())


def _candidates(name: str) -> Iterator[str]:
    yield name
    number = 1
    while True:
        yield f"{name}{number}"
        number += 1


def _declared(array: Array) -> isl.Set:
    """The elements that an array has for certain, as far as numbers say.

    A function's array parameter is a pointer, to as many rows as the caller has.
    """
    names = [f"k{position}" for position in range(array.n_dim)]
    is_known = all(isinstance(extent, Const) for extent in array.extents)
    is_known &= array.is_scalar or array.storage != "parameter"
    bounds = [
        f"0 <= {name} < {extent.value}"
        for name, extent in zip(names, array.extents, strict=False)
        if isinstance(extent, Const)
    ]
    condition = " and ".join(bounds) if is_known else "false"
    return read_set(f"{{ {array.name}[{', '.join(names)}] : {condition or 'true'} }}")


def _measure(
    touched: isl.Set, name: str
) -> tuple[tuple[isl.PwAff, ...], tuple[isl.PwAff, ...]]:
    """Begin and size of the box of elements; all of it lies within the array.

    Adding up reads and writes every element of the box. One subscript may leave gaps,
    which lie between elements that are there; with several, the corners need not be.
    """
    n = int(touched.dim(isl.dim_type.set))
    zero, one = isl.Val.zero(touched.get_ctx()), isl.Val.one(touched.get_ctx())
    least = [zero, *([one] * (n - 1))]  # C has no arrays of length 0 inside of others
    try:
        lows = tuple(touched.dim_min(k) for k in range(n))
        highs = tuple(touched.dim_max(k) for k in range(n))
    except isl.Error as error:
        raise CodegenError(f"no copies of {name}: isl finds no bounds") from error
    if n > 1 and not _box(touched).is_subset(touched.reset_tuple_id()):
        raise CodegenError(f"no copies of {name}: its sums fill no box")
    sizes = []
    for low, high, otherwise in zip(lows, highs, least, strict=False):
        length = high.sub(low).add_constant_val(one)
        always = isl.Set.universe(length.get_space().domain())
        sizes.append(length.union_max(isl.PwAff.val_on_domain(always, otherwise)))
    return lows, tuple(sizes)


def _box(touched: isl.Set) -> isl.Set:
    """All elements whose subscripts lie between the least and the largest, each."""
    upwards, downwards = (
        isl.Map("{ [a] -> [x] : x >= a }"),
        isl.Map("{ [a] -> [x] : x <= a }"),
    )
    n = int(touched.dim(isl.dim_type.set))
    box: isl.Set | None = None
    for k in range(n):
        one = touched.project_out(isl.dim_type.set, k + 1, n - k - 1)
        one = one.project_out(isl.dim_type.set, 0, k)
        between = one.apply(upwards).intersect(one.apply(downwards))
        box = between if box is None else box.flat_product(between)
    assert box is not None
    return box


def _rewrite(scop: Scop, copied: CopiedSum) -> Scop:
    """The SCoP in which the sum's statement adds to the copy."""
    statement = scop.statement(copied.reduction.statement)
    target, held = copied.reduction.target, copied.copied_reduction.target
    body = tuple(
        map_action(a, lambda e: held if e == target else None) for a in statement.body
    )
    element = copied.reduction.element
    accesses = tuple(_moved(a, element, copied) for a in statement.accesses)
    changed = replace(statement, body=body, accesses=accesses)
    statements = tuple(changed if s is statement else s for s in scop.statements)
    return replace(scop, statements=statements, arrays=(*scop.arrays, copied.copy))


def _moved(access: Access, element: isl.Map, copied: CopiedSum) -> Access:
    """An access to the element that accumulates goes to the copy."""
    own = access.relation.is_subset(element)
    if access.array != copied.array.name or not own:
        return access
    name = copied.copy.name
    relation = access.relation.set_tuple_name(isl.dim_type.out, name)
    return replace(access, array=name, relation=relation)
