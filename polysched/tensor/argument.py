"""Types of a kernel's arguments, and the annotations that state them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from polysched.base import FrontendError
from polysched.tensor.dtypes import NARROW

C_TYPES = {
    "float64": "double", "float32": "float", "int64": "long", "int32": "int",
    "uint32": "unsigned int", "int16": "short", "uint16": "unsigned short",
    "int8": "signed char", "uint8": "unsigned char", "bool": "_Bool",
}  # fmt: skip
ARRAY_DTYPES = tuple(C_TYPES)
KNOWN_DTYPES = (
    "float64, float32, int64, int32, int16, int8, uint32, uint16, uint8 or bool"
)
_HINT = (
    'annotate with float64["N", "M"] (also float32, int64, int32, int16, int8, '
    "uint32, uint16, uint8, bool_), with float64 for a scalar, or with float, int, bool"
)


@dataclass(frozen=True)
class ArrayType:
    """A C-contiguous NumPy array of one signature.

    Attributes
    ----------
    dtype : str
        "float64", "float32", "int64", "int32", "int16", "int8", "uint32", "uint16",
        "uint8" or "bool".
    shape : tuple of (int or str)
        Elements per dimension; a string names a symbolic size: dimensions with the
        same name have the same size, in one argument and across all of them.
    """

    dtype: str
    shape: tuple[int | str, ...]

    def __str__(self) -> str:
        inner = ", ".join(str(s) for s in self.shape)
        return f"{self.dtype}[{inner}]"


@dataclass(frozen=True)
class ScalarArg:
    """A number that may differ from call to call.

    Attributes
    ----------
    dtype : str
        "float64", "float32", "int64", "int32", "int16", "int8", "uint32", "uint16",
        "uint8" or "bool".
    is_weak : bool
        Whether it is a Python number (``float``, ``int``): it takes the type of the
        array it meets, as in NumPy 2. A NumPy scalar (``np.float64(2)``) does not.
    """

    dtype: str
    is_weak: bool = True

    def __str__(self) -> str:
        return self.dtype if not self.is_weak else _PYTHON_NAMES[self.dtype]


@dataclass(frozen=True)
class ConstantArg:
    """An argument whose value is part of the signature.

    Attributes
    ----------
    value : None, bool, int, float, str, or a tuple of these
        The value; conditions on it are decided while the function is read.
    """

    value: object

    def __str__(self) -> str:
        return repr(self.value)


ArgType = ArrayType | ScalarArg | ConstantArg
_PYTHON_NAMES = {
    "float64": "float", "float32": "float", "int64": "int", "int32": "int",
    "bool": "bool",
}  # fmt: skip


@dataclass(frozen=True)
class Dtype:
    """An annotation: itself for a scalar, subscripted with sizes for an array."""

    name: str

    def __getitem__(self, shape: int | str | tuple[int | str, ...]) -> ArrayType:
        sizes = shape if isinstance(shape, tuple) else (shape,)
        for size in sizes:
            if isinstance(size, str) and not size.isidentifier():
                raise FrontendError(
                    f"a size is a name or a number, found {size!r}", hint=_HINT
                )
            if isinstance(size, bool) or not isinstance(size, (int, str)):
                raise FrontendError(
                    f"a size is a name or a number, found {size!r}", hint=_HINT
                )
            if isinstance(size, int) and size < 0:
                raise FrontendError(f"found the size {size}, which is negative")
        return ArrayType(self.name, sizes)

    def __repr__(self) -> str:
        return f"polysched.{self.name}{'_' if self.name == 'bool' else ''}"


float64 = Dtype("float64")
float32 = Dtype("float32")
int64 = Dtype("int64")
int32 = Dtype("int32")
int16 = Dtype("int16")
int8 = Dtype("int8")
uint32 = Dtype("uint32")
uint16 = Dtype("uint16")
uint8 = Dtype("uint8")
bool_ = Dtype("bool")

_PLAIN: dict[object, ScalarArg] = {
    float: ScalarArg("float64"),
    int: ScalarArg("int64"),
    bool: ScalarArg("bool"),
    np.float64: ScalarArg("float64", is_weak=False),
    np.float32: ScalarArg("float32", is_weak=False),
    np.int64: ScalarArg("int64", is_weak=False),
    np.int32: ScalarArg("int32", is_weak=False),
    **{getattr(np, n): ScalarArg(n, is_weak=False) for n in NARROW},
    np.bool_: ScalarArg("bool"),
    "float": ScalarArg("float64"),
    "int": ScalarArg("int64"),
    "bool": ScalarArg("bool"),
}


def parse_annotation(annotation: object) -> ArgType:
    """The argument type that an annotation states.

    Parameters
    ----------
    annotation : object
        ``float64["N", 3]`` (an `ArrayType`), ``float64`` (a `Dtype`: a scalar that is
        weak, as a Python number, but for integers of 8 and 16 bits and ``uint32``),
        ``float``,
        ``int``, ``bool``, a NumPy scalar type, or an `ArgType`.

    Raises
    ------
    FrontendError
        If it states no such type.

    Examples
    --------
    >>> str(parse_annotation(float64["N", 4])), str(parse_annotation(int))
    ('float64[N, 4]', 'int')
    """
    if isinstance(annotation, (ArrayType, ScalarArg, ConstantArg)):
        return annotation
    if isinstance(annotation, Dtype):
        return ScalarArg(annotation.name, is_weak=annotation.name not in NARROW)
    try:
        found = _PLAIN.get(annotation)
    except TypeError:
        found = None
    if found is None:
        raise FrontendError(
            f"the annotation {annotation!r} states no argument type", hint=_HINT
        )
    return found


def type_of(value: object) -> ArgType:
    """The type of an argument of a call; the shape of an array becomes constant.

    Raises
    ------
    FrontendError
        If a kernel takes no such argument.
    """
    if isinstance(value, np.ndarray):
        if value.dtype.name not in ARRAY_DTYPES:
            raise FrontendError(
                f"found an array of {value.dtype}, kernels take {KNOWN_DTYPES}",
                hint="convert it with .astype(...)",
            )
        return ArrayType(value.dtype.name, value.shape)
    if isinstance(value, (bool, np.bool_)):
        return ScalarArg("bool")
    if isinstance(value, np.generic) and value.dtype.name in ARRAY_DTYPES:
        return ScalarArg(value.dtype.name, is_weak=False)
    if isinstance(value, (int, float)):
        return _PLAIN[float if isinstance(value, float) else int]
    if value is None or isinstance(value, (str, tuple)):
        return ConstantArg(value)
    raise FrontendError(
        f"found an argument of type {type(value).__name__!r}",
        hint="kernels take NumPy arrays and numbers; strings, None and tuples of "
        "numbers become constants",
    )
