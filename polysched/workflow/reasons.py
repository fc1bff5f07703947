"""What an explanation knows, in sentences."""

from __future__ import annotations

from collections.abc import Iterable

from polysched.analysis import (
    Dependence,
    LaneReport,
    LoopReport,
    SplitReport,
    TileReport,
    Violation,
)
from polysched.ir import copied_sums


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


def lane_sentences(reports: Iterable[LaneReport]) -> list[str]:
    """What speaks against vector lanes for innermost loops, and what would help."""
    return _grouped(
        (f"loop {_loop_text(r)} of", r.statements, _why_no_lanes(r)) for r in reports
    )


def tile_sentences(reports: Iterable[TileReport]) -> list[str]:
    """Why statements lie in no tiles, and what would help."""
    return _grouped(("", r.statements, _why_no_tiles(r)) for r in reports)


def _grouped(found: Iterable[tuple[str, tuple[str, ...], str]]) -> list[str]:
    """One sentence for all statements of which the same is said."""
    names: dict[tuple[str, str], list[str]] = {}
    for head, statements, why in found:
        names.setdefault((head, why), []).extend(statements)
    return [
        f"{head} {', '.join(_in_order(of))}: {why}".lstrip()
        for (head, why), of in names.items()
    ]


def _in_order(names: list[str]) -> list[str]:
    """Each once, S2 before S10."""
    return sorted(set(names), key=lambda name: (len(name), name))


def _loop_text(report: LaneReport) -> str:
    texts = (t for s, t in report.loop.schedule if s in report.statements)
    return " / ".join(dict.fromkeys(texts))


def _why_no_lanes(report: LaneReport) -> str:
    told = []
    if report.loop.obstacle is not None:
        told.append(f"it carries {_carried_arrays(report)}")
    if report.data_loops:
        told.append(f"data end loops inside of {_and(report.data_loops)}")
    if report.scattered:
        told.append(f"data decide which elements of {_and(report.scattered)} it meets")
    if report.far:
        told.append(f"it moves by more than an element in {_and(report.far)}")
    if not told:
        return "by choice, nothing speaks against them; the compiler may take them"
    return ", and ".join(told) + _lanes_cure(report)


def _carried_arrays(report: LaneReport) -> str:
    arrays = _and(tuple(dict.fromkeys(d.array for d in report.loop.carried)))
    return f"the sum {arrays}" if report.sums else f"dependences through {arrays}"


def _lanes_cure(report: LaneReport) -> str:
    if report.contiguous:
        asked = " ".join(f"--want vector:{s}={i}" for s, i in report.contiguous)
        return f"; with neighbours innermost: {asked}"
    if report.sums and not (report.far or report.scattered or report.data_loops):
        return "; --fp reassociate lets sums be added up in lanes"
    return ""


def _why_no_tiles(report: TileReport) -> str:
    if report.n_loops < 2:
        return "a single loop has none"
    if report.obstacle is None:
        return "by choice, they are legal"
    outer, inner = report.loops
    pair = describe_pair(report.obstacle)
    if report.skew is None:
        cure = "no small skew cures it"
    else:
        factor = "" if report.skew == 1 else f"{report.skew} times "
        cure = f"legal with {factor}{outer} added to {inner}"
    why = f"loops {outer} and {inner} may not change places, {pair}; {cure}"
    return (
        f"{why}; tiles of other loops are left out by choice" if report.is_free else why
    )


def _and(names: tuple[str, ...]) -> str:
    return " and ".join(names)
