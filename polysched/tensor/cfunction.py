"""What a Python function becomes: C text, and all that a caller must know of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from types import CodeType
from typing import Literal

from polysched.base import SourceLocation

ParameterKind = Literal["size", "scalar", "array"]
Role = Literal["input", "output", "inout", "temporary", "result"]
ReturnKind = Literal["none", "argument", "array", "scalar", "constant", "tuple"]


@dataclass(frozen=True)
class SizeExpr:
    """An integer, or a condition, over sizes and integer scalar arguments.

    Attributes
    ----------
    python, c : str
        The expression in either language; ``//`` rounds down, the C text uses ``/`` on
        non-negative numbers only, and no macro or function.
    """

    python: str
    c: str

    @cached_property
    def _code(self) -> CodeType:
        return compile(self.python, "<size>", "eval")

    def evaluate(self, values: Mapping[str, int]) -> int:
        """The value for given sizes and scalars (by their C parameter names)."""
        scope = {"__builtins__": {}, "min": min, "max": max, **values}
        return int(eval(self._code, scope))

    def __str__(self) -> str:
        return self.python


@dataclass(frozen=True)
class CParameter:
    """One parameter of the C function.

    Attributes
    ----------
    name : str
        The C identifier.
    kind : {"size", "scalar", "array"}
        A size is a ``long`` that the shapes of the arguments give; it is named as the
        symbolic size.
    dtype : str
        NumPy's name of the (element) type.
    c_type : str
        C's name of it: "double", "float", "long", "int", "_Bool".
    source : str
        The Python parameter that it stands for; the symbolic size's name for a size;
        empty for temporaries and results.
    role : str
        For arrays: "input" is only read, "output" only written (elements that are not
        written keep their value), "inout" both; "temporary" and "result" are to be
        allocated by the caller for each call, uninitialised and aligned as it likes.
        Nothing is to be read from a temporary afterwards. "input" for the others.
    extents : tuple of SizeExpr
        Elements per dimension of an array, never negative; empty for a result that is
        one number, for which the C parameter points at one element.
    where : SourceLocation, optional
        Where a temporary or result comes from in the Python source.
    is_flat : bool
        Whether the C text has it as one row of all elements; accesses of it stay inside
        where `CFunction.checks` hold.
    """

    name: str
    kind: ParameterKind
    dtype: str
    c_type: str
    source: str = ""
    role: Role = "input"
    extents: tuple[SizeExpr, ...] = ()
    where: SourceLocation | None = None
    is_flat: bool = False

    def shape(self, values: Mapping[str, int]) -> tuple[int, ...]:
        """Elements per dimension for given sizes and scalars."""
        return tuple(e.evaluate(values) for e in self.extents)


@dataclass(frozen=True)
class Returned:
    """What a call of the Python function gives back.

    Attributes
    ----------
    kind : str
        "none"; "argument": the array passed as `name`, the same object; "array": the
        result parameter `name`; "scalar": its only element, as a NumPy scalar of its
        dtype if `is_weak` is False, else as a Python number; "constant": `value`;
        "tuple": of `items`.
    name : str
        The Python parameter ("argument") or the C parameter ("array", "scalar").
    is_weak : bool
        Whether a scalar is a Python number.
    value : object
        A constant.
    items : tuple of Returned
        Members of a tuple.
    """

    kind: ReturnKind
    name: str = ""
    is_weak: bool = False
    value: object = None
    items: tuple[Returned, ...] = ()


@dataclass(frozen=True)
class Check:
    """A condition on sizes and integer scalars without which the C text is not right.

    Attributes
    ----------
    condition : SizeExpr
        Over the names of size and scalar parameters; it must hold (be non-zero).
    message : str
        What is wrong when it does not, as a sentence without full stop.
    where : SourceLocation, optional
        Place in the Python source.
    """

    condition: SizeExpr
    message: str
    where: SourceLocation | None = None

    def holds(self, values: Mapping[str, int]) -> bool:
        """Whether the condition is true for these sizes and scalars."""
        return bool(self.condition.evaluate(values))


@dataclass(frozen=True)
class ElementRange:
    """A limit of what an index array holds without which the C text reaches elsewhere.

    Attributes
    ----------
    array : str
        The C parameter, an array of integers that is only read.
    kind : {"least", "most"}
        Whether no element is to be less than the limit, or none greater.
    limit : SizeExpr
        Over the names of size and scalar parameters.
    message : str
        What is wrong when an element is beyond it, as a sentence without full stop.
    where : SourceLocation, optional
        Place in the Python source.
    """

    array: str
    kind: Literal["least", "most"]
    limit: SizeExpr
    message: str
    where: SourceLocation | None = None


@dataclass(frozen=True)
class PythonLine:
    """Where a line of the C text comes from.

    Attributes
    ----------
    where : SourceLocation
        Place in the Python source.
    text : str
        The Python statement, on one line.
    is_unordered : bool
        Whether the line adds a term to a sum of NumPy's (``@``, ``np.sum``), which
        promises no order of additions; never for what the Python text adds up itself.
    """

    where: SourceLocation
    text: str
    is_unordered: bool = False


@dataclass(frozen=True)
class CFunction:
    """A Python function for one signature, as C.

    Attributes
    ----------
    name : str
        The C function's name; it returns ``void``.
    text : str
        A whole C file: includes, helper functions (pure), and the function, with one
        ``#pragma scop``. Arithmetic wraps in int64 as NumPy's does: compile with
        ``-fwrapv``. `-ffast-math` and the like are not to be used: NaN is kept.
    parameters : tuple of CParameter
        In the C function's order: sizes, scalars, then arrays (arguments, results,
        temporaries).
    returns : Returned
        What the Python function gives back.
    lines : dict of int to PythonLine
        By line of `text`, counted from 1.
    checks : tuple of Check
        To be checked at each call, before anything is allocated; an access that may
        leave an array is not among them: compute that from the SCoP (outermost
        extents are in `parameters`).
    sources : tuple of str
        Source texts of all Python functions that went into it, and the constants that
        were read from their modules; part of a cache key.
    ranges : tuple of ElementRange
        What every element of index arrays has to keep to, to be checked at each call,
        before anything runs: the text itself does not.
    index_arrays : tuple of str
        Arguments whose elements choose elements of others, by their C names.
    """

    name: str
    text: str
    parameters: tuple[CParameter, ...]
    returns: Returned
    lines: Mapping[int, PythonLine]
    checks: tuple[Check, ...] = ()
    sources: tuple[str, ...] = ()
    ranges: tuple[ElementRange, ...] = ()
    index_arrays: tuple[str, ...] = ()

    def parameter(self, name: str) -> CParameter:
        """The parameter of that C name."""
        return next(p for p in self.parameters if p.name == name)

    @property
    def temporaries(self) -> tuple[CParameter, ...]:
        """Arrays that hold no value after the call."""
        return tuple(p for p in self.parameters if p.role == "temporary")

    @property
    def results(self) -> tuple[CParameter, ...]:
        """Arrays and numbers that the caller allocates and gives back."""
        return tuple(p for p in self.parameters if p.role == "result")
