"""transform: steps that turn a schedule tree into another, and scripts of them.

Takes schedule trees and dependences, gives legal trees or the reason why not. May
import `analysis`, `machine`, `ir`, `sets`, `base`; knows no scheduler and no printer.
"""

from polysched.transform.chain import Chain
from polysched.transform.contract import Contract
from polysched.transform.device_plan import DevicePlanner
from polysched.transform.device_shapes import SHAPES, DeviceShape
from polysched.transform.device_stage import StagedShape
from polysched.transform.device_tensor import TensorShape
from polysched.transform.diamond import Diamond
from polysched.transform.distribute import Distribute
from polysched.transform.draft import Draft
from polysched.transform.frame import Frame
from polysched.transform.fuse_tiles import FuseTiles
from polysched.transform.grid import Grid, Threads
from polysched.transform.interior import Interior
from polysched.transform.interleave import Interleave
from polysched.transform.isolate import Isolate
from polysched.transform.jam import Jam
from polysched.transform.launch import Launch, Single
from polysched.transform.launch_atomic import LaunchAtomic
from polysched.transform.launch_rows import LaunchRows
from polysched.transform.launch_sum import LaunchSum
from polysched.transform.lift import Lift
from polysched.transform.mapping import Accumulate, Parallel, ShareSums, Vector
from polysched.transform.merge import Merge
from polysched.transform.order import Order
from polysched.transform.ordered import Ordered
from polysched.transform.overlap import OverlapSweeps
from polysched.transform.pack import Pack
from polysched.transform.pipeline import Pipeline
from polysched.transform.plan import PlanShape, plan_script
from polysched.transform.planner import ScriptPlanner, plan_scripts
from polysched.transform.registers import Registers
from polysched.transform.reverse import Reverse
from polysched.transform.roll import Roll
from polysched.transform.sample import sample_scripts
from polysched.transform.separate import Separate
from polysched.transform.shift import Shift
from polysched.transform.sink import Sink
from polysched.transform.skew import Skew
from polysched.transform.split import Split
from polysched.transform.squares import Squares
from polysched.transform.step import (
    Script,
    Step,
    apply_script,
    parse_script,
    print_script,
    short_script,
)
from polysched.transform.straighten import Straighten
from polysched.transform.tile import Tile, Wavefront
from polysched.transform.turn_back import TurnBack
from polysched.transform.unroll import Unroll
from polysched.transform.version import Version

__all__ = [
    "SHAPES",
    "Accumulate",
    "Chain",
    "Contract",
    "DevicePlanner",
    "DeviceShape",
    "Diamond",
    "Distribute",
    "Draft",
    "Frame",
    "FuseTiles",
    "Grid",
    "Interior",
    "Interleave",
    "Isolate",
    "Jam",
    "Launch",
    "LaunchAtomic",
    "LaunchRows",
    "LaunchSum",
    "Lift",
    "Merge",
    "Order",
    "Ordered",
    "OverlapSweeps",
    "Pack",
    "Parallel",
    "Pipeline",
    "PlanShape",
    "Registers",
    "Reverse",
    "Roll",
    "Script",
    "ScriptPlanner",
    "Separate",
    "ShareSums",
    "Shift",
    "Single",
    "Sink",
    "Skew",
    "Split",
    "Squares",
    "StagedShape",
    "Step",
    "Straighten",
    "TensorShape",
    "Threads",
    "Tile",
    "TurnBack",
    "Unroll",
    "Vector",
    "Version",
    "Wavefront",
    "apply_script",
    "parse_script",
    "plan_script",
    "plan_scripts",
    "print_script",
    "sample_scripts",
    "short_script",
]
