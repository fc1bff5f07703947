"""Scalar types of C programs, as values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["float", "int", "uint"]


@dataclass(frozen=True)
class ScalarType:
    """An arithmetic type of the target language.

    Attributes
    ----------
    name : str
        Canonical C spelling, for declarations and casts.
    kind : {"float", "int", "uint"}
        Floating point, signed or unsigned integer.
    n_bytes : int
        Size of one element in bytes (LP64).
    """

    name: str
    kind: Kind
    n_bytes: int

    @property
    def is_float(self) -> bool:
        """Whether arithmetic in this type rounds."""
        return self.kind == "float"

    @property
    def is_half(self) -> bool:
        """Whether it is a floating type of two bytes.

        The front end writes arithmetic in such a type as arithmetic in `float`, with
        every rounding that the compiler would do as a cast, so that nodes of
        expressions have these types where values are read or rounded only.
        """
        return self.kind == "float" and self.n_bytes == 2

    def __str__(self) -> str:
        return self.name


BOOL = ScalarType("_Bool", "uint", 1)
CHAR = ScalarType("char", "int", 1)
SCHAR = ScalarType("signed char", "int", 1)
UCHAR = ScalarType("unsigned char", "uint", 1)
SHORT = ScalarType("short", "int", 2)
USHORT = ScalarType("unsigned short", "uint", 2)
INT = ScalarType("int", "int", 4)
UINT = ScalarType("unsigned int", "uint", 4)
LONG = ScalarType("long", "int", 8)
ULONG = ScalarType("unsigned long", "uint", 8)
LLONG = ScalarType("long long", "int", 8)
ULLONG = ScalarType("unsigned long long", "uint", 8)
HALF = ScalarType("_Float16", "float", 2)
BFLOAT = ScalarType("__bf16", "float", 2)
FLOAT = ScalarType("float", "float", 4)
DOUBLE = ScalarType("double", "float", 8)

ALL_TYPES = (
    BOOL, CHAR, SCHAR, UCHAR, SHORT, USHORT, INT, UINT, LONG, ULONG, LLONG, ULLONG,
    HALF, BFLOAT, FLOAT, DOUBLE,
)  # fmt: skip

_RANK = {t.name: r for r, t in enumerate(ALL_TYPES)}


def promote(t: ScalarType) -> ScalarType:
    """The type after C's integer promotions (C11 6.3.1.1)."""
    return INT if not t.is_float and t.n_bytes < INT.n_bytes else t


def common_type(a: ScalarType, b: ScalarType) -> ScalarType:
    """The type of `a op b` by C's usual arithmetic conversions (C11 6.3.1.8)."""
    if a.is_float or b.is_float:
        floats = [t for t in (a, b) if t.is_float]
        return max(floats, key=lambda t: t.n_bytes)
    a, b = promote(a), promote(b)
    if a.kind == b.kind:
        return max(a, b, key=lambda t: _RANK[t.name])
    unsigned, signed = (a, b) if a.kind == "uint" else (b, a)
    if unsigned.n_bytes >= signed.n_bytes:
        if (
            unsigned.n_bytes == signed.n_bytes
            and _RANK[signed.name] > _RANK[unsigned.name]
        ):
            return ULLONG
        return unsigned
    return signed
