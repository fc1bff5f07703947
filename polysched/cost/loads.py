"""What a kernel does, in numbers: the model's input, read from a tree."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, log, prod

from polysched.cost.overlapped import OverlapLoad
from polysched.cost.warps import WARP
from polysched.ir import NodePath, ScalarType

RADIX = 8  # sums that a thread of generated code adds before all threads wait


@dataclass(frozen=True)
class Stage:
    """How a contraction's operands go through shared memory.

    Attributes
    ----------
    n_buffers : int
        Tiles in shared memory at a time.
    n_tiles : float
        Tiles that a block loads, one after another.
    n_inner : int
        Terms of a tile.
    tile_bytes : float
        Operands of a tile.
    per_thread : tuple of int
        Results of a thread along each shared member.
    n_operands : int
        Reads of a term that move with its loops.
    n_loops : int
        Around the statement.
    has_known_pitches : bool
        Whether rows of all arrays are a known number of elements apart.
    padding_bytes : float
        Of a tile in shared memory, beside its operands: its rows lie apart.
    is_tensor : bool
        Whether warps multiply in tensor cores: `per_thread` is then a warp's.
    factor_bytes : int
        Of the smallest element that is read.
    reads_results : bool
        Whether results are made from what was there before.
    """

    n_buffers: int
    n_tiles: float
    n_inner: int
    tile_bytes: float
    per_thread: tuple[int, ...]
    n_operands: int = 2
    n_loops: int = 3
    has_known_pitches: bool = True
    padding_bytes: float = 0.0
    is_tensor: bool = False
    factor_bytes: int = 0
    reads_results: bool = True


@dataclass(frozen=True)
class StatementLoad:
    """What one statement does in a launch of a kernel, all blocks together.

    Attributes
    ----------
    n_instances : float
        How often it runs.
    n_operations : float
        Arithmetic operations of one instance.
    element : ScalarType
        What it computes.
    n_requests : float
        Loads and stores of warps; a value that stays in place along a thread's
        innermost loop is loaded once.
    near_bytes : float
        The 32-byte sectors that these touch.
    far_bytes : float
        Distinct bytes of each block, over all blocks; no more than `near_bytes`.
    memory_bytes : float
        Distinct bytes of the launch; no more than `near_bytes`.
    written_share : float
        Of the requests.
    n_references, n_coalesced : int
        Its accesses; those whose warps move no more sectors than hold what they touch.
    n_steps : float
        Instances of a thread, one after another.
    waits_for_memory, waits : bool
        Whether a step needs what the one before stored, or computed.
    stage : Stage or None
        Of a contraction through shared memory.
    run : int
        Instances that a thread runs at once, neighbours in vectors.
    line_bytes : float
        The lines of the first cache that requests touch, 128 bytes for each.
    meets : bool
        Whether threads wait for each other between steps, and read what others wrote.
    met_bytes : float
        Shared memory of a block in which its threads put sums together.
    shared_wavefronts : float
        Accesses to shared memory, each counted as often as bank conflicts repeat it.
    """

    n_instances: float
    n_operations: float
    element: ScalarType
    n_requests: float
    near_bytes: float
    far_bytes: float
    memory_bytes: float
    written_share: float
    n_references: int
    n_coalesced: int
    n_steps: float
    waits_for_memory: bool = False
    waits: bool = False
    stage: Stage | None = None
    run: int = 1
    met_bytes: float = 0.0
    line_bytes: float = 0.0
    meets: bool = False
    shared_wavefronts: float = 0.0


@dataclass(frozen=True)
class KernelLoad:
    """A kernel as a model sees it.

    Attributes
    ----------
    path : tuple of int
        Of its mark.
    n_launches : float
        How often the host starts it.
    n_blocks : float
        Blocks of a launch, partial ones included.
    n_threads : int
        Threads of a block.
    statements : tuple of StatementLoad
        What runs in a launch.
    overlapped : OverlapLoad or None
        Of tiles that overlap.
    n_barriers : int
        Of a block, where threads share several parts one after another.
    """

    path: NodePath
    n_launches: float
    n_blocks: float
    n_threads: int
    statements: tuple[StatementLoad, ...]
    overlapped: OverlapLoad | None = None
    n_barriers: int = 0


def gathering_steps(n_threads: int, *, in_warps: bool = False) -> float:
    """Steps of a thread on the way from one sum for each thread to one.

    Parameters
    ----------
    n_threads : int
        That share a sum.
    in_warps : bool
        Whether whole warps do: their five shuffles take about as long as one step.

    Examples
    --------
    >>> gathering_steps(64), gathering_steps(32, in_warps=True)
    (16.0, 1.0)
    """
    if in_warps and n_threads % WARP == 0:
        return 1.0 + gathering_steps(n_threads // WARP)
    return RADIX * log(n_threads, RADIX)


def n_met(counts: Sequence[int], sums: Sequence[int]) -> int:
    """Sums of one element that the threads of a block put into shared memory.

    Warps whose threads all have terms of one element fold theirs first.

    Parameters
    ----------
    counts : sequence of int
        Threads per shared loop, those of the last one side by side.
    sums : sequence of int
        Positions of the loops over terms.

    Returns
    -------
    int
        0 where a single warp is all there is.

    Examples
    --------
    >>> n_met((8, 32), [0]), n_met((2, 128), [1]), n_met((1, 32), [1])
    (8, 4, 0)
    """
    several = [k for k, n in enumerate(counts) if n > 1]
    total = prod(counts[k] for k in sums)
    if not several or several[-1] not in sums or counts[several[-1]] % WARP:
        return total
    return total // WARP if total > WARP else 0


def parts_kernel(
    path: NodePath,
    element: ScalarType,
    n_launches: float,
    n_parts: float,
    n_results: float,
    threads: tuple[int, int],
) -> KernelLoad:
    """The kernel that adds up what blocks found, read and written once each.

    Parameters
    ----------
    path : tuple of int
        Of the mark of the kernel that has found it.
    element : ScalarType
        Of the sums.
    n_launches, n_parts, n_results : float
        Launches; parts of each result, and results of a launch.
    threads : tuple of int
        Of a block, over parts and over results.
    """
    over_parts, over_results = threads
    n_instances = n_parts * n_results
    n_bytes = n_instances * element.n_bytes
    results = min(over_results, n_results)
    together = n_met((over_parts, round(results)), [0])
    load = StatementLoad(
        n_instances=n_instances,
        n_operations=1.0,
        element=element,
        n_requests=n_instances / WARP,
        near_bytes=n_bytes,
        far_bytes=n_bytes,
        memory_bytes=n_bytes,
        written_share=1.0 / n_parts,
        n_references=2,
        n_coalesced=2,
        n_steps=ceil(n_parts / over_parts)
        + gathering_steps(over_parts, in_warps=over_results == 1),
        met_bytes=together * results * element.n_bytes,
        line_bytes=n_bytes,
    )
    n_blocks = float(ceil(n_results / over_results))
    return KernelLoad(path, n_launches, n_blocks, over_parts * over_results, (load,))
