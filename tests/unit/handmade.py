"""A small program described by hand, for tests that need no front end."""

from __future__ import annotations

from pathlib import Path

from polysched.ir import (
    Access,
    Array,
    Const,
    Parameter,
    Program,
    Scop,
    SourceRegion,
    Statement,
    types,
)
from polysched.sets import read_map, read_set

MATMUL = """\
#include <stdio.h>
#include <stdlib.h>
#include "sizes.h"
static double A[MAX][MAX], B[MAX][MAX], C[MAX][MAX];
static int count[MAX];
int main(int argc, char **argv)
{
    int n = argc > 1 ? atoi(argv[1]) : 24;
    for (int i = 0; i < n; i++)
        for (int j = 0; j < n; j++) {
            A[i][j] = (3 * i + j) % 7 / 7.0;
            B[i][j] = (i + 5 * j) % 11 / 11.0;
        }
#pragma scop
    for (int i = 0; i < n; i++) {
        count[i] = i + 1;
        for (int j = 0; j <= i; j++)
            for (int k = 0; k < n; k++)
                C[i][j] += A[i][k] * B[k][j];
    }
#pragma endscop
    double sum = 0;
    for (int i = 0; i < n; i++)
        for (int j = 0; j < n; j++)
            sum += C[i][j] * (i + j);
    printf("sum %.12g\\n", sum);
    return 0;
}
"""

FASTER = """\
#pragma omp parallel for
for (int i = 0; i < n; i++) {
    count[i] = i + 1;
    for (int k = 0; k < n; k++)
        for (int j = 0; j <= i; j++)
            C[i][j] += A[i][k] * B[k][j];
}
"""


def region_of(path: Path, source: bytes) -> SourceRegion:
    """The bytes between the pragmas, as a front end would find them."""
    start, last = source.index(b"#pragma scop"), source.index(b"#pragma endscop")
    return SourceRegion(
        str(path),
        start,
        source.index(b"\n", last) + 1,
        source.count(b"\n", 0, start) + 1,
        source.count(b"\n", 0, last) + 1,
        "    ",
    )


def matmul_scop(region: SourceRegion | None) -> Scop:
    """The lower triangle of a matrix product, and a row counter."""
    size = Const(64, types.INT, "64")
    nest = "[n] -> {{ S1[i, j, k]{} : 0 <= j <= i < n and 0 <= k < n }}"

    def access(array: str, kind: str, where: str) -> Access:
        return Access(
            array,
            kind,  # type: ignore[arg-type]
            read_map(nest.format(f" -> {array}[{where}]")),
        )

    counted = read_map("[n] -> { S0[i] -> count[i] : 0 <= i < n }")
    counting = Statement(
        "S0",
        ("i",),
        read_set("[n] -> { S0[i] : 0 <= i < n }"),
        (0, 0),
        (1,),
        (),
        (Access("count", "must_write", counted),),
    )
    product = Statement(
        "S1",
        ("i", "j", "k"),
        read_set(nest.format("")),
        (0, 1, 0, 0),
        (1, 1, 1),
        (),
        (
            access("C", "read", "i, j"),
            access("A", "read", "i, k"),
            access("B", "read", "k, j"),
            access("C", "must_write", "i, j"),
        ),
    )
    return Scop(
        name="main",
        parameters=(Parameter("n"),),
        context=read_set("[n] -> { : n >= 0 }"),
        statements=(counting, product),
        arrays=(
            Array("count", types.INT, (size,)),
            Array("C", types.DOUBLE, (size, size)),
            Array("A", types.DOUBLE, (size, size), live_out=False),
            Array("B", types.DOUBLE, (size, size), live_out=False),
        ),
        region=region,
        function="main",
    )


def write_program(directory: Path, text: str = MATMUL) -> Program:
    """Write the product, or a variation of it, to a file and describe it."""
    (directory / "sizes.h").write_text("#define MAX 64\n")
    path = directory / "matmul.c"
    source = text.encode()
    path.write_bytes(source)
    scop = matmul_scop(region_of(path, source))
    return Program(str(path), source, (scop,), has_main=True)
