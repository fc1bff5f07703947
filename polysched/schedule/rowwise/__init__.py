"""rowwise: schedules found one row after the other, for programs of any size.

Takes dependence pieces and a strategy (an ordered list of row objectives), gives a
proven `Solved`; Pluto, Feautrier and isl are strategies. After Bondhugula et al., PLDI
2008, Feautrier, IJPP 1992, and Consolaro et al., CGO 2024. Part of `schedule`.
"""

from polysched.schedule.rowwise.fusion import FUSIONS, Fusion
from polysched.schedule.rowwise.model import RowBounds, RowModel
from polysched.schedule.rowwise.objectives import (
    ROW_OBJECTIVES,
    STRATEGIES,
    RowObjective,
    Strategy,
    find_row_objective,
    row_objective,
)
from polysched.schedule.rowwise.solve import (
    RowwiseOptions,
    RowwiseRecipe,
    feautrier,
    isl_like,
    pluto,
    solve_rowwise,
)
from polysched.schedule.rowwise.unit import Unit

__all__ = [
    "FUSIONS",
    "ROW_OBJECTIVES",
    "STRATEGIES",
    "Fusion",
    "RowBounds",
    "RowModel",
    "RowObjective",
    "RowwiseOptions",
    "RowwiseRecipe",
    "Strategy",
    "Unit",
    "feautrier",
    "find_row_objective",
    "isl_like",
    "pluto",
    "row_objective",
    "solve_rowwise",
]
