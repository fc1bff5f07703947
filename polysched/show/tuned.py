"""What a tuning found: the curve of the best so far, measured over predicted."""

from __future__ import annotations

from collections.abc import Sequence

from polysched.base import AnalysisError, print_seconds
from polysched.records import Failure, Measurement, Outcome
from polysched.show.markup import Html, code, element, join, table
from polysched.show.picture import (
    Axis,
    Frame,
    Picture,
    circle,
    legend,
    line,
    path,
)
from polysched.show.spaces import bar
from polysched.transform import short_script
from polysched.tune import TuneResult
from polysched.workflow import Tuned

_WIDTH, _HEIGHT = 640.0, 360.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 78.0, 24.0, 62.0, 48.0


def cross(x: float, y: float) -> Html:
    """A failure's mark."""
    return join(
        (line(x - 4, y - 4, x + 4, y + 4, "s1"), line(x - 4, y + 4, x + 4, y - 4, "s1"))
    )


def tuning_curve(result: TuneResult) -> Picture:
    """Measured seconds in the order of trial, the best so far, and the original's.

    Parameters
    ----------
    result : TuneResult
        Failures are crosses at the top.
    """
    base = result.baseline.median_seconds
    times = [_median(v.outcome) for v in result.variants]
    known = [base, *(t for t in times if t is not None)]
    x = Axis(0.0, len(times) + 1.0, _LEFT, _WIDTH - _RIGHT)
    y = Axis.around(known, _HEIGHT - _BOTTOM, _TOP, log=max(known) / min(known) > 8)
    frame = Frame(x, y, "trial", "median time", y_text=print_seconds)
    parts = [
        frame.draw(),
        line(_LEFT, y.pixel(base), _WIDTH - _RIGHT, y.pixel(base), "s6 dash"),
    ]
    steps: list[tuple[float, float]] = [(x.pixel(0), y.pixel(base))]
    best = base
    for k, (variant, seconds) in enumerate(zip(result.variants, times, strict=True), 1):
        at = x.pixel(k)
        if seconds is None:
            why = element("title", f"{variant.id}: {_result_text(variant.outcome)}")
            parts.append(element("g", why, cross(at, _TOP + 8)))
        else:
            steps.append((at, y.pixel(best)))
            best = min(best, seconds)
            steps.append((at, y.pixel(best)))
            told = f"{variant.id}: {print_seconds(seconds)}, {base / seconds:.2f} x"
            parts.append(circle(at, y.pixel(seconds), 5, "f0", told))
    steps.append((x.pixel(len(times) + 1), y.pixel(best)))
    parts.insert(2, path(steps, "s2 strong"))
    items = [
        (circle(0, 0, 5, "f0"), "measured"),
        (line(-8, 0, 8, 0, "s2"), "best so far"),
        (line(-8, 0, 8, 0, "s6 dash"), "original"),
    ]
    if None in times:
        items.append((cross(0, 0), "failed"))
    parts.append(legend(_LEFT, 20, items))
    title = f"{len(times)} trials of {result.scop}, best {print_seconds(best)}"
    return Picture(title, _WIDTH, _HEIGHT, join(parts))


def predicted_measured(result: TuneResult) -> Picture:
    """Measured over predicted seconds; on the line, the model is right.

    Raises
    ------
    AnalysisError
        If no variant has both.
    """
    pairs = [
        (v.id, v.predicted_seconds, seconds)
        for v in result.variants
        if v.predicted_seconds and (seconds := _median(v.outcome))
    ]
    if not pairs:
        raise AnalysisError("no variant has a predicted and a measured time")
    both = [s for _, a, b in pairs for s in (a, b)]
    x = Axis.around(both, _LEFT, _WIDTH - _RIGHT, log=True)
    y = Axis.around(both, _HEIGHT - _BOTTOM, _TOP, log=True)
    frame = Frame(x, y, "predicted time", "measured time", print_seconds, print_seconds)
    parts = [frame.draw()]
    ends = (x.low, x.high)
    parts.append(path([(x.pixel(v), y.pixel(v)) for v in ends], "s6 dash"))
    for name, predicted, measured in pairs:
        told = (
            f"{name}: predicted {print_seconds(predicted)}, "
            f"measured {print_seconds(measured)}"
        )
        is_best = name == result.best
        colour = "f1" if is_best else "f0"
        parts.append(circle(x.pixel(predicted), y.pixel(measured), 5, colour, told))
    items = [
        (circle(0, 0, 5, "f0"), "schedule"),
        (circle(0, 0, 5, "f1"), "fastest"),
        (line(-8, 0, 8, 0, "s6 dash"), "as predicted"),
    ]
    parts.append(legend(_LEFT, 20, items))
    title = f"measured over predicted times of {len(pairs)} schedules"
    return Picture(title, _WIDTH, _HEIGHT, join(parts))


def _median(outcome: Outcome) -> float | None:
    """A time that counts: of a run whose results are right."""
    if isinstance(outcome, Measurement) and outcome.matches:
        return outcome.median_seconds or None
    return None


def _result_text(outcome: Outcome) -> str:
    if isinstance(outcome, Failure):
        lines = outcome.text.strip().splitlines() or [""]
        return f"{outcome.kind}: {lines[0][:160]}"
    if not outcome.matches:
        return "results differ"
    if outcome.max_relative_error == 0.0:
        return "equal"
    return f"equal to {outcome.max_relative_error:.0e}"


def tuned_table(tuned: Tuned, ids: Sequence[str] | None = None) -> Html:
    """What was measured, the fastest first, speed-ups as bars.

    Parameters
    ----------
    tuned : Tuned
    ids : sequence of str, optional
        Those to show; all that were tried by default.
    """
    result = tuned.result
    base = result.baseline.median_seconds
    by_id = {v.id: v for v in tuned.candidates}
    told = [v for v in result.variants if ids is None or v.id in ids]
    last = set(result.finalists)
    told.sort(key=lambda v: (v.id not in last, _median(v.outcome) or float("inf")))
    ratios = [base / s for v in told if (s := _median(v.outcome))]
    most = max([1.0, *ratios])
    rows: list[tuple[object, ...]] = [
        ("original", "-", print_seconds(base), join(("1.00", bar(1 / most))), "-", "")
    ]
    for v in told:
        seconds = _median(v.outcome)
        ratio: object = "-"
        if seconds is not None:
            gain = base / seconds
            ratio = join((f"{gain:.2f}", bar(gain / most, up=True)))
        variant = by_id.get(v.id)
        script = short_script(variant.schedule.script) if variant else ""
        rows.append(
            (
                code(v.id),
                print_seconds(v.predicted_seconds),
                print_seconds(seconds),
                ratio,
                _result_text(v.outcome),
                code(script),
            )
        )
    heads = ("id", "predicted", "measured", "speed-up", "results", "script")
    return table(heads, rows, numbers=(1, 2, 3))


def verdict(tuned: Tuned) -> str:
    """What came of it, in a sentence."""
    name = tuned.space.scop.name
    doubt = "; other programs kept the machine busy" if tuned.result.is_loaded else ""
    if tuned.best is None:
        return f"{name}: nothing measured beats the original{doubt}"
    if not tuned.is_timed:
        return f"{name}: {tuned.best.id} is the best ranked whose results are right"
    return (
        f"{name}: schedule {tuned.best.id} is {tuned.speedup:.2f} times faster than "
        f"the original {tuned.where}{doubt}"
    )
