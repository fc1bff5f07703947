"""cost: predicted seconds of a schedule, and the ranking that follows from them.

Takes a final schedule tree, its SCoP and a machine, gives seconds that are meant for
comparing schedules of one SCoP. May import `analysis`, `transform`, `machine`, `ir`,
`sets`, `base`.
"""

from polysched.cost.model import Prediction, predict, predict_seconds, rank

__all__ = ["Prediction", "predict", "predict_seconds", "rank"]
