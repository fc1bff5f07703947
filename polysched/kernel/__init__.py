"""kernel: Python functions that run as native code, scheduled and kept on disk.

Takes a Python function on NumPy arrays, gives a `Kernel` that is called like it. The
function is read by `tensor`, scheduled by `workflow`, compiled by `runtime`, kept in a
cache directory, and called through a C entry in the compiled library that checks every
argument. May import every room below `cli`; what a call from the cache needs imports
neither isl nor a solver, so names are imported when they are first used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from polysched.kernel.callable import Built, Kernel
    from polysched.kernel.decorator import kernel
    from polysched.kernel.errors import (
        ArgumentTypeError,
        ArgumentValueError,
        OutOfBoundsError,
    )
    from polysched.kernel.options import KernelOptions

_FILE_OF = {
    "ArgumentTypeError": "errors",
    "ArgumentValueError": "errors",
    "Built": "callable",
    "Kernel": "callable",
    "KernelOptions": "options",
    "OutOfBoundsError": "errors",
    "kernel": "decorator",
}

__all__ = [
    "ArgumentTypeError",
    "ArgumentValueError",
    "Built",
    "Kernel",
    "KernelOptions",
    "OutOfBoundsError",
    "kernel",
]


def __getattr__(name: str) -> object:
    if name not in _FILE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_FILE_OF[name]}"), name)
