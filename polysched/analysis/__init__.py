"""analysis: what is true of a SCoP and its schedules. Dependences, legality, features.

Takes SCoPs and trees, gives facts and witnesses. May import `ir`, `sets`,
`machine`, `base`. Counting loads sympy and graphs load networkx, so both are imported
when they are first used: a child process that only builds code needs neither.
"""

import importlib
from typing import TYPE_CHECKING

from polysched.analysis.atomics import (
    AtomicUpdate,
    count_elements,
    find_atomic_updates,
    leave_to_atomics,
    read_atomic,
    updates_alone,
)
from polysched.analysis.carried import (
    active_dependences,
    loop_distances,
    loop_is_parallel,
    member_distances,
)
from polysched.analysis.certain import certain_arrays
from polysched.analysis.coalesce import coalesce_scalars
from polysched.analysis.commute import order_updates
from polysched.analysis.declared import declared_elements, size_names, size_text
from polysched.analysis.dependences import (
    Dependence,
    DependenceKind,
    Dependences,
    compute_dependences,
)
from polysched.analysis.difference import compare_trees
from polysched.analysis.distance import (
    DistanceRange,
    dependence_distance,
    own_distance,
    print_distance,
    shared_loops,
)
from polysched.analysis.explain import (
    LoopReport,
    SplitReport,
    affine_texts,
    loop_carriers,
    split_reasons,
    statement_names,
)
from polysched.analysis.explain_lanes import LaneReport, lane_reasons
from polysched.analysis.explain_tiles import TileReport, tile_reasons
from polysched.analysis.feature_table import (
    BETTER,
    DEVICE_FEATURES,
    FEATURES,
    Better,
)
from polysched.analysis.footprint import (
    LARGE_EXTENT,
    box_footprint,
    has_gap,
    iterator_extent,
    known_size,
    member_extent,
    reached_elements,
    run_extent,
    step_bytes,
)
from polysched.analysis.guarded_sums import split_guarded_sums
from polysched.analysis.interleaved import stride_classes
from polysched.analysis.legality import (
    Violation,
    check_legal,
    describe_violation,
    find_violation,
    set_band_flags,
)
from polysched.analysis.liveness import (
    drop_dead_statements,
    exposed_reads,
    infer_liveness,
)
from polysched.analysis.narrow import computed_bytes
from polysched.analysis.operands import (
    find_operands,
    find_overwritten,
    load_relations,
)
from polysched.analysis.outline import outline_tree
from polysched.analysis.overlapped import computed_by_block, find_unstored
from polysched.analysis.places import (
    Member,
    Place,
    derive_places,
    main_places,
    n_equalities,
    statement_members,
    statement_places,
)
from polysched.analysis.prepare import prepare_scop
from polysched.analysis.privatize import MAX_PRIVATE_ELEMENTS, privatize
from polysched.analysis.products import AddedProduct, match_product
from polysched.analysis.program_features import (
    DATA_TURNS,
    call_count,
    division_count,
    expression_operations,
    fused_count,
    is_box,
    is_instruction,
    keeps_low_bits,
    operation_count,
    program_features,
)
from polysched.analysis.prover import Prover
from polysched.analysis.rationals import Vector, rank
from polysched.analysis.reductions import (
    Reduction,
    ReductionOp,
    find_reductions,
    has_terms,
    sum_leaves,
)
from polysched.analysis.reordering import (
    FREEDOMS,
    FloatingPoint,
    allow_reordering,
    find_accumulation,
    find_freedom,
    match_accumulation,
)
from polysched.analysis.sampling import (
    at_likely_sizes,
    estimate_instances,
    estimate_points,
)
from polysched.analysis.schedule_features import schedule_features
from polysched.analysis.schedule_profile import ScheduleProfile, profile_schedule
from polysched.analysis.slanted import box_terms
from polysched.analysis.spans import loop_spans, place_size
from polysched.analysis.statement_nest import KnownStatementNests
from polysched.analysis.strides import (
    Reference,
    StrideClass,
    function_directions,
    member_directions,
    references,
    subscript_moves,
)
from polysched.analysis.substitute import substitute_scalars
from polysched.analysis.sums import (
    choose_copied,
    find_copied_reduction,
    runs_over_terms,
)
from polysched.analysis.sweeps import Offset, Sweep, Sweeps, read_sweeps
from polysched.analysis.versions import copy_versions
from polysched.analysis.walked import walked_subscripts

