"""interp: the oracle. Runs any SCoP under any schedule, slowly and surely.

Takes a `Scop`, a `ScheduleTree` (or none for the original order), parameter values and
arrays; gives the arrays after the run. Needs no compiler and shares nothing with the
code generator. May import `ir`, `sets` and `base`.
"""

from polysched.interp.body import evaluate_expression
from polysched.interp.inputs import random_inputs
from polysched.interp.memory import infer_shapes, numpy_dtype
from polysched.interp.order import Execution, order_instances
from polysched.interp.run import Arrays, interpret

__all__ = [
    "Arrays",
    "Execution",
    "evaluate_expression",
    "infer_shapes",
    "interpret",
    "numpy_dtype",
    "order_instances",
    "random_inputs",
]
