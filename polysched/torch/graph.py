"""A traced tensor program as values: no PyTorch is needed to make or write one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from math import prod
from typing import TypeAlias

from polysched.base import SourceLocation


@dataclass(frozen=True)
class Ref:
    """The value of an input or node, by name."""

    name: str


Argument: TypeAlias = Ref | int | float | bool | str | tuple["Argument", ...] | None


@dataclass(frozen=True)
class Tensor:
    """What is known of a value.

    Attributes
    ----------
    dtype : str
        As NumPy names it.
    shape : tuple of int
        Elements per dimension; empty for a number.
    """

    dtype: str
    shape: tuple[int, ...] = ()

    @property
    def size(self) -> int:
        """How many elements it has."""
        return prod(self.shape)


@dataclass(frozen=True)
class Input:
    """A value that is given at each call.

    Attributes
    ----------
    name : str
        Unique in the graph, a Python identifier.
    tensor : Tensor
        Its type.
    """

    name: str
    tensor: Tensor


@dataclass(frozen=True)
class Node:
    """One operator applied.

    Attributes
    ----------
    name : str
        Unique in the graph, a Python identifier.
    operator : str
        ``aten.add.Tensor``, or ``getitem`` for one of several results.
    arguments : mapping of str to Argument
        By the names of the operator's schema; what is left out has its default.
    results : tuple of Tensor
        What it gives.
    where : SourceLocation, optional
        The line of the user's module that asked for it.
    """

    name: str
    operator: str
    arguments: Mapping[str, Argument]
    results: tuple[Tensor, ...]
    where: SourceLocation | None = field(default=None, compare=False)

    @property
    def tensor(self) -> Tensor:
        """Its first result."""
        return self.results[0]


@dataclass(frozen=True)
class Graph:
    """A traced tensor program: operators in order, each on earlier values.

    Attributes
    ----------
    name : str
        What the function is called, a Python identifier.
    inputs : tuple of Input
        Arguments of a call, weights included.
    nodes : tuple of Node
        In an order in which they can be computed.
    outputs : tuple of Ref
        What is given back.
    """

    name: str
    inputs: tuple[Input, ...]
    nodes: tuple[Node, ...]
    outputs: tuple[Ref, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """Of all values, in order."""
        return (*(i.name for i in self.inputs), *(n.name for n in self.nodes))

    def count_uses(self) -> dict[str, int]:
        """How often each value is read, being given back included."""
        found = dict.fromkeys(self.names, 0)
        for node in self.nodes:
            for argument in node.arguments.values():
                for ref in refs(argument):
                    found[ref.name] += 1
        for ref in self.outputs:
            found[ref.name] += 1
        return found


def refs(argument: Argument) -> Iterator[Ref]:
    """The values that an argument names."""
    if isinstance(argument, Ref):
        yield argument
    elif isinstance(argument, tuple):
        for item in argument:
            yield from refs(item)
