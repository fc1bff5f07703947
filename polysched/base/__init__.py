"""base: errors, progress, deadlines, quantities. Knows no polyhedron and no room."""

from polysched.base.baton import Baton, lend_baton
from polysched.base.colour_scheme import PAPER, scheme_style
from polysched.base.deadline import NO_TIME_LEFT, Deadline
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
    UnavailableError,
    UnsupportedSyntaxError,
)
from polysched.base.progress import Progress, SilentProgress
from polysched.base.quantities import (
    print_bytes,
    print_large,
    print_number,
    print_seconds,
)
from polysched.base.shown import PRESENTER, Shown, find_presenter
from polysched.base.stopping import check_time, seconds_left, stopped_at
from polysched.base.store import data_directory
from polysched.base.whole_files import is_special, write_whole

__all__ = [
    "NO_TIME_LEFT",
    "PAPER",
    "PRESENTER",
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
    "Shown",
    "SilentProgress",
    "SourceLocation",
    "ToolchainError",
    "UnavailableError",
    "UnsupportedSyntaxError",
    "check_time",
    "data_directory",
    "find_presenter",
    "is_special",
    "lend_baton",
    "print_bytes",
    "print_large",
    "print_number",
    "print_seconds",
    "scheme_style",
    "seconds_left",
    "stopped_at",
    "write_whole",
]
