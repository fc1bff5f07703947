"""Why a call does not fit a built kernel, in words; what fits after a conversion."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import combinations

import numpy as np

from polysched.base import PolyschedError
from polysched.kernel.bounds import LARGEST_INTEGER, Reach, name_in_c
from polysched.kernel.cache import Manifest
from polysched.kernel.entry import INTEGERS
from polysched.kernel.errors import (
    ArgumentTypeError,
    ArgumentValueError,
    OutOfBoundsError,
)
from polysched.kernel.signature import check_array_class, key_of
from polysched.tensor import (
    ArgType,
    ArrayType,
    ConstantArg,
    CParameter,
    ElementRange,
    ScalarArg,
)

_EXACT_IN_REAL = 1 << 53


def fit_arguments(manifest: Manifest, given: Mapping[str, object]) -> list[object]:
    """The arguments as the entry takes them, or the reason why it cannot.

    Numbers become Python's, an array of a subclass the plain array on the same memory.
    Whether accesses stay in their arrays is left to the entry, as it is the quicker:
    `find_refusal` says afterwards what it found.

    Parameters
    ----------
    manifest : Manifest
        The built kernel.
    given : mapping of str to object
        Every argument by name, in order.

    Raises
    ------
    ArgumentTypeError, ArgumentValueError
        The first thing that does not fit.
    """
    return _Fitting(manifest).fit(given)


def find_refusal(
    manifest: Manifest, given: Mapping[str, object], name: str
) -> PolyschedError:
    """Why an entry refused arguments that `fit_arguments` takes.

    Parameters
    ----------
    manifest : Manifest
        The built kernel.
    given : mapping of str to object
        Every argument by name, in order.
    name : str
        The kernel's.

    Returns
    -------
    PolyschedError
        About the sizes, or what index arrays hold, or about a fault of ours where
        they are right.
    """
    fitting = _Fitting(manifest)
    fitting.fit(given)
    try:
        fitting.check_sizes()
        fitting.check_elements(given)
    except PolyschedError as error:
        return error
    return PolyschedError(
        f"the call of {name} was refused by its own library",
        hint="Kernel.clear_cache() and try again; please report it if that helps",
    )


@dataclass
class _Fitting:
    manifest: Manifest
    sizes: dict[str, int] = field(default_factory=dict)
    origin: dict[str, str] = field(default_factory=dict)

    def fit(self, given: Mapping[str, object]) -> list[object]:
        types = self.manifest.types
        fitted = {n: self._fit_one(n, types[n], value) for n, value in given.items()}
        arrays = [
            (parameter, fitted[parameter.source])
            for parameter in self.manifest.function.parameters
            if parameter.kind == "array" and parameter.source
        ]
        for parameter, array in arrays:
            assert isinstance(array, np.ndarray)
            _check_layout(parameter, array)
        for (one, a), (other, b) in combinations(arrays, 2):
            _check_overlap(one, a, other, b)
        return list(fitted.values())

    def _fit_one(self, name: str, kind: ArgType, value: object) -> object:
        if isinstance(kind, ArrayType):
            return self._fit_array(name, kind, value)
        if isinstance(kind, ScalarArg):
            return self._fit_scalar(name, kind, value)
        if key_of({name: kind}) != key_of({name: ConstantArg(value)}):
            raise ArgumentTypeError(
                f"argument {name!r} is {value!r}, expected {kind.value!r}"
            )
        return kind.value

    def _fit_array(self, name: str, kind: ArrayType, value: object) -> np.ndarray:
        if not isinstance(value, np.ndarray):
            hint = "convert it with np.asarray, once, outside of the loop"
            raise ArgumentTypeError(
                f"argument {name!r} is of type {type(value).__name__!r}, expected an "
                f"array {kind}",
                hint=hint if isinstance(value, (list, tuple)) else None,
            )
        check_array_class(name, value)
        _check_dtype(name, kind, value)
        if value.ndim != len(kind.shape):
            raise ArgumentValueError(
                f"argument {name!r} has {value.ndim} dimension(s), expected "
                f"{len(kind.shape)}: {kind}"
            )
        for d, (size, expected) in enumerate(zip(value.shape, kind.shape, strict=True)):
            self._fit_size(name, d, size, expected)
        plain = value if type(value) is np.ndarray else value.view(np.ndarray)
        if plain.dtype is not np.dtype(kind.dtype):  # equal, but another object
            plain = plain.view(np.dtype(kind.dtype))
        return plain

    def _fit_size(self, name: str, d: int, size: int, expected: int | str) -> None:
        if isinstance(expected, int):
            if size != expected:
                raise ArgumentValueError(
                    f"dimension {d} of argument {name!r} has the size {size}, expected "
                    f"{expected}"
                )
            return
        known = self.sizes.setdefault(expected, size)
        origin = self.origin.setdefault(expected, f"dimension {d} of {name!r}")
        if known != size:
            raise ArgumentValueError(
                f"dimension {d} of argument {name!r} has the size {size}, expected "
                f"{expected} = {known} as {origin} has it"
            )

    def _fit_scalar(self, name: str, kind: ScalarArg, value: object) -> object:
        if isinstance(value, np.ndarray) and value.ndim == 0:
            value = value[()]
        if kind.dtype == "bool":
            if not isinstance(value, (bool, np.bool_)):
                raise _wrong_scalar(name, kind, value)
            return bool(value)
        if kind.dtype.startswith("float"):
            return _fit_real(name, kind, value)
        found = _fit_integer(name, kind, value)
        known = self.sizes.setdefault(name, found)
        origin = self.origin.setdefault(name, f"the argument {name!r}")
        if known != found:  # the name is that of a size
            raise ArgumentValueError(
                f"argument {name!r} is {found}, expected {known} as {origin} has it"
            )
        if abs(found) > LARGEST_INTEGER and self._is_counted(name):
            raise ArgumentValueError(
                f"argument {name!r} is {found}, too large for a number of iterations"
            )
        return found

    def _is_counted(self, name: str) -> bool:
        """Whether loops or accesses depend on an integer argument."""
        return any(
            p.source == name and p.name in self.manifest.bounds.counted
            for p in self.manifest.function.parameters
        )

    def check_sizes(self) -> None:
        """What accesses and the text need of the sizes."""
        function, bounds = self.manifest.function, self.manifest.bounds
        known = bounds.values(name_in_c(function, self.sizes))
        for reach in bounds.reaches:
            self._check_reach(reach, known)
        for check in function.checks:
            if not check.holds(known):
                raise ArgumentValueError(check.message, where=check.where)

    def check_elements(self, given: Mapping[str, object]) -> None:
        """What the text needs of the elements of index arrays."""
        function, bounds = self.manifest.function, self.manifest.bounds
        known = bounds.values(name_in_c(function, self.sizes))
        for limit in function.ranges:
            source = function.parameter(limit.array).source
            array = given[source]
            assert isinstance(array, np.ndarray)
            _check_range(source, array, limit, limit.limit.evaluate(known))

    def _check_reach(self, reach: Reach, known: Mapping[str, int]) -> None:
        from polysched.kernel.reach import find_element

        element = find_element(reach, known)
        if element is None:
            return
        shape = self.manifest.function.parameter(reach.array).shape(known)
        named = ", ".join(f"{n} = {v}" for n, v in self.sizes.items())
        raise OutOfBoundsError(
            f"{reach.text!r} reaches {reach.array}[{_join(element)}], outside of its "
            f"shape ({_join(shape)})" + (f", for {named}" if named else ""),
            where=reach.where,
        )


def _check_range(name: str, array: np.ndarray, limit: ElementRange, end: int) -> None:
    is_beyond = array < end if limit.kind == "least" else array > end
    if not is_beyond.any():
        return
    first = np.unravel_index(int(np.argmax(is_beyond)), array.shape)
    at = _join(tuple(map(int, first)))
    expected = "at least" if limit.kind == "least" else "at most"
    is_negative = limit.kind == "least" and array[first] < 0
    raise OutOfBoundsError(
        f"argument {name!r} holds {array[first]} at [{at}], expected {expected} {end}: "
        f"{limit.message}",
        where=limit.where,
        hint="indices that data choose do not count from the end: add the size to "
        "negative ones before the call" if is_negative else None,
    )  # fmt: skip


def _fit_real(name: str, kind: ScalarArg, value: object) -> float:
    is_real = isinstance(value, (float, np.floating))
    is_integer = isinstance(value, (int, np.integer)) and not isinstance(value, bool)
    if is_integer and abs(int(value)) > _EXACT_IN_REAL:  # type: ignore[call-overload]
        raise ArgumentValueError(
            f"argument {name!r} is {value!r}, which no {kind} holds exactly"
        )
    if not is_real and not is_integer:
        raise _wrong_scalar(name, kind, value)
    return float(value)  # type: ignore[arg-type]


def _fit_integer(name: str, kind: ScalarArg, value: object) -> int:
    if not isinstance(value, (int, np.integer, np.bool_)):
        raise _wrong_scalar(name, kind, value)
    found = int(value)
    least, most = INTEGERS[kind.dtype]
    if not least <= found <= most:
        what = "too large for" if found > most else "too small for"
        raise ArgumentValueError(f"argument {name!r} is {found}, {what} {kind}")
    return found


def _wrong_scalar(name: str, kind: ScalarArg, value: object) -> ArgumentTypeError:
    return ArgumentTypeError(
        f"argument {name!r} is of type {type(value).__name__!r}, expected {kind}"
    )


def _check_dtype(name: str, kind: ArrayType, array: np.ndarray) -> None:
    if not array.dtype.isnative and array.dtype.newbyteorder() == kind.dtype:
        raise ArgumentTypeError(
            f"argument {name!r} is not in this machine's byte order",
            hint=f"convert it with .astype(np.{kind.dtype})",
        )
    if array.dtype != np.dtype(kind.dtype):
        raise ArgumentTypeError(
            f"argument {name!r} is an array of {array.dtype}, expected {kind.dtype}",
            hint=f"convert it with .astype(np.{kind.dtype})",
        )


def _check_layout(parameter: CParameter, array: np.ndarray) -> None:
    name, is_written = parameter.source, parameter.role != "input"
    if not array.flags.c_contiguous:
        order = "in Fortran's order" if array.flags.f_contiguous else "with gaps"
        hint = f"pass np.ascontiguousarray({name})"
        if is_written:
            hint += ", and copy the result back: the kernel writes to it"
        raise ArgumentValueError(
            f"argument {name!r} lies in memory {order} (shape {array.shape}, strides "
            f"{array.strides}), expected C order without gaps",
            hint=hint,
        )
    if not array.flags.aligned:
        raise ArgumentValueError(
            f"argument {name!r} does not start at a multiple of its item size",
            hint=f"pass {name}.copy()",
        )
    if is_written and not array.flags.writeable:
        raise ArgumentValueError(
            f"argument {name!r} is read-only, and the kernel writes to it",
            hint=f"pass {name}.copy()",
        )


def _check_overlap(one: CParameter, a: object, other: CParameter, b: object) -> None:
    assert isinstance(a, np.ndarray)
    assert isinstance(b, np.ndarray)
    if one.role == "input" and other.role == "input":
        return
    if a.nbytes and b.nbytes and np.may_share_memory(a, b):
        written = one.source if one.role != "input" else other.source
        raise ArgumentValueError(
            f"arguments {one.source!r} and {other.source!r} share memory, and the "
            f"kernel writes to {written!r}",
            hint="pass a copy of one of them",
        )


def _join(values: tuple[int, ...]) -> str:
    return ", ".join(map(str, values))
