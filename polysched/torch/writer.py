"""Values on their way into the text of a NumPy function, and the lines written so far.

A value is an expression as text. Views (slices, transpositions) and elementwise
expressions are not given a line of their own while they are read once: they become part
of the expression that reads them, so that one line stands for what one loop computes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import NoReturn

from polysched.base import UnsupportedSyntaxError
from polysched.torch.graph import Argument, Graph, Node, Ref, Tensor, refs

# how tightly the outermost operator of an expression binds, as in Python
COMPARE, OR, AND, ADD, MUL, NEG, POW, ATOM = range(8)
_MAX_TEXT = 60  # characters of an expression that becomes part of another
_NUMBERS = (int, float)
_KIND = {"bool": 0, "int32": 1, "int64": 1, "float32": 2, "float64": 2}


class Kind(Enum):
    """What it takes to have a value."""

    NAME = "a name: an array that is there"
    VIEW = "elements of arrays that are there"
    ELEMENTWISE = "arithmetic for each element"
    CONSTANT = "a number that is the same everywhere"


@dataclass(frozen=True)
class Value:
    """A value as an expression.

    Attributes
    ----------
    text : str
        Python text.
    tensor : Tensor
        Its type.
    kind : Kind
        What it takes to have it.
    level : int
        How tightly its outermost operator binds.
    """

    text: str
    tensor: Tensor
    kind: Kind = Kind.NAME
    level: int = ATOM

    def at(self, level: int) -> str:
        """Its text as an operand of an operator that binds as tightly as `level`."""
        return self.text if self.level >= level else f"({self.text})"


def elementwise(text: str, tensor: Tensor, level: int = ATOM) -> Value:
    """A value computed element by element."""
    return Value(text, tensor, Kind.ELEMENTWISE, level)


def view(text: str, tensor: Tensor) -> Value:
    """A view of arrays that are there."""
    return Value(text, tensor, Kind.VIEW)


class Writer:
    """The lines of a function's body, and the values that they have so far.

    Parameters
    ----------
    graph : Graph
        What is written.
    """

    def __init__(self, graph: Graph) -> None:
        self.lines: list[tuple[str, Node | None]] = []
        self.values: dict[str, Value | tuple[Value | None, ...]] = {}
        self.node: Node = Node("", "", {}, ())
        self._uses = graph.count_uses()
        self._items = {
            (ref.name, node.arguments.get("index"))
            for node in graph.nodes
            if node.operator == "getitem"
            for ref in refs(node.arguments["of"])
        }
        self._nodes = {n.name: n for n in graph.nodes}
        self._taken = {*graph.names, graph.name}

    def reads(self, index: int) -> bool:
        """Whether something reads one of the node's several results."""
        return (self.node.name, index) in self._items

    def line(self, text: str, depth: int = 0) -> None:
        """Write a line, `depth` loops deep."""
        self.lines.append(("    " * depth + text, self.node))

    def new_name(self, purpose: str) -> str:
        """A name for an intermediate of the node."""
        base = f"{self.node.name}_{purpose}"
        name, k = base, 2
        while name in self._taken:
            name, k = f"{base}_{k}", k + 1
        self._taken.add(name)
        return name

    def refuse(self, found: str, hint: str) -> NoReturn:
        """Refuse the node.

        Raises
        ------
        UnsupportedSyntaxError
            Always; it names the node, its operator and the line of the user's module.
        """
        node = self.node
        raise UnsupportedSyntaxError(
            f"node {node.name!r}, {node.operator}: {found}", where=node.where, hint=hint
        )

    # what a node is given

    def argument(self, name: str, default: Argument = None) -> Argument:
        """An argument of the node, or its default."""
        return self.node.arguments.get(name, default)

    def has(self, name: str) -> bool:
        """Whether an argument is there and not None."""
        return self.node.arguments.get(name) is not None

    def expect(self, name: str, accepted: Argument) -> None:
        """Refuse the node unless an argument has the only value that is taken."""
        found = self.argument(name, accepted)
        if found != accepted:
            self.refuse(f"found {name}={found!r}", f"{name}={accepted!r} is taken")

    def integers(
        self, name: str, default: tuple[int, ...] = (), n: int = 0
    ) -> tuple[int, ...]:
        """A list of integers; one integer, or a list of one, stands for `n` of them."""
        found = self.argument(name, default)
        items = found if isinstance(found, tuple) else (found,)
        numbers = tuple(i for i in items if isinstance(i, int))
        if len(numbers) != len(items):
            self.refuse(f"{name} is {found!r}", "sizes have to be known integers")
        return numbers * n if n and len(numbers) == 1 else numbers

    def integer(self, name: str, default: int = 0) -> int:
        """An integer."""
        return self.integers(name, (default,))[0]

    def number(self, name: str, default: float = 0) -> float:
        """A number."""
        found = self.argument(name, default)
        if not isinstance(found, _NUMBERS):
            self.refuse(f"{name} is {found!r}", f"{name} has to be a number")
        return found

    def tensor(self, argument: Argument) -> Tensor | None:
        """The type of an operand; None for a number."""
        return self._value(argument).tensor if isinstance(argument, Ref) else None

    def axes(self, name: str, rank: int) -> tuple[int, ...]:
        """Axes counted from the front; all of them when none are named."""
        found = self.argument(name)
        if found is None or found == ():
            return tuple(range(rank))
        return tuple(sorted(axis % max(rank, 1) for axis in self.integers(name)))

    def axis(self, name: str, rank: int, default: int = 0) -> int:
        """One axis counted from the front."""
        return self.integer(name, default) % max(rank, 1)

    # operands as text

    def array(self, argument: Argument) -> Value:
        """An operand that is there: a name or a view, computed now if it is not."""
        value = self._value(argument)
        if value.kind in (Kind.NAME, Kind.VIEW):
            return value
        assert isinstance(argument, Ref)
        return self._give_name(argument, value)

    def name(self, argument: Argument) -> Value:
        """An operand that has a name, to be read more than once."""
        value = self._value(argument)
        if value.kind is Kind.NAME:
            return value
        assert isinstance(argument, Ref)
        return self._give_name(argument, value)

    def operand(
        self,
        argument: Argument,
        level: int,
        dtype: str = "",
        shape: Sequence[int] | None = None,
    ) -> str:
        """An operand of an elementwise expression.

        Parameters
        ----------
        argument : Argument
            A value or number.
        level : int
            How tightly the operator around it binds.
        dtype : str
            The type to compute in; its own by default.
        shape : sequence of int
            Of the expression. Arithmetic whose value is read there more than once per
            element is given a name first.
        """
        if not isinstance(argument, Ref):
            return self._number(argument, level)
        value = self._value(argument)
        is_repeated = shape is not None and tuple(shape) != value.tensor.shape
        if value.kind is Kind.ELEMENTWISE and is_repeated:
            value = self._give_name(argument, value)
        if dtype and dtype != value.tensor.dtype:
            value = cast(value, dtype)
        return value.at(level)

    def _number(self, argument: Argument, level: int) -> str:
        if not isinstance(argument, _NUMBERS):
            self.refuse(f"found the operand {argument!r}", "numbers are taken")
        return constant(argument, level)

    def _value(self, argument: Argument) -> Value:
        assert isinstance(argument, Ref), argument
        found = self.values[argument.name]
        assert isinstance(found, Value), argument
        return found

    def _give_name(self, ref: Ref, value: Value) -> Value:
        node = self._nodes.get(ref.name)
        self.lines.append((f"{ref.name} = {value.text}", node))
        named = Value(ref.name, value.tensor)
        self.values[ref.name] = named
        return named

    # results

    def keep(self, node: Node, result: Value | tuple[Value | None, ...]) -> None:
        """Note the value of a node; it is computed now if that is to happen once."""
        self.values[node.name] = result
        if isinstance(result, tuple):
            return
        is_short = len(result.text) <= _MAX_TEXT
        is_free = result.kind is Kind.CONSTANT and is_short
        if result.kind is Kind.NAME or is_free:
            return
        if self._uses[node.name] > 1 or not is_short:
            self._give_name(Ref(node.name), result)


