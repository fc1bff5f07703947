"""base: errors, progress, deadlines. Knows no polyhedron and imports no other room."""

from polysched.base.baton import Baton, lend_baton
from polysched.base.deadline import Deadline
from polysched.base.errors import (
    AnalysisError,
    CodegenError,
    ConflictError,
    EmptySpaceError,
    FrontendError,
    IllegalScheduleError,
    InfeasibleError,
    LimitError,
    MismatchError,
    NotAffineError,
    PinError,
    PolyschedError,
    RunError,
    SourceLocation,
    ToolchainError,
    UnsupportedSyntaxError,
)
from polysched.base.progress import Progress, SilentProgress
from polysched.base.store import data_directory

__all__ = [
    "AnalysisError",
    "Baton",
    "CodegenError",
    "ConflictError",
    "Deadline",
    "EmptySpaceError",
    "FrontendError",
    "IllegalScheduleError",
    "InfeasibleError",
    "LimitError",
    "MismatchError",
    "NotAffineError",
    "PinError",
    "PolyschedError",
    "Progress",
    "RunError",
    "SilentProgress",
    "SourceLocation",
    "ToolchainError",
    "UnsupportedSyntaxError",
    "data_directory",
    "lend_baton",
]
