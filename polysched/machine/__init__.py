"""machine: what the code will run on, as values; probing without running kernels.

Takes nothing, gives `Cpu` and `Machine`. May import `base`.
"""

from polysched.machine.cpu import Cpu
from polysched.machine.machine import Machine, calibration_path
from polysched.machine.probe import probe_cpu, total_memory_bytes

__all__ = ["Cpu", "Machine", "calibration_path", "probe_cpu", "total_memory_bytes"]
