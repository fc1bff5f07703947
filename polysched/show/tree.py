"""Schedule trees as nested lists: one line per band, sequence and leaf."""

from __future__ import annotations

import islpy as isl

from polysched.analysis import affine_texts, statement_names
from polysched.ir import ScheduleTree, Scop
from polysched.sets import node_kind
from polysched.show.markup import Html, code, element, join

_ROOTS = ("domain", "context")  # what follows them is not further to the right


def tree_html(tree: ScheduleTree, scop: Scop | None = None) -> Html:
    """A tree, nodes of a kind in one colour, marks beside what they are about.

    Parameters
    ----------
    tree : ScheduleTree
    scop : Scop, optional
        Adds the statements' own text to the leaves.
    """
    lines = element("ul", _node(tree.root, (), scop))
    return element("div", lines, class_="tree mono")


def _node(node: isl.ScheduleNode, marks: tuple[str, ...], scop: Scop | None) -> Html:
    """One node and what is below it; marks wait for the node that they are about."""
    kind = node_kind(node)
    if kind == "mark":
        name = str(node.mark_get_id().get_name())
        return _node(node.child(0), (*marks, name), scop)
    badges = join(element("span", m, class_="mark") for m in marks)
    if kind == "filter" and node_kind(node.child(0)) == "leaf":
        return _node(node.child(0), marks, scop)
    badges = join(element("span", m, class_="mark") for m in marks)
    name = element("span", kind, class_=f"kind {kind}")
    head = element("li", name, badges, _told(node, scop))
    below = join(_node(node.child(k), (), scop) for k in range(node.n_children()))
    if not below:
        return head
    if kind in _ROOTS:
        return join((head, below))
    return join((head, element("li", element("ul", below))))


def _told(node: isl.ScheduleNode, scop: Scop | None) -> Html:
    """What a node says."""
    kind = node_kind(node)
    if kind == "band":
        return _band_text(node)
    if kind == "leaf":
        return _leaf_text(node, scop)
    if kind == "domain":
        return code(", ".join(statement_names(node.domain_get_domain())))
    if kind == "filter":
        return code(", ".join(statement_names(node.filter_get_filter())))
    if kind == "extension":
        return code(node.extension_get_extension())
    if kind == "context":
        return code(node.context_get_context())
    if kind == "guard":
        return code(node.guard_get_guard())
    return Html("")


def _band_text(node: isl.ScheduleNode) -> Html:
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
        badge = element("span", flag, class_="flag") if flag else Html("")
        parts.append(join((code(told), badge)))
    many = node.band_n_member() > 1 and node.band_get_permutable()
    tail = element("span", "permutable", class_="flag") if many else Html("")
    return join((join(parts, "; "), tail))


def _leaf_text(node: isl.ScheduleNode, scop: Scop | None) -> Html:
    names = statement_names(node.get_domain())
    if scop is None:
        return code(", ".join(names))
    told = [f"{n}  {scop.statement(n).text}".rstrip() for n in names]
    return code("; ".join(told))
