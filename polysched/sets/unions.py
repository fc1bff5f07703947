"""Reading, uniting and taking apart isl sets and maps, by name, not by position."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import islpy as isl

from polysched.base import AnalysisError, check_time

MAX_MERGED = 32  # parts of a set for which one is looked for


def read_set(text: str) -> isl.Set:
    """Parse a set; a bad text is an `AnalysisError` that quotes it."""
    try:
        return isl.Set(text)
    except isl.Error as error:
        raise AnalysisError(f"isl cannot read the set {text!r}") from error


def read_map(text: str) -> isl.Map:
    """Parse a map; a bad text is an `AnalysisError` that quotes it."""
    try:
        return isl.Map(text)
    except isl.Error as error:
        raise AnalysisError(f"isl cannot read the map {text!r}") from error


def union_of_sets(sets: Iterable[isl.Set]) -> isl.UnionSet:
    """The union of sets of any spaces."""
    check_time()
    total = isl.UnionSet("{ }")
    for s in sets:
        total = total.union(isl.UnionSet.from_set(s))
    return total


def union_of_maps(maps: Iterable[isl.Map]) -> isl.UnionMap:
    """The union of maps of any spaces."""
    check_time()
    total = isl.UnionMap("{ }")
    for m in maps:
        total = total.union(isl.UnionMap.from_map(m))
    return total


def list_sets(union: isl.UnionSet) -> list[isl.Set]:
    """The sets of a union, ordered by tuple name and text (isl's order is by hash)."""
    check_time()
    found: list[isl.Set] = []
    union.foreach_set(found.append)
    return sorted(found, key=lambda s: (s.get_tuple_name() or "", str(s)))


def list_maps(union: isl.UnionMap) -> list[isl.Map]:
    """The maps of a union, ordered by tuple names and text."""
    check_time()
    found: list[isl.Map] = []
    union.foreach_map(found.append)
    return sorted(found, key=lambda m: (*map_names(m), str(m)))


def list_basic_maps(relation: isl.Map) -> list[isl.BasicMap]:
    """The disjuncts of a map, ordered by text."""
    found: list[isl.BasicMap] = []
    relation.foreach_basic_map(found.append)
    return sorted(found, key=str)


def list_basic_sets(s: isl.Set) -> list[isl.BasicSet]:
    """The disjuncts of a set, ordered by text."""
    found: list[isl.BasicSet] = []
    s.foreach_basic_set(found.append)
    return sorted(found, key=str)


def map_names(relation: isl.Map) -> tuple[str, str]:
    """Tuple names of domain and range; empty strings for unnamed tuples."""
    names = []
    for kind in (isl.dim_type.in_, isl.dim_type.out):
        has = relation.has_tuple_name(kind)
        names.append(relation.get_tuple_name(kind) if has else "")
    return names[0], names[1]


def n_dims(s: isl.Set | isl.BasicSet) -> int:
    """Number of set dimensions."""
    return int(s.dim(isl.dim_type.set))


def dim_names(s: isl.Set) -> tuple[str, ...]:
    """Names of the set dimensions; empty strings for unnamed ones."""
    return tuple(s.get_dim_name(isl.dim_type.set, k) or "" for k in range(n_dims(s)))


def param_names(s: isl.Set | isl.Map | isl.UnionSet | isl.UnionMap) -> tuple[str, ...]:
    """Names of the parameters in the space's order."""
    space = s.get_space()
    return tuple(
        space.get_dim_name(isl.dim_type.param, k) or ""
        for k in range(space.dim(isl.dim_type.param))
    )


def value_range(value: isl.PwAff, domain: isl.Set) -> tuple[isl.Val, isl.Val]:
    """The least and the largest value on a domain, NaN where it is empty.

    Asked of the graph: isl restricts a function by putting in equations of the domain,
    which may leave fractions that its own minimum does not take.
    """
    graph = isl.Map.from_pw_aff(value).intersect_domain(domain)
    values = graph.range()
    return values.dim_min_val(0), values.dim_max_val(0)


def merge_parts(points: isl.Set) -> isl.Set:
    """The same set in as few parts as are found: in one, where it is convex.

    `coalesce` merges two at a time. A window that is cut off at both borders of a
    picture comes in four parts, of which no two make a convex one.
    """
    merged = points.coalesce()
    if not 2 <= merged.n_basic_set() <= MAX_MERGED:
        return merged
    hull = isl.Set.from_basic_set(merged.simple_hull())
    return hull if hull.is_subset(merged) else merged


def plain_bounds(part: isl.BasicSet, dim: int) -> Iterator[tuple[isl.Aff, bool, bool]]:
    """Bounds of one dimension of a set, as functions of the others without floors.

    With each, whether it is a lower and an upper one: both where it is the only value.
    """
    for constraint in part.get_constraints():
        weight = constraint.get_coefficient_val(isl.dim_type.set, dim)
        if not weight.abs().is_one():
            continue
        bound = constraint.get_bound(isl.dim_type.set, dim)
        if not bound.dim(isl.dim_type.div):
            is_only = constraint.is_equality()
            yield bound, is_only or weight.is_pos(), is_only or weight.is_neg()


def only_value(value: isl.PwAff) -> isl.Val | None:
    """The value of a function that has one for all arguments, else None.

    isl calls a function constant whose pieces are.

    Examples
    --------
    >>> only_value(isl.PwAff("[n] -> { [(5)] : n > 1; [(2)] : n <= 1 }")) is None
    True
    """
    if not value.is_cst():
        return None
    least, most = value.min_val(), value.max_val()
    return most if most.is_int() and least.eq(most) else None


def component_functions(relation: isl.Map) -> list[isl.Aff] | None:
    """The components of a function, each as it is in the function's first piece.

    None for a relation that is empty or gives some element several images.
    """
    if relation.is_empty() or not relation.is_single_valued():
        return None
    pieces: list[isl.MultiAff] = []
    isl.PwMultiAff.from_map(relation).foreach_piece(lambda _, f: pieces.append(f))
    return [pieces[0].get_aff(k) for k in range(pieces[0].dim(isl.dim_type.out))]


def has_quotients(value: isl.PwAff) -> bool:
    """Whether a function divides by a number, rounded or not, in one of its pieces."""
    found: list[isl.Aff] = []
    value.foreach_piece(lambda _, aff: found.append(aff))
    return any(
        aff.dim(isl.dim_type.div) > 0 or not aff.get_denominator_val().is_one()
        for aff in found
    )


_NODE_KINDS = {
    getattr(isl.schedule_node_type, name): name
    for name in (
        "band", "context", "domain", "expansion", "extension", "filter", "guard",
        "leaf", "mark", "sequence", "set",
    )
}  # fmt: skip


def node_kind(node: isl.ScheduleNode) -> str:
    """The type of a schedule node as a word: "band", "sequence", "filter", ..."""
    return _NODE_KINDS[node.get_type()]


def isolates(node: isl.ScheduleNode) -> bool:
    """Whether a node is a band that sets a part of its domain apart."""
    is_band = node_kind(node) == "band"
    return is_band and not node.band_get_ast_isolate_option().is_empty()


def is_isolated(node: isl.ScheduleNode) -> bool:
    """Whether a band at or above a node sets a part of its domain apart."""
    above = node.has_parent() and is_isolated(node.parent())
    return above or isolates(node)
