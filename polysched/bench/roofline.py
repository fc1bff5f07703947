"""What a machine allows: operations over its FLOP/s, bytes over its bandwidth."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import islpy as isl

from polysched.analysis import count_points, exposed_reads, operation_count
from polysched.base import AnalysisError
from polysched.bench.instructions import half_instructions
from polysched.ir import Scop
from polysched.machine import Cpu, Machine
from polysched.sets import list_sets

_DOUBLE_BYTES = 8
_FUSED = {"fma", "asimd"}  # instruction sets that multiply and add in one


@dataclass(frozen=True)
class Work:
    """What a region must do at given sizes.

    Attributes
    ----------
    operations : int
        Arithmetic operations as they are written, the dearer branch of conditions.
    traffic_bytes : int
        Each element that is read and comes from outside, and each that is written and
        may be read later, moved once.
    element_bytes : int
        Size of the smallest type that is written: vectors hold more of a smaller one.
    half_instructions : int
        Twice the instructions where the processor multiplies and adds in one; as many
        as operations if it can do all of them in pairs.
    """

    operations: int
    traffic_bytes: int
    element_bytes: int
    half_instructions: int

    def to_json(self) -> dict[str, int]:
        """The four numbers."""
        return {
            "operations": self.operations,
            "traffic_bytes": self.traffic_bytes,
            "element_bytes": self.element_bytes,
            "half_instructions": self.half_instructions,
        }


@dataclass(frozen=True)
class Bound:
    """The least time by the roofline model [1]_.

    Attributes
    ----------
    work : Work
        What is done.
    compute_seconds, memory_seconds : float
        At the ceilings of arithmetic and of memory.
    fits_cache : bool
        Whether all data fit the caches. Where the bandwidth of these was not measured,
        the bound of memory holds only for a program that finds them cold.

    References
    ----------
    .. [1] Williams, Waterman, Patterson, "Roofline: an insightful visual performance
       model for multicore architectures", CACM 2009.
    """

    work: Work
    compute_seconds: float
    memory_seconds: float
    fits_cache: bool

    @property
    def seconds(self) -> float:
        """The larger of the two."""
        return max(self.compute_seconds, self.memory_seconds)

    @property
    def limited_by(self) -> str:
        """Which of the two: "compute" or "memory"."""
        is_compute = self.compute_seconds >= self.memory_seconds
        return "compute" if is_compute else "memory"

    def to_json(self) -> dict[str, object]:
        """Work, seconds and what limits."""
        return {
            **self.work.to_json(),
            "compute_seconds": self.compute_seconds,
            "memory_seconds": self.memory_seconds,
            "seconds": self.seconds,
            "limited_by": self.limited_by,
            "fits_cache": self.fits_cache,
        }


def count_work(scop: Scop, parameters: Mapping[str, int]) -> Work | None:
    """Operations and least traffic of one call of a region.

    Parameters
    ----------
    scop : Scop
        With liveness inferred.
    parameters : mapping of str to int
        Sizes of the run.

    Returns
    -------
    Work or None
        None where something cannot be counted, or a parameter is missing.
    """
    moved = [(s, scop.array(s.get_tuple_name()).type.n_bytes) for s in _moved(scop)]
    written = {a.array for _, a in scop.iter_accesses() if a.is_write}
    done = [(s.domain, sum(map(operation_count, s.body))) for s in scop.statements]
    halves = [(s.domain, half_instructions(s, written)) for s in scop.statements]
    try:
        operations = _count(scop, done, parameters)
        instructions = _count(scop, halves, parameters)
        traffic = count_points(moved, scop.context).evaluate(parameters)
    except AnalysisError:
        return None
    sizes = [scop.array(name).type.n_bytes for name in written]
    return Work(operations, traffic, min(sizes, default=_DOUBLE_BYTES), instructions)


def _count(
    scop: Scop, found: list[tuple[isl.Set, int]], parameters: Mapping[str, int]
) -> int:
    """What the instances of all statements have together."""
    some = [(domain, n) for domain, n in found if n]
    return count_points(some, scop.context).evaluate(parameters)


def bound_of(work: Work, machine: Machine, threads: int) -> Bound:
    """The bound for a number of threads.

    A thread's ceiling of arithmetic is that of double precision, times the number of
    smaller elements in the place of a double. Where the processor multiplies and adds
    in one instruction, only these reach the ceiling: an operation on its own takes the
    place of two. Bandwidth grows with the threads up to that of all cores; it is that
    of the nearest cache which holds everything, as far as it was measured.
    """
    cpu = machine.cpu
    cores = max(1, min(threads, cpu.n_cores))
    lanes = max(1.0, _DOUBLE_BYTES / work.element_bytes)
    flops = cpu.flops_per_second * cores * lanes
    has_fused = bool(_FUSED & set(cpu.isa))
    done = work.half_instructions if has_fused else work.operations
    return Bound(
        work,
        done / flops,
        work.traffic_bytes / _bandwidth(work.traffic_bytes, cpu, cores),
        work.traffic_bytes <= _cache_bytes(cpu, cores),
    )


def _cache_bytes(cpu: Cpu, cores: int) -> int:
    return cpu.l3_bytes + cores * cpu.l2_bytes


def _bandwidth(n_bytes: int, cpu: Cpu, cores: int) -> float:
    """Bytes per second of reads from where so many may lie."""
    everyone = max(cpu.bandwidth_bytes_per_second, cpu.bandwidth_all_bytes_per_second)
    found = [min(everyone, cores * cpu.bandwidth_bytes_per_second)]
    for rate in cpu.cache_rates:
        near = cores * cpu.l2_bytes if rate.level == 2 else _cache_bytes(cpu, cores)
        if n_bytes <= near:
            read = cores * rate.read_bytes_per_second
            found.append(min(rate.read_all_bytes_per_second, read))
    return max(found)


def _moved(scop: Scop) -> list[isl.Set]:
    """Elements whose values come from outside, then those that are left behind."""
    arrays = [a for a in scop.arrays if not a.is_scalar]
    images = (
        (exposed_reads(scop), {a.name for a in arrays if a.live_in}),
        (scop.may_writes, {a.name for a in arrays if a.live_out}),
    )
    return [
        elements
        for relation, names in images
        for elements in list_sets(relation.intersect_params(scop.context).range())
        if elements.get_tuple_name() in names
    ]
