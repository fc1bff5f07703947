"""Relations and subscripts of further statements, by the names of their iterators."""

from __future__ import annotations

from collections.abc import Sequence

import islpy as isl

from polysched.codegen.cuda.sum_terms import PREFIX, n_out
from polysched.ir import Binary, Const, Expr, Iter, ScalarType, Statement
from polysched.ir.types import INT

_IN, _OUT = isl.dim_type.in_, isl.dim_type.out


def take_names(letter: str, relation: isl.Map) -> tuple[str, ...]:
    """An iterator for each dimension of a range, named after what they tell."""
    return tuple(f"{PREFIX}{letter}{k}" for k in range(n_out(relation)))


def select(iterators: Sequence[str], to: Sequence[str]) -> isl.Map:
    """A function of iterators without a statement."""
    return isl.Map(f"{{ [{', '.join(iterators)}] -> [{', '.join(to)}] }}")


def function_of(text: str) -> isl.Map:
    """A function of one value x."""
    return isl.Map(f"{{ [x] -> [{text}] }}")


def of_statement(statement: Statement, *values: str) -> isl.Map:
    """A function of a statement's iterators."""
    found = select(statement.iterators, values)
    return found.set_tuple_name(_IN, statement.name)


def name_access(relation: isl.Map, domain: isl.Set, name: str, array: str) -> isl.Map:
    """The access of a named statement, from iterators to subscripts."""
    inside = relation.intersect_domain(domain).set_tuple_name(_IN, name)
    return inside.set_tuple_name(_OUT, array)


def written_by(statement: Statement) -> isl.UnionMap:
    """Elements to the instances that write them."""
    (relation,) = (a.relation for a in statement.accesses if a.is_write)
    return isl.UnionMap.from_map(relation).reverse()


def subscript(text: str, index: ScalarType) -> Expr:
    """A subscript: iterators and numbers, their products and sums."""
    for op in (" + ", " * "):
        left, found, right = text.partition(op)
        if found:
            return Binary(op.strip(), subscript(left, index), subscript(right, index))
    return Const(int(text), INT, text) if text.isdecimal() else Iter(text, index)
