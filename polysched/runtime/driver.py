"""A `main` for a file that has only a function: sizes from parameters, seeded data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set
from math import prod

import islpy as isl

from polysched.base import RunError
from polysched.ir import (
    Action,
    Array,
    Assign,
    Element,
    Expr,
    FunctionParameter,
    Let,
    Local,
    Program,
    Scop,
    Select,
    Signature,
    evaluate_size,
    inner_actions,
)
from polysched.ir.types import BFLOAT, DOUBLE, FLOAT, HALF
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
        Of the data: reals in [1/4, 5/4), integers from 1 to 8.

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
    _refuse_lookups(program, signature)
    arguments = []
    for k, parameter in enumerate(signature.parameters):
        if parameter.is_pointer:
            n = _count_elements(program, signature, parameter, parameters)
            arguments.append(_filled(signature, parameter, n, seed + k))
        else:
            arguments.append(_scalar(signature, parameter, parameters, k))
    return (
        '#line 1 "<driver>"\n'
        "int main(void)\n{\n"
        "  extern long long polysched_integer(long long);\n"
        "  extern double polysched_real(double);\n"
        "  extern void *polysched_filled(unsigned long, unsigned long, int,\n"
        "                                unsigned long);\n"
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


def _refuse_lookups(program: Program, signature: Signature) -> None:
    """Made-up data say nothing of use about where to look something up."""
    for scop in program.scops:
        if scop.function != signature.function:
            continue
        found = _asked_of_data(scop)
        if found is not None:
            name = scop.array(found.array).source_name
            raise RunError(
                f"data of {signature.function!r} say which elements of {name!r} are "
                "reached; they cannot be made up",
                hint="add a main that calls the function",
            )


def _asked_of_data(scop: Scop) -> Element | None:
    """An element at a place that an array of the caller holds, if there is one.

    What the region counts itself, as the place of the least element so far, is right
    whatever the data are.
    """
    given = {a.name for a in scop.arrays if a.live_in}
    settings = [
        one for s in scop.statements for action in s.body for one in _settings(action)
    ]
    while True:
        more = {name for name, value in settings if _mentions(value, given)} - given
        if not more:
            break
        given |= more
    elements = (e for e in scop.iter_expressions() if isinstance(e, Element))
    return next(
        (e for e in elements if any(_mentions(s, given) for s in e.subscripts)), None
    )


def _settings(action: Action) -> Iterator[tuple[str, Expr]]:
    """Names of variables and arrays that get values, and the values."""
    match action:
        case Assign(target, _, value):
            yield target.array, value
        case Let(local, _, Expr() as value):
            yield local.name, value
    for inner in inner_actions(action):
        yield from _settings(inner)


def _mentions(expr: Expr, names: Set[str]) -> bool:
    """Whether its value, not only the choice of one, is made of some of the names."""
    match expr:
        case Select(_, then, other):
            return _mentions(then, names) or _mentions(other, names)
        case Element(array, subscripts, _):
            return array in names or any(_mentions(s, names) for s in subscripts)
        case Local(name, _):
            return name in names
    return any(_mentions(e, names) for e in expr.operands)


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
    signature: Signature, parameter: FunctionParameter, n_elements: int, seed: int
) -> str:
    if parameter.type is None:
        raise RunError(
            f"cannot make up data for parameter {parameter.name!r} of"
            f" {signature.function!r}: it is no array of numbers",
            hint="add a main that calls the function",
        )
    kind = _KINDS.get(parameter.type, 0)
    size = f"sizeof({parameter.type.name})"
    return f"polysched_filled({n_elements}UL, {size}, {kind}, {seed}UL)"


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
    point = fix_parameters(
        {p.name: parameters[p.name] for p in scop.parameters if p.name in parameters}
    )
    touched = (scop.reads.union(scop.may_writes)).range()
    sizes = []
    for elements in list_sets(touched):
        if elements.get_tuple_name() == array.name:
            at_point = elements.intersect_params(point)
            sizes.append(_reach(at_point, array, parameters))
    return max(sizes, default=0)


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
