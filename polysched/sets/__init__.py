"""sets: named, typed face of isl. Other rooms reach dimensions by name through it.

Takes isl objects and texts, gives the same. May import `base`. Built on Verdoolaege,
"isl: An Integer Set Library for the Polyhedral Model", ICMS 2010. Points load numpy, so
they are imported when they are first used.
"""

import importlib
from typing import TYPE_CHECKING

from polysched.sets.ast import (
    ast_expr_kind,
    ast_node_kind,
    ast_operation,
    ast_options,
    build_ast,
    operation_limit,
)
from polysched.sets.ast_order import read_ast_order
from polysched.sets.cone import LIFTED_PREFIX, ConeRow, dependence_cone, lift_constants
from polysched.sets.unions import (
    component_functions,
    dim_names,
    has_quotients,
    is_isolated,
    isolates,
    list_basic_maps,
    list_basic_sets,
    list_maps,
    list_sets,
    map_names,
    merge_parts,
    n_dims,
    node_kind,
    only_value,
    param_names,
    plain_bounds,
    read_map,
    read_set,
    union_of_maps,
    union_of_sets,
    value_range,
)
from polysched.sets.witness import describe_pair

if TYPE_CHECKING:
    from polysched.sets.points import (
        Points,
        contains_points,
        fix_parameters,
        list_points,
        map_points,
    )

_POINTS = ("Points", "contains_points", "fix_parameters", "list_points", "map_points")

__all__ = [
    "LIFTED_PREFIX",
    "ConeRow",
    "Points",
    "ast_expr_kind",
    "ast_node_kind",
    "ast_operation",
    "ast_options",
    "build_ast",
    "component_functions",
    "contains_points",
    "dependence_cone",
    "describe_pair",
    "dim_names",
    "fix_parameters",
    "has_quotients",
    "is_isolated",
    "isolates",
    "lift_constants",
    "list_basic_maps",
    "list_basic_sets",
    "list_maps",
    "list_points",
    "list_sets",
    "map_names",
    "map_points",
    "merge_parts",
    "n_dims",
    "node_kind",
    "only_value",
    "operation_limit",
    "param_names",
    "plain_bounds",
    "read_ast_order",
    "read_map",
    "read_set",
    "union_of_maps",
    "union_of_sets",
    "value_range",
]


def __getattr__(name: str) -> object:
    """Import a name that needs numpy from its module, once."""
    if name not in _POINTS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found: object = getattr(importlib.import_module(f"{__name__}.points"), name)
    globals()[name] = found
    return found
