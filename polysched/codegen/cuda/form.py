"""What a tree with the mark ``stage`` says: a contraction, tiled for a device.

All sets here have parameters ``h`` (launch), ``b`` (first point of the block's tile)
and ``q`` (first point of a tile of the members inside); points of the shared members
are ``b + o``, of the members inside ``q + k``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import islpy as isl

from polysched.analysis import load_relations
from polysched.base import AnalysisError, CodegenError
from polysched.codegen.cuda.mapping import WARP, KernelMap, fix
from polysched.codegen.cuda.marks import find_below, mark_words
from polysched.ir import (
    MARK_STAGE,
    MARK_THREADS,
    Assign,
    Load,
    ScheduleTree,
    Scop,
    Statement,
    walk,
)
from polysched.sets import list_sets


@dataclass(frozen=True)
class TileNames:
    """Names of parameters: launch, block, tile inside, and offsets in both."""

    outer: tuple[str, ...]
    blocks: tuple[str, ...]
    tiles: tuple[str, ...]
    offsets: tuple[str, ...]
    inner: tuple[str, ...]
    block_steps: tuple[int, ...]

    def sizes_of(self, form: TiledForm) -> tuple[int, ...]:
        """Tile sizes of all members, the shared ones first."""
        return (*self.block_steps, *form.steps)


@dataclass(frozen=True, eq=False)
class TiledForm:
    """A contraction in a kernel.

    Attributes
    ----------
    statement : Statement
        The only one.
    target : Load
        What a thread holds in a register.
    n_stages : int
        Tiles in shared memory.
    is_tensor : bool
        Whether warps multiply in tensor cores.
    is_bulk : bool
        Whether whole warps copy long aligned rows of a tile as such.
    steps : tuple of int
        Tile sizes of the members inside.
    points, inner : isl.Map
        Instances, inside the domain or not, to the shared members and to the others.
    blocks, tiles : isl.Map
        The same to their tiles.
    domain : isl.Set
        Instances of one launch, with parameters for it.
    instance : isl.PwMultiAff
        Values of the shared and the other members to the instance.
    """

    statement: Statement
    target: Load
    n_stages: int
    is_tensor: bool
    is_bulk: bool
    steps: tuple[int, ...]
    points: isl.Map
    inner: isl.Map
    blocks: isl.Map
    tiles: isl.Map
    domain: isl.Set
    instance: isl.PwMultiAff

    @property
    def n_shared(self) -> int:
        """Members that blocks and threads share."""
        return int(self.points.dim(isl.dim_type.out))

    @property
    def n_inner(self) -> int:
        """The others."""
        return int(self.inner.dim(isl.dim_type.out))

    @property
    def reads_target(self) -> bool:
        """Whether a result is made from what was there before."""
        (action,) = self.statement.body
        assert isinstance(action, Assign)
        if action.op != "=":
            return True
        return any(e == self.target for e in walk(action.value))

    @property
    def member_domain(self) -> isl.Set:
        """The instances of a launch by the values of all members."""
        return self.domain.apply(self.points.flat_range_product(self.inner))

    @property
    def results(self) -> isl.Set:
        """The same by the values of the shared members."""
        return self.domain.apply(self.points)

    def values(self, names: TileNames) -> isl.PwMultiAff:
        """Values of all members as a function of parameters."""
        sums = [
            *(f"{b} + {o}" for b, o in zip(names.blocks, names.offsets, strict=True)),
            *(f"{q} + {k}" for q, k in zip(names.tiles, names.inner, strict=True)),
        ]
        params = (*names.blocks, *names.offsets, *names.tiles, *names.inner)
        return isl.PwMultiAff(f"[{', '.join(params)}] -> {{ [{', '.join(sums)}] }}")


def is_tiled(mark: isl.ScheduleNode) -> bool:
    """Whether a kernel's mark stands above a tiled contraction."""
    return find_below(mark, MARK_STAGE) is not None


