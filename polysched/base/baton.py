"""Whose turn it is, among threads of which one at a time may do the main work."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from polysched.base.deadline import NO_TIME_LEFT
from polysched.base.errors import LimitError

_current = threading.local()


class Baton:
    """A lock that its holder lends to others while it waits.

    isl counts operations and reports errors per context, not per thread, so threads
    take turns with it; while one waits for a solver, it lends the baton.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._is_retired = False

    @contextmanager
    def held(self) -> Iterator[None]:
        """Wait for the turn, and keep it inside.

        Raises
        ------
        LimitError
            When the baton was retired meanwhile.
        """
        with self._lock:
            self._check_in_use()
            _current.baton = self
            try:
                yield
            finally:
                _current.baton = None

    @contextmanager
    def _lent(self) -> Iterator[None]:
        self._lock.release()
        try:
            yield
        finally:
            self._lock.acquire()
            self._check_in_use()

    def retire(self) -> None:
        """Nobody gets the turn any more; waits for who has it.

        Who waits for a solver that cannot be interrupted is not waited for.
        """
        self._is_retired = True
        with self._lock:
            pass

    def _check_in_use(self) -> None:
        if self._is_retired:
            raise LimitError(f"{NO_TIME_LEFT}: not waited for")


@contextmanager
def lend_baton() -> Iterator[None]:
    """Let other threads have the turn inside, where this thread holds a baton."""
    baton: Baton | None = getattr(_current, "baton", None)
    if baton is None:
        yield
        return
    with baton._lent():
        yield
