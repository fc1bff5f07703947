"""Scripts drawn at random: whatever the steps permit, good or bad."""

from __future__ import annotations

from itertools import combinations
from random import Random

import islpy as isl

from polysched.analysis import Dependences, find_operands, find_overwritten
from polysched.base import AnalysisError
from polysched.ir import NodePath, ScheduleTree, Scop, Statement
from polysched.machine import Cpu
from polysched.sets import list_sets, node_kind
from polysched.transform.cuts import find_cuts
from polysched.transform.distribute import Distribute
from polysched.transform.draft import Draft, has_band_below
from polysched.transform.fuse_tiles import FuseTiles
from polysched.transform.jam import Jam
from polysched.transform.mapping import Accumulate, Parallel, ShareSums, Vector
from polysched.transform.merge import Merge
from polysched.transform.order import Order
from polysched.transform.ordered import Ordered
from polysched.transform.pack import Pack
from polysched.transform.registers import Registers
from polysched.transform.separate import Separate
from polysched.transform.shift import Shift
from polysched.transform.sink import Sink
from polysched.transform.skew import Skew
from polysched.transform.split import Split
from polysched.transform.squares import Squares
from polysched.transform.step import Script, Step
from polysched.transform.straighten import Straighten
from polysched.transform.tile import Tile, Wavefront
from polysched.transform.version import Version

TILE_SIZES = (0, 4, 8, 16, 32, 64, 128, 256)
FACTORS = (1, 2, 4, 8)
ATTEMPTS = 3  # walks per script that is wanted: some lead to the same tree
ROWS = (1, 2, 4, 6, 8, 14)  # of a register tile
VECTORS = (1, 2, 3, 4)  # of one of its rows
AHEAD = (0, 2, 8)  # rows that squares ask for
STRIPS = (16, 64, 256)  # iterations of neighbours that run in turn
# how often a walk takes a turn where it may
MERGE, ORDER, SKEW, STRAIGHTEN = 0.7, 0.6, 0.1, 0.3
CUT, DISTRIBUTE, SHIFT, SINK, FUSE = 0.15, 0.2, 0.5, 0.1, 0.2
TILE, TILE_AGAIN, WAVE, SINK_POINTS = 0.6, 0.15, 0.5, 0.5
SHARE, FIRST, DYNAMIC = 0.85, 0.7, 0.25
REGISTERS, PACK, JAM, SEPARATE, ACCUMULATE, VECTOR = 0.5, 0.7, 0.3, 0.3, 0.2, 0.8


def sample_scripts(
    tree: ScheduleTree,
    scop: Scop,
    deps: Dependences,
    cpu: Cpu,
    *,
    limit: int = 4,
    seed: int = 0,
) -> list[Script]:
    """Random legal scripts for one affine schedule.

    All steps that planned scripts are made of are drawn, in the same order. Bands are
    merged, cut, distributed, shifted and sunk, members of permutable ones reordered,
    skewed and straightened, tiled once or twice with any sizes, run in wavefronts;
    neighbours run in turn; threads share some parallel loop, or one that adds to copies
    of sums; innermost bands get register tiles with copies of any operand, copies of
    the body, or none; vector lanes take another loop, all by the throw of a die.
    Neither accesses nor caches are looked at: what a script is worth is not known.

    Parameters
    ----------
    tree, scop, deps, cpu
        As for `plan_scripts`; scripts depend on the tree and its dependences only.
    limit : int
        At most that many scripts; fewer where few walks end in different trees.
    seed : int
        The same seed gives the same scripts for the same tree.
    """
    draw = Random(f"scripts {seed} {tree.key}")
    found: dict[str, Script] = {}
    for _ in range(ATTEMPTS * limit):
        if len(found) >= limit:
            break
        draft = _walk(Draft(tree, deps), scop, cpu, draw)
        found.setdefault(draft.tree.text, draft.steps)
    return list(found.values())


def _walk(draft: Draft, scop: Scop, cpu: Cpu, draw: Random) -> Draft:
    if draw.random() < MERGE:
        for path in draft.band_paths():
            if node_kind(draft.node(path).child(0)) == "band":
                draft = draft.attempt(Merge(path)) or draft
    for path in draft.band_paths():
        draft = _take_apart(draft, path, draw)
    for path in draft.band_paths():
        draft = _arrange(draft, path, draw)
    for path in [p for p, n in draft.tree.nodes() if node_kind(n) == "sequence"][:1]:
        draft = _fuse_tiles(draft, path, draw)
    for path in draft.band_paths():
        draft = _tile(draft, path, draw)
    draft = _share(draft, draw, draft.tree.root, ())
    for path in draft.innermost_paths():
        draft = _fill(draft, scop, cpu, path, draw)
    return draft


