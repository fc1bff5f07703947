"""Why a schedule is what it is, as a value."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from polysched.analysis import (
    Dependence,
    Dependences,
    LoopReport,
    SplitReport,
    Violation,
    loop_carriers,
    outline_tree,
    split_reasons,
)
from polysched.base import Shown
from polysched.ir import Scop, copied_sums, list_questions
from polysched.schedule import Pin
from polysched.space import Schedule
from polysched.workflow.wanting import Want, open_wants, price_wants, read_pins

ALL = "all"


@dataclass(frozen=True, eq=False, repr=False)
class Explanation(Shown):
    """A schedule taken apart.

    Attributes
    ----------
    scop : Scop
        As scheduled.
    schedule : Schedule
        With its chain of objectives.
    rows : tuple of LoopReport
        The rows of the affine schedule, before tiling.
    loops : tuple of LoopReport
        The loops of the final tree.
    splits : tuple of SplitReport
        Neighbouring statements in different loops of the affine schedule.
    outline : str
        The final tree as indented text.
    wants : tuple of Want
        What was asked of it in addition, and what that would cost.
    """

    scop: Scop
    schedule: Schedule
    rows: tuple[LoopReport, ...]
    loops: tuple[LoopReport, ...]
    splits: tuple[SplitReport, ...]
    outline: str
    wants: tuple[Want, ...] = ()

    @property
    def headline(self) -> str:
        """What it explains."""
        return f"Explanation of schedule {self.schedule.id} of {self.scop.name}"

    @property
    def open_wants(self) -> tuple[Pin, ...]:
        """Pins that one may want of it: sequential loops parallel, neighbours fused."""
        return open_wants(self.scop, self.schedule, self.rows, self.splits)

    def to_json(self) -> dict[str, object]:
        """The explanation as one object."""
        stages = [
            {
                "name": s.name,
                "value": s.value,
                "bound": s.bound,
                "seconds": s.seconds,
                "status": s.status,
            }
            for s in self.schedule.stages
        ]
        return {
            "scop": self.scop.name,
            **self.schedule.to_json(),
            "stages": stages,
            "rows": [_loop_json(r) for r in self.rows],
            "loops": [_loop_json(r) for r in self.loops],
            "splits": [_split_json(s) for s in self.splits],
            "outline": self.outline.splitlines(),
            "wants": [w.to_json() for w in self.wants],
            "questions": list(list_questions(self.scop)),
        }

    def __str__(self) -> str:
        parts = [f"schedule {self.schedule.id} of {self.scop.name}"]
        parts.append(f"objectives: {' > '.join(self.schedule.objectives)}")
        parts += [
            f"  {s.name}: {s.value} ({s.status}, bound {s.bound}, {s.seconds:.2f} s)"
            for s in self.schedule.stages
        ]
        parts.append(self.outline)
        parts += [f"{loop_name(r)}: {why_sequential(r)}" for r in self.loops]
        parts += [why_split(s) for s in self.splits]
        parts += [line for w in self.wants for line in w.lines()]
        return "\n".join(parts)


def explain_schedule(
    scop: Scop,
    dependences: Dependences,
    schedule: Schedule,
    wants: Sequence[Pin | str] = (),
    seconds: float = 15.0,
) -> Explanation:
    """Take a schedule apart: what each row and loop does with each dependence.

    Parameters
    ----------
    scop, dependences, schedule
        From one space.
    wants : sequence of Pin or str
        What the schedule should obey in addition, as values or texts; its price is
        found by solving again. "all" stands for every loop of the affine schedule that
        is not parallel, and every pair of neighbours that is not fused.
    seconds : float
        Limit for the prices.
    """
    loops = loop_carriers(schedule.tree, dependences, scop)
    rows = (
        loop_carriers(schedule.affine, dependences, scop) if schedule.script else loops
    )
    explanation = Explanation(
        scop=scop,
        schedule=schedule,
        rows=rows,
        loops=loops,
        splits=split_reasons(schedule.affine, dependences, scop),
        outline=outline_tree(schedule.tree, loops, scop),
    )
    named = [w for w in wants if w != ALL]
    pins = read_pins((*named, *(explanation.open_wants if ALL in wants else ())))
    if not pins:
        return explanation
    prices = price_wants(scop, dependences, schedule, pins, seconds)
    return replace(explanation, wants=prices)


def short_dependence(dependence: Dependence) -> str:
    """``flow C S0->S1``."""
    ends = f"{dependence.source}->{dependence.sink}"
    return f"{dependence.kind} {dependence.array} {ends}"


def short_dependences(found: tuple[Dependence, ...]) -> str:
    """Dependences grouped by array and ends: ``C S0->S1 (flow, anti)``."""
    kinds: dict[tuple[str, str], list[str]] = {}
    for d in found:
        kinds.setdefault((d.array, f"{d.source}->{d.sink}"), []).append(d.kind)
    return "; ".join(f"{a} {ends} ({', '.join(k)})" for (a, ends), k in kinds.items())


def loop_name(report: LoopReport) -> str:
    """``loop i of S0, S1``."""
    texts = list(dict.fromkeys(text for _, text in report.schedule))
    what = texts[0] if len(texts) == 1 else " / ".join(texts)
    return f"loop {what} of {', '.join(report.statements)}"


def describe_pair(violation: Violation) -> str:
    """The witness of a dependence in words."""
    at = f" ({violation.parameters})" if violation.parameters else ""
    kind = violation.dependence.kind
    return f"{violation.order}: {kind} dependence through {violation.element}{at}"


def why_sequential(report: LoopReport) -> str:
    """Why a loop is not parallel, or that it is."""
    if report.obstacle is None:
        return "parallel"
    copied = (
        [a for m in report.marks for a in copied_sums(m)] if not report.member else []
    )
    why = describe_pair(report.obstacle)
    if copied:
        return f"shared with a copy of {' and '.join(copied)} for each thread, {why}"
    return f"not parallel, {why}"


def why_split(report: SplitReport) -> str:
    """Why two groups of statements are not in one loop."""
    ends = f"{', '.join(report.first)} and {', '.join(report.second)}"
    head = f"{ends} are separated at scalar row {report.row}"
    if report.obstacle is None:
        return f"{head} by choice: fusing their outermost loops there is legal"
    if report.shift is None:
        cure = "no constant shift cures it"
    else:
        cure = f"legal after delaying the second loop by {report.shift}"
    pair = describe_pair(report.obstacle)
    return f"{head}: fusing them as they are breaks an order, {pair}; {cure}"


def _dependence_json(dependence: Dependence) -> dict[str, object]:
    return {
        "kind": dependence.kind,
        "array": dependence.array,
        "source": dependence.source,
        "sink": dependence.sink,
    }


def _witness_json(violation: Violation | None) -> dict[str, object] | None:
    if violation is None:
        return None
    return {
        **_dependence_json(violation.dependence),
        "source_instance": violation.source,
        "sink_instance": violation.sink,
        "lines": list(violation.lines),
        "element": violation.element,
        "parameters": violation.parameters,
    }


def _loop_json(report: LoopReport) -> dict[str, object]:
    return {
        "path": list(report.path),
        "member": report.member,
        "row": report.row,
        "statements": list(report.statements),
        "schedule": dict(report.schedule),
        "marks": list(report.marks),
        "permutable": report.permutable,
        "parallel": report.parallel,
        "carries": [_dependence_json(d) for d in report.carried],
        "prevented_by": _witness_json(report.obstacle),
    }


def _split_json(report: SplitReport) -> dict[str, object]:
    return {
        "row": report.row,
        "first": list(report.first),
        "second": list(report.second),
        "satisfies": [_dependence_json(d) for d in report.satisfied],
        "prevented_by": _witness_json(report.obstacle),
        "shift": report.shift,
        "free_choice": report.obstacle is None,
    }
