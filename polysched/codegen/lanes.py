"""Statement bodies over vector lanes: what is one value, what is a vector of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import islpy as isl

from polysched.codegen.ctext import Text, binary, cast, select, unary
from polysched.codegen.expr import Bound, ExprPrinter
from polysched.codegen.linear import Linear
from polysched.codegen.nodes import Instance, Loop
from polysched.ir import (
    Assign,
    Binary,
    Cast,
    Const,
    Expr,
    Iter,
    Load,
    Param,
    ScalarType,
    Select,
    Statement,
    Unary,
    types,
    walk,
)

_ARITHMETIC = frozenset("+-*/")
_ORDER = frozenset({"<", "<=", ">", ">="})
_UPDATES = _ARITHMETIC | {""}
Position = tuple[int, ...]  # offsets of the points' loops, the lanes' loop last


class NotVectors(Exception):  # noqa: N818 - a verdict, not an error: loops are printed
    """The instance cannot be written with vectors."""


@dataclass(frozen=True)
class PointPrinters:
    """Printers of one statement instance at every point of a register tile.

    Attributes
    ----------
    printer : ExprPrinter
        Knows arrays and parameters.
    statement : Statement
        What is printed.
    instance : Instance
        Its values and the offsets of temporary storage over the loops' iterators.
    loops : tuple of Loop
        Around the points, outermost first.
    linear : callable
        Reads isl's expressions as sums.
    type : ScalarType
        C type of the loops' iterators.
    """

    printer: ExprPrinter
    statement: Statement
    instance: Instance
    loops: tuple[Loop, ...]
    linear: Callable[[isl.AstExpr], Linear]
    type: ScalarType

    def at(self, position: Position) -> ExprPrinter:
        """A printer of the instance at one point.

        Raises
        ------
        NotVectors
            If a value is no sum of the loops' iterators.
        """
        values: dict[str, Linear] = {}
        for loop, offset in zip(self.loops, position, strict=True):
            if loop.start is None:
                raise NotVectors
            start = _substitute(loop.start, values)
            values[loop.iterator] = start.plus(Linear((), offset * loop.step))
        names = self.statement.iterators
        bounds = {
            name: Bound(_substitute(self.linear(value), values), self.type)
            for name, value in zip(names, self.instance.values, strict=True)
        }
        offsets = {
            place: _substitute(self.linear(value), values)
            for place, value in self.instance.offsets.items()
        }
        return replace(self.printer, iterators=bounds, offsets=offsets)


def _substitute(value: Linear, values: Mapping[str, Linear]) -> Linear:
    total = Linear((), value.constant)
    for atom, weight in value.terms:
        if atom.text in values:
            total = total.plus(values[atom.text], weight)
            continue
        words = set(_words(atom.text))
        if words & set(values):
            raise NotVectors
        total = total.plus(Linear.atom(atom), weight)
    return total


def _words(text: str) -> list[str]:
    return "".join(c if c.isalnum() or c == "_" else " " for c in text).split()


@dataclass(frozen=True)
class LaneReader:
    """Tells how an expression changes from one lane to the next.

    Attributes
    ----------
    first, second : ExprPrinter
        At the first two lanes of a vector; the same where there is one lane.
    target : Load
        What is held: its lanes are those of the vector, or the only one.
    turned : frozenset of Load
        What lies in other rows for every lane, and is known as vectors all the same.
    widens : bool
        Whether neighbours of a shorter type may be converted as they are loaded.
    """

    first: ExprPrinter
    second: ExprPrinter
    target: Load
    turned: frozenset[Load] = frozenset()
    widens: bool = False

    @property
    def type(self) -> ScalarType:
        """Type of the lanes."""
        return self.target.type

    @property
    def is_single(self) -> bool:
        """Whether there is one lane."""
        return self.first is self.second

    def stride(self, load: Load) -> int:
        """0 for one element in all lanes, 1 for neighbours.

        Raises
        ------
        NotVectors
            For anything else.
        """
        spelling = self.first.arrays.get(load.array)
        n = len(load.subscripts)
        kept = range(n) if spelling is None or spelling.kept is None else spelling.kept
        moves = []
        for k in kept:
            move = self.second.subscript(load, k)
            move = move.plus(self.first.subscript(load, k), -1)
            if not move.is_constant:
                raise NotVectors
            moves.append(move.constant)
        if not any(moves):
            return 0
        if any(moves[:-1]) or moves[-1] != 1 or not self._fits(load.type):
            raise NotVectors
        return 1

    def _fits(self, type_: ScalarType) -> bool:
        """Whether lanes can hold all values of a type, as C converts them."""
        if type_ == self.type or not self.widens:
            return type_ == self.type
        return is_widened(type_, self.type)

    def varies(self, expr: Expr) -> bool:
        """Whether the value differs between lanes, or is computed from the target."""
        if expr == self.target or expr in self.turned:
            return True
        match expr:
            case Load():
                return self.stride(expr) != 0
            case Iter(name, _):
                bound, other = self.first.iterators[name], self.second.iterators[name]
                if bound.value != other.value:
                    raise NotVectors
                return False
        return sum(self.varies(e) for e in expr.operands) > 0  # looks at all of them

    def check(self, assign: Assign) -> None:
        """Raise `NotVectors` unless an assignment is arithmetic on lanes."""
        if assign.op.rstrip("=") not in _UPDATES:
            raise NotVectors
        if not self.is_single and self.stride(assign.target) != 1:
            raise NotVectors
        self._check(assign.value)
        if assign.value.dtype != self.type and self.varies(assign.value):
            raise NotVectors

    def _check(self, expr: Expr) -> None:
        if not self.varies(expr):
            if not _is_exact(expr, self.type):
                raise NotVectors
            return
        match expr:
            case Load():
                return
            case Unary("+" | "-"):
                pass
            case Binary(op) if op in _ARITHMETIC:
                pass
            case Cast(type_) if type_ == self.type:
                pass
            case Select(Binary() as compared) if is_extremum(expr):
                self._check_compared(compared)
                return
            case _:
                raise NotVectors
        if expr.dtype != self.type:
            raise NotVectors
        for operand in expr.operands:
            self._check(operand)

    def _check_compared(self, compared: Binary) -> None:
        """Raise `NotVectors` unless two values of the lanes' type are compared."""
        if self.first.macros is None:
            raise NotVectors
        for side in compared.operands:
            if side.dtype != self.type:
                raise NotVectors
            self._check(side)


