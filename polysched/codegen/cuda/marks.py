"""Reading the marks of a tree."""

from __future__ import annotations

import islpy as isl

from polysched.sets import node_kind


def mark_words(node: isl.ScheduleNode) -> list[str]:
    """The words of a mark, a single empty one for other nodes."""
    if node_kind(node) != "mark":
        return [""]
    return str(node.mark_get_id().get_name()).split(":")


def find_below(node: isl.ScheduleNode, kind: str) -> isl.ScheduleNode | None:
    """The first mark of a kind below a node, as long as nothing branches."""
    while node.n_children() == 1:
        node = node.child(0)
        if mark_words(node)[0] == kind:
            return node
    return None


def read_counts(word: str) -> tuple[int, ...]:
    """The numbers of a word of a mark."""
    return tuple(int(n) for n in word.split(","))
