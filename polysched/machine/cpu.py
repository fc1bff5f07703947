"""A processor as a value: sizes that tiles must fit, ceilings that predict seconds."""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass
from functools import cached_property


@dataclass(frozen=True)
class Cpu:
    """One multi-core processor, as far as a schedule can notice it.

    Attributes
    ----------
    name : str
        Model name, for people.
    n_cores : int
        Physical cores that this process may use.
    n_threads : int
        Logical processors that this process may use; at least `n_cores`.
    simd_bits : int
        Width of the widest vector register.
    l1_bytes, l2_bytes : int
        Data cache of one core.
    l3_bytes : int
        Last-level cache, shared by the cores; 0 when there is none.
    line_bytes : int
        Cache line.
    frequency_hz : float or None
        Clock, None when unknown.
    flops_per_second : float
        Ceiling of one thread in double precision; float runs at twice the rate.
    bandwidth_bytes_per_second : float
        Memory traffic that one thread can cause.
    bandwidth_all_bytes_per_second : float
        Memory traffic that all cores together can cause.
    barrier_seconds : float
        One OpenMP parallel loop without work, all cores.
    isa : tuple of str
        Instruction sets that matter for code: "fma", "avx2", "avx512f", "neon", ...
    """

    name: str
    n_cores: int
    n_threads: int
    simd_bits: int
    l1_bytes: int
    l2_bytes: int
    l3_bytes: int
    line_bytes: int
    frequency_hz: float | None
    flops_per_second: float
    bandwidth_bytes_per_second: float
    bandwidth_all_bytes_per_second: float
    barrier_seconds: float
    isa: tuple[str, ...] = ()

    @cached_property
    def key(self) -> str:
        """Ten hexadecimal digits over what was detected; calibration keeps it."""
        parts = (
            self.name,
            self.n_cores,
            self.n_threads,
            self.simd_bits,
            self.l1_bytes,
            self.l2_bytes,
            self.l3_bytes,
            self.line_bytes,
            ",".join(self.isa),
        )
        return hashlib.sha256(repr(parts).encode()).hexdigest()[:10]

    def vector_elements(self, element_bytes: int) -> int:
        """Elements per vector register, at least one."""
        return max(1, self.simd_bits // (8 * element_bytes))

    def to_json(self) -> dict[str, object]:
        """All fields, and the key."""
        return {**asdict(self), "isa": list(self.isa), "key": self.key}
