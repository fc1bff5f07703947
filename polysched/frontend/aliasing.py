"""Pointers that plainly point into another array of the same SCoP.

Distinct arguments are taken not to overlap. That is a promise the user makes without
saying so; where the file itself breaks it (``double *p = A;``, in the function or, for
pointers that other functions see, anywhere), the SCoP is refused. Two pointers that are
set into one array are a matter of `neighbours`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import Any

from pycparser import c_ast

from polysched.frontend.declarations import (
    ArrayC,
    CType,
    ScalarC,
    StructC,
    Symbol,
    element_type,
    table_dimensions,
)
from polysched.frontend.exchanges import exchange_group, find_mixed_setting
from polysched.frontend.members import held_member
from polysched.frontend.pointer_values import PointerValues, Value, Variable, reach
from polysched.frontend.scoping import ScopSite
from polysched.frontend.trees import parts


def find_overlap(
    pointers: PointerValues,
    function: Any,
    symbols: Sequence[Symbol],
    written: set[Symbol],
) -> tuple[Symbol, Symbol, Any] | None:
    """A pointer, the accessed array that it may be set from, and where.

    Parameters
    ----------
    pointers : PointerValues
        What the file sets its pointers to.
    function : FuncDef
        The function around the SCoP.
    symbols : sequence of Symbol
        What the SCoP accesses.
    written : set of Symbol
        What it writes: two objects that are only read may overlap.
    """
    for pointer in symbols:
        start = pointers.variable(pointer)
        if start is None or not pointer.is_pointer:
            continue
        every, apart = reach(start, function), reach(start, function, in_turn=False)
        group = exchange_group(start)
        for other in symbols:
            if other is pointer or not {other, pointer} & written:
                continue
            if _has_rows(other, pointer):
                continue
            place = pointers.variable(other)
            found = every
            if place in group:
                found = apart
                mixed = find_mixed_setting((start, place), function)
                if mixed is not None:
                    return pointer, other, mixed
            if place in found and not _is_holder(other, pointer):
                return pointer, other, found[place].node
    return None


def _has_rows(one: Symbol, other: Symbol) -> bool:
    """Whether rows lie behind pointers: where they do is asked when code runs."""
    return any(table_dimensions(s.ctype) is not None for s in (one, other))


def _is_holder(other: Symbol, pointer: Symbol) -> bool:
    """Whether a pointer is read from a structure that has no row it may point to.

    Or is an array in it, which the SCoP reaches by this name alone: whoever spells it
    in another way needs its address, and is asked when code runs.
    """
    member = held_member(pointer)
    if member is not None and member.is_array and member.base == other.name:
        return True
    holder, target = element_type(other.ctype), element_type(pointer.ctype)
    if not pointer.held or not isinstance(holder, StructC):
        return False
    return not any(
        isinstance(ctype, ArrayC) and _is_same(element_type(ctype), target)
        for ctype in _members(holder)
    )


def _members(structure: StructC) -> Iterator[CType]:
    """Types of all members, those of structures in it as well."""
    for _, ctype in structure.members:
        yield ctype
        inner = element_type(ctype) if isinstance(ctype, ArrayC) else ctype
        if isinstance(inner, StructC):
            yield from _members(inner)


def _is_same(one: CType, other: CType) -> bool:
    if isinstance(one, ScalarC) and isinstance(other, ScalarC):
        return one.type == other.type
    return isinstance(one, type(other))


def find_shared(
    site: ScopSite,
    symbols: Sequence[Symbol],
    written: set[Symbol],
) -> Iterator[tuple[Symbol, Symbol, Variable, Any]]:
    """Two pointers that may be set into one array, the array, and where.

    One of them is a pointer of the file, or a static one, or stepped, or has its
    address taken. What structures hold, and what functions return, counts as memory of
    its own.
    """
    pointers, function = site.pointers, site.function
    for first, second in combinations(symbols, 2):
        if (
            not first.is_pointer
            or not second.is_pointer
            or not {first, second} & written
            or _has_rows(first, second)
        ):
            continue
        one, other = pointers.variable(first), pointers.variable(second)
        if (
            one is None
            or other is None
            or not any(v.lasts or is_stepped(v, site) for v in (one, other))
        ):
            continue
        in_turn = other not in exchange_group(one)
        ours = reach(one, function, through_members=False, in_turn=in_turn)
        theirs = reach(other, function, through_members=False, in_turn=in_turn)
        for root in ours:
            if root in theirs and _is_shared(root, one, other, in_turn):
                yield first, second, root, theirs[root].node
                break


def is_stepped(variable: Variable, site: ScopSite) -> bool:
    """Whether a variable changes unseen, or by ``++`` outside of the SCoP."""
    steps = [v.node for v in variable.values if v.kind == "moved"]
    inside = {id(n) for item in site.items for n in parts(item)} if steps else set()
    is_moved = any(isinstance(n, c_ast.UnaryOp) and id(n) not in inside for n in steps)
    return is_moved or any(v.kind == "pointed" for v in variable.values)


def _is_shared(root: Variable, one: Variable, other: Variable, in_turn: bool) -> bool:
    """Whether a variable that both come from is one array, the same for both."""
    if not root.holds_numbers:
        return False
    if root.lasts or root.is_array:
        rows = _rows(one, root, in_turn), _rows(other, root, in_turn)
        is_apart = None not in rows and not set(rows[0] or ()) & set(rows[1] or ())
        return not is_apart or _are_reset(one, other, root)
    is_direct = all(
        any(root in value.sources for value in variable.values if value.kind == "set")
        for variable in (one, other)
    )
    n_set = sum(value.kind != "argument" for value in root.values)
    return is_direct and n_set == (0 if root.kind == "parameter" else 1)


def _rows(pointer: Variable, root: Variable, in_turn: bool) -> set[str] | None:
    """Rows of an array that a pointer is set to, if that is all it is set to."""
    found = set()
    for value in pointer.values:
        node = value.node
        while isinstance(node, c_ast.Cast):
            node = node.expr
        match node:
            case c_ast.ArrayRef(name=c_ast.ID(), subscript=c_ast.Constant() as at) if (
                value.sources == (root,)
            ):
                found.add(str(at.value))
            case _ if value.kind == "moved" or (in_turn and value.turns):
                return None
            case _ if _leads_to(value, root):
                return None
    return found if root.is_array else None


def _leads_to(value: Value, root: Variable) -> bool:
    return any(
        s is root or root in reach(s, None, in_turn=False) for s in value.sources
    )


def _are_reset(one: Variable, other: Variable, root: Variable) -> bool:
    """Whether pointers that are exchanged are set one without the other, too."""
    values = [*one.values, *other.values]
    turns = {id(v.function) for v in values if v.kind == "turn"}
    if not turns:
        return False
    places = [[id(v.function) for v in x.values if _leads_to(v, root)]
              for x in (one, other)]  # fmt: skip
    is_once = all(len(set(p)) == len(p) == 1 for p in places)
    return not is_once or places[0] != places[1] or places[0][0] in turns


def values_of_name(node: Any, name: str) -> Iterator[Any]:
    """What a variable is set to."""
    if isinstance(node, c_ast.Decl) and node.name == name and node.init is not None:
        yield node.init
    if (
        isinstance(node, c_ast.Assignment)
        and isinstance(node.lvalue, c_ast.ID)
        and node.lvalue.name == name
    ):
        yield node.rvalue
    for _, child in node.children():
        yield from values_of_name(child, name)
