"""Values in words, and as plain Python objects."""

from __future__ import annotations

from typing import Any

from polysched.tensor.expr import Const, Expr
from polysched.tensor.values import Object, Value


def is_number(value: Value) -> bool:
    """Whether a value is a number or an array."""
    return isinstance(value, Expr) or hasattr(value, "shape")


def plain(value: Value) -> Any:
    """A value as the Python object it is, for comparisons of constants."""
    if isinstance(value, Const):
        return value.value
    if isinstance(value, Object):
        return value.value
    if isinstance(value, tuple):
        return tuple(plain(v) for v in value)
    return value


def kind_of(value: Any) -> str:
    """A value in words."""
    if isinstance(value, Expr):
        return "a number"
    if isinstance(value, tuple):
        return "a tuple or list"
    if isinstance(value, Object):
        inner = value.value
        if inner is None or isinstance(inner, (str, bool)):
            return repr(inner)
        return f"{getattr(inner, '__name__', repr(inner))!r}"
    return f"an array of {len(value.shape)} dimensions"
