"""cost: predicted seconds of a schedule, and the ranking that follows from them.

Takes a final schedule tree, its SCoP and a machine, gives seconds that are meant for
comparing schedules of one SCoP. May import `analysis`, `transform`, `machine`, `ir`,
`sets`, `base`.
"""

from polysched.cost.device import DevicePrediction, array_bytes, predict_on_device
from polysched.cost.kernels import read_kernels
from polysched.cost.loads import KernelLoad, StatementLoad
from polysched.cost.model import Prediction, Predictor, predict, predict_seconds, rank
from polysched.cost.traffic import Traffic, predict_traffic

__all__ = [
    "DevicePrediction",
    "KernelLoad",
    "Prediction",
    "Predictor",
    "StatementLoad",
    "Traffic",
    "array_bytes",
    "predict",
    "predict_on_device",
    "predict_seconds",
    "predict_traffic",
    "rank",
    "read_kernels",
]
