"""Seconds of a kernel by resource, and the one that decides."""

from __future__ import annotations

from dataclasses import dataclass

from polysched.base import PolyschedError
from polysched.cost.gpu.occupancy import (
    Occupancy,
    Waves,
    compute_occupancy,
    count_waves,
)
from polysched.cost.gpu.work import SECTOR_BYTES, KernelWork
from polysched.machine import Gpu

INTEGER_PER_CYCLE = 64.0  # of one SM, sm_70 to sm_90 (CUDA programming guide)
L2_BYTES_PER_SM_CYCLE = 64.0  # what one SM can take from L2 (A100 whitepaper)
ARITHMETIC_LATENCY_CYCLES = 4.0  # of a dependent FMA, sm_70 to sm_90 (Jia et al.)
BLOCK_CYCLES = 1000.0  # beside its loads: begins, ends (docs/benchmarks/gpu.md, H200)
BARRIER_CYCLES = 30.0  # last warp's arrival to first warp's next instruction
MEMORY_EFFICIENCY = 0.92  # of the published bandwidth that copies reach
OVERLAP_LOSS = 0.1  # share of the lesser times that is not hidden
LINE_SECTORS = 4  # of a line of 128 bytes
WAITING_SHARE = 0.2  # of an SM's time, from which on its idling is what decides


@dataclass(frozen=True)
class KernelPrediction:
    """What the model expects of one launch.

    Attributes
    ----------
    occupancy : Occupancy
        What is resident on an SM, and what limits it.
    waves : Waves
        Rounds of blocks, and how full they are.
    arithmetic_seconds : float
        Of the busiest arithmetic pipeline, `pipe`.
    issue_seconds : float
        Of issuing all instructions.
    shared_seconds : float
        Of shared memory.
    l2_seconds, memory_seconds : float
        Of moving bytes from and to L2 and global memory at full bandwidth.
    latency_seconds : float
        Of a block's own chain of loads, arithmetic and barriers, wave after wave, with
        nothing else on its SM.
    launch_seconds : float
        Of the launch.
    seconds : float
        All of it.
    pipe : str
        Field of `Operations` that `arithmetic_seconds` is about.
    bound : str
        What decides: "arithmetic", "issue", "shared", "l2", "memory", "latency" or
        "launch".
    is_load_bound : bool
        Whether the steps of the loop wait for their loads, whatever else is slow.
    """

    occupancy: Occupancy
    waves: Waves
    arithmetic_seconds: float
    issue_seconds: float
    shared_seconds: float
    l2_seconds: float
    memory_seconds: float
    latency_seconds: float
    launch_seconds: float
    seconds: float
    pipe: str
    bound: str
    is_load_bound: bool


@dataclass(frozen=True)
class _Block:
    """One block's claims on the units of its SM, in cycles at full rate."""

    arithmetic: float
    pipe: str
    issue: float
    shared: float

    @property
    def busy(self) -> float:
        """Cycles that the SM works for the block."""
        longest = max(self.arithmetic, self.issue, self.shared)
        return longest + OVERLAP_LOSS * min(self.arithmetic, self.shared)


