"""Marks of the schedule tree become OpenMP pragmas of the loops they mean."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import islpy as isl

from polysched.base import CodegenError
from polysched.codegen.ctext import Text, binary, integer
from polysched.codegen.linear import Linear
from polysched.codegen.nodes import (
    Block,
    Branch,
    Loop,
    Mark,
    Node,
    instances,
    walk_blocks,
    walk_nodes,
)
from polysched.ir import (
    MARK_ACCUMULATE,
    MARK_BACKWARDS,
    MARK_ORDERED,
    MARK_PARALLEL,
    MARK_RETURN,
    MARK_VECTOR,
    Rolled,
    ScheduleTree,
    copied_sums,
    held_lanes,
)
from polysched.sets import list_maps, map_names, node_kind

_LOOP_MARKS = (MARK_PARALLEL, MARK_VECTOR, MARK_ACCUMULATE)
_SCHEDULE = re.compile(
    rf"(static|dynamic|guided|{MARK_BACKWARDS})(,\s*\d+)?|{MARK_ORDERED}|{MARK_RETURN}"
)
_IN_TURN = "static, 1"  # the schedule of a loop of which a part is ordered
_PART = f"#pragma omp {MARK_ORDERED}"


def number_marks(tree: ScheduleTree) -> isl.Schedule:
    """The schedule with each parallel and vector mark naming the dimension it means.

    ``parallel`` above a band that begins at dimension 3 becomes ``parallel@3``;
    ``vector`` and ``accumulate`` mean the last member of their band.
    """
    for path, node in tree.nodes():
        if node_kind(node) != "mark":
            continue
        name = str(node.mark_get_id().get_name())
        kind = name.split(":", maxsplit=1)[0]
        band = _band_below(node)
        if kind not in _LOOP_MARKS or band is None:
            continue
        depth = band.get_schedule_depth()
        if kind != MARK_PARALLEL:
            depth += band.band_n_member() - 1
        mark = isl.Id(f"{name}@{depth}", None, node.get_ctx())
        renamed = tree.node(path).delete().insert_mark(mark)
        tree = ScheduleTree(renamed.get_schedule())
    return tree.schedule


def _band_below(node: isl.ScheduleNode) -> isl.ScheduleNode | None:
    """The band that a mark stands on, below further marks."""
    while node_kind(node) == "mark":
        node = node.child(0)
    return node if node_kind(node) == "band" else None


@dataclass(frozen=True)
class _Wanted:
    """Loops that enclosing marks ask for: dimension to clause, or to lanes."""

    parallel: dict[int, str]
    sums: dict[int, tuple[str, ...]]
    vector: dict[int, str]
    whole: frozenset[int] = frozenset()
    accumulate: frozenset[int] = frozenset()
    inside_parallel: bool = False
    inside_ordered: bool = False


def add_pragmas(
    block: Block,
    *,
    parallel: bool,
    simd: bool,
    clause: Callable[[Loop], str | None] = lambda _: "",
) -> Block:
    """The block with numbered marks dissolved into pragmas.

    Marks of register tiles, and of loops whose threads add to copies, are kept.
    Parallel pragmas never nest; `omp simd` needs a step of one.

    Parameters
    ----------
    block : Block
    parallel, simd : bool
        Whether pragmas of either kind are printed.
    clause : callable
        What more the pragma of a loop that threads share has to say, after a space;
        None for a loop that they had better not share.
    """
    return _Adder(parallel, simd, clause).block(block, _Wanted({}, {}, {}))


@dataclass(frozen=True)
class _Adder:
    """One run of `add_pragmas`."""

    parallel: bool
    simd: bool
    clause: Callable[[Loop], str | None]

    def block(self, block: Block, wanted: _Wanted) -> Block:
        items: list[Node] = []
        for item in block.items:
            match item:
                case Mark(name, body) if held_lanes(name) or Rolled.of_mark(name):
                    items.append(Mark(name, self.block(body, wanted)))
                case Mark(name, body) if name == MARK_ORDERED:
                    body = self.block(body, wanted)
                    part = replace(body, is_region=True, pragma=_PART)
                    items += [part] if wanted.inside_ordered else body.items
                case Mark(name, body):
                    body = self.block(body, _with_mark(wanted, name))
                    has_copies = self.parallel and copied_sums(name.partition("@")[0])
                    items += [Mark(name, body)] if has_copies else body.items
                case Loop():
                    items.append(self.loop(item, wanted))
                case Branch(condition, then, other):
                    then = self.block(then, wanted)
                    other = other and self.block(other, wanted)
                    items.append(Branch(condition, then, other))
                case _:
                    items.append(item)
        return replace(block, items=tuple(items))

    def loop(self, loop: Loop, wanted: _Wanted) -> Loop:
        kind = wanted.parallel.get(loop.depth)
        is_parallel = self.parallel and kind is not None and not wanted.inside_parallel
        is_vector = self.simd and loop.depth in wanted.vector and loop.step == 1
        sums = wanted.sums.get(loop.depth, ()) if self.parallel else ()
        is_shared = is_parallel and loop.condition is not None
        clause = self.clause(loop) if is_shared and not sums else ""
        if clause is None and kind != MARK_ORDERED:
            is_parallel = is_shared = False
        is_ordered = is_shared and kind == MARK_ORDERED
        if is_shared and kind and kind.startswith(MARK_BACKWARDS):
            loop, kind = _backwards(loop), kind.replace(MARK_BACKWARDS, "dynamic")
        if is_shared and kind == MARK_RETURN:
            loop, kind = _backwards(loop), _IN_TURN
        lanes = wanted.vector.get(loop.depth)
        is_whole = is_vector and not is_parallel and loop.depth in wanted.whole
        words = []
        if loop.condition is not None:
            shared = "for" if sums else "parallel for"  # copies are made in the region
            words += [shared] if is_parallel else []
            words += ["simd"] if is_vector and not is_ordered else []
        pragmas: tuple[str, ...] = ()
        if words:
            more = f" schedule({kind})" if is_shared else ""
            if is_ordered:
                more = f" schedule({_IN_TURN}) {MARK_ORDERED}"
            more += f" simdlen({lanes})" if is_vector and lanes else ""
            more += (clause or "") if is_shared else ""
            pragmas = (f"#pragma omp {' '.join(words)}{more}",)
        inside = replace(wanted, inside_parallel=wanted.inside_parallel or is_shared)
        if is_shared:
            inside = replace(inside, inside_ordered=is_ordered)
        accumulates = self.simd and loop.depth in wanted.accumulate and loop.step == 1
        body = self.block(loop.body, inside)
        if is_ordered:
            _check_part(body)
        return replace(
            loop,
            body=body,
            pragmas=pragmas,
            accumulates=accumulates and not sums,  # one way to reorder the same terms
            sums=sums,
            whole_lanes=int(lanes) if is_whole and lanes else 0,
        )


def _check_part(body: Block) -> None:
    """Raise unless an iteration has one ordered part at most, outside of loops."""
    parts = [b for b in walk_blocks(body) if b.pragma == _PART]
    inner = (n for n in walk_nodes(body) if isinstance(n, Loop))
    repeated = [b for loop in inner for b in walk_blocks(loop.body) if b.pragma]
    if len(parts) > 1 or repeated:
        raise CodegenError("isl has torn the ordered part of a loop that threads share")


def _in_order(loop: Loop) -> set[str]:
    """Statements that a loop that threads share runs in its ordered part alone."""
    parts = (b for b in walk_blocks(loop.body) if b.pragma == _PART)
    inside = Counter(i.statement for b in parts for i in instances(b))
    everywhere = Counter(i.statement for i in instances(loop.body))
    return {name for name, n in inside.items() if n == everywhere[name]}


def _without_ordered(deps: isl.UnionMap, names: set[str]) -> isl.UnionMap:
    """The dependences but for those between statements of an ordered part."""
    for relation in list_maps(deps) if names else ():
        if set(map_names(relation)) <= names:
            deps = deps.subtract(isl.UnionMap.from_map(relation))
    return deps


def _backwards(loop: Loop) -> Loop:
    """The loop from its last iteration to its first; without any, it stays empty."""
    word, bound = loop.bound
    last = bound if word == "<=" else binary("-", bound, integer(1))
    if loop.start and loop.n_iterations:
        last_step = Linear((), (loop.n_iterations - 1) * loop.step)
        last = loop.start.plus(last_step).to_text()
    elif loop.step != 1:
        step, first = integer(loop.step), loop.first
        is_zero = loop.start == Linear()
        reach = last if is_zero else binary("-", last, first)
        count = binary("/", binary("+", reach, step), step)
        last = binary("-", binary("*", count, step), step)
        last = last if is_zero else binary("+", first, last)
    condition = binary(">=", Text(loop.iterator), loop.first)
    return replace(loop, first=last, condition=condition, step=-loop.step, start=None)


def _with_mark(wanted: _Wanted, name: str) -> _Wanted:
    kind, _, rest = name.partition("@")
    if not rest:
        return wanted
    word, *variant = kind.split(":")
    if word == MARK_VECTOR:
        lanes, *further = variant or [""]
        if (lanes and not lanes.isdecimal()) or further not in ([], ["whole"]):
            raise CodegenError(
                f"unknown number of lanes {':'.join(variant)!r} in the mark {kind!r}",
                hint="a power of two, as in vector:4 or vector:4:whole",
            )
        depth = int(rest)
        whole = wanted.whole | ({depth} if further else set())
        return replace(wanted, vector={**wanted.vector, depth: lanes}, whole=whole)
    if word == MARK_ACCUMULATE:
        return replace(wanted, accumulate=wanted.accumulate | {int(rest)})
    clause = variant[0] if variant else "static"
    if not _SCHEDULE.fullmatch(clause):
        raise CodegenError(
            f"unknown loop schedule {clause!r} in the mark {kind!r}",
            hint="static, dynamic or guided, with a chunk size as in static,1, or "
            "backwards",
        )
    return replace(
        wanted,
        parallel={**wanted.parallel, int(rest): clause},
        sums={**wanted.sums, int(rest): copied_sums(kind)},
    )


def check_pragmas(
    block: Block,
    schedules: Mapping[str, isl.UnionMap],
    deps: isl.UnionMap,
    terms: Mapping[str, isl.UnionMap],
) -> None:
    """Raise unless loops with pragmas carry none of the dependences.

    Parameters
    ----------
    block : Block
        With pragmas.
    schedules : mapping of str to isl.UnionMap
        For each loop's key, instances to schedule dimensions, the loop's own last.
    deps : isl.UnionMap
        Sources to sinks.
    terms : mapping of str to isl.UnionMap
        For each array that threads have copies of, pairs of terms that may come in any
        order; loops with such copies may carry them.
    """
    for loop in walk_nodes(block):
        if isinstance(loop, Loop) and loop.pragmas:
            kept = deps
            for array in () if "simd" in loop.pragmas[0] else loop.sums:
                kept = kept.subtract(terms[array])
            if loop.is_shared:
                kept = _without_ordered(kept, _in_order(loop))
            carried = _carried(schedules[loop.key], kept)
            if carried is not None:
                raise CodegenError(
                    f"internal inconsistency: {loop.pragmas[0]!r} on a loop that "
                    f"carries the dependence {carried}"
                )


def _carried(schedule: isl.UnionMap, deps: isl.UnionMap) -> isl.Map | None:
    """Dependent pairs in different iterations of the loop of the last dimension."""
    moved = deps.apply_domain(schedule).apply_range(schedule)
    for relation in list_maps(moved):
        flat = relation.flatten_domain().flatten_range()
        last = flat.dim(isl.dim_type.in_) - 1
        for k in range(last):
            flat = flat.equate(isl.dim_type.in_, k, isl.dim_type.out, k)
        same = flat.equate(isl.dim_type.in_, last, isl.dim_type.out, last)
        if not flat.is_subset(same):
            return flat
    return None
