"""Time limits that are passed down and asked, never enforced by signals."""

from __future__ import annotations

import time
from dataclasses import dataclass

NO_TIME_LEFT = "no time left"  # begins every message of what a limit kept out


@dataclass(frozen=True)
class Deadline:
    """A moment on the monotonic clock after which work should stop.

    Attributes
    ----------
    at : float or None
        Seconds on `time.monotonic`; None never expires.
    """

    at: float | None = None

    @classmethod
    def after(cls, seconds: float | None) -> Deadline:
        """The deadline `seconds` from now; None for no limit."""
        return cls(None if seconds is None else time.monotonic() + seconds)

    def remaining_seconds(self) -> float:
        """Seconds left, never negative; infinity without a limit."""
        if self.at is None:
            return float("inf")
        return max(0.0, self.at - time.monotonic())

    @property
    def expired(self) -> bool:
        """Whether the moment has passed."""
        return self.remaining_seconds() <= 0.0

    def later(self, seconds: float) -> Deadline:
        """The deadline `seconds` after this one."""
        return Deadline(None if self.at is None else self.at + seconds)

    def no_earlier_than(self, seconds: float) -> Deadline:
        """The later of this deadline and `seconds` from now."""
        return self if self.remaining_seconds() > seconds else Deadline.after(seconds)

    def capped(self, seconds: float) -> Deadline:
        """The earlier of this deadline and `seconds` from now."""
        left = min(self.remaining_seconds(), seconds)
        return Deadline.after(left)
