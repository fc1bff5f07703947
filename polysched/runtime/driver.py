"""A `main` for a file that has only a function: sizes from parameters, seeded data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from math import prod

import islpy as isl

from polysched.base import RunError
from polysched.ir import (
    Array,
    FunctionParameter,
    Program,
    Range,
    Scop,
    Signature,
    evaluate_size,
)
from polysched.ir.types import BFLOAT, DOUBLE, FLOAT, HALF
from polysched.runtime.places import find_places
from polysched.runtime.rounding import fix_parameters
from polysched.sets import list_sets, n_dims

_KINDS = {BFLOAT: 1, HALF: 2, FLOAT: 4, DOUBLE: 8}  # words of the harness
_REALS = (1.25, 0.75, 1.5, 0.5)
_LARGEST_ELEMENTS = 1 << 34


def print_driver(
    program: Program, scop: Scop, parameters: Mapping[str, int], seed: int = 0
) -> str:
    """C text of a `main` that calls the SCoP's function once.

    Parameters
    ----------
    program, scop : Program, Scop
        A file without `main` and one of its SCoPs.
    parameters : mapping of str to int
        Values of the function's integer parameters.
    seed : int
        Of the data: reals in [1/4, 5/4), integers from 1 to 8, or such as `find_places`
        says.

    Returns
    -------
    str
        Text to append to the file. Pointers and arrays are as large as the SCoPs of
        the function access them; numbers reach the call through the harness, so that
        the compiler cannot specialise the function to them.

    Raises
    ------
    RunError
        If a parameter has no value or an array no size that can be derived.
    """
    signature = _find_signature(program, scop)
    scops = [s for s in program.scops if s.function == signature.function]
    places = find_places(scops, parameters)
    arguments = []
    for k, parameter in enumerate(signature.parameters):
        rows = _rows(scops, parameter)
        if rows:
            sizes = _count_rows(rows, parameters)
            arguments.append(_filled_rows(rows[0][1], sizes, seed + k))
        elif parameter.is_pointer:
            n = _count_elements(program, signature, parameter, parameters)
            held = places.get(parameter.name)
            arguments.append(_filled(signature, parameter, n, seed + k, held))
        else:
            arguments.append(_scalar(signature, parameter, parameters, k))
    return (
        '#line 1 "<driver>"\n'
        "int main(void)\n{\n"
        "  extern long long polysched_integer(long long);\n"
        "  extern double polysched_real(double);\n"
        "  extern void *polysched_filled(unsigned long, unsigned long, int,\n"
        "                                unsigned long);\n"
        "  extern void *polysched_places(unsigned long, unsigned long, long long,\n"
        "                                long long, unsigned long);\n"
        "  extern void *polysched_rows(unsigned long, unsigned long, unsigned long,\n"
        "                              int, unsigned long);\n"
        f"  {signature.function}({', '.join(arguments)});\n"
        "  return 0;\n}\n"
    )


def _find_signature(program: Program, scop: Scop) -> Signature:
    for signature in program.signatures:
        if signature.function == scop.function:
            return signature
    raise RunError(
        f"{program.path!r} has no main, and the parameters of the function"
        f" {scop.function!r} are not known",
        hint="name the source file that has the main",
    )


def _scalar(
    signature: Signature,
    parameter: FunctionParameter,
    parameters: Mapping[str, int],
    position: int,
) -> str:
    if parameter.type is None:
        raise RunError(
            f"cannot make up a value for parameter {parameter.name!r} of"
            f" {signature.function!r}: its type is not a number",
            hint="add a main that calls the function",
        )
    if parameter.type.is_float:
        return f"polysched_real({_REALS[position % len(_REALS)]})"
    if parameter.name not in parameters:
        raise RunError(
            f"{signature.function!r} has no caller here, so its parameter"
            f" {parameter.name!r} needs a value",
            hint=f"add --param {parameter.name}=N, or a main that calls the function",
        )
    value = parameters[parameter.name]
    return f"({parameter.type.name})polysched_integer({value}LL)"


def _filled(
    signature: Signature,
    parameter: FunctionParameter,
    n_elements: int,
    seed: int,
    held: Range | None,
) -> str:
    if parameter.type is None:
        raise RunError(
            f"cannot make up data for parameter {parameter.name!r} of"
            f" {signature.function!r}: it is no array of numbers",
            hint="add a main that calls the function",
        )
    kind = _KINDS.get(parameter.type, 0)
    size = f"sizeof({parameter.type.name})"
    if held is not None:
        ends = f"{held.low}LL, {held.high}LL"
        return f"polysched_places({n_elements}UL, {size}, {ends}, {seed}UL)"
    return f"polysched_filled({n_elements}UL, {size}, {kind}, {seed}UL)"


def _rows(
    scops: Sequence[Scop], parameter: FunctionParameter
) -> list[tuple[Scop, Array]]:
    """Arrays that reach an argument as pointers to their rows."""
    return [
        (scop, array)
        for scop in scops
        for array in scop.arrays
        if array.source_name == parameter.name
        and array.storage == "parameter"
        and array.in_rows
        and array.n_dim == 2
    ]


def _count_rows(
    arrays: Sequence[tuple[Scop, Array]], parameters: Mapping[str, int]
) -> tuple[int, int]:
    """How many rows of how many elements SCoPs reach."""
    n_rows = n_elements = 1
    for scop, array in arrays:
        for elements in _touched(scop, array, parameters):
            n_rows = max(n_rows, _bound(elements, 0, array) + 1)
            n_elements = max(n_elements, _bound(elements, 1, array) + 1)
    if n_rows * n_elements > _LARGEST_ELEMENTS:
        raise RunError(
            f"array {arrays[0][1].source_name!r} would need {n_rows * n_elements}"
            " elements"
        )
    return n_rows, n_elements


def _filled_rows(array: Array, sizes: tuple[int, int], seed: int) -> str:
    n_rows, n_elements = sizes
    kind = _KINDS.get(array.type, 0)
    return (
        f"polysched_rows({n_rows}UL, {n_elements}UL, sizeof({array.type.name}),"
        f" {kind}, {seed}UL)"
    )


def _count_elements(
    program: Program,
    signature: Signature,
    parameter: FunctionParameter,
    parameters: Mapping[str, int],
) -> int:
    """How many elements the function's SCoPs reach through a pointer."""
    counts = []
    for scop in program.scops:
        if scop.function != signature.function:
            continue
        counts += [
            _extent(scop, array, parameters)
            for array in scop.arrays
            if array.source_name == parameter.name and array.storage == "parameter"
        ]
    if not counts:
        raise RunError(
            f"no scop of {signature.function!r} uses {parameter.name!r}, so its size"
            " cannot be derived",
            hint="add a main that calls the function",
        )
    return max(1, *counts)


