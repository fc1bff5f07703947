"""codegen.cuda: schedule trees as CUDA, one file of kernels and host code.

Takes a SCoP and a tree whose marks say what a kernel, a block and a thread runs, gives
the text of a device file and of the call that replaces the region.
"""

from polysched.codegen.cuda.files import is_device_code, join_device
from polysched.codegen.cuda.mapping import KernelMap, find_kernels
from polysched.codegen.cuda.measure import measure_cuda
from polysched.codegen.cuda.printer import CudaText, print_cuda

__all__ = [
    "CudaText",
    "KernelMap",
    "find_kernels",
    "is_device_code",
    "join_device",
    "measure_cuda",
    "print_cuda",
]
