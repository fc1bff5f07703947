"""workflow: the whole way, one short function per use; `Variant`, the user's handle.

Takes paths and options, gives values: nothing here prints. May import every room but
`cli` and `testing`.
"""

from polysched.workflow.checking import CheckedScop, check
from polysched.workflow.explanation import Explanation
from polysched.workflow.header import Header, read_header
from polysched.workflow.nano_build import (
    BuildOptions,
    build_database,
    measure_kernel,
)
from polysched.workflow.source import parse, prepare_scop, select_scops
from polysched.workflow.spaces import ProgramSpace, build_space, load_space
from polysched.workflow.tuning import Tuned, choose_candidates, tune
from polysched.workflow.variant import Variant, optimize
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
    "choose_candidates",
    "load_space",
    "measure_kernel",
    "optimize",
    "parse",
    "prepare_scop",
    "read_header",
    "select_scops",
    "tune",
]
