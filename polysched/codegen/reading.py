"""Printed integer expressions read back: C text becomes functions that isl compares.

What prints an expression chooses parentheses; this does not know it, and follows C's
grammar alone. Overflow is no part of it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import islpy as isl

from polysched.base import AnalysisError
from polysched.sets import only_value

_TOKEN = re.compile(
    r"\s*(?:(?P<number>\d+)[uUlL]*\b|(?P<name>[A-Za-z_]\w*(?:\.\w+)?)"
    r"|(?P<op><=|>=|==|!=|&&|\|\||[-+*/%<>!?:(),]))"
)
_LEVELS = (
    ("||",), ("&&",), ("==", "!="), ("<", "<=", ">", ">="), ("+", "-"), ("*", "/", "%")
)  # fmt: skip
_TYPES = frozenset({"int", "long", "size_t"})

Value = isl.PwAff | isl.Set  # a number, or where a condition holds


class NotAffineTextError(AnalysisError):
    """A text whose value is no quasi-affine function of the names in it."""


@dataclass(frozen=True)
class TextReader:
    """Reads C expressions of integers.

    Attributes
    ----------
    names : mapping of str to isl.PwAff
        Values of names; every other name is a parameter.
    functions : mapping of str to str
        Names of macros, and which of "min", "max" and "floord" each one is.
    """

    names: Mapping[str, isl.PwAff] = field(default_factory=dict)
    functions: Mapping[str, str] = field(default_factory=dict)

    def value(self, text: str) -> isl.PwAff:
        """The number that a text stands for.

        Examples
        --------
        >>> count = TextReader().value("(n - 1) / 32 + 1")
        >>> print(count.intersect_params(isl.Set("[n] -> { : 33 <= n <= 64 }")))
        [n] -> { [(1 + floor((-1 + n)/32))] : 33 <= n <= 64 }
        """
        return _number(_Parser(self, text).whole())

    def condition(self, text: str) -> isl.Set:
        """The parameter values under which a text is not zero."""
        return _condition(_Parser(self, text).whole())


class _Parser:
    """One text, taken apart from left to right."""

    def __init__(self, reader: TextReader, text: str) -> None:
        self.reader = reader
        self.text = text
        self.tokens = _tokens(text)
        self.at = 0

    def whole(self) -> Value:
        found = self._conditional()
        if self.at < len(self.tokens):
            raise AnalysisError(f"cannot read {self.text!r} from {self._next!r} on")
        return found

    @property
    def _next(self) -> str:
        return self.tokens[self.at] if self.at < len(self.tokens) else ""

    def _take(self, *expected: str) -> str:
        token = self._next
        if not token or (expected and token not in expected):
            wanted = " or ".join(expected) or "an operand"
            raise AnalysisError(f"cannot read {self.text!r}: expected {wanted}")
        self.at += 1
        return token

    def _conditional(self) -> Value:
        test = self._binary(0)
        if self._next != "?":
            return test
        self._take("?")
        then = _number(self._conditional())
        self._take(":")
        other = _number(self._conditional())
        where = _condition(test)
        return then.intersect_domain(where).union_add(
            other.intersect_domain(where.complement())
        )

    def _binary(self, level: int) -> Value:
        if level == len(_LEVELS):
            return self._unary()
        found = self._binary(level + 1)
        while self._next in _LEVELS[level]:
            op = self._take()
            found = _BINARY[op](found, self._binary(level + 1))
        return found

    def _unary(self) -> Value:
        token = self._take()
        if token == "-":
            return _number(self._unary()).neg()
        if token == "!":
            return _condition(self._unary()).complement()
        if token == "(":
            if self._next in _TYPES:
                self._take()
                self._take(")")
                return self._unary()
            found = self._conditional()
            self._take(")")
            return found
        if token.isdecimal():
            return isl.PwAff(f"{{ [({token})] }}")
        if token in self.reader.functions:
            return self._call(self.reader.functions[token])
        if not re.match(r"[A-Za-z_]", token):
            raise AnalysisError(f"cannot read {self.text!r}: found {token!r}")
        known = self.reader.names.get(token)
        return parameter(token) if known is None else known

    def _call(self, kind: str) -> Value:
        self._take("(")
        left = _number(self._conditional())
        self._take(",")
        right = _number(self._conditional())
        self._take(")")
        if kind == "floord":
            return left.scale_down_val(_constant(right)).floor()
        return left.min(right) if kind == "min" else left.max(right)


def parameter(name: str) -> isl.PwAff:
    """A name as a number that is not known."""
    if "." in name:
        raise AnalysisError(f"the value of {name} is not known")
    return isl.PwAff(f"[{name}] -> {{ [({name})] }}")


def _tokens(text: str) -> list[str]:
    found, at = [], 0
    while text[at:].strip():
        match = _TOKEN.match(text, at)
        if match is None:
            raise AnalysisError(f"cannot read {text!r} from {text[at:]!r} on")
        found.append(match["number"] or match["name"] or match["op"])
        at = match.end()
    return found


def _number(value: Value) -> isl.PwAff:
    return value if isinstance(value, isl.PwAff) else value.indicator_function()


def _condition(value: Value) -> isl.Set:
    return value if isinstance(value, isl.Set) else value.non_zero_set()


def _constant(value: isl.PwAff) -> isl.Val:
    found = only_value(value)
    if found is None:
        raise NotAffineTextError("the product or quotient of two unknown numbers")
    return found


def _product(left: Value, right: Value) -> isl.PwAff:
    a, b = _number(left), _number(right)
    known = only_value(b)
    return b.scale_val(_constant(a)) if known is None else a.scale_val(known)


def _quotient(left: Value, right: Value) -> isl.PwAff:
    """Rounded towards zero, as C does."""
    _constant(_number(right))
    return _number(left).tdiv_q(_number(right))


def _rest(left: Value, right: Value) -> isl.PwAff:
    _constant(_number(right))
    return _number(left).tdiv_r(_number(right))


_BINARY: dict[str, Callable[[Value, Value], Value]] = {
    "||": lambda a, b: _condition(a).union(_condition(b)),
    "&&": lambda a, b: _condition(a).intersect(_condition(b)),
    "==": lambda a, b: _number(a).eq_set(_number(b)),
    "!=": lambda a, b: _number(a).ne_set(_number(b)),
    "<": lambda a, b: _number(a).lt_set(_number(b)),
    "<=": lambda a, b: _number(a).le_set(_number(b)),
    ">": lambda a, b: _number(a).gt_set(_number(b)),
    ">=": lambda a, b: _number(a).ge_set(_number(b)),
    "+": lambda a, b: _number(a).add(_number(b)),
    "-": lambda a, b: _number(a).sub(_number(b)),
    "*": _product,
    "/": _quotient,
    "%": _rest,
}
