"""Room: Python functions on NumPy arrays, read and printed as C with a SCoP.

Takes a Python function and the types of its arguments (`ArrayType`, `ScalarArg`,
`ConstantArg`, or annotations such as ``float64["N", "M"]``). Gives a `CFunction`: the
text of one C file, its parameters with their roles, what the function returns, and
conditions on sizes; `polysched.frontend` reads the text. May import: base, sets.

Views as affine maps to a base and mutation through them are treated after Zhang et al.,
"TensorSSA", DAC 2024. Names are imported when they are first used: deciding whether a
call fits a signature needs neither isl nor the reader of Python.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from polysched.tensor.argument import (
        ArgType,
        ArrayType,
        ConstantArg,
        Dtype,
        ScalarArg,
        bool_,
        float32,
        float64,
        int8,
        int16,
        int32,
        int64,
        parse_annotation,
        type_of,
        uint8,
        uint16,
        uint32,
    )
    from polysched.tensor.cfunction import (
        CFunction,
        Check,
        CParameter,
        ElementRange,
        PythonLine,
        Returned,
        SizeExpr,
    )
    from polysched.tensor.elementary import erf
    from polysched.tensor.functionalise import contract, expand
    from polysched.tensor.program import TensorProgram, lower, read_function

_FILES = {
    "argument": (
        "ArgType", "ArrayType", "ConstantArg", "Dtype", "ScalarArg", "bool_", "float32",
        "float64", "int8", "int16", "int32", "int64", "parse_annotation", "type_of",
        "uint8", "uint16", "uint32",
    ),
    "cfunction": (
        "CFunction", "CParameter", "Check", "ElementRange", "PythonLine", "Returned",
        "SizeExpr",
    ),
    "elementary": ("erf",),
    "functionalise": ("contract", "expand"),
    "program": ("TensorProgram", "lower", "read_function"),
}  # fmt: skip
_FILE_OF = {name: file for file, names in _FILES.items() for name in names}

__all__ = [
    "ArgType",
    "ArrayType",
    "CFunction",
    "CParameter",
    "Check",
    "ConstantArg",
    "Dtype",
    "ElementRange",
    "PythonLine",
    "Returned",
    "ScalarArg",
    "SizeExpr",
    "TensorProgram",
    "bool_",
    "contract",
    "erf",
    "expand",
    "float32",
    "float64",
    "int8",
    "int16",
    "int32",
    "int64",
    "lower",
    "parse_annotation",
    "read_function",
    "type_of",
    "uint8",
    "uint16",
    "uint32",
]


def __getattr__(name: str) -> object:
    if name not in _FILE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_FILE_OF[name]}"), name)
