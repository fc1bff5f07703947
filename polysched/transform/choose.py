"""Which member innermost, which tile sizes, which register tile."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import combinations, product

from polysched.analysis import LARGE_EXTENT, Reference, Vector, subscript_moves
from polysched.machine import Cpu
from polysched.sets import is_isolated
from polysched.transform.aliases import too_many_alias
from polysched.transform.band_view import (
    MAX_MATES,
    BandView,
    StatementView,
    is_rectangular,
    runs_boxes_together,
)

VECTOR_GAIN = 4.0  # a vector loop against a scalar one, data in cache
STRIDE_COST = {"0": 0.0, "1": 0.125, "N": 1.0}
LINE_BYTES = 64
MAX_VECTOR_TILE = 256
STENCIL_STEPS = 16
STENCIL_WIDTH = 32
DIAMOND = 64  # values of a diamond's sides, over loops in its rows
DIAMOND_OF_ROWS = 2048  # and where its rows are the vector loop
MIN_DIAMOND = 8
MIN_HEIGHT = 2  # rows of a diamond whose statements run apart: those run at once
DIAMONDS_PER_CORE = 3  # of one wave, at least
MAX_TILE = 64
FACTORS = (1, 2, 4, 8)
MAX_JAM_COPIES = 16
MAX_JAMMED = 32  # statements, of all copies of a body of many that waits
SPARE_REGISTERS = 4
SHORT_RUN = 32  # iterations
MIN_ROWS_GAIN = 0.1  # of the memory operations, for two rows at once


@dataclass(frozen=True)
class TileSizes:
    """Sizes for a band, 0 for members left whole."""

    sizes: tuple[int, ...]

    @property
    def any(self) -> bool:
        """Whether anything is tiled."""
        return sum(1 for s in self.sizes if s) > 0


def innermost_cost(band: BandView, member: int) -> float:
    """Relative time of one iteration with a member innermost."""
    moved = band.moved_bytes(member)
    if not moved:
        return float("inf")
    memory = sum(_stride_cost(found, step) for found, step in moved) / len(moved)
    vector = band.coincident[member] and all(found != "N" for found, _ in moved)
    return memory + (1.0 / VECTOR_GAIN if vector else 1.0)


def _stride_cost(found: str, step: int | None) -> float:
    """Lines that one element takes; of members of structures a part of one."""
    is_near = found == "N" and step is not None and step < LINE_BYTES
    return step / LINE_BYTES if is_near and step else STRIDE_COST[found]


def choose_innermost(band: BandView) -> int:
    """The member of a permutable band to run innermost; the present one on a tie."""
    last = band.n_members - 1
    costs = [innermost_cost(band, k) for k in range(band.n_members)]
    best = min(range(band.n_members), key=lambda k: (costs[k], k != last, -k))
    return best if costs[best] < costs[last] else last


def has_cache_reuse(band: BandView) -> bool:
    """Whether tiles of the band would keep data in cache that it uses again.

    Some reference with as many dimensions as any must be used again along a member, or
    move with a large stride along the innermost one.
    """
    for s in band.main:
        directions = [d for d in map(s.direction, s.moving) if d is not None]
        ranks = [r.rank_along(directions) for r in s.references]
        if max(ranks, default=0) < len(s.moving):
            return True
        last = s.moving[-1] if s.moving else None
        if last is not None:
            direction = s.direction(last)
            assert direction is not None
            if any(r.stride_class(direction) == "N" for r in s.references):
                return len(s.moving) > 1
    return False


def choose_tile_sizes(band: BandView, cpu: Cpu, jam: tuple[int, ...]) -> TileSizes:
    """Sizes for a band whose last member is the vector loop.

    The vector member gets a long tile that fits the first cache together with the rows
    of one register tile; the others grow evenly, in multiples of their register tile,
    while the whole tile fits half of the second cache.
    """
    last = band.n_members - 1
    live = {k for s in band.statements for k in s.moving}
    rows = max(1, sum(jam) - 1)
    vector = 64
    while vector < MAX_VECTOR_TILE and rows * 2 * vector * 8 <= cpu.l1_bytes // 2:
        vector *= 2
    sizes = {k: max(8, jam[k] if jam else 1) for k in range(last) if k in live}
    sizes[last] = vector
    sizes = {k: _clip(band, k, size) for k, size in sizes.items()}
    grown = True
    while grown:
        grown = False
        for k in sorted((m for m in sizes if m != last), key=lambda m: sizes[m]):
            bigger = sizes | {k: sizes[k] * 2}
            if (
                sizes[k] < MAX_TILE
                and sizes[k] < (band.extent(k) or MAX_TILE)
                and band.footprint(bigger) <= cpu.l2_bytes // 2
            ):
                sizes, grown = bigger, True
                break
    return TileSizes(tuple(_whole(band, k, sizes.get(k, 0)) for k in range(last + 1)))


def choose_time_tile(band: BandView, cpu: Cpu) -> TileSizes:
    """Sizes for a skewed band over an unskewed vector loop that stays whole."""
    steps, width = STENCIL_STEPS, STENCIL_WIDTH
    while width > 4:
        sizes = {0: steps} | dict.fromkeys(range(1, band.n_members), width)
        if band.footprint(sizes) <= cpu.l2_bytes * 3 // 2:
            break
        steps, width = max(4, steps // 2), width // 2
    return TileSizes((steps, *(width for _ in range(1, band.n_members))))


def choose_diamond(band: BandView, cpu: Cpu, *, apart: bool = False) -> TileSizes:
    """Sizes for a skewed band in tiles that start at once, diamonds in its first two.

    A diamond is half as wide at a time, in the mean, as it is at its waist; so much
    should stay in the second cache. The tiles of a wave should be several per core.
    The innermost loop stays whole unless it is one of the two. Of statements that run
    `apart`, one after the other for a time, each finds in half of the first cache what
    it has read for the value before of the second member: the rest is passing through.
    """
    others = list(range(2, band.n_members))
    whole: dict[int, int] = {}
    if others and not band.is_above_others:
        last = others.pop()
        whole[last] = band.spans[last] or LARGE_EXTENT
    size = DIAMOND if band.is_above_others or whole else DIAMOND_OF_ROWS
    width = band.spans[1]
    while size > MIN_DIAMOND:
        inside = {0: 1, 1: size // 2} | dict.fromkeys(others, size) | whole
        fits = band.footprint(inside) <= cpu.l2_bytes * 3 // 2
        if fits and (width is None or width >= size * cpu.n_cores * DIAMONDS_PER_CORE):
            break
        size //= 2
    height = size
    while apart and height > MIN_HEIGHT:
        inside = {0: 1, 1: 1} | dict.fromkeys(others, height) | whole
        alone = (replace(band, statements=(s,)) for s in band.main)
        if max(one.footprint(inside) for one in alone) <= cpu.l1_bytes // 2:
            break
        height //= 2
    return TileSizes((size, size, *(height for _ in others), *(0 for _ in whole)))


def _clip(band: BandView, member: int, size: int) -> int:
    extent = band.extent(member)
    while extent is not None and size > 4 and size >= 2 * extent:
        size //= 2
    return size


def _whole(band: BandView, member: int, size: int) -> int:
    """No tiles where one and a half would do."""
    extent = band.extent(member)
    return 0 if extent is not None and 2 * extent <= 3 * size else size


def choose_jam(band: BandView, cpu: Cpu, *, vector: bool) -> tuple[int, ...]:
    """Factors of a register tile, all 1 where it would bring nothing.

    With a vector loop innermost, the memory operations per copy of the body are counted
    that are left when values used by several copies are kept in registers; the best
    factors whose values fit the register file win, the fewest registers among equals.
    Otherwise each iteration waits for the one before it: then as many copies as allowed
    fill the time, most of them along the inner members.
    """
    ones = (1,) * band.n_members
    if band.waits_both_ways and _room(band, 0):
        return _choose_rows_together(band), 1
    if not band.permutable or band.n_members < 2:
        return ones
    is_whole = _is_jammed_whole(band)
    if not is_whole and (vector or not band.runs_as_one):
        return ones
    choices = [_factors(band, k, vector=vector) for k in range(band.n_members)]
    candidates = [f for f in product(*choices) if _product(f) <= MAX_JAM_COPIES]
    if not vector:
        return _choose_copies(band, candidates)
    candidates = [
        f for f in candidates if not any(_aliases(band, s, f) for s in band.main)
    ]
    n_registers = 32 if "avx512f" in cpu.isa or "neon" in cpu.isa else 16
    plain = _jam_cost(band, ones)[0]
    costs = {f: _jam_cost(band, f) for f in candidates}
    fitting = [
        f
        for f, (operations, used) in costs.items()
        if used <= n_registers - SPARE_REGISTERS and operations < 0.8 * plain
    ]
    if not fitting:
        return ones
    best = min(fitting, key=lambda f: costs[f])
    if len(band.main) > 1:  # each writes rows of its own: no more of them than pays
        nearly = 1.2 * costs[best][0]
        best = min((f for f in fitting if costs[f][0] <= nearly), key=_product)
    return best


def _choose_rows_together(band: BandView) -> int:
    """Rows whose bodies run side by side: where nearly as many do, a part of a tile."""
    most, span = MAX_JAM_COPIES // band.n_written, band.spans[0]
    parts = (f for f in range(most, most // 2, -1) if span and span % f == 0)
    return next(parts, most)


def _factors(band: BandView, member: int, *, vector: bool) -> tuple[int, ...]:
    """Copies along a member that are tried: of short loops all, where others wait."""
    if member == band.n_members - 1 or not _moves_all(band, member):
        return (1,)
    if _room(band, member):
        return FACTORS
    n = band.extent(member) or 1
    is_whole = n <= MAX_JAM_COPIES // 2 and band.coincident[member] and not vector
    return (1, n) if is_whole else (1,)


def choose_rows(band: BandView) -> tuple[int, ...]:
    """Factors that advance two rows of a diamond together, all 1 if nothing is saved.

    The vector loop is the last member, rows follow each other along the one before. A
    row that both read is loaded once; more rows leave more of them over at the sides.
    """
    ones = (1,) * band.n_members
    if not band.permutable or band.n_members < 2 or not _is_jammed_whole(band):
        return ones
    two = (*ones[2:], 2, 1)
    few, many = _jam_cost(band, two)[0], _jam_cost(band, ones)[0]
    return two if few <= (1.0 - MIN_ROWS_GAIN) * many else ones


def choose_lanes(band: BandView, member: int, cpu: Cpu) -> int:
    """Iterations to a vector of a short loop, or of one that reads neighbours.

    0 leaves that to the compiler.

    Of an array that is read at several places of one row not all vectors can begin at
    a line. Where vectors are as long as lines, all others lie in two; of vectors half
    as long every other one does. And a short loop is over after few vectors of a line;
    what waits for the run before it has fewer operations at a time than lanes. Neither
    is so where a short loop fills whole lines under loops that it could change places
    with: there are runs enough. Nor where full tiles have a version of their own, in
    which what a short loop keeps from run to run stays in registers. What goes through
    scalars on its way to an array counts as what it becomes: compilers compute with
    bytes as bytes where only those are kept.
    """
    span = band.spans[member]
    if cpu.simd_bits // 8 < cpu.line_bytes:
        return 0
    written = [
        band.scop.array(r.array) for s in band.main for r in s.references if r.is_write
    ]
    if not written:
        return 0
    kept = [array for array in written if array.extents] or written
    lanes = cpu.line_bytes // max(array.type.n_bytes for array in kept)
    if reads_neighbours(band, member):
        return lanes // 2
    if span is None or span > SHORT_RUN:
        return 0
    is_full = band.n_members > 1 or is_isolated(band.tree.node(band.path))
    return 0 if is_full and span % lanes == 0 else lanes // 2


def reads_neighbours(band: BandView, member: int) -> bool:
    """Whether one array is read at places that a member's values part."""
    read = {
        (r.array, r.rows, r.moves(along), r.offsets)
        for s in band.main
        if (along := s.direction(member)) is not None
        for r in s.references
        if not r.is_write
    }
    return any(
        one[:3] == two[:3] and _are_steps_apart(one[3], two[3], one[2])
        for one, two in combinations(read, 2)
    )


