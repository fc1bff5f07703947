"""Predicted seconds of a tree on a graphics processor: kernels, launches, copies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, reduce
from math import ceil, prod

from polysched.analysis import LARGE_EXTENT
from polysched.base import PolyschedError
from polysched.cost.gpu import KernelWork, LoadLoop, Operations, predict_kernel
from polysched.cost.kernels import read_kernels
from polysched.cost.loads import KernelLoad, Stage, StatementLoad
from polysched.cost.overlapped import overlap_work
from polysched.cost.warps import SECTOR_BYTES, WARP
from polysched.ir import Const, ScheduleTree, Scop
from polysched.machine import Gpu

FLOAT_BYTES = 4
WORD_BYTES = 4  # of a register
TENSOR_PRODUCTS, TENSOR_TERMS = 1024, 8  # of an instruction of a tensor core
HALF_BYTES = 2  # factors of which it takes twice as many
TENSOR_REGISTERS = 40  # of a thread that feeds one, for addresses and counters
OVERHEAD_OPERATIONS = 4.0  # on integers, of an instance: subscripts, the loop
LOADS_IN_FLIGHT = 4  # of one thread: nvcc unrolls loops of so many turns and more
PLAIN_REGISTERS = 32  # of a thread that keeps no tile of results: most need fewer
ADDRESS_REGISTERS = 28  # pointers, loop counters, and what the compiler adds
LOOP_REGISTERS = 8  # for each loop of a contraction beyond three
PITCH_REGISTERS = 64  # where rows are a number apart that is known at run time only
MAX_RESIDENT = 4  # blocks that generated code asks an SM to hold
REGISTERS = 65536  # of an SM
MAX_REGISTERS = 255  # of a thread
MORE_REGISTERS = 1.08  # nvcc takes, as far as they are there, to read ahead
VECTOR_BYTES = 16  # the widest load of a thread
READ_AHEAD = 8  # terms from shared memory, in registers that no results take
LANE_BYTES_PER_CYCLE = 8  # a thread gets from shared memory
SHARED_BYTES_PER_CYCLE = 128  # of one SM


@dataclass(frozen=True)
class DevicePrediction:
    """Seconds of one run on a device, and where they go.

    Attributes
    ----------
    kernel_seconds : float
        Of all launches.
    launch_seconds : float
        That starting them takes, in it.
    copy_seconds : float
        Of the copies to the device and back.
    """

    kernel_seconds: float
    launch_seconds: float
    copy_seconds: float

    @property
    def seconds(self) -> float:
        """In all."""
        return self.kernel_seconds + self.copy_seconds


def predict_on_device(
    tree: ScheduleTree,
    scop: Scop,
    gpu: Gpu,
    parameters: Mapping[str, int] | None = None,
) -> DevicePrediction | None:
    """Predicted seconds under a schedule with kernels, good for ranking.

    Parameters
    ----------
    tree : ScheduleTree
        Final tree with marks for kernels.
    scop : Scop
        What it schedules.
    gpu : Gpu
        What the kernels run on.
    parameters : mapping of str to int, optional
        Values of parameters; trip counts that stay unknown are assumed to be 1000.

    Returns
    -------
    DevicePrediction or None
        None where the tree holds no kernel, or one that no SM takes.
    """
    if parameters:
        known = {p.name for p in scop.parameters}
        values = {k: v for k, v in parameters.items() if k in known}
        scop = scop.with_parameters_fixed(values) if values else scop
    kernels = read_kernels(tree, scop)
    if not kernels:
        return None
    launches = sum(k.n_launches for k in kernels) * gpu.launch_seconds
    try:
        running = sum(
            k.n_launches * predict_kernel(kernel_work(k), gpu).seconds for k in kernels
        )
    except PolyschedError:  # no SM takes such a block
        return None
    copies = _copied_bytes(scop) / gpu.pcie_bytes_per_second
    return DevicePrediction(running, launches, copies)


@lru_cache(maxsize=16)
def array_bytes(scop: Scop) -> dict[str, float | None]:
    """Bytes of each array that a SCoP may touch; None where they have no bound.

    Of a box around what is touched, for the parameter values that the context allows.
    """
    found: dict[str, float | None] = {}
    context = scop.context.params()
    for array in scop.arrays:
        touched = [
            a.relation.intersect_domain(s.domain).range().intersect_params(context)
            for s, a in scop.iter_accesses()
            if a.array == array.name
        ]
        if not touched:
            continue
        whole = reduce(lambda a, b: a.union(b), touched)
        total: float | None = float(array.type.n_bytes)
        if whole.is_empty():
            total = 0.0
        for k in range(array.n_expanded, array.n_dim):
            low, high = whole.dim_min_val(k), whole.dim_max_val(k)
            if total is None or not (low.is_int() and high.is_int()):
                total = None
                break
            total *= int(high.to_python()) - int(low.to_python()) + 1
        found[array.name] = total
    return found


def _copied_bytes(scop: Scop) -> float:
    """Bytes that enter and leave the device; unknown lengths count as large."""
    known = array_bytes(scop)
    total = 0.0
    for array in scop.arrays:
        if array.is_private or array.name not in known:
            continue
        size = known[array.name]
        if size is None:
            lengths = [
                e.value if isinstance(e, Const) else LARGE_EXTENT for e in array.extents
            ]
            size = float(prod(lengths)) * array.type.n_bytes
        total += (int(array.live_in) + int(array.live_out)) * size
    return total


def kernel_work(kernel: KernelLoad) -> KernelWork:
    """A kernel as the model takes it: per block, counts as whole numbers."""
    if kernel.overlapped is not None:
        return overlap_work(kernel.overlapped)
    n_blocks = max(1, round(kernel.n_blocks))
    staged = [s.stage for s in kernel.statements if s.stage is not None]
    if staged and staged[0].is_tensor:
        return _tensor_work(kernel, kernel.statements[0], staged[0])
    if staged:
        return _staged_work(kernel, kernel.statements[0], staged[0])
    parts = kernel.statements
    requests = sum(s.n_requests for s in parts)
    written = sum(s.n_requests * s.written_share for s in parts) / max(requests, 1e-9)
    near = sum(max(s.near_bytes, s.line_bytes) for s in parts) / n_blocks
    sectors = sum(s.far_bytes for s in parts) / n_blocks / SECTOR_BYTES
    n_steps = max(1, round(sum(s.n_steps for s in parts)))
    # loops around runs have branches, and are not unrolled
    is_serial = n_steps < LOADS_IN_FLIGHT or any(
        s.waits_for_memory or s.run > 1 or s.meets for s in parts
    )
    return KernelWork(
        n_blocks=n_blocks,
        threads_per_block=kernel.n_threads,
        registers_per_thread=PLAIN_REGISTERS,
        shared_bytes_per_block=round(sum(s.met_bytes for s in parts)),
        operations=_operations(parts, n_blocks),
        load_bytes=near * (1.0 - written),
        store_bytes=near * written,
        load_sectors=sectors * (1.0 - written),
        store_sectors=sectors * written,
        memory_bytes=sum(s.memory_bytes for s in parts),
        shared_wavefronts=sum(s.shared_wavefronts for s in parts) / n_blocks,
        memory_instructions=requests / n_blocks,
        loop=LoadLoop(
            n_steps=n_steps,
            n_stages=1 if is_serial else LOADS_IN_FLIGHT,
            barriers_per_step=kernel.n_barriers / n_steps,
        ),
        n_independent=1.0 if any(s.waits for s in parts) else LOADS_IN_FLIGHT,
    )


def _staged_work(kernel: KernelLoad, load: StatementLoad, stage: Stage) -> KernelWork:
    """A contraction's kernel: operands go through shared memory, results stay put."""
    n_blocks = max(1, round(kernel.n_blocks))
    size = load.element.n_bytes
    results = prod(stage.per_thread)
    words = max(1, size // 4)
    n_warps = -(-kernel.n_threads // WARP)
    per_term = sum(max(1.0, n * size / LANE_BYTES_PER_CYCLE) for n in stage.per_thread)
    copied = stage.n_tiles * stage.tile_bytes
    stored = float(results * kernel.n_threads * size)
    loaded = copied + stored * stage.reads_results
    instructions = sum(max(1.0, n * size / VECTOR_BYTES) for n in stage.per_thread)
    terms = stage.n_tiles * stage.n_inner * n_warps
    return KernelWork(
        n_blocks=n_blocks,
        threads_per_block=kernel.n_threads,
        registers_per_thread=staged_registers(stage, kernel.n_threads, words),
        shared_bytes_per_block=round(
            stage.n_buffers * (stage.tile_bytes + stage.padding_bytes)
        ),
        operations=_operations((load,), n_blocks),
        load_bytes=loaded,
        store_bytes=stored,
        load_sectors=loaded / SECTOR_BYTES,
        store_sectors=stored / SECTOR_BYTES,
        memory_bytes=load.memory_bytes,
        shared_wavefronts=terms * per_term + copied / SHARED_BYTES_PER_CYCLE,
        memory_instructions=terms * instructions + copied / size / WARP,
        loop=LoadLoop(
            n_steps=max(1, round(stage.n_tiles)),
            n_stages=stage.n_buffers,
            n_inner_steps=stage.n_inner,
            n_inner_stages=max(2, READ_AHEAD // results),
            barriers_per_step=2 if stage.n_buffers == 1 else 1,
        ),
        n_independent=float(results),
    )


def _tensor_work(kernel: KernelLoad, load: StatementLoad, stage: Stage) -> KernelWork:
    """A product whose warps multiply in tensor cores: rows and columns of a warp."""
    n_blocks = max(1, round(kernel.n_blocks))
    size = load.element.n_bytes
    words = max(1, size // WORD_BYTES)
    n_warps = kernel.n_threads // WARP
    results = prod(stage.per_thread)
    sides = sum(stage.per_thread[-2:])
    copied = stage.n_tiles * stage.tile_bytes
    stored = float(results * n_warps * size)
    loads = stage.n_tiles * stage.n_inner * n_warps * sides / WARP
    products = load.n_instances / n_blocks
    is_half = stage.factor_bytes == HALF_BYTES
    is_float = size == FLOAT_BYTES and not is_half
    registers = words * (results + TENSOR_TERMS * sides) / WARP + TENSOR_REGISTERS
    per_instruction = TENSOR_PRODUCTS * (2 if is_half else 1)
    terms = TENSOR_TERMS * (2 if is_half else 1)
    return KernelWork(
        n_blocks=n_blocks,
        threads_per_block=kernel.n_threads,
        registers_per_thread=_whole(MORE_REGISTERS * registers),
        shared_bytes_per_block=round(
            stage.n_buffers * (stage.tile_bytes + stage.padding_bytes)
        ),
        operations=Operations(
            tensor_tf32=products if is_float else 0.0,
            tensor_fp64=products if size > FLOAT_BYTES else 0.0,
            tensor_fp16=products if is_half else 0.0,
        ),
        load_bytes=copied + stored,
        store_bytes=stored,
        load_sectors=(copied + stored) / SECTOR_BYTES,
        store_sectors=stored / SECTOR_BYTES,
        memory_bytes=load.memory_bytes,
        shared_wavefronts=loads * (0.5 if is_half else words)
        + copied / SHARED_BYTES_PER_CYCLE,
        # floats are rounded as they are loaded, halves come in squares
        memory_instructions=loads * (1 / 8 if is_half else 2 if is_float else 1)
        + products / per_instruction
        + copied / VECTOR_BYTES / WARP,
        loop=LoadLoop(
            n_steps=max(1, round(stage.n_tiles)),
            n_stages=stage.n_buffers,
            n_inner_steps=max(1, stage.n_inner // terms),
            n_inner_stages=2,
            barriers_per_step=2 if stage.n_buffers == 1 else 1,
        ),
        n_independent=float(results * terms / per_instruction),
    )


def staged_registers(stage: Stage, n_threads: int, words: int) -> int:
    """Registers of a thread of a contraction's kernel, as nvcc hands them out.

    It needs room for results, two sets of operands and addresses. Generated code asks
    for as many blocks on an SM as fit then (``__launch_bounds__``), and the compiler
    takes somewhat more than needed if that leaves it some.

    Parameters
    ----------
    stage : Stage
        How the kernel shares results and operands out.
    n_threads : int
        Of a block.
    words : int
        Of 32 bits, of an element.

    Examples
    --------
    >>> staged_registers(Stage(3, 64, 16, 1e4, (8, 8)), n_threads=256, words=1)
    128
    >>> staged_registers(Stage(3, 64, 16, 1e4, (8, 8)), n_threads=128, words=2)
    240
    """
    operands = sum(n for n in stage.per_thread if n > 1) * max(1, stage.n_operands / 2)
    need = ADDRESS_REGISTERS + words * (prod(stage.per_thread) + 2 * operands)
    if need > MAX_REGISTERS:
        return round(need)
    need += LOOP_REGISTERS * max(0, stage.n_loops - 3)
    need += 0 if stage.has_known_pitches else PITCH_REGISTERS
    resident = REGISTERS // (n_threads * _whole(need))
    left = REGISTERS // (n_threads * max(1, min(MAX_RESIDENT, resident)))
    return min(MAX_REGISTERS, left, _whole(MORE_REGISTERS * need))


def _whole(n_registers: float) -> int:
    """Registers as they are allotted, eight at a time."""
    return ceil(n_registers / 8) * 8


def _operations(parts: Sequence[StatementLoad], n_blocks: int) -> Operations:
    """Arithmetic of a block; a multiplication and an addition are one operation."""
    counts = {"fp32": 0.0, "fp64": 0.0, "integer": 0.0}
    for load in parts:
        per_block = load.n_instances / n_blocks
        fused = per_block * max(1.0, load.n_operations / 2)
        kind = "integer"
        if load.element.is_float:
            kind = "fp64" if load.element.n_bytes > FLOAT_BYTES else "fp32"
        counts[kind] += fused
        if load.stage is None:
            counts["integer"] += per_block * OVERHEAD_OPERATIONS / load.run
    return Operations(**counts)
