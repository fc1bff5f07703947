"""The roofline of a machine with schedules on it, and what they move between levels.

After Williams, Waterman, Patterson, "Roofline: an insightful visual performance model
for multicore architectures", CACM 2009. The intensity of a schedule is its operations
over the bytes that the cost model expects it to take from memory.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from polysched.base import AnalysisError, print_bytes, print_large
from polysched.bench import bound_of, count_work
from polysched.bench.roofline import Work
from polysched.cost import Traffic, predict_traffic
from polysched.machine import Machine
from polysched.records import Measurement
from polysched.show.markup import Html, join
from polysched.show.picture import (
    Axis,
    Frame,
    Picture,
    circle,
    clip_text,
    legend,
    line,
    linked,
    path,
    text,
    text_width,
)
from polysched.space import Schedule, ScheduleSpace
from polysched.transform import short_script
from polysched.tune import TuneResult
from polysched.workflow import ProgramSpace

_WIDTH, _HEIGHT = 680.0, 420.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 96.0, 24.0, 62.0, 48.0
_ROW = 20.0
_LEVELS = (
    ("l2_bytes", "second cache to first", 2),
    ("l3_bytes", "third cache to second", 4),
    ("memory_bytes", "memory to last cache", 0),
)


@dataclass(frozen=True)
class Spot:
    """A schedule under the roof.

    Attributes
    ----------
    id : str
    intensity : float
        Operations per byte from memory.
    rate : float
        Operations per second.
    is_measured : bool
        Whether the rate was measured, not predicted.
    """

    id: str
    intensity: float
    rate: float
    is_measured: bool


def find_work(space: ScheduleSpace) -> Work:
    """Operations and least traffic of one run.

    Raises
    ------
    AnalysisError
        If they cannot be counted: a size is not known before the run, for one.
    """
    work = count_work(space.scop, _sizes(space))
    if work is None or not work.operations or not work.traffic_bytes:
        raise AnalysisError(
            f"the operations of {space.scop.name} cannot be counted: are all sizes "
            "known?",
            hint="give them with --param, or parameters=",
        )
    return work


def _check_host(space: ScheduleSpace) -> None:
    """Refuse schedules of kernels: the ceilings and caches here are the processor's."""
    if space.target != "openmp":
        raise AnalysisError(
            f"the schedules of {space.scop.name} are for a graphics processor, whose "
            "ceilings and caches are not drawn"
        )


def _sizes(space: ScheduleSpace) -> Mapping[str, int]:
    if not isinstance(space, ProgramSpace):
        return {}
    return dict(space.options.parameters or {})


def schedule_traffic(space: ScheduleSpace, schedule: Schedule) -> Traffic | None:
    """What a schedule moves between the levels of memory, by the cost model."""
    return predict_traffic(
        schedule.tree, space.scop, space.machine, _sizes(space), space.dependences
    )


def find_spots(space: ScheduleSpace, result: TuneResult | None = None) -> list[Spot]:
    """The schedules under the roof, as measured where they were, else as predicted."""
    work = find_work(space)
    n_calls = 1 if result is None else result.baseline.n_calls
    measured = {} if result is None else result.outcomes
    spots = []
    for s in space:
        traffic = schedule_traffic(space, s)
        outcome = measured.get(s.id)
        is_measured = isinstance(outcome, Measurement) and outcome.matches
        seconds = s.predicted_seconds
        operations = float(work.operations)
        if isinstance(outcome, Measurement) and is_measured:
            seconds, operations = outcome.median_seconds, operations * n_calls
        if not seconds or traffic is None:
            continue
        moved = max(traffic.memory_bytes, float(work.traffic_bytes))
        intensity = work.operations / moved
        spots.append(Spot(s.id, intensity, operations / seconds, is_measured))
    if not spots:
        raise AnalysisError("no schedule has a time")
    return spots


def roofline(
    space: ScheduleSpace,
    result: TuneResult | None = None,
    *,
    links: Mapping[str, str] | None = None,
) -> Picture:
    """Rates of the schedules under the ceilings of the machine, both axes logarithmic.

    Parameters
    ----------
    space : ScheduleSpace
    result : TuneResult, optional
        What was measured of it; what was not is shown as predicted, hollow.
    links : mapping of str to str, optional
        From ids to anchors of the page.

    Raises
    ------
    AnalysisError
        If operations or traffic cannot be counted, no schedule has a time, or they are
        for a graphics processor.
    """
    _check_host(space)
    work = find_work(space)
    spots = find_spots(space, result)
    machine = space.machine
    threads = machine.cpu.n_cores if result is None else result.n_threads
    roofs = _roofs(work, machine, threads)
    balance = [peak / bandwidth for _, peak, bandwidth in roofs]
    xs = [*(s.intensity for s in spots), *balance]
    low, high = min(xs) / 3, max(xs) * 6
    ys = [*(s.rate for s in spots), *(p for _, p, _ in roofs)]
    ys += [bandwidth * min(xs) / 1.5 for _, _, bandwidth in roofs[:1]]
    x = Axis(low, high, _LEFT, _WIDTH - _RIGHT, True)
    y = Axis.around(ys, _HEIGHT - _BOTTOM, _TOP, log=True)
    frame = Frame(
        x,
        y,
        "operations per byte from memory",
        "operations per second",
        _plain,
        lambda v: print_large(v, "op/s"),
    )
    parts: list[Html] = [frame.draw()]
    for k, (name, peak, bandwidth) in enumerate(roofs):
        parts.append(_draw_roof(name, peak, bandwidth, x, y, k))
    parts += [
        _draw_spot(s, x, y, (links or {}).get(s.id, ""))
        for s in sorted(spots, key=lambda s: s.is_measured)
    ]
    items = [(circle(0, 0, 5, "s0 hollow"), "predicted")]
    if any(s.is_measured for s in spots):
        items.insert(0, (circle(0, 0, 5, "f1"), "measured"))
    parts.append(legend(_LEFT, 20, items))
    title = f"roofline of {machine.cpu.name}, ceilings {machine.origin}"
    parts.append(text(_WIDTH - _RIGHT, 20, f"ceilings {machine.origin}", "end", "m"))
    return Picture(title, _WIDTH, _HEIGHT, join(parts))


