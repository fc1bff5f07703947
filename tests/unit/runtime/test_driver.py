"""A file with only a function gets a caller: sizes from parameters, seeded data."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from polysched.base import RunError
from polysched.frontend import parse_c
from polysched.ir import (
    Access,
    Array,
    Assign,
    Binary,
    Const,
    FunctionParameter,
    Iter,
    Load,
    Lookup,
    Param,
    Parameter,
    Program,
    Scop,
    Signature,
    Statement,
    types,
)
from polysched.runtime import RunOptions, Toolchain, Workbench, print_driver
from polysched.sets import read_map, read_set
from tests.unit.handmade import region_of

SOURCE = """\
static void scale(int n, long m, float f, double *restrict x, double y[n][m], int *k)
{
#pragma scop
    for (int i = 0; i < n; i++)
        for (int j = 0; j < m; j++)
            y[i][j] = f * x[i * m + j] + k[j];
#pragma endscop
}
"""
N, M = Param("n"), Param("m", types.LONG)


def access(array: str, kind: str, where: str) -> Access:
    relation = (
        f"[n, m] -> {{ S0[i, j] -> {array}[{where}] : 0 <= i < n and 0 <= j < m }}"
    )
    return Access(array, kind, read_map(relation))  # type: ignore[arg-type]


def function_program(directory: Path, source: str = SOURCE) -> Program:
    """A function that reads a linearised array, a line, and writes a variable array."""
    path = directory / "scale.c"
    path.write_text(source)
    statement = Statement(
        "S0",
        ("i", "j"),
        read_set("[n, m] -> { S0[i, j] : 0 <= i < n and 0 <= j < m }"),
        (0, 0, 0),
        (1, 1),
        (),
        (
            access("x", "read", "i, j"),
            access("k", "read", "j"),
            access("y", "must_write", "i, j"),
        ),
    )
    common = {"storage": "parameter"}
    scop = Scop(
        "scale",
        (Parameter("n"), Parameter("m", types.LONG)),
        read_set("[n, m] -> { : }"),
        (statement,),
        (
            Array("x", types.DOUBLE, (None, M), pitches=(M,), live_out=False, **common),
            Array("k", types.INT, (None,), live_out=False, **common),
            Array("y", types.DOUBLE, (N, M), **common),
        ),
        region=region_of(path, source.encode()),
        function="scale",
    )
    signature = Signature(
        "scale",
        (
            FunctionParameter("n", types.INT, False),
            FunctionParameter("m", types.LONG, False),
            FunctionParameter("f", types.FLOAT, False),
            FunctionParameter("x", types.DOUBLE, True),
            FunctionParameter("y", types.DOUBLE, True),
            FunctionParameter("k", types.INT, True),
        ),
    )
    return Program(str(path), source.encode(), (scop,), signatures=(signature,))


def test_arrays_are_as_large_as_their_accesses(tmp_path: Path) -> None:
    program = function_program(tmp_path)
    text = print_driver(program, program.scops[0], {"n": 6, "m": 7})
    assert "(int)polysched_integer(6LL), (long)polysched_integer(7LL)" in text
    assert "polysched_filled(42UL, sizeof(double), 8, 3UL)" in text
    assert "polysched_filled(42UL, sizeof(double), 8, 4UL)" in text
    assert "polysched_filled(7UL, sizeof(int), 0, 5UL)" in text


@pytest.mark.cc
def test_driver_runs_the_function_on_seeded_data(tmp_path: Path) -> None:
    program = function_program(tmp_path)

    def values(seed: int) -> np.ndarray:  # type: ignore[type-arg]
        bench = Workbench(
            program,
            program.scops[0],
            toolchain=Toolchain(cflags=("-O1", "-fsanitize=address")),
            directory=tmp_path / f"work{seed}",
            options=RunOptions(parameters={"n": 6, "m": 7}, seed=seed),
        )
        binary = bench.build("p", None)
        run = bench.execute(binary, timeout_seconds=10, with_dump=True)
        assert run.dump is not None
        (segment,) = run.dump.segments
        return segment.values

    first = values(1)
    assert first.shape == (42,)
    assert np.all((first > 1.0) & (first < 10.0))
    assert np.array_equal(first, values(1))
    assert not np.array_equal(first, values(2))


def test_empty_sizes_still_allocate(tmp_path: Path) -> None:
    program = function_program(tmp_path)
    text = print_driver(program, program.scops[0], {"n": 0, "m": 7})
    assert "polysched_filled(1UL" in text


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"n": 6}, "parameter 'm' needs a value"),
        ({}, "parameter 'n' needs a value"),
    ],
)
def test_missing_sizes_are_named(
    tmp_path: Path, parameters: dict[str, int], message: str
) -> None:
    program = function_program(tmp_path)
    with pytest.raises(RunError, match=message) as caught:
        print_driver(program, program.scops[0], parameters)
    assert "--param" in str(caught.value.hint)


def test_what_cannot_be_made_up_is_refused(tmp_path: Path) -> None:
    program = function_program(tmp_path)
    scop = program.scops[0]
    sizes = {"n": 6, "m": 7}
    known = program.signatures[0].parameters

    def with_last(parameter: FunctionParameter) -> Program:
        signature = Signature("scale", (*known, parameter))
        return replace(program, signatures=(signature,))

    with pytest.raises(RunError, match="its type is not a number"):
        print_driver(with_last(FunctionParameter("s", None, False)), scop, sizes)
    with pytest.raises(RunError, match="no scop of 'scale' uses 'q'"):
        print_driver(with_last(FunctionParameter("q", types.INT, True)), scop, sizes)
    with pytest.raises(RunError, match="has no main"):
        print_driver(replace(program, signatures=()), scop, sizes)


def test_places_that_data_say_are_not_made_up(tmp_path: Path) -> None:
    program = function_program(tmp_path)
    scop = program.scops[0]
    (statement,) = scop.statements
    lookup = Lookup("k", (Load("k", (Iter("j"),), types.INT),), types.INT)
    target = Load("y", (Iter("i"), Iter("j")), types.DOUBLE)
    body = (Assign(target, "=", lookup),)
    scop = replace(scop, statements=(replace(statement, body=body),))
    with pytest.raises(RunError, match="which elements of 'k' are reached"):
        print_driver(replace(program, scops=(scop,)), scop, {"n": 6, "m": 7})


def test_negative_subscripts_are_refused(tmp_path: Path) -> None:
    program = function_program(tmp_path)
    scop = program.scops[0]
    shifted = replace(
        scop.statements[0], accesses=(access("y", "must_write", "i - 1, j"),)
    )
    bad = replace(scop, statements=(shifted,))
    with pytest.raises(RunError, match="negative subscript -1"):
        print_driver(replace(program, scops=(bad,)), bad, {"n": 6, "m": 7})


def test_sizes_are_evaluated(tmp_path: Path) -> None:
    program = function_program(tmp_path)
    scop = program.scops[0]
    padded = Binary("+", M, Const(3, types.INT, "3"))
    arrays = (*scop.arrays[:2], replace(scop.arrays[2], extents=(N, padded)))
    wider = replace(scop, arrays=arrays)
    text = print_driver(replace(program, scops=(wider,)), wider, {"n": 6, "m": 7})
    assert "polysched_filled(60UL, sizeof(double), 8, 4UL)" in text  # 6 * 10


def test_where_data_say_the_place_a_declared_size_is_taken(tmp_path: Path) -> None:
    """Elements of an array that are packed to the front of another, say."""
    program = function_program(tmp_path)
    scop = program.scops[0]
    anywhere = Access("y", "may_write", read_map("[n, m] -> { S0[i, j] -> y[a, b] }"))
    statement = replace(scop.statements[0], accesses=(anywhere,))
    packed = replace(scop, statements=(statement,), arrays=scop.arrays[2:])
    signature = replace(
        program.signatures[0],
        parameters=tuple(
            p for p in program.signatures[0].parameters if p.name not in ("x", "k")
        ),
    )
    program = replace(program, scops=(packed,), signatures=(signature,))
    text = print_driver(program, packed, {"n": 6, "m": 7})
    assert "polysched_filled(42UL, sizeof(double)" in text
    unknown = replace(packed.arrays[0], extents=(None, M))
    bare = replace(packed, arrays=(unknown,))
    with pytest.raises(RunError, match="not bounded by the given") as caught:
        print_driver(replace(program, scops=(bare,)), bare, {"n": 6, "m": 7})
    assert caught.value.hint is not None
    assert "declare the array's size" in caught.value.hint


@pytest.mark.cc
def test_numbers_of_two_bytes_are_made_up_and_read_back(tmp_path: Path) -> None:
    path = tmp_path / "halves.c"
    path.write_text("""