def cast(value: Value, dtype: str) -> Value:
    """The value as another type."""
    text = f"{value.at(ATOM)}.astype(np.{numpy_name(dtype)})"
    kind = Kind.CONSTANT if value.kind is Kind.CONSTANT else Kind.ELEMENTWISE
    return Value(text, Tensor(dtype, value.tensor.shape), kind)


def numpy_name(dtype: str) -> str:
    """A type's name in NumPy's module."""
    return "bool_" if dtype == "bool" else dtype


def constant(number: float | bool, level: int = ATOM) -> str:
    """A number as Python text."""
    if number != number:
        return "np.nan"
    if number in (float("inf"), float("-inf")):
        return "np.inf" if number > 0 else _negative("np.inf", level)
    text = repr(abs(number)) if not isinstance(number, bool) else repr(number)
    is_negative = not isinstance(number, bool) and str(number).startswith("-")
    return _negative(text, level) if is_negative else text


def _negative(text: str, level: int) -> str:
    return f"-{text}" if level <= NEG else f"(-{text})"


def join(parts: Iterable[object]) -> str:
    """Items separated by commas, with one behind a single item, as in a tuple."""
    items = [str(p) for p in parts]
    return f"{items[0]}," if len(items) == 1 else ", ".join(items)


def promoted(operands: Iterable[Tensor | float | bool]) -> str:
    """The type in which PyTorch combines operands.

    Arrays count before numbers of their kind (truth values, integers, floats), and
    tensors without dimensions before Python's numbers.
    """
    ranked: list[list[str]] = [[], [], []]
    for operand in operands:
        if isinstance(operand, Tensor):
            ranked[0 if operand.shape else 1].append(operand.dtype)
        elif isinstance(operand, bool):
            ranked[2].append("bool")
        else:
            ranked[2].append("float32" if isinstance(operand, float) else "int64")
    result = "bool"
    for k, dtypes in enumerate(ranked):
        found = max(dtypes, key=lambda d: (_KIND[d], d), default="bool")
        if _KIND[found] > _KIND[result] or (k == 0 and dtypes):
            result = found
    return result
