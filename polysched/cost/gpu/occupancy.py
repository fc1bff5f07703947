"""How many blocks an SM holds, what limits them, and how many rounds they take."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from polysched.base import PolyschedError
from polysched.machine import Gpu

Limit = Literal["threads", "blocks", "registers", "shared memory"]


@dataclass(frozen=True)
class Occupancy:
    """What is resident on one SM.

    Attributes
    ----------
    blocks_per_sm : int
        Blocks at a time; 0 when not even one fits.
    warps_per_sm : int
        Their warps.
    fraction : float
        Warps against the most that the SM could hold.
    limited_by : {"threads", "blocks", "registers", "shared memory"}
        What would have to shrink for one block more; of several, the first named.
    """

    blocks_per_sm: int
    warps_per_sm: int
    fraction: float
    limited_by: Limit


@dataclass(frozen=True)
class Waves:
    """The blocks of a launch, dealt to the SMs in rounds.

    Attributes
    ----------
    n_full : int
        Rounds in which every SM holds as many blocks as fit.
    tail_blocks_per_sm : int
        Blocks of the busiest SM in the last round, if that is not full; else 0.
    efficiency : float
        Blocks of the launch against what all SMs would have run in the time in which
        the busiest one runs its blocks; 1 when every SM runs as many.
    """

    n_full: int
    tail_blocks_per_sm: int
    efficiency: float

    @property
    def n_waves(self) -> int:
        """Rounds, the last one included."""
        return self.n_full + (self.tail_blocks_per_sm > 0)


def compute_occupancy(
    gpu: Gpu,
    threads_per_block: int,
    registers_per_thread: int = 0,
    shared_bytes_per_block: int = 0,
) -> Occupancy:
    """Blocks and warps that one SM can hold of a kernel [1]_.

    Parameters
    ----------
    gpu : Gpu
        The processor.
    threads_per_block : int
        Threads; they occupy whole warps.
    registers_per_thread : int
        Registers of 32 bits; 0 leaves them out of account.
    shared_bytes_per_block : int
        Static and dynamic shared memory, without what the system reserves.

    Raises
    ------
    PolyschedError
        If the processor cannot run such a block at all: too many threads, registers
        or bytes.

    References
    ----------
    .. [1] NVIDIA, "CUDA occupancy calculator", a spreadsheet of the CUDA toolkit.

    Examples
    --------
    >>> compute_occupancy(Gpu.named("a100-40gb"), 256, registers_per_thread=40)
    Occupancy(blocks_per_sm=6, warps_per_sm=48, fraction=0.75, limited_by='registers')
    """
    _check_block(gpu, threads_per_block, registers_per_thread, shared_bytes_per_block)
    warps = -(-threads_per_block // gpu.warp_threads)
    limits: dict[Limit, int] = {
        "threads": gpu.max_warps_per_sm // warps,
        "blocks": gpu.max_blocks_per_sm,
    }
    if registers_per_thread:
        per_warp = round_up(
            registers_per_thread * gpu.warp_threads, gpu.register_allocation_unit
        )
        fitting = gpu.registers_per_sm // per_warp
        fitting -= fitting % gpu.warp_allocation_unit
        limits["registers"] = fitting // warps
    if shared_bytes_per_block:
        taken = round_up(
            shared_bytes_per_block + gpu.shared_bytes_reserved,
            gpu.shared_allocation_unit_bytes,
        )
        limits["shared memory"] = gpu.shared_bytes_per_sm // taken
    n_blocks = min(limits.values())
    limited_by = next(name for name, n in limits.items() if n == n_blocks)
    n_warps = n_blocks * warps
    return Occupancy(n_blocks, n_warps, n_warps / gpu.max_warps_per_sm, limited_by)


def count_waves(n_blocks: int, blocks_per_sm: int, n_sms: int) -> Waves:
    """Rounds that so many blocks take on so many SMs.

    Examples
    --------
    >>> count_waves(900, blocks_per_sm=2, n_sms=100)
    Waves(n_full=4, tail_blocks_per_sm=1, efficiency=1.0)
    >>> count_waves(801, blocks_per_sm=2, n_sms=100)
    Waves(n_full=4, tail_blocks_per_sm=1, efficiency=0.89)
    """
    n_full, rest = divmod(n_blocks, blocks_per_sm * n_sms)
    tail = -(-rest // n_sms)
    busiest = n_full * blocks_per_sm + tail
    return Waves(n_full, tail, n_blocks / (busiest * n_sms))


def round_up(number: int, unit: int) -> int:
    """The smallest multiple of `unit` that is not below `number`."""
    return -(-number // unit) * unit


def _check_block(gpu: Gpu, threads: int, registers: int, shared_bytes: int) -> None:
    """Refuse a block that no SM of this processor takes."""
    asked = (
        ("threads per block", threads, gpu.max_threads_per_block),
        ("registers per thread", registers, gpu.max_registers_per_thread),
        ("bytes of shared memory per block", shared_bytes, gpu.shared_bytes_per_block),
    )
    for noun, found, most in asked:
        if found > most:
            raise PolyschedError(
                f"a kernel with {found} {noun} cannot run on {gpu.name}, which allows "
                f"{most}"
            )
    if threads < 1:
        raise PolyschedError(f"a block needs threads, found {threads}")
