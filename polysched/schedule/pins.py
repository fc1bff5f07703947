"""Pins: what a user insists on, as values with a text form.

A level counts the rows of a statement's schedule from 0, the outermost; a tile loop
counts as the loop it tiles. In the 2d+1 form level l is row 2l+1.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from polysched.base import PinError
from polysched.ir import Scop, Statement

FORMS = (
    "row:S0.0=2t+i", "row:S0.0=2t+...", "parallel:S0.0", "vector:S0=j",
    "fuse:S0,S1@1", "separate:S0,S1@1", "skew<=1",
)  # fmt: skip


@dataclass(frozen=True)
class PinRow:
    """Fix a row of a statement's schedule: ``row:S0.0=2t+i``.

    Attributes
    ----------
    statement : str
    level : int
        Which row, from 0.
    coefficients : tuple of (str, int)
        Iterator and its coefficient, as the user orders them.
    is_open : bool
        Whether the other iterators are free (``row:S0.0=2t+...``); otherwise their
        coefficients are 0. The row's constant is free in any case.
    """

    statement: str
    level: int
    coefficients: tuple[tuple[str, int], ...]
    is_open: bool = False

    def __str__(self) -> str:
        signs = {1: "+", -1: "-"}
        terms = [f"{signs.get(c, f'{c:+d}')}{name}" for name, c in self.coefficients]
        terms += ["+..."] if self.is_open else []
        row = "".join(terms).removeprefix("+")
        return f"row:{self.statement}.{self.level}={row}"


@dataclass(frozen=True)
class PinParallel:
    """A loop that carries no dependence: ``parallel:S0.0``.

    Attributes
    ----------
    statement : str
        A statement inside the loop; what else is in the loop counts as well.
    level : int
        Which of the loops around it, from 0.
    """

    statement: str
    level: int

    def __str__(self) -> str:
        return f"parallel:{self.statement}.{self.level}"


@dataclass(frozen=True)
class PinVector:
    """A statement's innermost loop: ``vector:S0=j``.

    Attributes
    ----------
    statement : str
    iterator : str
        It alone makes up the statement's last row, and the loop carries no dependence.
    """

    statement: str
    iterator: str

    def __str__(self) -> str:
        return f"vector:{self.statement}={self.iterator}"


@dataclass(frozen=True)
class PinFused:
    """Two statements that share their outermost loops: ``fuse:S0,S1@1``.

    Attributes
    ----------
    first, second : str
        Statements; which one runs first inside is free.
    depth : int
        How many loops they share at least: their scalar rows before and between these
        loops are equal.
    """

    first: str
    second: str
    depth: int = 1

    def __str__(self) -> str:
        return f"fuse:{self.first},{self.second}@{self.depth}"


@dataclass(frozen=True)
class PinSeparate:
    """Two statements that share fewer than `depth` loops: ``separate:S0,S1@1``.

    Attributes
    ----------
    first, second : str
        Statements; which one runs first is free.
    depth : int
        1: they share no loop at all.
    """

    first: str
    second: str
    depth: int = 1

    def __str__(self) -> str:
        return f"separate:{self.first},{self.second}@{self.depth}"


@dataclass(frozen=True)
class PinMaxSkew:
    """A bound on the skew of every row of every statement: ``skew<=1``.

    Attributes
    ----------
    value : int
        The magnitudes of a row's coefficients, summed, exceed the smallest of those
        that are not 0 by at most so much: 0 for ``i``, 1 for ``t+i``, 2 for ``2t+i``, 3
        for ``2t+i+j``. A wavefront of tiles adds up tile numbers, of coefficient 1.
    """

    value: int

    def __str__(self) -> str:
        return f"skew<={self.value}"


Pin = PinRow | PinParallel | PinVector | PinFused | PinSeparate | PinMaxSkew


def print_pin(pin: Pin) -> str:
    """The text of a pin, read back by `parse_pin`."""
    return str(pin)


def parse_pin(text: str) -> Pin:
    """Read a pin from its text form; white space does not count.

    Raises
    ------
    PinError
        If the text is no pin; names the forms there are.

    Examples
    --------
    >>> parse_pin("row: S0.1 = 2t + i")
    PinRow(statement='S0', level=1, coefficients=(('t', 2), ('i', 1)), is_open=False)
    >>> str(parse_pin("fuse:S0,S1"))
    'fuse:S0,S1@1'
    """
    squeezed = re.sub(r"\s+", "", text)
    for pattern, make in _READERS:
        match = re.fullmatch(pattern, squeezed)
        if match is not None:
            return make(text, match)
    raise PinError(f"not a pin: {text!r}", hint=f"pins look like {', '.join(FORMS)}")


def parse_pins(texts: Sequence[str]) -> tuple[Pin, ...]:
    """Read pins; a repeated one counts once."""
    return tuple(dict.fromkeys(parse_pin(text) for text in texts))


def _read_row(text: str, match: re.Match[str]) -> PinRow:
    statement, level, row = match[1], int(match[2]), match[3]
    is_open = row.endswith("+...")
    row = row.removesuffix("+...")
    if not re.fullmatch(r"([+-]?\d*\*?[A-Za-z_]\w*)([+-]\d*\*?[A-Za-z_]\w*)*", row):
        raise PinError(
            f"cannot read the row {match[3]!r} of the pin {text!r}",
            hint="a row is a sum of iterators with integer factors, as 2t+i or 2t+...; "
            "its constant cannot be pinned",
        )
    weights: dict[str, int] = {}
    for sign, factor, name in re.findall(r"([+-]?)(\d*)\*?([A-Za-z_]\w*)", row):
        weight = int(f"{sign}{factor or 1}")
        weights[name] = weights.get(name, 0) + weight
    if not is_open and not any(weights.values()):
        raise PinError(f"the row of the pin {text!r} is zero, expected an iterator")
    kept = ((name, c) for name, c in weights.items() if c or is_open)
    return PinRow(statement, level, tuple(kept), is_open)


_READERS: tuple[tuple[str, Callable[[str, re.Match[str]], Pin]], ...] = (
    (r"row:(\w+)\.(\d+)=(.+)", _read_row),
    (r"parallel:(\w+)\.(\d+)", lambda _, m: PinParallel(m[1], int(m[2]))),
    (r"vector:(\w+)=(\w+)", lambda _, m: PinVector(m[1], m[2])),
    (
        r"fuse:(\w+),(\w+)(?:@(\d+))?",
        lambda _, m: PinFused(m[1], m[2], int(m[3] or 1)),
    ),
    (
        r"separate:(\w+),(\w+)(?:@(\d+))?",
        lambda _, m: PinSeparate(m[1], m[2], int(m[3] or 1)),
    ),
    (r"skew<=(\d+)", lambda _, m: PinMaxSkew(int(m[1]))),
)


def check_pins(pins: Sequence[Pin], scop: Scop) -> None:
    """Refuse pins that name what the SCoP does not have.

    Raises
    ------
    PinError
        If there is no such statement, level, iterator or depth; lists those there are.
    """
    for pin in pins:
        match pin:
            case PinRow(name, level, coefficients):
                s = _find_statement(pin, name, scop)
                _check_level(pin, level, s)
                for iterator, _ in coefficients:
                    _check_iterator(pin, iterator, s)
            case PinParallel(name, level):
                _check_level(pin, level, _find_statement(pin, name, scop))
            case PinVector(name, iterator):
                _check_iterator(pin, iterator, _find_statement(pin, name, scop))
            case PinFused(first, second, depth) | PinSeparate(first, second, depth):
                ends = [_find_statement(pin, name, scop) for name in (first, second)]
                _check_depth(pin, depth, ends)
            case PinMaxSkew():
                pass


def _find_statement(pin: Pin, name: str, scop: Scop) -> Statement:
    known = [s.name for s in scop.statements]
    if name not in known:
        raise PinError(
            f"pin {pin}: no statement named {name!r} in {scop.name}",
            hint=f"the statements are: {', '.join(known)}",
        )
    return scop.statement(name)


def _check_level(pin: Pin, level: int, s: Statement) -> None:
    if level >= s.n_loops:
        levels = ", ".join(str(k) for k in range(s.n_loops)) or "none"
        raise PinError(
            f"pin {pin}: no level {level} in the schedule of {s.name}, which is in "
            f"{s.n_loops} loops",
            hint=f"the levels of {s.name} are: {levels}",
        )


def _check_iterator(pin: Pin, iterator: str, s: Statement) -> None:
    if iterator not in s.iterators:
        raise PinError(
            f"pin {pin}: no iterator {iterator!r} around {s.name}",
            hint=f"the iterators of {s.name} are: {', '.join(s.iterators) or 'none'}",
        )


def _check_depth(pin: Pin, depth: int, ends: Sequence[Statement]) -> None:
    if ends[0].name == ends[1].name:
        raise PinError(f"pin {pin}: found one statement twice, expected two")
    most = min(s.n_loops for s in ends)
    if not 1 <= depth <= most:
        raise PinError(
            f"pin {pin}: found a depth of {depth}, but {ends[0].name} and "
            f"{ends[1].name} can share {most} loops",
            hint="expected a depth from 1 to that number",
        )
