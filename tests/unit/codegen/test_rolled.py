"""Rolling loops: rows stay in variables, equal results, what is printed row by row."""

from __future__ import annotations

import pytest

from tests.unit.codegen.test_registers import check, text_of

PROGRAM = """
#include <stdio.h>
#define N 80
static double A[N], B[N], C[N];
static void run(double w) {
#pragma scop
    for (int t = 0; t < 5; t++) {
        for (int i = 1; i < N - 1; i++)
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
        C[i] = i % 3;
    }
    run(0.25);
    return 0;
}
"""
AVERAGE = "B[i] = 0.25 * (A[i - 1] + A[i] + A[i + 1]);"
BACK = "A[i] = 0.25 * (B[i - 1] + B[i] + B[i + 1]);"
ROWS = "0.0.0.0.0.1.0"
CHAINED = (
    "lift(band=0, size=10); split(band=0.0, member=0, cuts=[4]); "
    "chain(band=0.0.0.0.0, delay=1); "
    f"split(band={ROWS}, member=0, cuts=[1, 2, 9]); "
    f"registers(band={ROWS}.2.0.0.0.0, factors=[8], lanes=8); "
    f"registers(band={ROWS}.2.0.0.1.0, factors=[8], lanes=8); "
)
ROLLED = CHAINED + f"roll(band={ROWS}.2.0"


def program(first: str = AVERAGE, second: str = BACK) -> str:
    return PROGRAM.replace("FIRST", first).replace("SECOND", second)


def loop_of(text: str) -> str:
    """From the first variable that is kept to the end of the loop over rows."""
    start = text.index("ps_double8 k0 =")
    return text[start : text.index("}", start)]


def test_a_row_is_loaded_once_and_a_computed_one_not_at_all(tmp_path) -> None:
    loop = loop_of(text_of(program(), ROLLED + ")", tmp_path))
    inside = loop[loop.index("for (") :]
    assert inside.count("*(const ps_double8 *)&A_lifted[") == 1
    assert "*(const ps_double8 *)&B_lifted[" not in inside
    assert "*(ps_double8 *)&B_lifted[t2][0] = k5;" in inside
    assert "k3 = k4;\n" in inside


def test_of_an_array_that_nobody_misses_the_last_rows_are_stored(tmp_path) -> None:
    text = text_of(program(), ROLLED + ", arrays=[B])", tmp_path)
    loop = loop_of(text)
    assert "&B_lifted[t2]" not in loop
    behind = text[text.index(loop) + len(loop) :].split("\n", 3)
    assert behind[1].strip() == "*(ps_double8 *)&B_lifted[7][0] = k3;"
    assert behind[2].strip() == "*(ps_double8 *)&B_lifted[8][0] = k4;"


def test_additions_have_a_product_with_what_compilers_cannot_know(tmp_path) -> None:
    text = text_of(program(), ROLLED + ", fused=1)", tmp_path)
    assert "volatile const double one1 = 1;" in text
    assert loop_of(text).count(" * one0 + ") == 1


@pytest.mark.long
@pytest.mark.parametrize("rest", [")", ", arrays=[B])", ", arrays=[B], fused=3)"])
@pytest.mark.parametrize(
    ("first", "second"),
    [
        (AVERAGE, BACK),
        ("B[i] = A[i + 1] - w * A[i - 1];", "A[i] = B[i] + w;"),
        ("B[i] = A[i - 1];", "A[i] = B[i + 1] * B[i - 1] + C[i];"),
        ("B[i] = w * C[i] + C[i + 1] + A[i];", "A[i] = C[i - 1] + B[i] - C[i + 1];"),
        ("B[i] = A[i + 1];", "A[i] = 0.5 * (B[i + 1] + B[i]);"),
    ],
)
def test_results_are_equal(first: str, second: str, rest: str) -> None:
    source = program(first, second)
    check(source, ROLLED + rest)


@pytest.mark.long
@pytest.mark.parametrize(
    ("first", "second"),
    [
        (AVERAGE, "A[i] = A[i] * w + B[i];"),  # reads what it writes
        ("B[i] = A[i] + A[i] * C[0];", "C[i] = A[i] + B[i - 1];"),  # one for all lanes
        ("B[i] = A[i] < w ? w : C[i];", BACK),  # no vectors
    ],
)
def test_other_rows_are_printed_one_by_one(first: str, second: str, tmp_path) -> None:
    source = program(first, second)
    assert " k0 = " not in text_of(source, ROLLED + ")", tmp_path)
    check(source, ROLLED + ")")
