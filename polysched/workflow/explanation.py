"""Why a schedule is what it is, as a value."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from polysched.analysis import (
    Dependence,
    Dependences,
    LaneReport,
    LoopReport,
    SplitReport,
    TileReport,
    Violation,
    lane_reasons,
    loop_carriers,
    outline_tree,
    split_reasons,
    tile_reasons,
)
from polysched.base import Shown
from polysched.ir import Scop, list_questions
from polysched.schedule import Pin
from polysched.space import Schedule
from polysched.workflow.reasons import (
    lane_sentences,
    loop_name,
    tile_sentences,
    why_sequential,
    why_split,
)
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
    lanes : tuple of LaneReport
        Innermost loops of the final tree that run in no vector lanes.
    tiles : tuple of TileReport
        Statements that lie in no tile of the final tree.
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
    lanes: tuple[LaneReport, ...]
    tiles: tuple[TileReport, ...]
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
            "lanes": [_lane_json(r) for r in self.lanes],
            "tiles": [_tile_json(r) for r in self.tiles],
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
        parts += [f"no lanes, {s}" for s in lane_sentences(self.lanes)]
        parts += [f"no tiles, {s}" for s in tile_sentences(self.tiles)]
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
        lanes=lane_reasons(schedule.tree, loops, scop),
        tiles=tile_reasons(schedule.affine, schedule.tree, dependences, scop),
        outline=outline_tree(schedule.tree, loops, scop),
    )
    named = [w for w in wants if w != ALL]
    pins = read_pins((*named, *(explanation.open_wants if ALL in wants else ())))
    if not pins:
        return explanation
    prices = price_wants(scop, dependences, schedule, pins, seconds)
    return replace(explanation, wants=prices)


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


def _lane_json(report: LaneReport) -> dict[str, object]:
    return {
        "path": list(report.loop.path),
        "member": report.loop.member,
        "statements": list(report.statements),
        "prevented_by": _witness_json(report.loop.obstacle),
        "sums": list(report.sums),
        "far": list(report.far),
        "scattered": list(report.scattered),
        "data_loops": list(report.data_loops),
        "free_choice": report.is_free,
        "contiguous": dict(report.contiguous),
    }


def _tile_json(report: TileReport) -> dict[str, object]:
    return {
        "statements": list(report.statements),
        "n_loops": report.n_loops,
        "loops": list(report.loops),
        "prevented_by": _witness_json(report.obstacle),
        "skew": report.skew,
        "free_choice": report.is_free,
    }
