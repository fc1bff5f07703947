"""Functions of the user's file, for printers whose code cannot call the file's own."""

from __future__ import annotations

from dataclasses import dataclass

from polysched.ir.actions import Action
from polysched.ir.expr import Local
from polysched.ir.types import ScalarType


@dataclass(frozen=True)
class Function:
    """A function that computes a number from numbers, and changes nothing.

    Attributes
    ----------
    name : str
        In the file.
    type : ScalarType
        Of what it returns.
    parameters : tuple of Local
        What it takes, in its order.
    body : tuple of Action
        What it does, up to a `Return`. All variables have names of their own.
    """

    name: str
    type: ScalarType
    parameters: tuple[Local, ...]
    body: tuple[Action, ...]
