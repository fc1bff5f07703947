"""Work that is given up at a deadline: cancellation points, and who is told of it.

isl's calls are short but many. Between them code asks `check_time`; where the deadline
of the `stopped_at` around it has passed, the work unwinds to there.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from polysched.base.deadline import Deadline
from polysched.base.errors import LimitError

_current = threading.local()


class _LateError(Exception):
    """No `PolyschedError`: who handles one on the way means another reason."""


@contextmanager
def stopped_at(
    deadline: Deadline, what: str, hint: str | None = None
) -> Iterator[None]:
    """Give up the work inside at its next cancellation point after a deadline.

    Only this thread's work is; a deadline around this one that is earlier holds, too.

    Parameters
    ----------
    deadline : Deadline
    what : str
        Message of the error.
    hint : str, optional

    Raises
    ------
    LimitError
        If the work was given up.
    """
    outer: Deadline | None = getattr(_current, "deadline", None)
    if outer is not None and outer.remaining_seconds() < deadline.remaining_seconds():
        deadline = outer
    _current.deadline = deadline
    try:
        yield
    except _LateError:
        raise LimitError(what, hint=hint) from None
    finally:
        _current.deadline = outer


def check_time() -> None:
    """A cancellation point: may not return, see `stopped_at`."""
    if seconds_left() <= 0.0:
        raise _LateError


def seconds_left() -> float:
    """Until the deadline of the `stopped_at` around; infinity without one."""
    deadline: Deadline | None = getattr(_current, "deadline", None)
    return float("inf") if deadline is None else deadline.remaining_seconds()
