"""Reading dumps back: the values that each dumped call left in each array."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from polysched.base import RunError
from polysched.ir import Array, ScalarType, Scop
from polysched.ir.types import BFLOAT
from polysched.runtime.dump_code import DumpCode

Values = npt.NDArray[Any]
_LETTERS = {"float": "f", "int": "i", "uint": "u"}


@dataclass(frozen=True, eq=False)
class Segment:
    """What one call of the region left in one array.

    Attributes
    ----------
    call : int
        Which call, counted from 1.
    array : str
        Name of the array.
    values : ndarray, shape (n_elements,)
        In the order of the rows.
    rows : ndarray of int64, shape (n_rows, 1 + n_dims)
        For each run of consecutive elements its length and first subscripts.
    is_cut : bool
        Whether elements are missing because the dump met its size limit.
    """

    call: int
    array: str
    values: Values
    rows: npt.NDArray[np.int64]
    is_cut: bool

    def subscripts(self, position: int) -> tuple[int, ...]:
        """Where in the array the value at `position` lies."""
        ends = np.cumsum(self.rows[:, 0])
        row = int(np.searchsorted(ends, position, side="right"))
        within = position - int(ends[row] - self.rows[row, 0])
        first = [int(s) for s in self.rows[row, 1:]]
        if first:
            first[-1] += within
        return tuple(first)

    def is_laid_out_as(self, other: Segment) -> bool:
        """Whether the same elements stand in the same order."""
        return (
            (self.call, self.array, self.is_cut)
            == (other.call, other.array, other.is_cut)
            and self.values.dtype == other.values.dtype
            and np.array_equal(self.rows, other.rows)
        )


@dataclass(frozen=True, eq=False)
class Dump:
    """All that one run dumped.

    Attributes
    ----------
    segments : tuple of Segment
        In the order in which they were written.
    parameters : dict
        Largest value of each parameter over the dumped calls.
    n_calls : int
        How often the region was entered, dumped or not.
    """

    segments: tuple[Segment, ...]
    parameters: dict[str, int]
    n_calls: int

    @cached_property
    def n_values(self) -> int:
        """Number of elements."""
        return sum(s.values.size for s in self.segments)

    @property
    def is_cut(self) -> bool:
        """Whether the size limit left something out."""
        return any(s.is_cut for s in self.segments)


def dump_paths(stem: Path) -> tuple[Path, Path, Path]:
    """The files of a dump: data, rows, table of contents."""
    data, rows, toc = (stem.with_name(f"{stem.name}.{s}") for s in _SUFFIXES)
    return data, rows, toc


_SUFFIXES = ("data", "rows", "toc")


def remove_dump(stem: Path) -> None:
    """Delete a dump's files."""
    for path in dump_paths(stem):
        path.unlink(missing_ok=True)


def read_dump(stem: Path, scop: Scop, code: DumpCode) -> Dump:
    """Read what a run wrote.

    Parameters
    ----------
    stem : Path
        The path that was given to the run.
    scop : Scop
        Tells the types of the arrays.
    code : DumpCode
        The code that wrote it.

    Raises
    ------
    RunError
        If the dump is missing, incomplete or inconsistent.
    """
    data_path, rows_path, toc_path = dump_paths(stem)
    try:
        lines = toc_path.read_text(encoding="ascii").splitlines()
        data = np.fromfile(data_path, dtype=np.uint8)
        rows = np.fromfile(rows_path, dtype=np.int64)
    except OSError as error:
        raise RunError("the program left no dump of its results") from error
    except ValueError as error:
        raise RunError("the dump of the results is damaged") from error
    if not lines or not lines[-1].startswith("end "):
        raise RunError("the dump of the results is incomplete")
    reader = _Reader(scop, code, data, rows)
    for line in lines[:-1]:
        reader.read_line(line.split())
    if reader.data_at != data.size or reader.rows_at != rows.size:
        raise RunError("the dump of the results holds more than its table says")
    n_calls = int(lines[-1].split()[1])
    return Dump(tuple(reader.segments), reader.parameters, n_calls)


class _Reader:
    """Walks through a dump, line by line of its table of contents."""

    def __init__(
        self,
        scop: Scop,
        code: DumpCode,
        data: npt.NDArray[np.uint8],
        rows: npt.NDArray[np.int64],
    ) -> None:
        self.scop = scop
        self.code = code
        self.data = data
        self.rows = rows
        self.data_at = 0
        self.rows_at = 0
        self.segments: list[Segment] = []
        self.parameters: dict[str, int] = {}

    def read_line(self, words: list[str]) -> None:
        """Take in one line."""
        try:
            kind, numbers = words[0], [int(w) for w in words[1:]]
            if kind == "parameter":
                _, number, value = numbers
                name = self.code.parameters[number]
                self.parameters[name] = max(value, self.parameters.get(name, value))
            elif kind == "array":
                self._read_array(*numbers)
            else:
                raise ValueError(kind)
        except (IndexError, TypeError, ValueError) as error:
            raise RunError(
                f"the dump of the results is damaged at {' '.join(words)!r}"
            ) from error

    def _read_array(
        self, call: int, number: int, size: int, n_dims: int, n_rows: int,
        n_bytes: int, is_cut: int,
    ) -> None:  # fmt: skip
        array: Array = self.scop.array(self.code.arrays[number])
        width = 1 + n_dims
        rows = self.rows[self.rows_at : self.rows_at + n_rows * width]
        data = self.data[self.data_at : self.data_at + n_bytes]
        dtype = numpy_type(array.type)
        if dtype.itemsize != size:
            raise RunError(
                f"array {array.name!r} has elements of {size} bytes in the program,"
                f" but {array.type.name} has {dtype.itemsize}"
            )
        table = rows.reshape(n_rows, width)
        if data.size != n_bytes or int(table[:, 0].sum()) * size != n_bytes:
            raise RunError(f"the dump of array {array.name!r} is truncated")
        self.rows_at += rows.size
        self.data_at += n_bytes
        values = data.view(dtype)
        if array.type == BFLOAT:
            values = (values.astype(np.uint32) << 16).view(np.float32)
        self.segments.append(Segment(call, array.name, values, table, bool(is_cut)))


def numpy_type(type_: ScalarType) -> np.dtype[Any]:
    """The NumPy type of the bits of a C scalar; it has none for `__bf16` itself."""
    if type_ == BFLOAT:
        return np.dtype(np.uint16)
    return np.dtype(f"{_LETTERS[type_.kind]}{type_.n_bytes}")
