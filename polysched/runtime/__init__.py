"""runtime: the user's program as the harness. Compile, run, time, compare, calibrate.

Takes a Program, a SCoP and texts for its region; gives executions and comparisons.
Every run is a child process with limits. May import `codegen`, `analysis`, `ir`,
`records`, `machine`, `sets`, `base`.
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
from polysched.runtime.driver import print_driver
from polysched.runtime.dump import Dump, Segment, read_dump
from polysched.runtime.dump_code import DumpCode, dumped_arrays, print_dump
from polysched.runtime.instrument import instrument, original_text
from polysched.runtime.rounding import rounding_bounds
from polysched.runtime.toolchain import (
    Toolchain,
    compile_program,
    preprocess,
    run_tool,
)
from polysched.runtime.workbench import (
    ChildError,
    Execution,
    RunOptions,
    Workbench,
    child_environment,
    classify,
)

__all__ = [
    "ChildError",
    "Comparison",
    "Dump",
    "DumpCode",
    "Execution",
    "Mask",
    "RunOptions",
    "RunResult",
    "Segment",
    "Toolchain",
    "Workbench",
    "calibrate",
    "child_environment",
    "classify",
    "compare_dumps",
    "compare_output",
    "compile_program",
    "differing_values",
    "dumped_arrays",
    "instrument",
    "original_text",
    "preprocess",
    "print_driver",
    "print_dump",
    "read_dump",
    "rounding_bounds",
    "run_child",
    "run_tool",
]