void f(int n, _Float16 h[n], _Float16 by)
{
#pragma scop
  for (int i = 0; i < n; i++) h[i] = h[i] * by;
#pragma endscop
}
""")
    program = parse_c(path, cflags=())
    bench = Workbench(
        program,
        program.scops[0],
        toolchain=Toolchain(cflags=("-O1",)),
        directory=tmp_path / "work",
        options=RunOptions(parameters={"n": 50}, seed=3),
    )
    run = bench.execute(bench.build("p", None), timeout_seconds=10, with_dump=True)
    assert run.dump is not None
    (segment,) = run.dump.segments
    assert segment.values.dtype == np.float16
    assert np.all((segment.values >= 0.125) & (segment.values < 1.9))
    assert len(np.unique(segment.values)) > 40


COUNTED = """\
void least(int n, double a[n], double out[1])
{
#pragma scop
    int at = 0;
    for (int i = 1; i < n; i++)
        if (a[i] < a[at])
            at = i;
    out[0] = at;
#pragma endscop
}
"""


@pytest.mark.cc
@pytest.mark.parametrize(
    ("old", "new", "is_taken"),
    [
        ("at = i;", "at = i;", True),
        ("at = i;", "at = a[i] > 2 ? 0 : i;", True),
        ("at = i;", "at = (int)a[i];", False),
        ("int at = 0;", "int at = 0; int next = (int)out[0]; at = next;", False),
    ],
)
def test_places_that_the_region_counts_itself_are_right_for_all_data(
    old: str, new: str, is_taken: bool, tmp_path: Path
) -> None:
    path = tmp_path / "least.c"
    path.write_text(COUNTED.replace(old, new))
    program = parse_c(path)
    if is_taken:
        assert "polysched_filled(9UL" in print_driver(
            program, program.scops[0], {"n": 9}
        )
    else:
        with pytest.raises(RunError, match="which elements of 'a' are reached"):
            print_driver(program, program.scops[0], {"n": 9})


@pytest.mark.cc
def test_rows_behind_pointers_are_made_up(tmp_path: Path) -> None:
    path = tmp_path / "rows.c"
    path.write_text(
        "void f(int n, double **A, const float *const *B) {\n#pragma scop\n"
        "  for (int i = 0; i < n; i++)\n    for (int j = 0; j <= i; j++)\n"
        "      A[i][j + 2] = A[i][j] + B[i + 1][2 * j];\n#pragma endscop\n}\n"
    )
    program = parse_c(path)
    text = print_driver(program, program.scops[0], {"n": 5})
    assert "polysched_rows(5UL, 7UL, sizeof(double), 8, 1UL)" in text
    assert "polysched_rows(6UL, 9UL, sizeof(float), 4, 2UL)" in text
    bench = Workbench(
        program,
        program.scops[0],
        toolchain=Toolchain(cflags=("-O1", "-fsanitize=address")),
        directory=tmp_path / "work",
        options=RunOptions(parameters={"n": 5}, seed=3),
    )
    run = bench.execute(bench.build("p", None), timeout_seconds=10, with_dump=True)
    assert run.dump is not None
    assert sum(len(s.values) for s in run.dump.segments) == 15
