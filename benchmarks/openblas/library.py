"""Calls of the OpenBLAS in NumPy's wheels for operations that NumPy does not name."""

import ctypes
import runpy
from pathlib import Path

import numpy as np

ROWS, COLUMNS = 101, 102  # order of the elements, as cblas.h numbers it
PLAIN, TRANSPOSED = 111, 112
UPPER, LOWER = 121, 122
UNIT = 132
LEFT = 141
_PREFIX, _SUFFIX = "scipy_", "64_"
_INTEGER = ctypes.c_int64


def filled(name, **sizes):
    """Arrays as an example fills them, by its NumPy form."""
    examples = Path(__file__).resolve().parents[2] / "examples" / "numpy"
    return runpy.run_path(str(examples / f"{name}.py"))["inputs"](**sizes)


def load():
    """The library of this process's NumPy.

    Raises
    ------
    RuntimeError
        If NumPy is not from a wheel with OpenBLAS.
    """
    folder = Path(np.__file__).resolve().parent.parent / "numpy.libs"
    found = sorted(folder.glob("libscipy_openblas64_*"))
    if not found:
        raise RuntimeError(
            f"found no libscipy_openblas64_* in {str(folder)!r}, expected a NumPy wheel"
            " with OpenBLAS"
        )
    return ctypes.CDLL(str(found[0]))


def call(name, *arguments):
    """Call ``cblas_NAME``: numbers are passed as they are, arrays as pointers."""
    getattr(load(), f"{_PREFIX}cblas_{name}{_SUFFIX}")(*map(_passed, arguments))


def factor(name, *arguments):
    """Call LAPACK's NAME, whose arguments are all pointers; the last one is its status.

    Raises
    ------
    RuntimeError
        If the status is not 0.
    """
    status = _INTEGER(0)
    cells = [
        ctypes.c_char(a.encode())
        if isinstance(a, str)
        else a
        if isinstance(a, np.ndarray)
        else _INTEGER(a)
        for a in arguments
    ]
    pointers = [
        c.ctypes.data_as(ctypes.c_void_p)
        if isinstance(c, np.ndarray)
        else ctypes.byref(c)
        for c in cells
    ]
    getattr(load(), f"{_PREFIX}{name}_{_SUFFIX}")(*pointers, ctypes.byref(status))
    if status.value:
        raise RuntimeError(f"{name} ended with status {status.value}")


def _passed(argument):
    if isinstance(argument, np.ndarray):
        return argument.ctypes.data_as(ctypes.c_void_p)
    if isinstance(argument, float):
        return ctypes.c_double(argument)
    return _INTEGER(argument)
