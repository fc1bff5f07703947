"""Products of short integers added up several at a time: signs, ends, refusals."""

from __future__ import annotations

from dataclasses import replace

import pytest

from polysched.base import CodegenError
from polysched.codegen.ctext import Names, Text
from polysched.codegen.dot_macros import DOT_MACROS
from polysched.codegen.macros import Macros
from polysched.testing import CheckOptions, check_program
from polysched.transform import parse_script, print_script
from tests.unit.codegen.test_registers import scripted, text_of

PROGRAM = """
#include <stdio.h>
#define R 40
static ROWS A[R][R];
static LANES B[R][R];
static SUMS C[R][R];
static void init(void) {
    unsigned seed = 1;
    for (int i = 0; i < R; i++)
        for (int j = 0; j < R; j++) {
            seed = seed * 1664525u + 1013904223u;
            A[i][j] = seed >> 24;
            B[i][j] = seed >> 16;
            C[i][j] = i - j;
        }
}
static void run(int ni, int nj) {
#pragma scop
    for (int i = 0; i < ni; i++)
        for (int j = 0; j < nj; j++)
            for (int k = FIRST; k < LAST; k++)
                C[i][j] += PRODUCT;
#pragma endscop
}
int main(void) {
    static const int sizes[][2] = {
        {13, 17}, {8, 32}, {1, 1}, {0, 3}, {3, 0}, {5, 16}, {40, 40},
    };
    for (int s = 0; s < 7; s++) {
        init();
        run(sizes[s][0], sizes[s][1]);
    }
    return 0;
}
"""
SCHEDULE = (
    "merge(band=0); merge(band=0); tile(band=0, sizes=[0, 32, DEPTH]); "
    "tile(band=0.0.0, sizes=[8, 0, 0]); parallel(band=0.0); "
    "registers(band=0.0.0.0.0.0, factors=[2, 16, 1], lanes=LANES, terms=TERMS); "
)
ROWS = "pack(band=0.0.0.0.0.0, statement=0, iterators=[0, 2], terms=TERMS); "
COPY = (
    "pack(band=0.0.0.0.0, statement=0, iterators=[2, 1], panel=16, terms=TERMS"
    ", shift=SHIFT)"
)
PLAIN = "A[i][k] * B[k][j]"


def program(
    rows: str,
    lanes: str,
    product: str = PLAIN,
    *,
    sums: str = "int",
    span: tuple[str, str] = ("0", "40"),
) -> str:
    text = PROGRAM.replace("ROWS", rows).replace("LANES", lanes)
    text = text.replace("SUMS", sums).replace("PRODUCT", product)
    return text.replace("FIRST", span[0]).replace("LAST", span[1])


def script(
    terms: int, shift: int = 0, *, rows: bool = False, lanes: int = 16, depth: int = 16
) -> str:
    text = SCHEDULE + (ROWS if rows else "") + COPY
    text = text.replace("LANES", str(lanes)).replace("DEPTH", str(depth))
    return text.replace("TERMS", str(terms)).replace("SHIFT", str(shift))


def check(source: str, wanted: str, cflags: tuple[str, ...] = ()) -> None:
    strict = CheckOptions().toolchain
    options = CheckOptions(replace(strict, cflags=(*strict.cflags, *cflags)))
    report = check_program(source, scripted(wanted), options)
    assert not report.mismatches, "\n".join(str(m) for m in report.mismatches)
    assert report.n_unprinted == 0
    assert report.n_trees == 1


NATIVE = ("-march=native", "-Wno-psabi")
PLAIN_PROCESSOR = ("-Wno-psabi",)
SIGNS = [
    ("unsigned char", "signed char", 4, 0),
    ("signed char", "unsigned char", 4, 0),
    ("signed char", "signed char", 4, 128),
    ("unsigned char", "unsigned char", 4, -128),
    ("short", "short", 2, 0),
    ("short", "unsigned char", 2, 0),
]


@pytest.mark.cc
@pytest.mark.parametrize(
    ("rows", "lanes", "terms", "shift"),
    [
        pytest.param(*s, marks=pytest.mark.long if k % 2 else pytest.mark.slow)
        for k, s in enumerate(SIGNS)
    ],
)
def test_all_signs_are_equal_at_every_edge(rows, lanes, terms, shift, tmp_path) -> None:
    source = program(rows, lanes)
    wanted = script(terms, shift)
    check(source, wanted, NATIVE)
    assert f"ps_dot{terms}_16(c1, " in text_of(source, wanted, tmp_path)
    check(source, wanted)


