"""Printing of arrays around a SCoP in the compiled program, and reading it back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from polysched.codegen import declare_held, identifiers, print_parameter
from polysched.interp import evaluate_expression, infer_shapes, numpy_dtype
from polysched.ir import Array, Scop

Values = NDArray[Any]
Parameters = Mapping[str, int]
_PREFIX = "polysched_w"


@dataclass(frozen=True)
class Snapshot:
    """What a program printed at one place of one SCoP, in one execution of it.

    Attributes
    ----------
    scop : str
        Name of the SCoP.
    place : str
        "parameters", "before" or "after".
    call : int
        Which execution, from 0.
    texts : dict of str to list of str
        For each array (or parameter) its elements as printed.
    """

    scop: str
    place: str
    call: int
    texts: dict[str, list[str]]


def visible_arrays(scop: Scop) -> tuple[Array, ...]:
    """Arrays that the program around the SCoP can name and may read."""
    return tuple(
        a
        for a in scop.arrays
        if a.storage != "scop" and not a.n_expanded and not a.is_private
    )


def parameters_code(scop: Scop, max_calls: int) -> str:
    """C text that prints the values of all parameters."""
    lines = [
        f'printf("= {p.name}\\n%lld\\n", (long long)({print_parameter(p)}));'
        for p in scop.parameters
    ]
    return _framed(scop, "parameters", lines, max_calls)


def with_starts(scop: Scop, text: str) -> str:
    """C text of the region and what is behind it, with pointers as they are before it.

    `arrays_code` of "after" prints by these what the region's text itself moves.
    """
    lines = [
        f"__typeof__(&({a.held or a.base})[0]) const {_PREFIX}_start{k} = "
        f"{a.held or a.base};"
        for k, a in enumerate(visible_arrays(scop))
        if _is_moved(scop, a)
    ]
    return "\n".join(["{", *lines, text, "}", ""]) if lines else text


def _is_moved(scop: Scop, array: Array) -> bool:
    return bool(array.n_dim and scop.moved & identifiers(array.base))


def arrays_code(scop: Scop, place: str, calls: Sequence[Parameters]) -> str:
    """C text that prints every visible array.

    Parameters
    ----------
    scop : Scop
        Names and types.
    place : str
        Label of the snapshot.
    calls : sequence of mapping
        Parameter values of the first executions, which are printed.
    """
    shapes = [infer_shapes(scop, c) for c in calls]
    lines: list[str] = []
    for k, array in enumerate(visible_arrays(scop)):
        if place == "after" and _is_moved(scop, array):
            array = replace(array, view=f"{_PREFIX}_start{k}")
        extents = [[s[array.name][d] for s in shapes] for d in range(array.n_dim)]
        pitches = [
            [int(evaluate_expression(p, c)) for c in calls] for p in array.pitches
        ]
        lines += [
            f'printf("= {array.name}\\n");',
            *_array_lines(array, extents, pitches),
        ]
    return _framed(scop, place, lines, len(calls))


def _framed(scop: Scop, place: str, lines: list[str], max_calls: int) -> str:
    """The lines in a block that runs in the first executions only."""
    call = f"{_PREFIX}_call"
    body = [
        "{",
        f"static int {call}_next;",
        f"const int {call} = {call}_next++;",
        f"if ({call} < {max_calls}) {{",
        f'printf("\\n@ {scop.name} {place} %d\\n", {call});',
        *declare_held(scop),
        *lines,
        'printf("= .\\n");',
        "fflush(stdout);",
        "}",
        "}",
    ]
    return "\n".join(body) + "\n"


def _array_lines(
    array: Array, extents: list[list[int]], pitches: list[list[int]]
) -> list[str]:
    call = f"{_PREFIX}_call"
    lines = ["{"]
    for kind, table in (("e", extents), ("p", pitches)):
        for k, values in enumerate(table):
            numbers = ", ".join(str(v) for v in values)
            lines.append(f"static const long {_PREFIX}{kind}{k}[] = {{ {numbers} }};")
    subscripts = [f"{_PREFIX}{k}" for k in range(array.n_dim)]
    for k, s in enumerate(subscripts):
        lines.append(f"for (long {s} = 0; {s} < {_PREFIX}e{k}[{call}]; {s}++)")
    if pitches:
        terms = [
            f"{s} * {_PREFIX}p{k}[{call}]"
            for k, s in enumerate(subscripts[: len(pitches)])
        ]
        element = f"{array.base}[{' + '.join([*terms, subscripts[-1]])}]"
    else:
        element = array.base + "".join(f"[{s}]" for s in subscripts)
    lines += [f"    {_print_line(array, element)}", "}"]
    return lines


def _print_line(array: Array, element: str) -> str:
    if array.type.is_float:
        return f'printf("%a\\n", (double){element});'
    if array.type.kind == "uint":
        return f'printf("%llu\\n", (unsigned long long){element});'
    return f'printf("%lld\\n", (long long){element});'


def read_snapshots(output: str) -> list[Snapshot]:
    """All complete snapshots in a program's output, in order."""
    found: list[Snapshot] = []
    current: Snapshot | None = None
    values: list[str] = []
    for line in output.splitlines():
        if line.startswith("@ "):
            _, scop, place, call = line.split()
            current, values = Snapshot(scop, place, int(call), {}), []
        elif current is not None and line.startswith("= "):
            name = line[2:]
            if name == ".":
                found.append(current)
                current = None
            else:
                values = current.texts.setdefault(name, [])
        elif current is not None:
            values.append(line)
    return found


def to_arrays(
    scop: Scop, snapshot: Snapshot, parameters: Parameters
) -> dict[str, Values]:
    """The arrays of a snapshot in their types and shapes."""
    shapes = infer_shapes(scop, parameters)
    arrays = {}
    for name, texts in snapshot.texts.items():
        array = scop.array(name)
        flat = np.array(_numbers(array, texts), dtype=numpy_dtype(array.type))
        arrays[name] = flat.reshape(shapes[name])
    return arrays


def _numbers(array: Array, texts: Iterable[str]) -> list[int] | list[float]:
    if array.type.is_float:
        return [float.fromhex(t) for t in texts]
    return [int(t) for t in texts]


def first_difference(expected: Values, found: Values) -> str | None:
    """Where two arrays differ first, in words; NaN equals NaN."""
    if expected.shape != found.shape:
        return f"shapes {expected.shape} and {found.shape}"
    differs = expected != found
    if expected.dtype.kind == "f":
        differs &= ~(np.isnan(expected) & np.isnan(found))
    if not differs.any():
        return None
    where = tuple(int(k) for k in np.argwhere(differs)[0])
    subscripts = "".join(f"[{k}]" for k in where)
    return f"{subscripts}: expected {expected[where]}, found {found[where]}"
