"""An explanation as HTML: the chain of objectives, loops, fusion, prices."""

from __future__ import annotations

from polysched.base import print_number, print_seconds
from polysched.ilp import Stage
from polysched.show.markup import Html, code, element, fields, join, table
from polysched.show.tree import tree_html
from polysched.space import Schedule
from polysched.workflow import Explanation
from polysched.workflow.reasons import (
    lane_sentences,
    loop_name,
    short_dependences,
    tile_sentences,
    why_sequential,
    why_split,
)


def stages_html(stages: tuple[Stage, ...]) -> Html:
    """The objectives, one minimised after another."""
    if not stages:
        return element(
            "p", "No objective asked for it: such a schedule is always tried."
        )
    rows = [
        (
            code(s.name),
            "-" if s.value is None else s.value,
            "-" if s.bound is None else print_number(s.bound),
            s.status,
            print_seconds(s.seconds),
        )
        for s in stages
    ]
    heads = ("objective", "value", "bound", "status", "time")
    return table(heads, rows, numbers=(1, 2, 4))


def schedule_fields(schedule: Schedule) -> Html:
    """Where a schedule comes from."""
    told: dict[str, object] = {
        "objectives": code(" > ".join(schedule.objectives)),
        "partition": code(schedule.partition),
        "script": code(schedule.script_text or "none"),
        "predicted": print_seconds(schedule.predicted_seconds),
    }
    if schedule.pins:
        told["pins"] = code(schedule.pins_text)
    return fields(told)


def reasons_html(explanation: Explanation) -> Html:
    """What each row satisfies, why loops are sequential and neighbours apart."""
    parts = []
    rows = [
        (str(r.row + 1), code(loop_name(r)), short_dependences(r.carried) or "nothing")
        for r in explanation.rows
    ]
    if rows:
        parts.append(table(("row", "of the affine schedule", "orders"), rows))
    loops = dict.fromkeys(
        (loop_name(r), why_sequential(r)) for r in explanation.loops if r.obstacle
    )
    if loops:
        told = [(code(name), why) for name, why in loops]
        parts.append(table(("loop", "why it is not parallel"), told))
    elif explanation.loops:
        parts.append(element("p", "Every loop is parallel."))
    for title, reasons in (
        ("why loops are in no vector lanes", lane_sentences(explanation.lanes)),
        ("why statements are in no tiles", tile_sentences(explanation.tiles)),
    ):
        if reasons:
            parts.append(table((title,), [(r,) for r in reasons]))
    splits = dict.fromkeys(why_split(s) for s in explanation.splits)
    if splits:
        parts.append(table(("why neighbours are not fused",), [(s,) for s in splits]))
    prices = [line for w in explanation.wants for line in w.lines()]
    if prices:
        title = "what would have to be given up"
        parts.append(table((title,), [(code(p),) for p in prices]))
    return join(parts)


def explanation_html(explanation: Explanation) -> Html:
    """All of it, with the tree."""
    schedule = explanation.schedule
    return join(
        (
            schedule_fields(schedule),
            stages_html(schedule.stages),
            tree_html(schedule.tree, explanation.scop),
            reasons_html(explanation),
        )
    )
