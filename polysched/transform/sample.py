"""Scripts drawn at random: whatever the steps permit, good or bad."""

from __future__ import annotations

from random import Random

import islpy as isl

from polysched.analysis import Dependences
from polysched.ir import NodePath, ScheduleTree, Scop
from polysched.machine import Cpu
from polysched.sets import node_kind
from polysched.transform.draft import Draft
from polysched.transform.jam import Jam
from polysched.transform.mapping import Parallel, Vector
from polysched.transform.merge import Merge
from polysched.transform.order import Order
from polysched.transform.skew import Skew
from polysched.transform.step import Script, Step
from polysched.transform.straighten import Straighten
from polysched.transform.tile import Tile, Wavefront

TILE_SIZES = (0, 4, 8, 16, 32, 64, 128, 256)
FACTORS = (1, 2, 4, 8)
ATTEMPTS = 3  # walks per script that is wanted: some lead to the same tree
# how often a walk takes a turn where it may
MERGE, ORDER, SKEW, STRAIGHTEN = 0.7, 0.6, 0.1, 0.3
TILE, TILE_AGAIN, WAVE = 0.6, 0.15, 0.5
JAM, SHARE, FIRST, DYNAMIC, VECTOR = 0.3, 0.85, 0.7, 0.25, 0.8


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

    Members of permutable bands are merged, reordered, skewed and straightened, tiled
    once or twice with any sizes, run in wavefronts, jammed; threads share some parallel
    loop, vector lanes another, all by the throw of a die. Neither accesses nor caches
    are looked at: what a script is worth is not known.

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
        draft = _walk(Draft(tree, deps), draw)
        found.setdefault(draft.tree.text, draft.steps)
    return list(found.values())


def _walk(draft: Draft, draw: Random) -> Draft:
    if draw.random() < MERGE:
        for path in draft.band_paths():
            if node_kind(draft.node(path).child(0)) == "band":
                draft = draft.attempt(Merge(path)) or draft
    for path in draft.band_paths():
        draft = _arrange(draft, path, draw)
    for path in draft.band_paths():
        draft = _tile(draft, path, draw)
    if draw.random() < JAM:
        for path in draft.innermost_paths():
            draft = _jam(draft, path, draw)
    draft = _share(draft, draw, draft.tree.root, ())
    for path in draft.innermost_paths():
        if draw.random() < VECTOR:
            last = draft.node(path).band_n_member() - 1
            draft = draft.attempt(Vector(path, last)) or draft
    return draft


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
    return tiled


def _jam(draft: Draft, path: NodePath, draw: Random) -> Draft:
    """A register tile of any shape, of two members at most: more explode."""
    factors = [1] * draft.node(path).band_n_member()
    for member in draw.sample(range(len(factors)), min(2, len(factors))):
        factors[member] = draw.choice(FACTORS)
    return _take(draft, Jam(path, tuple(factors)))


def _share(draft: Draft, draw: Random, node: isl.ScheduleNode, path: NodePath) -> Draft:
    """Threads for a parallel loop on most ways down, the outermost more often."""
    if node_kind(node) == "band" and draw.random() < SHARE:
        steps = [
            Parallel(path, k, draw.random() < DYNAMIC)
            for k in range(node.band_n_member())
        ]
        legal = [s for s in steps if draft.attempt(s) is not None]
        if legal:
            return draft.do(legal[0] if draw.random() < FIRST else draw.choice(legal))
    for k in reversed(range(node.n_children())):
        draft = _share(draft, draw, node.child(k), (*path, k))
    return draft


def _take(draft: Draft, step: Step) -> Draft:
    """The draft with a step where it is legal, as it was otherwise."""
    return draft.attempt(step) or draft
