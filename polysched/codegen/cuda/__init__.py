"""codegen.cuda: schedule trees as CUDA, one file of kernels and host code.

Takes a SCoP and a tree whose marks say what a kernel, a block and a thread runs, gives
the text of a device file and of the call that replaces the region.
"""

from polysched.codegen.cuda.printer import CudaText, print_cuda

__all__ = ["CudaText", "print_cuda"]
