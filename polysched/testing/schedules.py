"""A few schedules of any SCoP, made without the project's own scheduler."""

from __future__ import annotations

import contextlib

import islpy as isl

from polysched.analysis import Dependences, set_band_flags
from polysched.base import LimitError
from polysched.ir import NodePath, ScheduleTree, Scop, original_tree
from polysched.testing.candidates import Candidate, Candidates, prepare
from polysched.transform import Parallel, Step, Tile, Vector


def simple_schedules(scop: Scop) -> Candidates:
    """The original order and isl's schedules, as they are, tiled, shared by threads.

    Parameters
    ----------
    scop : Scop
        As the front end gave it.

    Returns
    -------
    Candidates
        Distinct trees, the original order first; every step that is applied is checked
        against the dependences.
    """
    scop, deps = prepare(scop)
    original = set_band_flags(original_tree(scop), deps)
    bases = [original]
    with contextlib.suppress(LimitError):
        bases.append(_isl_tree(scop, deps, outer_coincidence=False))
        bases.append(_isl_tree(scop, deps, outer_coincidence=True))
    trees = [original, share_loops(original, deps), *bases[1:2]]
    trees += [share_loops(tile_bands(base, deps), deps) for base in bases]
    distinct = {tree.text: Candidate(tree) for tree in trees}
    return Candidates(scop, deps, tuple(distinct.values()))


def _isl_tree(
    scop: Scop, deps: Dependences, *, outer_coincidence: bool
) -> ScheduleTree:
    """Isl's own schedule; random programs are small, so it needs no time limit.

    Raises
    ------
    LimitError
        Where isl gives up ("unable to carry dependences").
    """
    context = isl.DEFAULT_CONTEXT
    constraints = isl.ScheduleConstraints.on_domain(scop.domain)
    constraints = constraints.set_validity(deps.validity)
    constraints = constraints.set_coincidence(deps.validity)
    constraints = constraints.set_proximity(deps.flow)
    context.set_schedule_outer_coincidence(int(outer_coincidence))
    try:
        schedule = constraints.compute_schedule()
    except isl.Error as error:
        raise LimitError(f"isl finds no schedule for {scop.name}") from error
    finally:
        context.set_schedule_outer_coincidence(0)
    return set_band_flags(ScheduleTree(schedule), deps)


def tile_bands(
    tree: ScheduleTree, deps: Dependences, sizes: tuple[int, ...] = (2, 3, 4)
) -> ScheduleTree:
    """The tree with each of its permutable bands tiled, where that is legal."""
    paths: list[NodePath] = [path for path, _ in tree.bands()]
    for path in reversed(paths):  # inner bands first: their paths stay valid
        n_members = tree.node(path).band_n_member()
        step = Tile(path, tuple(sizes[k % len(sizes)] for k in range(n_members)))
        if _fits(step, tree, deps):
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
                if _fits(step, tree, deps):
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
            if _fits(step, tree, deps):
                tree = step.apply(tree)
                break
    return tree


def _fits(step: Step, tree: ScheduleTree, deps: Dependences) -> bool:
    """Whether a step has the right form and is legal by its own cheap test."""
    return step.find_misfit(tree) is None and step.is_surely_legal(tree, deps)