def read_form(
    scop: Scop, tree: ScheduleTree, mapped: KernelMap, outer: Sequence[str]
) -> TiledForm:
    """The contraction of a kernel.

    Raises
    ------
    CodegenError
        If the kernel has another form than the step `Contract` makes.
    """
    stage = find_below(tree.node(mapped.path), MARK_STAGE)
    assert stage is not None
    grid, tiles = stage.parent(), stage.child(0)
    inner = tiles.child(0)
    threads = find_below(inner, MARK_THREADS)
    sets = list_sets(mapped.instances)
    if threads is None or len(sets) != 1:
        raise CodegenError("a mark 'stage' stands above more than one contraction")
    points = threads.child(0)
    name = sets[0].get_tuple_name()
    statement = scop.statement(name)
    target = _target(statement)
    p, k = _own(points, name), _own(inner, name)
    domain = next(iter(list_sets(fix(mapped.outer, outer))))
    whole = p.flat_range_product(k)
    inverse = _inverse(whole, mapped, outer, name)
    _check_held(scop, statement, target, domain, p)
    return TiledForm(
        statement,
        target,
        int(mark_words(stage)[1]),
        "tensor" in mark_words(stage),
        "bulk" in mark_words(stage) and mapped.block_size % WARP == 0,
        tuple(_sizes(tiles, inner)),
        p,
        k,
        _own(grid, name),
        _own(tiles, name),
        domain,
        inverse,
    )


def _check_held(
    scop: Scop, statement: Statement, target: Load, domain: isl.Set, points: isl.Map
) -> None:
    """Refuse results that the members inside move, or that two threads share."""
    try:
        pairs = load_relations(scop, target, statement.iterators, statement.name)
        element = next(r for load, r in pairs if load == target)
    except AnalysisError as error:
        raise CodegenError(error.message) from error
    held = element.intersect_domain(domain).apply_domain(points)
    if not held.is_single_valued():
        raise CodegenError(
            f"{statement.name} writes several elements for one point of a block, so no "
            "register holds its result"
        )
    if not held.is_injective():
        raise CodegenError(
            f"two points of a block write one result of {statement.name}"
        )


def _inverse(
    whole: isl.Map, mapped: KernelMap, outer: Sequence[str], name: str
) -> isl.PwMultiAff:
    """Values of members to instances, in or out of the domain."""
    full = whole
    if outer:
        prefix = isl.Map.from_union_map(mapped.outer)
        prefix = prefix.gist_domain(prefix.domain()).coalesce()
        dims = [f"x{k}" for k in range(len(outer))]
        equal = " and ".join(f"{d} = {n}" for d, n in zip(dims, outer, strict=True))
        values = isl.Set(f"[{', '.join(outer)}] -> {{ [{', '.join(dims)}] : {equal} }}")
        full = whole.intersect_domain(prefix.intersect_range(values).domain())
    back = full.reverse()
    if not back.is_single_valued():
        raise CodegenError(f"the members of the kernel do not tell instances of {name}")
    return isl.PwMultiAff.from_map(back)


def _own(band: isl.ScheduleNode, name: str) -> isl.Map:
    """A band's partial schedule for one statement, in or out of the domain."""
    found = band.band_get_partial_schedule_union_map()
    pieces: list[isl.Map] = []
    found.foreach_map(pieces.append)
    own = [m for m in pieces if m.get_tuple_name(isl.dim_type.in_) == name]
    if len(own) != 1:
        raise CodegenError(f"a band of the kernel does not order {name}")
    return own[0]


def _sizes(tiles: isl.ScheduleNode, inner: isl.ScheduleNode) -> list[int]:
    """Tile sizes of the members inside: what their offsets stay below."""
    first = tiles.band_get_partial_schedule()
    second = inner.band_get_partial_schedule()
    sizes = []
    for k in range(tiles.band_n_member()):
        offset = second.get_union_pw_aff(k).sub(first.get_union_pw_aff(k))
        values = isl.UnionMap.from_union_pw_aff(offset).range()
        most = isl.Set.from_union_set(values).dim_max(0).max_val()
        sizes.append(int(most.to_python()) + 1)
    return sizes


def _target(statement: Statement) -> Load:
    match statement.body:
        case (Assign(target, _, _),):
            return target
    raise CodegenError(
        f"{statement.name} is no single assignment, so no register holds its result"
    )
