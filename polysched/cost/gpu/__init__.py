"""cost.gpu: predicted seconds of a device kernel, in closed form.

Takes plain numbers (what one block does, how many blocks) and a `Gpu`, gives occupancy,
waves, seconds by resource and the resource that decides; lists the tile shapes of a
contraction that fit a processor, the fastest first. Knows no isl. May import `machine`,
`base`. Pipelined loops are after ALCOP (MLSys 2023), waves and pruning after CNNOpt
(PACT 2022).
"""

from polysched.cost.gpu.contraction import Contraction, TileShape, contraction_work
from polysched.cost.gpu.model import KernelPrediction, predict_kernel
from polysched.cost.gpu.occupancy import Occupancy, Waves, compute_occupancy
from polysched.cost.gpu.shapes import (
    RankedShape,
    ShapeOptions,
    enumerate_shapes,
    pick_different,
)
from polysched.cost.gpu.work import KernelWork, LoadLoop, Operations

__all__ = [
    "Contraction",
    "KernelPrediction",
    "KernelWork",
    "LoadLoop",
    "Occupancy",
    "Operations",
    "RankedShape",
    "ShapeOptions",
    "TileShape",
    "Waves",
    "compute_occupancy",
    "contraction_work",
    "enumerate_shapes",
    "pick_different",
    "predict_kernel",
]
