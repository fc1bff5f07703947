"""Variants on their way through a search."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import Protocol

from polysched.base import IllegalScheduleError, PolyschedError
from polysched.records import Failure, RecordKey


class TunableVariant(Protocol):
    """What can be measured: a schedule that can be printed."""

    @property
    def id(self) -> str:
        """Short, stable name of schedule and shape."""

    @property
    def predicted_seconds(self) -> float | None:
        """What the model expects, None when it does not know."""

    def region_text(self) -> str:
        """C text for the region; may raise `CodegenError`."""

    def device_text(self) -> str:
        """The device file that it needs, empty for none; may raise the same."""


@dataclass(frozen=True)
class Candidate:
    """A variant with its text, or the failure to print one.

    Attributes
    ----------
    position : int
        Its place in the search.
    id, predicted_seconds : str, float or None
        The variant's.
    key : RecordKey
        What its outcome is filed under.
    text : str
        C text for the region; empty when there is none.
    device : str
        The device file that the text needs; empty for none.
    failure : Failure, optional
        Why there is none.
    """

    position: int
    id: str
    predicted_seconds: float | None
    key: RecordKey
    text: str
    device: str = ""
    failure: Failure | None = None

    @property
    def name(self) -> str:
        """Base name of its files."""
        return f"variant{self.position}"


def print_candidate(
    position: int, variant: TunableVariant, base: RecordKey
) -> Candidate:
    """Print a variant's text; what prevents it is its failure."""
    text, device, failure = "", "", None
    try:
        text, device = variant.region_text(), variant.device_text()
    except IllegalScheduleError as error:
        failure = Failure("illegal", str(error))
    except PolyschedError as error:
        failure = Failure("codegen", str(error))
    key = replace(base, schedule=variant.id, code=hash_text(text + device))
    return Candidate(
        position, variant.id, variant.predicted_seconds, key, text, device, failure
    )


def hash_text(text: str) -> str:
    """Sixteen hexadecimal digits of a text."""
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:16]
