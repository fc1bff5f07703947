"""Which values an array of indices may hold, so that data can be made up for it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass

from polysched.base import RunError
from polysched.ir import (
    Action,
    Array,
    Assign,
    Binary,
    Cast,
    Element,
    Expr,
    Iter,
    Let,
    Local,
    Range,
    Scop,
    Select,
    Statement,
    Unary,
    action_expressions,
    evaluate_size,
    inner_actions,
    map_expr,
    range_of_type,
    walk,
)
from polysched.runtime.rounding import fix_parameters


def find_places(
    scops: Sequence[Scop], parameters: Mapping[str, int]
) -> dict[str, Range]:
    """What arrays of the caller may hold that say which elements are reached.

    What the region counts itself, as the place of the least element so far, is right
    whatever the data are, and asks for nothing.

    Parameters
    ----------
    scops : sequence of Scop
        All of a function.
    parameters : mapping of str to int
        Its sizes.

    Returns
    -------
    dict of str to Range
        By the array's name in the source: values with which every subscript made of
        them lies within what the arrays are declared to have.

    Raises
    ------
    RunError
        If a place is told in another way than by one element, times a size perhaps,
        and something added; if an array's size is not declared, or nothing fits.
    """
    found: dict[str, Range] = {}
    for scop in scops:
        for name, own in _Places(scop, parameters).find():
            before = found.get(name, own)
            both = Range(max(before.low, own.low), min(before.high, own.high))
            if both.low > both.high:
                raise RunError(
                    f"no value of {name!r} says an element of all the arrays that it "
                    "is for",
                    hint="give larger sizes, or add a main that calls the function",
                )
            found[name] = both
    return found


@dataclass(frozen=True)
class _Linear:
    """``factor * index + rest``, the rest anywhere in a range."""

    factor: int
    rest: Range

    def fitting(self, n: int) -> Range:
        """Values of the index for which it lies in 0 to n - 1; perhaps none."""
        low, high = -self.rest.low, n - 1 - self.rest.high
        if self.factor < 0:
            low, high = -high, -low
        step = abs(self.factor)
        return Range(-(-low // step), high // step)


class _Places:
    """The places of one region that its caller's arrays say."""

    def __init__(self, scop: Scop, parameters: Mapping[str, int]) -> None:
        self.scop = scop
        self.parameters = parameters = scop.with_products(parameters)
        self._settings: dict[str, list[tuple[str, Expr]]] = {}
        for statement in scop.statements:
            for action in statement.body:
                for name, op, value in _settings(action):
                    self._settings.setdefault(name, []).append((op, value))
        self._given = self._from_caller()
        known = {p.name for p in scop.parameters} & parameters.keys()
        self._sizes = fix_parameters({name: parameters[name] for name in known})

    def find(self) -> Iterator[tuple[str, Range]]:
        """Names of arrays of indices, and values that fit each of their uses."""
        for statement in self.scop.statements:
            for element in _elements(statement):
                array = self.scop.array(element.array)
                for k, subscript in enumerate(element.subscripts):
                    if _mentions(subscript, self._given):
                        yield self._use(statement, array, k, subscript)

    def _from_caller(self) -> frozenset[str]:
        """Names whose values are made of what is there before the region."""
        given = {a.name for a in self.scop.arrays if a.live_in}
        while True:
            more = {
                name
                for name, values in self._settings.items()
                if any(_mentions(value, given) for _, value in values)
            }
            if more <= given:
                return frozenset(given)
            given |= more

    def _use(
        self, statement: Statement, array: Array, k: int, subscript: Expr
    ) -> tuple[str, Range]:
        """The array of indices in a subscript, and what may be in it."""
        subscript = self._resolved(subscript)
        indices = {
            e for e in walk(subscript) if isinstance(e, Element) and self._is_index(e)
        }
        extent = array.extents[k] if k < len(array.extents) else None
        n = None if extent is None else evaluate_size(extent, self.parameters)
        found = None
        if len(indices) == 1 and n is not None:
            (index,) = indices
            found = self._linear(statement, subscript, index)
        if found is None or n is None or not found.factor:
            declare = "" if extent is not None else "declare the array's size, or "
            raise RunError(
                f"data of {self.scop.function!r} say which elements of "
                f"{array.source_name!r} are reached; they cannot be made up",
                hint=f"{declare}add a main that calls the function",
            )
        source = self.scop.array(index.array)
        fits, of_type = found.fitting(n), range_of_type(source.type)
        return source.source_name, Range(
            max(fits.low, of_type.low), min(fits.high, of_type.high)
        )

    def _is_index(self, element: Element) -> bool:
        """Whether it is an integer of the caller's that the region never writes."""
        array = self.scop.array(element.array)
        return (
            array.storage == "parameter"
            and not array.is_scalar
            and not array.type.is_float
            and array.name not in self._settings
        )

    def _resolved(self, expr: Expr) -> Expr:
        """The expression with variables that get one value in place of that value."""

        def change(node: Expr) -> Expr | None:
            name = _variable(node)
            values = self._settings.get(name, []) if name else []
            if len(values) == 1 and values[0][0] == "=":
                return self._resolved(values[0][1])
            return None

        return map_expr(expr, change)

    def _linear(
        self, statement: Statement, expr: Expr, index: Element
    ) -> _Linear | None:
        """A subscript by the index in it; None where it is something else."""
        if expr == index:
            return _Linear(1, Range(0, 0))
        known = evaluate_size(expr, self.parameters)
        if known is not None:
            return _Linear(0, Range(known, known))
        match expr:
            case Iter(name):
                return self._iterator(statement, name)
            case Cast(type_, operand) if not type_.is_float:
                return self._linear(statement, operand, index)
            case Unary("-", operand):
                return _scaled(self._linear(statement, operand, index), -1)
            case Binary("+" | "-" as op, left, right):
                sign = 1 if op == "+" else -1
                one = self._linear(statement, left, index)
                other = _scaled(self._linear(statement, right, index), sign)
                return _sum(one, other)
            case Binary("*", left, right):
                for factor, rest in ((left, right), (right, left)):
                    by = evaluate_size(factor, self.parameters)
                    if by is not None:
                        return _scaled(self._linear(statement, rest, index), by)
        return None

    def _iterator(self, statement: Statement, name: str) -> _Linear | None:
        k = statement.iterators.index(name)
        domain = statement.domain.intersect_params(self._sizes)
        low, high = domain.dim_min_val(k), domain.dim_max_val(k)
        if not low.is_int() or not high.is_int():
            return None
        return _Linear(0, Range(int(low.to_python()), int(high.to_python())))