def is_extremum(expr: Expr) -> bool:
    """Whether it is one of two values, whichever compares less, or greater.

    Examples
    --------
    >>> a, b = Iter("a"), Iter("b")
    >>> is_extremum(Select(Binary("<", a, b), a, b))
    True
    >>> is_extremum(Select(Binary("<", a, b), a, a))
    False
    """
    match expr:
        case Select(Binary(op, left, right), then, other) if op in _ORDER:
            return (then, other) in ((left, right), (right, left))
    return False


def _is_exact(expr: Expr, type_: ScalarType) -> bool:
    """Whether C converts one value to the lanes' type as a whole vector would."""
    return expr.dtype == type_ or not expr.dtype.is_float


def is_widened(short: ScalarType, long: ScalarType) -> bool:
    """Whether C converts one type to the other without asking, into more bytes."""
    if short == types.BOOL or short.n_bytes >= long.n_bytes:
        return False
    return long.is_float or not short.is_float


def lane_reader(
    points: PointPrinters,
    position: Position,
    assign: Assign,
    lanes: int,
    *,
    widens: bool = False,
) -> LaneReader:
    """Reads the lanes of one vector of a tile, of shorter types where it may.

    Raises
    ------
    NotVectors
        If a value is no sum of the loops' iterators.
    """
    first = points.at(position)
    if lanes == 1:
        return LaneReader(first, first, assign.target)
    *outer, lane = position
    second = points.at((*outer, lane + 1))
    return LaneReader(first, second, assign.target, widens=widens)