def _take_apart(draft: Draft, path: NodePath, draw: Random) -> Draft:
    """Perhaps cut a loop, or distribute it, or sink it."""
    node = draft.node(path)
    n = node.band_n_member()
    member = draw.randrange(n if node.band_get_permutable() else 1)
    if draw.random() < CUT:
        cuts = find_cuts(draft, path, 0) if not member or draw.random() < FIRST else ()
        draft = _take(draft, Split(path, 0, cuts or _any_cut(node, draw)))
    elif draw.random() < DISTRIBUTE:
        names = [s.get_tuple_name() for s in list_sets(node.get_domain())]
        numbers = [int(name[1:]) for name in names]
        if draw.random() < FIRST:
            numbers.sort()
        else:
            draw.shuffle(numbers)
        draft = _take(draft, Distribute(path, member, tuple(numbers)))
        draft = _take(draft, Shift(path)) if draw.random() < SHIFT else draft
    elif draw.random() < SINK:
        draft = _take(draft, Sink(path))
    return draft


def _any_cut(node: isl.ScheduleNode, draw: Random) -> tuple[str, ...]:
    """In front of some value of an outer loop, behind it, or both; else a number."""
    depth = node.get_schedule_depth()
    first = f"c{draw.randrange(depth)}" if depth else str(draw.choice(TILE_SIZES))
    behind = f"{first} + {draw.choice((1, *TILE_SIZES[1:]))}"
    return draw.choice(((first,), (behind,), (first, behind)))


def _fuse_tiles(draft: Draft, path: NodePath, draw: Random) -> Draft:
    """Perhaps two neighbours of a sequence strip by strip."""
    node = draft.node(path)
    n = node.n_children()
    if draw.random() >= FUSE:
        return draft
    pair = tuple(sorted(draw.sample(range(n), 2)))
    bands = [node.child(k).child(0) for k in pair]
    if any(node_kind(band) != "band" for band in bands):
        return draft
    members = tuple(draw.randrange(band.band_n_member()) for band in bands)
    return _take(draft, FuseTiles(path, pair, members, draw.choice(STRIPS)))


def _arrange(draft: Draft, path: NodePath, draw: Random) -> Draft:
    """Perhaps another order, a skew, a last member without skew."""
    node = draft.node(path)
    n = node.band_n_member()
    if n < 2 or not node.band_get_permutable():
        return draft
    if draw.random() < ORDER:
        draft = _take(draft, Order(path, tuple(draw.sample(range(n), n))))
    if draw.random() < SKEW:
        member, other = draw.sample(range(n), 2)
        weights = tuple(int(k == other) for k in range(n))
        draft = _take(draft, Skew(path, member, weights))
    if draw.random() < STRAIGHTEN:
        draft = _take(draft, Straighten(path))
    return draft


def _tile(draft: Draft, path: NodePath, draw: Random) -> Draft:
    """Perhaps tiles of any sizes, perhaps tiles of tiles, perhaps in wavefronts."""
    node = draft.node(path)
    n = node.band_n_member()
    if not node.band_get_permutable() or draw.random() >= TILE:
        return draft
    sizes = tuple(draw.choice(TILE_SIZES) for _ in range(n))
    tiled = draft.attempt(Tile(path, sizes))
    if tiled is None:
        return draft
    if draw.random() < TILE_AGAIN:
        smaller = tuple(draw.choice(TILE_SIZES) for _ in range(n))
        tiled = _take(tiled, Tile((*path, 0, 0), smaller))
    tiles = tiled.node((*path, 0))
    if not tiles.band_member_get_coincident(0) and draw.random() < WAVE:
        tiled = _take(tiled, Wavefront((*path, 0), 2))
    elif has_band_below(node) and draw.random() < SINK_POINTS:
        tiled = _take(_take(tiled, Sink((*path, 0, 0))), Version((*path, 0), sizes[-1]))
    return tiled


def _fill(draft: Draft, scop: Scop, cpu: Cpu, path: NodePath, draw: Random) -> Draft:
    """A register tile, copies of the body, an even range, lanes; or none of them."""
    last = draft.node(path).band_n_member() - 1
    if draw.random() < ACCUMULATE:
        marked = draft.attempt(Accumulate(path, last))
        if marked is not None:
            return marked
    if draw.random() < REGISTERS:
        held = _hold(draft, scop, cpu, path, draw)
        if held is not None:
            return held
    if draw.random() < JAM:
        draft = _jam(draft, path, draw)
    elif draw.random() < SEPARATE:
        draft = _take(draft, Separate(path, draw.randint(0, last)))
    if draw.random() < VECTOR:
        draft = _take(draft, Vector(path, last))
    return draft


