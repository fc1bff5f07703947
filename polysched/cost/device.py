"""Predicted seconds of a tree on a graphics processor: kernels, launches, copies."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache, reduce
from math import ceil, prod

from polysched.analysis import LARGE_EXTENT, Dependences
from polysched.cost.kernels import WARP, KernelLoad, StatementLoad, read_kernels
from polysched.ir import Const, ScheduleTree, Scop
from polysched.machine import Gpu

DOUBLE_BYTES = 8
L1_BYTES_PER_CYCLE = 128  # of one SM
OVERHEAD_INSTRUCTIONS = 3.0  # of an instance: subscripts, the loop
STEP_CYCLES = 6.0  # from one operation of a thread to the next that needs it
NEAR_CYCLES = 12.0  # a load that waits beside others for a line that is there
LOADS_IN_FLIGHT = 4.0  # of one thread, in a loop that the compiler unrolls


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
    deps: Dependences | None,
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
    deps : Dependences, optional
        Of the SCoP.
    gpu : Gpu
        What the kernels run on.
    parameters : mapping of str to int, optional
        Values of parameters; trip counts that stay unknown are assumed to be 1000.

    Returns
    -------
    DevicePrediction or None
        None where the tree holds no kernel.
    """
    if parameters:
        known = {p.name for p in scop.parameters}
        values = {k: v for k, v in parameters.items() if k in known}
        scop = scop.with_parameters_fixed(values) if values else scop
    kernels = read_kernels(tree, scop, deps)
    if not kernels:
        return None
    launches = sum(k.n_launches for k in kernels) * gpu.launch_seconds
    running = sum(k.n_launches * _seconds(k, gpu) for k in kernels)
    copies = _copied_bytes(scop) / gpu.pcie_bytes_per_second
    return DevicePrediction(launches + running, launches, copies)


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


def _seconds(kernel: KernelLoad, gpu: Gpu) -> float:
    """Of one launch, without starting it: the longest of what may run side by side."""
    threads = max(WARP, kernel.n_threads)
    resident = min(gpu.max_threads_per_sm // threads, gpu.max_blocks_per_sm)
    resident = max(1, resident)
    n_sms = min(float(gpu.n_sms), kernel.n_blocks)
    waves = ceil(kernel.n_blocks / (gpu.n_sms * resident))
    cycle = 1.0 / gpu.clock_hz
    parts = kernel.statements
    arithmetic = sum(_arithmetic_cycles(s, gpu) for s in parts) / n_sms * cycle
    sectors = sum(s.sector_bytes for s in parts)
    near = sectors / (L1_BYTES_PER_CYCLE * n_sms) * cycle
    l2_bytes = sum(min(s.sector_bytes, s.block_bytes) for s in parts)
    shared = l2_bytes / gpu.l2_bytes_per_second
    memory = sum(min(s.sector_bytes, s.launch_bytes) for s in parts)
    far = memory / gpu.memory_bytes_per_second
    waiting = waves * _chain_cycles(kernel, gpu) * cycle
    return max(arithmetic, near, shared, far, waiting)


def _arithmetic_cycles(load: StatementLoad, gpu: Gpu) -> float:
    """Cycles of one SM that runs all instances, as if it had all lanes in use."""
    is_double = load.element_bytes >= DOUBLE_BYTES
    rate = gpu.fma_fp64_per_cycle if is_double else gpu.fma_fp32_per_cycle
    issued = load.n_operations + load.n_references + OVERHEAD_INSTRUCTIONS
    issue = issued / (gpu.schedulers_per_sm * WARP)
    return load.n_instances * max(load.n_operations / rate, issue)


def _chain_cycles(kernel: KernelLoad, gpu: Gpu) -> float:
    """Cycles from a thread's first instance to its last."""
    shared = kernel.n_blocks * kernel.n_threads
    total = 0.0
    for load in kernel.statements:
        steps = max(1.0, load.n_instances / shared)
        far = load.n_far * gpu.memory_latency_cycles / LOADS_IN_FLIGHT
        step = load.n_operations * STEP_CYCLES + load.n_near * NEAR_CYCLES + far
        total += gpu.memory_latency_cycles + steps * step
    return total
