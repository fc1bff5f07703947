"""What the explorer shows of a schedule, as renderables of rich."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.syntax import Syntax
from rich.table import Table
from rich.text import Text
from rich.tree import Tree

from polysched.base import CodegenError, print_seconds
from polysched.cli.explorer.measuring import Measured
from polysched.cli.tables import make_table, stage_table
from polysched.records import Failure
from polysched.show.code import source_text, variant_text
from polysched.show.facts import fact_text, known_facts
from polysched.show.tree import TreeLine, list_lines
from polysched.space import Schedule, ScheduleSpace, better_direction, fact_sentence
from polysched.workflow import Variant
from polysched.workflow.reasons import (
    lane_sentences,
    loop_name,
    short_dependences,
    tile_sentences,
    why_sequential,
    why_split,
)

_KIND_STYLES = {
    "band": "bold blue", "sequence": "bold yellow", "set": "bold yellow",
    "filter": "bold green", "domain": "bold magenta", "context": "bold magenta",
    "leaf": "dim",
}  # fmt: skip


def features_view(space: ScheduleSpace, schedule: Schedule) -> RenderableType:
    """All numbers of a schedule beside the best of the space, and what each counts."""
    facts = schedule.facts
    rows = []
    for name in known_facts(space):
        if name not in facts:
            continue
        values = [s.facts[name] for s in space if name in s.facts]
        best = min(values) if better_direction(name) == "low" else max(values)
        printed = fact_text(name)
        rows.append((name, printed(facts[name]), printed(best), fact_sentence(name)))
    columns = ("feature", "value", "best here", "what it counts")
    return make_table(columns, rows, right=("value", "best here"))


def measured_cells(found: Measured | None, is_under_way: bool) -> tuple[Text, Text]:
    """Time and speed-up of a schedule in the table."""
    if is_under_way:
        return Text("...", style="yellow"), Text("")
    if found is None:
        return Text("-", justify="right"), Text("-", justify="right")
    outcome = found.outcome
    if isinstance(outcome, Failure) or not outcome.matches:
        told = outcome.kind if isinstance(outcome, Failure) else "results differ"
        return Text(told, style="red"), Text("-", justify="right")
    seconds = outcome.median_seconds
    gain = found.baseline_seconds / seconds if seconds else 0.0
    style = "green" if gain > 1 else ""
    return (
        Text(print_seconds(seconds), justify="right"),
        Text(f"{gain:.2f}", style=style, justify="right"),
    )


def tree_view(variant: Variant) -> RenderableType:
    """The schedule tree, nodes of a kind in one colour."""
    lines = list_lines(variant.schedule.tree, variant.scop)
    root = Tree(_label(lines[0]), guide_style="dim")
    above = [(0, root)]
    for line in lines[1:]:
        while len(above) > 1 and above[-1][0] >= line.depth + 1:
            above.pop()
        node = above[-1][1].add(_label(line))
        above.append((line.depth + 1, node))
    return root


def _label(line: TreeLine) -> Text:
    label = Text(f"{line.kind} ", style=_KIND_STYLES.get(line.kind, "bold red"))
    for mark in line.marks:
        label.append(f"[{mark}]", style="red")
        label.append(" ")
    for k, (told, flag) in enumerate(line.parts):
        label.append("; " if k else "", style="default")
        label.append(told, style="default not bold")
        label.append(f" {flag}" if flag else "", style="green not bold")
    label.append(f"  {line.flag}" if line.flag else "", style="cyan not bold")
    return label


def source_view(variant: Variant) -> RenderableType:
    """The user's own text."""
    text = source_text(variant.program, variant.scop)
    return c_view(text) if text else Text("the scop was not read from a file")


def code_view(variant: Variant) -> RenderableType:
    """The generated text, or why there is none."""
    try:
        return c_view(variant_text(variant))
    except CodegenError as error:
        return Text(f"it cannot be printed: {error.message}", style="red")


def c_view(text: str) -> Syntax:
    """C text with its words in colour and its lines numbered."""
    return Syntax(
        text, "c", theme="ansi_dark", line_numbers=True, background_color="default"
    )


def why_view(variant: Variant) -> RenderableType:
    """The chain of objectives, what rows order, why loops are sequential or apart."""
    explanation = variant.explain()
    schedule = variant.schedule
    parts: list[RenderableType] = [
        _title("where it comes from"),
        Text(
            f"objectives {' > '.join(schedule.objectives)}, partition "
            f"{schedule.partition}\nscript {schedule.script_text or 'none'}"
        ),
        _title("objectives, one minimised after another"),
        _stages(schedule),
        _title("what each row of the affine schedule orders"),
    ]
    for row in explanation.rows:
        told = short_dependences(row.carried) or "nothing"
        parts.append(Text(f"row {row.row + 1}, {loop_name(row)}: {told}"))
    reasons = dict.fromkeys(
        f"{loop_name(r)}: {why_sequential(r)}" for r in explanation.loops if r.obstacle
    )
    parts.append(_title("why loops are not parallel"))
    parts.append(Text("\n".join(reasons) or "all of them are"))
    for title, sentences in (
        ("why loops are in no vector lanes", lane_sentences(explanation.lanes)),
        ("why statements are in no tiles", tile_sentences(explanation.tiles)),
    ):
        if sentences:
            parts += [_title(title), Text("\n".join(sentences))]
    splits = dict.fromkeys(why_split(s) for s in explanation.splits)
    parts.append(_title("why neighbours are not fused"))
    parts.append(Text("\n".join(splits) or "no neighbouring loops are apart"))
    return Group(*parts)


def _title(text: str) -> Text:
    return Text(f"\n{text}", style="bold")


def _stages(schedule: Schedule) -> Table | Text:
    if not schedule.stages:
        return Text("none asked for it: such a schedule is always tried")
    return stage_table(schedule)