@dataclass
class LaneWriter:
    """Writes expressions over lanes; names what is loaded and what is shared.

    Attributes
    ----------
    reader : LaneReader
        At the point to be written.
    vectors, scalars : dict of str to str
        Text of an element or expression to the variable that holds it.
    lines : list of str
        Declarations of these variables, in order.
    held : str
        The variable that holds the target.
    vector_type : str
        C type of a vector.
    take : callable
        Gives a free name for a stem and number.
    columns : mapping of Load to str
        What is known as a vector before: the reader's `turned`.
    type_of : callable, optional
        C type of a vector of as many elements of another type.
    """

    vectors: dict[str, str]
    scalars: dict[str, str]
    lines: list[str]
    vector_type: str
    take: Callable[[str, int], str]
    reader: LaneReader
    held: str
    columns: Mapping[Load, str] = field(default_factory=dict)
    type_of: Callable[[ScalarType], str] | None = None

    def value(self, expr: Expr) -> Text:
        """The expression as text of a vector, or of one value for all lanes."""
        if not self.reader.varies(expr):
            return self._scalar(expr)
        match expr:
            case Load():
                return Text(self._load(expr))
            case Unary(op, operand):
                return unary(op, self.value(operand))
            case Binary(op, left, right):
                return binary(op, self.value(left), self.value(right))
            case Cast(_, operand):
                return self.value(operand)
            case Select(Binary(op, left, right), then, _):
                return self._choose(op, left, right, "xy" if then == left else "yx")
        raise AssertionError(f"not checked: {expr!r}")

    def _choose(self, op: str, left: Expr, right: Expr, order: str) -> Text:
        """The lesser or greater of two values, in each lane."""
        values = [self._spread(side) for side in (left, right)]
        if self.reader.is_single:
            first, second = (values["xy".index(which)] for which in order)
            return select(binary(op, *values), first, second)
        names = [Text(f"{which}_") for which in order]
        vector = Text(self.vector_type)
        macros = self.reader.first.macros
        assert macros is not None  # checked
        return macros.call("choose", vector, values[0], Text(op), values[1], *names)

    def _spread(self, expr: Expr) -> Text:
        """A value in all lanes: exactly that, also where it is a zero with a sign."""
        value = self.value(expr)
        if self.reader.is_single or self.reader.varies(expr):
            return value
        return binary("-", value, Text(f"({self.vector_type}){{0}}"))

    def _load(self, expr: Load) -> str:
        if expr == self.reader.target:
            return self.held
        if expr in self.columns:
            return self.columns[expr]
        text = self.reader.first.load(expr).text
        if text not in self.vectors:
            name = self.take("b", len(self.vectors))
            self.vectors[text] = name
            loaded = f"*(const {self.vector_type} *)&{text}"
            if expr.type != self.reader.type:
                loaded = self._widened(expr.type, text)
            self.lines.append(f"const {self.vector_type} {name} = {loaded};")
        return self.vectors[text]

    def _widened(self, short: ScalarType, text: str) -> str:
        """Neighbours of a shorter type, in twice as many bytes at a time.

        gcc 12 takes a vector apart that is to have four times as many.
        """
        assert self.type_of is not None
        long = self.reader.type
        loaded = f"*(const {self.type_of(short)} *)&{text}"
        for type_ in (types.SHORT, types.INT, types.LONG):
            if not short.is_float and short.n_bytes < type_.n_bytes < long.n_bytes:
                loaded = f"__builtin_convertvector({loaded}, {self.type_of(type_)})"
        return f"__builtin_convertvector({loaded}, {self.vector_type})"

    def _scalar(self, expr: Expr) -> Text:
        type_ = self.reader.type
        text = self.reader.first.value(expr)
        if expr.dtype != type_:
            text = cast(type_.name, text)
        is_known = all(isinstance(e, Const | Param) for e in walk(expr))
        is_scalar = isinstance(expr, Load) and not expr.subscripts
        if is_known or is_scalar or self.reader.is_single:
            return text
        if text.text not in self.scalars:
            name = self.take("a", len(self.scalars))
            self.scalars[text.text] = name
            self.lines.append(f"const {type_.name} {name} = {text};")
        return Text(self.scalars[text.text])
