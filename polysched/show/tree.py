"""Schedule trees line by line, and as nested lists of HTML."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import islpy as isl

from polysched.analysis import affine_texts, statement_names
from polysched.ir import ScheduleTree, Scop
from polysched.sets import node_kind
from polysched.show.markup import Html, code, element, join

_ROOTS = ("domain", "context")  # what follows them is not further to the right


@dataclass(frozen=True)
class TreeLine:
    """One node of a tree, in the order from the root down.

    Attributes
    ----------
    depth : int
        Nodes that it is inside of.
    kind : str
        Of the node, as isl has it; marks and filters of a leaf are joined to others.
    marks : tuple of str
        Marks directly above it.
    parts : tuple of (str, str)
        What it says, piece by piece, each with a flag or an empty string.
    flag : str
        What holds of all of it.
    """

    depth: int
    kind: str
    marks: tuple[str, ...]
    parts: tuple[tuple[str, str], ...]
    flag: str = ""


def list_lines(tree: ScheduleTree, scop: Scop | None = None) -> tuple[TreeLine, ...]:
    """The nodes of a tree, marks beside what they are about.

    Parameters
    ----------
    tree : ScheduleTree
    scop : Scop, optional
        Adds the statements' own text to the leaves.
    """
    return tuple(_walk(tree.root, 0, (), scop))


def _walk(
    node: isl.ScheduleNode, depth: int, marks: tuple[str, ...], scop: Scop | None
) -> Iterator[TreeLine]:
    kind = node_kind(node)
    if kind == "mark":
        name = str(node.mark_get_id().get_name())
        yield from _walk(node.child(0), depth, (*marks, name), scop)
        return
    if kind == "filter" and node_kind(node.child(0)) == "leaf":
        yield from _walk(node.child(0), depth, marks, scop)
        return
    yield _line(node, kind, depth, marks, scop)
    below = depth if kind in _ROOTS else depth + 1
    for k in range(node.n_children()):
        yield from _walk(node.child(k), below, (), scop)


def _line(
    node: isl.ScheduleNode,
    kind: str,
    depth: int,
    marks: tuple[str, ...],
    scop: Scop | None,
) -> TreeLine:
    if kind == "band":
        many = node.band_n_member() > 1 and node.band_get_permutable()
        flag = "permutable" if many else ""
        return TreeLine(depth, kind, marks, _members(node), flag)
    told = _told(node, kind, scop)
    return TreeLine(depth, kind, marks, ((told, ""),) if told else ())


def _told(node: isl.ScheduleNode, kind: str, scop: Scop | None) -> str:
    """What a node that is no band says."""
    if kind == "leaf":
        return _statements(node, scop)
    if kind == "domain":
        return ", ".join(statement_names(node.domain_get_domain()))
    if kind == "filter":
        return ", ".join(statement_names(node.filter_get_filter()))
    if kind in ("extension", "context", "guard"):
        return str(getattr(node, f"{kind}_get_{kind}")())
    return ""


def _members(node: isl.ScheduleNode) -> tuple[tuple[str, str], ...]:
    """Members with their flags: each statement's expression where they differ."""
    schedule = node.band_get_partial_schedule()
    parts = []
    for k in range(node.band_n_member()):
        texts = affine_texts(schedule.get_union_pw_aff(k))
        distinct = dict.fromkeys(told for _, told in texts)
        if len(distinct) == 1:
            told = next(iter(distinct))
        else:
            told = ", ".join(f"{name}: {value}" for name, value in texts)
        flag = "coincident" if node.band_member_get_coincident(k) else ""
        parts.append((told, flag))
    return tuple(parts)


def _statements(node: isl.ScheduleNode, scop: Scop | None) -> str:
    names = statement_names(node.get_domain())
    if scop is None:
        return ", ".join(names)
    return "; ".join(f"{n}  {scop.statement(n).text}".rstrip() for n in names)


def tree_html(tree: ScheduleTree, scop: Scop | None = None) -> Html:
    """A tree as nested lists, nodes of a kind in one colour.

    The arguments are those of `list_lines`.
    """
    lines = _nested(list_lines(tree, scop), 0)
    return element("div", element("ul", lines), class_="tree mono")


def _nested(lines: Sequence[TreeLine], depth: int) -> Html:
    """The lines of one depth, those inside them as lists of their own."""
    items: list[Html] = []
    k = 0
    while k < len(lines):
        if lines[k].depth == depth:
            items.append(_item(lines[k]))
            k += 1
            continue
        end = k
        while end < len(lines) and lines[end].depth > depth:
            end += 1
        items.append(element("li", element("ul", _nested(lines[k:end], depth + 1))))
        k = end
    return join(items)


def _item(line: TreeLine) -> Html:
    name = element("span", line.kind, class_=f"kind {line.kind}")
    badges = join(element("span", m, class_="mark") for m in line.marks)
    parts = join((join((code(t), _flag(f))) for t, f in line.parts), "; ")
    return element("li", name, badges, parts, _flag(line.flag))


def _flag(told: str) -> Html:
    return element("span", told, class_="flag") if told else Html("")