@pytest.mark.long
@pytest.mark.cc
@pytest.mark.parametrize("lanes", [8, 16])
@pytest.mark.parametrize("flags", [PLAIN_PROCESSOR, NATIVE])
@pytest.mark.parametrize(("rows", "columns", "terms", "shift"), SIGNS[2:5])
def test_vectors_of_every_width_are_equal_on_every_processor(
    lanes, flags, rows, columns, terms, shift
) -> None:
    check(program(rows, columns), script(terms, shift, lanes=lanes), flags)


@pytest.mark.long
@pytest.mark.cc
@pytest.mark.parametrize("span", [("0", "37"), ("1", "40"), ("3", "33"), ("0", "3")])
@pytest.mark.parametrize(("terms", "shift"), [(4, 128), (2, 0)])
def test_groups_that_end_early_hold_zeros(span, terms, shift, tmp_path) -> None:
    source = program("signed char", "signed char", span=span)
    wanted = script(terms, shift, rows=True, depth=0)
    text = text_of(source, wanted, tmp_path)
    assert "__attribute__((aligned(64))) = {0};" in text
    assert ("ps_dot" in text) == (span[0] == "0")  # else a group begins before the loop
    check(source, wanted, NATIVE)


@pytest.mark.long
@pytest.mark.cc
def test_rows_that_end_early_are_not_read_beyond_their_end(tmp_path) -> None:
    source = program("signed char", "signed char", span=("0", "38"))
    wanted = script(4, 128)
    assert "ps_dot" not in text_of(source, wanted, tmp_path)
    check(source, wanted)


@pytest.mark.long
@pytest.mark.cc
def test_values_less_a_number_are_copied_as_such() -> None:
    product = "((int)A[i][k] - 121) * (B[k][j] - 130)"
    check(program("unsigned char", "unsigned char", product), script(2, rows=True))


@pytest.mark.long
@pytest.mark.cc
def test_sums_without_a_sign_wrap_around() -> None:
    source = program("short", "short", sums="unsigned")
    check(source, script(2))


@pytest.mark.long
@pytest.mark.cc
@pytest.mark.parametrize(
    ("rows", "product", "sums"),
    [
        ("signed char", "A[k][i] * B[k][j]", "int"),
        ("signed char", "(A[i][k] + 1) * B[k][j]", "int"),
        ("int", PLAIN, "int"),
        ("signed char", PLAIN, "long"),
    ],
    ids=["columns", "sum", "int", "long"],
)
def test_other_products_stay_loops(rows, product, sums, tmp_path) -> None:
    source = program(rows, "signed char", product, sums=sums)
    assert "ps_dot" not in text_of(source, script(4, 128), tmp_path)
    check(source, script(4, 128))


def test_values_that_fit_no_group_are_not_packed(tmp_path) -> None:
    with pytest.raises(CodegenError, match="4 values side by side in 4 bytes"):
        text_of(program("signed char", "short"), script(4), tmp_path)
    with pytest.raises(CodegenError, match="2 values side by side in 4 bytes"):
        text_of(program("short", "unsigned short"), script(2), tmp_path)


@pytest.mark.long
def test_copies_are_laid_out_in_groups(tmp_path) -> None:
    source = program("signed char", "signed char")
    text = text_of(source, script(4, 128), tmp_path)
    assert "unsigned char B_packed[2][4][16][4] __attribute__((aligned(64)));" in text
    assert "+ 128;" in text
    assert "- s0;" in text


def test_a_script_reads_back() -> None:
    steps = parse_script(script(4, 128, rows=True))
    assert parse_script(print_script(steps)) == steps


@pytest.mark.parametrize("kind", sorted(DOT_MACROS))
def test_macros_have_a_form_for_every_processor(kind: str) -> None:
    macros = Macros(Names(frozenset()))
    line = f"{macros.call(kind, Text('c'), Text('u'), Text('s'))};"
    text = "\n".join(macros.around([line]))
    assert text.startswith("#if defined(__AVX")
    assert "#else" in text
    assert text.endswith(f"#undef ps_{kind}")
