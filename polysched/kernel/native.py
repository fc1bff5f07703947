"""A built library in this process: loaded, compared with Python, ready to be called."""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path

import numpy as np

from polysched.base import PolyschedError
from polysched.kernel.entry_table import API, OBJECTS
from polysched.kernel.entry_team import TEAM_BYTES

Entry = Callable[..., object]

_FASTCALL = 0x80  # METH_FASTCALL
_FLAGS = 0x1 | 0x100 | 0x400  # NPY_ARRAY_C_CONTIGUOUS, _ALIGNED, _WRITEABLE
_libraries: list[ctypes.PyDLL] = []
_team_rooms: list[ctypes.Array[ctypes.c_char]] = []
_is_forked_after_threads = False


class _MethodDefinition(ctypes.Structure):
    """CPython's ``PyMethodDef``, part of its stable interface."""

    _fields_ = [
        ("name", ctypes.c_char_p),
        ("function", ctypes.c_void_p),
        ("flags", ctypes.c_int),
        ("doc", ctypes.c_char_p),
    ]


class Library:
    """The library of one built kernel.

    Parameters
    ----------
    path : Path
        The shared object.
    name : str
        Of the kernel, for tracebacks.
    constants : sequence of object
        As `polysched.kernel.entry.list_constants` orders them.
    threads : int, optional
        OpenMP threads of a call; by default OpenMP's own choice.

    Attributes
    ----------
    entry : callable
        Takes the arguments by position; gives `NotImplemented` back when they do not
        fit, and then nothing has happened.

    Raises
    ------
    PolyschedError
        If it cannot be loaded, or arrays do not look as the library reads them.
    """

    def __init__(
        self,
        path: Path,
        name: str,
        constants: Sequence[object] = (),
        threads: int | None = None,
    ) -> None:
        try:
            self._dll = ctypes.PyDLL(str(path), mode=os.RTLD_NOW | os.RTLD_LOCAL)
        except OSError as error:
            raise PolyschedError(f"cannot load {str(path)!r}: {error}") from error
        head = ctypes.c_long.in_dll(self._dll, "ps_head")
        head.value = object.__basicsize__
        self._kept = (tuple(constants), _objects())
        self._dll.ps_setup(
            _api(),
            _addresses(_objects()),
            _addresses(tuple(constants)),
        )
        ctypes.c_void_p.in_dll(self._dll, "ps_team").value = _team()
        _check_layout(self._dll)
        self._set_threads(1 if _is_forked_after_threads else threads or 0)
        _libraries.append(self._dll)
        self.entry = self._make_entry(name)

    def _set_threads(self, n: int) -> None:
        ctypes.c_int.in_dll(self._dll, "ps_threads").value = n

    def _make_entry(self, name: str) -> Entry:
        """A builtin function of CPython: nothing is faster to call."""
        function = ctypes.cast(self._dll.ps_entry, ctypes.c_void_p)
        definition = _MethodDefinition(name.encode(), function, _FASTCALL, None)
        self._definition = definition  # lives as long as the function does
        make = ctypes.pythonapi.PyCFunction_NewEx
        make.argtypes = [ctypes.c_void_p, ctypes.py_object, ctypes.py_object]
        make.restype = ctypes.py_object
        made: Entry = make(ctypes.addressof(definition), self, None)
        return made


def release_memory() -> None:
    """Give the memory of temporaries back that libraries keep for their next call."""
    for dll in _libraries:
        dll.ps_release()


@cache
def _objects() -> tuple[object, ...]:
    """Python's objects in the order of `OBJECTS`."""
    types = {"float": float, "int": int, "array": np.ndarray}
    dtypes = {n: np.dtype(n.removesuffix("_dtype")) for n in OBJECTS if "_dtype" in n}
    types |= {n.removesuffix("_dtype"): t.type for n, t in dtypes.items()}
    named = {
        "missed": NotImplemented,
        "none": None,
        "true": True,
        "false": False,
        "empty": np.empty,
        **{f"{n}_type": t for n, t in types.items()},
        **dtypes,
    }
    return tuple(named[name] for name in OBJECTS)


@cache
def _api() -> ctypes.Array[ctypes.c_void_p]:
    """Addresses of CPython's functions in the order of `API`."""
    names = [python for _, _, python in API.values()]
    functions = [getattr(ctypes.pythonapi, name) for name in names]
    addresses = [ctypes.cast(f, ctypes.c_void_p).value for f in functions]
    return (ctypes.c_void_p * len(names))(*addresses)


@cache
def _team() -> int | None:
    """Where all libraries keep what they know of threads; None where they keep out."""
    if "OMP_PROC_BIND" in os.environ:
        return None
    room = ctypes.create_string_buffer(TEAM_BYTES)
    _team_rooms.append(room)
    return ctypes.addressof(room)


def _addresses(objects: Sequence[object]) -> ctypes.Array[ctypes.c_void_p]:
    return (ctypes.c_void_p * max(1, len(objects)))(*(id(o) for o in objects))


def _check_layout(dll: ctypes.PyDLL) -> None:
    """Compare what a library reads of an array with what Python says.

    Raises
    ------
    PolyschedError
        If they differ: another interpreter, or a NumPy with other arrays.
    """
    if sys.implementation.name != "cpython":
        raise PolyschedError("kernels run in CPython only")
    describe = dll.ps_describe
    describe.argtypes = [ctypes.py_object, ctypes.c_void_p]
    describe.restype = None
    for array in (np.zeros((3, 5)), np.zeros((2, 3, 4), np.int32)[:, ::2]):
        array.flags.writeable = array.ndim == 2
        found = (ctypes.c_void_p * 6)()
        describe(array, found)
        flags = array.flags
        expected = (
            id(np.ndarray),
            array.ctypes.data,
            array.ndim,
            id(array.dtype),
            0x1 * flags.c_contiguous | 0x100 * flags.aligned | 0x400 * flags.writeable,
        )
        seen = (found[0], found[1], found[2], found[4], (found[5] or 0) & _FLAGS)
        sizes = found[3] if seen == expected else None
        if sizes is None or _read_sizes(sizes, array.ndim) != array.shape:
            raise PolyschedError(
                f"arrays of NumPy {np.__version__} are not laid out as kernels read "
                "them"
            )


def _read_sizes(address: int, n: int) -> tuple[int, ...]:
    return tuple((ctypes.c_long * n).from_address(address))


def _after_fork() -> None:
    """OpenMP's threads do not live on in a child: what it runs has one thread."""
    global _is_forked_after_threads
    has_run = any(ctypes.c_int.in_dll(d, "ps_has_run").value for d in _libraries)
    if has_run or _is_forked_after_threads:
        _is_forked_after_threads = True
        for dll in _libraries:
            ctypes.c_int.in_dll(dll, "ps_threads").value = 1


os.register_at_fork(after_in_child=_after_fork)
