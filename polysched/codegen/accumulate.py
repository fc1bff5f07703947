"""Loops that accumulate into one element, with a variable of their own for it.

A mark ``accumulate`` says that the terms may be added in any order. The element is read
into a variable in front of the loop and written back behind it, so that lanes can have
partial sums of their own::

    if (0 < t1) {                                    /* the loop runs at all */
      double sum = x[t1];
      #pragma omp simd reduction(+:sum)
      for (int t2 = 0; t2 < t1; t2++)
        sum -= L[t1][t2] * x[t2];
      x[t1] = sum;
    }

Sums of integers have no pragma: compilers know that their terms may come in any order,
and with it gcc would take terms one by one until vectors are aligned, of which a short
loop of bytes has no more left.

isl proves for each loop as it is printed that it does nothing else; other loops stay as
they are, which is right in any case.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import islpy as isl

from polysched.analysis import Reduction, match_accumulation
from polysched.codegen.ctext import Names, Text, identifiers
from polysched.codegen.nodes import (
    Block,
    Branch,
    Instance,
    Loop,
    Node,
    change_blocks,
    walk_nodes,
)
from polysched.sets import list_maps

_COMPARISONS = {"min": "<", "max": ">"}
_DOUBLE_BYTES = _LONG_BYTES = 8
_CLAUSES = {"+": "+", "-": "+", "*": "*", "min": "min", "max": "max"}


@dataclass(frozen=True)
class Accumulators:
    """Gives accumulating loops of a block their variables.

    Attributes
    ----------
    reductions : tuple of Reduction
        Of the SCoP.
    schedules : dict of str to isl.UnionMap
        For each loop's key, instances to schedule dimensions, the loop's own last.
    deps : isl.UnionMap
        Sources to sinks.
    names : Names
        Source of identifiers.
    element : callable
        The element that a reduction accumulates into, at an instance, as C text.
    """

    reductions: tuple[Reduction, ...]
    schedules: dict[str, isl.UnionMap]
    deps: isl.UnionMap
    names: Names
    element: Callable[[Reduction, Instance], Text]

    def convert(self, block: Block) -> Block:
        """The block with the variables in place."""
        return replace(block, items=tuple(map(self._node, block.items)))

    def _node(self, node: Node) -> Node:
        done = None
        if isinstance(node, Loop) and node.accumulates:
            done = self._accumulate(node)
        return done or change_blocks(node, self.convert)

    def _accumulate(self, loop: Loop) -> Node | None:
        """The loop between reading and writing its element; None where it is none."""
        found = list(walk_nodes(loop.body))
        instances = [n for n in found if isinstance(n, Instance)]
        inner = [n for n in found if isinstance(n, Loop)]
        reduction = self._find_reduction(loop)
        if reduction is None or len(instances) != 1 or loop.condition is None or inner:
            return None
        element = self.element(reduction, instances[0]).text
        if loop.iterator in identifiers(element):
            return None
        name = self.names.take(_variable(reduction))
        type_ = reduction.target.type
        pragmas = loop.pragmas
        if type_.is_float:
            clause = f"reduction({_CLAUSES[reduction.op]}:{name})"
            pragmas = (*pragmas, f"#pragma omp simd {clause}")
        body = with_accumulator(loop.body, name)
        changed = replace(loop, body=body, pragmas=pragmas)
        opening, closing = f"{type_.name} {name} = {element};", f"{element} = {name};"
        if reduction.extremum is not None:
            opening = f"{type_.name} {name} = {beginning(reduction)};"
            closing = put_extremum(reduction, element, name)
        inside = Block((changed,), (opening,), (closing,))
        return inside if loop.n_iterations else Branch(runs_at_all(loop), inside)

    def _find_reduction(self, loop: Loop) -> Reduction | None:
        """What a loop does, if it does nothing but accumulate into one element."""
        schedule = self.schedules[loop.key]
        flat = [m.flatten_range() for m in list_maps(schedule)]
        if len(flat) != 1:
            return None
        last = flat[0].dim(isl.dim_type.out) - 1
        outer = (
            flat[0]
            .project_out(isl.dim_type.out, last, 1)
            .reset_tuple_id(isl.dim_type.out)
        )
        around = isl.UnionMap.from_map(outer)
        inside = self.deps.intersect_domain(around.domain())
        inside = inside.intersect_range(around.domain())
        together = around.apply_range(around.reverse())
        carried = inside.intersect(together)
        own = isl.UnionMap.from_map(flat[0])
        carried = carried.subtract(own.apply_range(own.reverse()))
        return match_accumulation(self.reductions, around, carried)


_TIGHT = 11  # binds more tightly than a comparison


def runs_at_all(loop: Loop) -> Text:
    """The condition under which a loop has an iteration."""
    assert loop.condition is not None
    rest = loop.condition.text.removeprefix(loop.iterator)
    return Text(f"{loop.first.at_least(_TIGHT)}{rest}", loop.condition.level)


def _variable(reduction: Reduction) -> str:
    return reduction.op if reduction.op in ("min", "max") else "sum"


def beginning(reduction: Reduction) -> str:
    """The number that no term of an extremum is beyond, as C text."""
    type_, is_least = reduction.target.type, reduction.op == "max"
    if type_.is_float:
        if reduction.extremum is not None and reduction.extremum.replaces_nan:
            return "-1"  # terms are magnitudes
        infinity = f"__builtin_inf{'f' if type_.n_bytes < _DOUBLE_BYTES else ''}()"
        return f"-{infinity}" if is_least else infinity
    if type_.kind == "uint":
        return "0" if is_least else f"({type_.name})-1"
    largest = (1 << 8 * type_.n_bytes - 1) - 1
    suffix = "LL" if type_.n_bytes == _LONG_BYTES else ""
    return f"-{largest}{suffix} - 1" if is_least else f"{largest}{suffix}"


def put_extremum(reduction: Reduction, element: str, part: str) -> str:
    """The statement that puts a part of an extremum into its element.

    A part that begins with `beginning` is no number's NaN, but the element may be; a
    comparison leaves that there, as the program does, unless any number replaces it.
    """
    condition = f"{part} {_COMPARISONS[reduction.op]} {element}"
    if reduction.extremum is not None and reduction.extremum.replaces_nan:
        condition += f" || ({part} >= 0 && {element} != {element})"
    return f"if ({condition}) {element} = {part};"


def with_accumulator(
    block: Block, name: str, uses: Callable[[Instance], bool] = lambda _: True
) -> Block:
    """The block with a variable for the element that instances change.

    Parameters
    ----------
    block : Block
    name : str
        Of the variable.
    uses : callable
        Which instances change the element: all of them, unless it says so.
    """

    def visit(node: Node) -> Node:
        if isinstance(node, Instance):
            return replace(node, accumulator=name) if uses(node) else node
        return change_blocks(node, lambda b: with_accumulator(b, name, uses))

    return replace(block, items=tuple(map(visit, block.items)))
