"""Types of results as NumPy 2 promotes them; Python numbers are weak."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

import numpy as np

NARROW = ("int8", "uint8", "int16", "uint16", "uint32")
DTYPES = ("bool", *NARROW, "int32", "int64", "float32", "float64")
_WEAK_RANK = {"bool": 0, "int64": 1, "float64": 2}


def is_float(dtype: str) -> bool:
    """Whether the type holds fractions."""
    return dtype.startswith("float")


def is_integer(dtype: str) -> bool:
    """Whether the type holds whole numbers; truth values are not among them."""
    return dtype.startswith(("int", "uint"))


def is_narrow(dtype: str) -> bool:
    """Whether C may compute in a wider type: every result has to be cut back.

    It takes integers of 8 and 16 bits for `int`, and beside `uint32` large constants
    for `long`.
    """
    return dtype in NARROW


def limits(dtype: str) -> tuple[int, int]:
    """The least and the greatest number of an integer type.

    Examples
    --------
    >>> limits("int8"), limits("uint16")
    ((-128, 127), (0, 65535))
    """
    found = np.iinfo(dtype)
    return int(found.min), int(found.max)


def wrapped(value: int, dtype: str) -> int:
    """What an integer type keeps of a number.

    Examples
    --------
    >>> wrapped(300, "uint8"), wrapped(128, "int8")
    (44, -128)
    """
    least, most = limits(dtype)
    return (value - least) % (most - least + 1) + least


@lru_cache(maxsize=256)
def _promote_strong(first: str, second: str) -> str:
    return np.promote_types(first, second).name


def promote(operands: Iterable[tuple[str, bool]]) -> tuple[str, bool]:
    """Type and weakness of an operation on operands of given types and weakness.

    Examples
    --------
    >>> promote([("float32", False), ("float64", True)])
    ('float32', False)
    >>> promote([("int32", False), ("float32", False)])
    ('float64', False)
    >>> promote([("int64", True), ("float64", True)])
    ('float64', True)
    """
    pairs = list(operands)
    weak = [d for d, is_weak in pairs if is_weak]
    strong = [d for d, is_weak in pairs if not is_weak]
    if not strong:
        return max(weak, key=lambda d: _WEAK_RANK.get(d, 1)), True
    result = strong[0]
    for other in strong[1:]:
        result = _promote_strong(result, other)
    for dtype in weak:
        if dtype == "float64" and not is_float(result):
            result = "float64"
        elif dtype == "int64" and result == "bool":
            result = "int64"
    return result, False


def divided(dtype: str) -> str:
    """The type of a true division of operands promoted to `dtype`."""
    return dtype if is_float(dtype) else "float64"


def summed(dtype: str) -> str:
    """The type in which NumPy sums and multiplies up elements of a type."""
    if is_float(dtype):
        return dtype
    return "uint64" if dtype.startswith("uint") else "int64"
