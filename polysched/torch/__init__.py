"""torch: PyTorch modules, written as one NumPy function each, and called as tensors.

Takes a module (or a `torch.export.ExportedProgram`), gives a `TorchKernel`: its traced
graph is written as the text of a Python function, which `kernel` makes native. Writing
needs no PyTorch, which is imported when a module is given. May import every room below
`show`.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from polysched.torch.graph import Graph, Input, Node, Ref, Tensor
    from polysched.torch.module import TorchKernel, from_torch
    from polysched.torch.source import GraphSource, accepted_operators, write_source

_FILE_OF = {
    "Graph": "graph",
    "GraphSource": "source",
    "Input": "graph",
    "Node": "graph",
    "Ref": "graph",
    "Tensor": "graph",
    "TorchKernel": "module",
    "accepted_operators": "source",
    "from_torch": "module",
    "write_source": "source",
}

__all__ = [
    "Graph",
    "GraphSource",
    "Input",
    "Node",
    "Ref",
    "Tensor",
    "TorchKernel",
    "accepted_operators",
    "from_torch",
    "write_source",
]


def __getattr__(name: str) -> object:
    if name not in _FILE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_FILE_OF[name]}"), name)