def _elements(statement: Statement) -> Iterator[Element]:
    for action in statement.body:
        for top in action_expressions(action):
            yield from (e for e in walk(top) if isinstance(e, Element))


def _settings(action: Action) -> Iterator[tuple[str, str, Expr]]:
    """Names of variables and arrays that get values, how, and the values."""
    match action:
        case Assign(target, op, value):
            yield target.array, op, value
        case Let(local, op, Expr() as value):
            yield local.name, op, value
    for inner in inner_actions(action):
        yield from _settings(inner)


def _variable(expr: Expr) -> str:
    """The name of a variable, or of an array of its values; empty for others."""
    match expr:
        case Local(name, _):
            return name
        case Element(name, _, _):
            return name
    return ""


def _mentions(expr: Expr, names: Set[str]) -> bool:
    """Whether its value, not only the choice of one, is made of some of the names."""
    match expr:
        case Select(_, then, other):
            return _mentions(then, names) or _mentions(other, names)
        case Element(array, subscripts, _):
            return array in names or any(_mentions(s, names) for s in subscripts)
        case Local(name, _):
            return name in names
    return any(_mentions(e, names) for e in expr.operands)


def _scaled(one: _Linear | None, by: int) -> _Linear | None:
    if one is None:
        return None
    ends = sorted((one.rest.low * by, one.rest.high * by))
    return _Linear(one.factor * by, Range(ends[0], ends[1]))


def _sum(one: _Linear | None, other: _Linear | None) -> _Linear | None:
    if one is None or other is None:
        return None
    rest = Range(one.rest.low + other.rest.low, one.rest.high + other.rest.high)
    return _Linear(one.factor + other.factor, rest)
