"""Names behind which a SCoP may find the same memory, while its model keeps them apart.

Arguments are the usual case: a caller may pass one array twice, or parts of one. Where
neither the language nor the function itself says that two names mean two objects, the
pair is noted, and generated code asks before it runs. What plainly is one object is
refused before (`aliasing`), and pointers whose distance is known are compared by isl
(`neighbours`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import combinations
from typing import Any

from pycparser import c_ast

from polysched.frontend.declarations import ArrayC, Symbol
from polysched.frontend.liveness import has_escaped
from polysched.frontend.members import held_member
from polysched.frontend.pointer_values import Variable
from polysched.frontend.scoping import ScopSite
from polysched.ir import Array, MayOverlap, Parameter, ScalarType, Statement, Touched
from polysched.sets import read_set

_ALLOCATORS = frozenset({"aligned_alloc", "calloc", "malloc", "memalign", "valloc"})


@dataclass(frozen=True, eq=False)
class Named:
    """An array or scalar of the SCoP with its declaration."""

    symbol: Symbol
    array: Array


def find_overlaps(
    site: ScopSite,
    objects: Sequence[Named],
    parameters: Sequence[Parameter],
    statements: Sequence[Statement],
    compared: Collection[frozenset[Symbol]],
) -> tuple[MayOverlap, ...]:
    """Pairs of names that may mean one piece of memory, which the SCoP writes.

    Parameters
    ----------
    site : ScopSite
        The SCoP, and the function around it.
    objects : sequence of Named
        What its statements access from outside.
    parameters : sequence of Parameter
        Integers that its model is made of: memory, too, where other functions see them.
    statements : sequence of Statement
        All of them.
    compared : collection of frozenset of Symbol
        Pairs of which is known for which sizes they are apart.
    """
    touched = [*_objects(objects, statements), *_variables(site, parameters)]
    judge = _Judge(site)
    own_rows = (t for _, t in touched if t.is_written and t.array.in_rows)
    return (
        *(
            MayOverlap(*sorted((here, there), key=lambda t: not t.is_written))
            for (one, here), (other, there) in combinations(touched, 2)
            if one is not other
            and (here.is_written or there.is_written)
            and frozenset({one, other}) not in compared
            and judge.may_overlap(one, here.array, other, there.array)
        ),
        *(MayOverlap(t, t) for t in own_rows),
    )


def _objects(
    objects: Sequence[Named], statements: Sequence[Statement]
) -> Iterator[tuple[Symbol, Touched]]:
    """Arrays and scalars with what statements touch of them."""
    for item in objects:
        accesses = [
            (s, a) for s in statements for a in s.accesses if a.array == item.array.name
        ]
        elements = [a.relation.intersect_domain(s.domain).range() for s, a in accesses]
        if elements:
            total = reduce(lambda a, b: a.union(b), elements).coalesce()
            is_written = any(a.is_write for _, a in accesses)
            yield item.symbol, Touched(item.array, total, is_written)


def _variables(
    site: ScopSite, parameters: Sequence[Parameter]
) -> Iterator[tuple[Symbol, Touched]]:
    """Parameters as variables that are read, or as members of structures."""
    for p in parameters:
        symbol = site.scope.find(p.name)
        if symbol is None or symbol.value is not None:
            continue
        element = read_set(f"{{ {p.name}[] }}")
        member = held_member(symbol)
        if member is None:
            array = Array(p.name, p.type, (), symbol.storage)
            yield symbol, Touched(array, element, False)
            continue
        base = site.scope.find(member.base)
        assert base is not None  # the member was found in it
        array = Array(p.name, p.type, (), base.storage, c_name=member.text)
        yield base, Touched(array, element, False, member.address)


class _Judge:
    """Says of two names whether they may mean one piece of memory."""

    def __init__(self, site: ScopSite) -> None:
        self._site = site
        self._escaped: dict[Symbol, bool] = {}

    def may_overlap(
        self, one: Symbol, here: Array, other: Symbol, there: Array
    ) -> bool:  # fmt: skip
        if here.in_rows or there.in_rows:
            return self._may_be_row(one, here, other, there)
        if is_restricted(one) or is_restricted(other) or _are_members(one, other):
            return False
        if is_address(one) and is_address(other):
            is_variable = here.is_scalar or there.is_scalar  # a structure's member
            if is_variable and not _is_one_type(here.type, there.type):
                return False
            return not self._is_newer(one, other) and not self._is_newer(other, one)
        if is_address(one):
            return self._may_lead_to(one, other, here.type, there)
        if is_address(other):
            return self._may_lead_to(other, one, there.type, here)
        return False  # two objects of the program

    def _may_be_row(
        self, one: Symbol, here: Array, other: Symbol, there: Array
    ) -> bool:
        """Whether rows behind pointers, which anybody may have set, may be an object.

        What is said of the pointer to the rows, `restrict` too, says nothing of them.
        """
        if not here.in_rows:
            one, here, other, there = other, there, one, here
        if there.in_rows:
            return True
        if is_address(other):
            return not is_restricted(other)
        if there.is_scalar and not _is_one_type(here.type, there.type):
            return False
        return other.storage == "global" or self._has_escaped(
            other, not there.is_scalar
        )

    def _may_lead_to(
        self, pointer: Symbol, target: Symbol, type_: ScalarType, array: Array
    ) -> bool:
        """Whether a pointer may hold the address of an object, or of a part of it."""
        if self._is_fresh(pointer):
            return False
        if array.is_scalar and not _is_one_type(type_, array.type):
            return False  # what a variable holds has the type that it is declared with
        if target.storage == "global":
            return True
        is_given = target.storage != "static" and self._is_given(pointer)
        return not is_given and self._has_escaped(target, not array.is_scalar)

    def _has_escaped(self, target: Symbol, is_array: bool) -> bool:
        """Whether the function may have handed on the address of an object."""
        if target not in self._escaped:
            found = has_escaped(self._site.function, target.name, is_array)
            self._escaped[target] = found
        return self._escaped[target]

    def _is_newer(self, one: Symbol, other: Symbol) -> bool:
        """Whether one leads to memory that was got when the other was set already."""
        variable = self._variable(one)
        if variable is None or not self._is_fresh(one):
            return False
        return self._is_fresh(other) or (
            variable.kind == "local" and self._is_given(other)
        )

    def _is_fresh(self, pointer: Symbol) -> bool:
        """Whether all that a pointer leads to is memory got for it alone."""
        variable = self._variable(pointer)
        if variable is None or not variable.values:
            return False
        if variable.kind == "file" and "static" not in (
            getattr(pointer.node, "storage", ())
        ):
            return False  # other files may set it
        return variable.kind in {"local", "static", "file"} and all(
            v.kind == "set" and _is_allocation(v.node) for v in variable.values
        )

    def _is_given(self, pointer: Symbol) -> bool:
        """Whether a pointer is an argument that the function itself never sets."""
        variable = self._variable(pointer)
        if variable is None or variable.kind != "parameter":
            return False
        return all(v.kind == "argument" for v in variable.values)

    def _variable(self, symbol: Symbol) -> Variable | None:
        return self._site.pointers.variable(symbol)


def _are_members(one: Symbol, other: Symbol) -> bool:
    """Whether two names stand for two arrays of one structure."""
    first, second = held_member(one), held_member(other)
    if first is None or second is None or not (first.is_array and second.is_array):
        return False
    return first.base == second.base and first.text != second.text


def is_address(symbol: Symbol) -> bool:
    """Whether a name means memory that something else has: pointers, arguments."""
    is_argument = symbol.storage == "parameter" and isinstance(symbol.ctype, ArrayC)
    return symbol.is_pointer or is_argument


def is_restricted(symbol: Symbol) -> bool:
    """Whether a pointer is declared as ``restrict``."""
    type_ = getattr(symbol.node, "type", None)
    if isinstance(type_, c_ast.PtrDecl):
        return "restrict" in (type_.quals or ())
    if isinstance(type_, c_ast.ArrayDecl) and is_address(symbol):
        return "restrict" in (type_.dim_quals or ())
    return False


def _is_allocation(node: Any) -> bool:
    while isinstance(node, c_ast.Cast):
        node = node.expr
    is_call = isinstance(node, c_ast.FuncCall) and isinstance(node.name, c_ast.ID)
    return is_call and node.name.name in _ALLOCATORS


def _is_one_type(one: ScalarType, other: ScalarType) -> bool:
    """Whether C lets a pointer to one type reach a variable of the other."""
    if 1 in (one.n_bytes, other.n_bytes):
        return True  # characters may stand for any bytes
    return (one.is_float, one.n_bytes) == (other.is_float, other.n_bytes)
