"""analysis: what is true of a SCoP and its schedules. Dependences, legality, features.

Takes SCoPs and trees, gives facts and witnesses. May import `ir`, `sets`,
`machine`, `base`.
"""

from polysched.analysis.dependences import (
    Dependence,
    DependenceKind,
    Dependences,
    compute_dependences,
)
from polysched.analysis.distance import (
    DistanceRange,
    dependence_distance,
    print_distance,
    shared_loops,
)
from polysched.analysis.explain import (
    LoopReport,
    SplitReport,
    loop_carriers,
    split_reasons,
)
from polysched.analysis.footprint import (
    LARGE_EXTENT,
    box_footprint,
    iterator_extent,
    member_extent,
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
from polysched.analysis.outline import outline_tree
from polysched.analysis.privatize import (
    MAX_PRIVATE_ELEMENTS,
    infer_liveness,
    privatize,
)
from polysched.analysis.program_features import operation_count, program_features
from polysched.analysis.reductions import Reduction, ReductionOp, find_reductions
from polysched.analysis.schedule_features import FEATURES, schedule_features
from polysched.analysis.strides import (
    Member,
    Reference,
    Vector,
    member_directions,
    references,
    statement_members,
)

__all__ = [
    "FEATURES",
    "LARGE_EXTENT",
    "MAX_PRIVATE_ELEMENTS",
    "Dependence",
    "DependenceKind",
    "Dependences",
    "DistanceRange",
    "LoopReport",
    "Member",
    "Reduction",
    "ReductionOp",
    "Reference",
    "SplitReport",
    "Vector",
    "Violation",
    "active_dependences",
    "box_footprint",
    "check_legal",
    "components",
    "compute_dependences",
    "dependence_distance",
    "dependence_graph",
    "find_reductions",
    "find_violation",
    "infer_liveness",
    "iterator_extent",
    "loop_carriers",
    "loop_is_parallel",
    "member_directions",
    "member_distances",
    "member_extent",
    "operation_count",
    "outline_tree",
    "print_distance",
    "privatize",
    "program_features",
    "references",
    "schedule_features",
    "set_band_flags",
    "shared_loops",
    "split_reasons",
    "statement_members",
]
