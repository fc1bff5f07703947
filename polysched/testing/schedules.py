"""A few schedules of any SCoP, made without the project's own scheduler."""

from __future__ import annotations

import contextlib

from polysched.analysis import Dependences, set_band_flags
from polysched.base import LimitError
from polysched.ir import NodePath, ScheduleTree, Scop, original_tree
from polysched.schedule import isl_schedule
from polysched.transform import Parallel, Tile, Vector


def simple_schedules(scop: Scop, deps: Dependences) -> list[ScheduleTree]:
    """The original order, isl's schedules, and each tiled and shared by threads.

    Parameters
    ----------
    scop : Scop
        Any SCoP.
    deps : Dependences
        Its dependences; every step that is applied is checked against them.

    Returns
    -------
    list of ScheduleTree
        Distinct trees, the original order first.
    """
    bases = [set_band_flags(original_tree(scop), deps)]
    with contextlib.suppress(LimitError):
        bases.append(isl_schedule(scop, deps).tree)
        bases.append(isl_schedule(scop, deps, outer_coincidence=True).tree)
    found: dict[str, ScheduleTree] = {}
    for base in bases:
        for tree in (base, tile_bands(base, deps), share_loops(base, deps)):
            found.setdefault(tree.text, tree)
        tree = share_loops(tile_bands(base, deps), deps)
        found.setdefault(tree.text, tree)
    return list(found.values())


def tile_bands(
    tree: ScheduleTree, deps: Dependences, sizes: tuple[int, ...] = (2, 3, 4)
) -> ScheduleTree:
    """The tree with each of its permutable bands tiled, where that is legal."""
    paths: list[NodePath] = [path for path, _ in tree.bands()]
    for path in reversed(paths):  # inner bands first: their paths stay valid
        n_members = tree.node(path).band_n_member()
        step = Tile(path, tuple(sizes[k % len(sizes)] for k in range(n_members)))
        if step.check(tree, deps) is None:
            tree = step.apply(tree)
    return tree


def share_loops(tree: ScheduleTree, deps: Dependences) -> ScheduleTree:
    """The tree with outermost parallel loops marked, and innermost vector loops."""
    tree = _mark_innermost(tree, deps)
    done: list[NodePath] = []
    changed = True
    while changed:
        changed = False
        for path, node in tree.bands():
            if path in done:
                continue
            done.append(path)
            for member in range(node.band_n_member()):
                step = Parallel(path, member)
                if step.check(tree, deps) is None:
                    tree = step.apply(tree)
                    changed = True
                    break
            if changed:
                break
    return tree


def _mark_innermost(tree: ScheduleTree, deps: Dependences) -> ScheduleTree:
    paths = [path for path, _ in tree.bands()]
    inner = [p for p in paths if not any(q[: len(p)] == p and q != p for q in paths)]
    for path in reversed(inner):
        for member in reversed(range(tree.node(path).band_n_member())):
            step = Vector(path, member)
            if step.check(tree, deps) is None:
                tree = step.apply(tree)
                break
    return tree