if TYPE_CHECKING:
    from polysched.analysis.counting import ClosedForm, count_points
    from polysched.analysis.graph import (
        component_levels,
        components,
        dependence_graph,
        order_groups,
        weak_components,
    )
    from polysched.analysis.scop_forms import ClosedForms, closed_forms
    from polysched.analysis.tile_footprint import TileForm, tile_forms

_LATER = {
    "ClosedForm": "counting",
    "ClosedForms": "scop_forms",
    "TileForm": "tile_footprint",
    "closed_forms": "scop_forms",
    "component_levels": "graph",
    "components": "graph",
    "count_points": "counting",
    "dependence_graph": "graph",
    "order_groups": "graph",
    "tile_forms": "tile_footprint",
    "weak_components": "graph",
}

__all__ = [
    "BETTER",
    "DATA_TURNS",
    "DEVICE_FEATURES",
    "FEATURES",
    "FREEDOMS",
    "LARGE_EXTENT",
    "MAX_PRIVATE_ELEMENTS",
    "AddedProduct",
    "AtomicUpdate",
    "Better",
    "ClosedForm",
    "ClosedForms",
    "Dependence",
    "DependenceKind",
    "Dependences",
    "DistanceRange",
    "FloatingPoint",
    "KnownStatementNests",
    "LaneReport",
    "LoopReport",
    "Member",
    "Offset",
    "Place",
    "Prover",
    "Reduction",
    "ReductionOp",
    "Reference",
    "ScheduleProfile",
    "SplitReport",
    "StrideClass",
    "Sweep",
    "Sweeps",
    "TileForm",
    "TileReport",
    "Vector",
    "Violation",
    "active_dependences",
    "affine_texts",
    "allow_reordering",
    "at_likely_sizes",
    "box_footprint",
    "box_terms",
    "call_count",
    "certain_arrays",
    "check_legal",
    "choose_copied",
    "closed_forms",
    "coalesce_scalars",
    "compare_trees",
    "component_levels",
    "components",
    "compute_dependences",
    "computed_by_block",
    "computed_bytes",
    "copy_versions",
    "count_elements",
    "count_points",
    "declared_elements",
    "dependence_distance",
    "dependence_graph",
    "derive_places",
    "describe_violation",
    "division_count",
    "drop_dead_statements",
    "estimate_instances",
    "estimate_points",
    "exposed_reads",
    "expression_operations",
    "find_accumulation",
    "find_atomic_updates",
    "find_copied_reduction",
    "find_freedom",
    "find_operands",
    "find_overwritten",
    "find_reductions",
    "find_unstored",
    "find_violation",
    "function_directions",
    "fused_count",
    "has_gap",
    "has_terms",
    "infer_liveness",
    "is_box",
    "is_instruction",
    "iterator_extent",
    "keeps_low_bits",
    "known_size",
    "lane_reasons",
    "leave_to_atomics",
    "load_relations",
    "loop_carriers",
    "loop_distances",
    "loop_is_parallel",
    "loop_spans",
    "main_places",
    "match_accumulation",
    "match_product",
    "member_directions",
    "member_distances",
    "member_extent",
    "n_equalities",
    "operation_count",
    "order_groups",
    "order_updates",
    "outline_tree",
    "own_distance",
    "place_size",
    "prepare_scop",
    "print_distance",
    "privatize",
    "profile_schedule",
    "program_features",
    "rank",
    "reached_elements",
    "read_atomic",
    "read_sweeps",
    "references",
    "run_extent",
    "runs_over_terms",
    "schedule_features",
    "set_band_flags",
    "shared_loops",
    "size_names",
    "size_text",
    "split_guarded_sums",
    "split_reasons",
    "statement_members",
    "statement_names",
    "statement_places",
    "step_bytes",
    "stride_classes",
    "subscript_moves",
    "substitute_scalars",
    "sum_leaves",
    "tile_forms",
    "tile_reasons",
    "updates_alone",
    "walked_subscripts",
    "weak_components",
]


def __getattr__(name: str) -> object:
    """Import a name whose module loads a large library, once."""
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module = importlib.import_module(f"{__name__}.{_LATER[name]}")
    found: object = getattr(module, name)
    globals()[name] = found
    return found
