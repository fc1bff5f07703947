"""For which sizes a kernel leaves no array, and for which its schedule is right."""

from __future__ import annotations

import re
from collections.abc import Mapping

import islpy as isl

from polysched.codegen import print_expr
from polysched.ir import Access, Repeat, Scop, Statement
from polysched.kernel.bounds import Bounds, Reach
from polysched.kernel.errors import OutOfBoundsError
from polysched.sets import (
    ast_options,
    fix_parameters,
    list_points,
    param_names,
    read_set,
)
from polysched.tensor import CFunction, SizeExpr

ALWAYS, NEVER = "1", "0"
_FUNCTION = re.compile(r"\b(floord|min|max)\(")


def find_bounds(function: CFunction, scop: Scop) -> Bounds:
    """Conditions on sizes, from all accesses of the source text.

    Reads and writes under a condition on data count as if it held.

    Parameters
    ----------
    function : CFunction
        The C function, whose parameters say how large arrays are.
    scop : Scop
        As the front end read it, statements with the user's places.

    Raises
    ------
    OutOfBoundsError
        If the program leaves an array for all sizes.
    """
    boxes = _Boxes(function)
    for parameter in scop.parameters:
        if parameter.value is not None:  # a product of others
            text = print_expr(parameter.value)
            boxes.extents[parameter.name] = SizeExpr(text, text)
    reaches = []
    outside = read_set("{ : 1 = 0 }").params()
    for statement, access in scop.iter_accesses():
        by_data = bool(function.index_arrays) or is_ended_by_data(statement)
        elements = _find_outside(access, boxes, by_data)
        if elements is None or elements.is_empty():
            continue
        found = Reach(access.array, statement.text, statement.where, str(elements))
        reaches.append(found)
        outside = outside.union(elements.params())
    scalars = {p.name for p in function.parameters if p.kind == "scalar"}
    counted = frozenset(p.name for p in scop.parameters if p.name in scalars)
    known = {p.name for p in function.parameters} | set(boxes.extents)
    inside = print_condition(_without_unknown(outside, known).complement())
    if inside == NEVER:
        raise _never_inside(reaches[0])
    exact = scop.assumptions.params().intersect(scop.context.params())
    is_known = known.issuperset(param_names(exact))
    scheduled = print_condition(exact) if is_known else NEVER
    return Bounds(inside, scheduled, boxes.extents, counted, tuple(reaches))


def find_element(reach: Reach, values: Mapping[str, int]) -> tuple[int, ...] | None:
    """An element that an access reaches outside of its array, or None.

    Parameters
    ----------
    reach : Reach
        The access.
    values : mapping of str to int
        Sizes; where one is missing, any is looked for.
    """
    outside = read_set(reach.elements)
    missing = [n for n in param_names(outside) if n not in values]
    for name in missing:
        at = outside.find_dim_by_name(isl.dim_type.param, name)
        outside = outside.project_out(isl.dim_type.param, at, 1)
    points = fix_parameters(outside, values)
    if points.is_empty():
        return None
    first = points.lexmin() if points.is_bounded() else _any_point(points)
    return tuple(int(c) for c in list_points(first)[0])


def print_condition(sizes: isl.Set) -> str:
    """A set of sizes as a condition in C."""
    sizes = sizes.coalesce()
    if sizes.is_empty():
        return NEVER
    if sizes.complement().is_empty():
        return ALWAYS
    with ast_options(sizes.get_ctx()):
        build = isl.AstBuild.from_context(isl.Set.universe(sizes.get_space()))
        text = build.expr_from_set(sizes).to_C_str()
    return _FUNCTION.sub(r"ps_\1(", text)


def _any_point(points: isl.Set) -> isl.Set:
    return isl.Set.from_point(points.sample_point())


def _never_inside(reach: Reach) -> OutOfBoundsError:
    element = find_element(reach, {})
    at = "" if element is None else f"[{', '.join(map(str, element))}]"
    return OutOfBoundsError(
        f"{reach.text!r} reaches {reach.array}{at}, which is outside of the array",
        where=reach.where,
    )


def is_ended_by_data(statement: Statement) -> bool:
    """Whether loops that data end are part of a statement."""
    return any(isinstance(action, Repeat) for action in statement.body)


def _find_outside(access: Access, boxes: _Boxes, by_data: bool) -> isl.Set | None:
    """Elements that an access reaches outside of its array.

    Where data choose a subscript it is inside: what index arrays hold is checked. So
    are subscripts of iterators of loops that data end, of which isl knows nothing.
    """
    box = boxes.box(access)
    if box is None or box.n_dim() != access.relation.dim(isl.dim_type.out):
        return None  # a flat array with rows: its subscripts are checked at the call
    relation = access.relation
    if by_data:
        relation = _with_chosen_inside(relation, box)
    return relation.range().subtract(box).coalesce()


def _with_chosen_inside(relation: isl.Map, box: isl.Set) -> isl.Map:
    """The relation with subscripts that are no function of the instance in the box."""
    n_out = relation.dim(isl.dim_type.out)
    for k in range(n_out):
        others = relation.project_out(isl.dim_type.out, k + 1, n_out - k - 1)
        alone = others.project_out(isl.dim_type.out, 0, k)
        if not alone.is_single_valued():
            inside = box.eliminate(isl.dim_type.set, 0, k)
            inside = inside.eliminate(isl.dim_type.set, k + 1, n_out - k - 1)
            relation = relation.intersect_range(inside)
    return relation


class _Boxes:
    """Sets of all elements of arrays; names for extents that are not affine."""

    def __init__(self, function: CFunction) -> None:
        self._parameters = {p.name: p for p in function.parameters}
        self.extents: dict[str, SizeExpr] = {}

    def box(self, access: Access) -> isl.Set | None:
        """All elements of an array; None for what is no array of the caller's."""
        parameter = self._parameters.get(access.array)
        if parameter is None or parameter.kind != "array" or parameter.is_flat:
            return None
        if not parameter.extents:  # a result that is one number
            return isl.Set.universe(access.relation.range().get_space())
        names = [f"ps_i{d}" for d in range(len(parameter.extents))]
        ends = [self._name(e) for e in parameter.extents]
        used = list(dict.fromkeys(e for e in ends if not e.isdigit()))
        limits = " and ".join(
            f"0 <= {i} < {end}" for i, end in zip(names, ends, strict=True)
        )
        elements = f"{access.array}[{', '.join(names)}]"
        return read_set(f"[{', '.join(used)}] -> {{ {elements} : {limits} }}")

    def _name(self, extent: SizeExpr) -> str:
        """The extent itself where it is a number or a size, else a name for it."""
        text = extent.python.strip()
        if text.isdigit() or text in self._parameters:
            return text
        for name, known in self.extents.items():
            if known == extent:
                return name
        name = f"ps_extent{len(self.extents)}"
        self.extents[name] = extent
        return name


def _without_unknown(sizes: isl.Set, known: set[str]) -> isl.Set:
    """Without names that no caller gives a value: what is so for one value counts."""
    for name in param_names(sizes):
        if name not in known:
            at = sizes.find_dim_by_name(isl.dim_type.param, name)
            sizes = sizes.project_out(isl.dim_type.param, at, 1)
    return sizes
