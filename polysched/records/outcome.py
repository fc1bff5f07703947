"""What came of running one variant: a measurement or a failure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from statistics import median
from typing import Any, Literal, cast, get_args

from polysched.base import PolyschedError

FailureKind = Literal[
    "compile",
    "crash",
    "timeout",
    "memory",
    "mismatch",
    "codegen",
    "illegal",
    "wrong device code",
]
FAILURE_KINDS: tuple[str, ...] = get_args(FailureKind)


@dataclass(frozen=True)
class Measurement:
    """Times of a variant whose results were compared with the original's.

    Attributes
    ----------
    seconds : tuple of float
        Time inside the region, one entry per run of the program, in order; at least
        one.
    matches : bool
        Whether the results equal the original's, within the bound on rounding.
    max_relative_error : float
        Largest difference over the largest magnitude in its array; 0.0 when all
        results are equal bit for bit, if need be without fused multiply-add (`note`
        says so).
    n_calls : int
        How often one run of the program entered the region.
    note : str
        What a reader should know: values left out of the comparison, and so on.
    """

    seconds: tuple[float, ...]
    matches: bool = True
    max_relative_error: float = 0.0
    n_calls: int = 1
    note: str = ""

    def __post_init__(self) -> None:
        if not self.seconds:
            raise ValueError("a measurement needs at least one run")

    @property
    def median_seconds(self) -> float:
        """The middle one of `seconds`."""
        return median(self.seconds)


@dataclass(frozen=True)
class Failure:
    """Why a variant has no time.

    Attributes
    ----------
    kind : str
        One of `FAILURE_KINDS`.
    text : str
        What happened, with the compiler's or the program's own words.
    limit : float
        The limit that was met: seconds for "timeout", bytes for "memory"; 0.0
        otherwise.
    """

    kind: FailureKind
    text: str
    limit: float = 0.0


Outcome = Measurement | Failure


def outcome_to_json(outcome: Outcome) -> dict[str, object]:
    """``{"measured": {...}}`` or ``{"failure": {...}}``."""
    if isinstance(outcome, Failure):
        told = {"kind": outcome.kind, "text": outcome.text, "limit": outcome.limit}
        return {"failure": told}
    return {
        "measured": {
            "seconds": list(outcome.seconds),
            "median_seconds": outcome.median_seconds,
            "matches": outcome.matches,
            "max_relative_error": outcome.max_relative_error,
            "n_calls": outcome.n_calls,
            "note": outcome.note,
        }
    }


def outcome_from_json(data: Mapping[str, Any]) -> Outcome:
    """Read what `outcome_to_json` wrote."""
    try:
        if "failure" in data:
            failure = data["failure"]
            kind, text = failure["kind"], str(failure["text"])
            if kind not in FAILURE_KINDS:
                raise PolyschedError(f"unknown kind of failure {kind!r} in a record")
            limit = float(failure.get("limit", 0.0))
            return Failure(cast(FailureKind, kind), text, limit)
        measured = data["measured"]
        return Measurement(
            seconds=tuple(float(s) for s in measured["seconds"]),
            matches=bool(measured["matches"]),
            max_relative_error=float(measured.get("max_relative_error", 0.0)),
            n_calls=int(measured.get("n_calls", 1)),
            note=str(measured.get("note", "")),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise PolyschedError(f"a record is damaged: {str(data)[:200]}") from error
