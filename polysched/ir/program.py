"""A source file with its SCoPs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from polysched.base import FrontendError, Shown
from polysched.ir.scop import Scop
from polysched.ir.types import ScalarType


@dataclass(frozen=True)
class FunctionParameter:
    """One parameter of a C function.

    Attributes
    ----------
    name : str
        Its name.
    type : ScalarType or None
        Its type, or the element type of a pointer or array; None for anything else
        (a struct, a pointer to a pointer).
    is_pointer : bool
        Whether it is declared as a pointer or an array.
    """

    name: str
    type: ScalarType | None
    is_pointer: bool


@dataclass(frozen=True)
class Signature:
    """The name and parameters of a function that holds a SCoP.

    Attributes
    ----------
    function : str
        Its name.
    parameters : tuple of FunctionParameter
        In order.
    called_with : tuple of (str, int)
        Parameters and the constants that a call in the file passes for them.
    """

    function: str
    parameters: tuple[FunctionParameter, ...]
    called_with: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True)
class MacroUse:
    """What a macro stood for where a SCoP was read.

    Attributes
    ----------
    name : str
        Its name.
    text : str
        What it stands for once all macros in it are replaced: a constant or a type.
    kind : {"number", "type", "defined", "undefined"}
        Of the last two only that counts, as lines of the region depend on it.
    """

    name: str
    text: str
    kind: Literal["number", "type", "defined", "undefined"] = "number"


@dataclass(frozen=True, eq=False, repr=False)
class Program(Shown):
    """One C source file as the user wrote it, and what was found in it.

    Attributes
    ----------
    path : str
        Path of the file.
    source : bytes
        Its content; everything outside SCoP regions is kept byte for byte.
    scops : tuple of Scop
        Accepted SCoPs in source order.
    refusals : tuple of FrontendError
        One for each region that was refused, and why.
    flags : tuple of str
        Preprocessor flags it was read with (``-I``, ``-D``).
    has_main : bool
        Whether the file defines ``main``.
    signatures : tuple of Signature
        Of the functions that hold SCoPs; a driver is generated from them.
    macros : frozenset of str
        Names of macros that are or were defined, in headers and by the compiler, too.
    macro_uses : mapping of str to tuple of MacroUse
        By name of a SCoP, the macros that what is written for it rests on.
    """

    path: str
    source: bytes
    scops: tuple[Scop, ...]
    refusals: tuple[FrontendError, ...] = ()
    flags: tuple[str, ...] = ()
    has_main: bool = False
    signatures: tuple[Signature, ...] = ()
    macros: frozenset[str] = frozenset()
    macro_uses: Mapping[str, tuple[MacroUse, ...]] = field(default_factory=dict)

    def likely_sizes(self, scop: Scop) -> dict[str, int]:
        """Values of a SCoP's parameters in the file's own call of its function."""
        names = {p.name for p in scop.parameters if p.value is None}
        called = (s.called_with for s in self.signatures if s.function == scop.function)
        return {n: v for pairs in called for n, v in pairs if n in names}

    @property
    def headline(self) -> str:
        """Its file, and how much of it is taken."""
        n, m = len(self.scops), len(self.refusals)
        return f"Program {self.path}: {n} scop{'s' * (n != 1)}, {m} refused"
