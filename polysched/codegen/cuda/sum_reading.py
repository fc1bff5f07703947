"""What a tree says of a sum that blocks and threads share."""

from __future__ import annotations

from dataclasses import replace

import islpy as isl

from polysched.analysis import Reduction, choose_copied, find_reductions
from polysched.base import CodegenError
from polysched.codegen.cuda.marks import mark_words, read_counts
from polysched.codegen.cuda.sum_ops import Operator
from polysched.codegen.cuda.sum_terms import Shared, Terms, flat, n_out
from polysched.codegen.mentions import iterator_type
from polysched.ir import (
    MARK_THREADS,
    Access,
    Const,
    Expr,
    Load,
    Scop,
    Statement,
    map_action,
    partial_sums,
)
from polysched.ir.types import INT
from polysched.sets import list_sets, node_kind

_OUT = isl.dim_type.out
_ZERO = isl.Set("{ [0] }")


def find_shared_sum(scop: Scop, kernel: isl.ScheduleNode, name: str) -> Reduction:
    """The reduction below a mark, with all of its terms."""
    below = {s.get_tuple_name(): s for s in list_sets(kernel.get_domain())}
    reduction = choose_copied(
        find_reductions(scop), name, set(below), with_extrema=True
    )
    if reduction is None or len(below) != 1:
        raise CodegenError(f"no partial sums of {name}: it is not one reduction")
    statement = scop.statement(reduction.statement)
    if not statement.domain.is_subset(below[statement.name]):
        raise CodegenError(f"no partial sums of {name}: a part of it is elsewhere")
    return reduction


def read_terms(
    scop: Scop, kernel: isl.ScheduleNode, reduction: Reduction, own: str
) -> Terms:
    """The terms, and how the bands and marks of a tree share them."""
    domain = list_sets(kernel.get_domain())[0].intersect_params(scop.context.params())
    outer = _own(kernel.get_prefix_schedule_union_map()).intersect_domain(domain)
    element = reduction.element.intersect_domain(domain)
    grid, threads = kernel.child(0).child(0), kernel.child(0).child(0).child(0)
    words = mark_words(threads)
    if words[0] != MARK_THREADS or partial_sums(":".join(words)) != (reduction.array,):
        raise CodegenError("threads do not share the sum that their blocks share")
    points = threads.child(0)
    counts = read_counts(words[1])
    tiles = _tiles(grid, points, domain)
    homes = flat(outer, _unnamed(element)).reverse()
    shared = []
    for k, (tile, count) in enumerate(zip(tiles, counts, strict=True)):
        value = _member(points, k)
        is_sum = not homes.apply_range(value).is_single_valued()
        shared.append(Shared(value, tile, count, is_sum))
    inner, node = [], points.child(0)
    while node_kind(node) == "band":
        inner.append(_own(node.band_get_partial_schedule_union_map()))
        node = node.child(0)
    type_ = scop.array(reduction.array).type
    given = scop.statement(reduction.statement)
    terms = Terms(
        given,
        own,
        type_,
        Operator.of(reduction, given),
        iterator_type(scop),
        outer,
        _unnamed(element),
        tuple(shared),
        tuple(inner),
    )
    return replace(terms, statement=_into_own(given, domain, reduction, terms))


def _into_own(
    given: Statement, domain: isl.Set, reduction: Reduction, terms: Terms
) -> Statement:
    """The statement that adds terms, with the thread's own sum as its target."""
    target = reduction.target
    subscripts = (
        *no_subscripts(n_out(terms.places) - n_out(terms.element)),
        *target.subscripts,
    )
    own = Load(terms.own, subscripts, target.type)
    body = tuple(
        map_action(a, lambda e: own if e == target else None) for a in given.body
    )
    relation = terms.places.set_tuple_name(_OUT, terms.own)
    accesses = []
    for a in given.accesses:
        is_own = a.array == reduction.array and a.relation.is_subset(reduction.element)
        # where a term does not count, the thread's sum stays: as good as written
        kind = "must_write" if a.is_write else a.kind
        accesses.append(Access(terms.own, kind, relation) if is_own else a)
    return replace(given, domain=domain, body=body, accesses=tuple(accesses))


def no_subscripts(n: int) -> list[Expr]:
    """Subscripts that no storage of a thread's own sum has."""
    return [Const(0, INT, "0")] * n


def _tiles(
    grid: isl.ScheduleNode, points: isl.ScheduleNode, domain: isl.Set
) -> list[int]:
    """Sizes of the tiles of each member, 0 for members that are not tiled."""
    n_tiles = grid.band_n_member()
    tiles = [_member(grid, k).intersect_domain(domain) for k in range(n_tiles)]
    steps = [_step(grid, k) for k in range(n_tiles)]
    found = []
    for k in range(points.band_n_member()):
        size = 0
        if tiles:
            begin = isl.Map(f"{{ [x] -> [{steps[0]}*floor(x/{steps[0]})] }}")
            values = _member(points, k).intersect_domain(domain)
            if values.apply_range(begin).is_equal(tiles[0]):
                size = steps.pop(0)
                tiles.pop(0)
        found.append(size)
    is_one_block = len(tiles) == 1 and tiles[0].range().is_subset(_ZERO)
    if tiles and not is_one_block:
        raise CodegenError("the blocks of a sum are no tiles of what threads share")
    return found


def _step(band: isl.ScheduleNode, member: int) -> int:
    """What divides all values of a band's member."""
    partial = band.band_get_partial_schedule().get_union_pw_aff(member)
    values = isl.UnionMap.from_union_pw_aff(partial).range()
    return int(isl.Set.from_union_set(values).get_stride(0).to_python())


def _member(band: isl.ScheduleNode, member: int) -> isl.Map:
    partial = band.band_get_partial_schedule().get_union_pw_aff(member)
    return _own(isl.UnionMap.from_union_pw_aff(partial))


def _own(relation: isl.UnionMap) -> isl.Map:
    """A map of the only statement."""
    return isl.Map.from_union_map(relation)


def _unnamed(relation: isl.Map) -> isl.Map:
    """The relation with a range without a name."""
    if relation.has_tuple_id(_OUT):
        return relation.reset_tuple_id(_OUT)
    return relation
