"""workflow: the whole way, one short function per use; `Variant`, the user's handle.

Takes paths and options, gives values: nothing here prints. May import every room but
`cli` and `testing`.
"""

from polysched.analysis import prepare_scop
from polysched.workflow.checking import CheckedScop, check
from polysched.workflow.device import (
    check_device_space,
    device_pair,
    find_device_obstacle,
    with_build_line,
)
from polysched.workflow.explanation import Explanation
from polysched.workflow.header import Header, read_header
from polysched.workflow.nano_build import (
    BuildOptions,
    build_database,
    measure_kernel,
)
from polysched.workflow.source import parse, select_scops
from polysched.workflow.spaces import ProgramSpace, build_space, load_space
from polysched.workflow.tuning import Tuned, choose_candidates, tune
from polysched.workflow.variant import Variant, optimize, optimize_device
from polysched.workflow.wanting import Want

__all__ = [
    "BuildOptions",
    "CheckedScop",
    "Explanation",
    "Header",
    "ProgramSpace",
    "Tuned",
    "Variant",
    "Want",
    "build_database",
    "build_space",
    "check",
    "check_device_space",
    "choose_candidates",
    "device_pair",
    "find_device_obstacle",
    "load_space",
    "measure_kernel",
    "optimize",
    "optimize_device",
    "parse",
    "prepare_scop",
    "read_header",
    "select_scops",
    "tune",
    "with_build_line",
]
