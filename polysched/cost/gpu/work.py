"""What a kernel does, in numbers: the input of the model."""

from __future__ import annotations

from dataclasses import dataclass, fields

from polysched.base import PolyschedError

SECTOR_BYTES = 32  # what L2 moves at the least


@dataclass(frozen=True)
class Operations:
    """Operations of the threads of one block, by the pipeline that does them.

    An FMA counts once, and so does an addition or a multiplication that is none.

    Attributes
    ----------
    fp32, fp64, fp16 : float
        On the ordinary pipelines; `fp16` counts both halves of a packed pair.
    tensor_fp16, tensor_tf32, tensor_fp64 : float
        FMAs of the tensor cores.
    special : float
        Reciprocals, roots, exponentials and their kin in single precision.
    integer : float
        Additions, comparisons and logic on integers, addresses among them.
    """

    fp32: float = 0.0
    fp64: float = 0.0
    fp16: float = 0.0
    tensor_fp16: float = 0.0
    tensor_tf32: float = 0.0
    tensor_fp64: float = 0.0
    special: float = 0.0
    integer: float = 0.0

    @property
    def n_floating(self) -> float:
        """Those on the ordinary pipelines for floating-point numbers."""
        return self.fp32 + self.fp64 + self.fp16 / 2 + self.special


@dataclass(frozen=True)
class LoadLoop:
    """A sequential loop of a block whose every step loads and then computes.

    Attributes
    ----------
    n_steps : int
        Steps of one block; what the block does is shared evenly among them. A kernel
        without such a loop has one.
    n_stages : int
        Buffers that take turns: while one is used, so many less one are being filled.
        1 means that every step waits for its own load.
    n_inner_steps : int
        Loads from shared memory to registers, one after another, within a step.
    n_inner_stages : int
        Register buffers that take turns in these.
    barriers_per_step : float
        Barriers of the block within a step; a fraction where not every one has any.
    """

    n_steps: int = 1
    n_stages: int = 1
    n_inner_steps: int = 1
    n_inner_stages: int = 1
    barriers_per_step: float = 0.0


@dataclass(frozen=True)
class KernelWork:
    """One launch of a kernel, in numbers.

    What is said of a block is the sum over its threads. Blocks are taken to do the
    same work.

    Attributes
    ----------
    n_blocks : int
        Blocks of the launch.
    threads_per_block : int
        Threads of a block.
    registers_per_thread : int
        Registers of 32 bits.
    shared_bytes_per_block : int
        Static and dynamic shared memory, without what the system reserves.
    operations : Operations
        Arithmetic of a block.
    load_bytes, store_bytes : float
        Global memory that the threads of a block ask for.
    load_sectors, store_sectors : float
        Sectors of 32 bytes that these requests move between L2 and the SM; bytes that
        the first-level cache serves are not among them.
    memory_bytes : float
        What all blocks together move between L2 and global memory.
    shared_wavefronts : float
        Accesses of a block to shared memory, each counted as often as bank conflicts
        repeat it.
    memory_instructions : float
        Instructions of a block's warps that load or store, whatever memory.
    loop : LoadLoop
        How loads and computation follow each other.
    n_independent : float
        Operations of a thread that do not wait for each other.
    """

    n_blocks: int
    threads_per_block: int
    registers_per_thread: int
    shared_bytes_per_block: int = 0
    operations: Operations = Operations()
    load_bytes: float = 0.0
    store_bytes: float = 0.0
    load_sectors: float = 0.0
    store_sectors: float = 0.0
    memory_bytes: float = 0.0
    shared_wavefronts: float = 0.0
    memory_instructions: float = 0.0
    loop: LoadLoop = LoadLoop()
    n_independent: float = 4.0

    def __post_init__(self) -> None:
        """Refuse counts that no kernel has."""
        for owner, names in (
            (self, _COUNTS),
            (self.operations, _OPERATIONS),
            (self.loop, _STEPS),
        ):
            for name in names:
                least = 1 if name in _AT_LEAST_ONE else 0
                if not getattr(owner, name) >= least:
                    raise PolyschedError(
                        f"a kernel's {name!r} is {getattr(owner, name)}, expected "
                        f"{least} or more"
                    )

    @property
    def sector_bytes(self) -> float:
        """What one block moves between L2 and its SM."""
        return SECTOR_BYTES * (self.load_sectors + self.store_sectors)

    @property
    def coalescing(self) -> float:
        """Bytes asked for against bytes moved; above 1 where a cache helps."""
        moved = self.sector_bytes
        return (self.load_bytes + self.store_bytes) / moved if moved else 1.0


_AT_LEAST_ONE = {
    "n_blocks",
    "threads_per_block",
    "registers_per_thread",
    "n_steps",
    "n_stages",
    "n_inner_steps",
    "n_inner_stages",
}
_OPERATIONS = tuple(field.name for field in fields(Operations))
_STEPS = tuple(field.name for field in fields(LoadLoop))
_COUNTS = tuple(
    field.name
    for field in fields(KernelWork)
    if field.name not in ("operations", "loop")
)
