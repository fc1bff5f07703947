"""Pieces of C expression text that know how tightly they bind."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from polysched.base import CodegenError

PRIMARY = 16
POSTFIX = 15
UNARY = 14
MULTIPLY = 13
ADD = 12
AND = 8  # as an operand of && without parentheses
COND = 3

_LEVELS = {
    "*": 13, "/": 13, "%": 13, "+": 12, "-": 12, "<<": 11, ">>": 11,
    "<": 10, "<=": 10, ">": 10, ">=": 10, "==": 9, "!=": 9,
    "&": 8, "^": 7, "|": 6, "&&": 5, "||": 4,
}  # fmt: skip
_RELATIONS = frozenset({"<", "<=", ">", ">=", "==", "!="})
_BITS = frozenset({"&", "^", "|", "<<", ">>"})
_IDENTIFIER = re.compile(r"[A-Za-z_]\w*")
_KEYWORDS = frozenset(
    re.findall(
        r"\w+",
        """
        auto break case char const continue default do double else enum extern float
        for goto if inline int long register restrict return short signed sizeof static
        struct switch typedef union unsigned void volatile while asm typeof and or not
        xor class new delete this template public private protected try catch throw
        operator namespace using virtual friend bool true false
        """,
    )
)


@dataclass(frozen=True)
class Text:
    """A C expression and the precedence of its outermost operator (higher is tighter).

    Attributes
    ----------
    text : str
        The expression.
    level : int
        16 for a primary expression down to 3 for a conditional one.
    """

    text: str
    level: int = PRIMARY

    def at_least(self, level: int) -> str:
        """The text, in parentheses unless it binds as tightly as `level`."""
        return self.text if self.level >= level else f"({self.text})"

    @property
    def is_identifier(self) -> bool:
        """Whether it is a plain name."""
        return _IDENTIFIER.fullmatch(self.text) is not None

    def __str__(self) -> str:
        return self.text


def integer(value: int) -> Text:
    """An integer literal; long where int cannot hold it.

    Raises
    ------
    CodegenError
        If long cannot hold it either: a condition on it would mean something else.
    """
    if not -(2**63) < value < 2**63:
        raise CodegenError(f"no type of loops holds the number {value}")
    suffix = "L" if abs(value) > 2**31 - 1 else ""
    return Text(f"{value}{suffix}", PRIMARY if value >= 0 else UNARY)


def unary(op: str, operand: Text) -> Text:
    """``op operand``."""
    inner = operand.at_least(UNARY)
    if inner.startswith(("-", "+")) and op in "+-":
        inner = f"({inner})"
    return Text(f"{op}{inner}", UNARY)


def cast(type_name: str, operand: Text) -> Text:
    """``(type_name)operand``."""
    return Text(f"({type_name}){operand.at_least(UNARY)}", UNARY)


def binary(op: str, left: Text, right: Text) -> Text:
    """``left op right``, with the parentheses that compilers ask for besides."""
    level = _LEVELS[op]
    least_left, least_right = level, level + 1
    if op in _BITS:
        same = op in "&^|" and left.level == level
        least_left, least_right = (level if same else UNARY), UNARY
    elif op in _RELATIONS:
        least_left = least_right = _LEVELS["<<"]
    elif op in ("&&", "||"):
        least_left = level if left.level == level else _LEVELS["&"]
        least_right = _LEVELS["&"]
    return Text(
        f"{left.at_least(least_left)} {op} {right.at_least(least_right)}", level
    )


def select(cond: Text, then: Text, other: Text) -> Text:
    """``cond ? then : other``.

    Compilers warn of conditions like ``a & b > 0`` without parentheses.
    """
    is_bitwise = cond.level in {_LEVELS[op] for op in "&^|"}
    least = _LEVELS["=="] if is_bitwise else COND + 1
    sides = [cond.at_least(least), then.at_least(COND + 1), other.at_least(COND)]
    return Text(f"{sides[0]} ? {sides[1]} : {sides[2]}", COND)


def call(name: str, args: Iterable[Text]) -> Text:
    """``name(arg, ...)``."""
    return Text(f"{name}({', '.join(a.text for a in args)})", POSTFIX)


def parse_text(text: str) -> Text:
    """A text from outside: an identifier, a literal, or anything in parentheses."""
    if re.fullmatch(r"\w+|\([^()]*\)", text):
        return Text(text)
    return Text(text, 0)


def identifiers(source: str) -> frozenset[str]:
    """Every identifier-like word of a source text, comments and strings included."""
    return frozenset(_IDENTIFIER.findall(source))


class Names:
    """Hands out identifiers that are not in use."""

    def __init__(self, reserved: Iterable[str]) -> None:
        self._used = set(reserved) | _KEYWORDS

    def is_taken(self, name: str) -> bool:
        """Whether the program or generated code has the name already."""
        return name in self._used

    def take(self, name: str) -> str:
        """`name` itself if it is free, else with the first number that makes it so."""
        base = re.sub(r"\W|^(?=\d)", "_", name) or "_"
        candidate, number = base, 0
        while candidate in self._used:
            number += 1
            candidate = f"{base}_{number}"
        self._used.add(candidate)
        return candidate

    def take_series(self, prefix: str, count: int) -> list[str]:
        """``prefix1`` ... with one prefix under which all `count` names are free."""
        series = [f"{prefix}{k + 1}" for k in range(count)]
        if not self._used.isdisjoint(series):
            return self.take_series(f"{prefix}_", count)
        self._used.update(series)
        return series
