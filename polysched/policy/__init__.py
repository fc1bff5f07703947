"""policy: what to ask of the scheduler. SCoP and dependences in, recipes out.

High-level, synthetic, dedicated and database policies of Chelini et al., PACT 2020,
section 4. May import `schedule`, `transform` and what is below them.
"""

from polysched.policy.database import (
    MACHINE_CLASSES,
    MEASURES,
    SETS,
    Answer,
    NanoDatabase,
    NanoEntry,
    cost_of,
    entry_from_json,
    entry_json,
    iter_rows,
    machine_class,
    objective_lists,
)
from polysched.policy.dedicated import Node, classify_nodes, table_objectives
from polysched.policy.find import POLICIES, find_policy
from polysched.policy.nano import NanoKernel, nano_kernels
from polysched.policy.policy import Chooser, Planner, Policy, combine_policies
from polysched.policy.random import random_policy
from polysched.policy.ranking import (
    DependenceKey,
    RankedDependence,
    par_priority,
    rank_dependences,
)
from polysched.policy.recipes import has_carried_cycle, waits_in_several_loops
from polysched.policy.selection import (
    PARTITION_ORDER,
    Choice,
    Selected,
    database_recipes,
    select_objectives,
    select_parts,
)
from polysched.policy.shapes import shape_for

__all__ = [
    "MACHINE_CLASSES",
    "MEASURES",
    "PARTITION_ORDER",
    "POLICIES",
    "SETS",
    "Answer",
    "Choice",
    "Chooser",
    "DependenceKey",
    "NanoDatabase",
    "NanoEntry",
    "NanoKernel",
    "Node",
    "Planner",
    "Policy",
    "RankedDependence",
    "Selected",
    "classify_nodes",
    "combine_policies",
    "cost_of",
    "database_recipes",
    "entry_from_json",
    "entry_json",
    "find_policy",
    "has_carried_cycle",
    "iter_rows",
    "machine_class",
    "nano_kernels",
    "objective_lists",
    "par_priority",
    "random_policy",
    "rank_dependences",
    "select_objectives",
    "select_parts",
    "shape_for",
    "table_objectives",
    "waits_in_several_loops",
]
