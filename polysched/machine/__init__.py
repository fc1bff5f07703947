"""machine: what the code will run on, as values; probing without running kernels.

Takes nothing, gives `Cpu`, `Gpu` and `Machine`. May import `base`.
"""

from polysched.machine.cpu import CacheRate, Cpu
from polysched.machine.gpu import Gpu, known_gpus
from polysched.machine.machine import Machine, calibration_path
from polysched.machine.probe import probe_cpu, total_memory_bytes
from polysched.machine.probe_gpu import probe_gpu

__all__ = [
    "CacheRate",
    "Cpu",
    "Gpu",
    "Machine",
    "calibration_path",
    "known_gpus",
    "probe_cpu",
    "probe_gpu",
    "total_memory_bytes",
]
