"""codegen: schedule trees as C text with OpenMP, put back into the user's file.

Takes a SCoP and a schedule tree, gives text; it decides nothing that the tree does not
say, except where private arrays live. May import `ir`, `sets`, `base`. Built on
Grosser, Verdoolaege, Cohen, "Polyhedral AST Generation Is More Than Scanning
Polyhedra", TOPLAS 2015.
"""

from polysched.codegen.ctext import identifiers
from polysched.codegen.expr import print_expr
from polysched.codegen.measuring import (
    CodeMeasurer,
    start_measuring,
    wait_for_size,
)
from polysched.codegen.openmp import CodeSize, measure_code, print_openmp
from polysched.codegen.options import LEAST_SHARED, PrintOptions, Target
from polysched.codegen.products import declare_held, print_parameter
from polysched.codegen.scan import print_scan
from polysched.codegen.splice import splice
from polysched.codegen.statement import print_actions
from polysched.codegen.storage import Buffer, plan_storage

__all__ = [
    "LEAST_SHARED",
    "Buffer",
    "CodeMeasurer",
    "CodeSize",
    "PrintOptions",
    "Target",
    "declare_held",
    "identifiers",
    "measure_code",
    "plan_storage",
    "print_actions",
    "print_expr",
    "print_openmp",
    "print_parameter",
    "print_scan",
    "splice",
    "start_measuring",
    "wait_for_size",
]
