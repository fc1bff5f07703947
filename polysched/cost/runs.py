"""What a thread of a device touches that takes neighbouring elements as vectors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from polysched.analysis import Reference, Vector
from polysched.ir import Array, Const

VECTOR_BYTES = 16  # the longest load of a thread
HALF_LANES = 2  # of vectors of two bytes


@dataclass(frozen=True)
class RunAccess:
    """One access of a run.

    Attributes
    ----------
    n_elements : int
        Of a load or store.
    share : float
        Loads or stores for each instance.
    """

    n_elements: int
    share: float


@dataclass(frozen=True)
class Run:
    """Neighbouring instances that a thread runs at once.

    Attributes
    ----------
    direction : vector
        How iterators move from one to the next.
    length : int
        How many there are.
    """

    direction: Vector
    length: int

    def touch(
        self, reference: Reference, others: Sequence[Reference], array: Array
    ) -> RunAccess:
        """Loads or stores of a run through one access.

        Elements side by side and aligned are vectors. Of those that are not aligned,
        what others have is in registers.

        Examples
        --------
        A sweep over floats loads ``A[i][j]`` as one vector for four instances, and of
        ``A[i][j + 1]`` one element, as the vector has the others.

        >>> from polysched.ir.types import FLOAT, INT
        >>> array = Array("A", FLOAT, (None, Const(64, INT, "64")))
        >>> here, right = (
        ...     Reference("A", False, ((1, 0), (0, 1)), (0, k)) for k in (0, 1)
        ... )
        >>> Run((0, 1), 4).touch(here, [here, right], array)
        RunAccess(n_elements=4, share=0.25)
        >>> Run((0, 1), 4).touch(right, [here, right], array)
        RunAccess(n_elements=1, share=0.25)
        """
        found = reference.stride_class(self.direction)
        if found == "0":
            return RunAccess(1, 1 / self.length)
        if found == "N" or not self._has_vectors(array):
            return RunAccess(1, self._to_next(reference, others))
        n = self._lanes(array)
        beyond = abs(float(reference.offsets[-1]))
        if beyond % n == 0:
            return RunAccess(n, 1 / n)
        if any(
            _is_beside(reference, r) and not float(r.offsets[-1]) % n for r in others
        ):
            return RunAccess(1, min(1.0, beyond / self.length))
        return RunAccess(1, 1.0)

    def _to_next(self, reference: Reference, others: Sequence[Reference]) -> float:
        """Share of its elements that no other access of the run touches later.

        What several instances read of an array that is not written is loaded once.
        """
        own = [r for r in others if r.array == reference.array]
        if any(r.is_write for r in own):
            return 1.0
        moves = reference.moves(self.direction)
        steps = [
            step
            for step in range(1, self.length)
            for r in own
            if r.rows == reference.rows
            and all(
                a - b == step * m
                for a, b, m in zip(r.offsets, reference.offsets, moves, strict=True)
            )
        ]
        return min(steps, default=self.length) / self.length

    def _lanes(self, array: Array) -> int:
        most = HALF_LANES if array.type.is_half else VECTOR_BYTES // array.type.n_bytes
        return max(1, min(self.length, most))

    def _has_vectors(self, array: Array) -> bool:
        """Whether rows begin at multiples of a vector, as far as anybody knows."""
        n = self._lanes(array)
        row = array.pitches[-1:] or array.extents[1:][-1:]
        return n > 1 and all(
            not isinstance(e, Const) or int(e.value) % n == 0 for e in row
        )


def _is_beside(reference: Reference, other: Reference) -> bool:
    """Whether two accesses touch the same row."""
    return (reference.array, reference.rows, reference.offsets[:-1]) == (
        other.array,
        other.rows,
        other.offsets[:-1],
    )
