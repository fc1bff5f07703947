"""runtime: the user's program as the harness. Compile, run, time, compare, calibrate.

Takes a Program, a SCoP and texts for its region; gives executions and comparisons.
Every run is a child process with limits; CUDA text can run on the CPU (`shim`). May
import `codegen`, `analysis`, `ir`, `records`, `machine`, `sets`, `base`.
"""

from polysched.runtime.calibrate import calibrate
from polysched.runtime.child import RunResult, run_child
from polysched.runtime.compare import (
    Comparison,
    Mask,
    compare_dumps,
    compare_output,
    differing_values,
)
from polysched.runtime.device import DeviceTools, Timed
from polysched.runtime.driver import print_driver
from polysched.runtime.dump import Dump, Segment, read_dump
from polysched.runtime.dump_code import DumpCode, dumped_arrays, print_dump
from polysched.runtime.execution import (
    ChildError,
    Execution,
    RunOptions,
    child_environment,
    classify,
)
from polysched.runtime.instrument import instrument, original_text
from polysched.runtime.load import LOADED_CORES, LoadMeter, load_average
from polysched.runtime.nvcc import DeviceCode, Nvcc
from polysched.runtime.ptxas import KernelResources, read_resources
from polysched.runtime.rounding import rounding_bounds
from polysched.runtime.shim import (
    SHIM_DIRECTORY,
    SHIM_EXIT_STATUS,
    ShimFinding,
    compile_kernels,
    compile_shim,
    link_shim_program,
    read_report,
    shim_environment,
)
from polysched.runtime.toolchain import (
    Toolchain,
    compile_program,
    preprocess,
    run_tool,
)
from polysched.runtime.workbench import Workbench

__all__ = [
    "LOADED_CORES",
    "SHIM_DIRECTORY",
    "SHIM_EXIT_STATUS",
    "ChildError",
    "Comparison",
    "DeviceCode",
    "DeviceTools",
    "Dump",
    "DumpCode",
    "Execution",
    "KernelResources",
    "LoadMeter",
    "Mask",
    "Nvcc",
    "RunOptions",
    "RunResult",
    "Segment",
    "ShimFinding",
    "Timed",
    "Toolchain",
    "Workbench",
    "calibrate",
    "child_environment",
    "classify",
    "compare_dumps",
    "compare_output",
    "compile_kernels",
    "compile_program",
    "compile_shim",
    "differing_values",
    "dumped_arrays",
    "instrument",
    "link_shim_program",
    "load_average",
    "original_text",
    "preprocess",
    "print_driver",
    "print_dump",
    "read_dump",
    "read_report",
    "read_resources",
    "rounding_bounds",
    "run_child",
    "run_tool",
    "shim_environment",
]
