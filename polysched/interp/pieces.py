"""Pieces of Python text that compute as C does."""

from __future__ import annotations

from dataclasses import dataclass

from polysched.interp import arithmetic
from polysched.interp.arithmetic import Number
from polysched.ir import ScalarType


@dataclass(frozen=True)
class Code:
    """Python text and how deeply its parentheses nest."""

    text: str
    depth: int = 0

    def __str__(self) -> str:
        return self.text


def join(template: str, *parts: Code) -> Code:
    """A template with pieces of text put in, one level deeper."""
    return Code(template.format(*parts), 1 + max((p.depth for p in parts), default=0))


def literal(value: Number, t: ScalarType) -> Code:
    """A number of a C type, rounded as C rounds it."""
    if t.is_float:
        number = float(value)
        if t in arithmetic.ROUNDING:
            number = getattr(arithmetic, arithmetic.ROUNDING[t])(number)
        text = repr(number)
    else:
        text = str(int(value))
    return Code(f"({text})" if text.startswith("-") else text)


def wrap(code: Code, t: ScalarType) -> Code:
    """An integer reduced to the range of its type, modulo two to its width."""
    n_bits = 8 * t.n_bytes
    mask, half = (1 << n_bits) - 1, 1 << (n_bits - 1)
    if t.kind == "uint":
        return join(f"({{}} & {mask})", code)
    return join(f"(({{}} + {half} & {mask}) - {half})", code)
