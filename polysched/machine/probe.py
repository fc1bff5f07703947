"""Finding out what processor this is, from what the system says; runs no kernel."""

from __future__ import annotations

import logging
import os
import platform
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from polysched.machine.cpu import Cpu

log = logging.getLogger(__name__)

ISA_FLAGS = (
    "sse2", "sse4_2", "avx", "fma", "avx2", "avx512f", "avx512dq", "avx512bw",
    "avx512vl", "avx512_vnni", "avx_vnni", "amx_tile", "asimd", "sve", "sve2",
)  # fmt: skip
_SIMD_BITS = (("avx512f", 512), ("avx", 256), ("sse2", 128), ("asimd", 128))
_DEFAULT_FREQUENCY_HZ = 2.5e9
_DEFAULT_L1, _DEFAULT_L2, _DEFAULT_LINE = 32 << 10, 512 << 10, 64
_CORE_BANDWIDTH = 10e9  # bytes per second of one core, a cautious guess
_SOCKET_BANDWIDTH = 80e9  # bytes per second that saturate a usual socket
_FMA_UNITS = 2
_OWN_L3_BYTES = 32 << 20  # of the last cache, a processor's share where others use it


def probe_cpu(root: str | os.PathLike[str] = "/") -> Cpu:
    """Describe the processor that this process may use.

    Parameters
    ----------
    root : path
        Where ``proc`` and ``sys`` are found; tests point it at recorded trees.

    Returns
    -------
    Cpu
        Sizes as the system reports them; ceilings are estimates from clock, vector
        width and core count, to be replaced by a calibration.
    """
    base = Path(root)
    logical = _usable_processors(base)
    info = _read_cpuinfo(base / "proc" / "cpuinfo")
    flags = set(info.get("flags", info.get("Features", "")).split())
    if not flags and platform.system() == "Darwin":
        return _estimate(_probe_darwin())
    caches = _read_caches(base, logical[0] if logical else 0)
    n_cores = _count_cores(base, logical)
    n_threads = max(1, min(len(logical), _quota(base)))
    return _estimate(
        _Found(
            name=info.get("model name", "") or platform.processor() or "unknown",
            n_cores=max(1, min(n_cores, n_threads)),
            n_threads=n_threads,
            caches=caches,
            frequency_hz=_read_frequency(base, info, logical),
            isa=tuple(f for f in ISA_FLAGS if f in flags),
        )
    )


