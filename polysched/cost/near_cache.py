"""What the first cache of a device does not hold from one step to the next."""

from __future__ import annotations

from collections.abc import Sequence

from polysched.cost.nest import Nest
from polysched.cost.warps import SECTOR_BYTES

SM_THREADS = 2048  # resident, on every device so far
CACHE_BYTES = 128 * 1024  # of an SM: 128 KiB on a V100, 256 with what is shared on an
# H200, whose 28 time tiles come nearest to what was measured with this


def read_again(
    nest: Nest, arrays: Sequence[str], first: int, trips: Sequence[float], threads: int
) -> float:
    """Bytes that a block reads from the second cache, in loops that it runs in step.

    Of what the blocks on an SM touch between two turns of a loop, the share that the
    first cache holds is read once for all turns, and the rest in each of them, as far
    as the next loop inside does not hold that.

    Parameters
    ----------
    nest : Nest
        A statement of a kernel.
    arrays : sequence of str
        That it reads.
    first : int
        The outermost loop of a block.
    trips : sequence of float
        Of that and of the loops inside that threads run in step; none where they do
        not, and a block reads everything once.
    threads : int
        Of a block.
    """

    def distinct(loop: int) -> float:
        return sum(nest.footprint(loop, SECTOR_BYTES, a) for a in arrays)

    resident = max(1, SM_THREADS // max(1, threads))
    total, steps, left = 0.0, 1.0, 1.0
    for loop, n in enumerate(trips, start=first):
        n_bytes = distinct(loop)
        held = min(1.0, CACHE_BYTES / max(1.0, n_bytes * resident))
        total += left * held * steps * n_bytes
        left *= 1.0 - held
        steps *= n
    return total + left * steps * distinct(first + len(trips))


def stays_near(block_bytes: float, threads: int) -> bool:
    """Whether the first cache holds what all blocks on an SM have touched.

    Parameters
    ----------
    block_bytes : float
        By one block.
    threads : int
        Of it.
    """
    resident = max(1, SM_THREADS // max(1, threads))
    return block_bytes * resident <= CACHE_BYTES
