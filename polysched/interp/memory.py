"""Array storage of the interpreter: checked element by element."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from polysched.base import AnalysisError
from polysched.interp.arithmetic import round_bfloat
from polysched.interp.body import evaluate_expression
from polysched.ir import Array, ScalarType, Scop
from polysched.ir.types import BFLOAT
from polysched.sets import fix_parameters, list_maps, n_dims, union_of_maps

Values = NDArray[Any]
Index = tuple[int, ...]
Key = int | Index


class MemoryAccessError(Exception):
    """An access outside an array, or a read of an element that has no value."""

    def __init__(self, array: str, index: Index, problem: str) -> None:
        subscripts = "".join(f"[{k}]" for k in index)
        super().__init__(f"{array}{subscripts}, {problem}")


def numpy_dtype(t: ScalarType) -> np.dtype[Any]:
    """The numpy type that holds elements of a C type."""
    if t == BFLOAT:
        return np.dtype(np.float32)  # which has all its values
    letter = {"float": "f", "int": "i", "uint": "u"}[t.kind]
    return np.dtype(f"{letter}{t.n_bytes}")


class Memory(dict[Key, int | float]):
    """Elements of one array; keys are index tuples, plain integers in one dimension.

    Elements are copied from the initial values when first read, so that a run costs
    what it touches and not what is declared.

    Parameters
    ----------
    array : Array
        What is stored.
    shape : tuple of int
        Extents of the C object, without expanded subscripts.
    initial : numpy array, optional
        Values before the run; without them only written elements can be read.
    """

    def __init__(
        self, array: Array, shape: tuple[int, ...], initial: Values | None
    ) -> None:
        super().__init__()
        self.array = array
        self.shape = shape
        self.initial = initial

    def __missing__(self, key: Key) -> int | float:
        index = self.admit(key)
        if self.initial is None:
            raise MemoryAccessError(self.array.name, index, "which nothing has written")
        value: int | float = self.initial.item(index)
        self[key] = value
        return value

    def admit(self, key: Key) -> Index:
        """The index of a key, if it is inside the array."""
        index = key if isinstance(key, tuple) else (key,)
        inner = index[self.array.n_expanded :]
        if not all(0 <= k < n for k, n in zip(inner, self.shape, strict=True)):
            extents = "".join(f"[{n}]" for n in self.shape)
            raise MemoryAccessError(
                self.array.name,
                inner,
                f"outside of {self.array.name}{extents}",
            )
        return index

    def final(self) -> Values:
        """The whole array after the run; elements without a value are zero."""
        if self.initial is None:
            out = np.zeros(self.shape, dtype=numpy_dtype(self.array.type))
        else:
            out = self.initial.copy()
        for key, value in self.items():
            out[key] = value
        return out


def infer_shapes(scop: Scop, parameters: Mapping[str, int]) -> dict[str, Index]:
    """Extents of every array at concrete parameters.

    Parameters
    ----------
    scop : Scop
        Its arrays; expanded subscripts are left out.
    parameters : mapping of str to int
        A value for each parameter.

    Returns
    -------
    dict of str to tuple of int
        Declared extents where the declaration gives them, else one more than the
        largest subscript of any access. Scalars have the empty shape.

    Raises
    ------
    AnalysisError
        If an extent depends on something else than parameters.
    """
    parameters = scop.with_products(parameters)
    return {a.name: _shape(scop, a, parameters) for a in scop.arrays}


def _shape(scop: Scop, array: Array, parameters: Mapping[str, int]) -> Index:
    shape = []
    for k, extent in enumerate(array.extents):
        if extent is None:
            shape.append(_largest(scop, array, array.n_expanded + k, parameters) + 1)
        else:
            shape.append(max(0, int(evaluate_expression(extent, parameters))))
    return tuple(shape)


def _largest(scop: Scop, array: Array, dim: int, parameters: Mapping[str, int]) -> int:
    """The largest value of one subscript over all accesses; -1 without accesses."""
    relations = [a.relation for _, a in scop.iter_accesses() if a.array == array.name]
    union = union_of_maps(relations).intersect_domain(scop.domain)
    largest = -1
    for relation in list_maps(fix_parameters(union, parameters)):
        touched = relation.range()
        if touched.is_empty():
            continue
        assert dim < n_dims(touched)
        value = touched.dim_max_val(dim)
        if not value.is_int():
            raise AnalysisError(f"{array.name} is accessed without bound: {touched}")
        largest = max(largest, value.to_python())
    return largest


def load_memory(
    scop: Scop,
    parameters: Mapping[str, int],
    arrays: Mapping[str, Values | int | float],
) -> dict[str, Memory]:
    """Storage for every array of a SCoP, filled with the given values."""
    unknown = sorted(set(arrays) - {a.name for a in scop.arrays})
    if unknown:
        raise AnalysisError(f"the SCoP has no array named {unknown[0]!r}")
    shapes = infer_shapes(scop, parameters)
    memory = {}
    for array in scop.arrays:
        shape, initial = shapes[array.name], None
        if array.name in arrays and not array.n_expanded:
            given = _as_type(arrays[array.name], array.type)
            shape = _agreed_shape(array, shape, given.shape)
            initial = given
        elif array.live_in:
            raise AnalysisError(f"no value was given for {array.name!r}, which is read")
        memory[array.name] = Memory(array, shape, initial)
    return memory


def _as_type(values: Values | float, t: ScalarType) -> Values:
    """Given values as an array of a C type, rounded where it has fewer bits."""
    given = np.asarray(values)
    if t == BFLOAT:
        given = np.vectorize(round_bfloat, otypes=[float])(given)
    return given.astype(numpy_dtype(t))


def _agreed_shape(array: Array, inferred: Index, given: Index) -> Index:
    """The given shape, which may exceed the inferred one where nothing is declared."""
    fits = len(given) == len(inferred) and all(
        g == n if extent is not None else g >= n
        for g, n, extent in zip(given, inferred, array.extents, strict=False)
    )
    if not fits:
        raise AnalysisError(
            f"{array.name} was given with the shape {given}, but needs {inferred}"
        )
    return given