def total_memory_bytes(root: str | os.PathLike[str] = "/") -> int:
    """Main memory that a process here may use: the machine's, or the container's."""
    limits = []
    try:
        limits.append(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    except (OSError, ValueError):
        log.debug("the system does not say how much memory it has")
    text = _read(Path(root) / "sys/fs/cgroup/memory.max")
    if text.isdigit():
        limits.append(int(text))
    return min(limits, default=4 << 30)


@dataclass(frozen=True)
class _Found:
    """What the system said; caches by level ("l1", "l2", "l3", "line")."""

    name: str
    n_cores: int
    n_threads: int
    caches: Mapping[str, int]
    frequency_hz: float | None
    isa: tuple[str, ...]


def _estimate(found: _Found) -> Cpu:
    """Fill in ceilings that nothing was measured for."""
    simd_bits = next((bits for f, bits in _SIMD_BITS if f in found.isa), 64)
    fused = 2 if {"fma", "asimd"} & set(found.isa) else 1
    clock = found.frequency_hz or _DEFAULT_FREQUENCY_HZ
    lanes = simd_bits // 64
    n = found.n_cores
    return Cpu(
        name=" ".join(found.name.split()),
        n_cores=n,
        n_threads=found.n_threads,
        simd_bits=simd_bits,
        l1_bytes=found.caches.get("l1", _DEFAULT_L1),
        l2_bytes=found.caches.get("l2", _DEFAULT_L2),
        l3_bytes=_own_share(found.caches.get("l3", 0), found.n_threads),
        line_bytes=found.caches.get("line", _DEFAULT_LINE),
        frequency_hz=found.frequency_hz,
        flops_per_second=clock * lanes * fused * _FMA_UNITS,
        bandwidth_bytes_per_second=_CORE_BANDWIDTH,
        bandwidth_all_bytes_per_second=max(
            _CORE_BANDWIDTH, min(_SOCKET_BANDWIDTH, n * _CORE_BANDWIDTH)
        ),
        barrier_seconds=2e-6 + 0.5e-6 * n.bit_length(),
        isa=found.isa,
    )


def _own_share(l3_bytes: int, n_threads: int) -> int:
    """What a process has of the last cache.

    A guest of two processors is told that it has the cache of a whole socket, of which
    it measures the part that its neighbours leave: 64 to 128 MB of 260. No processor
    has more than 32 MB for each of its own threads.
    """
    return min(l3_bytes, n_threads * _OWN_L3_BYTES)


def _read(path: Path) -> str:
    """A small file's text without surrounding space; empty when unreadable."""
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""


def _usable_processors(base: Path) -> list[int]:
    """Numbers of the logical processors that this process may be scheduled on."""
    if base == Path("/") and hasattr(os, "sched_getaffinity"):
        return sorted(os.sched_getaffinity(0))
    online = _read(base / "sys/devices/system/cpu/online")
    if online:
        return _parse_ranges(online)
    return list(range(os.cpu_count() or 1))


def _parse_ranges(text: str) -> list[int]:
    """Numbers of a list such as "0-3,8"."""
    numbers: list[int] = []
    for part in text.split(","):
        first, _, last = part.partition("-")
        if first.strip().isdigit():
            numbers.extend(range(int(first), int(last or first) + 1))
    return numbers


def _count_cores(base: Path, logical: list[int]) -> int:
    """Physical cores behind the logical processors."""
    siblings = set()
    for cpu in logical:
        topology = base / f"sys/devices/system/cpu/cpu{cpu}/topology"
        siblings.add(_read(topology / "thread_siblings_list") or str(cpu))
    return max(1, len(siblings))


def _quota(base: Path) -> int:
    """Processors that a container's time quota amounts to, rounded up."""
    quota, _, period = _read(base / "sys/fs/cgroup/cpu.max").partition(" ")
    if quota.isdigit() and period.isdigit() and int(period):
        return max(1, -(-int(quota) // int(period)))
    return 1 << 30


def _read_cpuinfo(path: Path) -> dict[str, str]:
    """Fields of the first processor of a ``cpuinfo`` file."""
    info: dict[str, str] = {}
    for line in _read(path).splitlines():
        name, colon, value = line.partition(":")
        if colon and name.strip() not in info:
            info[name.strip()] = value.strip()
    return info


def _read_caches(base: Path, cpu: int) -> dict[str, int]:
    """Data cache sizes in bytes by level, and the line size."""
    found: dict[str, int] = {}
    for index in sorted(base.glob(f"sys/devices/system/cpu/cpu{cpu}/cache/index*")):
        level, size = _read(index / "level"), _parse_size(_read(index / "size"))
        if _read(index / "type") == "Instruction" or not level or not size:
            continue
        found[f"l{level}"] = size
        line = _read(index / "coherency_line_size")
        if line.isdigit() and int(line):
            found["line"] = int(line)
    return found


def _parse_size(text: str) -> int:
    """Bytes of a size such as "48K"; 0 when it is none."""
    match = re.fullmatch(r"(\d+)([KMG]?)", text)
    if not match:
        return 0
    return int(match[1]) << {"": 0, "K": 10, "M": 20, "G": 30}[match[2]]


def _read_frequency(
    base: Path, info: Mapping[str, str], logical: list[int]
) -> float | None:
    """The clock in Hz: the governor's maximum, the model name's, the current one."""
    cpu = logical[0] if logical else 0
    text = _read(base / f"sys/devices/system/cpu/cpu{cpu}/cpufreq/cpuinfo_max_freq")
    if text.isdigit():
        return float(text) * 1e3
    match = re.search(r"@\s*([\d.]+)\s*GHz", info.get("model name", ""))
    if match:
        return float(match[1]) * 1e9
    current = re.fullmatch(r"[\d.]+", info.get("cpu MHz", ""))
    return float(current[0]) * 1e6 if current else None


def _probe_darwin() -> _Found:
    """The same from ``sysctl`` where there is neither ``/proc`` nor ``/sys``."""

    def ask(name: str) -> str:
        try:
            done = subprocess.run(
                ["sysctl", "-n", name],
                capture_output=True,
                text=True,
                timeout=10,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired):
            return ""
        return done.stdout.strip()

    def number(name: str) -> int:
        text = ask(name)
        return int(text) if text.isdigit() else 0

    sizes = {
        "l1": number("hw.l1dcachesize"),
        "l2": number("hw.l2cachesize"),
        "l3": number("hw.l3cachesize"),
        "line": number("hw.cachelinesize"),
    }
    arm = platform.machine() == "arm64"
    return _Found(
        name=ask("machdep.cpu.brand_string") or "unknown",
        n_cores=number("hw.physicalcpu") or 1,
        n_threads=number("hw.logicalcpu") or 1,
        caches={level: size for level, size in sizes.items() if size},
        frequency_hz=float(number("hw.cpufrequency")) or None,
        isa=("asimd",) if arm else ("sse2", "avx", "fma", "avx2"),
    )
