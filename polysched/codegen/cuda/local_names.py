"""Names of what a tiled kernel declares besides loops and blocks."""

from __future__ import annotations

from dataclasses import dataclass

from polysched.codegen.ctext import Names


@dataclass(frozen=True)
class LocalNames:
    """Variables of the printed kernel that are nobody else's.

    Attributes
    ----------
    thread, held, copy, multiply
        The thread's number, its results, and the two functions.
    stage, element, round, inside, step
        A slot in shared memory, an element of a copy and its loop, whether it is read,
        and the loop over tiles.
    shares : tuple of str
        Loops over a thread's results.
    local : tuple of str
        Subscripts in a window.
    firsts, counts : tuple of str
        First tile and number of tiles per member inside.
    total : str
        Number of tiles.
    filled : str
        Barriers of the slots that bulk copies fill.
    """

    thread: str
    held: str
    copy: str
    multiply: str
    stage: str
    element: str
    round: str
    inside: str
    step: str
    shares: tuple[str, ...]
    local: tuple[str, ...]
    firsts: tuple[str, ...]
    counts: tuple[str, ...]
    total: str
    filled: str

    @classmethod
    def take(
        cls, free: Names, n_shared: int, n_inner: int, n_subscripts: int
    ) -> LocalNames:
        """Free identifiers."""

        def series(stem: str, count: int) -> tuple[str, ...]:
            return tuple(free.take(f"{stem}{k}") for k in range(count))

        return cls(
            thread=free.take("thread"),
            held=free.take("held"),
            copy=free.take("copy"),
            multiply=free.take("multiply"),
            stage=free.take("stage"),
            element=free.take("e"),
            round=free.take("n"),
            inside=free.take("inside"),
            step=free.take("s"),
            shares=series("r", n_shared),
            local=series("l", n_subscripts),
            firsts=series("first_q", n_inner),
            counts=series("n_q", n_inner),
            total=free.take("n_tiles"),
            filled=free.take("filled"),
        )
