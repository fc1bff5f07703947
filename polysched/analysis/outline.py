"""A schedule tree as indented text that a person can read."""

from __future__ import annotations

import islpy as isl

from polysched.analysis.explain import LoopReport, statement_names
from polysched.ir import NodePath, ScheduleTree, Scop
from polysched.sets import node_kind


def outline_tree(
    tree: ScheduleTree, loops: tuple[LoopReport, ...], scop: Scop | None = None
) -> str:
    """The tree, one line per loop and per statement, inner nodes further right.

    Parameters
    ----------
    tree : ScheduleTree
    loops : tuple of LoopReport
        Of the same tree, from `loop_carriers`.
    scop : Scop, optional
        Adds the statements' own text.

    Examples
    --------
    A parallel loop around two statements, of which one has a loop of its own::

        loop i  (parallel)  S0, S1
          1. S0  C[i][j] *= beta;
          2. loop k  (carries C)  S1
             S1  C[i][j] += ...
    """
    by_path: dict[NodePath, list[LoopReport]] = {}
    for report in loops:
        by_path.setdefault(report.path, []).append(report)
    lines: list[str] = []
    _outline(tree.root.child(0), (0,), 0, "", by_path, scop, lines)
    return "\n".join(lines)


def _outline(
    node: isl.ScheduleNode,
    path: NodePath,
    depth: int,
    label: str,
    loops: dict[NodePath, list[LoopReport]],
    scop: Scop | None,
    lines: list[str],
) -> None:
    kind = node_kind(node)
    if kind == "leaf":
        for name in statement_names(node.get_domain()):
            lines.append(f"{'  ' * depth}{label}{_statement(name, scop)}")
            label = ""
        return
    if kind in ("sequence", "set"):
        for k in range(node.n_children()):
            head = f"{label}{k + 1}. "
            child = node.child(k)
            _outline(child, (*path, k), depth, head, loops, scop, lines)
        return
    if kind == "band":
        for report in loops.get(path, []):
            lines.append(f"{'  ' * depth}{label}{_loop(report)}")
            depth, label = depth + 1, ""
    elif kind not in ("filter", "mark"):
        lines.append(f"{'  ' * depth}{label}{kind}")
        depth, label = depth + 1, ""
    for k in range(node.n_children()):
        _outline(node.child(k), (*path, k), depth, label, loops, scop, lines)


def _loop(report: LoopReport) -> str:
    texts = list(dict.fromkeys(text for _, text in report.schedule))
    if len(texts) == 1:
        what = texts[0]
    else:
        what = ", ".join(f"{name}: {text}" for name, text in report.schedule)
    arrays = list(dict.fromkeys(d.array for d in report.carried))
    state = f"carries {', '.join(arrays)}" if arrays else "parallel"
    marks = f"  [{', '.join(report.marks)}]" if report.marks else ""
    if report.marks and report.member > 0:
        marks = ""
    return f"loop {what}  ({state}){marks}  {', '.join(report.statements)}"


def _statement(name: str, scop: Scop | None) -> str:
    if scop is None:
        return name
    text = scop.statement(name).text
    return f"{name}  {text}" if text else name