def predict_kernel(work: KernelWork, gpu: Gpu) -> KernelPrediction:
    """Predict one launch, in closed form.

    Blocks are dealt in waves [2]_. In each wave an SM takes the longer of two times:
    its own work for all resident blocks, and the chain of one block, whose loop of
    loads and arithmetic is pipelined [1]_. Traffic of all SMs runs beside that.

    Parameters
    ----------
    work : KernelWork
        What the kernel does.
    gpu : Gpu
        The processor.

    Raises
    ------
    PolyschedError
        If the processor cannot run such a block, or lacks a pipeline that it needs.

    References
    ----------
    .. [1] Huang et al., "ALCOP: Automatic Load-Compute Pipelining in Deep Learning
       Compiler for AI-GPUs", MLSys 2023.
    .. [2] Xu et al., "Effective Performance Modeling and Domain-Specific Compiler
       Optimization of CNNs for GPUs", PACT 2022.
    """
    occupancy = compute_occupancy(
        gpu,
        work.threads_per_block,
        work.registers_per_thread,
        work.shared_bytes_per_block,
    )
    if occupancy.blocks_per_sm == 0:
        raise PolyschedError(
            f"no block of this kernel fits an SM of {gpu.name}: its "
            f"{occupancy.limited_by} do not suffice"
        )
    resident = min(occupancy.blocks_per_sm, -(-work.n_blocks // gpu.n_sms))
    waves = count_waves(work.n_blocks, occupancy.blocks_per_sm, gpu.n_sms)
    block = _claims(work, gpu)
    load_cycles = _load_cycles(work, gpu)
    busy = _busy_cycles(work, gpu, block, resident)
    chain = _chain_cycles(work, gpu, block, load_cycles)
    times = _unit_seconds(work, gpu, block, waves, occupancy.blocks_per_sm)
    tail = waves.tail_blocks_per_sm
    waiting = chain - _busy_cycles(work, gpu, block, 1)
    sm_cycles = waves.n_full * _overlapped(busy, chain, waiting)
    if tail:
        last = _busy_cycles(work, gpu, block, tail)
        sm_cycles += _overlapped(last, chain, waiting)
    parts = (sm_cycles / gpu.clock_hz, times["l2"], times["memory"])
    device = max(parts) + OVERLAP_LOSS * (sum(parts) - max(parts))
    longest = max(busy, chain)
    waits = longest - resident * block.busy > WAITING_SHARE * longest
    latency = chain * waves.n_waves / gpu.clock_hz
    deciding = {**times, **({"latency": latency} if waits else {})}
    bound = max(deciding, key=lambda name: deciding[name])
    step = busy / resident / work.loop.n_steps
    return KernelPrediction(
        occupancy=occupancy,
        waves=waves,
        arithmetic_seconds=times["arithmetic"],
        issue_seconds=times["issue"],
        shared_seconds=times["shared"],
        l2_seconds=times["l2"],
        memory_seconds=times["memory"],
        latency_seconds=latency,
        launch_seconds=gpu.launch_seconds,
        seconds=device + gpu.launch_seconds,
        pipe=block.pipe,
        bound="launch" if device < gpu.launch_seconds else bound,
        is_load_bound=is_load_bound(load_cycles, step, work.loop.n_stages, resident),
    )


def is_load_bound(
    load_cycles: float, compute_cycles: float, n_stages: int, n_resident: int
) -> bool:
    """Whether the steps of a pipelined loop wait for their loads.

    A buffer is filled again once in `n_stages` steps: its load and its use must fit
    into so many steps of all resident blocks together, or else they decide. With one
    block this is ALCOP's condition, a load longer than ``n_stages - 1`` computations.

    Parameters
    ----------
    load_cycles : float
        From the issue of a step's load to its data.
    compute_cycles : float
        A step's arithmetic of one block, with the SM for itself.
    n_stages : int
        Buffers.
    n_resident : int
        Blocks that share the SM.

    Examples
    --------
    >>> [is_load_bound(500, 200, stages, n_resident=1) for stages in (1, 2, 3, 4)]
    [True, True, True, False]
    >>> is_load_bound(500, 200, n_stages=2, n_resident=2)
    False
    """
    return load_cycles > (n_stages * n_resident - 1) * compute_cycles


def _overlapped(busy: float, chain: float, waiting: float) -> float:
    """Cycles of a wave; a part of each block's waiting is hidden behind no other."""
    return max(busy, chain) + OVERLAP_LOSS * min(busy, waiting)


def _unit_seconds(
    work: KernelWork, gpu: Gpu, block: _Block, waves: Waves, blocks_per_sm: int
) -> dict[str, float]:
    """Seconds that each unit works, of SMs those of the busiest, at full rate."""
    n_serial = waves.n_full * blocks_per_sm + waves.tail_blocks_per_sm
    memory_rate = gpu.memory_bytes_per_second * MEMORY_EFFICIENCY
    return {
        "arithmetic": block.arithmetic * n_serial / gpu.clock_hz,
        "issue": block.issue * n_serial / gpu.clock_hz,
        "shared": block.shared * n_serial / gpu.clock_hz,
        "l2": work.n_blocks * work.sector_bytes / gpu.l2_bytes_per_second,
        "memory": work.memory_bytes / memory_rate,
    }


def _claims(work: KernelWork, gpu: Gpu) -> _Block:
    """Cycles that one block costs the resources of its SM."""
    ops = work.operations
    pipes = {
        "fp32": (ops.fp32, gpu.fma_fp32_per_cycle),
        "fp64": (ops.fp64, gpu.fma_fp64_per_cycle),
        "fp16": (ops.fp16, gpu.fma_fp16_per_cycle),
        "tensor_fp16": (ops.tensor_fp16, gpu.tensor_fp16_per_cycle),
        "tensor_tf32": (ops.tensor_tf32, gpu.tensor_tf32_per_cycle),
        "tensor_fp64": (ops.tensor_fp64, gpu.tensor_fp64_per_cycle),
        "special": (ops.special, gpu.special_per_cycle),
        "integer": (ops.integer, INTEGER_PER_CYCLE),
    }
    lacking = [name for name, (n, rate) in pipes.items() if n and not rate]
    if lacking:
        raise PolyschedError(f"{gpu.name} has no pipeline {lacking[0]!r}")
    cycles = {name: n / rate for name, (n, rate) in pipes.items() if n}
    pipe = max(cycles, key=lambda name: cycles[name], default="fp32")
    # A tensor core's instruction holds so many FMAs that issuing it counts for little.
    scalar = ops.fp32 + ops.fp64 + ops.fp16 / 2 + ops.special + ops.integer
    n_instructions = scalar / gpu.warp_threads + work.memory_instructions
    # Requests to global memory pass the same unit as those to shared memory.
    passed = (work.load_bytes + work.store_bytes) / gpu.shared_bytes_per_cycle
    return _Block(
        arithmetic=cycles.get(pipe, 0.0),
        pipe=pipe,
        issue=n_instructions / gpu.schedulers_per_sm,
        shared=work.shared_wavefronts + passed,
    )


def _load_cycles(work: KernelWork, gpu: Gpu) -> float:
    """From the issue of a step's load to its data; 0 where nothing is loaded."""
    n_sectors = work.load_sectors / work.loop.n_steps
    if not n_sectors:
        return 0.0
    moved = work.n_blocks * work.sector_bytes
    missing = min(1.0, work.memory_bytes / moved)
    waits = min(1.0, missing * n_sectors / LINE_SECTORS)  # for the slowest line
    latency = gpu.l2_latency_cycles + waits * (
        gpu.memory_latency_cycles - gpu.l2_latency_cycles
    )
    n_active = min(gpu.n_sms, work.n_blocks)
    share = gpu.l2_bytes_per_second / gpu.clock_hz / n_active
    return latency + n_sectors * SECTOR_BYTES / min(L2_BYTES_PER_SM_CYCLE, share)


def _busy_cycles(work: KernelWork, gpu: Gpu, block: _Block, resident: int) -> float:
    """Cycles that an SM works for its resident blocks, idle slots included.

    Fewer warps than schedulers leave some of those idle. All warps wait for arithmetic
    results, when a thread has few independent operations, and for the next values from
    shared memory, which are pipelined like those from global memory.
    """
    warps_per_block = -(-work.threads_per_block // gpu.warp_threads)
    per_scheduler = resident * warps_per_block / gpu.schedulers_per_sm
    issued = resident * max(block.arithmetic, block.issue) / min(1.0, per_scheduler)
    floats = work.operations.n_floating / work.threads_per_block
    waits = floats * ARITHMETIC_LATENCY_CYCLES / work.n_independent
    cycles = [resident * block.busy, issued, waits]
    inner = work.loop
    if work.shared_wavefronts and block.busy:
        n_inner = inner.n_steps * inner.n_inner_steps
        use = block.busy / n_inner * gpu.schedulers_per_sm / warps_per_block
        period = (gpu.shared_latency_cycles + use) / inner.n_inner_stages
        cycles.append(n_inner * period)
    return max(cycles)


def _chain_cycles(
    work: KernelWork, gpu: Gpu, block: _Block, load_cycles: float
) -> float:
    """Cycles from the start to the end of one block that has the SM for itself.

    The first step waits for its load; the others follow as fast as buffers are filled,
    or as one step's arithmetic and barriers take.
    """
    loop = work.loop
    compute = _busy_cycles(work, gpu, block, 1) / loop.n_steps
    compute += loop.barriers_per_step * BARRIER_CYCLES
    pace = max(compute, (load_cycles + compute) / loop.n_stages)
    return BLOCK_CYCLES + load_cycles + compute + (loop.n_steps - 1) * pace