def _are_steps_apart(one: Vector, two: Vector, move: Vector) -> bool:
    """Whether a whole number of steps leads from one place to the other."""
    way = [b - a for a, b in zip(one, two, strict=True)]
    first = next((k for k, m in enumerate(move) if m), None)
    if first is None or way[first] % move[first]:
        return False
    n_steps = way[first] / move[first]
    return all(w == n_steps * m for w, m in zip(way, move, strict=True))


def _choose_copies(
    band: BandView, candidates: list[tuple[int, ...]]
) -> tuple[int, ...]:
    """Factors that give the most iterations that need not wait for each other.

    Copies along parallel members are independent; where there is none, those along
    the member that `Skew` added to the innermost one are.
    """
    free = [k for k in range(band.n_members - 1) if band.coincident[k]]
    usable = free or [band.n_members - 2]
    fitting = [
        f for f in candidates if all(x == 1 or k in usable for k, x in enumerate(f))
    ]
    wanted = MAX_JAM_COPIES if len(usable) > 1 else MAX_JAM_COPIES // 2
    if len(band.statements) > MAX_MATES:
        wanted = max(1, MAX_JAMMED // len(band.statements))
    return max(fitting, key=lambda f: (min(_product(f), wanted), -max(f), f))


def _aliases(band: BandView, s: StatementView, factors: tuple[int, ...]) -> bool:
    """Whether copies of a register tile walk along rows that compete for one set."""
    directions = [s.direction(k) for k in range(band.n_members)]
    last = directions[-1]
    assert last is not None
    return any(
        too_many_alias(band.scop, r, directions, factors)
        for r in s.references
        if r.stride_class(last) == "1"
    )


def _room(band: BandView, member: int) -> bool:
    extent = band.extent(member)
    return extent is None or extent >= 16


def _is_jammed_whole(band: BandView) -> bool:
    """Whether one copy of the body is the same at all points of a register tile.

    As where one statement fills the band, or some that all its members move and that
    run for the same values.
    """
    last = band.n_members - 1
    if not _moves_all(band, last):
        return False
    return len(band.main) == 1 or (
        1 < len(band.main) <= MAX_MATES
        and band.main == band.statements
        and len(band.main[0].moving) == band.n_members
        and (is_rectangular(band) or runs_boxes_together(band))
    )


def _moves_all(band: BandView, member: int) -> bool:
    return all(s.direction(member) is not None for s in band.main)


def _jam_cost(band: BandView, factors: tuple[int, ...]) -> tuple[float, int]:
    """Memory operations per copy of the body, and registers in use.

    What several statements touch at one point of the loops counts once.
    """
    counts = [_touched(s, factors, band.coincident) for s in band.main]
    if _walk_together(band.main):
        near, read = (set().union(*sets) for sets in zip(*counts, strict=True))
        return len(near) / _product(factors), len(read)
    operations = sum(len(near) for near, _ in counts)
    return operations / _product(factors), sum(len(read) for _, read in counts)


def _walk_together(statements: tuple[StatementView, ...]) -> bool:
    """Whether statements have the same iterators, which the loops count alike."""
    functions = [[(m.function, m.constant) for m in s.members] for s in statements]
    return all(f == functions[0] for f in functions)


def _touched(
    s: StatementView, factors: tuple[int, ...], free: tuple[bool, ...]
) -> tuple[set[_Touch], set[_Touch]]:
    """What a statement's copies touch in memory, and what they read.

    An element that several copies touch, as rows of a stencil do, counts once, unless
    the copies wait for each other.
    """
    last = s.direction(len(factors) - 1)
    assert last is not None
    near: set[_Touch] = set()
    read: set[_Touch] = set()
    for one in s.references:
        r = _stored(s, one, len(factors))
        found = {_Touch(r.array, r.rows, r.is_write, r.offsets)}
        for k, factor in enumerate(factors):
            direction = s.direction(k)
            if factor > 1 and direction is not None and any(r.moves(direction)):
                move = r.moves(direction)
                found = {
                    one.moved(move, copy, free[k])
                    for one in found
                    for copy in range(factor)
                }
        if any(r.moves(last)):
            near |= found
        if not r.is_write:
            read |= found
    return near, read


def _stored(s: StatementView, r: Reference, n_members: int) -> Reference:
    """A private copy that an outer loop of a band comes back to lies in memory."""
    *outer, last = (s.direction(k) for k in range(n_members))
    if last is None or not any(subscript_moves(r.expanded, last)):
        return r
    if all(d is None or any(subscript_moves(r.expanded, d)) for d in outer):
        return r
    offsets = (*(0 for _ in r.expanded), *r.offsets)
    return replace(r, rows=(*r.expanded, *r.rows), offsets=offsets, expanded=())


@dataclass(frozen=True)
class _Touch:
    """One element that a copy of the body reads or writes."""

    array: str
    rows: tuple[Vector, ...]
    is_write: bool
    offsets: Vector
    copies: tuple[int, ...] = ()

    def moved(self, move: Vector, copy: int, free: bool) -> _Touch:
        """The same access in another copy, which may have to wait for this one."""
        offsets = tuple(o + copy * m for o, m in zip(self.offsets, move, strict=True))
        copies = self.copies if free else (*self.copies, copy)
        return replace(self, offsets=offsets, copies=copies)


def _product(factors: tuple[int, ...]) -> int:
    total = 1
    for factor in factors:
        total *= factor
    return total
