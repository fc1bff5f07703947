"""The parameters of a Python function: binding a call, types of its arguments."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import get_origin

import numpy as np

from polysched.base import FrontendError, PolyschedError, SourceLocation
from polysched.kernel.errors import ArgumentTypeError
from polysched.tensor import (
    ArgType,
    ArrayType,
    ConstantArg,
    Dtype,
    ScalarArg,
    parse_annotation,
    type_of,
)

_KINDS = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.POSITIONAL_ONLY,
          inspect.Parameter.KEYWORD_ONLY)  # fmt: skip
_NO_TYPE = (np.ndarray, inspect.Parameter.empty, object, None)


@dataclass(frozen=True, eq=False)
class KernelSignature:
    """The parameters of a Python function.

    Attributes
    ----------
    function : callable
        The function.
    """

    function: Callable[..., object]

    @cached_property
    def parameters(self) -> tuple[inspect.Parameter, ...]:
        """Its parameters, none of which collects others.

        Raises
        ------
        FrontendError
            If one is ``*args`` or ``**kwargs``.
        """
        found = tuple(inspect.signature(self.function).parameters.values())
        for parameter in found:
            if parameter.kind not in _KINDS:
                raise FrontendError(
                    f"the parameter {str(parameter)!r} takes any number of arguments",
                    where=self.where,
                    hint="give every argument a name",
                )
        return found

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Names of the parameters, in order."""
        return tuple(p.name for p in self.parameters)

    @property
    def where(self) -> SourceLocation:
        """Where the function is defined."""
        code = self.function.__code__
        text = f"def {self.function.__name__}"
        return SourceLocation(code.co_filename, code.co_firstlineno, 0, text)

    @cached_property
    def annotated(self) -> dict[str, ArgType]:
        """Types of the parameters that have one written down."""
        hints = _annotations(self.function)
        found = {}
        for name in self.names:
            hint = hints.get(name)
            if hint in _NO_TYPE or get_origin(hint) is np.ndarray:
                continue
            try:
                found[name] = parse_annotation(hint)
            except FrontendError as error:
                message = f"parameter {name!r}: {error.message}"
                raise FrontendError(
                    message, where=self.where, hint=error.hint
                ) from error
        return found

    def bind(
        self, args: Sequence[object], kwargs: Mapping[str, object]
    ) -> dict[str, object]:
        """Arguments by name, as Python binds them, defaults included.

        Raises
        ------
        TypeError
            In Python's words, as from a call of the function.
        """
        bound = inspect.signature(self.function).bind(*args, **kwargs)
        bound.apply_defaults()
        return dict(bound.arguments)

    def bind_known(
        self, args: Sequence[object], kwargs: Mapping[str, object]
    ) -> dict[str, object]:
        """Arguments by name, with defaults; some may be missing."""
        bound = inspect.signature(self.function).bind_partial(*args, **kwargs)
        bound.apply_defaults()
        return dict(bound.arguments)

    def types_of(self, given: Mapping[str, object]) -> dict[str, ArgType]:
        """Types for given arguments, values or types, in any mixture.

        What is annotated needs no argument; the annotation counts where there is one.

        Raises
        ------
        ArgumentTypeError
            If an argument is of no type that kernels take, or one without annotation
            is missing.
        """
        found = {}
        for name in self.names:
            if name in self.annotated:
                found[name] = self.annotated[name]
            elif name in given:
                found[name] = _type_of(name, given[name])
            else:
                raise ArgumentTypeError(
                    f"{self.function.__name__} needs the type of its parameter "
                    f"{name!r}, which has no annotation",
                    where=self.where,
                    hint=f"annotate it, {name}: "
                    'ps.float64["N", "M"] for instance, or pass an array or its type',
                )
        return found


def key_of(types: Mapping[str, ArgType]) -> tuple[object, ...]:
    """What tells the types of one signature from those of another."""
    return tuple(
        (type(t.value).__name__, repr(t.value)) if isinstance(t, ConstantArg) else t
        for t in types.values()
    )


def sizes_of(
    types: Mapping[str, ArgType], values: Mapping[str, object]
) -> dict[str, int]:
    """Symbolic sizes and integers of a call, where they are known."""
    found: dict[str, int] = {}
    for name, kind in types.items():
        value = values.get(name)
        if isinstance(kind, ArrayType) and isinstance(value, (np.ndarray, ArrayType)):
            for symbol, size in zip(kind.shape, value.shape, strict=False):
                if isinstance(symbol, str) and isinstance(size, int):
                    found.setdefault(symbol, size)
        elif isinstance(kind, ScalarArg) and isinstance(value, (int, np.integer)):
            found[name] = int(value)
    return found


def _type_of(name: str, value: object) -> ArgType:
    if isinstance(value, (ArrayType, ScalarArg, ConstantArg, Dtype)):
        return parse_annotation(value)
    if isinstance(value, type) and value in (int, float, bool):
        return parse_annotation(value)
    try:
        if isinstance(value, np.ndarray):
            check_array_class(name, value)
        return type_of(value)
    except FrontendError as error:
        raise ArgumentTypeError(
            f"argument {name!r}: {error.message}", hint=error.hint
        ) from error


def check_array_class(name: str, array: np.ndarray) -> None:
    """Refuse arrays that mean more than their elements.

    Raises
    ------
    ArgumentTypeError
        For masked arrays and matrices.
    """
    if isinstance(array, (np.ma.MaskedArray, np.matrix)):
        raise ArgumentTypeError(
            f"argument {name!r} is a {type(array).__name__}, expected a plain array",
            hint="pass its elements with np.asarray",
        )


def _annotations(function: Callable[..., object]) -> Mapping[str, object]:
    """Annotations as values, also where they are written as texts."""
    try:
        return inspect.get_annotations(function, eval_str=True)
    except (NameError, SyntaxError, TypeError):
        pass
    known = dict(getattr(function, "__globals__", {}))
    known |= inspect.getclosurevars(function).nonlocals
    found = {}
    for name, text in inspect.get_annotations(function).items():
        if not isinstance(text, str):
            found[name] = text
            continue
        try:
            found[name] = eval(text, known)
        except PolyschedError:
            raise
        except Exception as error:
            raise FrontendError(
                f"the annotation {text!r} of {name!r} cannot be read: {error}",
                hint="names in annotations must be known where the function is",
            ) from error
    return found
