"""analysis: what is true of a SCoP and its schedules. Dependences, legality, features.

Takes SCoPs and trees, gives facts and witnesses. May import `ir`, `sets`, `base`.
"""

from polysched.analysis.dependences import (
    Dependence,
    DependenceKind,
    Dependences,
    compute_dependences,
)
from polysched.analysis.graph import components, dependence_graph
from polysched.analysis.legality import (
    Violation,
    active_dependences,
    check_legal,
    find_violation,
    loop_is_parallel,
    member_distances,
    set_band_flags,
)

__all__ = [
    "Dependence",
    "DependenceKind",
    "Dependences",
    "Violation",
    "active_dependences",
    "check_legal",
    "components",
    "compute_dependences",
    "dependence_graph",
    "find_violation",
    "loop_is_parallel",
    "member_distances",
    "set_band_flags",
]
