"""Vectors that begin at multiples of their length: which loops, and equal results."""

from __future__ import annotations

import re

import pytest

from tests.unit.codegen.test_registers import check, text_of

PROGRAM = """
#include <stdio.h>
#define N 40
static double A[6][N], B[6][N];
static void run(int n) {
#pragma scop
    for (int i = 1; i < 5; i++)
        for (int k = FIRST; k < PAST; k++)
            BODY
#pragma endscop
}
int main(void) {
    for (int i = 0; i < 6; i++)
        for (int k = 0; k < N; k++) {
            A[i][k] = (7 * i + k) % 11 / 4.0;
            B[i][k] = (i + 3 * k) % 5 / 8.0;
        }
    run(N - 1);
    return 0;
}
"""
STENCIL = "B[i][k] = A[i - 1][k] + 0.5 * A[i][k + 1] - A[i][k - 1];"
WHOLE = "vector(band=0.0, member=0, lanes=4, whole=true)"
JAMMED = (
    "merge(band=0); jam(band=0, factors=[2, 1]); "
    "vector(band=0, member=1, lanes=8, whole=true)"
)


def program(first: str = "1", past: str = "N - 1", body: str = STENCIL) -> str:
    text = PROGRAM.replace("FIRST", first).replace("PAST", past)
    return text.replace("BODY", body)


def ranges(source: str, tmp_path) -> list[tuple[str, str]]:
    """First and last values of the loops that run in lanes."""
    text = text_of(source, WHOLE, tmp_path)
    return re.findall(r"simdlen\(4\)\n *for \(int t2 = (.*?); t2 <=? (.*?);", text)


def test_the_ends_overlap_what_begins_at_multiples(tmp_path) -> None:
    assert ranges(program(), tmp_path) == [("1", "4"), ("4", "35"), ("35", "38")]


@pytest.mark.parametrize(
    ("first", "past", "expected"),
    [
        ("4", "36", [("4", "35")]),
        ("4", "38", [("4", "35"), ("34", "37")]),
        ("2", "36", [("2", "5"), ("4", "35")]),
        ("1", "8", [("1", "4"), ("4", "7")]),
        ("5", "8", [("5", "7")]),  # no vector begins at a multiple
    ],
)
def test_ends_that_are_multiples_need_no_more(first, past, expected, tmp_path) -> None:
    assert ranges(program(first, past), tmp_path) == expected


@pytest.mark.parametrize(
    "source",
    [
        program(body="A[i][k] = A[i][k] + A[i - 1][k];"),  # would add twice
        program(body="B[i][k] += A[i][k];"),
        program(past="n"),
    ],
)
def test_other_loops_stay_whole(source: str, tmp_path) -> None:
    assert len(ranges(source, tmp_path)) == 1
    check(source, WHOLE)


@pytest.mark.parametrize("script", [WHOLE, JAMMED])
@pytest.mark.parametrize("bounds", [("1", "N - 1"), ("3", "N - 3"), ("5", "21")])
def test_results_are_equal(bounds: tuple[str, str], script: str) -> None:
    check(program(*bounds), script)