def _extent(scop: Scop, array: Array, parameters: Mapping[str, int]) -> int:
    """One more than the largest position that a SCoP reaches in an array."""
    known = scop.with_products(parameters)
    touched = _touched(scop, array, parameters)
    return max((_reach(elements, array, known) for elements in touched), default=0)


def _touched(
    scop: Scop, array: Array, parameters: Mapping[str, int]
) -> Iterator[isl.Set]:
    """The elements that a SCoP touches for some values of its parameters, if any."""
    parameters = scop.with_products(parameters)
    point = fix_parameters(
        {p.name: parameters[p.name] for p in scop.parameters if p.name in parameters}
    )
    for elements in list_sets((scop.reads.union(scop.may_writes)).range()):
        if elements.get_tuple_name() == array.name:
            at_point = elements.intersect_params(point)
            if not at_point.is_empty():
                yield at_point


def _reach(elements: isl.Set, array: Array, parameters: Mapping[str, int]) -> int:
    if elements.is_empty():
        return 0
    if array.is_scalar:
        return 1
    sizes = [None if e is None else evaluate_size(e, parameters) for e in array.extents]
    declared = prod(s for s in sizes if s is not None) if None not in sizes else 0
    if declared and not all(_is_bounded(elements, k) for k in range(len(sizes))):
        return declared  # data choose the elements, and its author says how many
    last = [_bound(elements, k, array) for k in range(n_dims(elements))]
    steps = _steps(array, parameters)
    reached = 1 + sum(top * step for top, step in zip(last, steps, strict=True))
    n = max(reached, (last[0] + 1) * steps[0], declared)
    if n > _LARGEST_ELEMENTS:
        raise RunError(f"array {array.source_name!r} would need {n} elements")
    return n


def _is_bounded(elements: isl.Set, position: int) -> bool:
    low, high = elements.dim_min_val(position), elements.dim_max_val(position)
    return bool(low.is_int() and high.is_int())


def _bound(elements: isl.Set, position: int, array: Array) -> int:
    """The largest value of one subscript; negative ones are refused."""
    if not _is_bounded(elements, position):
        raise RunError(
            f"the size of array {array.source_name!r} cannot be derived: subscript"
            f" {position + 1} is not bounded by the given parameters",
            hint="declare the array's size, or add a main that calls the function",
        )
    low, high = elements.dim_min_val(position), elements.dim_max_val(position)
    if low.is_neg():
        raise RunError(
            f"array {array.source_name!r} is reached at the negative subscript {low}",
            hint="add a main that calls the function",
        )
    return int(high.to_python())


def _steps(array: Array, parameters: Mapping[str, int]) -> list[int]:
    """Elements per step of each subscript."""
    if array.pitches:
        sizes = [evaluate_size(p, parameters) for p in array.pitches]
        steps = [*sizes, 1]
    else:
        steps = [1]
        for extent in reversed(array.extents[1:]):
            size = None if extent is None else evaluate_size(extent, parameters)
            inner = steps[0]
            steps.insert(0, None if size is None or inner is None else inner * size)
    known = [s for s in steps if s is not None]
    if len(known) != len(steps):
        raise RunError(
            f"the size of array {array.source_name!r} depends on a value that is not"
            " given",
            hint="give every size with --param",
        )
    return known
