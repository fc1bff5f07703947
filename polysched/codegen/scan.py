"""Loops that visit the elements of a set."""

from __future__ import annotations

from collections.abc import Callable, Collection

import islpy as isl

from polysched.codegen.ast_expr import AstExprPrinter
from polysched.codegen.build import BuildLimits, build_nodes
from polysched.codegen.ctext import Names
from polysched.codegen.layout import Layout
from polysched.codegen.macros import Macros
from polysched.codegen.nodes import Instance
from polysched.ir import ScalarType
from polysched.ir.types import LONG
from polysched.sets import list_sets, n_dims

_LIMITS = BuildLimits(max_nodes=4000, max_operations=4_000_000)


def print_scan(
    elements: isl.Set | isl.UnionSet,
    body: Callable[[tuple[str, ...]], str],
    *,
    context: isl.Set | None = None,
    reserved: Collection[str] = (),
    prefix: str = "e",
    indent: str = "  ",
    iterator_type: ScalarType = LONG,
    macros: Macros | None = None,
) -> str:
    r"""C loops that visit each element of a set once, in lexicographic order.

    Parameters
    ----------
    elements : isl.Set or isl.UnionSet
        Bounded for each value of its parameters. Members of a union are visited one
        after the other, in order of their names.
    body : callable
        Gives the lines to execute for an element whose coordinates have the given C
        texts (identifiers, or expressions to be put in parentheses if need be).
    context : isl.Set, optional
        Parameter values the loops have to be right for.
    reserved : collection of str
        Identifiers that iterators and macros must avoid, besides the parameters.
    prefix, indent, iterator_type
        Name stem and type of the iterators, white space per level.
    macros : Macros, optional
        Those of the text that the loops stand in, which defines them.

    Returns
    -------
    str
        A block in braces, lines ended by ``\n``; helper macros of its own are defined
        in front and removed behind.

    Raises
    ------
    CodegenError
        If the loops would be too many, or a set is not bounded.
    """
    members = [elements] if isinstance(elements, isl.Set) else list_sets(elements)
    names = Names({*reserved, *_parameters(members)})
    exprs = AstExprPrinter(Macros(names) if macros is None else macros)
    lines: list[str] = []
    for member in members:
        iterators = names.take_series(prefix, n_dims(member))
        schedule, known = _scan_schedule(member)
        known = known if context is None else context
        built = build_nodes(schedule, known, exprs, iterators, _LIMITS)
        visit = _visitor(body, built.exprs)
        lines += Layout(indent, iterator_type.name, visit).lines(built.block)
    block = ["{", *(indent + line for line in lines), "}"]
    whole = exprs.macros.around(block) if macros is None else block
    return "".join(f"{line}\n" for line in whole)


def _visitor(
    body: Callable[[tuple[str, ...]], str], exprs: AstExprPrinter
) -> Callable[[Instance], tuple[str, ...]]:
    def visit(instance: Instance) -> tuple[str, ...]:
        texts = [exprs.linear(v).to_text().text for v in instance.values]
        return tuple(body(tuple(texts)).splitlines())

    return visit


def _parameters(members: list[isl.Set]) -> set[str]:
    spaces = [m.get_space() for m in members]
    return {
        str(s.get_dim_name(isl.dim_type.param, k))
        for s in spaces
        for k in range(s.dim(isl.dim_type.param))
    }


def _scan_schedule(member: isl.Set) -> tuple[isl.Schedule, isl.Set]:
    """A schedule that runs the points of a set in order."""
    if not member.has_tuple_name():
        member = member.set_tuple_name("point")
    union = isl.UnionSet.from_set(member)
    schedule = isl.Schedule.from_domain(union)
    if n_dims(member):
        identity = isl.MultiPwAff.identity(member.get_space().map_from_set())
        band = isl.MultiUnionPwAff.from_multi_pw_aff(identity)
        band = band.reset_tuple_id(isl.dim_type.set)
        schedule = schedule.insert_partial_schedule(band)
    return schedule, isl.Set.universe(member.get_space().params())
