"""The elements that an array is declared to have."""

from __future__ import annotations

import re

import islpy as isl

from polysched.ir import Array, Binary, Cast, Const, Expr, Param

_NAME = re.compile(r"[A-Za-z_]\w*")


def size_text(size: Expr | None) -> str | None:
    """A size as isl writes it; None where it is not affine, or not known."""
    while isinstance(size, Cast) and not size.type.is_float:
        size = size.operand
    match size:
        case Const(value):
            return str(value)
        case Param(name):
            return name
        case Binary("+" | "-" | "*" as op, left, right):
            sides = size_text(left), size_text(right)
            is_linear = op != "*" or isinstance(left, Const) or isinstance(right, Const)
            if is_linear and None not in sides:
                return f"({sides[0]} {op} {sides[1]})"
    return None


def size_names(text: str) -> list[str]:
    """The parameters in a size that `size_text` has written."""
    return list(dict.fromkeys(_NAME.findall(text)))


def declared_elements(array: Array) -> isl.Set | None:
    """All elements that a declaration gives an array; None if it does not say.

    A function's array parameter may have more rows than it says, but hardly fewer.
    """
    texts = [size_text(extent) for extent in array.extents]
    if array.n_expanded or array.pitches or None in texts:
        return None
    names = dict.fromkeys(n for t in texts if t is not None for n in size_names(t))
    dims = [f"i{k}" for k in range(len(texts))]
    bounds = [f"0 <= {d} < {t}" for d, t in zip(dims, texts, strict=True)]
    return isl.Set(
        f"[{', '.join(names)}] -> {{ {array.name}[{', '.join(dims)}] : "
        f"{' and '.join(bounds) or 'true'} }}"
    )
