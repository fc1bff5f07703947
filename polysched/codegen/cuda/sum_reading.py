"""What a tree says of a sum that blocks and threads share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import islpy as isl

from polysched.analysis import Reduction, choose_copied, find_reductions
from polysched.base import CodegenError
from polysched.codegen.cuda.marks import mark_words, read_counts
from polysched.codegen.cuda.sum_ops import Operator
from polysched.codegen.cuda.sum_terms import Shared, Terms, flat, n_out
from polysched.codegen.mentions import iterator_type
from polysched.ir import (
    MARK_KERNEL,
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
from polysched.sets import list_maps, list_sets, map_names

_OUT = isl.dim_type.out
_ZERO = isl.Set("{ [0] }")


def find_shared_sum(scop: Scop, kernel: isl.ScheduleNode, name: str) -> Reduction:
    """The reduction below a mark, with all of its terms."""
    below = {s.get_tuple_name(): s for s in list_sets(kernel.get_domain())}
    reduction = choose_copied(find_reductions(scop), name, set(below), on_device=True)
    if reduction is None:
        raise CodegenError(f"no partial sums of {name}: it is not one reduction")
    statement = scop.statement(reduction.statement)
    if not statement.domain.is_subset(below[statement.name]):
        raise CodegenError(f"no partial sums of {name}: a part of it is elsewhere")
    return reduction


@dataclass(frozen=True, eq=False)
class MarkedLoops:
    """The loops below a mark ``kernel`` that blocks and threads share.

    Or below a mark ``threads`` in a kernel whose blocks share nothing: then there is
    one part, and the blocks are among the loops around.

    Attributes
    ----------
    scop : Scop
        Whose statements are below.
    mark : isl.ScheduleNode
        The mark.
    """

    scop: Scop
    mark: isl.ScheduleNode

    @property
    def is_kernel(self) -> bool:
        """Whether blocks share the loops as well."""
        return mark_words(self.mark)[0] == MARK_KERNEL

    @property
    def arrays(self) -> tuple[str, ...]:
        """Those of the sums."""
        return partial_sums(_text(self.mark.child(0) if self.is_kernel else self.mark))

    @property
    def points(self) -> isl.ScheduleNode:
        """The band that threads share."""
        if not self.is_kernel:
            return self.mark.child(0)
        threads = self.mark.child(0).child(0).child(0)
        is_threads = mark_words(threads)[0] == MARK_THREADS
        if not is_threads or partial_sums(_text(threads)) != self.arrays:
            raise CodegenError("threads do not share the sum that their blocks share")
        return threads.child(0)

    @property
    def domains(self) -> dict[str, isl.Set]:
        """The instances of each statement, in order."""
        found = {s.get_tuple_name(): s for s in list_sets(self.mark.get_domain())}
        context = self.scop.context.params()
        return {
            s.name: found[s.name].intersect_params(context)
            for s in self.scop.statements
            if s.name in found
        }

    def outer(self, name: str) -> isl.Map:
        """Instances of a statement to the values of the loops around the mark."""
        prefix = self.mark.get_prefix_schedule_union_map()
        return _own(prefix, name).intersect_domain(self.domains[name])

    def find_shared(
        self, name: str, is_sum: Callable[[isl.Map], bool]
    ) -> tuple[Shared, ...]:
        """The loops as a statement has them; `is_sum` tells those over terms."""
        points = self.points
        counts = read_counts(mark_words(points.parent())[1])
        tiles = [0] * len(counts)
        if self.is_kernel:
            grid = self.mark.child(0).child(0)
            tiles = _tiles(grid, points, name, self.domains[name])
        values = [_member(points, k, name) for k in range(len(counts))]
        return tuple(
            Shared(value, tile, count, is_sum(value))
            for value, tile, count in zip(values, tiles, counts, strict=True)
        )


def read_terms(loops: MarkedLoops, reduction: Reduction, own: str) -> Terms:
    """The terms, and how the bands and marks of a tree share them."""
    scop, name = loops.scop, reduction.statement
    domain, outer = loops.domains[name], loops.outer(name)
    element = _unnamed(reduction.element.intersect_domain(domain))
    homes = flat(outer, element).reverse()
    shared = loops.find_shared(
        name, lambda value: not homes.apply_range(value).is_single_valued()
    )
    type_ = scop.array(reduction.array).type
    given = scop.statement(name)
    op = Operator.of(reduction, given)
    index = iterator_type(scop)
    terms = Terms(given, own, type_, op, index, outer, element, shared)
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


def _text(mark: isl.ScheduleNode) -> str:
    return ":".join(mark_words(mark))


def _tiles(
    grid: isl.ScheduleNode, points: isl.ScheduleNode, name: str, domain: isl.Set
) -> list[int]:
    """Sizes of the tiles of each member, 0 for members that are not tiled."""
    n_tiles = grid.band_n_member()
    tiles = [_member(grid, k, name).intersect_domain(domain) for k in range(n_tiles)]
    steps = [_step(grid, k) for k in range(n_tiles)]
    found = []
    for k in range(points.band_n_member()):
        size = 0
        if tiles:
            begin = isl.Map(f"{{ [x] -> [{steps[0]}*floor(x/{steps[0]})] }}")
            values = _member(points, k, name).intersect_domain(domain)
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


def _member(band: isl.ScheduleNode, member: int, name: str) -> isl.Map:
    partial = band.band_get_partial_schedule().get_union_pw_aff(member)
    return _own(isl.UnionMap.from_union_pw_aff(partial), name)


def _own(relation: isl.UnionMap, name: str) -> isl.Map:
    """The map of one statement."""
    (found,) = (m for m in list_maps(relation) if map_names(m)[0] == name)
    return found


def _unnamed(relation: isl.Map) -> isl.Map:
    """The relation with a range without a name."""
    if relation.has_tuple_id(_OUT):
        return relation.reset_tuple_id(_OUT)
    return relation
