"""Arrays in rows of parts: where elements lie, equal results, what is refused."""

from __future__ import annotations

import pytest

from polysched.base import CodegenError
from polysched.codegen.expr import ExprPrinter
from polysched.codegen.linear import Linear
from polysched.ir import Const, Load
from polysched.ir.types import DOUBLE, INT
from tests.unit.codegen.test_registers import check, text_of

PROGRAM = """
#include <stdio.h>
#define N 61
static double A[N], B[N], c[N + 9];
static void run(int n, int steps) {
#pragma scop
    for (int t = 0; t < steps; t++) {
        for (int i = 1; i < LAST; i++)
            FIRST
        for (int i = 1; i < N - 1; i++)
            SECOND
    }
#pragma endscop
}
int main(void) {
    for (int i = 0; i < N; i++) {
        A[i] = i % 7 / 4.0;
        B[i] = i % 5 / 8.0;
        c[i + 9] = i % 3;
    }
    run(N - 1, 0);
    run(N - 1, 5);
    return 0;
}
"""
AVERAGE = "B[i] = 0.25 * (A[i - 1] + A[i] + A[i + 1]);"
BACK = "A[i] = 0.25 * (B[i - 1] + B[i] + B[i + 1]);"
LIFT = "lift(band=0, size=8); "
HELD = LIFT + (
    "split(band=0.0.0.1.0, member=0, cuts=[1, 7]); "
    "registers(band=0.0.0.1.0.1.0, factors=[2, 8], lanes=8); "
    "split(band=0.0.0.0.0, member=0, cuts=[1, 7]); "
    "registers(band=0.0.0.0.0.1.0, factors=[2, 4], lanes=4)"
)


def program(first: str = AVERAGE, second: str = BACK, last: str = "N - 1") -> str:
    text = PROGRAM.replace("FIRST", first).replace("SECOND", second)
    return text.replace("LAST", last)


def test_neighbours_are_rows_and_lanes_are_parts(tmp_path) -> None:
    text = text_of(program(), HELD, tmp_path)
    assert "double A_lifted[8][8] __attribute__((aligned(64)));" in text
    for row in (1, 2, 3, 4):  # for the rows 2 and 3, of which all parts have elements
        assert f"= *(const ps_double8 *)&B_lifted[{row}][0];" in text


def test_where_parts_meet_a_row_reads_from_another_lane(tmp_path) -> None:
    text = text_of(program(), HELD, tmp_path)
    assert "[t3 - 1]" in text
    assert "[t3 + 1]" in text


def test_only_what_is_written_is_copied_back(tmp_path) -> None:
    source = program("B[i] = c[i - 1] + c[i + 1];", "A[i] = B[i];")
    text = text_of(source, LIFT, tmp_path)
    assert "c[i] = c_lifted[" not in text
    assert text.count("A[i] = A_lifted[") == 1


@pytest.mark.cc
@pytest.mark.parametrize(("declared", "begin"), [("30", "0"), ("", "0"), ("N", "3")])
def test_parameters_are_as_long_as_what_the_caller_gives(
    declared: str, begin: str, tmp_path
) -> None:
    """Also longer than they are declared, and pointers into the middle of arrays."""
    source = program(AVERAGE.replace("i", "i - BEGIN"), BACK.replace("i", "i - BEGIN"))
    for old, new in (
        (
            "static double A[N], B[N],",
            f"#define BEGIN {begin}\nstatic double XA[N], XB[N],",
        ),
        ("int steps)", f"int steps, double A[{declared}], double B[{declared}])"),
        ("run(N - 1, 0)", "run(N - 1, 0, XA + BEGIN, XB + BEGIN)"),
        ("run(N - 1, 5)", "run(N - 1, 5, XA + BEGIN, XB + BEGIN)"),
        ("        A[i] = i % 7", "        XA[i] = i % 7"),
        ("        B[i] = i % 5", "        XB[i] = i % 5"),
    ):
        assert old in source, old
        source = source.replace(old, new)
    if begin == "0":
        assert "A_lifted[8][8]" in text_of(source, LIFT, tmp_path)
        if declared != "30":  # the interpreter takes a declaration at its word
            check(source, LIFT)
    else:
        with pytest.raises(CodegenError, match="nothing to lift"):
            text_of(source, LIFT, tmp_path)


@pytest.mark.parametrize("script", [LIFT, HELD, "lift(band=0, size=7)"])
@pytest.mark.parametrize(
    ("first", "second"),
    [
        (AVERAGE, BACK),
        (AVERAGE, "A[i] += 0.5 * B[i] - A[0];"),
        ("B[i] = A[N - 1 - i] + A[i];", "A[i] = B[i] * c[i + 3];"),
        ("if (A[i] > 0.5) B[i] = A[i - 1];", BACK),
        ("B[i] = c[t + 9] * A[i + 1];", "A[i] = B[i] + i;"),  # c: as far as declared
    ],
)
def test_results_are_equal(first: str, second: str, script: str) -> None:
    check(program(first, second), script)


@pytest.mark.parametrize("last", ["N - 4", "n"])
def test_loops_that_end_elsewhere_have_equal_results(last: str) -> None:
    check(program(last=last), LIFT)


@pytest.mark.parametrize(
    ("source", "script", "reason"),
    [
        (program(), "lift(band=0, size=70)", "above 70"),
        (program().replace("N 61", "N 200000"), LIFT, "1600000 bytes are more"),
        (
            program().replace("for (int t", "for (int r = 0; r < 2; r++) for (int t"),
            "lift(band=0.0, size=8)", "inside a loop",
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_lifted_is_refused(source, script, reason, tmp_path) -> None:
    with pytest.raises(CodegenError, match=reason):
        text_of(source, script, tmp_path)


def test_a_load_without_a_place_is_not_printed() -> None:
    """Storage in rows has no element at a subscript of the user's."""
    known = Load("A_lifted", (Const(1, INT, "1"), Const(0, INT, "0")), DOUBLE)
    other = Load("A_lifted", (Const(2, INT, "2"), Const(0, INT, "0")), DOUBLE)
    offsets = {(known, 0): Linear((), 1), (known, 1): Linear()}
    printer = ExprPrinter(offsets=offsets)
    assert printer.load(known).text == "A_lifted[0][0]"
    with pytest.raises(CodegenError, match="no place"):
        printer.load(other)