def _hold(
    draft: Draft, scop: Scop, cpu: Cpu, path: NodePath, draw: Random
) -> Draft | None:
    """A register tile of any shape with any copies; None where it is not legal."""
    node = draft.node(path)
    n = node.band_n_member()
    names = [s.get_tuple_name() for s in list_sets(node.get_domain())]
    if n < 2 or not names:  # cutting twice may leave a part without instances
        return None
    lanes = min(_lanes(scop, cpu, name) for name in names)
    if len(names) != 1:
        rows = lanes * draw.choice(VECTORS)
        return draft.attempt(Squares(path, (rows, 1), lanes, *_ahead(lanes, draw)))
    statement = scop.statement(names[0])
    row, lane = sorted(draw.sample(range(n), 2))
    if node_kind(node.parent()) == "mark":  # the first loop stays the one it marks
        row = 0
    factors = [1] * n
    factors[row] = draw.choice(ROWS)
    factors[lane] = lanes * draw.choice(VECTORS)
    held = draft.attempt(Registers(path, tuple(factors), lanes, *_ahead(lanes, draw)))
    outer = path[:-1] if path and draw.random() < FIRST else path
    for _ in range(2):
        if held is None or draw.random() >= PACK:
            break
        place = outer if node_kind(held.node(outer)) == "band" else path
        operands = _operands(held, scop, statement, place)
        if operands:
            chosen = draw.choice(operands)
            order = tuple(draw.sample(chosen, len(chosen)))
            held = _take(held, Pack(place, int(names[0][1:]), order))
    return held


def _ahead(lanes: int, draw: Random) -> tuple[int, int]:
    """How many rows further on, and how many of the rows of a square."""
    return draw.choice(AHEAD), draw.randrange(1 - lanes, lanes)


def _lanes(scop: Scop, cpu: Cpu, statement: str) -> int:
    """Elements of a vector of the largest type that a statement writes."""
    written = {a.array for a in scop.statement(statement).writes}
    return min(cpu.vector_elements(scop.array(a).type.n_bytes) for a in written)


def _operands(
    draft: Draft, scop: Scop, statement: Statement, path: NodePath
) -> list[tuple[int, ...]]:
    """Pairs of iterators that move something that nothing below a band overwrites."""
    found: list[tuple[int, ...]] = []
    for pair in combinations(range(statement.n_loops), 2):
        names = frozenset(statement.iterators[k] for k in pair)
        operands = find_operands(statement, names)
        try:
            lost = [
                find_overwritten(draft.node(path), scop, statement, e) for e in operands
            ]
        except AnalysisError:
            continue
        if operands and not any(lost):
            found.append(pair)
    return found


def _jam(draft: Draft, path: NodePath, draw: Random) -> Draft:
    """Copies of the body along two members at most: more explode."""
    factors = [1] * draft.node(path).band_n_member()
    for member in draw.sample(range(len(factors)), min(2, len(factors))):
        factors[member] = draw.choice(FACTORS)
    return _take(draft, Jam(path, tuple(factors)))


def _share(draft: Draft, draw: Random, node: isl.ScheduleNode, path: NodePath) -> Draft:
    """Threads for a parallel loop on most ways down, the outermost more often."""
    if node_kind(node) == "band" and draw.random() < SHARE:
        steps: list[Step] = [
            Parallel(path, k, draw.random() < DYNAMIC)
            for k in range(node.band_n_member())
        ]
        legal = [s for s in steps if draft.attempt(s) is not None]
        if not legal:
            legal = _copied(draft, path) or _ordered(draft, path)
        if legal:
            return draft.do(legal[0] if draw.random() < FIRST else draw.choice(legal))
    for k in reversed(range(node.n_children())):
        draft = _share(draft, draw, node.child(k), (*path, k))
    return draft


def _copied(draft: Draft, path: NodePath) -> list[Step]:
    """Legal steps that share a loop with copies of sums below it."""
    inside = {s.get_tuple_name() for s in list_sets(draft.node(path).get_domain())}
    free = sorted({r.array for r in draft.deps.reductions if r.statement in inside})
    chosen: list[tuple[str, ...]] = [(array,) for array in free]
    if len(free) > 1:
        chosen.append(tuple(free))
    n_members = draft.node(path).band_n_member()
    steps = [ShareSums(path, k, arrays) for k in range(n_members) for arrays in chosen]
    return [s for s in steps if draft.attempt(s) is not None]


def _ordered(draft: Draft, path: NodePath) -> list[Step]:
    """Legal steps that share a loop of which one part keeps its order."""
    below = draft.node(path).child(0)
    if node_kind(below) != "sequence":
        return []
    steps = [Ordered(path, part) for part in range(below.n_children())]
    return [s for s in steps if draft.attempt(s) is not None]


def _take(draft: Draft, step: Step) -> Draft:
    """The draft with a step where it is legal, as it was otherwise."""
    return draft.attempt(step) or draft