def _plain(value: float) -> str:
    return f"{value:.3g}"


def _roofs(
    work: Work, machine: Machine, threads: int
) -> list[tuple[str, float, float]]:
    """Name, operations per second and bytes per second of one and of all threads."""
    found = []
    for n in dict.fromkeys((threads, 1)):
        bound = bound_of(work, machine, n)
        peak = work.operations / bound.compute_seconds
        bandwidth = work.traffic_bytes / bound.memory_seconds
        found.append((f"{n} thread{'s' if n > 1 else ''}", peak, bandwidth))
    return found


def _draw_roof(
    name: str, peak: float, bandwidth: float, x: Axis, y: Axis, k: int
) -> Html:
    """The slope of the bandwidth up to the ceiling of arithmetic."""
    knee = peak / bandwidth
    start = max(x.low, y.low / bandwidth)
    corners = [(start, start * bandwidth), (knee, peak), (x.high, peak)]
    spots = [(x.pixel(a), y.pixel(b)) for a, b in corners]
    class_ = "s6 strong" if k == 0 else "s6 dash"
    told = f"{name}: {print_large(peak, 'op/s')}, {print_large(bandwidth, 'B/s')}"
    # above the first roof there is room; the others are told about below their line
    height = y.pixel(peak) + (-6 if k == 0 else 15)
    return join((path(spots, class_), text(x.end, height, told, "end", "m")))


def _draw_spot(spot: Spot, x: Axis, y: Axis, link: str) -> Html:
    how = "measured" if spot.is_measured else "predicted"
    title = (
        f"{spot.id}: {print_large(spot.rate, 'op/s')} {how}, "
        f"{spot.intensity:.3g} operations per byte"
    )
    class_ = "f1 front" if spot.is_measured else "s0 hollow"
    place = x.pixel(spot.intensity), y.pixel(spot.rate)
    return linked(link, circle(*place, 5, class_, title))


def memory_traffic(space: ScheduleSpace, n_rows: int = 20) -> Picture:
    """Bytes that the first schedules move into each level, by the cost model.

    Parameters
    ----------
    space : ScheduleSpace
    n_rows : int
        Most schedules.

    Raises
    ------
    AnalysisError
        If the model has no numbers, or the schedules are for a graphics processor.
    """
    _check_host(space)
    told = [(s, schedule_traffic(space, s)) for s in space.schedules[:n_rows]]
    rows = [(s, t) for s, t in told if t is not None]
    amounts = [getattr(t, n) for _, t in rows for n, _, _ in _LEVELS]
    amounts = [a for a in amounts if a > 0]
    if not amounts:
        raise AnalysisError("the cost model has no traffic for these schedules")
    least = count_work(space.scop, _sizes(space))
    if least is not None and least.traffic_bytes:
        amounts.append(float(least.traffic_bytes))
    names = {s.id: clip_text(short_script(s.script), 44) for s, _ in rows}
    left = 24 + 10 * 7 + max(text_width(n) for n in names.values())
    bottom = 78 + _ROW * len(rows)
    x = Axis.around(amounts, left, left + 400, log=True)
    parts: list[Html] = []
    for value in x.ticks():
        p = x.pixel(value)
        parts.append(line(p, 66, p, bottom))
        parts.append(text(p, bottom + 17, print_large(value, "B"), "middle", "m"))
    label = "bytes of one run"
    parts.append(text((x.start + x.end) / 2, bottom + 37, label, "middle"))
    if least is not None and least.traffic_bytes:
        p = x.pixel(least.traffic_bytes)
        parts.append(line(p, 66, p, bottom, "s6 dash"))
        parts.append(text(p, 60, "inputs and outputs once", "middle", "m"))
    for k, (s, t) in enumerate(rows):
        parts.append(_traffic_row(s, names[s.id], t, x, 84 + _ROW * k))
    items = [(circle(0, 0, 5, f"f{c}"), name) for _, name, c in _LEVELS]
    parts.append(legend(20, 20, items))
    title = f"bytes moved into each level of memory by {len(rows)} schedules"
    return Picture(title, x.end + 40, bottom + 48, join(parts))


def _traffic_row(s: Schedule, name: str, t: Traffic, x: Axis, y: float) -> Html:
    parts = [
        text(8, y + 4, s.id, class_="mono"),
        text(92, y + 4, name, class_="m"),
        line(x.start, y, x.end, y),
    ]
    for field, what, colour in _LEVELS:
        n_bytes = getattr(t, field)
        if n_bytes <= 0:
            continue
        told = f"{s.id}, {what}: {print_bytes(n_bytes)}"
        parts.append(circle(x.pixel(n_bytes), y, 5, f"f{colour}", told))
    return join(parts)
