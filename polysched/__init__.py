"""polysched: small, meaningful spaces of legal polyhedral schedules, measured.

The library's face; each name is imported when it is first used::

    import polysched as ps

    program = ps.parse_c("gemm.c")
    space = ps.build_space(program, ps.Machine.detect(), policy="balanced")
    tuned = ps.tune(space, budget=12)
    print(tuned.best.explain(), tuned.best.to_c())
"""

from __future__ import annotations

import importlib
import sys
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from polysched.base import PolyschedError
    from polysched.ir import Program, ScheduleTree, Scop
    from polysched.kernel import (
        ArgumentTypeError,
        ArgumentValueError,
        Kernel,
        OutOfBoundsError,
        kernel,
    )
    from polysched.machine import Cpu, Machine
    from polysched.policy import POLICIES
    from polysched.records import Database, Failure, Measurement
    from polysched.runtime import RunOptions, Toolchain
    from polysched.space import Schedule, ScheduleSpace
    from polysched.tensor import (
        bool_,
        float32,
        float64,
        int8,
        int16,
        int32,
        int64,
        uint8,
        uint16,
        uint32,
    )
    from polysched.torch import TorchKernel, from_torch
    from polysched.transform import apply_script, parse_script
    from polysched.tune import TuneOptions, observe_sizes
    from polysched.workflow import (
        CheckedScop,
        Explanation,
        ProgramSpace,
        Tuned,
        Variant,
        build_space,
        check,
        load_space,
        optimize,
        tune,
    )
    from polysched.workflow import parse as parse_c

__version__ = "0.1.0"

_ROOMS = {
    "base": ("PolyschedError",),
    "ir": ("Program", "ScheduleTree", "Scop"),
    "kernel": (
        "ArgumentTypeError",
        "ArgumentValueError",
        "Kernel",
        "OutOfBoundsError",
        "kernel",
    ),
    "machine": ("Cpu", "Machine"),
    "policy": ("POLICIES",),
    "records": ("Database", "Failure", "Measurement"),
    "runtime": ("RunOptions", "Toolchain"),
    "space": ("Schedule", "ScheduleSpace"),
    "tensor": (
        "bool_",
        "float32",
        "float64",
        "int8",
        "int16",
        "int32",
        "int64",
        "uint8",
        "uint16",
        "uint32",
    ),
    "torch": ("TorchKernel", "from_torch"),
    "transform": ("apply_script", "parse_script"),
    "tune": ("TuneOptions", "observe_sizes"),
    "workflow": (
        "CheckedScop",
        "Explanation",
        "ProgramSpace",
        "Tuned",
        "Variant",
        "build_space",
        "check",
        "load_space",
        "optimize",
        "parse_c",
        "tune",
    ),
}
_ROOM_OF = {name: room for room, names in _ROOMS.items() for name in names}
_NAMED_OTHERWISE = {"parse_c": "parse"}

__all__ = [
    "POLICIES",
    "ArgumentTypeError",
    "ArgumentValueError",
    "CheckedScop",
    "Cpu",
    "Database",
    "Explanation",
    "Failure",
    "Kernel",
    "Machine",
    "Measurement",
    "OutOfBoundsError",
    "PolyschedError",
    "Program",
    "ProgramSpace",
    "RunOptions",
    "Schedule",
    "ScheduleSpace",
    "ScheduleTree",
    "Scop",
    "Toolchain",
    "TorchKernel",
    "TuneOptions",
    "Tuned",
    "Variant",
    "apply_script",
    "bool_",
    "build_space",
    "check",
    "float32",
    "float64",
    "from_torch",
    "int8",
    "int16",
    "int32",
    "int64",
    "kernel",
    "load_space",
    "observe_sizes",
    "optimize",
    "parse_c",
    "parse_script",
    "tune",
    "uint8",
    "uint16",
    "uint32",
]


def __getattr__(name: str) -> object:
    """Import a name of the face from its room, once."""
    if name not in _ROOM_OF:
        raise AttributeError(f"module 'polysched' has no attribute {name!r}")
    room = importlib.import_module(f"polysched.{_ROOM_OF[name]}")
    found: object = getattr(room, _NAMED_OTHERWISE.get(name, name))
    globals()[name] = found
    return found


class _Face(ModuleType):
    """The top package, whose `kernel` and `tune` stay functions when the rooms load."""

    def __setattr__(self, name: str, value: object) -> None:
        if name in ("kernel", "tune") and isinstance(value, ModuleType):
            return
        super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Face


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
