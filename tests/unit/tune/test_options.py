"""How often, how long, and who meets again in the final."""

from __future__ import annotations

import pytest

from polysched.records import Failure, Measurement, Outcome
from polysched.tune import MeasuredVariant, TuneOptions, TuneResult
from polysched.tune.options import choose_finalists, count_repeats, limit_run


def timed(*seconds: float, matches: bool = True) -> Measurement:
    return Measurement(seconds, matches=matches)


@pytest.mark.parametrize(
    ("first", "best", "expected"),
    [
        (4.0, 4.0, 1),  # long
        (1.0, 1.0, 5),
        (1.0, 0.4, 2),  # hopeless
        (0.001, 0.001, 15),  # short
        (1.0, float("inf"), 5),  # the original itself
    ],
)
def test_repeats(first: float, best: float, expected: int) -> None:
    assert count_repeats(first, best, 5) == expected


def test_limits_follow_the_best() -> None:
    assert limit_run(0.1, 0.0, TuneOptions()) == 10.0
    assert limit_run(20.0, 5.0, TuneOptions()) == 70.0
    assert limit_run(20.0, 5.0, TuneOptions(timeout_seconds=2.0)) == 2.0


@pytest.mark.parametrize(
    ("baseline", "outcomes", "expected"),
    [
        (1.0, [timed(0.5), timed(0.55), timed(0.9)], (0, 1)),
        (1.0, [timed(0.9), timed(0.5), Failure("crash", "")], (1,)),
        (1.0, [timed(0.5, matches=False)], ()),
        (1.0, [timed(0.5), timed(0.5), timed(0.5), timed(0.5)], (0, 1, 2)),
        (9.0, [timed(0.5)], ()),
        (1.0, [timed(1.5)], ()),
        (1.0, [], ()),
    ],
)
def test_finalists(
    baseline: float, outcomes: list[Outcome], expected: tuple[int, ...]
) -> None:
    assert choose_finalists(timed(baseline), outcomes, TuneOptions()) == expected
    assert choose_finalists(timed(baseline), outcomes, TuneOptions(repeats=1)) == ()


def test_best_is_a_finalist_with_matching_results() -> None:
    variants = (
        MeasuredVariant("quick", None, timed(0.1, matches=False)),
        MeasuredVariant("lucky", None, timed(0.4)),
        MeasuredVariant("final", 2.0, timed(0.5, 0.7, 0.45)),
        MeasuredVariant("broken", None, Failure("compile", "no")),
    )
    plain = TuneResult("f", timed(1.0), variants)
    assert (plain.best, plain.speedup) == ("lucky", 2.5)
    final = TuneResult("f", timed(1.0), variants, finalists=("final",))
    assert (final.best, final.speedup) == ("final", 2.0)
    told = final.to_json()
    assert told["speedup"] == 2.0
    assert [("measured" in s, s["id"]) for s in told["schedules"]] == [  # type: ignore[union-attr]
        (True, "quick"),
        (True, "lucky"),
        (True, "final"),
        (False, "broken"),
    ]


def test_a_busy_machine_is_told() -> None:
    quiet = TuneResult("f", timed(1.0), (), foreign_cores=0.02)
    busy = TuneResult("f", timed(1.0), (), foreign_cores=0.6)
    assert [quiet.is_loaded, busy.is_loaded] == [False, True]
    assert TuneResult("f", timed(1.0), ()).is_loaded is False
    assert busy.to_json()["loaded"] is True


def test_without_matching_variant_there_is_no_best() -> None:
    result = TuneResult("f", timed(1.0), ())
    assert (result.best, result.speedup) == (None, None)
