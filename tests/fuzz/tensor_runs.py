"""Runs C functions made from Python ones as they are, without any schedule."""

from __future__ import annotations

import ctypes
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from polysched.tensor import CFunction, Returned

_C = {
    "float64": ctypes.c_double, "float32": ctypes.c_float, "int64": ctypes.c_long,
    "int32": ctypes.c_int, "bool": ctypes.c_int,
}  # fmt: skip
# as NumPy computes: no contraction to fused operations, integers wrap
FLAGS = ("-std=gnu11", "-O1", "-ffp-contract=off", "-fwrapv", "-shared", "-fPIC")


def build_library(functions: Sequence[CFunction], folder: Path) -> ctypes.CDLL:
    """One shared library of all functions."""
    sources, seen = [], set()
    for function in functions:
        text = function.text
        head, body = text[: text.index("\nvoid ")], text[text.index("\nvoid ") :]
        for helper in map(str.strip, head.split("\n\n")[1:]):
            if helper not in seen:
                seen.add(helper)
                sources.append(helper)
        sources.append(body)
    path = folder / "functions.c"
    path.write_text("#include <math.h>\n" + "\n".join(sources))
    library = folder / "functions.so"
    command = ["gcc", *FLAGS, "-w", str(path), "-o", str(library), "-lm"]
    subprocess.run(command, check=True, timeout=300)
    return ctypes.CDLL(str(library))


def run(
    library: ctypes.CDLL, function: CFunction, arguments: Mapping[str, Any],
    sizes: Mapping[str, int],
) -> Any:  # fmt: skip
    """Call a function; arrays among the arguments are changed in place."""
    values: dict[str, Any] = {}
    for parameter in function.parameters:
        if parameter.kind == "size":
            values[parameter.name] = sizes[parameter.source]
        elif parameter.kind == "scalar":
            values[parameter.name] = arguments[parameter.source]
    for check in function.checks:
        assert check.holds(values), check
    arrays: dict[str, Any] = {}
    passed: list[Any] = []
    for parameter in function.parameters:
        if parameter.kind != "array":
            passed.append(_C[parameter.dtype](values[parameter.name]))
            continue
        if parameter.role in ("temporary", "result"):
            shape = parameter.shape(values)
            array = np.full(shape, 99, dtype=parameter.dtype)  # as if never written
        else:
            array = arguments[parameter.source]
        arrays[parameter.name] = array
        passed.append(array.ctypes.data_as(ctypes.c_void_p))
    entry = getattr(library, function.name)
    entry.restype = None
    entry(*passed)
    return _returned(function.returns, arguments, arrays)


def _returned(
    returned: Returned, arguments: Mapping[str, Any], arrays: Mapping[str, Any]
) -> Any:
    if returned.kind == "none":
        return None
    if returned.kind == "argument":
        return arguments[returned.name]
    if returned.kind == "array":
        return arrays[returned.name]
    if returned.kind == "scalar":
        return arrays[returned.name][()]
    if returned.kind == "constant":
        return returned.value
    return tuple(_returned(item, arguments, arrays) for item in returned.items)
