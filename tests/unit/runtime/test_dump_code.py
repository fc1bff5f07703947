"""The dump holds exactly the written elements, whatever their shape."""

from __future__ import annotations

from pathlib import Path

import pytest

from polysched.ir import (
    Access,
    Array,
    Const,
    Param,
    Parameter,
    Program,
    Scop,
    Statement,
    types,
)
from polysched.runtime import RunOptions, Toolchain, Workbench, print_dump
from polysched.sets import dim_names, read_map, read_set
from tests.unit.handmade import region_of

TEN = Const(10, types.INT, "10")


def writing(
    relation: str,
    array: Array,
    parameter: Parameter | None = None,
) -> Scop:
    """A SCoP with one statement that writes by `relation`."""
    writes = read_map(relation)
    domain = writes.domain()
    statement = Statement(
        "S0",
        dim_names(domain),
        domain,
        (0,) * (len(dim_names(domain)) + 1),
        (1,) * len(dim_names(domain)),
        (),
        (Access(array.name, "must_write", writes),),
    )
    parameters = (parameter or Parameter("n"),)
    return Scop("f", parameters, read_set("{ : }"), (statement,), (array,))


def dumped(
    directory: Path, scop: Scop, declaration: str, n: str = "int n = 5;"
) -> list[tuple[int, ...]]:
    """Subscripts of the dumped elements, from a program whose region is empty."""
    lines = [declaration, "int main(void) {", n, "#pragma scop", "#pragma endscop", "}"]
    source = "\n".join(lines).encode()
    path = directory / "p.c"
    path.write_bytes(source)
    placed = Scop(
        scop.name,
        scop.parameters,
        scop.context,
        scop.statements,
        scop.arrays,
        region=region_of(path, source),
    )
    bench = Workbench(
        Program(str(path), source, (placed,), has_main=True),
        placed,
        toolchain=Toolchain(cflags=("-O0", "-Wall", "-Werror")),
        directory=directory / "work",
        options=RunOptions(),
    )
    run = bench.execute(bench.build("p", None), timeout_seconds=10, with_dump=True)
    assert run.dump is not None
    (segment,) = run.dump.segments
    return [segment.subscripts(k) for k in range(segment.values.size)]


SQUARE = Array("A", types.DOUBLE, (TEN, TEN))
LINE = Array("A", types.FLOAT, (TEN,))
FLAT = Array("A", types.INT, (None, Param("n")), pitches=(Param("n"),))
CASES = [
    ("[n] -> { S0[i, j] -> A[i, j] : 0 <= j <= i < n }", SQUARE, "double A[10][10];"),
    ("[n] -> { S0[i, j] -> A[j, i] : 1 <= j <= i < n }", SQUARE, "double A[10][10];"),
    ("[n] -> { S0[i] -> A[i, i] : 0 <= i < n }", SQUARE, "double A[10][10];"),
    ("[n] -> { S0[i] -> A[2 i] : 0 <= i < n }", LINE, "float A[10];"),
    ("[n] -> { S0[i] -> A[9 - i] : 0 <= i < n }", LINE, "float A[10];"),
    ("[n] -> { S0[t] -> A[t mod 3] : 0 <= t < n }", LINE, "float A[10];"),
    ("[n] -> { S0[i] -> A[i] : 0 <= i < n or 7 <= i < 9 }", LINE, "float A[10];"),
    ("[n] -> { S0[i, j] -> A[i, j] : 0 <= i < n and (j = 0 or j = 5) }", SQUARE,
     "double A[10][10];"),
    ("[n] -> { S0[i, j] -> A[i, j] : 0 <= i, j < n - 1 }", FLAT, "int A[100];"),
    ("[n] -> { S0[i] -> A[floor(i / 2)] : 3 <= i < n + 4 }", LINE, "float A[10];"),
]  # fmt: skip


@pytest.mark.cc
@pytest.mark.parametrize(("relation", "array", "declaration"), CASES)
def test_exactly_the_written_elements_are_dumped(
    tmp_path: Path, relation: str, array: Array, declaration: str
) -> None:
    scop = writing(relation, array)
    written = read_map(relation).range().intersect_params(read_set("[n] -> {: n = 5}"))
    expected: list[tuple[int, ...]] = []
    written.foreach_point(lambda p: expected.append(_coordinates(str(p))))
    assert sorted(dumped(tmp_path, scop, declaration)) == sorted(expected)


def _coordinates(text: str) -> tuple[int, ...]:
    """Numbers in the brackets of a point such as ``[n = 5] -> { A[1, 2] }``."""
    inside = text[text.rindex("[") + 1 : text.rindex("]")]
    return tuple(int(part) for part in inside.split(","))


@pytest.mark.cc
def test_unsigned_zero_does_not_wrap_around(tmp_path: Path) -> None:
    scop = writing(
        "[n] -> { S0[i] -> A[i] : 0 <= i <= n - 2 }", LINE, Parameter("n", types.UINT)
    )
    assert dumped(tmp_path, scop, "float A[10];", "unsigned n = 1;") == []


@pytest.mark.cc
def test_scalars_are_dumped(tmp_path: Path) -> None:
    scop = writing("[n] -> { S0[] -> s[] }", Array("s", types.DOUBLE))
    assert dumped(tmp_path, scop, "double s;") == [()]


def test_contiguous_rows_take_one_call() -> None:
    text = print_dump(writing(CASES[0][0], SQUARE)).text
    assert text.count("for (") == 1
    assert text.count("polysched_row(") == 1 + 1  # declaration and call


@pytest.mark.parametrize(
    "array",
    [
        Array("A", types.DOUBLE, (TEN, TEN), live_out=False),
        Array("A", types.DOUBLE, (TEN, TEN), storage="scop"),
        Array("A", types.DOUBLE, (TEN,), n_expanded=1),
    ],
)
def test_what_nobody_reads_later_is_not_dumped(array: Array) -> None:
    assert print_dump(writing(CASES[0][0], array)).arrays == ()
