"""A script in the making."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from functools import cached_property

import islpy as isl

from polysched.analysis import Dependences, Place, derive_places, statement_places
from polysched.ir import NodePath, ScheduleTree
from polysched.sets import node_kind
from polysched.transform.step import Script, Step


@dataclass(frozen=True, eq=False)
class Draft:
    """A tree, and the steps that led to it.

    Attributes
    ----------
    tree : ScheduleTree
        After the steps.
    deps : Dependences
        What the steps must respect.
    steps : tuple of Step
        Applied so far.
    """

    tree: ScheduleTree
    deps: Dependences
    steps: Script = ()

    def through(
        self, stage: Callable[..., Draft], *given: Hashable, **flags: bool
    ) -> Draft:
        """What a stage of planning makes of the draft; asked again, the same object.

        Shapes begin alike, so that what follows equal stages is shared, too.
        """
        key = (stage, given, tuple(flags.items()))
        if key not in self._made:
            self._made[key] = stage(self, *given, **flags)
        return self._made[key]

    @cached_property
    def _made(self) -> dict[Hashable, Draft]:
        return {}

    def do(self, step: Step) -> Draft:
        """The draft with one more step; the caller knows that it is legal."""
        tree = step.apply(self.tree)
        derive_places(self.tree, tree, step.band)
        return Draft(tree, self.deps, (*self.steps, step))

    def attempt(self, step: Step) -> Draft | None:
        """The draft with one more step, or None where the step is illegal."""
        if step.check(self.tree, self.deps) is not None:
            return None
        return self.do(step)

    @cached_property
    def places(self) -> tuple[Place, ...]:
        """Where each statement stands in the present tree, and the loops around it."""
        return statement_places(self.tree)

    def node(self, path: NodePath) -> isl.ScheduleNode:
        """The node at a path."""
        return self.tree.node(path)

    def band_paths(self) -> list[NodePath]:
        """Paths of all bands, such that steps on one leave the later ones valid.

        Deeper and later bands come first.
        """
        return [path for path, _ in reversed(self.tree.bands())]

    def innermost_paths(self) -> list[NodePath]:
        """Paths of the bands that hold no other band."""
        return [p for p in self.band_paths() if not has_band_below(self.node(p))]


def has_band_below(node: isl.ScheduleNode) -> bool:
    """Whether any descendant of a node is a band."""
    return any(
        node_kind(node.child(k)) == "band" or has_band_below(node.child(k))
        for k in range(node.n_children())
    )


def is_under_mark(node: isl.ScheduleNode, name: str) -> bool:
    """Whether a mark of that name stands above a node."""
    while node.has_parent():
        node = node.parent()
        if node_kind(node) == "mark" and mark_kind(node) == name:
            return True
    return False


def has_marks(node: isl.ScheduleNode) -> bool:
    """Whether a node, or anything below it, is a mark."""
    if node_kind(node) == "mark":
        return True
    return any(has_marks(node.child(k)) for k in range(node.n_children()))


def is_below_band(node: isl.ScheduleNode) -> bool:
    """Whether a band stands above a node."""
    while node.has_parent():
        node = node.parent()
        if node_kind(node) == "band":
            return True
    return False


def mark_kind(node: isl.ScheduleNode) -> str:
    """The name of a mark without its options, as in ``parallel:dynamic``."""
    return str(node.mark_get_id().get_name()).split(":", maxsplit=1)[0]
