"""A processor as a value: sizes that tiles must fit, ceilings that predict seconds."""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass
from functools import cached_property
from math import inf

from polysched.base import PolyschedError


@dataclass(frozen=True)
class CacheRate:
    """Bandwidth of one cache, as measured.

    Attributes
    ----------
    level : int
        2 or 3.
    read_bytes_per_second : float
        What one thread reads of data that this cache holds and none before it.
    update_bytes_per_second : float
        The same where everything is read, changed and stored, each byte counted once.
    read_all_bytes_per_second, update_all_bytes_per_second : float
        What all threads reach together, each on data of its own.
    """

    level: int
    read_bytes_per_second: float
    update_bytes_per_second: float
    read_all_bytes_per_second: float
    update_all_bytes_per_second: float

    def __post_init__(self) -> None:
        """Refuse what cannot be a rate."""
        if self.level not in (2, 3):
            raise PolyschedError(
                f"bandwidth of cache level {self.level!r}, expected level 2 or 3"
            )
        for name, value in asdict(self).items():
            number = isinstance(value, (int, float)) and not isinstance(value, bool)
            if not number or not 0 < value < inf:
                raise PolyschedError(
                    f"bandwidth of cache level {self.level}: {name!r} is {value!r}, "
                    f"expected a number above 0"
                )


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
    cache_rates : tuple of CacheRate
        Bandwidth of the second and third cache, where a calibration has measured it.
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
    cache_rates: tuple[CacheRate, ...] = ()

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

    def cache_rate(self, level: int) -> CacheRate | None:
        """Measured bandwidth of a cache level, None where nobody has measured."""
        return next((rate for rate in self.cache_rates if rate.level == level), None)

    def vector_elements(self, element_bytes: int) -> int:
        """Elements per vector register, at least one."""
        return max(1, self.simd_bits // (8 * element_bytes))

    def to_json(self) -> dict[str, object]:
        """All fields, and the key; measured bandwidth of caches where there is any."""
        rates = [asdict(rate) for rate in self.cache_rates]
        measured = {"cache_rates": rates} if rates else {}
        data = {k: v for k, v in asdict(self).items() if k != "cache_rates"}
        return {**data, "isa": list(self.isa), **measured, "key": self.key}
